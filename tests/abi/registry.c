/* Persistent environments: by name, absent or whole, in every process. */
#include <pthread.h>
#include <sys/file.h>

#include "support.h"

static const char *const full_spec =
    "{'adapter_id':'mine','env_overrides':{'MINE_HOME':'$EPHEMERAL_HOME'},"
    "'seed_files':{'a/settings':'seed'},'credentials':{'token':'first'}}";

static avenv_environment *attach(const char *name) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    OK(avenv_environment_attach(name, NULL, &env, &error));
    return env;
}

static void check_list(const char *expected) {
    avenv_error *error = NULL;
    char *names = NULL;
    OK(avenv_registry_list_json(NULL, &names, &error));
    CHECK_JSON(names, expected);
    avenv_string_free(names);
}

static void check_event(const avenv_environment *env, const char *kind, int times) {
    avenv_error *error = NULL;
    char *events = NULL;
    const char *at;
    OK(avenv_environment_events_json(env, &events, &error));
    for (at = events; (at = strstr(at, kind)) != NULL; at++) {
        times--;
    }
    CHECK_INT(times, 0);
    avenv_string_free(events);
}

TEST(one_name_is_one_profile_and_the_first_spec_made_it) {
    avenv_environment *first = create_named("app", full_spec);
    avenv_environment *second = create_named("app", "{'adapter_id':'mine','seed_files':{'other':'x'}}");
    avenv_environment *third = attach("app");
    const char *at = avenv_environment_path(first);
    CHECK_STR(avenv_environment_path(second), at);
    CHECK_STR(avenv_environment_path(third), at);
    CHECK_STR(avenv_environment_kind(first), "persistent");
    CHECK_STR(avenv_environment_name(third), "app");
    CHECK_STR(avenv_environment_adapter_id(third), "mine");
    CHECK_JSON(avenv_environment_env_overrides_json(third), fmt("{'MINE_HOME':'%s'}", at));
    CHECK(strncmp(at, default_registry(), strlen(default_registry())) == 0);
    CONTENT(in_profile(third, "a/settings"), "seed");
    CONTENT(in_profile(third, "token"), "first");
    CHECK(!exists(in_profile(third, "other")));
    CHECK_INT(mode_of(at), 0700);
    CHECK_INT(mode_of(in_profile(third, "token")), 0600);
    CHECK_INT(mode_of(default_registry()), 0700);
    check_event(first, "env.created", 1);
    check_event(second, "env.attached", 1);
    check_event(second, "env.created", 0);
    check_event(third, "env.attached", 1);
    avenv_environment_free(first);
    avenv_environment_free(second);
    destroy_and_free(third);
}

TEST(free_only_detaches_and_another_process_attaches) {
    pid_t child;
    avenv_environment_free(create_named("app", full_spec));
    child = fork();
    if (child == 0) {
        avenv_environment *env = attach("app");
        CONTENT(in_profile(env, "token"), "first");
        destroy_and_free(env); /* a persistent one belongs to no process */
        exit(0);
    }
    EXITS(child);
    check_list("[]");
}

TEST(attach_never_creates_and_neither_does_list) {
    avenv_error *error = NULL;
    avenv_environment *env = POISON(avenv_environment);
    FAILS(avenv_environment_attach("app", NULL, &env, &error), AVENV_ENVIRONMENT_NOT_FOUND,
          fmt("{'name':'app','registry_root':'%s'}", default_registry()));
    CHECK(env == NULL);
    FAILS(avenv_registry_destroy("app", NULL, &error), AVENV_ENVIRONMENT_NOT_FOUND,
          fmt("{'name':'app','registry_root':'%s'}", default_registry()));
    check_list("[]");
    CHECK_INT(entries("home"), 0);
}

TEST(another_adapter_is_a_mismatch_for_both_calls) {
    static const char *const mismatch = "{'actual_adapter_id':'other','expected_adapter_id':'mine','name':'app'}";
    avenv_error *error = NULL;
    avenv_environment *env = POISON(avenv_environment);
    avenv_options *options = avenv_options_new();
    avenv_spec *spec = parse("{'adapter_id':'other'}");
    avenv_environment_free(create_named("app", full_spec));
    FAILS(avenv_environment_create_or_attach("app", spec, NULL, &env, &error), AVENV_ADAPTER_MISMATCH, mismatch);
    CHECK(env == NULL);
    OK(avenv_options_set_expected_adapter(options, "other", &error));
    FAILS(avenv_environment_attach("app", options, &env, &error), AVENV_ADAPTER_MISMATCH, mismatch);
    OK(avenv_options_set_expected_adapter(options, "mine", &error));
    OK(avenv_environment_attach("app", options, &env, &error));
    destroy_and_free(env);
    avenv_options_free(options);
    avenv_spec_free(spec);
}

