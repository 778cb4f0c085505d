/*
 * Kills owners at random moments of a loop that creates and destroys, one owner after the other.
 *
 *     killer <kills> <seed>      prints "<kills> <creates that had succeeded> <destroys that had succeeded>"
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <agent_venv.h>

static const char SPEC[] =
    "{\"seed_files\":{\"a/b/c\":\"1\",\"a/d\":\"2\",\"e\":\"3\"},\"credentials\":{\"auth.json\":\"login\",\"f/g\":\"login\"}}";

static struct {
    atomic_long created;
    atomic_long destroyed;
} *done;

static void must(avenv_status status, avenv_error *error) {
    if (status != AVENV_OK) {
        fprintf(stderr, "killer: %s\n", avenv_error_message(error));
        _exit(2);
    }
}

static void own(void) {
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    must(avenv_spec_parse(SPEC, &spec, &error), error);
    for (;;) {
        avenv_environment *env = NULL;
        must(avenv_environment_create_ephemeral(spec, NULL, &env, &error), error);
        done->created++;
        must(avenv_environment_destroy(env, NULL, &error), error);
        done->destroyed++;
        avenv_environment_free(env);
    }
}

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* A moment is some finished calls from now, and then less than a call or two. */
static void await_a_random_moment(pid_t child) {
    long calls = done->created + random() % 8;
    long long until;
    while (done->created < calls && waitpid(child, NULL, WNOHANG) == 0) {
    }
    until = now() + random() % 500000;
    while (now() < until) {
    }
}

int main(int argc, char **argv) {
    long kills = argc == 3 ? atol(argv[1]) : 0, i;
    done = mmap(NULL, sizeof *done, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (kills == 0 || done == MAP_FAILED) {
        return 2;
    }
    srandom((unsigned)atol(argv[2]));
    for (i = 0; i < kills; i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            own();
        }
        await_a_random_moment(child);
        kill(child, SIGKILL);
        if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status)) {
            return 2; /* the owner failed by itself, and has said why */
        }
    }
    printf("%ld %ld %ld\n", kills, (long)done->created, (long)done->destroyed);
    return 0;
}
