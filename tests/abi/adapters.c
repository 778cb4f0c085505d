/* Adapters: the built-in ones and a caller's own, laid under a spec; their command lines and programs. */
#include "reasons.h"
#include "support.h"

/* A caller's own adapter can do what the built-in ones do. */
static const char *const own_adapter =
    "{'id':'mine','program':'sh','prefix':'mine-','env':{'MINE_HOME':'$EPHEMERAL_HOME/.mine'},"
    "'env_unset':['MINE_TOKEN'],'seed_files':{'.mine/settings':'seed'},"
    "'login':[{'profile':'.mine/login','host':[{'file':'~/.mine/old'},{'file':'~/.mine/login'}]}],"
    "'argv':['{program}','--model','{model}',['--effort','{reasoning_effort}'],'{extra_argv}']}";

static avenv_environment *create_for(const char *adapter, const char *options_json) {
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    avenv_environment *env = NULL;
    OK(avenv_spec_for_adapter(json(adapter), options_json == NULL ? NULL : json(options_json), &spec, &error));
    OK(avenv_environment_create_ephemeral(spec, NULL, &env, &error));
    avenv_spec_free(spec);
    return env;
}

static void make_logins(void) {
    CHECK_INT(mkdir("home/.claude", 0700), 0);
    CHECK_INT(mkdir("home/.codex", 0700), 0);
    CHECK_INT(mkdir("home/.mine", 0700), 0);
    write_file("home/.claude/.credentials.json", "[\"claude\"]");
    write_file("home/.codex/auth.json", "[\"codex\"]");
    write_file("home/.mine/login", "mine");
}

TEST(claude_code_gets_its_login_its_settings_and_its_variable) {
    avenv_environment *env;
    make_logins();
    env = create_for("claude-code", NULL);
    CHECK_STR(avenv_environment_adapter_id(env), "claude-code");
    CHECK_JSON(avenv_environment_env_overrides_json(env),
              fmt("{'CLAUDE_CONFIG_DIR':'%s'}", avenv_environment_path(env)));
    CHECK(strncmp(strrchr(avenv_environment_path(env), '/'), "/agent-venv-claude-", 19) == 0);
    CONTENT(in_profile(env, ".credentials.json"), "[\"claude\"]");
    CHECK_INT(mode_of(in_profile(env, ".credentials.json")), 0600);
    CONTENT(in_profile(env, ".claude.json"), json("{'hasCompletedOnboarding': true}"));
    CHECK_INT(entries(avenv_environment_path(env)), 2);
    destroy_and_free(env);
}

TEST(codex_gets_its_login_and_its_variable) {
    avenv_environment *env;
    make_logins();
    env = create_for("codex", NULL);
    CHECK_STR(avenv_environment_adapter_id(env), "codex");
    CHECK_JSON(avenv_environment_env_overrides_json(env), fmt("{'CODEX_HOME':'%s'}", avenv_environment_path(env)));
    CHECK(strncmp(strrchr(avenv_environment_path(env), '/'), "/agent-venv-codex-", 18) == 0);
    CONTENT(in_profile(env, "auth.json"), "[\"codex\"]");
    CHECK_INT(mode_of(in_profile(env, "auth.json")), 0600);
    CHECK_INT(entries(avenv_environment_path(env)), 1);
    destroy_and_free(env);
}

TEST(an_adapter_of_the_callers_own_can_do_the_same) {
    avenv_environment *env;
    make_logins();
    env = create_for(own_adapter, NULL);
    CHECK_STR(avenv_environment_adapter_id(env), "mine");
    CHECK_JSON(avenv_environment_env_overrides_json(env),
              fmt("{'MINE_HOME':'%s/.mine'}", avenv_environment_path(env)));
    CHECK_JSON(avenv_environment_env_unset_json(env), "['MINE_TOKEN']");
    CHECK(strncmp(strrchr(avenv_environment_path(env), '/'), "/mine-", 6) == 0);
    CONTENT(in_profile(env, ".mine/settings"), "seed");
    CONTENT(in_profile(env, ".mine/login"), "mine");
    destroy_and_free(env);
}

TEST(without_load_credentials_no_login_is_read_or_wanted) {
    static const char *const adapters[] = {"claude-code", "codex"};
    size_t i;
    for (i = 0; i < COUNT(adapters); i++) {
        avenv_environment *env = create_for(adapters[i], "{'load_credentials':false}");
        check_row = adapters[i];
        CHECK_INT(entries(avenv_environment_path(env)), i == 0);
        destroy_and_free(env);
    }
}

TEST(a_specs_own_fields_are_laid_over_the_adapters) {
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    avenv_environment *env = NULL;
    make_logins();
    OK(avenv_spec_for_adapter(json(own_adapter), NULL, &spec, &error));
    OK(avenv_spec_set_env(spec, "MINE_HOME", "elsewhere", &error));
    OK(avenv_spec_set_env(spec, "MINE_TOKEN", "wanted after all", &error));
    OK(avenv_spec_add_seed_file(spec, ".mine/settings", "own", 3, 0640, &error));
    OK(avenv_spec_add_seed_file(spec, "AGENTS.md", "added", 5, 0, &error));
    OK(avenv_spec_add_credential(spec, ".mine/login", "own login", 9, &error));
    OK(avenv_environment_create_ephemeral(spec, NULL, &env, &error));
    avenv_spec_free(spec);
    CHECK_JSON(avenv_environment_env_overrides_json(env), "{'MINE_HOME':'elsewhere','MINE_TOKEN':'wanted after all'}");
    CHECK_JSON(avenv_environment_env_unset_json(env), "[]");
    CONTENT(in_profile(env, ".mine/settings"), "own");
    CHECK_INT(mode_of(in_profile(env, ".mine/settings")), 0640);
    CONTENT(in_profile(env, "AGENTS.md"), "added");
    CONTENT(in_profile(env, ".mine/login"), "own login");
    destroy_and_free(env);
}

