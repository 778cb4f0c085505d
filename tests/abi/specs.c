/* A spec built piece by piece: what it accepts, what it refuses, what comes of it. */
#include "reasons.h"
#include "support.h"

TEST(files_are_bytes_of_any_value_and_length) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_spec *spec = parse("{}");
    unsigned char every_byte[256];
    size_t i;
    for (i = 0; i < sizeof every_byte; i++) {
        every_byte[i] = (unsigned char)i;
    }
    OK(avenv_spec_add_seed_file(spec, "every", every_byte, sizeof every_byte, 0, &error));
    OK(avenv_spec_add_seed_file(spec, "nul", "a\0b\0", 4, 0, &error));
    OK(avenv_spec_add_seed_file(spec, "empty", NULL, 0, 0, &error));
    OK(avenv_spec_add_seed_file(spec, "empty-too", "unread", 0, 0, &error));
    OK(avenv_spec_add_credential(spec, "keys/nul", "\0k", 2, &error));
    OK(avenv_spec_add_credential(spec, "keys/empty", NULL, 0, &error));
    OK(avenv_environment_create_ephemeral(spec, NULL, &env, &error));
    avenv_spec_free(spec);

    BYTES(in_profile(env, "every"), every_byte, sizeof every_byte);
    BYTES(in_profile(env, "nul"), "a\0b\0", 4);
    BYTES(in_profile(env, "empty"), "", 0);
    BYTES(in_profile(env, "empty-too"), "", 0);
    BYTES(in_profile(env, "keys/nul"), "\0k", 2);
    BYTES(in_profile(env, "keys/empty"), "", 0);
    CHECK_INT(entries(avenv_environment_path(env)), 5);
    destroy_and_free(env);
}

TEST(files_are_0600_unless_a_mode_is_given_and_directories_0700_at_any_umask) {
    static const mode_t umasks[] = {0, 022, 077, 0777};
    size_t i;
    for (i = 0; i < COUNT(umasks); i++) {
        avenv_error *error = NULL;
        avenv_environment *env = NULL;
        avenv_spec *spec = parse("{}");
        mode_t before = umask(umasks[i]);
        OK(avenv_spec_add_seed_file(spec, "plain", "x", 1, 0, &error));
        OK(avenv_spec_add_seed_file(spec, "hooks/run", "x", 1, 0700, &error));
        OK(avenv_spec_add_seed_file(spec, "wide", "x", 1, 0777, &error));
        OK(avenv_spec_add_credential(spec, "keys/token", "x", 1, &error));
        OK(avenv_environment_create_ephemeral(spec, NULL, &env, &error));
        CHECK_INT(umask(before), umasks[i]);
        avenv_spec_free(spec);

        CHECK_INT(mode_of(in_profile(env, "plain")), 0600);
        CHECK_INT(mode_of(in_profile(env, "hooks/run")), 0700);
        CHECK_INT(mode_of(in_profile(env, "wide")), 0777);
        CHECK_INT(mode_of(in_profile(env, "keys/token")), 0600);
        CHECK_INT(mode_of(in_profile(env, "hooks")), 0700);
        CHECK_INT(mode_of(in_profile(env, "keys")), 0700);
        CHECK_INT(mode_of(avenv_environment_path(env)), 0700);
        CHECK_INT(mode_of(in_profile(env, "..")), 0700);
        CHECK_INT(mode_of(in_profile(env, "../..")), 0700);
        destroy_and_free(env);
    }
}

TEST(the_last_piece_of_a_name_counts) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_spec *spec = parse("{'env_overrides':{'A':'json'},'seed_files':{'a':'json','b':'json'}}");
    OK(avenv_spec_set_env(spec, "A", "first", &error));
    OK(avenv_spec_set_env(spec, "A", "last", &error));
    OK(avenv_spec_add_seed_file(spec, "a", "first", 5, 0700, &error));
    OK(avenv_spec_add_seed_file(spec, "a", "last", 4, 0, &error)); /* its mode stays */
    OK(avenv_spec_add_credential(spec, "c", "first", 5, &error));
    OK(avenv_spec_add_credential(spec, "c", "last", 4, &error));
    OK(avenv_environment_create_ephemeral(spec, NULL, &env, &error));
    avenv_spec_free(spec);
    CHECK_JSON(avenv_environment_env_overrides_json(env), "{'A':'last'}");
    CONTENT(in_profile(env, "a"), "last");
    CHECK_INT(mode_of(in_profile(env, "a")), 0700);
    CONTENT(in_profile(env, "b"), "json");
    CONTENT(in_profile(env, "c"), "last");
    destroy_and_free(env);
}

TEST(every_ephemeral_home_in_a_value_becomes_the_profiles_path) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_spec *spec = parse("{}");
    const char *at;
    OK(avenv_spec_set_env(spec, "BOTH", "$EPHEMERAL_HOME:$EPHEMERAL_HOME/bin", &error));
    OK(avenv_spec_set_env(spec, "NEITHER", "$HOME ${EPHEMERAL_HOME} $EPHEMERAL", &error));
    OK(avenv_environment_create_ephemeral(spec, NULL, &env, &error));
    avenv_spec_free(spec);
    at = avenv_environment_path(env);
    CHECK_JSON(avenv_environment_env_overrides_json(env),
              fmt("{'BOTH':'%s:%s/bin','NEITHER':'$HOME ${EPHEMERAL_HOME} $EPHEMERAL'}", at, at));
    destroy_and_free(env);
}

