/*
 * One process with four threads that uses everything for a long time: memory, descriptors and directories stay flat.
 *
 *     soak <seconds> [<share>]
 *
 * Works for one part in `share` of the time (4 if not given), so that it can run beside other work. Prints a line each
 * minute, as a row of a table, and why it failed, if it did. What it holds to: no answer but "done" and "no such name";
 * the heap in use and the resident memory are, at the end, what they were after the first tenth, but for a tolerance; as
 * many descriptors; and on disk only what has a name or a living owner. What malloc keeps for a thread counts as in use,
 * so `make soak` turns that off.
 *
 * Between two rounds all threads stand still, so that the figures mean something. In each round a child that owns an
 * ephemeral environment dies without a word, for the reaper to have something to do.
 */
#include <malloc.h>
#include <pthread.h>
#include <time.h>

#include "support.h"

enum { THREADS = 4, LAPS = 25, NAMES = 8, STEPS = 12, HEAP = 16 * 1024, RESIDENT = 256 * 1024 };

struct figures {
    long operations;
    long resident; /* bytes */
    long heap;
    int descriptors;
};

static pthread_barrier_t start, end;
static int over;
static long operations[THREADS];
static avenv_spec *spec;
static avenv_options *options;

/* A call that may find that another thread destroyed the name. */
#define OK_OR_GONE(call) ok_or_gone(__LINE__, call, &error)

static int ok_or_gone(int line, avenv_status status, avenv_error **error) {
    if (status != AVENV_OK && status != AVENV_ENVIRONMENT_NOT_FOUND) {
        check_failed(__FILE__, line, "%s: %s", avenv_status_kind(status), avenv_error_message(*error));
    }
    avenv_error_free(*error);
    *error = NULL;
    return status == AVENV_OK;
}

static void ephemeral(int lap) {
    avenv_environment *env = NULL;
    avenv_error *error = NULL;
    char **envp = NULL, *events = NULL;
    OK(avenv_environment_create_ephemeral(spec, options, &env, &error));
    OK(avenv_environment_envp(env, NULL, &envp, &error));
    OK(avenv_environment_refresh_credentials(env, spec, options, &error));
    OK(avenv_environment_events_json(env, &events, &error));
    avenv_envp_free(envp);
    avenv_string_free(events);
    if (lap % 4 != 0) {
        OK(avenv_environment_destroy(env, options, &error));
    }
    avenv_environment_free(env);
}

static void persistent(unsigned number, int lap) {
    const char *name = fmt("name %u", number % NAMES);
    avenv_environment *made = NULL, *found = NULL;
    avenv_error *error = NULL;
    char *names = NULL;
    OK(avenv_environment_create_or_attach(name, spec, options, &made, &error));
    OK(avenv_registry_list_json(options, &names, &error));
    if (OK_OR_GONE(avenv_environment_attach(name, options, &found, &error))) {
        OK_OR_GONE(avenv_environment_refresh_credentials(found, spec, options, &error));
    }
    if (lap % 3 == 0) {
        OK(avenv_environment_destroy(found == NULL ? made : found, options, &error));
    } else if (lap % 3 == 1) {
        OK_OR_GONE(avenv_registry_destroy(name, options, &error));
    }
    avenv_string_free(names);
    avenv_environment_free(found);
    avenv_environment_free(made);
}

static void failures(void) {
    avenv_spec *none = NULL;
    avenv_environment *env = NULL;
    avenv_error *error = NULL;
    CHECK_INT(avenv_spec_parse("{", &none, &error), AVENV_INVALID_ENVIRONMENT_SPEC);
    avenv_error_free(error);
    CHECK_INT(avenv_environment_attach("nobody", options, &env, &error), AVENV_ENVIRONMENT_NOT_FOUND);
    CHECK(strstr(avenv_error_events_json(error), "EnvironmentNotFound") != NULL);
    avenv_error_free(error);
}

static void housekeeping(void) {
    avenv_error *error = NULL;
    char *report = NULL, *argv = NULL;
    OK(avenv_reap(options, &report, &error));
    avenv_string_free(report);
    OK(avenv_registry_repair(options, &report, &error));
    avenv_string_free(report);
    OK(avenv_adapter_argv_json("codex", "{\"model\":\"m\"}", &argv, &error));
    avenv_string_free(argv);
}

