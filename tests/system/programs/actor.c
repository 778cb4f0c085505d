/*
 * A process that uses the library as it is told: one command a line on standard input, one answer a line on standard
 * output. In between is one call of the library and nothing else, so that a trace of this process shows that call alone.
 *
 *     <command> [argument]      create {"seed_files":{...}}
 *     ok <text>                 ok /tmp/agent-venv-0/1a2b3c4d-...
 *     error <kind> TAB <message> TAB <payload> TAB <events>
 *
 * Commands on an environment mean the one that was made last and not freed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <agent_venv.h>

#define MOST 1000

static avenv_options *options;
static avenv_environment *made[MOST];
static size_t count;

static avenv_environment *last(void) {
    return count == 0 ? NULL : made[count - 1];
}

static void answer(avenv_status status, const char *text, avenv_error *error) {
    if (status == AVENV_OK) {
        printf("ok %s\n", text == NULL ? "" : text);
    } else {
        printf("error %s\t%s\t%s\t%s\n", avenv_error_kind(error), avenv_error_message(error),
               avenv_error_payload_json(error), avenv_error_events_json(error));
    }
    fflush(stdout);
    avenv_error_free(error);
}

static avenv_spec *parsed(const char *json, avenv_status *status, avenv_error **error) {
    avenv_spec *spec = NULL;
    *status = json == NULL ? AVENV_OK : avenv_spec_parse(json, &spec, error);
    return spec;
}

/* Nothing, but to say that commands are obeyed from now on. */
static void ready(const char *argument) {
    (void)argument;
    answer(AVENV_OK, NULL, NULL);
}

static void keep(avenv_status status, avenv_environment *env, avenv_error *error) {
    if (status == AVENV_OK) {
        made[count++ % MOST] = env;
    }
    answer(status, avenv_environment_path(env), error);
}

static void create(const char *json) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_status status;
    avenv_spec *spec = parsed(json, &status, &error);
    if (status == AVENV_OK) {
        status = avenv_environment_create_ephemeral(spec, options, &env, &error);
    }
    keep(status, env, error);
    avenv_spec_free(spec);
}

/* A name without a space in it, and a spec. */
static void create_or_attach(const char *name_and_json) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_status status;
    char *name = strdup(name_and_json);
    char *json = strchr(name, ' ');
    avenv_spec *spec;
    if (json != NULL) {
        *json++ = '\0';
    }
    spec = parsed(json, &status, &error);
    if (status == AVENV_OK) {
        status = avenv_environment_create_or_attach(name, spec, options, &env, &error);
    }
    keep(status, env, error);
    avenv_spec_free(spec);
    free(name);
}

static void attach(const char *name) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_status status = avenv_environment_attach(name, options, &env, &error);
    keep(status, env, error);
}

static void refresh(const char *json) {
    avenv_error *error = NULL;
    avenv_status status;
    avenv_spec *spec = parsed(json, &status, &error);
    if (status == AVENV_OK) {
        status = avenv_environment_refresh_credentials(last(), spec, options, &error);
    }
    answer(status, NULL, error);
    avenv_spec_free(spec);
}

static void destroy(const char *argument) {
    avenv_error *error = NULL;
    avenv_status status = avenv_environment_destroy(last(), options, &error);
    (void)argument;
    answer(status, NULL, error);
}

static void release(const char *argument) {
    (void)argument;
    avenv_environment_free(last());
    count -= count > 0;
    answer(AVENV_OK, NULL, NULL);
}

static void events(const char *argument) {
    avenv_error *error = NULL;
    char *text = NULL;
    avenv_status status = avenv_environment_events_json(last(), &text, &error);
    (void)argument;
    answer(status, text, error);
    avenv_string_free(text);
}

static void destroy_named(const char *name) {
    avenv_error *error = NULL;
    avenv_status status = avenv_registry_destroy(name, options, &error);
    answer(status, NULL, error);
}

static void told_by(avenv_status (*call)(const avenv_options *, char **, avenv_error **)) {
    avenv_error *error = NULL;
    char *report = NULL;
    avenv_status status = call(options, &report, &error);
    answer(status, report, error);
    avenv_string_free(report);
}

static void reap(const char *argument) {
    (void)argument;
    told_by(avenv_reap);
}

static void repair(const char *argument) {
    (void)argument;
    told_by(avenv_registry_repair);
}

static void names(const char *argument) {
    (void)argument;
    told_by(avenv_registry_list_json);
}

/* How long is waited for the registry's lock from now on. */
static void patience(const char *milliseconds) {
    avenv_error *error = NULL;
    avenv_status status = avenv_options_set_lock_timeout_ms(options, atol(milliseconds), &error);
    answer(status, NULL, error);
}

/* All further calls mean this ephemeral root. */
static void root(const char *path) {
    avenv_error *error = NULL;
    avenv_status status = avenv_options_set_ephemeral_root(options, path, &error);
    answer(status, NULL, error);
}

/* How many descriptors this process may have from now on. */
static void descriptors(const char *most) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = (rlim_t)atol(most);
    answer(setrlimit(RLIMIT_NOFILE, &limit) == 0 ? AVENV_OK : AVENV_INTERNAL_INVARIANT_VIOLATION, NULL, NULL);
}

/* A forked child that does nothing but live; answers its process id. */
static void fork_child(const char *argument) {
    char id[24];
    pid_t child = fork();
    (void)argument;
    while (child == 0) {
        pause();
    }
    snprintf(id, sizeof id, "%ld", (long)child);
    answer(AVENV_OK, id, NULL);
}

static const struct {
    const char *name;
    void (*run)(const char *argument);
} commands[] = {{"ready", ready},
                {"create", create},
                {"create-or-attach", create_or_attach},
                {"attach", attach},
                {"refresh", refresh},
                {"destroy", destroy},
                {"destroy-named", destroy_named},
                {"free", release},
                {"events", events},
                {"names", names},
                {"reap", reap},
                {"repair", repair},
                {"root", root},
                {"patience", patience},
                {"fork", fork_child},
                {"descriptors", descriptors}};

static void obey(char *line) {
    char *argument = strchr(line, ' ');
    size_t i;
    if (argument != NULL) {
        *argument++ = '\0';
    }
    for (i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, line) == 0) {
            commands[i].run(argument);
            return;
        }
    }
    fprintf(stderr, "actor: there is no command %s\n", line);
    exit(2);
}

int main(void) {
    char *line = NULL;
    size_t room = 0;
    options = avenv_options_new();
    while (getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        obey(line);
    }
    avenv_options_free(options);
    free(line);
    return 0;
}
