/*
 * Many processes that create, while others reap without a pause. A creator keeps its environments until a whole reap has
 * begun and ended in their lifetime, and then looks whether they still stand. Each third one destroys them, each third one
 * dies with them, each third one destroys and gives its directory back.
 *
 *     creators <creators> <at once> <reapers>      prints "<whole> <lost> <reaps>"
 */
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <agent_venv.h>

static const char SPEC[] = "{\"seed_files\":{\"skills/one/SKILL.md\":\"seed\"},\"credentials\":{\"auth.json\":\"login\"}}";

static struct {
    atomic_long begun;
    atomic_long ended;
} *reaps;

static void must(avenv_status status, avenv_error *error) {
    if (status != AVENV_OK) {
        fprintf(stderr, "creators: %s\n", avenv_error_message(error));
        exit(2);
    }
}

static void reap_once(void) {
    avenv_error *error = NULL;
    char *report = NULL;
    must(avenv_reap(NULL, &report, &error), error);
    if (strstr(report, "\"failed\":[]") == NULL) {
        fprintf(stderr, "creators: %s\n", report);
        exit(2);
    }
    avenv_string_free(report);
}

static void reap_for_ever(void) {
    for (;;) {
        reaps->begun++;
        reap_once();
        reaps->ended++;
    }
}

static avenv_environment *create(void) {
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    avenv_environment *env = NULL;
    must(avenv_spec_parse(SPEC, &spec, &error), error);
    must(avenv_environment_create_ephemeral(spec, NULL, &env, &error), error);
    avenv_spec_free(spec);
    return env;
}

static int holds(const avenv_environment *env, const char *name, off_t size) {
    struct stat status;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", avenv_environment_path(env), name);
    return stat(path, &status) == 0 && status.st_size == size;
}

static int is_whole(const avenv_environment *env) {
    return holds(env, "skills/one/SKILL.md", 4) && holds(env, "auth.json", 5);
}

static void await_a_whole_reap(void) {
    /* Every reap that is under way now, and one that begins later, of any reaper. */
    long target = reaps->begun + 1;
    while (reaps->ended < target) {
        sched_yield();
    }
}

static int live(long number) {
    avenv_environment *first = create();
    avenv_environment *second = create();
    int whole = is_whole(first) && is_whole(second);
    await_a_whole_reap();
    whole = whole && is_whole(first) && is_whole(second);
    if (number % 3 != 0) {
        avenv_error *error = NULL;
        must(avenv_environment_destroy(first, NULL, &error), error);
        must(avenv_environment_destroy(second, NULL, &error), error);
    }
    if (number % 3 == 1) {
        reap_once();
    }
    return whole ? 0 : 1;
}

static pid_t start(long number) {
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (number < 0) {
            reap_for_ever();
        }
        _exit(live(number));
    }
    return child;
}

int main(int argc, char **argv) {
    long creators = argc == 4 ? atol(argv[1]) : 0, at_once = argc == 4 ? atol(argv[2]) : 0;
    long reapers = argc == 4 ? atol(argv[3]) : 0;
    long started, running = 0, whole = 0, lost = 0, i;
    pid_t *reaping = calloc((size_t)reapers + 1, sizeof(pid_t));
    reaps = mmap(NULL, sizeof *reaps, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (creators == 0 || reapers == 0 || reaping == NULL || reaps == MAP_FAILED) {
        return 2;
    }
    for (i = 0; i < reapers; i++) {
        reaping[i] = start(-1);
    }
    for (started = 0; started < creators || running > 0;) {
        int status;
        if (started < creators && running < at_once) {
            start(started++);
            running++;
            continue;
        }
        if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) > 1) {
            return 2; /* a creator that failed, or a reaper that ended, has said why */
        }
        running--;
        *(WEXITSTATUS(status) == 0 ? &whole : &lost) += 1;
    }
    for (i = 0; i < reapers; i++) {
        kill(reaping[i], SIGKILL);
    }
    printf("%ld %ld %ld\n", whole, lost, (long)reaps->ended);
    return 0;
}
