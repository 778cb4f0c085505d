/* Every operation does what the library does, in the C++ form. */
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <sys/file.h>

#include "support.hpp"

extern char **environ;

using Variables = std::map<std::string, std::string>;

static void log_in(const std::string &login) {
    write_file(fs::path(getenv("HOME")) / ".claude/.credentials.json", login);
}

static std::vector<std::string> kinds(const std::string &events_json) {
    const auto strings = avenv::detail::json_strings(events_json);
    std::vector<std::string> kinds;
    for (std::size_t i = 0; i + 1 < strings.size(); i++) {
        if (strings[i] == "kind") {
            kinds.push_back(strings[i + 1]);
        }
    }
    return kinds;
}

TEST(an_ephemeral_environment_of_an_adapter_holds_login_seeds_and_variables) {
    log_in(R"({"fake":1})");
    const Spec spec = std::move(Spec::for_adapter("claude-code").add_seed_file("CLAUDE.md", "Be brief.\n"));
    Environment env = Environment::ephemeral(spec);
    const fs::path path = env.path();
    CHECK(path.is_absolute() && env.kind() == "ephemeral" && !env.is_persistent() && !env.name());
    CHECK(env.adapter_id() == "claude-code");
    CHECK(env.env_overrides() == (Variables{{"CLAUDE_CONFIG_DIR", path.native()}}));
    const auto unset = env.env_unset();
    CHECK(std::find(unset.begin(), unset.end(), "ANTHROPIC_API_KEY") != unset.end());
    CHECK(content(path / ".credentials.json") == R"({"fake":1})" && content(path / "CLAUDE.md") == "Be brief.\n");

    env.destroy();
    env.destroy();
    CHECK(!fs::exists(path));
    CHECK(env.path() == path && env.env_overrides().count("CLAUDE_CONFIG_DIR") == 1);
    CHECK(kinds(env.events_json()) == (std::vector<std::string>{"env.created", "profile.materialized",
                                                                "credentials.copied", "env.destroyed"}));
}

TEST(a_persistent_environment_is_created_once_attached_listed_and_destroyed) {
    Environment created = Environment::create_or_attach("b", Spec().add_seed_file("seed", "first"));
    const Environment again = Environment::create_or_attach("b", Spec().add_seed_file("seed", "second"));
    const Environment attached = Environment::attach("b");
    CHECK(created.is_persistent() && created.kind() == "persistent" && created.name() == "b");
    CHECK(again.path() == created.path() && attached.path() == created.path());
    CHECK(content(created.path() / "seed") == "first");
    CHECK(kinds(created.events_json()).front() == "env.created");
    CHECK(kinds(again.events_json()).front() == "env.attached");

    (void)Environment::create_or_attach("a");
    CHECK(Environment::list() == (std::vector<std::string>{"a", "b"}));
    created.destroy();
    CHECK(!fs::exists(attached.path()));
    Environment::destroy_by_name("a");
    CHECK(Environment::list().empty());
}

TEST(options_say_where) {
    const fs::path here = fs::current_path();
    Options options;
    options.set_ephemeral_root(here / "ephemeral").set_registry_root(here / "registry").set_durable(true);
    const Environment ephemeral = Environment::ephemeral(Spec(), options);
    CHECK(ephemeral.path().parent_path().parent_path() == here / "ephemeral");
    CHECK(avenv::registry_root(options) == here / "registry");
    const Environment persistent = Environment::create_or_attach("name", Spec(), options);
    CHECK(persistent.path().native().rfind((here / "registry/envs").native(), 0) == 0);
    CHECK(Environment::list().empty() && Environment::list(options).size() == 1);
    CHECK(Environment::attach("name", options).path() == persistent.path());
    Environment::destroy_by_name("name", options);
    CHECK(Environment::list(options).empty());
    CHECK(avenv::registry_root() == fs::path(getenv("HOME")) / ".local/share/agent-venv/envs");
}

TEST(refreshing_reads_the_host_or_a_spec) {
    log_in("{}");
    Environment env = Environment::create_or_attach("name", Spec::for_adapter("claude-code"));
    const auto login = [&] { return content(env.path() / ".credentials.json"); };
    log_in(R"({"fake":2})");
    CHECK(login() == "{}");
    env.refresh_credentials();
    CHECK(login() == R"({"fake":2})");
    env.refresh_credentials(Spec().add_credential(".credentials.json", "own"));
    CHECK(login() == "own");
    Environment::attach("name").refresh_credentials(Options().set_durable(true));
    CHECK(login() == R"({"fake":2})");
    CHECK(kinds(env.events_json()).back() == "credentials.refreshed");
}

