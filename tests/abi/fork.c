/* Fork: only the process that made an environment owns it. */
#include <pthread.h>
#include <sys/file.h>
#include <sys/inotify.h>

#include "support.h"

#define NOT_THE_OWNER                                                                                   \
    "{'message':'this ephemeral environment belongs to the process that created it, and this is a forked " \
    "child of it: create one here instead'}"

#define IN_OTHER_HANDS                                                                                      \
    "{'message':'another thread was destroying or refreshing this environment when this process was forked: " \
    "attach to it here'}"

TEST(a_child_that_frees_an_inherited_handle_removes_nothing) {
    avenv_environment *env = create("{'seed_files':{'seed':'x'}}");
    pid_t child = fork();
    if (child == 0) {
        avenv_environment_free(env);
        exit(0);
    }
    EXITS(child);
    CONTENT(in_profile(env, "seed"), "x");
    destroy_and_free(env);
}

TEST(a_child_that_destroys_an_inherited_handle_is_refused_and_removes_nothing) {
    avenv_error *error = NULL;
    avenv_environment *env = create("{'seed_files':{'seed':'x'}}");
    pid_t child = fork();
    if (child == 0) {
        FAILS(avenv_environment_destroy(env, NULL, &error), AVENV_INTERNAL_INVARIANT_VIOLATION, NOT_THE_OWNER);
        FAILS(avenv_environment_destroy(env, NULL, &error), AVENV_INTERNAL_INVARIANT_VIOLATION, NOT_THE_OWNER);
        CHECK_STR(avenv_environment_kind(env), "ephemeral"); /* what it was told of the parent's still reads */
        CONTENT(in_profile(env, "seed"), "x");
        avenv_environment_free(env);
        exit(0);
    }
    EXITS(child);
    CONTENT(in_profile(env, "seed"), "x");
    destroy_and_free(env);
}

TEST(a_child_that_exits_or_reaps_removes_nothing) {
    static avenv_environment *env; /* static, so that it is no leak in the child, which does not free it */
    pid_t child;
    env = create("{'seed_files':{'seed':'x'}}");
    child = fork();
    if (child == 0) {
        check_reap("", 1);
        exit(0);
    }
    EXITS(child);
    CONTENT(in_profile(env, "seed"), "x");
    destroy_and_free(env);
}

TEST(a_childs_own_environment_has_a_directory_of_its_own_at_any_depth) {
    avenv_environment *env = create(NULL);
    char parents[4096];
    pid_t child;
    directory_of(avenv_environment_path(env), parents);
    child = fork();
    if (child == 0) {
        avenv_environment *own = create(NULL);
        char childs[4096];
        pid_t grandchild;
        directory_of(avenv_environment_path(own), childs);
        CHECK(strcmp(parents, childs) != 0);
        grandchild = fork();
        if (grandchild == 0) {
            avenv_environment *deepest = create(NULL);
            char grandchilds[4096];
            directory_of(avenv_environment_path(deepest), grandchilds);
            CHECK(strcmp(parents, grandchilds) != 0 && strcmp(childs, grandchilds) != 0);
            destroy_and_free(deepest);
            avenv_environment_free(own);
            avenv_environment_free(env);
            exit(0);
        }
        EXITS(grandchild);
        CHECK(exists(avenv_environment_path(own)));
        destroy_and_free(own);
        avenv_environment_free(env);
        exit(0);
    }
    EXITS(child);
    CHECK(exists(avenv_environment_path(env)));
    CHECK_INT(entries(parents), 1);
    destroy_and_free(env);
}

/* The usual daemon: the parent ends, the child goes on and makes its environments after the fork. */
TEST(a_daemons_environments_are_its_own) {
    int ready[2], go[2];
    char at[4096];
    pid_t parent;
    CHECK_INT(pipe(ready), 0);
    CHECK_INT(pipe(go), 0);
    adopt_orphans();
    parent = fork();
    if (parent == 0) {
        avenv_environment *before = create(NULL);
        if (fork() != 0) {
            avenv_environment_free(before);
            exit(0);
        }
        avenv_environment_free(before);
        {
            avenv_environment *own = create("{'seed_files':{'seed':'x'}}");
            const char *own_path = avenv_environment_path(own);
            CHECK_INT(write(ready[1], own_path, strlen(own_path) + 1), strlen(own_path) + 1);
            CHECK(await(go[0]));
            destroy_and_free(own);
            exit(0);
        }
    }
    close(ready[1]);
    EXITS(parent);
    CHECK(read(ready[0], at, sizeof at) > 0);
    CONTENT(fmt("%s/seed", at), "x");
    tell(go[1]);
    EXITS(-1);
    CHECK(!exists(at));
}

/* Not under AddressSanitizer: its allocator takes no care of forks, and a child waits in it for a thread that it doesn't have. */
#ifndef __SANITIZE_ADDRESS__

/* What other threads had in hand at the fork is lost in the child, whosever it is. By exec it is not called a leak. */
static void leave(void) {
    execlp("true", "true", (char *)NULL);
    _exit(1);
}

static volatile sig_atomic_t stop;

