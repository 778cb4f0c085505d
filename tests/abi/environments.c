/* The handle and its life: getters, destroy, free, and use after destroy. */
#include "support.h"

static const char *const full_spec =
    "{'adapter_id':'mine','prefix':'mine-','env_overrides':{'MINE_HOME':'$EPHEMERAL_HOME'},"
    "'seed_files':{'settings.json':'{}'},'credentials':{'token':'secret'}}";

static void check_getters(const avenv_environment *env, const char *at) {
    CHECK_STR(avenv_environment_path(env), at);
    CHECK(avenv_environment_name(env) == NULL);
    CHECK_STR(avenv_environment_kind(env), "ephemeral");
    CHECK_STR(avenv_environment_adapter_id(env), "mine");
    CHECK_JSON(avenv_environment_env_overrides_json(env), fmt("{'MINE_HOME':'%s'}", at));
    CHECK_STR(avenv_environment_env_unset_json(env), "[]");
}

TEST(getters_answer_the_same_before_and_after_destroy) {
    avenv_error *error = NULL;
    avenv_environment *env = create(full_spec);
    const char *at = avenv_environment_path(env);
    const char *overrides = avenv_environment_env_overrides_json(env);
    char copy[4096];
    char *events = NULL;
    strcpy(copy, at);

    check_getters(env, copy);
    OK(avenv_environment_destroy(env, NULL, &error));
    CHECK(!exists(copy));
    check_getters(env, copy);
    OK(avenv_environment_events_json(env, &events, &error));
    CONTAINS(events, "'env.destroyed'");
    avenv_string_free(events);

    /* borrowed until the handle is freed: the same address, whatever was called in between */
    CHECK(avenv_environment_path(env) == at);
    CHECK(avenv_environment_env_overrides_json(env) == overrides);
    avenv_environment_free(env);
}

TEST(the_path_is_absolute_canonical_and_named_by_the_prefix) {
    avenv_environment *env = create(full_spec);
    const char *at = avenv_environment_path(env);
    char *canonical = realpath(at, NULL);
    CHECK_STR(at, canonical);
    CHECK(strncmp(strrchr(at, '/'), "/mine-", 6) == 0);
    free(canonical);
    destroy_and_free(env);
}

TEST(destroy_removes_the_profile_and_may_be_called_again) {
    avenv_error *error = NULL;
    avenv_environment *env = create(full_spec);
    CHECK(exists(avenv_environment_path(env)));
    OK(avenv_environment_destroy(env, NULL, &error));
    CHECK(!exists(avenv_environment_path(env)));
    OK(avenv_environment_destroy(env, NULL, &error));
    OK(avenv_environment_destroy(env, NULL, &error));
    avenv_environment_free(env);
}

TEST(destroy_of_a_profile_that_is_gone_already_succeeds) {
    avenv_error *error = NULL;
    avenv_environment *env = create(full_spec);
    check_remove_tree(avenv_environment_path(env));
    OK(avenv_environment_destroy(env, NULL, &error));
    avenv_environment_free(env);
}

TEST(destroy_copes_with_what_an_agent_leaves) {
    avenv_environment *env = create(full_spec);
    const char *at = avenv_environment_path(env);
    write_file("outside", "untouched");
    CHECK_INT(chmod("outside", 0640), 0);
    CHECK_INT(mkdir(fmt("%s/read-only", at), 0700), 0);
    write_file(fmt("%s/read-only/file", at), "x");
    write_file(fmt("%s/read-only/\xff\n", at), "x");
    CHECK_INT(symlink(fmt("%s/../outside", getenv("HOME")), fmt("%s/read-only/link", at)), 0);
    CHECK_INT(link("outside", fmt("%s/read-only/hard-link", at)), 0);
    CHECK_INT(mkfifo(fmt("%s/read-only/fifo", at), 0600), 0);
    CHECK_INT(chmod(fmt("%s/read-only", at), 0500), 0);
    CHECK_INT(chmod(at, 0), 0);
    at = fmt("%s", at);
    destroy_and_free(env);
    CHECK(!exists(at));
    CONTENT("outside", "untouched");
    CHECK_INT(mode_of("outside"), 0640);
}

TEST(free_removes_what_was_not_destroyed) {
    avenv_environment *env = create(full_spec);
    const char *at = fmt("%s", avenv_environment_path(env));
    avenv_environment_free(env);
    CHECK(!exists(at));
}

TEST(a_destroyed_handle_refuses_what_needs_a_profile) {
    avenv_error *error = NULL;
    avenv_environment *env = create(full_spec);
    avenv_spec *spec = parse(full_spec);
    const char *destroyed =
        fmt("{'message':'the environment at \\'%s\\' was destroyed: create another'}", avenv_environment_path(env));
    char **envp = POISON(char *);
    OK(avenv_environment_destroy(env, NULL, &error));
    FAILS(avenv_environment_refresh_credentials(env, NULL, NULL, &error), AVENV_INTERNAL_INVARIANT_VIOLATION, destroyed);
    FAILS(avenv_environment_refresh_credentials(env, spec, NULL, &error), AVENV_INTERNAL_INVARIANT_VIOLATION, destroyed);
    FAILS(avenv_environment_envp(env, NULL, &envp, &error), AVENV_INTERNAL_INVARIANT_VIOLATION, destroyed);
    CHECK(envp == NULL);
    CHECK(!exists(avenv_environment_path(env)));
    avenv_spec_free(spec);
    avenv_environment_free(env);
}

TEST(a_destroyed_handle_frees_nothing_that_came_later_at_its_path) {
    avenv_error *error = NULL;
    avenv_environment *env = create(full_spec);
    const char *at = avenv_environment_path(env);
    OK(avenv_environment_destroy(env, NULL, &error));
    CHECK_INT(mkdir(at, 0700), 0);
    OK(avenv_environment_destroy(env, NULL, &error));
    CHECK(exists(at));
    at = fmt("%s", at);
    avenv_environment_free(env);
    CHECK(exists(at));
}

TEST(objects_outlive_those_they_were_made_with) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_spec *spec = parse(full_spec);
    avenv_options *options = avenv_options_new();
    OK(avenv_options_set_ephemeral_root(options, fmt("%s/root", getenv("HOME")), &error));
    OK(avenv_environment_create_ephemeral(spec, options, &env, &error));
    avenv_spec_free(spec);
    avenv_options_free(options);
    CHECK(strstr(avenv_environment_path(env), "/home/root/") != NULL);
    OK(avenv_environment_refresh_credentials(env, NULL, NULL, &error));
    destroy_and_free(env);
}

static const struct test tests[] = {
    RUN(getters_answer_the_same_before_and_after_destroy),
    RUN(the_path_is_absolute_canonical_and_named_by_the_prefix),
    RUN(destroy_removes_the_profile_and_may_be_called_again),
    RUN(destroy_of_a_profile_that_is_gone_already_succeeds),
    RUN(destroy_copes_with_what_an_agent_leaves),
    RUN(free_removes_what_was_not_destroyed),
    RUN(a_destroyed_handle_refuses_what_needs_a_profile),
    RUN(a_destroyed_handle_frees_nothing_that_came_later_at_its_path),
    RUN(objects_outlive_those_they_were_made_with),
};
MAIN(tests)
