/* Logins that are not copied: shared, or by a token; what else an adapter's options and document do. */
#include "logins.h"

static const char *const own =
    "{'id':'mine','program':'mine','env':{'MINE_HOME':'$EPHEMERAL_HOME/d'},"
    "'login':[{'profile':'d/a','optional':true,'host':[{'file':'a','directory':'~/.mine','variables':['MINE_HOME']}]},"
    "{'profile':'d/b','optional':true,'host':[{'file':'~/.mine/b'}]}],'share':{'refused':'it writes by rename'}}";

TEST(a_token_is_handed_over_at_each_attach_and_written_nowhere) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL, *again = NULL;
    make_host();
    CHECK_INT(setenv("MY_TOKEN", "fake-token-1", 1), 0);
    env = create_named("n", "{'adapter':'claude-code','options':{'login':'token','token_env':'MY_TOKEN'}}");
    CONTAINS(avenv_environment_env_overrides_json(env), "'CLAUDE_CODE_OAUTH_TOKEN':'fake-token-1'");
    CHECK(strstr(avenv_environment_env_unset_json(env), "CLAUDE_CODE_OAUTH_TOKEN\"") == NULL);
    CONTAINS(avenv_environment_env_unset_json(env), "'ANTHROPIC_API_KEY'");
    CHECK(!exists(in_profile(env, ".credentials.json")));
    CHECK_INT(system("! grep -r fake-token home/.local"), 0);
    STATUS(env, "token");

    CHECK_INT(setenv("MY_TOKEN", "fake-token-2", 1), 0);
    OK(avenv_environment_attach("n", NULL, &again, &error));
    CONTAINS(avenv_environment_env_overrides_json(again), "'CLAUDE_CODE_OAUTH_TOKEN':'fake-token-2'");
    CONTAINS(avenv_environment_env_overrides_json(env), "'CLAUDE_CODE_OAUTH_TOKEN':'fake-token-1'");
    REFUSED(avenv_environment_refresh_credentials(again, NULL, NULL, &error), "spec",
            "is needed: the agent gets its login by a variable, which is read at each attach; attach again");
    CHECK_INT(system("! grep -r fake-token home/.local"), 0);

    /* A login that the agent made for itself is reported. */
    write_file(in_profile(env, ".credentials.json"), claude_login("agent", 1));
    CONTAINS(status_of(again), "'path':'.credentials.json','status':'host_newer','in_profile':true");
    avenv_environment_free(again);

    CHECK_INT(unsetenv("MY_TOKEN"), 0);
    CHECK_INT(avenv_environment_attach("n", NULL, &again, &error), AVENV_CREDENTIALS_MISSING);
    CHECK(strstr(avenv_error_message(error), "the variable is not set") != NULL);
    CHECK_JSON(avenv_error_payload_json(error), "{'adapter_id':'claude-code','looked_at':['$MY_TOKEN']}");
    avenv_error_free(error);
    destroy_and_free(env);
}

TEST(a_token_comes_from_a_file_that_nobody_else_can_read) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_spec *spec = parse("{'adapter':'codex','options':{'login':'token','token_file':'~/token'}}");
    write_file("home/token", "fake-token\n");
    CHECK_INT(chmod("home/token", 0640), 0);
    CHECK_INT(avenv_environment_create_ephemeral(spec, NULL, &env, &error), AVENV_CREDENTIALS_MISSING);
    CHECK(strstr(avenv_error_message(error), "make it yours, and 0600") != NULL);
    avenv_error_free(error);
    CHECK_INT(chmod("home/token", 0600), 0);
    OK(avenv_environment_create_ephemeral(spec, NULL, &env, &error));
    CONTAINS(avenv_environment_env_overrides_json(env), "'CODEX_API_KEY':'fake-token',");
    avenv_spec_free(spec);
    destroy_and_free(env);
}

