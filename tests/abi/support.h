/* What the programs here share: calls that must succeed or fail, environments, files, other processes. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#include <agent_venv.h>

#include "check.h"

/* What an out parameter holds before a call: never a valid pointer, and never to be freed. */
#define POISON(type) ((type *)(uintptr_t)0xdead)

/* ---- text ---- */

/* The next of this thread's buffers: what was written to the last sixteen stays readable. */
static inline char *text_buffer(void) {
    static __thread char buffers[16][4096];
    static __thread unsigned next;
    return buffers[next++ % COUNT(buffers)];
}

/* A formatted path, or any other text. */
static inline const char *fmt(const char *format, ...) {
    char *buffer = text_buffer();
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer, 4096, format, arguments);
    va_end(arguments);
    return buffer;
}

static inline const char *replaced(const char *text, const char *for_quote, const char *for_backslash) {
    char *buffer = text_buffer();
    char *end = buffer;
    for (; *text != '\0'; text++) {
        const char one[] = {*text, '\0'};
        const int quote = *text == '\'' || *text == '"';
        const char *piece = quote ? for_quote : *text == '\\' ? for_backslash : one;
        end = strcpy(end, piece) + strlen(piece);
    }
    *end = '\0';
    return buffer;
}

/* JSON that is written with ' for ", as all of it is here. */
static inline const char *json(const char *text) {
    return replaced(text, "\"", "\\");
}

/* Text as it stands within a JSON string. */
static inline const char *in_string(const char *text) {
    return replaced(text, "\\\"", "\\\\");
}

/* The payload of InvalidEnvironmentSpec. */
static inline const char *refusal(const char *field, const char *reason) {
    return fmt("{\"field\":\"%s\",\"reason\":\"%s\"}", in_string(field), in_string(reason));
}

#define CHECK_JSON(actual, expected) CHECK_STR(actual, json(expected))
#define CONTAINS(text, part) CHECK(strstr(text, json(part)) != NULL)

/* ---- calls: both macros want a local `avenv_error *error`, passed to the call ---- */

static inline void check_ok(const char *file, int line, const char *text, avenv_status status, avenv_error **error) {
    if (status != AVENV_OK) {
        check_failed(file, line, "%s answers %s: %s", text, avenv_status_kind(status), avenv_error_message(*error));
    }
    if (*error != NULL) {
        check_failed(file, line, "%s succeeds and leaves an error", text);
    }
}

/* The status, the error's status, its kind and its whole payload agree; the error is freed. */
static inline void check_fails(const char *file, int line, const char *text, avenv_status status, avenv_error **error,
                               avenv_status expected, const char *payload) {
    check_str(file, line, text, avenv_status_kind(status), avenv_status_kind(expected));
    check_int(file, line, text, avenv_error_status(*error), expected);
    check_str(file, line, text, avenv_error_kind(*error), avenv_status_kind(expected));
    check_str(file, line, text, avenv_error_payload_json(*error), payload);
    if (*avenv_error_message(*error) == '\0' || strchr(avenv_error_message(*error), '\n') != NULL) {
        check_failed(file, line, "%s: the message is not one line: %s", text, avenv_error_message(*error));
    }
    avenv_error_free(*error);
    *error = NULL;
}

#define OK(call) check_ok(__FILE__, __LINE__, #call, call, &error)
#define FAILS(call, status, payload) check_fails(__FILE__, __LINE__, #call, call, &error, status, json(payload))
#define REFUSED(call, field, reason) \
    check_fails(__FILE__, __LINE__, #call, call, &error, AVENV_INVALID_ENVIRONMENT_SPEC, refusal(field, reason))

/* ---- environments ---- */

static inline avenv_spec *parse(const char *spec_json) {
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    OK(avenv_spec_parse(json(spec_json), &spec, &error));
    return spec;
}

/* An environment of a spec in JSON (NULL: of no spec), under a root of its own (NULL: the default). */
static inline avenv_environment *create_under(const char *root, const char *spec_json) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_spec *spec = spec_json == NULL ? NULL : parse(spec_json);
    avenv_options *options = avenv_options_new();
    if (root != NULL) {
        OK(avenv_options_set_ephemeral_root(options, root, &error));
    }
    OK(avenv_environment_create_ephemeral(spec, options, &env, &error));
    CHECK(env != NULL);
    avenv_options_free(options);
    avenv_spec_free(spec);
    return env;
}

