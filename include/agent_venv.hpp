/*
 * agent_venv.hpp: virtualenv for coding-agent CLIs, in C++17. Header-only, over agent_venv.h.
 *
 *     try {
 *         auto env = avenv::Environment::ephemeral(avenv::Spec::for_adapter("claude-code"));
 *         const auto envp = env.envp();
 *         ... posix_spawnp(&pid, "claude", nullptr, nullptr, argv, envp.data()), waitpid(pid, ...) ...
 *         env.destroy();
 *     } catch (const avenv::Error &error) {
 *         std::cerr << error.what() << '\n';
 *     }
 *
 * Link with -lagent_venv (pkg-config: agent-venv; CMake: agent-venv::shared or agent-venv::static).
 *
 * agent_venv.h tells the whole of what each operation does. Its rules for threads, fork and growth hold here.
 *
 * Conventions, told once
 * ----------------------
 * Errors    A function that can fail throws avenv::Error. Each has a twin, try_..., that answers a Result instead;
 *           where exceptions are switched off, only these exist. Besides, memory may run out (std::bad_alloc).
 * Ownership Spec, Options, Environment and Envp own what they stand for: they move, don't copy, and free it at their
 *           end. One that was moved from is only good to be assigned to or to end: its getters answer empty values, and
 *           other calls with it are InvalidEnvironmentSpec. What is answered is the caller's and outlives its object.
 * Strings   are UTF-8. A std::string_view need not end with NUL. One with NUL inside is InvalidEnvironmentSpec, and the
 *           field is the parameter's name; but contents of files are any bytes.
 * Ends      The end of an ephemeral Environment removes it, best effort and silently: destroy() tells. That of a
 *           persistent one detaches. In a forked child the end frees memory only.
 */

#ifndef AGENT_VENV_HPP
#define AGENT_VENV_HPP

#include "agent_venv.h"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace avenv {

namespace detail {

/* Owns one object of the library. */
template <typename T, void (*Free)(T *)>
class Handle {
public:
    /** Takes what a function of agent_venv.h handed out; nullptr is nothing to own. */
    explicit Handle(T *object) noexcept : object_(object) {}

    /** For functions of agent_venv.h. The object stays this one's; nullptr once that was moved from. */
    T *get() const noexcept { return object_.get(); }

private:
    struct Freeing {
        void operator()(T *object) const noexcept { Free(object); }
    };
    std::unique_ptr<T, Freeing> object_;
};

/* A string that the library lends, as the caller's own; empty for NULL. */
inline std::string copied(const char *lent) { return lent == nullptr ? std::string() : std::string(lent); }

struct Told {
    avenv_status status;
    std::string kind, message, payload_json, events_json;
};

} // namespace detail

/** Why a call failed. Copying it never fails. */
class AVENV_API Error : public std::exception {
public:
    /** Takes what a function of agent_venv.h handed out, and frees it. */
    explicit Error(avenv_error *error) : Error(told(detail::Handle<avenv_error, avenv_error_free>(error))) {}
    explicit Error(detail::Told told) : told_(std::make_shared<const detail::Told>(std::move(told))) {}
    Error(const Error &) noexcept = default; /* and no move, that would leave an empty one behind */
    Error &operator=(const Error &) noexcept = default;
    ~Error() override = default;

    /** AVENV_CREDENTIALS_MISSING and its like: what a program decides by. New ones may come. */
    avenv_status status() const noexcept { return told_->status; }

    /** The same as a word, such as "CredentialsMissing". */
    const std::string &kind() const noexcept { return told_->kind; }

    /** One line for people: what failed, where, and what to do. Never holds a credential. */
    const std::string &message() const noexcept { return told_->message; }
    const char *what() const noexcept override { return told_->message.c_str(); }

    /** The kind's payload as a JSON object, such as {"path":"...","reason":"..."}. */
    const std::string &payload_json() const noexcept { return told_->payload_json; }

    /** The events of the call that failed, as a JSON list; the last one is the error itself. */
    const std::string &events_json() const noexcept { return told_->events_json; }

private:
    static detail::Told told(const detail::Handle<avenv_error, avenv_error_free> &error) {
        return {avenv_error_status(error.get()), detail::copied(avenv_error_kind(error.get())),
                detail::copied(avenv_error_message(error.get())), detail::copied(avenv_error_payload_json(error.get())),
                detail::copied(avenv_error_events_json(error.get()))};
    }