TEST(any_name_of_1_to_1024_bytes_is_a_name_and_is_listed_as_it_is) {
    static const char *const names[] = {"../x", "/", ".", "a b", "A", "a", "\n", "\xc3\xa9", "e\xcc\x81"};
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    char longest[1026];
    size_t i;
    memset(longest, 'n', 1025);
    longest[1025] = '\0';
    REFUSED(avenv_environment_create_or_attach(longest, NULL, NULL, &env, &error), "name", "is longer than 1,024 bytes");
    REFUSED(avenv_environment_attach(longest, NULL, &env, &error), "name", "is longer than 1,024 bytes");
    REFUSED(avenv_environment_create_or_attach("", NULL, NULL, &env, &error), "name", "is empty");
    REFUSED(avenv_registry_destroy("", NULL, &error), "name", "is empty");
    CHECK_INT(entries("home"), 0);
    longest[1024] = '\0';
    destroy_and_free(create_named(longest, "{}"));
    for (i = 0; i < COUNT(names); i++) {
        env = create_named(names[i], "{}");
        CHECK_STR(avenv_environment_name(env), names[i]);
        check_event(env, "env.created", 1);
        avenv_environment_free(env);
    }
    check_list("['\\n','.','../x','/','A','a','a b','e\xcc\x81','\xc3\xa9']");
    for (i = 0; i < COUNT(names); i++) {
        OK(avenv_registry_destroy(names[i], NULL, &error));
    }
    check_list("[]");
}

TEST(destroyed_by_somebody_else_counts_as_destroyed) {
    avenv_error *error = NULL;
    avenv_environment *env = create_named("app", full_spec);
    OK(avenv_registry_destroy("app", NULL, &error));
    CHECK(!exists(avenv_environment_path(env)));
    OK(avenv_environment_destroy(env, NULL, &error));
    OK(avenv_environment_destroy(env, NULL, &error));
    avenv_environment_free(env);
}

TEST(a_stale_handle_harms_nobody) {
    avenv_error *error = NULL;
    avenv_environment *stale = create_named("app", full_spec);
    avenv_environment *fresh;
    OK(avenv_registry_destroy("app", NULL, &error));
    fresh = create_named("app", full_spec);
    write_file(in_profile(fresh, "token"), "the agent's own");
    FAILS(avenv_environment_refresh_credentials(stale, NULL, NULL, &error), AVENV_ENVIRONMENT_NOT_FOUND,
          fmt("{'name':'app','registry_root':'%s'}", default_registry()));
    CONTENT(in_profile(fresh, "token"), "the agent's own");
    OK(avenv_environment_destroy(stale, NULL, &error));
    avenv_environment_free(stale);
    CONTENT(in_profile(fresh, "a/settings"), "seed");
    check_list("['app']");
    destroy_and_free(fresh);
}

TEST(refresh_after_attach_reads_the_hosts_login_by_the_recorded_adapter) {
    avenv_error *error = NULL;
    avenv_environment *env;
    CHECK_INT(mkdir("home/.codex", 0700), 0);
    write_file("home/.codex/auth.json", "[1]");
    avenv_environment_free(create_named("app", "{'adapter':'codex'}"));
    write_file("home/.codex/auth.json", "[2]");
    env = attach("app");
    CONTENT(in_profile(env, "auth.json"), "[1]");
    OK(avenv_environment_refresh_credentials(env, NULL, NULL, &error));
    CONTENT(in_profile(env, "auth.json"), "[2]");
    destroy_and_free(env);
}

