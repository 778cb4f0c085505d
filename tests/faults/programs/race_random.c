/*
 * Creates, attaches, lists, refreshes and destroys at random, by name and through handles that grow stale.
 *
 *     race_random <operations> <processes> <names> <seed>
 *
 * Prints JSON: how often each operation gave each answer, and how often a promise broke. Permitted answers are those of
 * the table below and no other.
 *
 * Each environment's seed file and credential tell who made it. A refresh through a handle writes what that handle's
 * environment had, so that where the two differ, a handle has written to another environment than its own. A handle whose
 * seed file is gone, seen through a descriptor that was opened when it was made, is stale before the call: then a refresh
 * that succeeds and a destroy that changes the registry have hurt another environment.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "race.h"

#define HANDLES 6
#define TAG 32

enum { CREATE, ATTACH, LIST, REFRESH, DESTROY, DESTROY_BY_NAME, OPERATIONS };
enum { MADE, DONE, STALE, ABSENT, ANSWERS };

static const char *const operation_names[OPERATIONS] = {"create_or_attach", "attach",  "list",
                                                        "refresh",          "destroy", "destroy_by_name"};
static const char *const answer_names[ANSWERS] = {"created", "ok", "ok, nothing to do", "EnvironmentNotFound"};
static const int permitted[OPERATIONS][ANSWERS] = {
    [CREATE] = {1, 1, 0, 0},  [ATTACH] = {0, 1, 0, 1},  [LIST] = {0, 1, 0, 0},
    [REFRESH] = {0, 1, 0, 1}, [DESTROY] = {0, 1, 1, 0}, [DESTROY_BY_NAME] = {0, 1, 0, 1},
};

static struct {
    atomic_long left;
    atomic_long answers[OPERATIONS][ANSWERS];
    atomic_long broken;
    atomic_long alive[64]; /* created less destroyed, by name */
} *all;

static long names;
static unsigned id;
static unsigned long made;
static avenv_options *options;

static struct handle {
    avenv_environment *env;
    long number;
    int profile; /* the directory, open since the handle was made */
    char tag[TAG];
} handles[HANDLES];

static void wrong(const char *what, const char *more) {
    broke(what, more);
    all->broken++;
}

static void count(int operation, int answer) {
    all->answers[operation][answer]++;
    if (!permitted[operation][answer]) {
        wrong(operation_names[operation], answer_names[answer]);
    }
}

/* Of a failure: only that the name is absent is permitted, where it is. */
static void failed(int operation, avenv_status status, avenv_error *error) {
    if (status == AVENV_ENVIRONMENT_NOT_FOUND) {
        count(operation, ABSENT);
    } else {
        char line[1500];
        snprintf(line, sizeof line, "%s: %s", avenv_error_kind(error), said(error));
        wrong(operation_names[operation], line);
    }
    avenv_error_free(error);
}

/* 1: read; 0: it is gone. */
static int content(int profile, const char *name, char *tag) {
    int file = openat(profile, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, tag, TAG - 1);
    if (file >= 0) {
        close(file);
    }
    tag[length < 0 ? 0 : length] = '\0';
    return length >= 0;
}

/* What a handle finds is of one environment, and whole, unless it is being removed. */
static void check_one_piece(int profile) {
    char seed[TAG], login[TAG], script[TAG];
    int has_login = content(profile, "login", login);
    int has_script = content(profile, "below/run.sh", script);
    if (!content(profile, "seed", seed)) {
        return;
    }
    /* The seed file may yet be there where the rest is gone: then it goes soon. */
    if (has_login && strcmp(seed, login) != 0) {
        wrong("a handle wrote to another environment", login);
    }
    if (has_script && strcmp(script, "run") != 0) {
        wrong("a seed file is torn", script);
    }
}

static int is_stale(const struct handle *handle) {
    char tag[TAG];
    return handle->profile < 0 || !content(handle->profile, "seed", tag);
}