    std::shared_ptr<const detail::Told> told_;
};

/**
 * What a try_ function answers: a value, or the Error; Result<> where there is nothing to answer but success.
 *
 *     if (auto env = avenv::Environment::try_attach("reviewer"))
 *         use(env->path());
 *     else
 *         report(env.error().message());
 *
 * Asking for what it does not hold is a mistake: std::bad_variant_access, or the program's end without exceptions.
 */
template <typename T = std::monostate>
class [[nodiscard]] Result {
public:
    Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
    Result(const Error &error) : held_(std::in_place_index<1>, error) {}

    explicit operator bool() const noexcept { return held_.index() == 0; }
    const Error &error() const { return std::get<1>(held_); }

    T &operator*() & { return std::get<0>(held_); }
    const T &operator*() const & { return std::get<0>(held_); }
    T &&operator*() && { return std::get<0>(std::move(held_)); }
    T *operator->() { return &std::get<0>(held_); }
    const T *operator->() const { return &std::get<0>(held_); }

#ifdef __cpp_exceptions
    /** The value; throws the Error where there is none. */
    T value() && {
        if (!*this) {
            throw error();
        }
        return *std::move(*this);
    }
#endif

    /** The value passed through a function; the Error as it is. */
    template <typename Function>
    auto transform(Function function) && -> Result<std::invoke_result_t<Function, T>> {
        if (!*this) {
            return error();
        }
        return function(*std::move(*this));
    }

private:
    std::variant<T, Error> held_;
};

namespace detail {

/* ---- calls ---- */

/* What the library would not see as the caller gave it is refused here. */
inline Error invalid(const std::string &field, const std::string &reason) {
    const char *const kind = avenv_status_kind(AVENV_INVALID_ENVIRONMENT_SPEC);
    const std::string message = field + ": " + reason;
    return Error(Told{AVENV_INVALID_ENVIRONMENT_SPEC, kind, message,
                      "{\"field\":\"" + field + "\",\"reason\":\"" + reason + "\"}",
                      std::string("[{\"ts_ms\":0,\"kind\":\"error\",\"error_kind\":\"") + kind + "\",\"message\":\"" +
                          message + "\"}]"});
}

/* A parameter as a C string: copied, as a view need not end with NUL; wiped, as it may hold a login. */
class Text {
public:
    Text(const char *parameter, std::string_view view) : parameter_(parameter), copy_(view) {}
    Text(const Text &) = delete;
    Text &operator=(const Text &) = delete;
    ~Text() {
        volatile char *const bytes = copy_.data();
        for (std::size_t i = 0; i < copy_.size(); ++i) {
            bytes[i] = '\0';
        }
    }

    const char *get() const noexcept { return copy_.c_str(); }

