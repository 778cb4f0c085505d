/* Persistent environments, errors and options that many threads share: each answer is one that some order explains. */
#include "crew.h"

#define SPEC "{'adapter_id':'mine','env_overrides':{'A':'$EPHEMERAL_HOME'},'seed_files':{'seed':'x'},'credentials':{'token':'t'}}"

struct registry {
    avenv_spec *spec;
    avenv_options *options;
    avenv_environment *env;
    const avenv_error *error;
};

static struct registry make_registry(void) {
    struct registry made = {parse(SPEC), avenv_options_new(), NULL, NULL};
    avenv_error *error = NULL;
    OK(avenv_options_set_registry_root(made.options, fmt("%s/registry", getenv("HOME")), &error));
    OK(avenv_options_set_ephemeral_root(made.options, fmt("%s/ephemeral", getenv("HOME")), &error));
    return made;
}

static void free_registry(struct registry *made) {
    avenv_environment_free(made->env);
    avenv_options_free(made->options);
    avenv_spec_free(made->spec);
}

static int listed(const struct registry *in, const char *name) {
    avenv_error *error = NULL;
    char *names = NULL;
    int is;
    OK(avenv_registry_list_json(in->options, &names, &error));
    is = strstr(names, name) != NULL;
    avenv_string_free(names);
    return is;
}

/* Done, or there is no such environment any more: which of both, and the error is freed. */
static int done(avenv_status status, avenv_error **error) {
    const int is_done = status == AVENV_OK;
    if (!is_done && status != AVENV_ENVIRONMENT_NOT_FOUND) {
        CHECK_INT(status, AVENV_INTERNAL_INVARIANT_VIOLATION);
        CONTAINS(avenv_error_message(*error), "was destroyed");
    }
    avenv_error_free(*error);
    *error = NULL;
    return is_done;
}

static void housekeeping(const struct registry *in) {
    avenv_error *error = NULL;
    char *report = NULL;
    OK(avenv_reap(in->options, &report, &error));
    avenv_string_free(report);
    OK(avenv_registry_repair(in->options, &report, &error));
    avenv_string_free(report);
    OK(avenv_registry_root(in->options, &report, &error));
    avenv_string_free(report);
}

static void use(const struct registry *in) {
    avenv_environment *env = in->env;
    avenv_error *error = NULL;
    char **envp = NULL, *events = NULL;
    CHECK(strstr(avenv_environment_env_overrides_json(env), avenv_environment_path(env)) != NULL);
    CHECK_STR(avenv_environment_name(env), "shared");
    CHECK_STR(avenv_environment_kind(env), "persistent");
    CHECK_STR(avenv_environment_adapter_id(env), "mine");
    CHECK_STR(avenv_environment_env_unset_json(env), "[]");
    done(avenv_environment_refresh_credentials(env, in->spec, in->options, &error), &error);
    done(avenv_environment_envp(env, NULL, &envp, &error), &error);
    avenv_envp_free(envp);
    OK(avenv_environment_events_json(env, &events, &error));
    CONTAINS(events, "env.created");
    avenv_string_free(events);
}

/* Two members destroy at once, in the midst of everybody's calls. */
static void use_and_destroy(void *shared, int member) {
    const struct registry *in = (const struct registry *)shared;
    int round;
    for (round = 0; round < many(ROUNDS); round++) {
        avenv_error *error = NULL;
        avenv_environment *own = NULL;
        use(in);
        if (done(avenv_environment_attach("shared", in->options, &own, &error), &error)) {
            CHECK_STR(avenv_environment_path(own), avenv_environment_path(in->env));
        }
        avenv_environment_free(own);
        if (member == 0) {
            housekeeping(in);
        }
        if (member < 2 && round == many(ROUNDS) / 2) {
            OK(avenv_environment_destroy(in->env, in->options, &error));
            CHECK(!listed(in, "shared"));
        }
    }
}

TEST(one_persistent_handle_is_used_refreshed_and_destroyed_by_many_threads) {
    struct registry made = make_registry();
    avenv_error *error = NULL;
    OK(avenv_environment_create_or_attach("shared", made.spec, made.options, &made.env, &error));
    run_crew(use_and_destroy, &made);
    CHECK(!exists(avenv_environment_path(made.env)));
    free_registry(&made);
}