static void *create_until_stopped(void *unused) {
    while (!stop) {
        avenv_environment *env = create("{'adapter':'codex','options':{'load_credentials':false}}");
        destroy_and_free(env);
    }
    return unused;
}

/* A lock that another thread held at the fork stays taken in the child for good: none of ours may. */
TEST(a_child_forked_while_other_threads_create_can_create_itself) {
    pthread_t threads[3];
    int round;
    size_t i;
    for (i = 0; i < COUNT(threads); i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, create_until_stopped, NULL), 0);
    }
    for (round = 0; round < many(100); round++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(60);
            destroy_and_free(create("{'seed_files':{'seed':'x'}}"));
            leave();
        }
        EXITS(child);
    }
    stop = 1;
    for (i = 0; i < COUNT(threads); i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
}

static void *use_until_stopped(void *argument) {
    avenv_environment *env = (avenv_environment *)argument;
    while (!stop) {
        avenv_error *error = NULL;
        char *events = NULL;
        OK(avenv_environment_events_json(env, &events, &error));
        OK(avenv_environment_refresh_credentials(env, NULL, NULL, &error));
        avenv_string_free(events);
    }
    return NULL;
}

/* The same on one handle: the child is answered, whatever another thread was doing with it at the fork. */
TEST(a_child_forked_while_other_threads_use_the_handle_is_refused_and_frees_it) {
    avenv_environment *env = create("{'credentials':{'token':'t'}}");
    pthread_t threads[3];
    int round;
    size_t i;
    for (i = 0; i < COUNT(threads); i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, use_until_stopped, env), 0);
    }
    for (round = 0; round < many(100); round++) {
        pid_t child = fork();
        if (child == 0) {
            avenv_error *error = NULL;
            alarm(60);
            FAILS(avenv_environment_destroy(env, NULL, &error), AVENV_INTERNAL_INVARIANT_VIOLATION, NOT_THE_OWNER);
            avenv_environment_free(env);
            leave();
        }
        EXITS(child);
    }
    stop = 1;
    for (i = 0; i < COUNT(threads); i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
    destroy_and_free(env);
}

static void *refresh_in_the_end(void *argument) {
    avenv_error *error = NULL;
    avenv_options *options = avenv_options_new();
    OK(avenv_options_set_lock_timeout_ms(options, 60000, &error));
    OK(avenv_environment_refresh_credentials((avenv_environment *)argument, NULL, options, &error));
    avenv_options_free(options);
    return NULL;
}

/* A persistent environment is the child's as well, but a handle in which a thread of the parent's stands is not. */
TEST(a_child_forked_while_another_thread_is_in_the_handle_is_told_to_attach) {
    avenv_environment *env = create_named("app", "{'credentials':{'token':'t'}}");
    const char *lock_file = fmt("%s/.lock", default_registry());
    int lock = open(lock_file, O_RDWR), opened = inotify_init1(IN_CLOEXEC);
    struct inotify_event event;
    avenv_error *error = NULL;
    pthread_t thread;
    pid_t child;
    CHECK_INT(flock(lock, LOCK_EX), 0);
    CHECK(inotify_add_watch(opened, lock_file, IN_OPEN) >= 0);
    CHECK_INT(pthread_create(&thread, NULL, refresh_in_the_end, env), 0);
    CHECK_INT(read(opened, &event, sizeof event), sizeof event); /* now it waits for the registry's lock */
    child = fork();
    if (child == 0) {
        avenv_environment *own = NULL;
        char *events = NULL;
        alarm(60);
        FAILS(avenv_environment_destroy(env, NULL, &error), AVENV_INTERNAL_INVARIANT_VIOLATION, IN_OTHER_HANDS);
        FAILS(avenv_environment_refresh_credentials(env, NULL, NULL, &error), AVENV_INTERNAL_INVARIANT_VIOLATION,
              IN_OTHER_HANDS);
        OK(avenv_environment_events_json(env, &events, &error));
        CONTAINS(events, "env.created");
        avenv_string_free(events);
        OK(avenv_environment_attach("app", NULL, &own, &error));
        avenv_environment_free(own);
        avenv_environment_free(env);
        leave();
    }
    EXITS(child);
    CHECK_INT(flock(lock, LOCK_UN), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    close(opened);
    close(lock);
    destroy_and_free(env);
}

#endif

static const struct test tests[] = {
    RUN(a_child_that_frees_an_inherited_handle_removes_nothing),
    RUN(a_child_that_destroys_an_inherited_handle_is_refused_and_removes_nothing),
    RUN(a_child_that_exits_or_reaps_removes_nothing),
    RUN(a_childs_own_environment_has_a_directory_of_its_own_at_any_depth),
    RUN(a_daemons_environments_are_its_own),
#ifndef __SANITIZE_ADDRESS__
    RUN(a_child_forked_while_other_threads_create_can_create_itself),
    RUN(a_child_forked_while_other_threads_use_the_handle_is_refused_and_frees_it),
    RUN(a_child_forked_while_another_thread_is_in_the_handle_is_told_to_attach),
#endif
};
MAIN(tests)
