/* Every kind that can be reached, thrown and answered: status, kind, message, whole payload, events. */
#include <sched.h>
#include <sys/mount.h>

#include "support.hpp"

static fs::path registry() { return avenv::registry_root(); }

static std::string named(const fs::path &path) { return "\"" + path.native() + "\""; }

TEST(an_unknown_name_is_not_found) {
    const std::string expected = R"(EnvironmentNotFound {"name":"nobody","registry_root":)" + named(registry()) + "}";
    FAILS(Environment::, attach("nobody"), expected);
    FAILS(Environment::, destroy_by_name("nobody"), expected);
}

TEST(another_adapter_than_the_recorded_one_is_a_mismatch) {
    (void)Environment::create_or_attach("name", Spec::parse(R"({"adapter_id":"mine"})"));
    const Spec others = Spec::parse(R"({"adapter_id":"others"})");
    const std::string expected =
        R"(AdapterMismatch {"actual_adapter_id":"others","expected_adapter_id":"mine","name":"name"})";
    FAILS(Environment::, create_or_attach("name", others), expected);
    FAILS(Environment::, attach("name", Options().set_expected_adapter("others")), expected);
    CHECK(Environment::attach("name", Options().set_expected_adapter("mine")).adapter_id() == "mine");
}

TEST(a_root_that_is_no_directory_is_named_by_its_kind) {
    Options nowhere;
    nowhere.set_ephemeral_root("/dev/null").set_registry_root("/dev/null");
    const auto ephemeral = Environment::try_ephemeral(Spec(), nowhere);
    const auto persistent = Environment::try_create_or_attach("name", Spec(), nowhere);
    CHECK_INT(ephemeral.error().status(), AVENV_PROFILE_SETUP_FAILED);
    CHECK_INT(persistent.error().status(), AVENV_REGISTRY_UNAVAILABLE);
    CHECK(contains(told(ephemeral), R"("path":"/dev/null)") && contains(told(persistent), R"("path":"/dev/null)"));
    FAILS(Environment::, ephemeral(Spec(), nowhere), told(ephemeral));
    FAILS(Environment::, create_or_attach("name", Spec(), nowhere), told(persistent));
    FAILS(Environment::, list(nowhere), told(Environment::try_list(nowhere)));
    FAILS(avenv::, repair(nowhere), told(avenv::try_repair(nowhere)));
    FAILS(avenv::, reap(nowhere), told(avenv::try_reap(nowhere)));
    CHECK(told(avenv::try_repair(nowhere)) != "success" && told(avenv::try_reap(nowhere)) != "success");
}

TEST(no_login_on_the_host_names_every_place_looked_at) {
    const std::string login = std::string(getenv("HOME")) + "/.codex/auth.json";
    const std::string expected = R"(CredentialsMissing {"adapter_id":"codex","looked_at":[")" + login + "\"]}";
    FAILS(Environment::, ephemeral(Spec::for_adapter("codex")), expected);
    CHECK_INT(environments_left(), 0);
}

TEST(a_program_that_is_not_on_path_is_unavailable) {
    const char *const definition = R"({"id":"mine","program":"no-such-program"})";
    const std::string expected = R"(AdapterUnavailable {"adapter_id":"mine","cli_bin":"no-such-program"})";
    FAILS(avenv::, adapter_ensure_available(definition), expected);
    avenv::adapter_ensure_available(R"({"id":"mine","program":"sh"})");
}

/* From here on this process may mount, seen by nobody else. */
static void own_mounts() {
    const std::string id = std::to_string(geteuid());
    CHECK_INT(unshare(CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER)), 0);
    if (id != "0") {
        std::ofstream("/proc/self/uid_map") << id << ' ' << id << " 1";
    }
    CHECK_INT(mount("none", "/", "", MS_REC | MS_PRIVATE, nullptr), 0);
}

TEST(what_cannot_be_removed_is_told_and_destroy_tries_again) {
    own_mounts();
    Environment env = Environment::ephemeral();
    const fs::path mounted = env.path() / "mounted";
    fs::create_directory(mounted);
    CHECK_INT(mount("none", mounted.c_str(), "tmpfs", 0, nullptr), 0);
    const std::string expected = told(env.try_destroy());
    CHECK(contains(expected, "CleanupFailed") && contains(expected, "\"path\":" + named(mounted)));
    FAILS(env., destroy(), expected);
    CHECK_INT(umount(mounted.c_str()), 0);
    env.destroy();
    CHECK(!fs::exists(mounted));
}

