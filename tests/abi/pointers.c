/* NULL, and text that is not UTF-8: refused with the name of the parameter, before anything happens. */
#include "support.h"

#define IS_NULL "is NULL, and must not be"
#define NOT_UTF8 "is not valid UTF-8"

TEST(null_for_a_required_input_names_the_parameter) {
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    avenv_spec *target = parse("{}");
    avenv_options *options = avenv_options_new();
    avenv_environment *env = NULL;
    char *text = NULL;
    char **envp = NULL;

    REFUSED(avenv_spec_parse(NULL, &spec, &error), "json", IS_NULL);
    REFUSED(avenv_spec_for_adapter(NULL, NULL, &spec, &error), "adapter", IS_NULL);
    REFUSED(avenv_spec_set_env(NULL, "N", "v", &error), "spec", IS_NULL);
    REFUSED(avenv_spec_set_env(target, NULL, "v", &error), "name", IS_NULL);
    REFUSED(avenv_spec_set_env(target, "N", NULL, &error), "value", IS_NULL);
    REFUSED(avenv_spec_add_seed_file(NULL, "p", "d", 1, 0, &error), "spec", IS_NULL);
    REFUSED(avenv_spec_add_seed_file(target, NULL, "d", 1, 0, &error), "path", IS_NULL);
    REFUSED(avenv_spec_add_seed_file(target, "p", NULL, 1, 0, &error), "data", IS_NULL);
    REFUSED(avenv_spec_add_credential(NULL, "p", "d", 1, &error), "spec", IS_NULL);
    REFUSED(avenv_spec_add_credential(target, NULL, "d", 1, &error), "path", IS_NULL);
    REFUSED(avenv_spec_add_credential(target, "p", NULL, 1, &error), "data", IS_NULL);

    REFUSED(avenv_options_set_registry_root(NULL, "/r", &error), "options", IS_NULL);
    REFUSED(avenv_options_set_registry_root(options, NULL, &error), "registry_root", IS_NULL);
    REFUSED(avenv_options_set_ephemeral_root(NULL, "/r", &error), "options", IS_NULL);
    REFUSED(avenv_options_set_ephemeral_root(options, NULL, &error), "ephemeral_root", IS_NULL);
    REFUSED(avenv_options_set_expected_adapter(NULL, "codex", &error), "options", IS_NULL);
    REFUSED(avenv_options_set_expected_adapter(options, NULL, &error), "adapter_id", IS_NULL);
    REFUSED(avenv_options_set_lock_timeout_ms(NULL, 0, &error), "options", IS_NULL);
    REFUSED(avenv_options_set_durable(NULL, true, &error), "options", IS_NULL);
    REFUSED(avenv_options_set_force(NULL, true, &error), "options", IS_NULL);

    REFUSED(avenv_environment_create_or_attach(NULL, NULL, NULL, &env, &error), "name", IS_NULL);
    REFUSED(avenv_environment_attach(NULL, NULL, &env, &error), "name", IS_NULL);
    REFUSED(avenv_registry_destroy(NULL, NULL, &error), "name", IS_NULL);
    REFUSED(avenv_environment_envp(NULL, NULL, &envp, &error), "env", IS_NULL);
    REFUSED(avenv_environment_events_json(NULL, &text, &error), "env", IS_NULL);
    REFUSED(avenv_environment_login_status_json(NULL, &text, &error), "env", IS_NULL);
    REFUSED(avenv_environment_refresh_credentials(NULL, NULL, NULL, &error), "env", IS_NULL);
    REFUSED(avenv_environment_destroy(NULL, NULL, &error), "env", IS_NULL);
    REFUSED(avenv_adapter_definition_json(NULL, &text, &error), "adapter", IS_NULL);
    REFUSED(avenv_adapter_argv_json(NULL, NULL, &text, &error), "adapter", IS_NULL);
    REFUSED(avenv_adapter_ensure_available(NULL, &error), "adapter", IS_NULL);

    avenv_options_free(options);
    avenv_spec_free(target);
}

TEST(null_for_an_output_names_the_parameter_and_makes_nothing) {
    avenv_error *error = NULL;
    avenv_environment *env = create(NULL);
    const char *process_directory = fmt("%s/..", avenv_environment_path(env));

    REFUSED(avenv_spec_parse("{}", NULL, &error), "spec", IS_NULL);
    REFUSED(avenv_spec_for_adapter("codex", NULL, NULL, &error), "spec", IS_NULL);
    REFUSED(avenv_environment_create_ephemeral(NULL, NULL, NULL, &error), "env", IS_NULL);
    CHECK_INT(entries(process_directory), 1);
    REFUSED(avenv_environment_create_or_attach("n", NULL, NULL, NULL, &error), "env", IS_NULL);
    REFUSED(avenv_environment_attach("n", NULL, NULL, &error), "env", IS_NULL);
    CHECK_INT(entries("home"), 0);
    REFUSED(avenv_environment_envp(env, NULL, NULL, &error), "envp", IS_NULL);
    REFUSED(avenv_environment_events_json(env, NULL, &error), "events_json", IS_NULL);
    REFUSED(avenv_environment_login_status_json(env, NULL, &error), "status_json", IS_NULL);
    REFUSED(avenv_registry_root(NULL, NULL, &error), "path", IS_NULL);
    REFUSED(avenv_registry_list_json(NULL, NULL, &error), "names_json", IS_NULL);
    REFUSED(avenv_registry_repair(NULL, NULL, &error), "report_json", IS_NULL);
    REFUSED(avenv_reap(NULL, NULL, &error), "report_json", IS_NULL);
    REFUSED(avenv_adapter_definition_json("codex", NULL, &error), "definition_json", IS_NULL);
    REFUSED(avenv_adapter_argv_json("codex", json("{'model':'m'}"), NULL, &error), "argv_json", IS_NULL);
    destroy_and_free(env);
}

