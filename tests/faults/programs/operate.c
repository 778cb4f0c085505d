/*
 * Does what its arguments say, one after the other, and prints one line of JSON for each call of the library.
 *
 *     operate spec:<file> attach:name mark refresh mark tell list
 *
 * Nothing is printed before the end or `tell`, so that between two marks there are no system calls but the library's.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <agent_venv.h>

#include "mark.h"

static avenv_options *options;
static avenv_spec *spec;
static avenv_environment *env;
static int kept_descriptors; /* by a process that has ephemeral environments */

static void or_die(avenv_status status, avenv_error *error) {
    if (status != AVENV_OK) {
        fprintf(stderr, "operate: %s\n", avenv_error_message(error));
        exit(2);
    }
}

/* What a call answered; `report` is JSON of its own, or NULL. */
static void answer(const char *step, avenv_status status, avenv_error *error, char *report) {
    printf("{\"step\":\"%s\",\"status\":%d", step, (int)status);
    if (status != AVENV_OK) {
        printf(",\"kind\":\"%s\",\"payload\":%s", avenv_error_kind(error), avenv_error_payload_json(error));
    } else if (report != NULL) {
        printf(",\"report\":%s", report);
    } else if (env != NULL) {
        char *events = NULL;
        or_die(avenv_environment_events_json(env, &events, NULL), NULL);
        printf(",\"path\":\"%s\",\"adapter_id\":\"%s\",\"env_overrides\":%s,\"events\":%s",
               avenv_environment_path(env), avenv_environment_adapter_id(env),
               avenv_environment_env_overrides_json(env), events);
        avenv_string_free(events);
    }
    puts("}");
    avenv_string_free(report);
    avenv_error_free(error);
}

/* A handle that a call shall replace; freeing an ephemeral one removes it, so that is done before. */
static avenv_environment **new_env(void) {
    avenv_environment_free(env);
    env = NULL;
    return &env;
}

static void number(const char *what, const char *argument) {
    avenv_error *error = NULL;
    if (strcmp(what, "timeout") == 0) {
        or_die(avenv_options_set_lock_timeout_ms(options, atol(argument), &error), error);
    } else {
        or_die(avenv_options_set_durable(options, atol(argument) != 0, &error), error);
    }
}

static void act(const char *step, const char *argument) {
    avenv_error *error = NULL;
    char *report = NULL;
    avenv_status status;
    if (strcmp(step, "create") == 0) {
        status = avenv_environment_create_or_attach(argument, spec, options, new_env(), &error);
    } else if (strcmp(step, "attach") == 0) {
        status = avenv_environment_attach(argument, options, new_env(), &error);
    } else if (strcmp(step, "ephemeral") == 0) {
        kept_descriptors = 1;
        status = avenv_environment_create_ephemeral(spec, options, new_env(), &error);
    } else if (strcmp(step, "refresh") == 0) {
        status = avenv_environment_refresh_credentials(env, spec, options, &error);
    } else if (strcmp(step, "status") == 0) {
        status = avenv_environment_login_status_json(env, &report, &error);
    } else if (strcmp(step, "destroy") == 0) {
        status = avenv_environment_destroy(env, options, &error);
    } else if (strcmp(step, "destroy-name") == 0) {
        status = avenv_registry_destroy(argument, options, &error);
    } else if (strcmp(step, "list") == 0) {
        status = avenv_registry_list_json(options, &report, &error);
    } else if (strcmp(step, "repair") == 0) {
        status = avenv_registry_repair(options, &report, &error);
    } else if (strcmp(step, "reap") == 0) {
        status = avenv_reap(options, &report, &error);
    } else {
        fprintf(stderr, "operate: there is no step %s\n", step);
        exit(2);
    }
    answer(step, status, error, report);
}

/* The spec that is used from now on: a large one fits no argument. */
static void read_spec(const char *path) {
    static char json[4 << 20];
    avenv_error *error = NULL;
    FILE *file = fopen(path, "r");
    size_t length = file == NULL ? 0 : fread(json, 1, sizeof json - 1, file);
    if (length == 0) {
        fprintf(stderr, "operate: there is no spec in %s\n", path);
        exit(2);
    }
    fclose(file);
    json[length] = '\0';
    or_die(avenv_spec_parse(json, &spec, &error), error);
}

static void tell(void) {
    char line[2];
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL) {
        exit(0);
    }
}

/* What is open when all was freed: the standard streams, and the process directory. */
static void check_descriptors(void) {
    DIR *open = opendir("/proc/self/fd");
    int count = -1 - 2; /* its own, and the names of it and of what is above */
    while (open != NULL && readdir(open) != NULL) {
        count++;
    }
    if (count < 3 || count > 3 + kept_descriptors) {
        fprintf(stderr, "operate: %d descriptors are open at the end\n", count);
        exit(3);
    }
    closedir(open);
}

int main(int argc, char **argv) {
    static char printed[1 << 20];
    int i;
    setvbuf(stdout, printed, _IOFBF, sizeof printed);
    alarm(PATIENCE);
    options = avenv_options_new();
    for (i = 1; i < argc; i++) {
        char *argument = strchr(argv[i], ':');
        if (argument != NULL) {
            *argument++ = '\0';
        }
        if (strcmp(argv[i], "mark") == 0) {
            syscall(MARK);
        } else if (strcmp(argv[i], "tell") == 0) {
            tell();
        } else if (strcmp(argv[i], "spec") == 0) {
            read_spec(argument);
        } else if (strcmp(argv[i], "timeout") == 0 || strcmp(argv[i], "durable") == 0) {
            number(argv[i], argument);
        } else {
            act(argv[i], argument);
        }
    }
    fflush(stdout);
    avenv_environment_free(env);
    avenv_spec_free(spec);
    avenv_options_free(options);
    check_descriptors();
    return 0;
}
