/* Who owns what, and what the end of an owner does. */
#include <stdexcept>

#include "support.hpp"

template <typename Owner>
constexpr bool moves_only = std::is_nothrow_move_constructible_v<Owner> && std::is_nothrow_move_assignable_v<Owner> &&
                            !std::is_copy_constructible_v<Owner> && !std::is_copy_assignable_v<Owner>;

static_assert(moves_only<Spec> && moves_only<Options> && moves_only<Environment> && moves_only<avenv::Envp>);
static_assert(std::is_nothrow_copy_constructible_v<avenv::Error> && std::is_nothrow_copy_assignable_v<avenv::Error>);

TEST(an_ephemeral_environment_is_removed_at_its_end) {
    fs::path path;
    {
        const Environment env = Environment::ephemeral();
        path = env.path();
        CHECK(fs::is_directory(path));
    }
    CHECK(!fs::exists(path));
}

TEST(a_persistent_environment_is_only_detached_at_its_end) {
    const fs::path path = Environment::create_or_attach("kept").path();
    CHECK(fs::is_directory(path));
    CHECK(Environment::attach("kept").path() == path);
}

TEST(a_moved_environment_is_removed_once_and_by_its_last_owner) {
    std::vector<Environment> owners;
    fs::path path;
    {
        Environment first = Environment::ephemeral();
        path = first.path();
        Environment second(std::move(first));
        owners.push_back(std::move(second));
        owners.reserve(64);
    }
    CHECK(fs::is_directory(path));
    CHECK(owners.front().path() == path);
    owners.clear();
    CHECK(!fs::exists(path));
}

TEST(assignment_removes_what_was_held_before_and_keeps_what_is_held_now) {
    Environment env = Environment::ephemeral();
    const fs::path before = env.path();
    env = Environment::ephemeral();
    CHECK(!fs::exists(before));
    CHECK(fs::is_directory(env.path()));
    env = Environment::create_or_attach("kept");
    CHECK_INT(environments_left(), 0);
}

TEST(an_exception_of_the_callers_removes_it_too) {
    try {
        const Environment env = Environment::ephemeral();
        CHECK_INT(environments_left(), 1);
        throw std::runtime_error("the caller's own");
    } catch (const std::runtime_error &) {
        CHECK_INT(environments_left(), 0);
        return;
    }
    CHECK(false);
}

TEST(what_was_moved_from_reads_as_empty) {
    Environment env = Environment::ephemeral();
    const Environment taken = std::move(env);
    CHECK(env.get() == nullptr && env.path().empty() && !env.name() && env.kind().empty() && !env.is_persistent());
    CHECK(env.adapter_id().empty() && env.env_overrides().empty() && env.env_unset().empty());
}

/* NULL would mean the defaults there: an empty profile, another registry. */
TEST(what_was_moved_from_is_refused_and_never_taken_for_the_defaults) {
    Spec spec;
    Options options;
    Environment env = Environment::ephemeral();
    const Spec taken_spec = std::move(spec);
    const Options taken_options = std::move(options);
    Environment taken = std::move(env);

    FAILS(Environment::, ephemeral(spec), refusal("spec", "was moved from"));
    FAILS(Environment::, create_or_attach("name", spec), refusal("spec", "was moved from"));
    FAILS(Environment::, ephemeral(Spec(), options), refusal("options", "was moved from"));
    FAILS(Environment::, list(options), refusal("options", "was moved from"));
    FAILS(avenv::, reap(options), refusal("options", "was moved from"));
    FAILS(spec., set_env("NAME", "value"), refusal("spec", "was moved from"));
    FAILS(options., set_durable(true), refusal("options", "was moved from"));
    FAILS(env., envp(), refusal("env", "was moved from"));
    FAILS(env., events_json(), refusal("env", "was moved from"));
    FAILS(env., login_status_json(), refusal("env", "was moved from"));
    FAILS(env., refresh_credentials(), refusal("env", "was moved from"));
    FAILS(env., destroy(), refusal("env", "was moved from"));
    FAILS(taken., refresh_credentials(spec), refusal("spec", "was moved from"));
    FAILS(taken., refresh_credentials(options), refusal("options", "was moved from"));
    FAILS(taken., refresh_credentials(Spec(), options), refusal("options", "was moved from"));
    FAILS(taken., destroy(options), refusal("options", "was moved from"));
    CHECK_INT(environments_left(), 1);
    CHECK(Environment::list().empty());
}

TEST(what_was_moved_from_can_be_assigned_to) {
    Spec spec;
    const Spec taken = std::move(spec);
    spec = Spec::parse(R"({"env_overrides":{"NAME":"again"}})");
    CHECK(Environment::ephemeral(spec).env_overrides().at("NAME") == "again");
}

TEST(what_was_answered_outlives_its_object) {
    std::optional<Environment> env = Environment::ephemeral(Spec().set_env("NAME", "value"));
    static const char *const base[] = {nullptr};
    const avenv::Envp envp = env->envp(base);
    const std::string kind = env->kind(), events = env->events_json();
    env.reset();
    CHECK_STR(envp.data()[0], "NAME=value");
    CHECK(envp.data()[1] == nullptr);
    CHECK(kind == "ephemeral" && contains(events, "env.created"));
}

TEST(copies_of_an_error_tell_the_same_after_it_is_gone) {
    std::optional<avenv::Error> copy;
    {
        const auto missing = Environment::try_attach("nobody");
        avenv::Error error = missing.error();
        copy = std::move(error);
        CHECK(told(error) == told(*copy));
    }
    CHECK(contains(told(*copy), R"(EnvironmentNotFound {"name":"nobody","registry_root":)"));
}

TEST(an_environment_of_the_c_functions_can_be_taken_and_lent) {
    avenv_environment *made = nullptr;
    CHECK_INT(avenv_environment_create_ephemeral(nullptr, nullptr, &made, nullptr), AVENV_OK);
    {
        const Environment env(made);
        CHECK_STR(avenv_environment_path(env.get()), env.path().c_str());
    }
    CHECK_INT(environments_left(), 0);
}

static const struct test tests[] = {
    RUN(an_ephemeral_environment_is_removed_at_its_end),
    RUN(a_persistent_environment_is_only_detached_at_its_end),
    RUN(a_moved_environment_is_removed_once_and_by_its_last_owner),
    RUN(assignment_removes_what_was_held_before_and_keeps_what_is_held_now),
    RUN(an_exception_of_the_callers_removes_it_too),
    RUN(what_was_moved_from_reads_as_empty),
    RUN(what_was_moved_from_is_refused_and_never_taken_for_the_defaults),
    RUN(what_was_moved_from_can_be_assigned_to),
    RUN(what_was_answered_outlives_its_object),
    RUN(copies_of_an_error_tell_the_same_after_it_is_gone),
    RUN(an_environment_of_the_c_functions_can_be_taken_and_lent),
};
MAIN(tests)
