/* The library speaks of itself: versions, statuses and their kinds, capabilities. */
#include "support.h"

TEST(version_macros_equal_the_librarys) {
    CHECK_STR(avenv_version(), fmt("%d.%d.%d", AVENV_VERSION_MAJOR, AVENV_VERSION_MINOR, AVENV_VERSION_PATCH));
    CHECK_INT(avenv_abi_version(), AVENV_ABI_VERSION);
    CHECK_INT(AVENV_ABI_VERSION, 0);
}

/* The numbers are written out here, for a program that was compiled last year has them in it. */
static const struct {
    avenv_status constant;
    avenv_status number;
    const char *kind;
} statuses[] = {
    {AVENV_ENVIRONMENT_NOT_FOUND, 1, "EnvironmentNotFound"},
    {AVENV_ENVIRONMENT_ALREADY_EXISTS, 2, "EnvironmentAlreadyExists"},
    {AVENV_ADAPTER_MISMATCH, 3, "AdapterMismatch"},
    {AVENV_PROFILE_SETUP_FAILED, 4, "ProfileSetupFailed"},
    {AVENV_REGISTRY_UNAVAILABLE, 5, "RegistryUnavailable"},
    {AVENV_CREDENTIALS_MISSING, 6, "CredentialsMissing"},
    {AVENV_ADAPTER_UNAVAILABLE, 7, "AdapterUnavailable"},
    {AVENV_CLEANUP_FAILED, 8, "CleanupFailed"},
    {AVENV_INVALID_ENVIRONMENT_SPEC, 9, "InvalidEnvironmentSpec"},
    {AVENV_INTERNAL_INVARIANT_VIOLATION, 10, "InternalInvariantViolation"},
    {AVENV_ENVIRONMENT_IN_USE, 11, "EnvironmentInUse"},
    {AVENV_CREDENTIALS_CONFLICT, 12, "CredentialsConflict"},
};

TEST(statuses_keep_their_numbers_and_kinds) {
    size_t i;
    CHECK_INT(AVENV_OK, 0);
    CHECK_INT(sizeof(avenv_status), 4);
    for (i = 0; i < COUNT(statuses); i++) {
        check_row = statuses[i].kind;
        CHECK_INT(statuses[i].constant, statuses[i].number);
        CHECK_STR(avenv_status_kind(statuses[i].number), statuses[i].kind);
    }
}

TEST(a_status_that_is_no_failure_of_ours_has_the_empty_kind) {
    static const avenv_status others[] = {AVENV_OK, -1, 13, INT32_MAX, INT32_MIN};
    size_t i;
    for (i = 0; i < COUNT(others); i++) {
        CHECK_STR(avenv_status_kind(others[i]), "");
    }
}

TEST(capabilities_are_the_contracts) {
    CHECK_JSON(avenv_capabilities_json(),
              fmt("{'spec_version':'0.1','package_version':'%s','language':'c',"
                   "'operations':['ephemeral','create_or_attach','attach','list','destroy','destroy_by_name',"
                   "'refresh_credentials','repair','reap'],"
                   "'platforms':['darwin','linux']}",
                   avenv_version()));
}

TEST(what_belongs_to_the_library_stays_at_one_address) {
    CHECK(avenv_version() == avenv_version());
    CHECK(avenv_capabilities_json() == avenv_capabilities_json());
    CHECK(avenv_adapters_json() == avenv_adapters_json());
    CHECK(avenv_status_kind(AVENV_CLEANUP_FAILED) == avenv_status_kind(AVENV_CLEANUP_FAILED));
}

TEST(freeing_null_does_nothing) {
    avenv_string_free(NULL);
    avenv_error_free(NULL);
    avenv_spec_free(NULL);
    avenv_options_free(NULL);
    avenv_environment_free(NULL);
    avenv_envp_free(NULL);
}

static const struct test tests[] = {
    RUN(version_macros_equal_the_librarys),
    RUN(statuses_keep_their_numbers_and_kinds),
    RUN(a_status_that_is_no_failure_of_ours_has_the_empty_kind),
    RUN(capabilities_are_the_contracts),
    RUN(what_belongs_to_the_library_stays_at_one_address),
    RUN(freeing_null_does_nothing),
};
MAIN(tests)
