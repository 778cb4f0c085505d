/*
 * Reads a file in a loop, as an agent may do at any moment. Each content it may have is a JSON string of one letter,
 * repeated; of a fixed size in all. Told to end, it prints "<reads> <missing> <torn>".
 *
 *     reader <file> <size>
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "told.h"

static int is_whole(const char *content, long size) {
    long i;
    if (content[0] != '"' || content[size - 1] != '"') {
        return 0;
    }
    for (i = 2; i < size - 1; i++) {
        if (content[i] != content[1]) {
            return 0;
        }
    }
    return 1;
}

int main(int argc, char **argv) {
    long size = argc == 3 ? atol(argv[2]) : 0;
    char *content = malloc((size_t)size + 1);
    long reads = 0, missing = 0, torn = 0;
    if (size < 3 || content == NULL) {
        return 2;
    }
    work_until_told();
    while (!told_to_end) {
        int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            missing++;
            continue;
        }
        reads++;
        torn += read(fd, content, (size_t)size + 1) != size || !is_whole(content, size);
        close(fd);
    }
    printf("%ld %ld %ld\n", reads, missing, torn);
    free(content);
    return 0;
}
