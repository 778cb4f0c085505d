/* Which login is newer, the profile's or the host's, and what a refresh may replace. */
#include "logins.h"

TEST(which_login_is_newer_is_told_by_when_it_ends) {
    avenv_environment *env;
    make_host();
    env = create_named("n", "{'adapter':'claude-code'}");
    STATUS(env, "same','expires_at':'2100-01-01T00:00:00Z");
    write_file(claude, claude_login("host again", 4102444900000));
    STATUS(env, "host_newer','expires_at':'2100-01-01T00:00:00Z");
    CONTAINS(status_of(env), "'host_expires_at':'2100-01-01T00:01:40Z'");
    REFRESH(env, false, AVENV_OK);
    STATUS(env, "same");

    write_file(in_profile(env, ".credentials.json"), claude_login("agent", 4102445000000));
    STATUS(env, "profile_newer");
    REFRESH(env, false, AVENV_CREDENTIALS_CONFLICT);
    CONTENT(in_profile(env, ".credentials.json"), claude_login("agent", 4102445000000));
    REFRESH(env, true, AVENV_OK);
    STATUS(env, "same");

    /* The host's is what it was: the agent logged in anew, by a login that ends earlier. */
    write_file(in_profile(env, ".credentials.json"), claude_login("agent, another account", 1));
    STATUS(env, "profile_newer");
    REFRESH(env, false, AVENV_CREDENTIALS_CONFLICT);

    /* The same end, and both were changed: nobody can tell. */
    write_file(in_profile(env, ".credentials.json"), claude_login("agent", 4102444900000));
    write_file(claude, claude_login("host anew", 4102444900000));
    STATUS(env, "diverged");
    REFRESH(env, false, AVENV_CREDENTIALS_CONFLICT);
    REFRESH(env, true, AVENV_OK);
    destroy_and_free(env);
}

TEST(where_no_end_is_told_what_is_no_longer_the_copy_is_newer) {
    int persistent;
    make_host();
    for (persistent = 0; persistent < 2; persistent++) {
        avenv_environment *env;
        write_file(codex, api_key("host"));
        env = persistent ? create_named("n", "{'adapter':'codex'}") : create("{'adapter':'codex'}");
        STATUS(env, "same");
        CONTAINS(status_of(env), "'status':'same','expires_at':null,");
        write_file(codex, api_key("host, later"));
        STATUS(env, "host_newer");
        REFRESH(env, false, AVENV_OK);
        write_file(in_profile(env, "auth.json"), api_key("agent"));
        STATUS(env, "profile_newer");
        REFRESH(env, false, AVENV_CREDENTIALS_CONFLICT);
        write_file(codex, api_key("host, even later"));
        STATUS(env, "diverged");
        REFRESH(env, false, AVENV_CREDENTIALS_CONFLICT);
        CONTENT(in_profile(env, "auth.json"), api_key("agent"));
        REFRESH(env, true, AVENV_OK);
        STATUS(env, "same");
        CHECK_INT(unlink(in_profile(env, "auth.json")), 0);
        STATUS(env, "none");
        REFRESH(env, false, AVENV_OK);
        CONTENT(in_profile(env, "auth.json"), api_key("host, even later"));
        CHECK_INT(unlink(codex), 0);
        STATUS(env, "profile_newer");
        REFRESH(env, false, AVENV_CREDENTIALS_MISSING);
        destroy_and_free(env);
    }
}

TEST(a_tokens_expiry_is_read_out_of_it) {
    avenv_environment *env;
    make_host();
    /* {"exp":4102444800} */
    write_file(codex, "{\"tokens\":{\"access_token\":\"e30.eyJleHAiOjQxMDI0NDQ4MDB9.x\"}}");
    env = create("{'adapter':'codex'}");
    STATUS(env, "same','expires_at':'2100-01-01T00:00:00Z");
    destroy_and_free(env);
}

