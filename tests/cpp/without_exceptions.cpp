/* The whole of it without exceptions: compiled with -fno-exceptions and -fno-rtti as well as with both. */
#include "support.hpp"

#ifndef __cpp_exceptions
/* The throwing forms don't exist: nothing here could end the program by a failure that nobody looked at. */
template <typename T, typename = void>
constexpr bool destroys = false;
template <typename T>
constexpr bool destroys<T, std::void_t<decltype(std::declval<T &>().destroy())>> = true;
template <typename T, typename = void>
constexpr bool gives_up = false;
template <typename T>
constexpr bool gives_up<T, std::void_t<decltype(std::declval<T>().value())>> = true;
static_assert(!destroys<Environment> && !gives_up<avenv::Result<Environment>>);
#endif

template <typename T>
static T held(avenv::Result<T> result) {
    if (!result) {
        check_failed(__FILE__, __LINE__, "%s", result.error().what());
    }
    return *std::move(result);
}

TEST(an_ephemeral_environment_lives_and_ends) {
    Spec spec = held(Spec::try_for_adapter("claude-code", R"({"load_credentials":false})"));
    held(spec.try_set_env("NAME", "value"));
    held(spec.try_add_seed_file("hook", "#!/bin/sh\n", 0700));
    held(spec.try_add_credential("token", "t"));
    Environment env = held(Environment::try_ephemeral(spec));
    CHECK(env.env_overrides().at("NAME") == "value" && content(env.path() / "token") == "t");
    held(env.try_refresh_credentials(held(Spec::try_parse(R"({"credentials":{"token":"u"}})"))));
    CHECK(content(env.path() / "token") == "u");
    CHECK(contains(held(env.try_login_status_json()), R"({"status":"none")"));
    CHECK(held(env.try_envp()).data()[0] != nullptr);
    held(env.try_destroy());
    CHECK(!fs::exists(env.path()) && contains(held(env.try_events_json()), "env.destroyed"));
}

TEST(a_persistent_environment_lives_and_ends) {
    Options options;
    held(options.try_set_registry_root(fs::current_path() / "registry"));
    held(options.try_set_ephemeral_root(fs::current_path() / "ephemeral"));
    held(options.try_set_durable(false));
    held(options.try_set_force(false));
    held(options.try_set_lock_timeout(std::chrono::seconds(1)));
    held(options.try_set_expected_adapter("generic"));
    const fs::path path = held(Environment::try_create_or_attach("name", Spec(), options)).path();
    CHECK(held(Environment::try_attach("name", options)).path() == path);
    CHECK(held(Environment::try_list(options)) == std::vector<std::string>{"name"});
    CHECK(held(avenv::try_registry_root(options)) == fs::current_path() / "registry");
    CHECK(contains(held(avenv::try_repair(options)), R"("restored":[])"));
    held(Environment::try_destroy_by_name("name", options));
    CHECK(contains(held(avenv::try_reap(options)), R"("kept":)"));
    CHECK(!fs::exists(path));
}

TEST(failures_are_answered) {
    const auto missing = Environment::try_attach("nobody");
    CHECK(!missing && missing.error().kind() == "EnvironmentNotFound");
    CHECK(told(Environment::try_attach({"a\0b", 3})) == refusal("name", "holds NUL"));
    CHECK(contains(held(avenv::try_adapter_definition_json("codex")), R"("program":"codex")"));
    CHECK(held(avenv::try_adapter_argv("codex", R"({"model":"m"})")).front() == "codex");
    const auto unavailable = avenv::try_adapter_ensure_available(R"({"id":"mine","program":"no-such-program"})");
    CHECK_INT(unavailable.error().status(), AVENV_ADAPTER_UNAVAILABLE);
    held(avenv::try_adapter_ensure_available(R"({"id":"mine","program":"sh"})"));
}

TEST(the_end_of_an_environment_removes_it) {
    {
        const auto env = Environment::try_ephemeral();
        CHECK(env && fs::is_directory(env->path()));
    }
    CHECK_INT(environments_left(), 0);
}

static const struct test tests[] = {
    RUN(an_ephemeral_environment_lives_and_ends),
    RUN(a_persistent_environment_lives_and_ends),
    RUN(failures_are_answered),
    RUN(the_end_of_an_environment_removes_it),
};
MAIN(tests)
