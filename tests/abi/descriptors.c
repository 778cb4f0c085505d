/* The one descriptor that says that this process lives: how it behaves in a host that does as it likes with descriptors. */
#include <sys/resource.h>

#include "support.h"

/* The highest that any test here comes to. */
enum { HIGHEST = 64 };

static int is_open(int descriptor) {
    return fcntl(descriptor, F_GETFD) >= 0;
}

static int count_open(void) {
    int count = 0;
    int descriptor;
    for (descriptor = 0; descriptor < HIGHEST; descriptor++) {
        count += is_open(descriptor);
    }
    return count;
}

/* What a host does that turns itself into a daemon. */
static void close_all(void) {
    int descriptor;
    for (descriptor = 3; descriptor < HIGHEST; descriptor++) {
        close(descriptor);
    }
}

/* Another process reaps, and finds nothing of a dead owner's. */
static void check_reap_elsewhere(void) {
    pid_t child = fork();
    if (child == 0) {
        close_all(); /* with the descriptor that it inherited it would count as a living owner itself */
        check_reap("", 1);
        exit(0);
    }
    EXITS(child);
}

TEST(a_hundred_environments_take_one_descriptor_that_no_child_inherits) {
    avenv_environment *envs[100];
    const int before = count_open();
    int descriptor;
    size_t i;
    int inherited[HIGHEST];
    for (descriptor = 0; descriptor < HIGHEST; descriptor++) {
        inherited[descriptor] = is_open(descriptor);
    }
    for (i = 0; i < COUNT(envs); i++) {
        envs[i] = create(NULL);
    }
    CHECK_INT(count_open(), before + 1);
    for (descriptor = 0; descriptor < HIGHEST; descriptor++) {
        if (is_open(descriptor) && !inherited[descriptor]) {
            CHECK(fcntl(descriptor, F_GETFD) & FD_CLOEXEC);
        }
    }
    for (i = 0; i < COUNT(envs); i++) {
        destroy_and_free(envs[i]);
    }
    CHECK_INT(count_open(), before + 1);
}

/* A host that was started without standard streams must not find ours in their place. */
TEST(the_descriptor_is_3_or_above_even_where_the_standard_ones_are_closed) {
    avenv_environment *env;
    int saved = fcntl(STDERR_FILENO, F_DUPFD, 10);
    close(0);
    close(1);
    close(2);
    env = create(NULL);
    CHECK(!is_open(0) && !is_open(1) && !is_open(2));
    destroy_and_free(env);
    CHECK_INT(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    close(saved);
}

TEST(closed_descriptors_cost_no_environment_old_or_new) {
    avenv_environment *before = create("{'seed_files':{'seed':'old'}}");
    avenv_environment *after;
    close_all();
    after = create("{'seed_files':{'seed':'new'}}");
    check_reap_elsewhere();
    CONTENT(in_profile(before, "seed"), "old");
    CONTENT(in_profile(after, "seed"), "new");

    /* what is let go of the old descriptor does not let go of the new one, which may have its number */
    destroy_and_free(before);
    check_reap_elsewhere();
    CONTENT(in_profile(after, "seed"), "new");
    destroy_and_free(after);
}

TEST(a_handle_is_destroyed_and_refreshed_after_all_descriptors_were_closed) {
    avenv_error *error = NULL;
    avenv_environment *env = create("{'credentials':{'token':'t'}}");
    close_all();
    write_file(in_profile(env, "token"), "overwritten");
    OK(avenv_environment_refresh_credentials(env, NULL, NULL, &error));
    CONTENT(in_profile(env, "token"), "t");
    OK(avenv_environment_destroy(env, NULL, &error));
    CHECK(!exists(avenv_environment_path(env)));
    avenv_environment_free(env);
}

/* The number of our descriptor may by now be the host's own file: it is never closed, locked or written to. */
TEST(a_descriptor_that_the_host_reuses_is_left_alone) {
    avenv_environment *env = create(NULL);
    avenv_environment *later;
    struct stat hosts, now;
    int descriptor;
    close_all();
    for (descriptor = 3; descriptor < 16; descriptor++) {
        int opened = open("hosts", O_RDWR | O_CREAT, 0600);
        CHECK(opened >= 3);
    }
    CHECK_INT(stat("hosts", &hosts), 0);
    later = create(NULL);
    destroy_and_free(later);
    destroy_and_free(env);
    for (descriptor = 3; descriptor < 16; descriptor++) {
        CHECK_INT(fstat(descriptor, &now), 0);
        CHECK(now.st_ino == hosts.st_ino && now.st_dev == hosts.st_dev);
        CHECK_INT(now.st_size, 0);
    }
}

TEST(a_removed_process_directory_is_made_anew) {
    avenv_error *error = NULL;
    avenv_environment *env = create(NULL);
    avenv_environment *later;
    check_remove_tree(in_profile(env, ".."));
    later = create("{'seed_files':{'seed':'x'}}");
    CONTENT(in_profile(later, "seed"), "x");
    check_reap_elsewhere();
    OK(avenv_environment_destroy(env, NULL, &error));
    avenv_environment_free(env);
    destroy_and_free(later);
}

TEST(ten_thousand_live_environments_need_no_more_than_1024_descriptors) {
    struct rlimit limit;
    const size_t live = (size_t)many(10000);
    avenv_environment **envs = (avenv_environment **)calloc(live, sizeof *envs);
    avenv_spec *spec = parse("{'seed_files':{'seed':'x'},'credentials':{'token':'t'}}");
    avenv_error *error = NULL;
    size_t i;
    CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 1024;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (i = 0; i < live; i++) {
        OK(avenv_environment_create_ephemeral(spec, NULL, &envs[i], &error));
    }
    CHECK_INT(entries(in_profile(envs[0], "..")), live);
    for (i = 0; i < live; i++) {
        CHECK_INT(entries(avenv_environment_path(envs[i])), 2);
    }
    check_reap_elsewhere();
    for (i = 0; i < live; i++) {
        destroy_and_free(envs[i]);
    }
    avenv_spec_free(spec);
    free(envs);
}

static const struct test tests[] = {
    RUN(a_hundred_environments_take_one_descriptor_that_no_child_inherits),
    RUN(the_descriptor_is_3_or_above_even_where_the_standard_ones_are_closed),
    RUN(closed_descriptors_cost_no_environment_old_or_new),
    RUN(a_handle_is_destroyed_and_refreshed_after_all_descriptors_were_closed),
    RUN(a_descriptor_that_the_host_reuses_is_left_alone),
    RUN(a_removed_process_directory_is_made_anew),
    RUN(ten_thousand_live_environments_need_no_more_than_1024_descriptors),
};
MAIN(tests)