TEST(a_spawned_child_sees_the_profile_and_not_the_unset) {
    CHECK_INT(setenv("LEAK", "1", 1), 0);
    const Environment env = Environment::ephemeral(
        Spec::for_adapter(R"({"id":"mine","program":"sh","env":{"MINE":"$EPHEMERAL_HOME"},"env_unset":["LEAK"]})"));
    const avenv::Envp envp = env.envp();
    const char *const argv[] = {"sh", "-c", R"(echo "$MINE${LEAK-}" >"$MINE/seen")", nullptr};
    pid_t child = 0;
    CHECK_INT(posix_spawnp(&child, "sh", nullptr, nullptr, const_cast<char *const *>(argv), envp.data()), 0);
    check_child(child);
    CHECK(content(env.path() / "seen") == env.path().native() + "\n");
    CHECK_STR(getenv("LEAK"), "1");
}

TEST(a_base_of_the_callers_is_taken_instead_of_environ) {
    const Environment env = Environment::ephemeral(Spec().set_env("B", "mine"));
    static const char *const base[] = {"A=1", "B=2", nullptr};
    const avenv::Envp given = env.envp(base), own = env.envp(environ), inherited = env.envp();
    CHECK_STR(given.data()[0], "A=1");
    CHECK_STR(given.data()[1], "B=mine");
    CHECK(given.data()[2] == nullptr);
    std::size_t i = 0;
    for (; own.data()[i] != nullptr; i++) {
        CHECK_STR(own.data()[i], inherited.data()[i]);
    }
    CHECK(inherited.data()[i] == nullptr);
}

TEST(what_a_killed_process_left_is_reaped) {
    const pid_t child = fork();
    if (child == 0) {
        const Environment env = Environment::ephemeral();
        raise(SIGKILL);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_INT(environments_left(), 1);
    CHECK(contains(avenv::reap(Options().set_force(true)), R"("removed":[")"));
    CHECK_INT(environments_left(), 0);
}

TEST(a_damaged_registry_is_refused_and_repaired) {
    const fs::path path = Environment::create_or_attach("name").path();
    write_file(avenv::registry_root() / "index.json", "torn");
    CHECK_INT(Environment::try_list().error().status(), AVENV_REGISTRY_UNAVAILABLE);
    CHECK(contains(avenv::repair(), R"("restored":["name"])"));
    CHECK(Environment::attach("name").path() == path);
}

/* Pipes tell when the other process has the lock and may give it up: no time is waited for. */
TEST(a_lock_that_is_held_is_waited_for_no_longer_than_said) {
    (void)Environment::create_or_attach("name");
    int told_child[2], told_parent[2];
    char byte = '!';
    CHECK_INT(pipe(told_child), 0);
    CHECK_INT(pipe(told_parent), 0);
    const pid_t child = fork();
    if (child == 0) {
        const int lock = open((avenv::registry_root() / ".lock").c_str(), O_RDWR | O_CLOEXEC);
        CHECK(lock >= 0 && flock(lock, LOCK_EX) == 0);
        CHECK_INT(write(told_parent[1], &byte, 1), 1);
        CHECK_INT(read(told_child[0], &byte, 1), 1);
        exit(0);
    }
    CHECK_INT(read(told_parent[0], &byte, 1), 1);
    Options options;
    options.set_lock_timeout(std::chrono::milliseconds(0));
    const auto refused = Environment::try_destroy_by_name("name", options);
    CHECK_INT(refused.error().status(), AVENV_REGISTRY_UNAVAILABLE);
    CHECK_INT(write(told_child[1], &byte, 1), 1);
    check_child(child);
    Environment::destroy_by_name("name", Options().set_lock_timeout(std::chrono::milliseconds(-1)));
}

TEST(adapters_and_the_library_describe_themselves) {
    const std::vector<std::string> argv = avenv::adapter_argv("codex", R"({"model":"m","extra_argv":["--x","a b"]})");
    CHECK(argv.front() == "codex" && argv.back() == "a b" && std::count(argv.begin(), argv.end(), "m") == 1);
    CHECK(contains(avenv::adapters_json(), R"("id": "claude-code")"));
    CHECK(avenv::version() == avenv_version());
    CHECK_INT(avenv::abi_version(), AVENV_ABI_VERSION);
    CHECK(contains(avenv::capabilities_json(), R"("language":"cpp")"));
}

static const struct test tests[] = {
    RUN(an_ephemeral_environment_of_an_adapter_holds_login_seeds_and_variables),
    RUN(a_persistent_environment_is_created_once_attached_listed_and_destroyed),
    RUN(options_say_where),
    RUN(refreshing_reads_the_host_or_a_spec),
    RUN(a_spawned_child_sees_the_profile_and_not_the_unset),
    RUN(a_base_of_the_callers_is_taken_instead_of_environ),
    RUN(what_a_killed_process_left_is_reaped),
    RUN(a_damaged_registry_is_refused_and_repaired),
    RUN(a_lock_that_is_held_is_waited_for_no_longer_than_said),
    RUN(adapters_and_the_library_describe_themselves),
};
MAIN(tests)
