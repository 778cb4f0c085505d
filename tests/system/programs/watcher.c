/*
 * Looks, as fast as it can, at everything below a directory, and keeps each combination of depth, type, mode and size that
 * it ever saw. Told to end, it prints them, one a line: "<depth> <d|f> <octal mode> <size, 0 for directories> <times seen>".
 *
 *     watcher <directory>
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "told.h"

#define MOST 256

struct sight {
    int depth;
    mode_t mode;
    off_t size;
    long times;
};

static struct sight sights[MOST];
static int count;

static void note(int depth, const struct stat *status) {
    off_t size = S_ISDIR(status->st_mode) ? 0 : status->st_size;
    int i;
    for (i = 0; i < count; i++) {
        if (sights[i].depth == depth && sights[i].mode == status->st_mode && sights[i].size == size) {
            sights[i].times++;
            return;
        }
    }
    if (count < MOST) {
        struct sight sight = {depth, status->st_mode, size, 1};
        sights[count++] = sight;
    }
}

static void look(int parent, const char *name, int depth) {
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    if (stream == NULL) {
        return;
    }
    while ((entry = readdir(stream)) != NULL) {
        struct stat status;
        if (entry->d_name[0] == '.' && (entry->d_name[1] == '\0' || entry->d_name[1] == '.')) {
            continue;
        }
        if (fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
            note(depth, &status);
            if (S_ISDIR(status.st_mode)) {
                look(dirfd(stream), entry->d_name, depth + 1);
            }
        }
    }
    closedir(stream);
}

int main(int argc, char **argv) {
    int i;
    if (argc != 2) {
        return 2;
    }
    work_until_told();
    while (!told_to_end) {
        look(AT_FDCWD, argv[1], 1);
    }
    for (i = 0; i < count; i++) {
        printf("%d %c %o %ld %ld\n", sights[i].depth, S_ISDIR(sights[i].mode) ? 'd' : 'f',
               (unsigned)(sights[i].mode & 07777), (long)sights[i].size, sights[i].times);
    }
    return 0;
}
