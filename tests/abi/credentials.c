/* Logins: where they are read, how refresh writes them, what never crosses. */
#include "support.h"

static const char *const fake_login = "{\"access_token\":\"fake-1\"}";
static const char *const later_login = "{\"access_token\":\"fake-2\"}";

static avenv_environment *create_codex(void) {
    CHECK_INT(mkdir("home/.codex", 0700), 0);
    write_file("home/.codex/auth.json", fake_login);
    return create("{'adapter':'codex'}");
}

TEST(refresh_reads_the_hosts_login_now) {
    avenv_error *error = NULL;
    avenv_environment *env = create_codex();
    CONTENT(in_profile(env, "auth.json"), fake_login);
    write_file(in_profile(env, "config.toml"), "the agent's own");
    write_file("home/.codex/auth.json", later_login);
    CONTENT(in_profile(env, "auth.json"), fake_login);
    OK(avenv_environment_refresh_credentials(env, NULL, NULL, &error));
    CONTENT(in_profile(env, "auth.json"), later_login);
    CHECK_INT(mode_of(in_profile(env, "auth.json")), 0600);
    CONTENT(in_profile(env, "config.toml"), "the agent's own");
    CHECK_INT(entries(avenv_environment_path(env)), 2);
    destroy_and_free(env);
    CONTENT("home/.codex/auth.json", later_login);
    CHECK_INT(entries("home/.codex"), 1);
}

TEST(refresh_replaces_a_planted_link_and_leaves_its_target) {
    avenv_error *error = NULL;
    avenv_environment *env = create_codex();
    write_file("target", "untouched");
    CHECK_INT(unlink(in_profile(env, "auth.json")), 0);
    CHECK_INT(symlink(fmt("%s/../target", getenv("HOME")), in_profile(env, "auth.json")), 0);
    OK(avenv_environment_refresh_credentials(env, NULL, NULL, &error));
    CONTENT("target", "untouched");
    CONTENT(in_profile(env, "auth.json"), fake_login);
    CHECK_INT(mode_of(in_profile(env, "auth.json")), 0600);
    destroy_and_free(env);
}

TEST(refresh_writes_again_the_literal_credentials_of_the_handle) {
    avenv_error *error = NULL;
    avenv_environment *env = create("{'credentials':{'keys/token':'literal'},'seed_files':{'seed':'s'}}");
    write_file(in_profile(env, "keys/token"), "overwritten");
    write_file(in_profile(env, "seed"), "changed");
    OK(avenv_environment_refresh_credentials(env, NULL, NULL, &error));
    CONTENT(in_profile(env, "keys/token"), "literal");
    CONTENT(in_profile(env, "seed"), "changed");
    check_remove_tree(in_profile(env, "keys"));
    OK(avenv_environment_refresh_credentials(env, NULL, NULL, &error));
    CONTENT(in_profile(env, "keys/token"), "literal");
    destroy_and_free(env);
}

TEST(refresh_with_a_spec_writes_that_specs_credentials_and_nothing_else) {
    avenv_error *error = NULL;
    avenv_environment *env = create("{'credentials':{'token':'first'}}");
    avenv_spec *spec = parse("{'credentials':{'token':'second','other':'new'},'seed_files':{'seed':'s'}}");
    OK(avenv_environment_refresh_credentials(env, spec, NULL, &error));
    CONTENT(in_profile(env, "token"), "second");
    CONTENT(in_profile(env, "other"), "new");
    CHECK(!exists(in_profile(env, "seed")));
    avenv_spec_free(spec);
    destroy_and_free(env);
}

TEST(a_handle_without_credentials_refuses_to_refresh) {
    static const char *const specs[] = {"{}", "{'seed_files':{'a':''}}",
                                        "{'adapter':'codex','options':{'load_credentials':false}}"};
    size_t i;
    for (i = 0; i < COUNT(specs); i++) {
        avenv_error *error = NULL;
        avenv_environment *env = create(specs[i]);
        check_row = specs[i];
        REFUSED(avenv_environment_refresh_credentials(env, NULL, NULL, &error), "spec",
                "is needed: this handle knows no credentials to go back to, and no adapter that reads a login");
        destroy_and_free(env);
    }
}

TEST(a_missing_login_names_every_place_looked_at_and_makes_nothing) {
    static const struct {
        const char *adapter;
        const char *place;
    } adapters[] = {{"claude-code", ".claude/.credentials.json"}, {"codex", ".codex/auth.json"}};
    size_t i;
    for (i = 0; i < COUNT(adapters); i++) {
        avenv_error *error = NULL;
        avenv_spec *spec = NULL;
        avenv_environment *env = POISON(avenv_environment);
        check_row = adapters[i].adapter;
        OK(avenv_spec_for_adapter(adapters[i].adapter, NULL, &spec, &error));
        FAILS(avenv_environment_create_ephemeral(spec, NULL, &env, &error), AVENV_CREDENTIALS_MISSING,
              fmt("{'adapter_id':'%s','looked_at':['%s/%s']}", adapters[i].adapter, getenv("HOME"),
                   adapters[i].place));
        CHECK(env == NULL);
        CHECK_INT(entries("tmp"), 0);
        avenv_spec_free(spec);
    }
}

