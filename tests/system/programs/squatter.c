/*
 * Takes a name that somebody else is about to take, on and on, by a link, a directory, a file; ends when it is told to, and
 * prints how often it had the name.
 *
 *     squatter <name> <where the link leads>
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "told.h"

int main(int argc, char **argv) {
    unsigned long taken = 0;
    if (argc != 3) {
        return 2;
    }
    work_until_told();
    while (!told_to_end) {
        int file;
        if (symlink(argv[2], argv[1]) == 0) {
            taken++;
            unlink(argv[1]);
        }
        if (mkdir(argv[1], 0777) == 0) {
            taken++;
            chmod(argv[1], 0777);
            rmdir(argv[1]);
        }
        file = open(argv[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0) {
            taken++;
            close(file);
            unlink(argv[1]);
        }
    }
    printf("%lu\n", taken);
    return 0;
}
