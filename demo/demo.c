/* The demo's part in C: a profile for each agent, and one that is kept by name. */
#define _POSIX_C_SOURCE 200809L

#include <agent_venv.h>

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static void fail(const avenv_error *error) {
    fprintf(stderr, "C       %s: %s\n", avenv_error_kind(error), avenv_error_message(error));
    exit(1);
}

/* Runs a shell command with the profile's variables. */
static void run(const avenv_environment *env, const char *command) {
    char *const argv[] = {"sh", "-c", (char *)command, NULL};
    avenv_error *error;
    char **envp;
    pid_t child;

    if (avenv_environment_envp(env, NULL, &envp, &error) != AVENV_OK) {
        fail(error);
    }
    fflush(stdout);
    if (posix_spawnp(&child, "sh", NULL, NULL, argv, envp) == 0) {
        waitpid(child, NULL, 0);
    }
    avenv_envp_free(envp);
}

static void show_agent(const char *adapter, const char *command) {
    const char *login = "with the host's login";
    avenv_environment *env;
    avenv_spec *spec;
    avenv_error *error;

    if (avenv_spec_for_adapter(adapter, NULL, &spec, &error) != AVENV_OK) {
        fail(error);
    }
    if (avenv_environment_create_ephemeral(spec, NULL, &env, &error) == AVENV_CREDENTIALS_MISSING) {
        login = "without a login, as there is none on this host";
        avenv_error_free(error);
        avenv_spec_free(spec);
        if (avenv_spec_for_adapter(adapter, "{\"load_credentials\":false}", &spec, &error) != AVENV_OK ||
            avenv_environment_create_ephemeral(spec, NULL, &env, &error) != AVENV_OK) {
            fail(error);
        }
    } else if (error != NULL) {
        fail(error);
    }
    printf("C       a profile for %s, %s\n", adapter, login);
    run(env, command);
    if (avenv_environment_destroy(env, NULL, &error) != AVENV_OK) {
        fail(error);
    }
    avenv_environment_free(env);
    avenv_spec_free(spec);
}

/* A profile that stays, for an agent that no adapter is built in for: its definition is a few lines of JSON. */
static void keep_profile(const char *login) {
    char adapter[4096];
    avenv_environment *env;
    avenv_spec *spec;
    avenv_error *error;

    snprintf(adapter, sizeof adapter,
             "{\"id\":\"demo\",\"program\":\"demo\",\"env\":{\"DEMO_HOME\":\"$EPHEMERAL_HOME\"},"
             "\"login\":[{\"profile\":\"login\",\"host\":[{\"file\":\"%s\"}]}]}", login);
    if (avenv_spec_for_adapter(adapter, NULL, &spec, &error) != AVENV_OK ||
        avenv_environment_create_or_attach("demo", spec, NULL, &env, &error) != AVENV_OK) {
        fail(error);
    }
    printf("C       a profile that is kept, by the name \"demo\", for an adapter of the demo's own\n");
    run(env, "echo \"          its login: $(cat \"$DEMO_HOME/login\")\"");
    avenv_environment_free(env);
    avenv_spec_free(spec);
}

int main(void) {
    avenv_error *error;
    char *report;

    show_agent("claude-code", "echo \"          its child has CLAUDE_CONFIG_DIR=$CLAUDE_CONFIG_DIR\"");
    show_agent("codex", "echo \"          its child has CODEX_HOME=$CODEX_HOME\"");
    keep_profile(getenv("DEMO_LOGIN"));
    if (avenv_reap(NULL, &report, &error) != AVENV_OK) {
        fail(error);
    }
    avenv_string_free(report);
    return 0;
}