TEST(without_an_adapter_or_a_login_there_is_none) {
    avenv_environment *env = create("{'credentials':{'auth.json':'{}'}}");
    CHECK_JSON(status_of(env), "{'status':'none','expires_at':null,'files':[]}");
    destroy_and_free(env);
    make_host();
    env = create("{'adapter':'codex','options':{'login':'none'}}");
    STATUS(env, "none");
    CHECK(!exists(in_profile(env, "auth.json")));
    destroy_and_free(env);
}

TEST(status_is_refused_after_destroy) {
    avenv_error *error = NULL;
    char *status = NULL;
    avenv_environment *env = create("{}");
    OK(avenv_environment_destroy(env, NULL, &error));
    CHECK_INT(avenv_environment_login_status_json(env, &status, &error), AVENV_INTERNAL_INVARIANT_VIOLATION);
    CHECK(status == NULL);
    avenv_error_free(error);
    avenv_environment_free(env);
}

TEST(of_a_file_with_settings_only_the_login_is_copied) {
    static const char *const adapter =
        "{'adapter':{'id':'mine','program':'mine','seed_files':{'.env':'seeded'},'login':["
        "{'profile':'s.json','host':[{'file':'~/s.json'}],'members':['/auth/token']},"
        "{'profile':'.env','optional':true,'host':[{'file':'~/.env'}]}]}}";
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_spec *spec = parse(adapter);
    write_file("home/s.json", "{\"theme\":\"dark\"}"); /* no login in it */
    CHECK_INT(avenv_environment_create_ephemeral(spec, NULL, &env, &error), AVENV_CREDENTIALS_MISSING);
    avenv_error_free(error);
    avenv_spec_free(spec);
    write_file("home/s.json", "{\"theme\":\"dark\",\"auth\":{\"token\":\"fake-1\",\"n\":1}}");
    env = create_named("n", adapter);
    CONTENT(in_profile(env, "s.json"), "{\n  \"auth\": {\n    \"token\": \"fake-1\"\n  }\n}");
    CONTENT(in_profile(env, ".env"), "seeded");
    write_file(in_profile(env, "s.json"), "{\"theme\":\"light\",\"auth\":{\"token\":\"fake-1\"}}");
    STATUS(env, "same");
    write_file("home/s.json", "{\"theme\":\"dark\",\"auth\":{\"token\":\"fake-2\"}}");
    write_file("home/.env", "fake-env");
    STATUS(env, "host_newer");
    REFRESH(env, false, AVENV_OK);
    CONTENT(in_profile(env, "s.json"),
            "{\n  \"auth\": {\n    \"token\": \"fake-2\"\n  },\n  \"theme\": \"light\"\n}");
    REFRESH(env, true, AVENV_OK);
    CONTENT(in_profile(env, ".env"), "fake-env");
    write_file(in_profile(env, "s.json"), "{\"auth\":{\"token\":\"fake-agent\"}}");
    STATUS(env, "profile_newer");
    REFRESH(env, false, AVENV_CREDENTIALS_CONFLICT);
    destroy_and_free(env);
}

TEST(settings_beside_a_login_are_never_lost_unasked) {
    static const char *const whole = "{\"auth\":{\"token\":\"fake-1\"},\"theme\":\"light\"}";
    avenv_environment *env;
    write_file("home/s.json", "// written by the agent\n{\"auth\":{\"token\":\"fake-1\"}} /* the end */");
    env = create_named("n", "{'adapter':{'id':'mine','program':'mine','login':["
                          "{'profile':'s.json','host':[{'file':'~/s.json'}],'members':['/auth/token']}]}}");
    write_file(in_profile(env, "s.json"), "{\"auth\":null,\"theme\":\"light\"}");
    STATUS(env, "none");
    REFRESH(env, false, AVENV_OK);
    STATUS(env, "same");
    CHECK_INT(system("grep -q light home/.local/share/agent-venv/envs/envs/?*/profile/s.json"), 0);

    write_file(in_profile(env, "s.json"), "{\"theme\":\"light\",}");
    STATUS(env, "diverged");
    REFRESH(env, false, AVENV_CREDENTIALS_CONFLICT);
    CONTENT(in_profile(env, "s.json"), "{\"theme\":\"light\",}");
    REFRESH(env, true, AVENV_OK);
    STATUS(env, "same");
    write_file(in_profile(env, "s.json"), "[1]");
    REFRESH(env, false, AVENV_CREDENTIALS_CONFLICT);
    CONTENT(in_profile(env, "s.json"), "[1]");
    write_file(in_profile(env, "s.json"), whole);
    CHECK_INT(truncate(in_profile(env, "s.json"), (1 << 20) + 1), 0);
    REFRESH(env, false, AVENV_CREDENTIALS_CONFLICT);
    destroy_and_free(env);
}