static int has_event(const avenv_environment *env, const char *kind) {
    char *events = NULL;
    int has;
    avenv_environment_events_json(env, &events, NULL);
    has = strstr(events, kind) != NULL;
    avenv_string_free(events);
    return has;
}

static void let_go(struct handle *handle) {
    if (handle->env != NULL) {
        avenv_environment_free(handle->env);
        if (handle->profile >= 0) {
            close(handle->profile);
        }
        handle->env = NULL;
    }
}

/* Keeps a handle, and the directory that it means now. */
static void keep(struct handle *handle, avenv_environment *env, long number) {
    let_go(handle);
    handle->number = number;
    handle->env = env;
    handle->profile = open(avenv_environment_path(env), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    handle->tag[0] = '\0';
    if (handle->profile >= 0) {
        check_one_piece(handle->profile);
        if (!content(handle->profile, "seed", handle->tag)) {
            close(handle->profile);
            handle->profile = -1;
        }
    }
}

static avenv_spec *tagged(const char *tag) {
    avenv_spec *spec = NULL;
    avenv_spec_parse("{\"adapter_id\":\"mine\"}", &spec, NULL);
    avenv_spec_add_seed_file(spec, "seed", tag, strlen(tag), 0, NULL);
    avenv_spec_add_seed_file(spec, "below/run.sh", "run", 3, 0700, NULL);
    avenv_spec_add_credential(spec, "login", tag, strlen(tag), NULL);
    return spec;
}

static void create(const char *name, long number, struct handle *handle) {
    char tag[TAG];
    avenv_spec *spec;
    avenv_environment *env = NULL;
    avenv_error *error = NULL;
    avenv_status status;
    snprintf(tag, sizeof tag, "%u-%lu", id, made++);
    spec = tagged(tag);
    status = avenv_environment_create_or_attach(name, spec, options, &env, &error);
    if (status != AVENV_OK) {
        failed(CREATE, status, error);
    } else {
        int is_new = has_event(env, "\"env.created\"");
        count(CREATE, is_new ? MADE : DONE);
        all->alive[number] += is_new;
        keep(handle, env, number);
    }
    avenv_spec_free(spec);
}

static void attach(const char *name, long number, struct handle *handle) {
    avenv_environment *env = NULL;
    avenv_error *error = NULL;
    avenv_status status = avenv_environment_attach(name, options, &env, &error);
    if (status != AVENV_OK) {
        failed(ATTACH, status, error);
    } else {
        count(ATTACH, DONE);
        keep(handle, env, number);
    }
}

static void list(void) {
    char *json = NULL;
    avenv_error *error = NULL;
    avenv_status status = avenv_registry_list_json(options, &json, &error);
    if (status != AVENV_OK) {
        failed(LIST, status, error);
    } else {
        count(LIST, DONE);
    }
    avenv_string_free(json);
}

static void refresh(struct handle *handle) {
    int stale = is_stale(handle);
    avenv_spec *spec;
    avenv_error *error = NULL;
    avenv_status status;
    if (handle->env == NULL || handle->tag[0] == '\0') {
        return;
    }
    spec = tagged(handle->tag);
    status = avenv_environment_refresh_credentials(handle->env, spec, options, &error);
    if (status != AVENV_OK) {
        failed(REFRESH, status, error);
    } else {
        count(REFRESH, DONE);
        if (stale) {
            wrong("a stale handle refreshed", handle->tag);
        }
        check_one_piece(handle->profile);
    }
    avenv_spec_free(spec);
}

static void destroy(struct handle *handle) {
    int stale = is_stale(handle);
    avenv_error *error = NULL;
    avenv_status status;
    if (handle->env == NULL) {
        return;
    }
    status = avenv_environment_destroy(handle->env, options, &error);
    if (status != AVENV_OK) {
        failed(DESTROY, status, error);
    } else {
        /* Made by this handle too: its log says what its creation wrote as well. */
        int was_made = has_event(handle->env, "\"env.created\"");
        char *events = NULL, *first, *second = NULL;
        avenv_environment_events_json(handle->env, &events, NULL);
        first = strstr(events, "\"registry.written\"");
        second = first == NULL ? NULL : strstr(first + 1, "\"registry.written\"");
        if ((was_made ? second : first) != NULL) {
            count(DESTROY, DONE);
            all->alive[handle->number]--;
            if (stale) {
                wrong("a stale handle destroyed", handle->tag);
            }
        } else {
            count(DESTROY, STALE);
        }
        avenv_string_free(events);
    }
    let_go(handle);
}

static void destroy_by_name(const char *name, long number) {
    avenv_error *error = NULL;
    avenv_status status = avenv_registry_destroy(name, options, &error);
    if (status != AVENV_OK) {
        failed(DESTROY_BY_NAME, status, error);
    } else {
        count(DESTROY_BY_NAME, DONE);
        all->alive[number]--;
    }
}

static void work(void) {
    int i;
    while (all->left-- > 0) {
        long number = random() % names;
        struct handle *handle = &handles[random() % HANDLES];
        char name[40];
        sprintf(name, "name-%ld", number);
        switch (random() % 10) {
        case 0:
        case 1:
        case 2:
            create(name, number, handle);
            break;
        case 3:
        case 4:
            attach(name, number, handle);
            break;
        case 5:
            list();
            break;
        case 6:
        case 7:
            refresh(handle);
            break;
        case 8:
            destroy(handle);
            break;
        default:
            destroy_by_name(name, number);
        }
    }
    for (i = 0; i < HANDLES; i++) {
        let_go(&handles[i]);
    }
}

/* At the end list, attach and what was counted agree. */
static void check_end(void) {
    avenv_error *error = NULL;
    char *listed = NULL, name[40];
    long i;
    if (avenv_registry_list_json(options, &listed, &error) != AVENV_OK) {
        wrong("list at the end", said(error));
        return;
    }
    for (i = 0; i < names; i++) {
        avenv_environment *env = NULL;
        int is_listed, is_attached;
        sprintf(name, "\"name-%ld\"", i);
        is_listed = strstr(listed, name) != NULL;
        sprintf(name, "name-%ld", i);
        is_attached = avenv_environment_attach(name, options, &env, NULL) == AVENV_OK;
        if (is_listed != is_attached || is_listed != (all->alive[i] == 1) || all->alive[i] < 0 || all->alive[i] > 1) {
            char line[200];
            snprintf(line, sizeof line, "%s: listed %d, attached %d, created less destroyed %ld", name, is_listed,
                     is_attached, (long)all->alive[i]);
            wrong("at the end", line);
        }
        avenv_environment_free(env);
    }
    avenv_string_free(listed);
}

int main(int argc, char **argv) {
    long processes = argc == 5 ? atol(argv[2]) : 0;
    int i, j;
    if (processes == 0) {
        return 2;
    }
    all = shared(sizeof *all);
    all->left = atol(argv[1]);
    names = atol(argv[3]);
    options = avenv_options_new();
    for (id = 0; id < processes; id++) {
        if (fork() == 0) {
            alarm(600);
            srandom((unsigned)atol(argv[4]) * 1000 + id);
            work();
            _exit(0);
        }
    }
    for (i = 0; i < processes; i++) {
        int status;
        if (wait(&status) < 0 || status != 0) {
            wrong("a process", "did not end well");
        }
    }
    check_end();
    printf("{\"broken\":%ld", (long)all->broken);
    for (i = 0; i < OPERATIONS; i++) {
        printf(",\"%s\":{", operation_names[i]);
        for (j = 0; j < ANSWERS; j++) {
            printf("%s\"%s\":%ld", j == 0 ? "" : ",", answer_names[j], (long)all->answers[i][j]);
        }
        printf("}");
    }
    puts("}");
    return 0;
}
