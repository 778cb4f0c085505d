/* Logins on a host, and how an environment's stands to them. */
#ifndef LOGINS_H
#define LOGINS_H

#include "support.h"

static const char *const claude = "home/.claude/.credentials.json";
static const char *const codex = "home/.codex/auth.json";

/* A login of Claude Code's that ends at a time in milliseconds. */
static inline const char *claude_login(const char *mark, long long expires) {
    return fmt("{\"claudeAiOauth\":{\"accessToken\":\"fake-%s\",\"expiresAt\":%lld}}", mark, expires);
}

static inline const char *api_key(const char *mark) {
    return fmt("{\"OPENAI_API_KEY\":\"fake-%s\"}", mark);
}

static inline void make_host(void) {
    CHECK_INT(mkdir("home/.claude", 0700), 0);
    CHECK_INT(mkdir("home/.codex", 0700), 0);
    write_file(claude, claude_login("host", 4102444800000));
    write_file(codex, api_key("host"));
}

static inline const char *status_of(const avenv_environment *env) {
    avenv_error *error = NULL;
    char *status = NULL;
    char *copy = text_buffer();
    OK(avenv_environment_login_status_json(env, &status, &error));
    CHECK(strstr(status, "fake") == NULL);
    CHECK(strlen(status) < 4096);
    strcpy(copy, status);
    avenv_string_free(status);
    return copy;
}

#define STATUS(env, word) CONTAINS(status_of(env), "{'status':'" word "'")

static inline void check_refresh(const char *file, int line, avenv_environment *env, bool force, avenv_status expected) {
    avenv_error *error = NULL;
    avenv_options *options = avenv_options_new();
    avenv_status status;
    OK(avenv_options_set_force(options, force, &error));
    status = avenv_environment_refresh_credentials(env, NULL, options, &error);
    check_int(file, line, "refresh", status, expected);
    if (status == AVENV_CREDENTIALS_CONFLICT) {
        CHECK(strstr(avenv_error_message(error), "refresh with force") != NULL);
        CHECK(strstr(avenv_error_message(error), "fake") == NULL);
    }
    avenv_error_free(error);
    avenv_options_free(options);
}

#define REFRESH(env, force, expected) check_refresh(__FILE__, __LINE__, env, force, expected)

#endif
