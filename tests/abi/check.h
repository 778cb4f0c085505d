/*
 * A small test harness: each test runs in a process, a home and a temporary directory of its own.
 *
 * So no test sees what another left, a crash fails one test, and the library's one piece of
 * process-wide state (the owner of this process's environments) is new each time. Plain C99
 * that is also C++17: every program here is compiled as both.
 */
#ifndef CHECK_H
#define CHECK_H

#include <ftw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct test {
    const char *promise;
    void (*run)(void);
};

#define TEST(promise) static void promise(void)
#define RUN(promise) {#promise, promise}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The row that a loop over a table is at: a failure names it. */
static const char *check_row = "";

static inline void check_failed(const char *file, int line, const char *format, ...) {
    va_list arguments;
    fprintf(stderr, "%s:%d: ", file, line);
    if (*check_row != '\0') {
        fprintf(stderr, "[%.200s] ", check_row);
    }
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    _exit(1);
}

static inline void check_int(const char *file, int line, const char *text, intmax_t actual, intmax_t expected) {
    if (actual != expected) {
        check_failed(file, line, "%s is %" PRIdMAX ", not %" PRIdMAX, text, actual, expected);
    }
}

static inline void check_str(const char *file, int line, const char *text, const char *actual, const char *expected) {
    if (actual == NULL || expected == NULL ? actual != expected : strcmp(actual, expected) != 0) {
        check_failed(file, line, "%s is\n    %s\nnot\n    %s", text, actual ? actual : "NULL", expected ? expected : "NULL");
    }
}

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, "not so: %s", #condition))
#define CHECK_INT(actual, expected) check_int(__FILE__, __LINE__, #actual, (intmax_t)(actual), (intmax_t)(expected))
#define CHECK_STR(actual, expected) check_str(__FILE__, __LINE__, #actual, actual, expected)

/* So many, or a tenth of it where a slow checker watches (AVENV_TEST_SLOW is set). */
static inline int many(int count) {
    return getenv("AVENV_TEST_SLOW") == NULL ? count : count / 10;
}

static inline int check_open_directory(const char *path, const struct stat *status, int type, struct FTW *where) {
    (void)status;
    (void)where;
    return type == FTW_D || type == FTW_DNR ? chmod(path, 0700) : 0;
}

static inline int check_remove_entry(const char *path, const struct stat *status, int type, struct FTW *where) {
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

static inline void check_remove_tree(const char *path) {
    nftw(path, check_open_directory, 16, FTW_PHYS | FTW_MOUNT);
    nftw(path, check_remove_entry, 16, FTW_PHYS | FTW_MOUNT | FTW_DEPTH);
}

/* The test's own side: an empty home and temporary directory, the working directory around both, no way to the caller's. */
static inline void check_run_in(const char *sandbox, void (*run)(void)) {
    static const char *const unset[] = {"AGENT_VENV_EPHEMERAL_ROOT", "AGENT_VENV_REGISTRY_ROOT", "XDG_DATA_HOME",
                                        "CLAUDE_CONFIG_DIR", "CODEX_HOME"};
    char path[64];
    size_t i;
    for (i = 0; i < COUNT(unset); i++) {
        unsetenv(unset[i]);
    }
    CHECK_INT(chdir(sandbox), 0);
    CHECK_INT(mkdir("home", 0700), 0);
    CHECK_INT(mkdir("tmp", 0700), 0);
    snprintf(path, sizeof path, "%s/home", sandbox);
    setenv("HOME", path, 1);
    snprintf(path, sizeof path, "%s/tmp", sandbox);
    setenv("TMPDIR", path, 1);
    alarm(300); /* so that a deadlock ends as a failure */
    run();
}

static inline int check_one(const struct test *test) {
    char sandbox[] = "/tmp/avenv-abi-XXXXXX";
    int status = -1;
    pid_t child;

    if (mkdtemp(sandbox) == NULL) {
        perror(sandbox);
        return 1;
    }
    child = fork();
    if (child == 0) {
        check_run_in(sandbox, test->run);
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror(test->promise);
    } else if (WIFSIGNALED(status)) {
        fprintf(stderr, "FAILED %s: signal %d\n", test->promise, WTERMSIG(status));
    } else if (status != 0) {
        fprintf(stderr, "FAILED %s: exit status %d\n", test->promise, WEXITSTATUS(status));
    }
    check_remove_tree(sandbox);
    return status != 0;
}

/* Says why each test failed on standard error; its one line on standard output is "<passed> <failed>". */
static inline int run_tests(const struct test *tests, size_t count) {
    size_t failed = 0;
    size_t i;
    for (i = 0; i < count; i++) {
        failed += (size_t)check_one(&tests[i]);
    }
    printf("%zu %zu\n", count - failed, failed);
    return failed != 0;
}

#define MAIN(tests) \
    int main(void) { return run_tests(tests, COUNT(tests)); }

#endif