static void come_and_go(void *shared, int member) {
    const struct registry *in = (const struct registry *)shared;
    int round;
    for (round = 0; round < many(ROUNDS); round++) {
        const char *name = (member + round) % 2 == 0 ? "even" : "odd";
        avenv_error *error = NULL;
        avenv_environment *env = NULL, *again = NULL;
        OK(avenv_environment_create_or_attach(name, in->spec, in->options, &env, &error));
        listed(in, name);
        done(avenv_environment_attach(name, in->options, &again, &error), &error);
        done(avenv_environment_refresh_credentials(env, in->spec, in->options, &error), &error);
        if (member % 3 == 0) {
            OK(avenv_environment_destroy(env, in->options, &error));
        } else if (member % 3 == 1) {
            done(avenv_registry_destroy(name, in->options, &error), &error);
        }
        avenv_environment_free(again);
        avenv_environment_free(env);
    }
}

TEST(names_are_created_attached_listed_and_destroyed_by_all_at_once) {
    struct registry made = make_registry();
    avenv_error *error = NULL;
    const char *const names[] = {"even", "odd"};
    size_t i;
    run_crew(come_and_go, &made);
    for (i = 0; i < COUNT(names); i++) {
        const int is_listed = listed(&made, names[i]);
        avenv_environment *env = NULL;
        CHECK_INT(done(avenv_environment_attach(names[i], made.options, &env, &error), &error), is_listed);
        avenv_environment_free(env);
    }
    housekeeping(&made);
    CHECK_INT(entries(fmt("%s/registry/.agent-venv", getenv("HOME"))), 0);
    free_registry(&made);
}

static void read_the_error(void *shared, int member) {
    const avenv_error *error = ((const struct registry *)shared)->error;
    int round;
    (void)member;
    for (round = 0; round < ROUNDS; round++) {
        CHECK_INT(avenv_error_status(error), AVENV_ENVIRONMENT_NOT_FOUND);
        CHECK_STR(avenv_error_kind(error), "EnvironmentNotFound");
        CHECK(strstr(avenv_error_message(error), "nobody") != NULL);
        CONTAINS(avenv_error_payload_json(error), "'name':'nobody'");
        CONTAINS(avenv_error_events_json(error), "EnvironmentNotFound");
    }
}

TEST(one_error_is_read_by_many_threads) {
    struct registry made = make_registry();
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    CHECK_INT(avenv_environment_attach("nobody", made.options, &env, &error), AVENV_ENVIRONMENT_NOT_FOUND);
    made.error = error;
    run_crew(read_the_error, &made);
    avenv_error_free(error);
    free_registry(&made);
}

/* Each thread's own are made and changed while the others make and change theirs. */
static void set_own_options(void *shared, int member) {
    int round;
    (void)shared;
    for (round = 0; round < ROUNDS; round++) {
        avenv_error *error = NULL;
        char *root = NULL;
        avenv_spec *spec = parse("{}");
        avenv_options *options = avenv_options_new();
        OK(avenv_spec_set_env(spec, "A", "b", &error));
        OK(avenv_spec_add_credential(spec, "token", "t", 1, &error));
        OK(avenv_options_set_registry_root(options, fmt("/nowhere/%d", member), &error));
        OK(avenv_options_set_lock_timeout_ms(options, member, &error));
        OK(avenv_options_set_durable(options, member % 2 == 0, &error));
        OK(avenv_registry_root(options, &root, &error));
        CHECK_STR(root, fmt("/nowhere/%d", member));
        avenv_string_free(root);
        avenv_options_free(options);
        avenv_spec_free(spec);
    }
}

TEST(options_and_specs_of_different_threads_are_apart) {
    run_crew(set_own_options, NULL);
}

static const struct test tests[] = {
    RUN(one_persistent_handle_is_used_refreshed_and_destroyed_by_many_threads),
    RUN(names_are_created_attached_listed_and_destroyed_by_all_at_once),
    RUN(one_error_is_read_by_many_threads),
    RUN(options_and_specs_of_different_threads_are_apart),
};
MAIN(tests)
