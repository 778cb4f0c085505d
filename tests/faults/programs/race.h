/* What the racing programs share: memory, checks, and a way to say what broke. */
#ifndef RACE_H
#define RACE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <agent_venv.h>

static void *shared(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    return memory;
}

/* One line, whole, whoever writes at the same time. */
static void broke(const char *what, const char *more) {
    char line[2048];
    int length = snprintf(line, sizeof line, "broken: %s: %s\n", what, more == NULL ? "" : more);
    if (write(2, line, (size_t)length) != length) {
        _exit(2);
    }
}

static const char *said(const avenv_error *error) {
    return error == NULL ? "no error" : avenv_error_message(error);
}

#endif
