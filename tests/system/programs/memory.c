/*
 * Looks for a secret in all writable memory of this process: while the library needs it, and after all was freed.
 *
 *     memory literal|json|escaped|login|members|token|refused
 *                                                    prints how many of its sixteen pieces are found, each as
 *                                                    often as it stands there: after a spec was freed from which nothing
 *                                                    was made, while an environment lives, and after that was freed too
 *
 * The secret is made at run time and kept masked, so that what looks for it is not found itself; each buffer that this
 * program uses is wiped before it looks. Memory is read in place, as a copy of it would be memory too.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <agent_venv.h>

#define PIECE 12
#define PIECES 16
#define LENGTH (PIECE * PIECES)
#define MASK 0x80
#define REGIONS 512

static unsigned char masked[LENGTH];

static void must(int worked, avenv_error *error) {
    if (!worked) {
        fprintf(stderr, "memory: %s\n", error == NULL ? "the test itself failed" : avenv_error_message(error));
        exit(2);
    }
}

static void make_secret(void) {
    int i;
    must(getrandom(masked, LENGTH, 0) == LENGTH, NULL);
    for (i = 0; i < LENGTH; i++) {
        masked[i] = (unsigned char)(('a' + masked[i] % 26) ^ MASK);
    }
}

/* A text with the secret in place of "%"; wipe it after use. */
static char *with_secret(const char *before, const char *after) {
    static char text[512];
    size_t length = strlen(before), i;
    memcpy(text, before, length);
    for (i = 0; i < LENGTH; i++) {
        text[length + i] = (char)(masked[i] ^ MASK);
    }
    strcpy(text + length + LENGTH, after);
    return text;
}

static void wipe(char *text) {
    explicit_bzero(text, 512);
}

/* A piece is enough, as an allocator writes its own notes into what is freed. */
static int is_piece(const unsigned char *at) {
    int piece, i;
    for (piece = 0; piece < PIECES; piece++) {
        for (i = 0; i < PIECE && (at[i] ^ MASK) == masked[piece * PIECE + i]; i++) {
        }
        if (i == PIECE) {
            return 1;
        }
    }
    return 0;
}

/* How many pieces of the secret stand in memory that this process can write. */
static int found(void) {
    static struct {
        unsigned long start, end;
    } regions[REGIONS];
    static char line[512];
    int count = 0, pieces = 0, i;
    FILE *maps = fopen("/proc/self/maps", "r");
    must(maps != NULL, NULL);
    while (fgets(line, sizeof line, maps) != NULL && count < REGIONS) {
        char rights[5];
        if (sscanf(line, "%lx-%lx %4s", &regions[count].start, &regions[count].end, rights) == 3 &&
            strncmp(rights, "rw", 2) == 0) {
            count++;
        }
    }
    fclose(maps);
    for (i = 0; i < count; i++) {
        const unsigned char *at = (const unsigned char *)regions[i].start;
        const unsigned char *end = (const unsigned char *)regions[i].end - PIECE;
        for (; at <= end; at++) {
            pieces += is_piece(at);
        }
    }
    return pieces;
}

static avenv_spec *parse(const char *before, const char *after) {
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    char *json = with_secret(before, after);
    must(avenv_spec_parse(json, &spec, &error) == AVENV_OK, error);
    wipe(json);
    return spec;
}

static avenv_spec *literal(void) {
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    char *content = with_secret("", "");
    must(avenv_spec_parse("{}", &spec, &error) == AVENV_OK, error);
    must(avenv_spec_add_credential(spec, "auth.json", content, LENGTH, &error) == AVENV_OK, error);
    /* Replaced once by itself: what was there before must not stay either. */
    must(avenv_spec_add_credential(spec, "auth.json", content, LENGTH, &error) == AVENV_OK, error);
    wipe(content);
    return spec;
}