TEST(a_piece_that_is_refused_names_its_field_and_leaves_the_spec_as_it_was) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_spec *spec = parse("{'seed_files':{'a/b':'seed'},'credentials':{'c/d':'key'}}");

    REFUSED(avenv_spec_set_env(spec, "", "v", &error), "env_overrides['']", EMPTY_VARIABLE_NAME);
    REFUSED(avenv_spec_set_env(spec, "A=B", "v", &error), "env_overrides['A=B']", BAD_VARIABLE_NAME);
    REFUSED(avenv_spec_add_seed_file(spec, "", "x", 1, 0, &error), "seed_files['']", EMPTY_PATH);
    REFUSED(avenv_spec_add_seed_file(spec, "/x", "x", 1, 0, &error), "seed_files['/x']", ABSOLUTE);
    REFUSED(avenv_spec_add_seed_file(spec, "../x", "x", 1, 0, &error), "seed_files['../x']", LEADS_OUT);
    REFUSED(avenv_spec_add_seed_file(spec, "x/", "x", 1, 0, &error), "seed_files['x/']", ENDS_IN_SLASH);
    REFUSED(avenv_spec_add_seed_file(spec, "a", "x", 1, 0, &error), "seed_files['a']", ON_THE_WAY_TO("a/b"));
    REFUSED(avenv_spec_add_seed_file(spec, "a/b/c", "x", 1, 0, &error), "seed_files['a/b/c']", NEEDS_A_DIRECTORY("a/b"));
    REFUSED(avenv_spec_add_seed_file(spec, "c", "x", 1, 0, &error), "seed_files['c']", ON_THE_WAY_TO("c/d"));
    REFUSED(avenv_spec_add_seed_file(spec, "c/d", "x", 1, 0, &error), "seed_files['c/d']", SEED_AND_CREDENTIAL);
    REFUSED(avenv_spec_add_seed_file(spec, "x", "x", 1, 01000, &error), "file_modes['x']", OUT_OF_RANGE);
    REFUSED(avenv_spec_add_seed_file(spec, "x", "x", 1, UINT32_MAX, &error), "file_modes['x']", OUT_OF_RANGE);
    REFUSED(avenv_spec_add_credential(spec, "./x", "x", 1, &error), "credentials['./x']", HOLDS_DOT);
    REFUSED(avenv_spec_add_credential(spec, "c", "x", 1, &error), "credentials['c']", ON_THE_WAY_TO("c/d"));
    REFUSED(avenv_spec_add_credential(spec, "a/b", "x", 1, &error), "credentials['a/b']", SEED_AND_CREDENTIAL);

    OK(avenv_environment_create_ephemeral(spec, NULL, &env, &error));
    avenv_spec_free(spec);
    CHECK_JSON(avenv_environment_env_overrides_json(env), "{}");
    CHECK_INT(entries(avenv_environment_path(env)), 2);
    CONTENT(in_profile(env, "a/b"), "seed");
    CONTENT(in_profile(env, "c/d"), "key");
    destroy_and_free(env);
}

TEST(a_spec_is_read_during_the_call_and_serves_again) {
    avenv_error *error = NULL;
    avenv_environment *first = NULL;
    avenv_environment *second = NULL;
    avenv_spec *spec = parse("{'seed_files':{'a':'1'},'prefix':'twice-'}");
    OK(avenv_environment_create_ephemeral(spec, NULL, &first, &error));
    OK(avenv_spec_add_seed_file(spec, "a", "2", 1, 0, &error));
    OK(avenv_environment_create_ephemeral(spec, NULL, &second, &error));
    avenv_spec_free(spec);
    CHECK(strcmp(avenv_environment_path(first), avenv_environment_path(second)) != 0);
    CHECK(strstr(avenv_environment_path(first), "/twice-") != NULL);
    CONTENT(in_profile(first, "a"), "1");
    CONTENT(in_profile(second, "a"), "2");
    destroy_and_free(first);
    destroy_and_free(second);
}

TEST(a_file_that_cannot_be_written_leaves_nothing_behind) {
    avenv_error *error = NULL;
    avenv_environment *env = POISON(avenv_environment);
    avenv_environment *neighbour = create(NULL);
    avenv_spec *spec = parse("{'seed_files':{'a':'1'}}");
    char too_long[300];
    memset(too_long, 'n', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    OK(avenv_spec_add_seed_file(spec, too_long, "x", 1, 0, &error));
    CHECK_INT(avenv_environment_create_ephemeral(spec, NULL, &env, &error), AVENV_PROFILE_SETUP_FAILED);
    CHECK(env == NULL);
    CONTAINS(avenv_error_payload_json(error), "'path':'");
    CONTAINS(avenv_error_payload_json(error), "'reason':'");
    avenv_error_free(error);
    avenv_spec_free(spec);
    CHECK_INT(entries(in_profile(neighbour, "..")), 1);
    destroy_and_free(neighbour);
}

static const struct test tests[] = {
    RUN(files_are_bytes_of_any_value_and_length),
    RUN(files_are_0600_unless_a_mode_is_given_and_directories_0700_at_any_umask),
    RUN(the_last_piece_of_a_name_counts),
    RUN(every_ephemeral_home_in_a_value_becomes_the_profiles_path),
    RUN(a_piece_that_is_refused_names_its_field_and_leaves_the_spec_as_it_was),
    RUN(a_spec_is_read_during_the_call_and_serves_again),
    RUN(a_file_that_cannot_be_written_leaves_nothing_behind),
};
MAIN(tests)