TEST(malformed_specs_are_refused_field_and_reason) {
    FAILS(Spec::, parse("{"), refusal("spec", "is not valid JSON (line 1, column 1)"));
    FAILS(Spec::, parse(R"({"prefix":7})"), refusal("prefix", "must be a string, not a number"));
    CHECK(contains(told(Spec::try_for_adapter("nobody")), R"(InvalidEnvironmentSpec {"field":"adapter")"));
    FAILS(Spec::, for_adapter("nobody"), told(Spec::try_for_adapter("nobody")));
    Spec spec;
    FAILS(spec., set_env("A=B", "value"), told(spec.try_set_env("A=B", "value")));
    FAILS(spec., add_seed_file("../x", ""), told(spec.try_add_seed_file("../x", "")));
    FAILS(spec., add_credential("/x", ""), told(spec.try_add_credential("/x", "")));
    CHECK(contains(told(spec.try_set_env("A=B", "value")), R"("field":"env_overrides[\"A=B\"]")"));
    CHECK(contains(told(spec.try_add_seed_file("../x", "")), R"("field":"seed_files[\"../x\"]")"));
    CHECK(contains(told(spec.try_add_credential("/x", "")), R"("field":"credentials[\"/x\"]")"));
    Options options;
    FAILS(options., set_lock_timeout(std::chrono::milliseconds(-2)),
          told(options.try_set_lock_timeout(std::chrono::milliseconds(-2))));
    CHECK(contains(told(options.try_set_lock_timeout(std::chrono::milliseconds(-2))), R"("field":"lock_timeout_ms")"));
    FAILS(avenv::, adapter_argv("codex", "{}"), told(avenv::try_adapter_argv("codex", "{}")));
    CHECK(contains(told(avenv::try_adapter_argv("codex", "{}")), "model"));
}

TEST(a_handle_misused_after_destroy_is_told) {
    Environment env = Environment::ephemeral(Spec().add_credential("token", "t"));
    env.destroy();
    CHECK_INT(env.try_envp().error().status(), AVENV_INTERNAL_INVARIANT_VIOLATION);
    CHECK_INT(env.try_refresh_credentials().error().status(), AVENV_INTERNAL_INVARIANT_VIOLATION);
    FAILS(env., envp(), told(env.try_envp()));
    FAILS(env., refresh_credentials(), told(env.try_refresh_credentials()));
    FAILS(env., refresh_credentials(Spec().add_credential("token", "u")), told(env.try_refresh_credentials()));
}

TEST(nothing_to_refresh_is_refused) {
    Environment env = Environment::ephemeral();
    CHECK(contains(told(env.try_refresh_credentials()), R"(InvalidEnvironmentSpec {"field":"spec")"));
    FAILS(env., refresh_credentials(), told(env.try_refresh_credentials()));
}

TEST(an_error_is_a_std_exception_with_the_events_of_the_call) {
    try {
        (void)Environment::attach("nobody");
    } catch (const std::exception &error) {
        CHECK(contains(error.what(), "nobody"));
        const auto &ours = dynamic_cast<const avenv::Error &>(error);
        CHECK(contains(ours.events_json(), R"("kind":"error","error_kind":"EnvironmentNotFound")"));
        return;
    }
    CHECK(false);
}

template <typename Call>
static bool mistaken(Call call) {
    try {
        call();
    } catch (const std::bad_variant_access &) {
        return true;
    }
    return false;
}

TEST(asking_a_result_for_what_it_does_not_hold_is_caught) {
    auto missing = Environment::try_attach("nobody");
    auto made = Environment::try_ephemeral();
    CHECK(!missing && made);
    CHECK(mistaken([&] { (void)*missing; }) && mistaken([&] { (void)missing->path(); }));
    CHECK(mistaken([&] { (void)made.error(); }));
}

TEST(a_result_gives_its_value_up_or_throws_its_error) {
    auto made = Environment::try_ephemeral();
    const fs::path path = made->path();
    CHECK(std::move(made).value().path() == path);
    const std::string thrown = told([] { (void)Environment::try_attach("nobody").value(); });
    CHECK(thrown == told(Environment::try_attach("nobody")));
    const auto length = [](const std::string &text) { return text.size(); };
    CHECK(*avenv::Result<std::string>("four").transform(length) == 4);
    CHECK(told(avenv::Result<std::string>(Environment::try_attach("nobody").error()).transform(length)) == thrown);
}

static const struct test tests[] = {
    RUN(an_unknown_name_is_not_found),
    RUN(another_adapter_than_the_recorded_one_is_a_mismatch),
    RUN(a_root_that_is_no_directory_is_named_by_its_kind),
    RUN(no_login_on_the_host_names_every_place_looked_at),
    RUN(a_program_that_is_not_on_path_is_unavailable),
    RUN(what_cannot_be_removed_is_told_and_destroy_tries_again),
    RUN(malformed_specs_are_refused_field_and_reason),
    RUN(a_handle_misused_after_destroy_is_told),
    RUN(nothing_to_refresh_is_refused),
    RUN(an_error_is_a_std_exception_with_the_events_of_the_call),
    RUN(asking_a_result_for_what_it_does_not_hold_is_caught),
    RUN(a_result_gives_its_value_up_or_throws_its_error),
};
MAIN(tests)