    std::optional<Error> refusal() const {
        const bool whole = copy_.find('\0') == std::string::npos;
        return whole ? std::nullopt : std::optional(invalid(parameter_, "holds NUL"));
    }

private:
    const char *parameter_;
    std::string copy_;
};

constexpr const char *parameter(const avenv_spec *) { return "spec"; }
constexpr const char *parameter(const avenv_options *) { return "options"; }
constexpr const char *parameter(const avenv_environment *) { return "env"; }

/* Why an argument can't be passed on. NULL would mean the defaults, which nobody means by what was moved from. */
template <typename Argument>
std::optional<Error> refusal(const Argument &argument) {
    if constexpr (std::is_scalar_v<Argument>) {
        return std::nullopt;
    } else if constexpr (std::is_same_v<Argument, Text>) {
        return argument.refusal();
    } else {
        const bool held = argument.get() != nullptr;
        return held ? std::nullopt : std::optional(invalid(parameter(argument.get()), "was moved from"));
    }
}

template <typename Argument>
auto raw(const Argument &argument) {
    if constexpr (std::is_scalar_v<Argument>) {
        return argument;
    } else {
        return argument.get();
    }
}

/* A call that only succeeds or fails; the arguments are those of the function, but for the error. */
template <typename Function, typename... Arguments>
Result<> call(Function function, const Arguments &...arguments) {
    std::optional<Error> refused;
    if (((refused = refusal(arguments)).has_value() || ...)) {
        return *refused;
    }
    avenv_error *error = nullptr;
    if (function(raw(arguments)..., &error) != AVENV_OK) {
        return Error(error);
    }
    return std::monostate();
}

/* A call that hands out an object for `Owner`; the arguments, but for that output and the error. */
template <typename Owner, typename Function, typename... Arguments>
Result<Owner> make(Function function, const Arguments &...arguments) {
    decltype(std::declval<Owner>().get()) object = nullptr;
    const Result<> done = call(function, arguments..., &object);
    if (!done) {
        return done.error();
    }
    return Owner(object);
}

/* A call that hands out a string. */
template <typename Function, typename... Arguments>
Result<std::string> make_text(Function function, const Arguments &...arguments) {
    using String = Handle<char, avenv_string_free>;
    return make<String>(function, arguments...).transform([](const String &text) { return copied(text.get()); });
}

/* ---- JSON, as far as the library writes it and this header reads it ---- */

/* The number that follows \u. */
inline std::uint32_t code_unit(std::string_view &rest) {
    const std::string_view digits = rest.substr(0, 4);
    std::uint32_t unit = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    rest.remove_prefix(digits.size());
    return unit;
}

/* What follows \u: one code unit, or a surrogate pair. Half a pair stands for no character. */
inline std::uint32_t code_point(std::string_view &rest) {
    const std::uint32_t first = code_unit(rest);
    if ((first & 0xFC00) == 0xD800 && rest.substr(0, 2) == "\\u") {
        std::string_view behind = rest.substr(2);
        const std::uint32_t second = code_unit(behind);
        if ((second & 0xFC00) == 0xDC00) {
            rest = behind;
            return 0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF);
        }
    }
    return (first & 0xF800) == 0xD800 ? 0xFFFD : first;
}

inline std::string utf8(std::uint32_t point) {
    const auto lead = [point](std::uint32_t mark, int shift) { return static_cast<char>(mark | (point >> shift)); };
    const auto next = [point](int shift) { return static_cast<char>(0x80 | ((point >> shift) & 0x3F)); };
    if (point < 0x80) {
        return {lead(0, 0)};
    }
    if (point < 0x800) {
        return {lead(0xC0, 6), next(0)};
    }
    if (point < 0x10000) {
        return {lead(0xE0, 12), next(6), next(0)};
    }
    return {lead(0xF0, 18), next(12), next(6), next(0)};
}

/* A string, from behind the quote that opens it to behind the one that closes it. */
inline std::string json_string(std::string_view &rest) {
    constexpr std::string_view letters = "bfnrt", meanings = "\b\f\n\r\t";
    const auto take = [&rest] {
        const char first = rest.empty() ? '"' : rest.front();
        rest.remove_prefix(rest.empty() ? 0 : 1);
        return first;
    };
    std::string text;
    for (char c = take(); c != '"'; c = take()) {
        if (c != '\\') {
            text += c;
            continue;
        }
        const char escape = take();
        const std::size_t letter = letters.find(escape);
        if (escape == 'u') {
            text += utf8(code_point(rest));
        } else {
            text += letter == std::string_view::npos ? escape : meanings[letter];
        }
    }
    return text;
}

/* A JSON list of strings; of an object of strings, its keys and values in turn. */
inline std::vector<std::string> json_strings(std::string_view rest) {
    std::vector<std::string> strings;
    for (std::size_t quote = rest.find('"'); quote != std::string_view::npos; quote = rest.find('"')) {
        rest.remove_prefix(quote + 1);
        strings.push_back(json_string(rest));
    }
    return strings;
}

inline Result<std::vector<std::string>> listed(Result<std::string> json) {
    return std::move(json).transform([](const std::string &text) { return json_strings(text); });
}

} // namespace detail

/** What an environment shall hold. Any number of environments can be made from one. */
class Spec : public detail::Handle<avenv_spec, avenv_spec_free> {
public:
    using Handle::Handle;

    /** The empty spec. */
    Spec() : Handle(parsed_empty()) {}

#ifdef __cpp_exceptions
    /** A spec from its JSON form; see avenv_spec_parse() for the fields. InvalidEnvironmentSpec: one is malformed. */
    static Spec parse(std::string_view json) { return try_parse(json).value(); }

