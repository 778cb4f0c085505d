/* The log of a handle, and the log that an error keeps. */
#include <ctype.h>

#include "support.h"

/* Times differ from run to run: each becomes 0, once it is seen to be a number that never falls. */
static char *without_times(const char *events) {
    static const char key[] = "\"ts_ms\":";
    char *result = (char *)malloc(strlen(events) + 1);
    char *out = result;
    long last = 0;
    while (*events != '\0') {
        if (strncmp(events, key, sizeof key - 1) == 0) {
            char *end;
            const long now = strtol(events + sizeof key - 1, &end, 10);
            CHECK(isdigit((unsigned char)events[sizeof key - 1]) && now >= last);
            last = now;
            out += sprintf(out, "%s0", key);
            events = end;
        } else {
            *out++ = *events++;
        }
    }
    *out = '\0';
    return result;
}

static void check_log(const char *events, const char *expected) {
    char *timeless = without_times(events);
    CHECK_STR(timeless, expected);
    free(timeless);
}

static void check_events(const avenv_environment *env, const char *expected) {
    avenv_error *error = NULL;
    char *events = NULL;
    OK(avenv_environment_events_json(env, &events, &error));
    check_log(events, expected);
    avenv_string_free(events);
}

#define EVENT(kind, payload) "{'ts_ms':0,'kind':'" kind "'," payload "}"
#define CREATED EVENT("env.created", "'name':null,'lifetime':'ephemeral','adapter_id':'generic','path':'%s'")
#define MATERIALIZED(files, bytes) EVENT("profile.materialized", "'file_count':" files ",'total_bytes':" bytes)
#define COPIED(files) EVENT("credentials.copied", "'file_count':" files)
#define REFRESHED(files) EVENT("credentials.refreshed", "'file_count':" files)
#define GONE EVENT("env.destroyed", "'path':'%s','ok':true")
#define FAILURE EVENT("error", "'error_kind':'%s','message':'%s'")

TEST(an_empty_profile_logs_its_creation_only) {
    avenv_environment *env = create(NULL);
    check_events(env, fmt(json("[" CREATED "]"), avenv_environment_path(env)));
    destroy_and_free(env);
}

TEST(a_whole_life_is_logged_in_order) {
    avenv_error *error = NULL;
    avenv_environment *env = create("{'seed_files':{'a':'12345','b':'ü'},'credentials':{'c':'x'}}");
    const char *at = avenv_environment_path(env);
    OK(avenv_environment_refresh_credentials(env, NULL, NULL, &error));
    check_events(env, fmt(json("[" CREATED "," MATERIALIZED("2", "7") "," COPIED("1") "," REFRESHED("1") "]"), at));
    OK(avenv_environment_destroy(env, NULL, &error));
    check_events(env, fmt(json("[" CREATED "," MATERIALIZED("2", "7") "," COPIED("1") "," REFRESHED("1") "," GONE "]"),
                          at, at));
    avenv_environment_free(env);
}

TEST(a_second_destroy_logs_nothing_more) {
    avenv_error *error = NULL;
    avenv_environment *env = create(NULL);
    const char *at = avenv_environment_path(env);
    OK(avenv_environment_destroy(env, NULL, &error));
    OK(avenv_environment_destroy(env, NULL, &error));
    check_events(env, fmt(json("[" CREATED "," GONE "]"), at, at));
    avenv_environment_free(env);
}

TEST(a_failure_is_logged_on_the_handle_and_in_its_error) {
    avenv_error *error = NULL;
    avenv_environment *env = create(NULL);
    const char *failure;
    CHECK_INT(avenv_environment_refresh_credentials(env, NULL, NULL, &error), AVENV_INVALID_ENVIRONMENT_SPEC);
    failure = fmt(json(FAILURE), "InvalidEnvironmentSpec", in_string(avenv_error_message(error)));
    check_log(avenv_error_events_json(error), fmt("[%s]", failure));
    check_events(env, fmt(json("[" CREATED ",%s]"), avenv_environment_path(env), failure));
    avenv_error_free(error);
    destroy_and_free(env);
}

TEST(a_failed_create_logs_its_failure_only) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_spec *spec = parse("{'adapter':'codex'}");
    CHECK_INT(avenv_environment_create_ephemeral(spec, NULL, &env, &error), AVENV_CREDENTIALS_MISSING);
    check_log(avenv_error_events_json(error),
              fmt(json("[" FAILURE "]"), "CredentialsMissing", in_string(avenv_error_message(error))));
    avenv_error_free(error);
    avenv_spec_free(spec);
}

TEST(a_log_that_was_handed_out_is_the_callers_and_does_not_grow) {
    avenv_error *error = NULL;
    avenv_environment *env = create(NULL);
    char *before = NULL;
    char *after = NULL;
    OK(avenv_environment_events_json(env, &before, &error));
    OK(avenv_environment_destroy(env, NULL, &error));
    OK(avenv_environment_events_json(env, &after, &error));
    avenv_environment_free(env);
    CHECK(strstr(before, "env.destroyed") == NULL);
    CHECK(strstr(after, "env.destroyed") != NULL);
    avenv_string_free(before);
    avenv_string_free(after);
}

static const struct test tests[] = {
    RUN(an_empty_profile_logs_its_creation_only),
    RUN(a_whole_life_is_logged_in_order),
    RUN(a_second_destroy_logs_nothing_more),
    RUN(a_failure_is_logged_on_the_handle_and_in_its_error),
    RUN(a_failed_create_logs_its_failure_only),
    RUN(a_log_that_was_handed_out_is_the_callers_and_does_not_grow),
};
MAIN(tests)