TEST(a_refresh_whose_login_is_gone_fails_and_keeps_the_profiles) {
    avenv_error *error = NULL;
    avenv_environment *env = create_codex();
    CHECK_INT(unlink("home/.codex/auth.json"), 0);
    FAILS(avenv_environment_refresh_credentials(env, NULL, NULL, &error), AVENV_CREDENTIALS_MISSING,
          fmt("{'adapter_id':'codex','looked_at':['%s/.codex/auth.json']}", getenv("HOME")));
    CONTENT(in_profile(env, "auth.json"), fake_login);
    destroy_and_free(env);
}

TEST(a_directory_where_a_credential_belongs_fails_the_refresh) {
    avenv_error *error = NULL;
    avenv_environment *env = create_codex();
    CHECK_INT(unlink(in_profile(env, "auth.json")), 0);
    CHECK_INT(mkdir(in_profile(env, "auth.json"), 0700), 0);
    CHECK_INT(avenv_environment_refresh_credentials(env, NULL, NULL, &error), AVENV_PROFILE_SETUP_FAILED);
    CONTAINS(avenv_error_payload_json(error), "auth.json'");
    avenv_error_free(error);
    error = NULL;
    destroy_and_free(env);
}

#define CHECK_SILENT(text) CHECK(strstr(text, "secret") == NULL)

static void check_silent(avenv_error *error, avenv_status status) {
    CHECK_INT(avenv_error_status(error), status);
    CHECK_SILENT(avenv_error_message(error));
    CHECK_SILENT(avenv_error_payload_json(error));
    CHECK_SILENT(avenv_error_events_json(error));
    avenv_error_free(error);
}

/* Specs that are refused for what stands beside a secret. */
static const char *const refused[] = {
    "{'credentials':{'key':{'secret-nested':1}}}",
    "{'credentials':{'key':'secret-unfinished",
    "{'credentials':{'key':'secret-once','key':'secret-twice'}}",
    "'secret-alone'",
};

TEST(no_credential_crosses_the_abi_but_as_a_file) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_spec *spec = NULL;
    char *events = NULL;
    size_t i;
    CHECK_INT(mkdir("home/.codex", 0700), 0);
    write_file("home/.codex/auth.json", "[\"secret-login\"]");
    OK(avenv_spec_for_adapter("codex", NULL, &spec, &error));
    OK(avenv_spec_add_credential(spec, "key", "secret-key", 10, &error));
    OK(avenv_environment_create_ephemeral(spec, NULL, &env, &error));
    CHECK_SILENT(avenv_environment_env_overrides_json(env));
    CHECK_SILENT(avenv_environment_env_unset_json(env));

    /* a credential that can't be written, and a login that does not parse: both errors know the secret and say nothing */
    CHECK_INT(unlink(in_profile(env, "key")), 0);
    CHECK_INT(mkdir(in_profile(env, "key"), 0700), 0);
    avenv_environment_refresh_credentials(env, spec, NULL, &error);
    check_silent(error, AVENV_PROFILE_SETUP_FAILED);
    write_file("home/.codex/auth.json", "[\"secret-torn");
    avenv_environment_refresh_credentials(env, NULL, NULL, &error);
    check_silent(error, AVENV_CREDENTIALS_MISSING);
    OK(avenv_environment_events_json(env, &events, &error));
    CHECK_SILENT(events);

    for (i = 0; i < COUNT(refused); i++) {
        avenv_spec *none = NULL;
        avenv_spec_parse(json(refused[i]), &none, &error);
        check_silent(error, AVENV_INVALID_ENVIRONMENT_SPEC);
    }

    avenv_string_free(events);
    avenv_spec_free(spec);
    destroy_and_free(env);
}

static const struct test tests[] = {
    RUN(refresh_reads_the_hosts_login_now),
    RUN(refresh_replaces_a_planted_link_and_leaves_its_target),
    RUN(refresh_writes_again_the_literal_credentials_of_the_handle),
    RUN(refresh_with_a_spec_writes_that_specs_credentials_and_nothing_else),
    RUN(a_handle_without_credentials_refuses_to_refresh),
    RUN(a_missing_login_names_every_place_looked_at_and_makes_nothing),
    RUN(a_refresh_whose_login_is_gone_fails_and_keeps_the_profiles),
    RUN(a_directory_where_a_credential_belongs_fails_the_refresh),
    RUN(no_credential_crosses_the_abi_but_as_a_file),
};
MAIN(tests)