TEST(a_held_lock_is_waited_for_no_longer_than_asked_and_attach_needs_none) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_options *options = avenv_options_new();
    int lock;
    avenv_environment_free(create_named("app", full_spec));
    lock = open(fmt("%s/.lock", default_registry()), O_RDWR);
    CHECK_INT(flock(lock, LOCK_EX), 0);
    OK(avenv_options_set_lock_timeout_ms(options, 0, &error));
    CHECK_INT(avenv_environment_create_or_attach("new", NULL, options, &env, &error), AVENV_REGISTRY_UNAVAILABLE);
    CONTAINS(avenv_error_payload_json(error), fmt("'path':'%s", default_registry()));
    avenv_error_free(error);
    CHECK_INT(avenv_registry_destroy("app", options, NULL), AVENV_REGISTRY_UNAVAILABLE);
    OK(avenv_environment_attach("app", options, &env, &error));
    avenv_environment_free(env);
    close(lock);
    OK(avenv_registry_destroy("app", options, &error));
    check_list("[]");
    avenv_options_free(options);
}

TEST(a_torn_index_is_left_as_it_is_until_repair_restores_it) {
    avenv_error *error = NULL;
    char *report = NULL;
    const char *index;
    avenv_environment_free(create_named("app", full_spec));
    index = fmt("%s/index.json", default_registry());
    write_file(index, "{\"schema_");
    CHECK_INT(avenv_registry_list_json(NULL, &report, &error), AVENV_REGISTRY_UNAVAILABLE);
    CONTAINS(avenv_error_payload_json(error), fmt("'path':'%s'", index));
    CHECK(strstr(avenv_error_message(error), "repair") != NULL); /* the remedy */
    avenv_error_free(error);
    CONTENT(index, "{\"schema_");
    OK(avenv_registry_repair(NULL, &report, &error));
    CONTAINS(report, "'restored':['app']");
    avenv_string_free(report);
    OK(avenv_registry_repair(NULL, &report, &error));
    CONTAINS(report, "'restored':[]");
    avenv_string_free(report);
    destroy_and_free(attach("app"));
}

struct race {
    pthread_barrier_t start;
    char path[4096];
    int created;
    pthread_mutex_t guard;
};

static void *race_to_create(void *argument) {
    struct race *race = (struct race *)argument;
    avenv_error *error = NULL;
    avenv_environment *env;
    char *events = NULL;
    pthread_barrier_wait(&race->start);
    env = create_named("app", full_spec);
    CONTENT(in_profile(env, "token"), "first"); /* whole, whoever created it */
    OK(avenv_environment_events_json(env, &events, &error));
    pthread_mutex_lock(&race->guard);
    race->created += strstr(events, "env.created") != NULL;
    CHECK(race->path[0] == '\0' || strcmp(race->path, avenv_environment_path(env)) == 0);
    strcpy(race->path, avenv_environment_path(env));
    pthread_mutex_unlock(&race->guard);
    avenv_string_free(events);
    avenv_environment_free(env);
    return NULL;
}

TEST(of_racing_threads_one_creates_and_all_get_the_same) {
    pthread_t threads[8];
    int round;
    for (round = 0; round < 20; round++) {
        avenv_error *error = NULL;
        struct race race;
        size_t i;
        race.path[0] = '\0';
        race.created = 0;
        pthread_barrier_init(&race.start, NULL, COUNT(threads));
        pthread_mutex_init(&race.guard, NULL);
        for (i = 0; i < COUNT(threads); i++) {
            CHECK_INT(pthread_create(&threads[i], NULL, race_to_create, &race), 0);
        }
        for (i = 0; i < COUNT(threads); i++) {
            CHECK_INT(pthread_join(threads[i], NULL), 0);
        }
        CHECK_INT(race.created, 1);
        OK(avenv_registry_destroy("app", NULL, &error));
        pthread_barrier_destroy(&race.start);
        pthread_mutex_destroy(&race.guard);
    }
}

static const struct test tests[] = {
    RUN(one_name_is_one_profile_and_the_first_spec_made_it),
    RUN(free_only_detaches_and_another_process_attaches),
    RUN(attach_never_creates_and_neither_does_list),
    RUN(another_adapter_is_a_mismatch_for_both_calls),
    RUN(any_name_of_1_to_1024_bytes_is_a_name_and_is_listed_as_it_is),
    RUN(destroyed_by_somebody_else_counts_as_destroyed),
    RUN(a_stale_handle_harms_nobody),
    RUN(refresh_after_attach_reads_the_hosts_login_by_the_recorded_adapter),
    RUN(a_held_lock_is_waited_for_no_longer_than_asked_and_attach_needs_none),
    RUN(a_torn_index_is_left_as_it_is_until_repair_restores_it),
    RUN(of_racing_threads_one_creates_and_all_get_the_same),
};
MAIN(tests)