    /**
     * A spec for an adapter: its id (a built-in one's, such as "claude-code", or that of a document of the user's), or a
     * definition as JSON. It reads no login: that happens each time an environment is made from it. options_json is a
     * JSON object of the adapter's options, among them login, isolation and trusted_directories: see
     * avenv_spec_for_adapter().
     *
     * InvalidEnvironmentSpec: an unknown adapter or option, a malformed definition, or a login that this agent can't have.
     */
    static Spec for_adapter(std::string_view adapter, std::string_view options_json = "{}") {
        return try_for_adapter(adapter, options_json).value();
    }

    /** Sets a variable to hand back, or replaces it. $EPHEMERAL_HOME in the value becomes the profile's path. */
    Spec &set_env(std::string_view name, std::string_view value) {
        try_set_env(name, value).value();
        return *this;
    }

    /** Adds a file that is written when the profile is made, or replaces it. Mode 0 means octal 600. */
    Spec &add_seed_file(std::string_view path, std::string_view content, std::uint32_t mode = 0) {
        try_add_seed_file(path, content, mode).value();
        return *this;
    }

    /** Adds a credential, mode 0600, or replaces it: the host's login, too, where the path is that of the adapter's. */
    Spec &add_credential(std::string_view path, std::string_view content) {
        try_add_credential(path, content).value();
        return *this;
    }
#endif

    static Result<Spec> try_parse(std::string_view json) {
        return detail::make<Spec>(avenv_spec_parse, detail::Text("json", json));
    }
    static Result<Spec> try_for_adapter(std::string_view adapter, std::string_view options_json = "{}") {
        return detail::make<Spec>(avenv_spec_for_adapter, detail::Text("adapter", adapter),
                                  detail::Text("options_json", options_json));
    }
    Result<> try_set_env(std::string_view name, std::string_view value) {
        return detail::call(avenv_spec_set_env, *this, detail::Text("name", name), detail::Text("value", value));
    }
    Result<> try_add_seed_file(std::string_view path, std::string_view content, std::uint32_t mode = 0) {
        return detail::call(avenv_spec_add_seed_file, *this, detail::Text("path", path), content.data(),
                            content.size(), mode);
    }
    Result<> try_add_credential(std::string_view path, std::string_view content) {
        return detail::call(avenv_spec_add_credential, *this, detail::Text("path", path), content.data(),
                            content.size());
    }

private:
    static avenv_spec *parsed_empty() noexcept {
        avenv_spec *spec = nullptr;
        (void)avenv_spec_parse("{}", &spec, nullptr);
        return spec;
    }
};

/** Where and how. */
class Options : public detail::Handle<avenv_options, avenv_options_free> {
public:
    using Handle::Handle;

    /** The defaults. */
    Options() : Handle(avenv_options_new()) {}

#ifdef __cpp_exceptions
    /** The registry of persistent environments. For the default see avenv_options_set_registry_root(). */
    Options &set_registry_root(const std::filesystem::path &root) {
        try_set_registry_root(root).value();
        return *this;
    }

    /** Where ephemeral environments are made. For the default see avenv_options_set_ephemeral_root(). */
    Options &set_ephemeral_root(const std::filesystem::path &root) {
        try_set_ephemeral_root(root).value();
        return *this;
    }

    /** The adapter that Environment::attach() expects. Default: any. */
    Options &set_expected_adapter(std::string_view adapter_id) {
        try_set_expected_adapter(adapter_id).value();
        return *this;
    }

    /** How long to wait for the registry's lock. 0: don't wait. -1: the default, 5 s. */
    Options &set_lock_timeout(std::chrono::milliseconds timeout) {
        try_set_lock_timeout(timeout).value();
        return *this;
    }

    /** Whether what is written is flushed to the disk before a call answers. Default: false. */
    Options &set_durable(bool durable) {
        try_set_durable(durable).value();
        return *this;
    }

    /**
     * Whether Environment::refresh_credentials() replaces a login that is newer than the host's, or may be, and reap()
     * removes what a process on another machine may still own. Default: false.
     */
    Options &set_force(bool force) {
        try_set_force(force).value();
        return *this;
    }
#endif

