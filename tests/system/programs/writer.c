/*
 * Writes files and directories below a directory, on and on, as a background process of an agent does; ends when it is told
 * to, or when the directory is gone. It never makes that directory anew.
 *
 *     writer path <directory>        by the directory's path
 *     writer inside <directory>      with the directory as its working directory, so that it need not find it again
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "told.h"

/* False where the directory above is gone. */
static int write_into(const char *directory, unsigned turn) {
    char path[4096];
    int fd;
    if (mkdir(directory, turn % 3 == 0 ? 0500 : 0700) < 0 && errno == ENOENT) {
        return 0;
    }
    snprintf(path, sizeof path, "%s/file-%u", directory, turn % 7);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0400);
    if (fd >= 0) {
        (void)!write(fd, path, sizeof path);
        close(fd);
    }
    return 1;
}

int main(int argc, char **argv) {
    const char *start = argc == 3 && strcmp(argv[1], "path") == 0 ? argv[2] : ".";
    unsigned turn;
    if (argc != 3 || chdir(start[0] == '.' ? argv[2] : "/") < 0) {
        return 2;
    }
    work_until_told();
    for (turn = 0; !told_to_end; turn++) {
        char directory[4000];
        snprintf(directory, sizeof directory, "%s/made-%u", start, turn % 5);
        if (!write_into(directory, turn)) {
            return 0;
        }
        snprintf(directory, sizeof directory, "%s/made-%u/deeper", start, turn % 5);
        write_into(directory, turn);
    }
    return 0;
}
