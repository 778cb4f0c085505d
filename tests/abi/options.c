/* Options: what each accepts, and where environments go with it. */
#include "support.h"

TEST(new_options_are_the_defaults) {
    avenv_error *error = NULL;
    avenv_options *options = avenv_options_new();
    avenv_environment *env = NULL;
    CHECK(options != NULL);
    OK(avenv_environment_create_ephemeral(NULL, options, &env, &error));
    CHECK(strstr(avenv_environment_path(env), default_root()) != NULL);
    destroy_and_free(env);
    avenv_options_free(options);
}

TEST(every_setter_accepts_its_whole_range) {
    static const int64_t timeouts[] = {-1, 0, 1, 5000, INT64_MAX};
    avenv_error *error = NULL;
    avenv_options *options = avenv_options_new();
    size_t i;
    for (i = 0; i < COUNT(timeouts); i++) {
        OK(avenv_options_set_lock_timeout_ms(options, timeouts[i], &error));
    }
    OK(avenv_options_set_expected_adapter(options, "any id", &error));
    OK(avenv_options_set_durable(options, true, &error));
    OK(avenv_options_set_durable(options, false, &error));
    OK(avenv_options_set_force(options, true, &error));
    OK(avenv_options_set_force(options, false, &error));
    OK(avenv_options_set_registry_root(options, "/absolute", &error));
    OK(avenv_options_set_registry_root(options, "/another", &error));
    OK(avenv_options_set_ephemeral_root(options, "/absolute", &error));
    avenv_options_free(options);
}

TEST(a_lock_timeout_below_minus_one_is_refused) {
    static const int64_t timeouts[] = {-2, INT64_MIN};
    avenv_error *error = NULL;
    avenv_options *options = avenv_options_new();
    size_t i;
    for (i = 0; i < COUNT(timeouts); i++) {
        REFUSED(avenv_options_set_lock_timeout_ms(options, timeouts[i], &error), "lock_timeout_ms",
                "must be -1, for the default, or more");
    }
    avenv_options_free(options);
}

#define EMPTY "is empty: give a directory, or leave the option unset"

TEST(an_empty_root_is_refused) {
    avenv_error *error = NULL;
    avenv_options *options = avenv_options_new();
    REFUSED(avenv_options_set_ephemeral_root(options, "", &error), "ephemeral_root", EMPTY);
    REFUSED(avenv_options_set_registry_root(options, "", &error), "registry_root", EMPTY);
    avenv_options_free(options);
}

static void check_root(const avenv_options *options, const char *expected) {
    avenv_error *error = NULL;
    char *root = NULL;
    OK(avenv_registry_root(options, &root, &error));
    CHECK_STR(root, expected);
    avenv_string_free(root);
}

TEST(the_registry_root_is_the_options_then_the_variables_and_is_not_made) {
    avenv_error *error = NULL;
    avenv_options *options = avenv_options_new();
    check_root(NULL, fmt("%s/.local/share/agent-venv/envs", getenv("HOME")));
    setenv("XDG_DATA_HOME", fmt("%s/data", getenv("HOME")), 1);
    check_root(options, fmt("%s/data/agent-venv/envs", getenv("HOME")));
    setenv("AGENT_VENV_REGISTRY_ROOT", fmt("%s/variable", getenv("HOME")), 1);
    check_root(NULL, fmt("%s/variable", getenv("HOME")));
    OK(avenv_options_set_registry_root(options, fmt("%s/given", getenv("HOME")), &error));
    check_root(options, fmt("%s/given", getenv("HOME")));
    setenv("AGENT_VENV_REGISTRY_ROOT", "", 1); /* empty counts as unset */
    setenv("XDG_DATA_HOME", "", 1);
    check_root(NULL, fmt("%s/.local/share/agent-venv/envs", getenv("HOME")));
    CHECK_INT(entries("home"), 0);
    avenv_options_free(options);
}

static int lies_below(const avenv_environment *env, const char *root) {
    const size_t len = strlen(root);
    return strncmp(avenv_environment_path(env), root, len) == 0 && avenv_environment_path(env)[len] == '/';
}

