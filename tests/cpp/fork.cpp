/* Fork: only the process that made an environment owns it, whatever becomes of the objects in the child. */
#include "support.hpp"

TEST(a_childs_destructors_remove_nothing) {
    const Environment env = Environment::ephemeral(Spec().add_seed_file("seed", "x"));
    {
        Environment scoped = Environment::ephemeral(Spec().add_seed_file("seed", "x"));
        const fs::path path = scoped.path();
        const pid_t child = fork();
        if (child == 0) {
            {
                const Environment ended = std::move(scoped);
            }
            CHECK(content(path / "seed") == "x");
            exit(0);
        }
        check_child(child);
        CHECK(content(path / "seed") == "x");
    }
    CHECK(content(env.path() / "seed") == "x");
    CHECK_INT(environments_left(), 1);
}

TEST(a_child_that_unwinds_or_assigns_removes_nothing) {
    Environment env = Environment::ephemeral();
    const pid_t child = fork();
    if (child == 0) {
        try {
            const Environment held = std::move(env);
            throw 1;
        } catch (int) {
        }
        env = Environment::ephemeral();
        CHECK_INT(environments_left(), 2);
        env = Environment::ephemeral();
        CHECK_INT(environments_left(), 2);
        env.destroy();
        exit(0);
    }
    check_child(child);
    CHECK(fs::is_directory(env.path()));
    CHECK_INT(environments_left(), 1);
}

TEST(a_child_that_destroys_is_refused_and_one_that_reads_is_answered) {
    Environment env = Environment::ephemeral(Spec().set_env("NAME", "value"));
    const pid_t child = fork();
    if (child == 0) {
        FAILS(env., destroy(), told(env.try_destroy()));
        CHECK_INT(env.try_destroy().error().status(), AVENV_INTERNAL_INVARIANT_VIOLATION);
        CHECK(env.env_overrides().at("NAME") == "value" && fs::is_directory(env.path()));
        env = Environment::ephemeral();
        env.destroy();
        exit(0);
    }
    check_child(child);
    env.destroy();
}

static const struct test tests[] = {
    RUN(a_childs_destructors_remove_nothing),
    RUN(a_child_that_unwinds_or_assigns_removes_nothing),
    RUN(a_child_that_destroys_is_refused_and_one_that_reads_is_answered),
};
MAIN(tests)
