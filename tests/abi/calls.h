/*
 * Every function that can fail, once so that it succeeds and once so that it fails.
 *
 * Each entry makes its call with the error pointer it is given, starts from poisoned outputs,
 * checks what became of them, and frees what it got: so one loop can hold all to one rule.
 */
#ifndef CALLS_H
#define CALLS_H

#include "support.h"

/* What the calls act on: a caller makes it once, outside what it measures. */
struct subjects {
    avenv_spec *spec;
    avenv_options *options;
    avenv_environment *env;
};

static inline struct subjects make_subjects(void) {
    struct subjects on;
    on.spec = parse("{'credentials':{'token':'t'}}");
    on.options = avenv_options_new();
    on.env = create("{'credentials':{'token':'t'}}");
    return on;
}

static inline void free_subjects(struct subjects *on) {
    avenv_spec_free(on->spec);
    avenv_options_free(on->options);
    avenv_environment_free(on->env);
}

/* Both roots where no directory can be. */
static inline avenv_options *options_at_no_directory(void) {
    avenv_options *options = avenv_options_new();
    CHECK_INT(avenv_options_set_ephemeral_root(options, "/dev/null", NULL), AVENV_OK);
    CHECK_INT(avenv_options_set_registry_root(options, "/dev/null", NULL), AVENV_OK);
    return options;
}

#define CALL(name) static inline avenv_status name(struct subjects *on, avenv_error **error)

/* Either the call succeeded and there is an output, or it failed and there is none. */
#define OUTPUT(type, release)                   \
    CHECK((status == AVENV_OK) == (out != NULL)); \
    release(out);                               \
    (void)on;                                   \
    return status

#define SPEC_OUTPUT OUTPUT(avenv_spec, avenv_spec_free)
#define ENVIRONMENT_OUTPUT OUTPUT(avenv_environment, avenv_environment_free)
#define STRING_OUTPUT OUTPUT(char, avenv_string_free)
#define ENVP_OUTPUT OUTPUT(char *, avenv_envp_free)