TEST(a_login_is_shared_by_the_agents_variable) {
    avenv_error *error = NULL;
    avenv_environment *env;
    make_host();
    env = create_named("n", "{'adapter':'claude-code','options':{'login':'share'}}");
    CONTAINS(avenv_environment_env_overrides_json(env), "'CLAUDE_SECURESTORAGE_CONFIG_DIR':''");
    CHECK(strstr(avenv_environment_env_unset_json(env), "CLAUDE_SECURESTORAGE_CONFIG_DIR") == NULL);
    CHECK(!exists(in_profile(env, ".credentials.json")));
    STATUS(env, "shared','expires_at':'2100-01-01T00:00:00Z");
    REFRESH(env, false, AVENV_OK);
    CHECK(!exists(in_profile(env, ".credentials.json")));
    destroy_and_free(env);
    CONTENT(claude, claude_login("host", 4102444800000));

    /* The host's own directory is elsewhere. */
    CHECK_INT(mkdir("home/elsewhere", 0700), 0);
    CHECK_INT(setenv("CLAUDE_CONFIG_DIR", fmt("%s/elsewhere", getenv("HOME")), 1), 0);
    {
        avenv_spec *spec = parse("{'adapter':'claude-code','options':{'login':'share'}}");
        CHECK_INT(avenv_environment_create_ephemeral(spec, NULL, &env, &error), AVENV_CREDENTIALS_MISSING);
        CHECK(strstr(avenv_error_message(error), "elsewhere/.credentials.json") != NULL);
        avenv_error_free(error);
        error = NULL;
        write_file("home/elsewhere/.credentials.json", claude_login("elsewhere", 1));
        OK(avenv_environment_create_ephemeral(spec, NULL, &env, &error));
        CONTAINS(avenv_environment_env_overrides_json(env),
                 fmt("'CLAUDE_SECURESTORAGE_CONFIG_DIR':'%s/elsewhere'", getenv("HOME")));
        avenv_spec_free(spec);
    }
    destroy_and_free(env);
}

TEST(a_login_is_shared_by_a_link) {
    avenv_environment *env;
    char target[4096] = {0};
    make_host();
    env = create_named("n", "{'adapter':'codex','options':{'login':'share'}}");
    CHECK(readlink(in_profile(env, "auth.json"), target, sizeof target - 1) > 0);
    CHECK_STR(target, fmt("%s/.codex/auth.json", getenv("HOME")));
    STATUS(env, "shared");
    write_file(in_profile(env, "auth.json"), api_key("renewed")); /* as the agent does, through the link */
    CONTENT(codex, api_key("renewed"));
    STATUS(env, "shared");
    REFRESH(env, false, AVENV_OK);
    CONTENT(codex, api_key("renewed"));

    CHECK_INT(unlink(in_profile(env, "auth.json")), 0); /* as its logout does */
    STATUS(env, "none");
    REFRESH(env, false, AVENV_OK);
    STATUS(env, "shared");

    CHECK_INT(unlink(in_profile(env, "auth.json")), 0);
    write_file(in_profile(env, "auth.json"), api_key("its own"));
    REFRESH(env, false, AVENV_CREDENTIALS_CONFLICT);
    CONTENT(in_profile(env, "auth.json"), api_key("its own"));
    REFRESH(env, true, AVENV_OK);
    STATUS(env, "shared");
    destroy_and_free(env);
    CONTENT(codex, api_key("renewed"));
}

TEST(strict_isolation_sets_and_unsets_more) {
    avenv_error *error = NULL;
    avenv_environment *env = create("{'adapter':'claude-code','options':{'login':'none','isolation':'strict'}}");
    const char *base[] = {"ANTHROPIC_BASE_URL=x", "KEPT=1", "ANTHROPIC_API_KEY=y", "XDG_CACHE_HOME=z", NULL};
    char **envp = NULL;
    CONTAINS(avenv_environment_env_overrides_json(env),
             fmt("'ANTHROPIC_CONFIG_DIR':'%s/", avenv_environment_path(env)));
    CHECK(strstr(avenv_environment_env_unset_json(env), "\"ANTHROPIC_CONFIG_DIR\"") == NULL);
    CONTAINS(avenv_environment_env_unset_json(env), "'ANTHROPIC_BASE_URL'");
    OK(avenv_environment_envp(env, base, &envp, &error));
    CHECK_STR(envp[0], "KEPT=1");
    CHECK(strncmp(envp[1], "ANTHROPIC_CONFIG_DIR=/", 22) == 0);
    avenv_envp_free(envp);
    destroy_and_free(env);
    env = create("{'adapter':'claude-code','options':{'login':'none'}}");
    CHECK_JSON(avenv_environment_env_overrides_json(env),
               fmt("{'CLAUDE_CONFIG_DIR':'%s'}", avenv_environment_path(env)));
    CHECK(strstr(avenv_environment_env_unset_json(env), "ANTHROPIC_BASE_URL") == NULL);
    destroy_and_free(env);
}