TEST(the_built_in_definitions_are_ones_a_caller_could_give) {
    const char *all = avenv_adapters_json();
    CHECK_INT(*all, '[');
    CONTAINS(all, "'claude-code'");
    CONTAINS(all, "'codex'");
    CONTAINS(all, "'CLAUDE_CONFIG_DIR'");
    CONTAINS(all, "'CODEX_HOME'");
}

static void check_argv(const char *adapter, const char *options_json, const char *expected) {
    avenv_error *error = NULL;
    char *argv = NULL;
    check_row = options_json;
    OK(avenv_adapter_argv_json(json(adapter), json(options_json), &argv, &error));
    CHECK_JSON(argv, expected);
    avenv_string_free(argv);
}

TEST(command_lines_are_the_contracts) {
    check_argv("claude-code", "{'model':'m'}",
               "['claude','--print','--model','m','--output-format','stream-json','--verbose',"
               "'--dangerously-skip-permissions']");
    check_argv("claude-code", "{'model':'m','reasoning_effort':'high','extra_argv':['--a','b c']}",
               "['claude','--print','--model','m','--output-format','stream-json','--verbose',"
               "'--dangerously-skip-permissions','--effort','high','--a','b c']");
    check_argv("codex", "{'model':'m'}",
               "['codex','exec','--model','m','--json','--skip-git-repo-check',"
               "'--dangerously-bypass-approvals-and-sandbox']");
    check_argv("codex", "{'model':'m','reasoning_effort':'a\\'b','workspace':'/w','extra_argv':['-x']}",
               "['codex','exec','--model','m','--cd','/w','--json','--skip-git-repo-check',"
               "'--dangerously-bypass-approvals-and-sandbox','-c','model_reasoning_effort=\\'a\\\\\\'b\\'','-x']");
    check_argv(own_adapter, "{'model':'m'}", "['sh','--model','m']");
}

#define NOT_JSON "is not valid JSON (line 1, column 1)"

TEST(what_is_wrong_with_an_adapter_or_its_options_is_named) {
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    char *argv = NULL;
    static const char model[] = "{\"model\":\"m\"}";
    REFUSED(avenv_spec_for_adapter("nobody", NULL, &spec, &error), "adapter", NO_ADAPTER);
    REFUSED(avenv_spec_for_adapter("{", NULL, &spec, &error), "adapter", NOT_JSON);
    REFUSED(avenv_spec_for_adapter("{}", NULL, &spec, &error), "adapter.id", "is missing");
    REFUSED(avenv_spec_for_adapter("codex", "{", &spec, &error), "options", NOT_JSON);
    REFUSED(avenv_spec_for_adapter("codex", "[]", &spec, &error), "options", "must be an object, not a list");
    REFUSED(avenv_spec_for_adapter("codex", json("{'model':1}"), &spec, &error), "options.model",
            "must be a string, not a number");
    REFUSED(avenv_adapter_argv_json("codex", NULL, &argv, &error), "options.model",
            "is missing: the command line needs it");
    REFUSED(avenv_adapter_argv_json("nobody", model, &argv, &error), "adapter", NO_ADAPTER);
    REFUSED(avenv_adapter_argv_json(json("{'id':'bare','program':'sh'}"), model, &argv, &error), "adapter.argv",
            "adapter 'bare' has no command line template");
    REFUSED(avenv_adapter_ensure_available("nobody", &error), "adapter", NO_ADAPTER);
}

TEST(a_program_is_looked_up_on_path_and_only_on_demand) {
    avenv_error *error = NULL;
    OK(avenv_adapter_ensure_available(json(own_adapter), &error));
    CHECK_INT(mkdir("bin", 0700), 0);
    CHECK_INT(setenv("PATH", fmt("%s/../bin", getenv("HOME")), 1), 0);
    FAILS(avenv_adapter_ensure_available("codex", &error), AVENV_ADAPTER_UNAVAILABLE,
          "{'adapter_id':'codex','cli_bin':'codex'}");
    destroy_and_free(create_for("codex", "{'load_credentials':false}"));

    write_file("bin/codex", ""); /* there, and not executable */
    FAILS(avenv_adapter_ensure_available("codex", &error), AVENV_ADAPTER_UNAVAILABLE,
          "{'adapter_id':'codex','cli_bin':'codex'}");
    CHECK_INT(chmod("bin/codex", 0700), 0);
    OK(avenv_adapter_ensure_available("codex", &error));
}

static const struct test tests[] = {
    RUN(claude_code_gets_its_login_its_settings_and_its_variable),
    RUN(codex_gets_its_login_and_its_variable),
    RUN(an_adapter_of_the_callers_own_can_do_the_same),
    RUN(without_load_credentials_no_login_is_read_or_wanted),
    RUN(a_specs_own_fields_are_laid_over_the_adapters),
    RUN(the_built_in_definitions_are_ones_a_caller_could_give),
    RUN(command_lines_are_the_contracts),
    RUN(what_is_wrong_with_an_adapter_or_its_options_is_named),
    RUN(a_program_is_looked_up_on_path_and_only_on_demand),
};
MAIN(tests)
