/* Any function, from any thread, at any time, on the same handle too. */
#include "crew.h"

/* ---- one handle, all functions at once ---- */

static void read_all(const avenv_environment *env) {
    CHECK(strstr(avenv_environment_env_overrides_json(env), avenv_environment_path(env)) != NULL);
    CHECK_STR(avenv_environment_kind(env), "ephemeral");
    CHECK_STR(avenv_environment_adapter_id(env), "generic");
    CHECK_STR(avenv_environment_env_unset_json(env), "[]");
    CHECK(avenv_environment_name(env) == NULL);
}

/* Before the destroy of another thread the call succeeds, after it the handle is destroyed: nothing in between. */
static void check_either(avenv_status status, avenv_error **error) {
    if (status != AVENV_OK) {
        CHECK_STR(avenv_error_kind(*error), "InternalInvariantViolation");
        CONTAINS(avenv_error_message(*error), "was destroyed");
        avenv_error_free(*error);
    }
}

static void use_or_destroy(void *shared, int member) {
    avenv_environment *env = (avenv_environment *)shared;
    int round;
    for (round = 0; round < ROUNDS; round++) {
        avenv_error *error = NULL;
        char *events = NULL;
        char **envp = NULL;
        read_all(env);
        OK(avenv_environment_events_json(env, &events, &error));
        CHECK(strstr(events, "env.created") != NULL);
        avenv_string_free(events);
        check_either(avenv_environment_refresh_credentials(env, NULL, NULL, &error), &error);
        check_either(avenv_environment_envp(env, NULL, &envp, &error), &error);
        avenv_envp_free(envp);
        if (member == 0 && round == ROUNDS / 2) {
            OK(avenv_environment_destroy(env, NULL, &error));
        }
    }
}

TEST(one_handle_is_read_refreshed_and_destroyed_by_many_threads) {
    avenv_environment *env = create("{'env_overrides':{'A':'$EPHEMERAL_HOME'},'credentials':{'token':'t'}}");
    run_crew(use_or_destroy, env);
    CHECK(!exists(avenv_environment_path(env)));
    avenv_environment_free(env);
}

static void destroy_once(void *shared, int member) {
    avenv_error *error = NULL;
    (void)member;
    OK(avenv_environment_destroy((avenv_environment *)shared, NULL, &error));
    CHECK(!exists(avenv_environment_path((avenv_environment *)shared))); /* also where another thread removes it */
}

TEST(racing_destroys_all_succeed_and_one_removes) {
    int round;
    for (round = 0; round < ROUNDS; round++) {
        avenv_error *error = NULL;
        avenv_environment *env = create("{'seed_files':{'a/b/c':'x','d':'y'}}");
        char *events = NULL;
        const char *first;
        run_crew(destroy_once, env);
        OK(avenv_environment_events_json(env, &events, &error));
        first = strstr(events, "env.destroyed");
        CHECK(first != NULL && strstr(first + 1, "env.destroyed") == NULL);
        avenv_string_free(events);
        avenv_environment_free(env);
    }
}

/* ---- many handles of one spec ---- */

struct recipe {
    avenv_spec *spec;
    avenv_options *options;
};

static void create_and_destroy(void *shared, int member) {
    const struct recipe *recipe = (const struct recipe *)shared;
    int round;
    (void)member;
    for (round = 0; round < ROUNDS; round++) {
        avenv_error *error = NULL;
        avenv_environment *env = NULL;
        struct stat status;
        char seed[4200];
        OK(avenv_environment_create_ephemeral(recipe->spec, recipe->options, &env, &error));
        snprintf(seed, sizeof seed, "%s/seed", avenv_environment_path(env));
        CHECK_INT(lstat(seed, &status), 0);
        if (round % 2 == 0) {
            OK(avenv_environment_destroy(env, recipe->options, &error));
        }
        avenv_environment_free(env);
        CHECK(!exists(seed));
    }
}

TEST(threads_create_from_one_spec_and_share_one_process_directory) {
    const char *root = fmt("%s/root", getenv("HOME"));
    avenv_error *error = NULL;
    struct recipe recipe;
    recipe.spec = parse("{'seed_files':{'seed':'x'}}");
    recipe.options = avenv_options_new();
    OK(avenv_options_set_ephemeral_root(recipe.options, root, &error));
    run_crew(create_and_destroy, &recipe);
    CHECK_INT(entries(root), 1);
    avenv_options_free(recipe.options);
    avenv_spec_free(recipe.spec);
}

static void create_or_reap(void *shared, int member) {
    if (member % 2 == 0) {
        create_and_destroy(shared, member);
    } else {
        const struct recipe *recipe = (const struct recipe *)shared;
        int round;
        for (round = 0; round < ROUNDS; round++) {
            avenv_error *error = NULL;
            char *report = NULL;
            OK(avenv_reap(recipe->options, &report, &error));
            CONTAINS(report, "'failed':[]");
            avenv_string_free(report);
        }
    }
}

/* Reap gives back this process's own directory where it is empty: never from under a create. */
TEST(threads_reap_while_others_create_and_none_is_lost) {
    avenv_error *error = NULL;
    struct recipe recipe;
    recipe.spec = parse("{'seed_files':{'seed':'x'}}");
    recipe.options = avenv_options_new();
    OK(avenv_options_set_ephemeral_root(recipe.options, fmt("%s/root", getenv("HOME")), &error));
    run_crew(create_or_reap, &recipe);
    avenv_options_free(recipe.options);
    avenv_spec_free(recipe.spec);
}

/* ---- a handle that moves ---- */

static void *use_and_free(void *argument) {
    avenv_environment *env = (avenv_environment *)argument;
    read_all(env);
    destroy_and_free(env);
    return NULL;
}

TEST(a_handle_made_in_one_thread_is_destroyed_and_freed_in_another) {
    avenv_environment *env = create("{'env_overrides':{'A':'$EPHEMERAL_HOME'}}");
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, use_and_free, env), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

static const struct test tests[] = {
    RUN(one_handle_is_read_refreshed_and_destroyed_by_many_threads),
    RUN(racing_destroys_all_succeed_and_one_removes),
    RUN(threads_create_from_one_spec_and_share_one_process_directory),
    RUN(threads_reap_while_others_create_and_none_is_lost),
    RUN(a_handle_made_in_one_thread_is_destroyed_and_freed_in_another),
};
MAIN(tests)
