/* The conformance program: answers requests on standard input, one line of JSON each, with agent_venv.h. */
#define _GNU_SOURCE

#include <agent_venv.h>

#include <fts.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * One request on its way to an answer. A step of an operation is true, or leaves here why not: what the request lacks,
 * or the library's error. So an operation is its steps joined by &&, and whatever they opened is closed in one place.
 */
struct exchange {
    const json_t *request;
    json_t *answer;
    const char *lacks;
    avenv_error *error;
    avenv_options *options;
    avenv_spec *spec;
    avenv_environment *envs[2]; /* in the order they were opened */
    avenv_environment *env;     /* the last of them */
};

static bool lacks(struct exchange *x, const char *what) {
    x->lacks = what;
    return false;
}

/* jansson takes no NUL in a key, but the library must see one to refuse it: so it is another character meanwhile. */
static void exchange_escapes(char *text, const char *from, const char *to) {
    char *at = strchr(text, '\\');
    while (at != NULL && at[1] != '\0') {
        if (strncmp(at, from, 6) == 0) {
            memcpy(at, to, 6);
        }
        at = strchr(at + 2, '\\');
    }
}

#define NUL "\\u0000"
#define STANDS_FOR_NUL "\\uFDD0"

/* ---- what a request holds ---- */

static bool text(struct exchange *x, const char *field, const char **value) {
    *value = json_string_value(json_object_get(x->request, field));
    return *value != NULL || lacks(x, "a field is no string");
}

static bool name(struct exchange *x, const char **value) {
    return text(x, "name", value);
}

static bool registry(struct exchange *x) {
    const char *root;
    if (x->options == NULL) {
        x->options = avenv_options_new();
    }
    return text(x, "registry_root", &root) && avenv_options_set_registry_root(x->options, root, &x->error) == AVENV_OK;
}

static bool parse(struct exchange *x, const json_t *json) {
    char *dumped = json_dumps(json, JSON_ENSURE_ASCII);
    bool parsed;
    exchange_escapes(dumped, STANDS_FOR_NUL, NUL);
    avenv_spec_free(x->spec);
    parsed = avenv_spec_parse(dumped, &x->spec, &x->error) == AVENV_OK;
    free(dumped);
    return parsed;
}

static bool spec(struct exchange *x, const char *field) {
    const json_t *given = json_object_get(x->request, field);
    avenv_spec_free(x->spec);
    x->spec = NULL;
    if (given == NULL || json_is_null(given)) {
        return true;
    }
    return json_is_object(given) ? parse(x, given) : lacks(x, "a spec is no object");
}

/* ---- calls ---- */

/* Where the next environment is put. */
static avenv_environment **next(struct exchange *x) {
    if (x->envs[0] != NULL && x->envs[1] != NULL) {
        avenv_environment_free(x->envs[0]);
        x->envs[0] = x->envs[1];
        x->envs[1] = NULL;
    }
    return &x->envs[x->envs[0] != NULL];
}

static bool opened(struct exchange *x, avenv_environment *env) {
    x->env = env;
    return env != NULL;
}

static bool create_ephemeral(struct exchange *x) {
    avenv_environment **env = next(x);
    return spec(x, "spec") && avenv_environment_create_ephemeral(x->spec, NULL, env, &x->error) == AVENV_OK &&
           opened(x, *env);
}

static bool create_named(struct exchange *x, const char *named) {
    avenv_environment **env = next(x);
    return registry(x) && avenv_environment_create_or_attach(named, x->spec, x->options, env, &x->error) == AVENV_OK &&
           opened(x, *env);
}

static bool create(struct exchange *x) {
    const char *named;
    return spec(x, "spec") && name(x, &named) && create_named(x, named);
}

static bool attach(struct exchange *x) {
    avenv_environment **env = next(x);
    const char *named;
    return name(x, &named) && registry(x) &&
           avenv_environment_attach(named, x->options, env, &x->error) == AVENV_OK && opened(x, *env);
}

static bool refresh(struct exchange *x) {
    const json_t *force = json_object_get(x->request, "force");
    if (force != NULL && !json_is_boolean(force)) {
        return lacks(x, "force is no boolean");
    }
    return spec(x, "spec") && avenv_options_set_force(x->options, json_is_true(force), &x->error) == AVENV_OK &&
           avenv_environment_refresh_credentials(x->env, x->spec, x->options, &x->error) == AVENV_OK;
}