static inline avenv_environment *create(const char *spec_json) {
    return create_under(NULL, spec_json);
}

/* The same by a name, in the default registry: made, or attached to. */
static inline avenv_environment *create_named(const char *name, const char *spec_json) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_spec *spec = parse(spec_json);
    OK(avenv_environment_create_or_attach(name, spec, NULL, &env, &error));
    avenv_spec_free(spec);
    return env;
}

static inline const char *default_registry(void) {
    return fmt("%s/.local/share/agent-venv/envs", getenv("HOME"));
}

static inline void destroy_and_free(avenv_environment *env) {
    avenv_error *error = NULL;
    OK(avenv_environment_destroy(env, NULL, &error));
    avenv_environment_free(env);
}

/* ---- files ---- */

static inline const char *in_profile(const avenv_environment *env, const char *relative) {
    return fmt("%s/%s", avenv_environment_path(env), relative);
}

/* The process directory in which an environment lies. */
static inline void directory_of(const char *environment, char *directory) {
    strcpy(directory, environment);
    *strrchr(directory, '/') = '\0';
}

static inline int exists(const char *at) {
    struct stat status;
    return lstat(at, &status) == 0;
}

static inline unsigned mode_of(const char *at) {
    struct stat status;
    CHECK_INT(lstat(at, &status), 0);
    return status.st_mode & 07777;
}

/* The number of entries of a directory, or -1 where there is none. */
static inline int entries(const char *directory) {
    DIR *stream = opendir(directory);
    int count = -2; /* "." and ".." */
    if (stream == NULL) {
        return -1;
    }
    while (readdir(stream) != NULL) {
        count++;
    }
    closedir(stream);
    return count;
}

static inline void write_file(const char *at, const char *text) {
    FILE *file = fopen(at, "w");
    CHECK(file != NULL);
    CHECK(fputs(text, file) >= 0);
    CHECK_INT(fclose(file), 0);
}

static inline void check_content(const char *file, int line, const char *at, const void *data, size_t len) {
    char actual[4096];
    FILE *stream = fopen(at, "r");
    size_t read = stream == NULL ? 0 : fread(actual, 1, sizeof actual, stream);
    if (stream == NULL || fclose(stream) != 0) {
        check_failed(file, line, "%s can't be read", at);
    }
    if (read != len || memcmp(actual, data, len) != 0) {
        check_failed(file, line, "%s holds %zu bytes: %.*s", at, read, (int)read, actual);
    }
}

#define CONTENT(at, text) check_content(__FILE__, __LINE__, at, text, strlen(text))
#define BYTES(at, data, len) check_content(__FILE__, __LINE__, at, data, len)

/* ---- orphans ---- */

static inline const char *default_root(void) {
    return fmt("%s/agent-venv-%d", getenv("TMPDIR"), (int)getuid());
}

#define NO_REGISTRY "'registry':{'root':null,'removed':[],'kept':0,'failed':[]}"

/* Reaps below the default root: the whole report. */
static inline void check_reap(const char *removed, int kept) {
    avenv_error *error = NULL;
    char *report = NULL;
    OK(avenv_reap(NULL, &report, &error));
    CHECK_JSON(report, fmt("{'ephemeral':{'root':'%s','removed':[%s],'kept':%d,'failed':[]}," NO_REGISTRY "}", default_root(),
                           removed, kept));
    avenv_string_free(report);
}

/* ---- other processes ---- */

static inline void check_exits(const char *file, int line, pid_t child) {
    int status = -1;
    if (waitpid(child, &status, 0) < 0 || status != 0) {
        check_failed(file, line, "the child's wait status is %#x", (unsigned)status);
    }
}

/* Waits for a child (-1: any), which must exit with 0. */
#define EXITS(child) check_exits(__FILE__, __LINE__, child)

/* A child whose own parent ends becomes ours, so that its end can be waited for. */
static inline void adopt_orphans(void) {
    CHECK_INT(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

/* One process tells another that it has come so far. */
static inline void tell(int descriptor) {
    CHECK_INT(write(descriptor, "!", 1), 1);
}

/* False where the other process ended without telling. */
static inline int await(int descriptor) {
    char byte;
    return read(descriptor, &byte, 1) == 1;
}

#endif
