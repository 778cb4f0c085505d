/* The conformance program: answers requests on standard input, one line of JSON each, with agent_venv.hpp. */
#include <agent_venv.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>

namespace fs = std::filesystem;
using avenv::Environment;
using avenv::Options;
using avenv::Spec;
using nlohmann::json;

/* What a request lacks: anything else is no request. */
struct NoRequest {
    std::string message;
};

/* ---- what a request holds ---- */

static json field_of(const json &request, const char *field) {
    return request.contains(field) ? request[field] : json();
}

static std::string string_of(const json &request, const char *field) {
    const json value = field_of(request, field);
    if (!value.is_string()) {
        throw NoRequest{std::string(field) + " is no string"};
    }
    return value;
}

static std::string name_of(const json &request) { return string_of(request, "name"); }

static Options registry_of(const json &request) {
    Options options;
    options.set_registry_root(string_of(request, "registry_root"));
    return options;
}

static Spec spec_of(const json &request, const char *field = "spec") {
    const json spec = field_of(request, field);
    if (spec.is_null()) {
        return Spec();
    }
    if (!spec.is_object()) {
        throw NoRequest{std::string(field) + " is no object"};
    }
    return Spec::parse(spec.dump());
}

/* ---- what an answer tells ---- */

static std::vector<std::string> files_in(const fs::path &root) {
    std::vector<std::string> files;
    for (const auto &entry : fs::recursive_directory_iterator(root)) {
        if (entry.symlink_status().type() == fs::file_type::regular) {
            files.push_back(entry.path().lexically_relative(root).native());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

static json modes_in(const fs::path &root) {
    json modes = json::object();
    for (const std::string &file : files_in(root)) {
        modes[file] = static_cast<unsigned>(fs::status(root / file).permissions()) & 0777;
    }
    return modes;
}

static json events_of(const Environment &env) { return json::parse(env.events_json()); }

static json events_of(const Environment &first, const Environment &second) {
    json events = events_of(first);
    const json later = events_of(second);
    events.insert(events.end(), later.begin(), later.end());
    return events;
}

static bool is_listed(const json &request) {
    const auto names = Environment::list(registry_of(request));
    return std::find(names.begin(), names.end(), name_of(request)) != names.end();
}

static json attached(const Environment &env) {
    return {{"path", env.path().native()},
            {"files_present", files_in(env.path())},
            {"env_overrides", env.env_overrides()},
            {"events", events_of(env)}};
}

/* ---- the operations ---- */

static Environment create(const json &request) {
    return Environment::create_or_attach(name_of(request), spec_of(request), registry_of(request));
}

static Environment attach(const json &request) { return Environment::attach(name_of(request), registry_of(request)); }

static void refresh(Environment &env, const json &request) {
    const json force = field_of(request, "force");
    if (!force.is_null() && !force.is_boolean()) {
        throw NoRequest{"force is no boolean"};
    }
    Options options;
    options.set_force(force.is_boolean() && force.get<bool>());
    if (field_of(request, "spec").is_null()) {
        env.refresh_credentials(options);
    } else {
        env.refresh_credentials(spec_of(request), options);
    }
}

static json ephemeral_lifecycle(const json &request) {
    Environment env = Environment::ephemeral(spec_of(request));
    const fs::path path = env.path();
    const json inspection = {{"path", path.native()},
                             {"exists", fs::exists(path)},
                             {"env_overrides", env.env_overrides()},
                             {"files_present", files_in(path)},
                             {"file_modes", modes_in(path)}};
    env.destroy();
    const json after = {{"path_exists", fs::exists(path)}};
    return {{"inspection", inspection}, {"after_destroy", after}, {"events", events_of(env)}};
}

static json create_attach_idempotent(const json &request) {
    const Environment first = create(request);
    const Environment second = create(request);
    return {{"paths", {first.path().native(), second.path().native()}},
            {"second_path_files_present", files_in(second.path())},
            {"events", events_of(first, second)}};
}

static json attach_only(const json &request) { return attached(attach(request)); }

static json list(const json &request) {
    const json names = field_of(request, "names");
    if (!names.is_array()) {
        throw NoRequest{"names is no list"};
    }
    for (const json &name : names) {
        json each = request;
        each["name"] = name;
        (void)create(each);
    }
    return {{"names_listed", Environment::list(registry_of(request))}};
}

static json destroy_created(const json &request) {
    Environment env = create(request);
    env.destroy();
    return {{"created_path", env.path().native()},
            {"path_exists_after", fs::exists(env.path())},
            {"name_in_index_after", is_listed(request)},
            {"events", events_of(env)}};
}

static json attach_mismatch(const json &request) {
    const Spec second_spec = Spec::parse(json{{"adapter_id", string_of(request, "second_adapter_id")}}.dump());
    const Options options = registry_of(request);
    const Environment first = Environment::create_or_attach(name_of(request), spec_of(request, "first_spec"), options);
    const Environment second = Environment::create_or_attach(name_of(request), second_spec, options);
    json answer = attached(second);
    answer["events"] = events_of(first, second);
    return answer;
}

static json attach_expecting(const json &request) {
    Options options = registry_of(request);
    options.set_expected_adapter(string_of(request, "adapter_id"));
    return attached(Environment::attach(name_of(request), options));
}

static json login_status(const json &request) {
    const Environment env = attach(request);
    return {{"login", json::parse(env.login_status_json())}, {"events", events_of(env)}};
}

static json refresh_attached(const json &request) {
    Environment env = attach(request);
    refresh(env, request);
    return {{"path", env.path().native()}, {"files_present", files_in(env.path())}, {"events", events_of(env)}};
}

static json refresh_destroyed(const json &request) {
    Environment env = create(request);
    env.destroy();
    refresh(env, request);
    return {{"events", events_of(env)}};
}

static json destroy_attached(const json &request) {
    Environment env = attach(request);
    env.destroy();
    env.destroy();
    return {{"path", env.path().native()},
            {"path_exists_after", fs::exists(env.path())},
            {"name_in_index_after", is_listed(request)},
            {"events", events_of(env)}};
}

static json destroy_by_name(const json &request) {
    Options options = registry_of(request);
    if (request.contains("lock_timeout_ms")) {
        const json timeout = request["lock_timeout_ms"];
        if (!timeout.is_number_integer()) {
            throw NoRequest{"lock_timeout_ms is no integer"};
        }
        options.set_lock_timeout(std::chrono::milliseconds(timeout.get<std::int64_t>()));
    }
    Environment::destroy_by_name(name_of(request), options);
    return {{"name_in_index_after", is_listed(request)}};
}

static json repair(const json &request) { return {{"report", json::parse(avenv::repair(registry_of(request)))}}; }

static json reap(const json &request) {
    Options options = registry_of(request);
    options.set_ephemeral_root(string_of(request, "ephemeral_root"));
    return {{"report", json::parse(avenv::reap(options))}};
}

static json ensure_available(const json &request) {
    const json definition = {{"id", string_of(request, "adapter_id")}, {"program", string_of(request, "cli_bin")}};
    avenv::adapter_ensure_available(definition.dump());
    return json::object();
}

static const std::map<std::string, json (*)(const json &)> operations = {
    {"ephemeral_lifecycle", ephemeral_lifecycle},
    {"persistent_create_attach_idempotent", create_attach_idempotent},
    {"persistent_attach_only", attach_only},
    {"persistent_attach_missing", attach_only},
    {"persistent_list", list},
    {"persistent_destroy_by_name", destroy_created},
    {"persistent_attach_mismatch", attach_mismatch},
    {"x_attach", attach_expecting},
    {"x_login_status", login_status},
    {"x_refresh", refresh_attached},
    {"x_refresh_destroyed", refresh_destroyed},
    {"x_destroy", destroy_attached},
    {"x_destroy_by_name", destroy_by_name},
    {"x_repair", repair},
    {"x_reap", reap},
    {"x_ensure_available", ensure_available},
};

/* ---- the protocol ---- */

static json carry_out(const json &request) {
    const auto operation = operations.find(string_of(request, "op"));
    if (operation == operations.end()) {
        throw NoRequest{"unknown op"};
    }
    return operation->second(request);
}

static json answer_to(const std::string &line) {
    json answer = {{"case_id", ""}, {"ok", true}, {"events", json::array()}};
    try {
        const json request = json::parse(line, nullptr, false);
        if (!request.is_object()) {
            throw NoRequest{"the line is no JSON object"};
        }
        if (const json case_id = field_of(request, "case_id"); case_id.is_string()) {
            answer["case_id"] = case_id;
        }
        answer.update(carry_out(request));
    } catch (const NoRequest &failure) {
        answer["ok"] = false;
        answer["error"] = {{"kind", "InternalInvariantViolation"}, {"message", failure.message}};
    } catch (const avenv::Error &error) {
        answer["error"] = {{"kind", error.kind()},
                           {"message", error.message()},
                           {"payload", json::parse(error.payload_json())},
                           {"events", json::parse(error.events_json())}};
    }
    return answer;
}

static void say(const json &value) { std::cout << value.dump() << std::endl; }

int main() {
    const json capabilities = json::parse(avenv::capabilities_json());
    say({{"protocol", "agent-venv.conformance"},
         {"version", 2},
         {"language", capabilities["language"]},
         {"package_version", capabilities["package_version"]},
         {"spec_version", capabilities["spec_version"]}});
    for (std::string line; std::getline(std::cin, line);) {
        say(answer_to(line));
    }
}
