/*
 * All create one name at once, round after round: there is one creator, and whoever comes back finds everything in place.
 *
 *     race_name <rounds> <processes> <threads>
 *
 * Prints "<rounds> <calls> <created> <attached> <broken>". Every other round is the first in a registry that does not
 * exist yet.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "race.h"

#define NAME "one"
#define SLUG "7692c3ad3540bb80" /* sha256sum of the name, the first 16 digits */
#define FILES 4

static const char SPEC[] = "{\"adapter_id\":\"mine\",\"env_overrides\":{\"MINE\":\"$EPHEMERAL_HOME/x\"},"
                           "\"seed_files\":{\"a\":\"seed\",\"b/c/d\":\"seed\",\"run.sh\":\"seed\"},"
                           "\"file_modes\":{\"run.sh\":448},\"credentials\":{\"login\":\"seed\"}}";
static const struct {
    const char *path;
    mode_t mode;
} files[FILES] = {{"a", 0600}, {"b/c/d", 0600}, {"run.sh", 0700}, {"login", 0600}};

static struct {
    pthread_barrier_t start, end;
    atomic_long calls, created, attached, broken;
    atomic_long created_now;
} *all;

static char directory[4096];
static long rounds;
static long threads;

static void wrong(const char *what, const char *more) {
    broke(what, more);
    all->broken++;
}

/* Its registry of each round: the same one in every other. */
static void registry_of(long round, char *root) {
    sprintf(root, "registry-%ld", round % 2 == 0 ? round : 1);
}

static avenv_options *options_for(const char *root) {
    avenv_options *options = avenv_options_new();
    avenv_options_set_registry_root(options, root, NULL);
    return options;
}

/* What is promised at the moment a call comes back. */
static void check_whole(const avenv_environment *env) {
    const char *path = avenv_environment_path(env);
    char expected[5000], name[5000], content[16];
    int i;
    snprintf(expected, sizeof expected, "{\"MINE\":\"%s/x\"}", path);
    if (strcmp(avenv_environment_env_overrides_json(env), expected) != 0) {
        wrong("other env_overrides", avenv_environment_env_overrides_json(env));
    }
    for (i = 0; i < FILES; i++) {
        struct stat is;
        FILE *file;
        snprintf(name, sizeof name, "%s/%s", path, files[i].path);
        file = fopen(name, "r");
        if (file == NULL || fgets(content, sizeof content, file) == NULL || strcmp(content, "seed") != 0) {
            wrong("not in place", name);
        } else if (fstat(fileno(file), &is) != 0 || (is.st_mode & 07777) != files[i].mode) {
            wrong("another mode", name);
        }
        if (file != NULL) {
            fclose(file);
        }
    }
}

static void take_part(const avenv_spec *spec, const char *root) {
    avenv_options *options = options_for(root);
    avenv_environment *env = NULL;
    avenv_error *error = NULL;
    char *events = NULL, path[8192];
    all->calls++;
    if (avenv_environment_create_or_attach(NAME, spec, options, &env, &error) != AVENV_OK) {
        wrong("create_or_attach", said(error));
        avenv_error_free(error);
        avenv_options_free(options);
        return;
    }
    check_whole(env);
    avenv_environment_events_json(env, &events, NULL);
    if (strstr(events, "\"env.created\"") != NULL) {
        all->created++;
        if (all->created_now++ != 0) {
            wrong("a second creator", events);
        }
    } else if (strstr(events, "\"env.attached\"") != NULL) {
        all->attached++;
    } else {
        wrong("neither created nor attached", events);
    }
    snprintf(path, sizeof path, "%s/%s/envs/" SLUG "/profile", directory, root);
    if (strcmp(avenv_environment_path(env), path) != 0) {
        wrong("another path", avenv_environment_path(env));
    }
    avenv_string_free(events);
    avenv_environment_free(env);
    avenv_options_free(options);
}

static void *racer(void *unused) {
    avenv_spec *spec = NULL;
    long i;
    (void)unused;
    avenv_spec_parse(SPEC, &spec, NULL);
    for (i = 0; i < rounds; i++) {
        char root[64];
        registry_of(i, root);
        pthread_barrier_wait(&all->start);
        take_part(spec, root);
        pthread_barrier_wait(&all->end);
    }
    avenv_spec_free(spec);
    return NULL;
}

static void race_in_threads(void) {
    pthread_t ids[64];
    long i;
    for (i = 0; i < threads; i++) {
        if (pthread_create(&ids[i], NULL, racer, NULL) != 0) {
            _exit(2);
        }
    }
    for (i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
    }
    _exit(0);
}

/* After a round: exactly one was made, it is the one that is listed, and it can be destroyed. */
static void check_round(long round) {
    avenv_environment *env = NULL;
    avenv_error *error = NULL;
    avenv_options *options;
    char root[64], *names = NULL;
    registry_of(round, root);
    options = options_for(root);
    if (all->created_now != 1) {
        wrong("a round without its one creator", root);
    }
    if (avenv_registry_list_json(options, &names, &error) != AVENV_OK || strcmp(names, "[\"" NAME "\"]") != 0) {
        wrong("list", names == NULL ? said(error) : names);
    }
    if (avenv_environment_attach(NAME, options, &env, &error) != AVENV_OK) {
        wrong("attach", said(error));
    } else if (avenv_environment_destroy(env, options, &error) != AVENV_OK) {
        wrong("destroy", said(error));
    }
    avenv_string_free(names);
    avenv_environment_free(env);
    avenv_options_free(options);
    all->created_now = 0;
}

int main(int argc, char **argv) {
    pthread_barrierattr_t between_processes;
    long processes = argc == 4 ? atol(argv[2]) : 0, i;
    if (processes == 0) {
        return 2;
    }
    if (getcwd(directory, sizeof directory) == NULL) {
        return 2;
    }
    rounds = atol(argv[1]);
    threads = atol(argv[3]);
    all = shared(sizeof *all);
    pthread_barrierattr_init(&between_processes);
    pthread_barrierattr_setpshared(&between_processes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&all->start, &between_processes, (unsigned)(processes * threads + 1));
    pthread_barrier_init(&all->end, &between_processes, (unsigned)(processes * threads + 1));
    for (i = 0; i < processes; i++) {
        if (fork() == 0) {
            alarm(600);
            race_in_threads();
        }
    }
    alarm(600);
    for (i = 0; i < rounds; i++) {
        pthread_barrier_wait(&all->start);
        pthread_barrier_wait(&all->end);
        check_round(i);
    }
    for (i = 0; i < processes; i++) {
        int status;
        if (wait(&status) < 0 || status != 0) {
            wrong("a process", "did not end well");
        }
    }
    printf("%ld %ld %ld %ld %ld\n", rounds, (long)all->calls, (long)all->created, (long)all->attached,
           (long)all->broken);
    return 0;
}