    Result<> try_set_registry_root(const std::filesystem::path &root) {
        return detail::call(avenv_options_set_registry_root, *this, detail::Text("registry_root", root.native()));
    }
    Result<> try_set_ephemeral_root(const std::filesystem::path &root) {
        return detail::call(avenv_options_set_ephemeral_root, *this, detail::Text("ephemeral_root", root.native()));
    }
    Result<> try_set_expected_adapter(std::string_view adapter_id) {
        return detail::call(avenv_options_set_expected_adapter, *this, detail::Text("adapter_id", adapter_id));
    }
    Result<> try_set_lock_timeout(std::chrono::milliseconds timeout) {
        return detail::call(avenv_options_set_lock_timeout_ms, *this, timeout.count());
    }
    Result<> try_set_durable(bool durable) { return detail::call(avenv_options_set_durable, *this, durable); }
    Result<> try_set_force(bool force) { return detail::call(avenv_options_set_force, *this, force); }
};

/** The whole environment block for a child. Independent of the Environment that it came from. */
class Envp : public detail::Handle<char *, avenv_envp_free> {
public:
    using Handle::Handle;

    /** For execve() and posix_spawn(): entries "NAME=value", ended by nullptr. */
    char *const *data() const noexcept { return get(); }
};

/** A profile directory, and the variables that point an agent at it. */
class Environment : public detail::Handle<avenv_environment, avenv_environment_free> {
public:
    using Handle::Handle;

#ifdef __cpp_exceptions
    /**
     * Creates an ephemeral environment: a fresh profile directory that lives until it is destroyed. The host's login is
     * read now, where the spec's adapter wants it. On failure nothing is left on disk.
     *
     * ProfileSetupFailed: it could not be written, or the ephemeral root is not safe to use.
     * CredentialsMissing: the adapter wants the host's login, and there is none.
     */
    static Environment ephemeral(const Spec &spec = Spec(), const Options &options = Options()) {
        return try_ephemeral(spec, options).value();
    }

    /**
     * Attaches to the persistent environment `name`, creating it where there is none. Where it exists nothing in it is
     * changed, and of the spec only the adapter's id counts. A name is absent or whole, whichever process dies when.
     *
     * AdapterMismatch: it exists, for another adapter.
     * RegistryUnavailable: the registry can't be read or written, or was locked for too long.
     * ProfileSetupFailed, CredentialsMissing: as for ephemeral().
     */
    static Environment create_or_attach(std::string_view name, const Spec &spec = Spec(),
                                        const Options &options = Options()) {
        return try_create_or_attach(name, spec, options).value();
    }

    /**
     * Attaches to the persistent environment `name`. Never creates it, takes no lock, and changes nothing.
     *
     * EnvironmentNotFound: the name is not registered.
     * AdapterMismatch: it exists, for another adapter than the one that the options expect.
     * RegistryUnavailable: the registry or this entry can't be read, or another program never finished it.
     */
    static Environment attach(std::string_view name, const Options &options = Options()) {
        return try_attach(name, options).value();
    }

    /** The names of all persistent environments, sorted. RegistryUnavailable: the registry can't be read. */
    static std::vector<std::string> list(const Options &options = Options()) { return try_list(options).value(); }

    /**
     * Destroys the persistent environment `name`, also one that another program never finished.
     *
     * EnvironmentNotFound: the name is not registered.
     * CleanupFailed: something could not be removed; the name is free. reap() takes the rest once it can.
     * RegistryUnavailable: as for create_or_attach().
     */
    static void destroy_by_name(std::string_view name, const Options &options = Options()) {
        try_destroy_by_name(name, options).value();
    }

    /**
     * The environment block for a child: base, less the variables to unset and those that are overridden, and the
     * overrides. base is ended by nullptr; nullptr itself is this process's own environment.
     *
     * InternalInvariantViolation: the environment was destroyed.
     */
    Envp envp(const char *const *base = nullptr) const { return try_envp(base).value(); }

    /** What was done through this object, in order, as a JSON list. Never holds a credential or a file's content. */
    std::string events_json() const { return try_events_json().value(); }

    /**
     * How the profile's login stands to the host's now, as JSON: see avenv_environment_login_status_json(). Changes
     * nothing, and never tells the login.
     *
     * CredentialsMissing: the host's login is there and can't be read.
     * EnvironmentNotFound, RegistryUnavailable, ProfileSetupFailed: the profile can't be looked at.
     * InternalInvariantViolation: the environment was destroyed, or this is a forked child.
     */
    std::string login_status_json() const { return try_login_status_json().value(); }

