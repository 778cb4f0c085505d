/* Orphans: what a dead owner left is reclaimed, what a living one holds is kept. */
#include "support.h"

/* A process that owns an environment and waits to be told to end, or to be killed. */
struct owner {
    pid_t pid;
    int go;
    char environment[4096];
    char directory[4096];
};

static struct owner start_owner(void) {
    struct owner owner;
    int ready[2], go[2];
    CHECK_INT(pipe(ready), 0);
    CHECK_INT(pipe(go), 0);
    owner.pid = fork();
    if (owner.pid == 0) {
        static avenv_environment *volatile env; /* kept where a leak checker looks at the end */
        const char *at;
        env = create("{'seed_files':{'a/b':'x'},'credentials':{'token':'t'}}");
        at = avenv_environment_path(env);
        close(go[1]);
        CHECK_INT(write(ready[1], at, strlen(at) + 1), strlen(at) + 1);
        await(go[0]);
        exit(0); /* neither destroyed nor freed: what a program that just ends leaves */
    }
    close(ready[1]);
    close(go[0]);
    CHECK(read(ready[0], owner.environment, sizeof owner.environment) > 0);
    close(ready[0]);
    owner.go = go[1];
    directory_of(owner.environment, owner.directory);
    return owner;
}

static void kill_owner(const struct owner *owner) {
    int status = 0;
    CHECK_INT(kill(owner->pid, SIGKILL), 0);
    CHECK_INT(waitpid(owner->pid, &status, 0), owner->pid);
    CHECK(WIFSIGNALED(status));
    close(owner->go);
}

static void end_owner(const struct owner *owner) {
    close(owner->go);
    EXITS(owner->pid);
}

TEST(killed_owner_is_reclaimed_by_another_processs_reap) {
    struct owner owner = start_owner();
    check_reap("", 1);
    CONTENT(fmt("%s/a/b", owner.environment), "x");
    kill_owner(&owner);
    CONTENT(fmt("%s/a/b", owner.environment), "x");
    check_reap(fmt("'%s'", owner.directory), 0);
    CHECK_INT(entries(default_root()), 0);
}

TEST(ended_owner_that_destroyed_nothing_is_reclaimed) {
    struct owner owner = start_owner();
    end_owner(&owner);
    CHECK(exists(owner.environment));
    check_reap(fmt("'%s'", owner.directory), 0);
    CHECK(!exists(owner.directory));
}

TEST(killed_owner_is_reclaimed_by_the_next_process_that_creates) {
    struct owner owner = start_owner();
    avenv_environment *env;
    kill_owner(&owner);
    env = create(NULL);
    CHECK(!exists(owner.directory));
    CHECK_INT(entries(default_root()), 1);
    destroy_and_free(env);
}

TEST(what_a_killed_owners_agent_left_is_reclaimed_too) {
    struct owner owner = start_owner();
    write_file("outside", "untouched");
    CHECK_INT(symlink(fmt("%s/../outside", getenv("HOME")), fmt("%s/link", owner.environment)), 0);
    CHECK_INT(chmod(fmt("%s/a", owner.environment), 0500), 0);
    kill_owner(&owner);
    check_reap(fmt("'%s'", owner.directory), 0);
    CHECK(!exists(owner.directory));
    CONTENT("outside", "untouched");
}

TEST(living_owners_are_kept_by_any_number_of_reaps) {
    struct owner living = start_owner();
    struct owner dead = start_owner();
    avenv_environment *own = create(NULL);
    kill_owner(&dead);
    check_reap(fmt("'%s'", dead.directory), 2);
    check_reap("", 2);
    check_reap("", 2);
    CONTENT(fmt("%s/a/b", living.environment), "x");
    CHECK(exists(avenv_environment_path(own)));
    destroy_and_free(own);
    end_owner(&living);
}

TEST(living_forked_child_of_a_killed_owner_keeps_its_environments) {
    int ready[2], go[2];
    char at[4096];
    pid_t owner;
    int status;
    CHECK_INT(pipe(ready), 0);
    CHECK_INT(pipe(go), 0);
    adopt_orphans();
    owner = fork();
    if (owner == 0) {
        avenv_environment *env = create(NULL);
        const char *own = avenv_environment_path(env);
        close(go[1]);
        if (fork() != 0) {
            pause(); /* until it is killed */
        }
        CHECK_INT(write(ready[1], own, strlen(own) + 1), strlen(own) + 1);
        await(go[0]);
        avenv_environment_free(env);
        exit(0);
    }
    close(ready[1]);
    CHECK(read(ready[0], at, sizeof at) > 0);
    CHECK_INT(kill(owner, SIGKILL), 0);
    CHECK_INT(waitpid(owner, &status, 0), owner);

    check_reap("", 1);
    CHECK(exists(at));

    close(go[1]);
    EXITS(-1);
    *strrchr(at, '/') = '\0';
    check_reap(fmt("'%s'", at), 0);
    CHECK(!exists(at));
}

TEST(reap_gives_back_the_empty_directory_of_its_own_process) {
    avenv_environment *env = create(NULL);
    char own[4096];
    directory_of(avenv_environment_path(env), own);
    destroy_and_free(env);
    CHECK_INT(entries(default_root()), 1);
    check_reap(fmt("'%s'", own), 0);
    CHECK_INT(entries(default_root()), 0);
    env = create(NULL); /* and a new one is made when it is needed */
    CHECK_INT(entries(default_root()), 1);
    destroy_and_free(env);
}

TEST(give_back_removes_the_directory_of_its_own_process_only_once_it_is_empty) {
    avenv_environment *env;
    avenv_give_back(); /* nothing to give back */
    CHECK_INT(entries("tmp"), 0);
    env = create(NULL);
    avenv_give_back();
    CHECK(exists(avenv_environment_path(env)));
    destroy_and_free(env);
    CHECK_INT(entries(default_root()), 1);
    avenv_give_back();
    CHECK_INT(entries(default_root()), 0);
    destroy_and_free(create(NULL));
    avenv_give_back();
    CHECK_INT(entries(default_root()), 0);
}

TEST(reap_of_a_root_that_does_not_exist_is_an_empty_report_and_makes_nothing) {
    avenv_error *error = NULL;
    char *report = NULL;
    OK(avenv_reap(NULL, &report, &error));
    CHECK_JSON(report, "{'ephemeral':{'root':null,'removed':[],'kept':0,'failed':[]}," NO_REGISTRY "}");
    avenv_string_free(report);
    CHECK_INT(entries("tmp"), 0);
    CHECK_INT(entries("home"), 0);
}

static const struct test tests[] = {
    RUN(killed_owner_is_reclaimed_by_another_processs_reap),
    RUN(ended_owner_that_destroyed_nothing_is_reclaimed),
    RUN(killed_owner_is_reclaimed_by_the_next_process_that_creates),
    RUN(what_a_killed_owners_agent_left_is_reclaimed_too),
    RUN(living_owners_are_kept_by_any_number_of_reaps),
    RUN(living_forked_child_of_a_killed_owner_keeps_its_environments),
    RUN(reap_gives_back_the_empty_directory_of_its_own_process),
    RUN(give_back_removes_the_directory_of_its_own_process_only_once_it_is_empty),
    RUN(reap_of_a_root_that_does_not_exist_is_an_empty_report_and_makes_nothing),
};
MAIN(tests)
