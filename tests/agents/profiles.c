/* Makes profiles on request, and starts programs with them: the C half of driver.py. */
#define _POSIX_C_SOURCE 200809L

#include <agent_venv.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { MAX_ENVIRONMENTS = 8, MAX_FIELDS = 32 };

static avenv_environment *environments[MAX_ENVIRONMENTS];
static int environment_count = 0;

static void refuse(const char *reason) {
    printf("error\tdriver\t%s\n", reason);
}

static void report_error(avenv_error *error) {
    printf("error\t%s\t%s\n", avenv_error_kind(error), avenv_error_message(error));
    avenv_error_free(error);
}

static void refresh(avenv_environment *env) {
    avenv_error *error = NULL;
    if (avenv_environment_refresh_credentials(env, NULL, NULL, &error) != AVENV_OK) {
        report_error(error);
        return;
    }
    printf("ok\n");
}

static void status(const avenv_environment *env) {
    avenv_error *error = NULL;
    char *told = NULL;
    if (avenv_environment_login_status_json(env, &told, &error) != AVENV_OK) {
        report_error(error);
        return;
    }
    printf("ok\t%s\n", told);
    avenv_string_free(told);
}

static void destroy(avenv_environment *env) {
    avenv_error *error = NULL;
    if (avenv_environment_destroy(env, NULL, &error) != AVENV_OK) {
        report_error(error);
        return;
    }
    printf("ok\n");
}

static void create(const char *adapter, const char *options) {
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    avenv_environment *env = NULL;
    avenv_status status;

    if (environment_count == MAX_ENVIRONMENTS) {
        refuse("too many environments");
        return;
    }
    status = avenv_spec_for_adapter(adapter, options, &spec, &error);
    if (status == AVENV_OK) {
        status = avenv_environment_create_ephemeral(spec, NULL, &env, &error);
    }
    avenv_spec_free(spec);
    if (status != AVENV_OK) {
        report_error(error);
        return;
    }
    printf("ok\t%d\t%s\t%s\n", environment_count, avenv_environment_path(env), avenv_environment_env_unset_json(env));
    environments[environment_count++] = env;
}

/* Starts argv with these variables, its output going to two files; answers its exit status, or -1. */
static int run_with(char **envp, const char *out, const char *err, char **argv) {
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_t files;
    pid_t child;
    int status;
    int failed;

    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, out, flags, 0600);
    posix_spawn_file_actions_addopen(&files, 2, err, flags, 0600);
    failed = posix_spawn(&child, argv[0], &files, NULL, argv, envp);
    posix_spawn_file_actions_destroy(&files);
    if (failed || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status);
}

static void run(const avenv_environment *env, const char *out, const char *err, char **argv) {
    avenv_error *error = NULL;
    char **envp = NULL;

    if (avenv_environment_envp(env, NULL, &envp, &error) != AVENV_OK) {
        report_error(error);
        return;
    }
    printf("ok\t%d\n", run_with(envp, out, err, argv));
    avenv_envp_free(envp);
}

/* Cuts a line at its tabs; the fields end with a NULL. */
static int split(char *line, char *fields[MAX_FIELDS + 1]) {
    int count = 0;
    line[strcspn(line, "\n")] = '\0';
    while (line != NULL && count < MAX_FIELDS) {
        char *tab = strchr(line, '\t');
        fields[count++] = line;
        line = tab == NULL ? NULL : tab + 1;
        if (tab != NULL) {
            *tab = '\0';
        }
    }
    fields[count] = NULL;
    return count;
}

static void answer(char *line) {
    char *fields[MAX_FIELDS + 1];
    const int count = split(line, fields);
    avenv_environment *env = NULL;

    if (count == 3 && strcmp(fields[0], "create") == 0) {
        create(fields[1], fields[2]);
        return;
    }
    if (count >= 2 && atoi(fields[1]) < environment_count) {
        env = environments[atoi(fields[1])];
    }
    if (env != NULL && count >= 5 && strcmp(fields[0], "run") == 0) {
        run(env, fields[2], fields[3], fields + 4);
    } else if (env != NULL && strcmp(fields[0], "refresh") == 0) {
        refresh(env);
    } else if (env != NULL && strcmp(fields[0], "status") == 0) {
        status(env);
    } else if (env != NULL && strcmp(fields[0], "destroy") == 0) {
        destroy(env);
    } else {
        refuse("not understood");
    }
}

int main(void) {
    char line[16384];
    int i;

    while (fgets(line, sizeof line, stdin) != NULL) {
        answer(line);
        fflush(stdout);
    }
    for (i = 0; i < environment_count; i++) {
        avenv_environment_free(environments[i]);
    }
    return 0;
}