CALL(parse_succeeds) {
    avenv_spec *out = POISON(avenv_spec);
    avenv_status status = avenv_spec_parse("{}", &out, error);
    SPEC_OUTPUT;
}
CALL(parse_fails) {
    avenv_spec *out = POISON(avenv_spec);
    avenv_status status = avenv_spec_parse("{", &out, error);
    SPEC_OUTPUT;
}
CALL(for_adapter_succeeds) {
    avenv_spec *out = POISON(avenv_spec);
    avenv_status status = avenv_spec_for_adapter("codex", NULL, &out, error);
    SPEC_OUTPUT;
}
CALL(for_adapter_fails) {
    avenv_spec *out = POISON(avenv_spec);
    avenv_status status = avenv_spec_for_adapter("nobody", NULL, &out, error);
    SPEC_OUTPUT;
}
CALL(set_env_succeeds) {
    return avenv_spec_set_env(on->spec, "NAME", "value", error);
}
CALL(set_env_fails) {
    return avenv_spec_set_env(on->spec, "", "value", error);
}
CALL(add_seed_file_succeeds) {
    return avenv_spec_add_seed_file(on->spec, "seed", "data", 4, 0, error);
}
CALL(add_seed_file_fails) {
    return avenv_spec_add_seed_file(on->spec, "../seed", "data", 4, 0, error);
}
CALL(add_credential_succeeds) {
    return avenv_spec_add_credential(on->spec, "credential", "data", 4, error);
}
CALL(add_credential_fails) {
    return avenv_spec_add_credential(on->spec, "/credential", "data", 4, error);
}
CALL(set_registry_root_succeeds) {
    return avenv_options_set_registry_root(on->options, "/nowhere", error);
}
CALL(set_registry_root_fails) {
    return avenv_options_set_registry_root(on->options, "\xff", error);
}
CALL(set_ephemeral_root_succeeds) {
    return avenv_options_set_ephemeral_root(on->options, "/nowhere", error);
}
CALL(set_ephemeral_root_fails) {
    return avenv_options_set_ephemeral_root(on->options, "\xff", error);
}
CALL(set_expected_adapter_succeeds) {
    return avenv_options_set_expected_adapter(on->options, "codex", error);
}
CALL(set_expected_adapter_fails) {
    return avenv_options_set_expected_adapter(on->options, "\xff", error);
}
CALL(set_lock_timeout_ms_succeeds) {
    return avenv_options_set_lock_timeout_ms(on->options, 0, error);
}
CALL(set_lock_timeout_ms_fails) {
    return avenv_options_set_lock_timeout_ms(on->options, -2, error);
}
CALL(set_durable_succeeds) {
    return avenv_options_set_durable(on->options, true, error);
}
CALL(set_durable_fails) {
    (void)on;
    return avenv_options_set_durable(NULL, true, error);
}
CALL(set_force_succeeds) {
    return avenv_options_set_force(on->options, true, error);
}
CALL(set_force_fails) {
    (void)on;
    return avenv_options_set_force(NULL, true, error);
}
CALL(create_ephemeral_succeeds) {
    avenv_environment *out = POISON(avenv_environment);
    avenv_status status = avenv_environment_create_ephemeral(NULL, NULL, &out, error);
    ENVIRONMENT_OUTPUT;
}
CALL(create_ephemeral_fails) {
    avenv_environment *out = POISON(avenv_environment);
    avenv_spec *spec = parse("{'adapter':'codex'}"); /* no login in the test's home */
    avenv_status status = avenv_environment_create_ephemeral(spec, NULL, &out, error);
    avenv_spec_free(spec);
    ENVIRONMENT_OUTPUT;
}
CALL(create_or_attach_succeeds) {
    avenv_environment *out = POISON(avenv_environment);
    avenv_status status = avenv_environment_create_or_attach("made", NULL, NULL, &out, error);
    ENVIRONMENT_OUTPUT;
}
CALL(create_or_attach_fails) {
    avenv_environment *out = POISON(avenv_environment);
    avenv_status status = avenv_environment_create_or_attach("", NULL, NULL, &out, error);
    ENVIRONMENT_OUTPUT;
}
CALL(attach_succeeds) {
    avenv_environment *out = POISON(avenv_environment);
    avenv_status status;
    avenv_environment_create_or_attach("there", NULL, NULL, &out, NULL);
    avenv_environment_free(out);
    out = POISON(avenv_environment);
    status = avenv_environment_attach("there", NULL, &out, error);
    ENVIRONMENT_OUTPUT;
}
CALL(attach_fails) {
    avenv_environment *out = POISON(avenv_environment);
    avenv_status status = avenv_environment_attach("not there", NULL, &out, error);
    ENVIRONMENT_OUTPUT;
}
CALL(envp_succeeds) {
    char **out = POISON(char *);
    avenv_status status = avenv_environment_envp(on->env, NULL, &out, error);
    ENVP_OUTPUT;
}
CALL(envp_fails) {
    char **out = POISON(char *);
    avenv_status status = avenv_environment_envp(NULL, NULL, &out, error);
    ENVP_OUTPUT;
}
CALL(events_json_succeeds) {
    char *out = POISON(char);
    avenv_status status = avenv_environment_events_json(on->env, &out, error);
    STRING_OUTPUT;
}
CALL(events_json_fails) {
    char *out = POISON(char);
    avenv_status status = avenv_environment_events_json(NULL, &out, error);
    STRING_OUTPUT;
}
CALL(login_status_json_succeeds) {
    char *out = POISON(char);
    avenv_status status = avenv_environment_login_status_json(on->env, &out, error);
    STRING_OUTPUT;
}
CALL(login_status_json_fails) {
    char *out = POISON(char);
    avenv_status status = avenv_environment_login_status_json(NULL, &out, error);
    STRING_OUTPUT;
}
CALL(refresh_credentials_succeeds) {
    return avenv_environment_refresh_credentials(on->env, NULL, NULL, error);
}
CALL(refresh_credentials_fails) {
    (void)on;
    return avenv_environment_refresh_credentials(NULL, NULL, NULL, error);
}
CALL(destroy_succeeds) {
    avenv_environment *env = create(NULL);
    avenv_status status = avenv_environment_destroy(env, NULL, error);
    avenv_environment_free(env);
    (void)on;
    return status;
}
CALL(destroy_fails) {
    (void)on;
    return avenv_environment_destroy(NULL, NULL, error);
}
CALL(registry_root_succeeds) {
    char *out = POISON(char);
    avenv_status status = avenv_registry_root(NULL, &out, error);
    STRING_OUTPUT;
}
CALL(registry_root_fails) {
    (void)on;
    return avenv_registry_root(NULL, NULL, error);
}
CALL(list_json_succeeds) {
    char *out = POISON(char);
    avenv_status status = avenv_registry_list_json(NULL, &out, error);
    STRING_OUTPUT;
}
CALL(list_json_fails) {
    char *out = POISON(char);
    avenv_options *options = options_at_no_directory();
    avenv_status status = avenv_registry_list_json(options, &out, error);
    avenv_options_free(options);
    STRING_OUTPUT;
}
CALL(registry_destroy_succeeds) {
    avenv_environment *out = NULL;
    (void)on;
    avenv_environment_create_or_attach("gone", NULL, NULL, &out, NULL);
    avenv_environment_free(out);
    return avenv_registry_destroy("gone", NULL, error);
}
CALL(registry_destroy_fails) {
    (void)on;
    return avenv_registry_destroy("not there", NULL, error);
}
CALL(repair_succeeds) {
    char *out = POISON(char);
    avenv_status status = avenv_registry_repair(NULL, &out, error);
    STRING_OUTPUT;
}
CALL(repair_fails) {
    char *out = POISON(char);
    avenv_options *options = options_at_no_directory();
    avenv_status status = avenv_registry_repair(options, &out, error);
    avenv_options_free(options);
    STRING_OUTPUT;
}
CALL(reap_succeeds) {
    char *out = POISON(char);
    avenv_status status = avenv_reap(NULL, &out, error);
    STRING_OUTPUT;
}
CALL(reap_fails) {
    char *out = POISON(char);
    avenv_options *options = options_at_no_directory();
    avenv_status status = avenv_reap(options, &out, error);
    avenv_options_free(options);
    STRING_OUTPUT;
}
CALL(adapter_definition_json_succeeds) {
    char *out = POISON(char);
    avenv_status status = avenv_adapter_definition_json("codex", &out, error);
    STRING_OUTPUT;
}
CALL(adapter_definition_json_fails) {
    char *out = POISON(char);
    avenv_status status = avenv_adapter_definition_json("nobody", &out, error);
    STRING_OUTPUT;
}
CALL(adapter_argv_json_succeeds) {
    char *out = POISON(char);
    avenv_status status = avenv_adapter_argv_json("codex", json("{'model':'m'}"), &out, error);
    STRING_OUTPUT;
}
CALL(adapter_argv_json_fails) {
    char *out = POISON(char);
    avenv_status status = avenv_adapter_argv_json("codex", "{}", &out, error);
    STRING_OUTPUT;
}
CALL(ensure_available_succeeds) {
    (void)on;
    return avenv_adapter_ensure_available(json("{'id':'shell','program':'sh'}"), error);
}
CALL(ensure_available_fails) {
    (void)on;
    return avenv_adapter_ensure_available("nobody", error);
}