TEST(a_torn_login_of_nothing_else_is_replaced) {
    avenv_environment *env;
    make_host();
    env = create_named("n", "{'adapter':'codex'}");
    write_file(in_profile(env, "auth.json"), "{\"OPENAI_");
    STATUS(env, "diverged");
    REFRESH(env, false, AVENV_OK);
    STATUS(env, "same");
    destroy_and_free(env);
}

TEST(where_nobody_wrote_down_what_was_copied_the_files_times_tell) {
    static const struct timespec times[] = {{4102444800, 0}, {4102444800, 0}};
    avenv_environment *env;
    make_host();
    env = create("{'adapter':'codex','options':{'login':'none'}}");
    write_file(in_profile(env, "auth.json"), api_key("agent"));
    CHECK_INT(utimensat(AT_FDCWD, codex, times, 0), 0);
    STATUS(env, "host_newer");
    CHECK_INT(utimensat(AT_FDCWD, in_profile(env, "auth.json"), times, 0), 0);
    STATUS(env, "diverged");
    write_file(codex, "{torn");
    STATUS(env, "profile_newer"); /* nobody wanted the host's */
    destroy_and_free(env);
}

TEST(a_credential_of_the_callers_own_does_not_replace_what_ends_later) {
    avenv_environment *env = create(fmt("{'adapter':'claude-code','credentials':{'.credentials.json':'%s'}}",
                                        replaced(claude_login("own", 1000), "\\\"", "\\")));
    write_file(in_profile(env, ".credentials.json"), claude_login("renewed", 2000));
    REFRESH(env, false, AVENV_CREDENTIALS_CONFLICT);
    REFRESH(env, true, AVENV_OK);
    CONTENT(in_profile(env, ".credentials.json"), claude_login("own", 1000));
    write_file(in_profile(env, ".credentials.json"), "{\"tells\":\"no end\"}");
    REFRESH(env, false, AVENV_OK);
    CONTENT(in_profile(env, ".credentials.json"), claude_login("own", 1000));
    destroy_and_free(env);
}

TEST(the_hosts_own_variable_says_where_its_login_lies) {
    avenv_environment *env;
    make_host();
    CHECK_INT(mkdir("home/moved", 0700), 0);
    write_file("home/moved/auth.json", api_key("moved"));
    CHECK_INT(setenv("CODEX_HOME", fmt("%s/moved", getenv("HOME")), 1), 0);
    env = create("{'adapter':'codex'}");
    CONTENT(in_profile(env, "auth.json"), api_key("moved"));
    destroy_and_free(env);
    CHECK_INT(setenv("CODEX_HOME", "", 1), 0);
    env = create("{'adapter':'codex'}");
    CONTENT(in_profile(env, "auth.json"), api_key("host"));
    destroy_and_free(env);
}

static const struct test tests[] = {
    RUN(which_login_is_newer_is_told_by_when_it_ends),
    RUN(where_no_end_is_told_what_is_no_longer_the_copy_is_newer),
    RUN(a_tokens_expiry_is_read_out_of_it),
    RUN(without_an_adapter_or_a_login_there_is_none),
    RUN(status_is_refused_after_destroy),
    RUN(of_a_file_with_settings_only_the_login_is_copied),
    RUN(settings_beside_a_login_are_never_lost_unasked),
    RUN(a_torn_login_of_nothing_else_is_replaced),
    RUN(where_nobody_wrote_down_what_was_copied_the_files_times_tell),
    RUN(a_credential_of_the_callers_own_does_not_replace_what_ends_later),
    RUN(the_hosts_own_variable_says_where_its_login_lies),
};
MAIN(tests)