TEST(getters_of_null_answer_null) {
    CHECK(avenv_environment_path(NULL) == NULL);
    CHECK(avenv_environment_name(NULL) == NULL);
    CHECK(avenv_environment_kind(NULL) == NULL);
    CHECK(avenv_environment_adapter_id(NULL) == NULL);
    CHECK(avenv_environment_env_overrides_json(NULL) == NULL);
    CHECK(avenv_environment_env_unset_json(NULL) == NULL);
    CHECK(avenv_error_kind(NULL) == NULL);
    CHECK(avenv_error_message(NULL) == NULL);
    CHECK(avenv_error_payload_json(NULL) == NULL);
    CHECK(avenv_error_events_json(NULL) == NULL);
    CHECK_INT(avenv_error_status(NULL), AVENV_OK);
}

TEST(null_options_are_the_defaults_and_a_null_spec_is_the_empty_one) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    char *report = NULL;
    OK(avenv_environment_create_ephemeral(NULL, NULL, &env, &error));
    CHECK_STR(avenv_environment_adapter_id(env), "generic");
    CHECK_STR(avenv_environment_env_overrides_json(env), "{}");
    CHECK_INT(entries(avenv_environment_path(env)), 0);
    CHECK(strstr(avenv_environment_path(env), default_root()) != NULL);
    OK(avenv_environment_destroy(env, NULL, &error));
    OK(avenv_reap(NULL, &report, &error));
    avenv_string_free(report);
    avenv_environment_free(env);
}

/* A lone continuation byte, an overlong slash, a surrogate, a code point past the last, a cut sequence. */
static const char *const not_utf8[] = {"\x80", "a\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xe2\x82"};

TEST(text_that_is_not_utf8_names_the_parameter) {
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    avenv_spec *target = parse("{}");
    avenv_options *options = avenv_options_new();
    avenv_environment *env = NULL;
    char *text = NULL;
    size_t i;
    for (i = 0; i < COUNT(not_utf8); i++) {
        const char *bad = not_utf8[i];
        REFUSED(avenv_spec_parse(bad, &spec, &error), "json", NOT_UTF8);
        REFUSED(avenv_spec_for_adapter(bad, NULL, &spec, &error), "adapter", NOT_UTF8);
        REFUSED(avenv_spec_for_adapter("codex", bad, &spec, &error), "options_json", NOT_UTF8);
        REFUSED(avenv_spec_set_env(target, bad, "v", &error), "name", NOT_UTF8);
        REFUSED(avenv_spec_set_env(target, "N", bad, &error), "value", NOT_UTF8);
        REFUSED(avenv_spec_add_seed_file(target, bad, "d", 1, 0, &error), "path", NOT_UTF8);
        REFUSED(avenv_spec_add_credential(target, bad, "d", 1, &error), "path", NOT_UTF8);
        REFUSED(avenv_options_set_registry_root(options, bad, &error), "registry_root", NOT_UTF8);
        REFUSED(avenv_options_set_ephemeral_root(options, bad, &error), "ephemeral_root", NOT_UTF8);
        REFUSED(avenv_options_set_expected_adapter(options, bad, &error), "adapter_id", NOT_UTF8);
        REFUSED(avenv_environment_create_or_attach(bad, NULL, NULL, &env, &error), "name", NOT_UTF8);
        REFUSED(avenv_environment_attach(bad, NULL, &env, &error), "name", NOT_UTF8);
        REFUSED(avenv_registry_destroy(bad, NULL, &error), "name", NOT_UTF8);
        REFUSED(avenv_adapter_definition_json(bad, &text, &error), "adapter", NOT_UTF8);
        REFUSED(avenv_adapter_argv_json(bad, NULL, &text, &error), "adapter", NOT_UTF8);
        REFUSED(avenv_adapter_argv_json("codex", bad, &text, &error), "options_json", NOT_UTF8);
        REFUSED(avenv_adapter_ensure_available(bad, &error), "adapter", NOT_UTF8);
    }
    avenv_options_free(options);
    avenv_spec_free(target);
}

TEST(text_in_any_script_is_kept) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_spec *spec = parse("{}");
    OK(avenv_spec_set_env(spec, "GRÜẞE", "日本語 \xf0\x9f\x8c\x8d", &error));
    OK(avenv_spec_add_seed_file(spec, "ключ/файл", "x", 1, 0, &error));
    OK(avenv_environment_create_ephemeral(spec, NULL, &env, &error));
    CHECK_JSON(avenv_environment_env_overrides_json(env), "{'GRÜẞE':'日本語 \xf0\x9f\x8c\x8d'}");
    CONTENT(in_profile(env, "ключ/файл"), "x");
    destroy_and_free(env);
    avenv_spec_free(spec);
}

static const struct test tests[] = {
    RUN(null_for_a_required_input_names_the_parameter),
    RUN(null_for_an_output_names_the_parameter_and_makes_nothing),
    RUN(getters_of_null_answer_null),
    RUN(null_options_are_the_defaults_and_a_null_spec_is_the_empty_one),
    RUN(text_that_is_not_utf8_names_the_parameter),
    RUN(text_in_any_script_is_kept),
};
MAIN(tests)