    /**
     * Writes the credentials anew, each file replaced as a whole, and nothing else in the profile: the host's login as
     * it is now where the environment was made for an adapter, and the credentials that it was created with.
     *
     * InvalidEnvironmentSpec, field spec: there are no credentials to write.
     * CredentialsMissing: the host has no login now. The profile keeps the one it has.
     * CredentialsConflict: the profile's login is newer than the host's, or may be; Options::set_force() replaces it.
     * ProfileSetupFailed: a file could not be written; the one before it stands whole.
     * EnvironmentNotFound: somebody destroyed the persistent environment; what has its name now is another.
     * RegistryUnavailable: as for create_or_attach().
     * InternalInvariantViolation: the environment was destroyed, or this is a forked child.
     */
    void refresh_credentials(const Options &options = Options()) { try_refresh_credentials(options).value(); }

    /** The same with the credentials of a spec (its adapter's login, too, read from the host now). */
    void refresh_credentials(const Spec &spec, const Options &options = Options()) {
        try_refresh_credentials(spec, options).value();
    }

    /**
     * Removes the profile, and the name of a persistent environment. Again, or where somebody else did: nothing to do.
     * The getters and events answer as before.
     *
     * CleanupFailed: something could not be removed; all else was, and the name is free. Call again to try again.
     * RegistryUnavailable: the registry can't be written, or was locked for too long.
     * InternalInvariantViolation: this is a forked child, and the environment is its parent's.
     */
    void destroy(const Options &options = Options()) { try_destroy(options).value(); }
#endif

    static Result<Environment> try_ephemeral(const Spec &spec = Spec(), const Options &options = Options()) {
        return detail::make<Environment>(avenv_environment_create_ephemeral, spec, options);
    }
    static Result<Environment> try_create_or_attach(std::string_view name, const Spec &spec = Spec(),
                                                    const Options &options = Options()) {
        return detail::make<Environment>(avenv_environment_create_or_attach, detail::Text("name", name), spec, options);
    }
    static Result<Environment> try_attach(std::string_view name, const Options &options = Options()) {
        return detail::make<Environment>(avenv_environment_attach, detail::Text("name", name), options);
    }
    static Result<std::vector<std::string>> try_list(const Options &options = Options()) {
        return detail::listed(detail::make_text(avenv_registry_list_json, options));
    }
    static Result<> try_destroy_by_name(std::string_view name, const Options &options = Options()) {
        return detail::call(avenv_registry_destroy, detail::Text("name", name), options);
    }
    Result<Envp> try_envp(const char *const *base = nullptr) const {
        return detail::make<Envp>(avenv_environment_envp, *this, base);
    }
    Result<std::string> try_events_json() const { return detail::make_text(avenv_environment_events_json, *this); }
    Result<std::string> try_login_status_json() const {
        return detail::make_text(avenv_environment_login_status_json, *this);
    }
    Result<> try_refresh_credentials(const Options &options = Options()) {
        return detail::call(avenv_environment_refresh_credentials, *this, nullptr, options);
    }
    Result<> try_refresh_credentials(const Spec &spec, const Options &options = Options()) {
        return detail::call(avenv_environment_refresh_credentials, *this, spec, options);
    }
    Result<> try_destroy(const Options &options = Options()) {
        return detail::call(avenv_environment_destroy, *this, options);
    }

    /** The profile directory: an absolute path without links in it. */
    std::filesystem::path path() const { return detail::copied(avenv_environment_path(get())); }

    /** The name of a persistent environment. */
    std::optional<std::string> name() const {
        const char *const name = avenv_environment_name(get());
        return name == nullptr ? std::nullopt : std::optional<std::string>(name);
    }

    /** "ephemeral" or "persistent". */
    std::string kind() const { return detail::copied(avenv_environment_kind(get())); }
    bool is_persistent() const { return kind() == "persistent"; }

    /** The adapter that this environment is for; "generic" where the spec named none. */
    std::string adapter_id() const { return detail::copied(avenv_environment_adapter_id(get())); }

    /** The variables to set for the agent. */
    std::map<std::string, std::string> env_overrides() const {
        const auto strings = detail::json_strings(detail::copied(avenv_environment_env_overrides_json(get())));
        std::map<std::string, std::string> overrides;
        for (std::size_t i = 0; i + 1 < strings.size(); i += 2) {
            overrides.emplace(strings[i], strings[i + 1]);
        }
        return overrides;
    }

