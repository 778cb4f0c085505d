/* How a login lives, and adapters of one's own: each thing passes through. */
#include "support.hpp"

static fs::path home() { return getenv("HOME"); }

static std::string login(const std::string &mark, const std::string &expires) {
    return R"({"claudeAiOauth":{"accessToken":"fake-)" + mark + R"(","expiresAt":)" + expires + "}}";
}

static std::string status(const Environment &env) {
    const std::string json = env.login_status_json();
    CHECK(json == *env.try_login_status_json() && !contains(json, "fake"));
    return avenv::detail::json_strings(json)[1];
}

static Options forced() { return std::move(Options().set_force(true)); }

TEST(the_status_follows_host_and_profile_until_one_is_forced_on_the_other) {
    const fs::path host = home() / ".claude/.credentials.json";
    write_file(host, login("host", "4102444800000"));
    Environment env = Environment::ephemeral(Spec::for_adapter("claude-code"));
    CHECK(env.login_status_json() ==
          R"({"status":"same","expires_at":"2100-01-01T00:00:00Z","files":[{"path":".credentials.json","status":"same",)"
          R"("in_profile":true,"on_host":true,"expires_at":"2100-01-01T00:00:00Z",)"
          R"("host_expires_at":"2100-01-01T00:00:00Z"}]})");
    write_file(host, login("host again", "4102444900000"));
    CHECK(status(env) == "host_newer");
    env.refresh_credentials();
    write_file(env.path() / ".credentials.json", login("agent", "4102445000000"));
    CHECK(status(env) == "profile_newer");
    const std::string conflict = told(env.try_refresh_credentials());
    CHECK(contains(conflict, R"(CredentialsConflict {"adapter_id":"claude-code")"));
    FAILS(env., refresh_credentials(), conflict);
    CHECK(contains(content(env.path() / ".credentials.json"), "fake-agent"));
    env.refresh_credentials(forced());
    CHECK(contains(content(env.path() / ".credentials.json"), "fake-host again"));
    fs::remove(env.path() / ".credentials.json");
    CHECK(status(env) == "none");
    env.destroy();
    FAILS(env., login_status_json(), told(env.try_login_status_json()));
}

TEST(a_token_is_handed_to_the_child_and_kept_nowhere) {
    CHECK_INT(setenv("MY_TOKEN", "fake-token", 1), 0);
    (void)Environment::create_or_attach(
        "n", Spec::for_adapter("claude-code", R"({"login":"token","token_env":"MY_TOKEN"})"));
    const Environment env = Environment::attach("n");
    CHECK(status(env) == "token" && env.env_overrides().at("CLAUDE_CODE_OAUTH_TOKEN") == "fake-token");
    static const char *const base[] = {"CLAUDE_CODE_OAUTH_TOKEN=other", "ANTHROPIC_API_KEY=other", "KEPT=1", nullptr};
    const avenv::Envp envp = env.envp(base);
    CHECK_STR(envp.data()[0], "KEPT=1");
    CHECK_STR(envp.data()[1], "CLAUDE_CODE_OAUTH_TOKEN=fake-token");
    CHECK(contains(envp.data()[2], "CLAUDE_CONFIG_DIR=") && envp.data()[3] == nullptr);
    for (const auto &entry : fs::recursive_directory_iterator(avenv::registry_root())) {
        CHECK(!entry.is_regular_file() || !contains(content(entry.path()), "fake-token"));
    }
    write_file(home() / "token", "fake-token\n");
    fs::permissions(home() / "token", fs::perms::owner_read);
    const Spec codex = Spec::for_adapter("codex", R"({"login":"token","token_file":"~/token"})");
    CHECK(Environment::ephemeral(codex).env_overrides().at("CODEX_API_KEY") == "fake-token");
}

TEST(a_login_is_shared) {
    write_file(home() / ".codex/auth.json", "{}");
    const Environment env = Environment::ephemeral(Spec::for_adapter("codex", R"({"login":"share"})"));
    CHECK(fs::read_symlink(env.path() / "auth.json") == fs::canonical(home()) / ".codex/auth.json");
    CHECK(status(env) == "shared");
}

TEST(strict_isolation_reaches_the_child) {
    const Environment env =
        Environment::ephemeral(Spec::for_adapter("claude-code", R"({"login":"none","isolation":"strict"})"));
    static const char *const base[] = {"ANTHROPIC_BASE_URL=x", "XDG_CACHE_HOME=/host", "KEPT=1", nullptr};
    const avenv::Envp envp = env.envp(base);
    CHECK_STR(envp.data()[0], "KEPT=1");
    CHECK(contains(envp.data()[1], "ANTHROPIC_CONFIG_DIR=" + env.path().native()));
    CHECK(env.env_overrides().at("XDG_CACHE_HOME") == (env.path() / "cache").native());
}

TEST(directories_are_trusted) {
    const Environment env =
        Environment::ephemeral(Spec::for_adapter("codex", R"({"login":"none","trusted_directories":["/no/such"]})"));
    CHECK(contains(content(env.path() / "config.toml"), R"([projects."/no/such"])"));
}

TEST(an_adapter_of_ones_own_is_found_by_its_id_and_read_from_json) {
    const std::string document = R"({"id":"mine","program":"my-agent","env":{"MINE_HOME":"$EPHEMERAL_HOME"},)"
                                 R"("login":[{"profile":"auth","host":[{"file":"~/.mine"}]}]})";
    FAILS(avenv::, adapter_definition_json("mine"), told(Spec::try_for_adapter("mine")));
    write_file(home() / ".mine", "fake");
    write_file(home() / ".config/agent-venv/adapters/mine.json", document);
    for (const std::string &adapter : {std::string("mine"), document}) {
        CHECK(contains(avenv::adapter_definition_json(adapter), R"("program":"my-agent")"));
        const Environment env = Environment::ephemeral(Spec::for_adapter(adapter));
        CHECK(env.adapter_id() == "mine" && content(env.path() / "auth") == "fake" && status(env) == "same");
    }
    CHECK_INT(setenv("XDG_CONFIG_HOME", (home() / "config").c_str(), 1), 0);
    CHECK(contains(told(avenv::try_adapter_definition_json("mine")), R"(InvalidEnvironmentSpec {"field":"adapter")"));
    FAILS(Spec::, for_adapter(document, R"({"login":"share"})"),
          refusal("options.login",
                  R"(is \"share\", and adapter \"mine\" does not say how its login can be shared; use \"copy\" or \"none\")"));
}

static const struct test tests[] = {
    RUN(the_status_follows_host_and_profile_until_one_is_forced_on_the_other),
    RUN(a_token_is_handed_to_the_child_and_kept_nowhere),
    RUN(a_login_is_shared),
    RUN(strict_isolation_reaches_the_child),
    RUN(directories_are_trusted),
    RUN(an_adapter_of_ones_own_is_found_by_its_id_and_read_from_json),
};
MAIN(tests)