TEST(directories_are_trusted_in_the_agents_own_format) {
    avenv_environment *env;
    const char *here = fmt("%s/work", getenv("HOME"));
    CHECK_INT(mkdir("home/work", 0700), 0);
    CHECK_INT(symlink("work", "home/alias"), 0);
    /* By the path that the agent sees when it is started there. */
    env = create(fmt("{'adapter':'claude-code','options':{'login':'none','trusted_directories':['%s/alias']}}",
                     getenv("HOME")));
    CONTENT(in_profile(env, ".claude.json"),
            json(fmt("{\n  'hasCompletedOnboarding': true,\n  'projects': {\n    '%s': {\n"
                     "      'hasTrustDialogAccepted': true\n    }\n  }\n}",
                     here)));
    destroy_and_free(env);
    env = create(fmt("{'adapter':'codex','seed_files':{'config.toml':'model = 1'},"
                     "'options':{'login':'none','trusted_directories':['%s','/no/such']}}",
                     here));
    CONTENT(in_profile(env, "config.toml"),
            json(fmt("model = 1\n[projects.'%s']\ntrust_level = 'trusted'\n[projects.'/no/such']\n"
                     "trust_level = 'trusted'\n",
                     here)));
    destroy_and_free(env);
}

TEST(a_users_own_document_is_found_by_its_id) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_spec *spec = NULL;
    char *definition = NULL;
    CHECK_INT(system("mkdir -p home/.config/agent-venv/adapters home/.mine config/agent-venv/adapters"), 0);
    write_file("home/.config/agent-venv/adapters/mine.json", json(own));
    OK(avenv_adapter_definition_json("mine", &definition, &error));
    CONTAINS(definition, "'program':'mine'");
    avenv_string_free(definition);
    OK(avenv_spec_for_adapter("mine", NULL, &spec, &error));
    CHECK_INT(avenv_environment_create_ephemeral(spec, NULL, &env, &error), AVENV_CREDENTIALS_MISSING);
    CHECK_JSON(avenv_error_payload_json(error), fmt("{'adapter_id':'mine','looked_at':['%s/.mine/a','%s/.mine/b']}",
                                                    getenv("HOME"), getenv("HOME")));
    avenv_error_free(error);
    write_file("home/.mine/b", "fake-b"); /* one of two optional ones is enough */
    OK(avenv_environment_create_ephemeral(spec, NULL, &env, &error));
    CONTENT(in_profile(env, "d/b"), "fake-b");
    CHECK(!exists(in_profile(env, "d/a")));
    STATUS(env, "same");
    write_file("home/.mine/a", "fake-a");
    STATUS(env, "host_newer");
    REFRESH(env, false, AVENV_OK);
    CONTENT(in_profile(env, "d/a"), "fake-a");
    destroy_and_free(env);
    avenv_spec_free(spec);

    CHECK_INT(setenv("XDG_CONFIG_HOME", fmt("%s/../config", getenv("HOME")), 1), 0);
    CHECK_INT(avenv_spec_for_adapter("mine", NULL, &spec, &error), AVENV_INVALID_ENVIRONMENT_SPEC);
    CHECK(strstr(avenv_error_message(error), "there is no agent-venv/adapters/mine.json") != NULL);
    avenv_error_free(error);
    write_file("config/agent-venv/adapters/other.json", json(own));
    CHECK_INT(avenv_spec_for_adapter("other", NULL, &spec, &error), AVENV_INVALID_ENVIRONMENT_SPEC);
    CHECK(strstr(avenv_error_message(error), "is named by its id") != NULL);
    avenv_error_free(error);
    write_file("config/agent-venv/adapters/torn.json", "{\"id\":\"torn\",\"program\":7}");
    CHECK_INT(avenv_spec_for_adapter("torn", NULL, &spec, &error), AVENV_INVALID_ENVIRONMENT_SPEC);
    CHECK(strstr(avenv_error_message(error), "adapter.program: must be a string, not a number (in ") != NULL);
    avenv_error_free(error);
}

