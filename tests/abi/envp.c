/* The environment block for execve and posix_spawn. */
#include <spawn.h>

#include "support.h"

extern char **environ;

/* How often a variable is in a block. */
static int occurrences(char *const *block, const char *name) {
    const size_t len = strlen(name);
    int count = 0;
    for (; *block != NULL; block++) {
        count += strncmp(*block, name, len) == 0 && (*block)[len] == '=';
    }
    return count;
}

static int holds(char *const *block, const char *entry) {
    for (; *block != NULL; block++) {
        if (strcmp(*block, entry) == 0) {
            return 1;
        }
    }
    return 0;
}

static int length(char *const *block) {
    int count = 0;
    while (block[count] != NULL) {
        count++;
    }
    return count;
}

static char **envp_of(const avenv_environment *env, const char *const *base) {
    avenv_error *error = NULL;
    char **envp = NULL;
    OK(avenv_environment_envp(env, base, &envp, &error));
    return envp;
}

TEST(null_base_is_this_processs_environment_plus_the_overrides) {
    avenv_environment *env = create("{'env_overrides':{'MINE':'$EPHEMERAL_HOME','HOME_TOO':'x'}}");
    char **envp;
    int i;
    CHECK_INT(setenv("MINE", "inherited", 1), 0);
    envp = envp_of(env, NULL);
    CHECK_INT(length(envp), length(environ) + 1);
    CHECK(holds(envp, fmt("MINE=%s", avenv_environment_path(env))));
    CHECK(holds(envp, "HOME_TOO=x"));
    CHECK_INT(occurrences(envp, "MINE"), 1);
    for (i = 0; environ[i] != NULL; i++) {
        CHECK(strncmp(environ[i], "MINE=", 5) == 0 || holds(envp, environ[i]));
    }
    CHECK_STR(getenv("MINE"), "inherited");
    avenv_envp_free(envp);
    destroy_and_free(env);
}

TEST(a_given_base_alone_is_taken_in_its_order) {
    static const char *const base[] = {"Z=1", "A=2", "M=3", NULL};
    avenv_environment *env = create("{'env_overrides':{'NEW':'4'}}");
    char **envp = envp_of(env, base);
    CHECK_INT(length(envp), 4);
    CHECK_STR(envp[0], "Z=1");
    CHECK_STR(envp[1], "A=2");
    CHECK_STR(envp[2], "M=3");
    CHECK_STR(envp[3], "NEW=4");
    avenv_envp_free(envp);
    destroy_and_free(env);
}

TEST(every_duplicate_of_an_override_is_removed) {
    static const char *const base[] = {"MINE=1", "OTHER=1", "MINE=2", "OTHER=2", "MINE=", "MINER=1", "MIN=1", "mine=1", NULL};
    avenv_environment *env = create("{'env_overrides':{'MINE':'only'}}");
    char **envp = envp_of(env, base);
    CHECK_INT(length(envp), 6);
    CHECK_INT(occurrences(envp, "MINE"), 1);
    CHECK(holds(envp, "MINE=only"));
    CHECK_INT(occurrences(envp, "OTHER"), 2);
    CHECK(holds(envp, "MINER=1") && holds(envp, "MIN=1") && holds(envp, "mine=1"));
    avenv_envp_free(envp);
    destroy_and_free(env);
}

TEST(what_an_adapter_unsets_is_removed) {
    static const char *const base[] = {"LEAK=1", "KEEP=1", "LEAK=2", "LEAKY=1", "LEAK", NULL};
    avenv_environment *env = create("{'adapter':{'id':'leaky','program':'sh','env_unset':['LEAK']}}");
    char **envp = envp_of(env, base);
    CHECK_JSON(avenv_environment_env_unset_json(env), "['LEAK']");
    CHECK_INT(occurrences(envp, "LEAK"), 0);
    CHECK(holds(envp, "KEEP=1") && holds(envp, "LEAKY=1"));
    avenv_envp_free(envp);
    destroy_and_free(env);
}

TEST(entries_that_are_not_utf8_or_no_assignment_pass_through) {
    static const char *const base[] = {"BYTES=\xff\xfe", "\xff=name", "A", "=nameless", "", NULL};
    avenv_environment *env = create("{'env_overrides':{'A':'1'}}");
    char **envp = envp_of(env, base);
    int i;
    CHECK_INT(length(envp), 6);
    for (i = 0; base[i] != NULL; i++) {
        CHECK_STR(envp[i], base[i]);
    }
    avenv_envp_free(envp);
    destroy_and_free(env);
}

TEST(an_empty_base_leaves_the_overrides_alone) {
    static const char *const base[] = {NULL};
    avenv_environment *env = create("{'env_overrides':{'A':'1'}}");
    avenv_environment *bare = create(NULL);
    char **envp = envp_of(env, base);
    char **empty = envp_of(bare, base);
    CHECK_INT(length(envp), 1);
    CHECK_STR(envp[0], "A=1");
    CHECK_INT(length(empty), 0);
    avenv_envp_free(envp);
    avenv_envp_free(empty);
    destroy_and_free(env);
    destroy_and_free(bare);
}

/* A caller may reorder or cut the block before execve: freeing it does not walk to the first NULL. */
TEST(a_block_whose_entries_were_nulled_or_replaced_is_freed_whole) {
    static char mine[] = "MINE=1";
    static const char *const base[] = {"A=1", "B=2", "C=3", NULL};
    avenv_environment *env = create("{'env_overrides':{'D':'4'}}");
    char **nulled = envp_of(env, base);
    char **replaced = envp_of(env, base);
    nulled[0] = NULL;
    nulled[2] = NULL;
    replaced[1] = mine;
    avenv_envp_free(nulled);
    avenv_envp_free(replaced);
    destroy_and_free(env);
}

TEST(a_block_outlives_its_environment) {
    static const char *const base[] = {NULL};
    avenv_environment *env = create("{'env_overrides':{'A':'1'}}");
    char **envp = envp_of(env, base);
    destroy_and_free(env);
    CHECK_STR(envp[0], "A=1");
    avenv_envp_free(envp);
}

TEST(a_spawned_child_sees_the_profile) {
    avenv_environment *env = create("{'env_overrides':{'MINE':'$EPHEMERAL_HOME'}}");
    char **envp = envp_of(env, NULL);
    char shell[] = "sh", flag[] = "-c", script[] = "test -d $MINE && echo from the child > $MINE/greeting";
    char *argv[] = {shell, flag, script, NULL};
    pid_t child;
    CHECK_INT(posix_spawnp(&child, "sh", NULL, NULL, argv, envp), 0);
    EXITS(child);
    CONTENT(in_profile(env, "greeting"), "from the child\n");
    avenv_envp_free(envp);
    destroy_and_free(env);
}

static const struct test tests[] = {
    RUN(null_base_is_this_processs_environment_plus_the_overrides),
    RUN(a_given_base_alone_is_taken_in_its_order),
    RUN(every_duplicate_of_an_override_is_removed),
    RUN(what_an_adapter_unsets_is_removed),
    RUN(entries_that_are_not_utf8_or_no_assignment_pass_through),
    RUN(an_empty_base_leaves_the_overrides_alone),
    RUN(a_block_whose_entries_were_nulled_or_replaced_is_freed_whole),
    RUN(a_block_outlives_its_environment),
    RUN(a_spawned_child_sees_the_profile),
};
MAIN(tests)