    /** The variables that the agent must not inherit: they would lead it to another login than the profile's. */
    std::vector<std::string> env_unset() const {
        return detail::json_strings(detail::copied(avenv_environment_env_unset_json(get())));
    }
};

/** The version of the library that runs, such as "0.1.0". */
inline std::string version() { return detail::copied(avenv_version()); }

/** The number of its binary interface: AVENV_ABI_VERSION, where it is the library that the program was built for. */
inline std::uint32_t abi_version() noexcept { return avenv_abi_version(); }

/** What the library offers, as a JSON object: see avenv_capabilities_json(). */
inline std::string capabilities_json() {
    constexpr std::string_view as_c = R"("language":"c")", as_cpp = R"("language":"cpp")";
    std::string json = detail::copied(avenv_capabilities_json());
    const std::size_t at = json.find(as_c);
    return at == std::string::npos ? json : json.replace(at, as_c.size(), as_cpp);
}

/** The definitions of the built-in adapters, as a JSON list. A definition of your own has the same fields. */
inline std::string adapters_json() { return detail::copied(avenv_adapters_json()); }

inline Result<std::filesystem::path> try_registry_root(const Options &options = Options()) {
    return detail::make_text(avenv_registry_root, options).transform([](const std::string &text) {
        return std::filesystem::path(text);
    });
}
inline Result<std::string> try_repair(const Options &options = Options()) {
    return detail::make_text(avenv_registry_repair, options);
}
inline Result<std::string> try_reap(const Options &options = Options()) {
    return detail::make_text(avenv_reap, options);
}
inline Result<std::string> try_adapter_definition_json(std::string_view adapter) {
    return detail::make_text(avenv_adapter_definition_json, detail::Text("adapter", adapter));
}
inline Result<std::vector<std::string>> try_adapter_argv(std::string_view adapter, std::string_view options_json) {
    return detail::listed(detail::make_text(avenv_adapter_argv_json, detail::Text("adapter", adapter),
                                            detail::Text("options_json", options_json)));
}
inline Result<> try_adapter_ensure_available(std::string_view adapter) {
    return detail::call(avenv_adapter_ensure_available, detail::Text("adapter", adapter));
}

#ifdef __cpp_exceptions
/**
 * The root of the registry of persistent environments. It need not exist, and is not made.
 *
 * RegistryUnavailable: no root is known (no home directory), or its path is not UTF-8.
 */
inline std::filesystem::path registry_root(const Options &options = Options()) {
    return try_registry_root(options).value();
}

/**
 * Makes the registry's index agree with what is there, after somebody damaged it. Safe at any time, and twice. Answers
 * a report in JSON: see avenv_registry_repair().
 *
 * RegistryUnavailable: the registry can't be written, or was locked for too long.
 */
inline std::string repair(const Options &options = Options()) { return try_repair(options).value(); }

/**
 * Removes the ephemeral environments whose owner died without destroying them, and what unfinished changes left in the
 * registry. What a living process owns is kept. Answers a report in JSON: see avenv_reap().
 *
 * ProfileSetupFailed, RegistryUnavailable: the ephemeral root, or the registry's, is not safe to use.
 */
inline std::string reap(const Options &options = Options()) { return try_reap(options).value(); }

/**
 * The definition that an adapter's id stands for, as JSON; a definition is answered as it is, checked.
 *
 * InvalidEnvironmentSpec: an unknown id, or a malformed document.
 */
inline std::string adapter_definition_json(std::string_view adapter) {
    return try_adapter_definition_json(adapter).value();
}

/**
 * The command line for an unattended run of an adapter's agent; the prompt goes to the agent's standard input.
 * options_json is a JSON object: model (needed by the built-in adapters), reasoning_effort, workspace, extra_argv.
 *
 * InvalidEnvironmentSpec: an unknown adapter or option, or a value that the command line needs is missing.
 */
inline std::vector<std::string> adapter_argv(std::string_view adapter, std::string_view options_json) {
    return try_adapter_argv(adapter, options_json).value();
}

/** Checks that the program of an adapter's agent is on PATH. AdapterUnavailable: it is not. */
inline void adapter_ensure_available(std::string_view adapter) { try_adapter_ensure_available(adapter).value(); }
#endif

} // namespace avenv

#endif /* AGENT_VENV_HPP */