TEST(the_ephemeral_root_is_the_options_then_the_variables_then_the_temporary_directorys) {
    const char *given = fmt("%s/given", getenv("HOME"));
    const char *variable = fmt("%s/variable", getenv("HOME"));
    avenv_environment *env;
    CHECK_INT(setenv("AGENT_VENV_EPHEMERAL_ROOT", variable, 1), 0);
    env = create_under(given, NULL);
    CHECK(lies_below(env, given));
    destroy_and_free(env);
    env = create(NULL);
    CHECK(lies_below(env, variable));
    destroy_and_free(env);
    CHECK_INT(setenv("AGENT_VENV_EPHEMERAL_ROOT", "", 1), 0); /* empty counts as unset */
    env = create(NULL);
    CHECK(lies_below(env, default_root()));
    destroy_and_free(env);
}

TEST(roots_are_made_0700_and_each_has_one_process_directory) {
    const char *root = fmt("%s/deep/er", getenv("HOME"));
    avenv_environment *first = create_under(root, NULL);
    avenv_environment *second = create_under(root, NULL);
    avenv_environment *elsewhere = create(NULL);
    CHECK_INT(mode_of(root), 0700);
    CHECK_INT(entries(root), 1);
    CHECK_INT(entries(in_profile(first, "..")), 2);
    CHECK(!lies_below(elsewhere, root));
    destroy_and_free(first);
    destroy_and_free(second);
    destroy_and_free(elsewhere);
}

static void check_refused(const avenv_options *options, const char *root) {
    avenv_error *error = NULL;
    avenv_environment *env = POISON(avenv_environment);
    char *report = POISON(char);
    check_row = root;
    CHECK_INT(avenv_environment_create_ephemeral(NULL, options, &env, &error), AVENV_PROFILE_SETUP_FAILED);
    CHECK(env == NULL);
    CONTAINS(avenv_error_payload_json(error), fmt("'path':'%s'", root));
    CHECK(strstr(avenv_error_message(error), "AGENT_VENV_EPHEMERAL_ROOT") != NULL); /* the remedy */
    avenv_error_free(error);
    CHECK_INT(avenv_reap(options, &report, &error), AVENV_PROFILE_SETUP_FAILED);
    CHECK(report == NULL);
    avenv_error_free(error);
}

/* Somebody else could have put it there, and could swap what lies in it. */
TEST(a_default_root_that_is_a_link_or_open_to_others_is_refused_with_the_remedy) {
    const char *root = default_root();
    CHECK_INT(mkdir("home/target", 0700), 0);
    CHECK_INT(symlink("../home/target", root), 0);
    check_refused(NULL, root);
    CHECK_INT(entries("home/target"), 0);

    CHECK_INT(unlink(root), 0);
    write_file(root, "a file");
    check_refused(NULL, root);

    CHECK_INT(unlink(root), 0);
    CHECK_INT(mkdir(root, 0700), 0);
    CHECK_INT(chmod(root, 0777), 0);
    check_refused(NULL, root);
    CHECK_INT(entries(root), 0);
    CHECK_INT(mode_of(root), 0777);
}

TEST(a_named_root_that_others_can_take_from_is_refused_and_a_sticky_one_is_not) {
    const char *root = fmt("%s/root", getenv("HOME"));
    avenv_error *error = NULL;
    avenv_options *options = avenv_options_new();
    avenv_environment *env = NULL;
    OK(avenv_options_set_ephemeral_root(options, root, &error));
    CHECK_INT(mkdir(root, 0700), 0);
    CHECK_INT(chmod(root, 0777), 0);
    check_refused(options, root);
    CHECK_INT(entries(root), 0);

    CHECK_INT(chmod(root, 01777), 0);
    OK(avenv_environment_create_ephemeral(NULL, options, &env, &error));
    CHECK_INT(mode_of(in_profile(env, "..")), 0700);
    destroy_and_free(env);
    avenv_options_free(options);
}

static const struct test tests[] = {
    RUN(new_options_are_the_defaults),
    RUN(every_setter_accepts_its_whole_range),
    RUN(a_lock_timeout_below_minus_one_is_refused),
    RUN(an_empty_root_is_refused),
    RUN(the_registry_root_is_the_options_then_the_variables_and_is_not_made),
    RUN(the_ephemeral_root_is_the_options_then_the_variables_then_the_temporary_directorys),
    RUN(roots_are_made_0700_and_each_has_one_process_directory),
    RUN(a_default_root_that_is_a_link_or_open_to_others_is_refused_with_the_remedy),
    RUN(a_named_root_that_others_can_take_from_is_refused_and_a_sticky_one_is_not),
};
MAIN(tests)