static void *work(void *argument) {
    const int thread = (int)(intptr_t)argument;
    unsigned seed = (unsigned)thread + 1;
    for (;;) {
        int lap;
        pthread_barrier_wait(&start);
        if (over) {
            return NULL;
        }
        for (lap = 0; lap < LAPS; lap++) {
            ephemeral(lap);
            persistent((unsigned)rand_r(&seed), lap);
            failures();
            if (lap % 8 == 0) {
                housekeeping();
            }
            operations[thread] += STEPS;
        }
        pthread_barrier_wait(&end);
    }
}

/* A forked child with an environment of its own, which nobody removes but who reaps. */
static void leave_an_orphan(void) {
    pid_t child = fork();
    if (child == 0) {
        avenv_environment *env = NULL;
        _exit(avenv_environment_create_ephemeral(spec, options, &env, NULL) != AVENV_OK);
    }
    EXITS(child);
}

static void check_disk(void) {
    avenv_error *error = NULL;
    char *report = NULL, *names = NULL, *each;
    int count = 0;
    OK(avenv_reap(options, &report, &error));
    avenv_string_free(report);
    OK(avenv_registry_list_json(options, &names, &error));
    for (each = strstr(names, "name "); each != NULL; each = strstr(each + 1, "name ")) {
        count++;
    }
    avenv_string_free(names);
    CHECK_INT(entries("ephemeral"), 0);
    CHECK_INT(entries("registry/envs"), count);
    CHECK_INT(entries("registry/.agent-venv"), 0);
}

static struct figures measure(void) {
    const struct mallinfo2 heap = mallinfo2();
    struct figures now = {0, 0, (long)(heap.uordblks + heap.hblkhd), entries("/proc/self/fd") - 1};
    FILE *file = fopen("/proc/self/statm", "r");
    int i;
    CHECK(file != NULL && fscanf(file, "%*s %ld", &now.resident) == 1);
    fclose(file);
    now.resident *= sysconf(_SC_PAGESIZE);
    for (i = 0; i < THREADS; i++) {
        now.operations += operations[i];
    }
    return now;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void print(double seconds, const struct figures *figures) {
    printf("| %.0f | %ld | %ld | %ld | %d |\n", seconds, figures->operations, figures->resident / 1024,
           figures->heap / 1024, figures->descriptors);
    fflush(stdout);
}

static void soak(double seconds, double share) {
    const double began = now();
    double printed = began;
    struct figures first = {0, 0, 0, 0}, last;
    for (;;) {
        const double round = now();
        pthread_barrier_wait(&start);
        pthread_barrier_wait(&end);
        leave_an_orphan();
        check_disk();
        last = measure();
        if (first.operations == 0 && now() - began > seconds / 10) {
            first = last;
            print(now() - began, &first);
        }
        if (now() - printed > 60) {
            printed = now();
            print(printed - began, &last);
        }
        if (now() - began > seconds) {
            break;
        }
        usleep((useconds_t)((now() - round) * (share - 1) * 1e6));
    }
    print(now() - began, &last);
    CHECK_INT(last.descriptors, first.descriptors);
    CHECK(last.heap < first.heap + HEAP);
    CHECK(last.resident < first.resident + RESIDENT);
}

int main(int argc, char **argv) {
    char sandbox[] = "/tmp/avenv-soak-XXXXXX";
    avenv_error *error = NULL;
    pthread_t threads[THREADS];
    intptr_t i;
    if (argc < 2 || mkdtemp(sandbox) == NULL || chdir(sandbox) != 0) {
        return 2;
    }
    setenv("HOME", sandbox, 1);
    options = avenv_options_new();
    OK(avenv_options_set_registry_root(options, fmt("%s/registry", sandbox), &error));
    OK(avenv_options_set_ephemeral_root(options, fmt("%s/ephemeral", sandbox), &error));
    spec = parse("{'adapter_id':'mine','env_overrides':{'MINE':'$EPHEMERAL_HOME/x'},"
                 "'seed_files':{'a':'seed','b/c/d':'seed'},'credentials':{'login':'token'}}");
    pthread_barrier_init(&start, NULL, THREADS + 1);
    pthread_barrier_init(&end, NULL, THREADS + 1);
    for (i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, work, (void *)i), 0);
    }
    puts("| seconds | operations | resident KiB | heap KiB | descriptors |\n|---|---|---|---|---|");
    soak(atof(argv[1]), argc > 2 ? atof(argv[2]) : 4);
    over = 1;
    pthread_barrier_wait(&start);
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    avenv_spec_free(spec);
    avenv_options_free(options);
    CHECK_INT(chdir("/"), 0);
    check_remove_tree(sandbox);
    return 0;
}