static bool destroy(struct exchange *x) {
    return avenv_environment_destroy(x->env, x->options, &x->error) == AVENV_OK;
}

/* ---- what an answer tells ---- */

static bool tell(struct exchange *x, const char *field, json_t *value) {
    return json_object_set_new(x->answer, field, value) == 0;
}

/* JSON that the library wrote. */
static json_t *decoded(const char *json) {
    return json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

/* The modes of all regular files below a directory, by their relative paths. */
static json_t *modes_in(const char *root) {
    char *const roots[] = {(char *)root, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    json_t *modes = json_object();
    FTSENT *entry;
    while ((entry = fts_read(walk)) != NULL) {
        if (entry->fts_info == FTS_F) {
            const char *relative = entry->fts_path + strlen(root) + 1;
            json_object_set_new(modes, relative, json_integer(entry->fts_statp->st_mode & 0777));
        }
    }
    fts_close(walk);
    return modes;
}

static int compare(const void *one, const void *other) {
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* The relative paths of all regular files below a directory, in the order of their bytes. */
static json_t *files_in(const char *root) {
    json_t *modes = modes_in(root);
    const char **paths = (const char **)malloc((json_object_size(modes) + 1) * sizeof *paths);
    json_t *files = json_array();
    size_t count = 0, i;
    const char *path;
    json_t *mode;
    json_object_foreach(modes, path, mode) {
        paths[count++] = path;
    }
    qsort(paths, count, sizeof *paths, compare);
    for (i = 0; i < count; i++) {
        json_array_append_new(files, json_string(paths[i]));
    }
    free(paths);
    json_decref(modes);
    return files;
}

static json_t *exists(const avenv_environment *env) {
    return json_boolean(access(avenv_environment_path(env), F_OK) == 0);
}

static bool tell_path(struct exchange *x, const char *field) {
    return tell(x, field, json_string(avenv_environment_path(x->env)));
}

static bool tell_files(struct exchange *x, const char *field) {
    return tell(x, field, files_in(avenv_environment_path(x->env)));
}

static bool tell_events(struct exchange *x) {
    json_t *all = json_array();
    size_t i;
    for (i = 0; i < 2 && x->envs[i] != NULL; i++) {
        char *events;
        json_t *list;
        if (avenv_environment_events_json(x->envs[i], &events, &x->error) != AVENV_OK) {
            json_decref(all);
            return false;
        }
        list = decoded(events);
        json_array_extend(all, list);
        json_decref(list);
        avenv_string_free(events);
    }
    return tell(x, "events", all);
}

static bool tell_attached(struct exchange *x) {
    return tell_path(x, "path") && tell_files(x, "files_present") &&
           tell(x, "env_overrides", decoded(avenv_environment_env_overrides_json(x->env))) && tell_events(x);
}

static bool list(struct exchange *x, json_t **names) {
    char *listed;
    if (!registry(x) || avenv_registry_list_json(x->options, &listed, &x->error) != AVENV_OK) {
        return false;
    }
    *names = decoded(listed);
    avenv_string_free(listed);
    return true;
}

static bool tell_whether_listed(struct exchange *x) {
    const json_t *named = json_object_get(x->request, "name");
    bool found = false;
    json_t *names, *each;
    size_t i;
    if (!list(x, &names)) {
        return false;
    }
    json_array_foreach(names, i, each) {
        found = found || json_equal(each, named);
    }
    json_decref(names);
    return tell(x, "name_in_index_after", json_boolean(found));
}

static bool tell_report(struct exchange *x, char *report) {
    const bool told = tell(x, "report", decoded(report));
    avenv_string_free(report);
    return told;
}

/* ---- the operations ---- */

static bool ephemeral_lifecycle(struct exchange *x) {
    const char *path;
    if (!create_ephemeral(x)) {
        return false;
    }
    path = avenv_environment_path(x->env);
    return tell(x, "inspection",
                json_pack("{s:s, s:o, s:o, s:o, s:o}", "path", path, "exists", exists(x->env), "env_overrides",
                          decoded(avenv_environment_env_overrides_json(x->env)), "files_present", files_in(path),
                          "file_modes", modes_in(path))) &&
           destroy(x) && tell(x, "after_destroy", json_pack("{s:o}", "path_exists", exists(x->env))) && tell_events(x);
}

static bool create_attach_idempotent(struct exchange *x) {
    return create(x) && create(x) &&
           tell(x, "paths",
                json_pack("[s, s]", avenv_environment_path(x->envs[0]), avenv_environment_path(x->envs[1]))) &&
           tell_files(x, "second_path_files_present") && tell_events(x);
}

static bool attach_only(struct exchange *x) {
    return attach(x) && tell_attached(x);
}

static bool create_and_list(struct exchange *x) {
    const json_t *names = json_object_get(x->request, "names");
    json_t *listed, *each;
    size_t i;
    if (!json_is_array(names)) {
        return lacks(x, "names is no list");
    }
    json_array_foreach(names, i, each) {
        if (!json_is_string(each)) {
            return lacks(x, "a name is no string");
        }
        if (!spec(x, "spec") || !create_named(x, json_string_value(each))) {
            return false;
        }
    }
    return list(x, &listed) && tell(x, "names_listed", listed);
}

static bool destroy_created(struct exchange *x) {
    return create(x) && destroy(x) && tell_path(x, "created_path") && tell(x, "path_exists_after", exists(x->env)) &&
           tell_whether_listed(x) && tell_events(x);
}

static bool attach_mismatch(struct exchange *x) {
    const char *named, *id;
    json_t *second;
    bool parsed;
    if (!name(x, &named) || !text(x, "second_adapter_id", &id) || !spec(x, "first_spec") || !create_named(x, named)) {
        return false;
    }
    second = json_pack("{s:s}", "adapter_id", id);
    parsed = parse(x, second);
    json_decref(second);
    return parsed && create_named(x, named) && tell_attached(x);
}

static bool attach_expecting(struct exchange *x) {
    const char *id;
    return registry(x) && text(x, "adapter_id", &id) &&
           avenv_options_set_expected_adapter(x->options, id, &x->error) == AVENV_OK && attach(x) && tell_attached(x);
}

static bool login_status(struct exchange *x) {
    char *status;
    if (!attach(x) || avenv_environment_login_status_json(x->env, &status, &x->error) != AVENV_OK) {
        return false;
    }
    tell(x, "login", decoded(status));
    avenv_string_free(status);
    return tell_events(x);
}

static bool refresh_attached(struct exchange *x) {
    return attach(x) && refresh(x) && tell_path(x, "path") && tell_files(x, "files_present") && tell_events(x);
}

static bool refresh_destroyed(struct exchange *x) {
    return create(x) && destroy(x) && refresh(x) && tell_events(x);
}

static bool destroy_attached(struct exchange *x) {
    return attach(x) && destroy(x) && destroy(x) && tell_path(x, "path") &&
           tell(x, "path_exists_after", exists(x->env)) && tell_whether_listed(x) && tell_events(x);
}

static bool destroy_by_name(struct exchange *x) {
    const json_t *timeout = json_object_get(x->request, "lock_timeout_ms");
    const char *named;
    if (timeout != NULL && !json_is_integer(timeout)) {
        return lacks(x, "lock_timeout_ms is no integer");
    }
    return registry(x) && name(x, &named) &&
           (timeout == NULL ||
            avenv_options_set_lock_timeout_ms(x->options, json_integer_value(timeout), &x->error) == AVENV_OK) &&
           avenv_registry_destroy(named, x->options, &x->error) == AVENV_OK && tell_whether_listed(x);
}

static bool repair(struct exchange *x) {
    char *report;
    return registry(x) && avenv_registry_repair(x->options, &report, &x->error) == AVENV_OK && tell_report(x, report);
}

static bool reap(struct exchange *x) {
    const char *root;
    char *report;
    return registry(x) && text(x, "ephemeral_root", &root) &&
           avenv_options_set_ephemeral_root(x->options, root, &x->error) == AVENV_OK &&
           avenv_reap(x->options, &report, &x->error) == AVENV_OK && tell_report(x, report);
}

static bool ensure_available(struct exchange *x) {
    const char *id, *program;
    json_t *definition;
    char *dumped;
    bool available;
    if (!text(x, "adapter_id", &id) || !text(x, "cli_bin", &program)) {
        return false;
    }
    definition = json_pack("{s:s, s:s}", "id", id, "program", program);
    dumped = json_dumps(definition, 0);
    available = avenv_adapter_ensure_available(dumped, &x->error) == AVENV_OK;
    json_decref(definition);
    free(dumped);
    return available;
}

static const struct operation {
    const char *op;
    bool (*carry_out)(struct exchange *);
} operations[] = {
    {"ephemeral_lifecycle", ephemeral_lifecycle},
    {"persistent_create_attach_idempotent", create_attach_idempotent},
    {"persistent_attach_only", attach_only},
    {"persistent_attach_missing", attach_only},
    {"persistent_list", create_and_list},
    {"persistent_destroy_by_name", destroy_created},
    {"persistent_attach_mismatch", attach_mismatch},
    {"x_attach", attach_expecting},
    {"x_login_status", login_status},
    {"x_refresh", refresh_attached},
    {"x_refresh_destroyed", refresh_destroyed},
    {"x_destroy", destroy_attached},
    {"x_destroy_by_name", destroy_by_name},
    {"x_repair", repair},
    {"x_reap", reap},
    {"x_ensure_available", ensure_available},
};

/* ---- the protocol ---- */

static bool carry_out(struct exchange *x) {
    const char *op;
    size_t i;
    if (!json_is_object(x->request)) {
        return lacks(x, "the line is no JSON object");
    }
    if (!text(x, "op", &op)) {
        return false;
    }
    for (i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (strcmp(op, operations[i].op) == 0) {
            return operations[i].carry_out(x);
        }
    }
    return lacks(x, "unknown op");
}

static json_t *library_error(const avenv_error *error) {
    return json_pack("{s:s, s:s, s:o, s:o}", "kind", avenv_error_kind(error), "message", avenv_error_message(error),
                     "payload", decoded(avenv_error_payload_json(error)), "events",
                     decoded(avenv_error_events_json(error)));
}

static json_t *protocol_error(const char *message) {
    const char *kind = avenv_status_kind(AVENV_INTERNAL_INVARIANT_VIOLATION);
    return json_pack("{s:s, s:s}", "kind", kind, "message", message);
}

/* The answer's common part, and the error where there is one: whatever else was told by then is dropped. */
static json_t *answer_to(const json_t *request) {
    struct exchange x = {0};
    const char *case_id = json_string_value(json_object_get(request, "case_id"));
    json_t *answer;
    x.request = request;
    x.answer = json_object();
    if (!carry_out(&x)) {
        json_object_clear(x.answer);
        tell(&x, "error", x.lacks != NULL ? protocol_error(x.lacks) : library_error(x.error));
    }
    answer = json_pack("{s:s, s:b, s:[]}", "case_id", case_id == NULL ? "" : case_id, "ok", x.lacks == NULL, "events");
    json_object_update(answer, x.answer);
    json_decref(x.answer);
    avenv_error_free(x.error);
    avenv_options_free(x.options);
    avenv_spec_free(x.spec);
    avenv_environment_free(x.envs[0]);
    avenv_environment_free(x.envs[1]);
    return answer;
}

static void say(json_t *value) {
    json_dumpf(value, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(value);
}

int main(void) {
    json_t *capabilities = decoded(avenv_capabilities_json());
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    say(json_pack("{s:s, s:i, s:O, s:O, s:O}", "protocol", "agent-venv.conformance", "version", 2, "language",
                  json_object_get(capabilities, "language"), "package_version",
                  json_object_get(capabilities, "package_version"), "spec_version",
                  json_object_get(capabilities, "spec_version")));
    json_decref(capabilities);
    while ((length = getline(&line, &size, stdin)) != -1) {
        json_t *request;
        exchange_escapes(line, NUL, STANDS_FOR_NUL);
        request = json_loadb(line, (size_t)length, 0, NULL);
        say(answer_to(request));
        json_decref(request);
    }
    free(line);
    return 0;
}