TEST(a_shared_login_that_is_gone_is_none) {
    avenv_environment *by_link, *by_variable;
    make_host();
    by_link = create("{'adapter':'codex','options':{'login':'share'}}");
    by_variable = create("{'adapter':'claude-code','options':{'login':'share'}}");
    CHECK_INT(unlink(codex), 0);
    CHECK_INT(unlink(claude), 0);
    STATUS(by_link, "none");
    STATUS(by_variable, "none");
    REFRESH(by_link, false, AVENV_CREDENTIALS_MISSING);
    REFRESH(by_variable, false, AVENV_CREDENTIALS_MISSING);
    destroy_and_free(by_link);
    destroy_and_free(by_variable);
}

TEST(what_a_login_can_not_be_is_refused) {
    static const struct {
        const char *options, *field, *reason;
    } refused[] = {
        {"{'login':'steal'}", "options.login", "must be one of 'copy', 'none', 'token', 'share'"},
        {"{'isolation':'total'}", "options.isolation", "must be one of 'standard', 'strict'"},
        {"{'login':'copy','load_credentials':false}", "options.login",
         "is 'copy' while load_credentials is false: give one of the two"},
        {"{'login':'share'}", "options.login",
         "is 'share', which adapter 'mine' cannot: it writes by rename; use 'copy' or 'none'"},
        {"{'login':'token'}", "options.login",
         "is 'token', and adapter 'mine' takes no token by a variable; use 'copy' or 'none'"},
        {"{'login':'token','token_env':'A','token_file':'/b'}", "options.token_file",
         "is given beside token_env: give one of the two"},
        {"{'login':'token','token_env':'A=B'}", "options.token_env",
         "must name a variable: not empty, without = and NUL"},
        {"{'login':'token','token_file':'b'}", "options.token_file", "must begin with / or ~/"},
        {"{'token_file':'/b'}", "options.token_file",
         "is for login 'token' alone: set options.login to it, or leave this out"},
        {"{'trusted_directories':['/a','b']}", "options.trusted_directories[1]", "must be an absolute path"},
        {"{'trusted_directories':['/a\\n']}", "options.trusted_directories[0]", "holds a control character"},
    };
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    size_t i;
    for (i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        REFUSED(avenv_spec_for_adapter(json(own), json(refused[i].options), &spec, &error), refused[i].field,
                refused[i].reason);
    }
    REFUSED(avenv_spec_parse(json("{'adapter':'claude-code','seed_files':{'.claude.json':'[]'},"
                                  "'options':{'login':'none','trusted_directories':['/a']}}"),
                             &spec, &error),
            "seed_files['.claude.json']", "is no JSON object, so options.trusted_directories cannot be added");
    REFUSED(avenv_spec_parse(json("{'adapter':'codex','credentials':{'config.toml':'x'},"
                                  "'options':{'login':'none','trusted_directories':['/a']}}"),
                             &spec, &error),
            "credentials['config.toml']", "is where options.trusted_directories go: leave one of the two out");
    REFUSED(avenv_spec_parse(json("{'adapter':'codex','seed_files':{'config.toml':'projects = {\\'/no/a\\' = 1}'},"
                                  "'options':{'login':'none','trusted_directories':['/no/a']}}"),
                             &spec, &error),
            "seed_files['config.toml']",
            "names '/no/a' already: leave it out there, or out of options.trusted_directories");
}

static const struct test tests[] = {
    RUN(a_token_is_handed_over_at_each_attach_and_written_nowhere),
    RUN(a_token_comes_from_a_file_that_nobody_else_can_read),
    RUN(a_login_is_shared_by_the_agents_variable),
    RUN(a_login_is_shared_by_a_link),
    RUN(strict_isolation_sets_and_unsets_more),
    RUN(directories_are_trusted_in_the_agents_own_format),
    RUN(a_users_own_document_is_found_by_its_id),
    RUN(a_shared_login_that_is_gone_is_none),
    RUN(what_a_login_can_not_be_is_refused),
};
MAIN(tests)
