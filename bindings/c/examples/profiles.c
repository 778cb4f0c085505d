/*
 * Profiles for Claude Code and Codex, from C.
 *
 *     cc -std=c99 profiles.c $(pkg-config --cflags --libs agent-venv) -o profiles
 *     ./profiles                  each child shows the variable that moves its agent's directory
 *     ./profiles 'ls -a $CODEX_HOME $CLAUDE_CONFIG_DIR'
 *
 * For each agent: a fresh profile with the host's login in it and a file of our own laid over what the adapter
 * seeds, a child started in it, and nothing left when it ends. The host's own profile is never touched.
 */
#define _POSIX_C_SOURCE 200809L

#include <agent_venv.h>

#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

struct agent {
    const char *adapter; /* a built-in one; a definition of your own as JSON works as well */
    const char *memory;  /* the file that it reads its instructions from */
    const char *command; /* what the child runs: in a program of yours, the agent */
};

static const struct agent agents[] = {
    {"claude-code", "CLAUDE.md", "echo \"  the child has CLAUDE_CONFIG_DIR=$CLAUDE_CONFIG_DIR\""},
    {"codex", "AGENTS.md", "echo \"  the child has CODEX_HOME=$CODEX_HOME\""},
};

static const char instructions[] = "Answer in one sentence.\n";

/* Makes the profile. On failure *env is NULL and *error says why. */
static avenv_status make_profile(const struct agent *agent, const char *options_json,
                                 avenv_environment **env, avenv_error **error) {
    avenv_spec *spec;
    avenv_status status = avenv_spec_for_adapter(agent->adapter, options_json, &spec, error);
    *env = NULL;
    if (status == AVENV_OK) {
        status = avenv_spec_add_seed_file(spec, agent->memory, instructions, strlen(instructions), 0, error);
    }
    if (status == AVENV_OK) {
        status = avenv_environment_create_ephemeral(spec, NULL, env, error);
    }
    avenv_spec_free(spec); /* as every free here, it takes NULL */
    return status;
}

/* Runs a shell command with the profile's variables. True if it exits with 0. */
static bool run_child(const avenv_environment *env, const char *command, avenv_error **error) {
    char *const argv[] = {"sh", "-c", (char *)command, NULL};
    char **envp;
    pid_t child;
    int result, status;

    if (avenv_environment_envp(env, NULL, &envp, error) != AVENV_OK) {
        return false;
    }
    result = posix_spawnp(&child, "sh", NULL, NULL, argv, envp);
    avenv_envp_free(envp);
    if (result != 0) {
        fprintf(stderr, "  sh can't be started: %s\n", strerror(result));
        return false;
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The kind decides what a program does; the message is for people. */
static void report(const avenv_error *error) {
    fprintf(stderr, "  %s: %s\n", avenv_error_kind(error), avenv_error_message(error));
}

static bool try_agent(const struct agent *agent, const char *command) {
    avenv_environment *env;
    avenv_error *error;
    bool ran = false;
    avenv_status status = make_profile(agent, NULL, &env, &error);

    printf("%s\n", agent->adapter);
    if (status == AVENV_CREDENTIALS_MISSING) {
        printf("  no login on this host: going on without\n");
        avenv_error_free(error);
        status = make_profile(agent, "{\"load_credentials\":false}", &env, &error);
    }
    if (status == AVENV_OK) {
        printf("  profile: %s\n", avenv_environment_path(env));
        fflush(stdout); /* before the child writes to it too */
        ran = run_child(env, command, &error);
    }
    if (error == NULL) {
        /* Free would remove the profile too, but could not tell whether it did. */
        status = avenv_environment_destroy(env, NULL, &error);
    }
    if (error != NULL) {
        report(error);
    }
    avenv_error_free(error);
    avenv_environment_free(env);
    return status == AVENV_OK && ran;
}

int main(int argc, char **argv) {
    size_t failed = 0;
    char *removed;
    avenv_error *error;
    size_t i;

    for (i = 0; i < sizeof agents / sizeof agents[0]; i++) {
        failed += !try_agent(&agents[i], argc > 1 ? argv[1] : agents[i].command);
    }

    /* What owners left that were killed, and our own directory, which is empty by now. */
    if (avenv_reap(NULL, &removed, &error) != AVENV_OK) {
        report(error);
        avenv_error_free(error);
        return 1;
    }
    printf("reaped: %s\n", removed);
    avenv_string_free(removed);
    return failed != 0;
}