static const struct call {
    const char *function;
    avenv_status (*succeeds)(struct subjects *, avenv_error **);
    avenv_status (*fails)(struct subjects *, avenv_error **);
} calls[] = {
    {"avenv_spec_parse", parse_succeeds, parse_fails},
    {"avenv_spec_for_adapter", for_adapter_succeeds, for_adapter_fails},
    {"avenv_spec_set_env", set_env_succeeds, set_env_fails},
    {"avenv_spec_add_seed_file", add_seed_file_succeeds, add_seed_file_fails},
    {"avenv_spec_add_credential", add_credential_succeeds, add_credential_fails},
    {"avenv_options_set_registry_root", set_registry_root_succeeds, set_registry_root_fails},
    {"avenv_options_set_ephemeral_root", set_ephemeral_root_succeeds, set_ephemeral_root_fails},
    {"avenv_options_set_expected_adapter", set_expected_adapter_succeeds, set_expected_adapter_fails},
    {"avenv_options_set_lock_timeout_ms", set_lock_timeout_ms_succeeds, set_lock_timeout_ms_fails},
    {"avenv_options_set_durable", set_durable_succeeds, set_durable_fails},
    {"avenv_options_set_force", set_force_succeeds, set_force_fails},
    {"avenv_environment_create_ephemeral", create_ephemeral_succeeds, create_ephemeral_fails},
    {"avenv_environment_create_or_attach", create_or_attach_succeeds, create_or_attach_fails},
    {"avenv_environment_attach", attach_succeeds, attach_fails},
    {"avenv_environment_envp", envp_succeeds, envp_fails},
    {"avenv_environment_events_json", events_json_succeeds, events_json_fails},
    {"avenv_environment_login_status_json", login_status_json_succeeds, login_status_json_fails},
    {"avenv_environment_refresh_credentials", refresh_credentials_succeeds, refresh_credentials_fails},
    {"avenv_environment_destroy", destroy_succeeds, destroy_fails},
    {"avenv_registry_root", registry_root_succeeds, registry_root_fails},
    {"avenv_registry_list_json", list_json_succeeds, list_json_fails},
    {"avenv_registry_destroy", registry_destroy_succeeds, registry_destroy_fails},
    {"avenv_registry_repair", repair_succeeds, repair_fails},
    {"avenv_reap", reap_succeeds, reap_fails},
    {"avenv_adapter_definition_json", adapter_definition_json_succeeds, adapter_definition_json_fails},
    {"avenv_adapter_argv_json", adapter_argv_json_succeeds, adapter_argv_json_fails},
    {"avenv_adapter_ensure_available", ensure_available_succeeds, ensure_available_fails},
};

#endif