/* A spec for an adapter that finds the secret in a file below HOME. */
static avenv_spec *on_host(const char *before, const char *after, const char *adapter, const char *options) {
    avenv_error *error = NULL;
    avenv_spec *spec = NULL;
    char *content = with_secret(before, after);
    int fd;
    must(chdir(getenv("HOME")) == 0 && (mkdir(".codex", 0700) == 0 || access(".codex", F_OK) == 0), NULL);
    fd = open(".codex/auth.json", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0 && write(fd, content, strlen(content)) > 0 && close(fd) == 0, NULL);
    wipe(content);
    must(avenv_spec_for_adapter(adapter, options, &spec, &error) == AVENV_OK, error);
    return spec;
}

/* Each way to be refused with a secret at hand. */
static avenv_spec *refused(void) {
    static const char *const malformed[] = {"\"},\"credentials\":1}", "\"},\"prefix\":\"/\"}", "\"}", "\",\"a\":\"\"}}",
                                            "\"},\"seed_files\":{\"a\":\"\"}}"};
    avenv_spec *spec = NULL;
    size_t i;
    for (i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        char *json = with_secret("{\"credentials\":{\"a\":\"", malformed[i]);
        must(avenv_spec_parse(json, &spec, NULL) != AVENV_OK, NULL);
        wipe(json);
    }
    spec = literal();
    {
        char *content = with_secret("", "");
        must(avenv_spec_add_credential(spec, "../a", content, LENGTH, NULL) != AVENV_OK, NULL);
        must(avenv_spec_add_credential(spec, "auth.json/a", content, LENGTH, NULL) != AVENV_OK, NULL);
        wipe(content);
    }
    return spec;
}

static avenv_spec *make_spec(const char *way) {
    if (strcmp(way, "literal") == 0) {
        return literal();
    }
    if (strcmp(way, "json") == 0) {
        return parse("{\"credentials\":{\"auth.json\":\"", "\"}}");
    }
    if (strcmp(way, "escaped") == 0) {
        return parse("{\"credentials\":{\"auth.json\":\"{\\\"key\\\":\\\"", "\\\"}\"}}");
    }
    if (strcmp(way, "login") == 0) {
        return on_host("{\"key\":\"", "\"}", "codex", NULL);
    }
    if (strcmp(way, "members") == 0) {
        return on_host("{\"auth\":{\"key\":\"", "\"},\"theme\":\"dark\"} // a comment",
                       "{\"id\":\"mine\",\"program\":\"mine\",\"login\":[{\"profile\":\"s.json\","
                       "\"host\":[{\"file\":\"~/.codex/auth.json\"}],\"members\":[\"/auth\"]}]}",
                       NULL);
    }
    if (strcmp(way, "token") == 0) {
        return on_host("", "\n", "codex", "{\"login\":\"token\",\"token_file\":\"~/.codex/auth.json\"}");
    }
    return strcmp(way, "refused") == 0 ? refused() : NULL;
}

int main(int argc, char **argv) {
    avenv_error *error = NULL;
    avenv_environment *env = NULL;
    avenv_spec *spec;
    int unused, held;
    /* Who resolves a name at its first call saves the registers on the stack, with what was last copied through them. */
    if (getenv("LD_BIND_NOW") == NULL) {
        must(setenv("LD_BIND_NOW", "1", 1) == 0 && execv("/proc/self/exe", argv) == 0, NULL);
    }
    make_secret();
    spec = argc == 2 ? make_spec(argv[1]) : NULL;
    must(spec != NULL, NULL);
    avenv_spec_free(spec);
    unused = found();
    spec = make_spec(argv[1]);
    must(avenv_environment_create_ephemeral(spec, NULL, &env, &error) == AVENV_OK, error);
    if (strcmp(argv[1], "token") == 0) {
        char **envp = NULL;
        must(avenv_environment_envp(env, NULL, &envp, &error) == AVENV_OK, error);
        avenv_envp_free(envp);
    } else {
        must(avenv_environment_refresh_credentials(env, NULL, NULL, &error) == AVENV_OK, error);
    }
    avenv_spec_free(spec);
    held = found();
    must(avenv_environment_destroy(env, NULL, &error) == AVENV_OK, error);
    avenv_environment_free(env);
    printf("%d %d %d\n", unused, held, found());
    return 0;
}
