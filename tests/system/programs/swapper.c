/*
 * Exchanges a directory for a link and back, on and on, in one step each time; ends when it is told to, with the directory in
 * place as far as others let it be, and prints how often it did so. It needs no pause of anybody's: what looks at a name and
 * then uses it finds another thing there.
 *
 *     swapper <directory> <where the link leads> <spare name>
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "told.h"

int main(int argc, char **argv) {
    unsigned long swaps = 0, set_aside = 0;
    if (argc != 4) {
        return 2;
    }
    work_until_told();
    while (!told_to_end) {
        struct stat spare;
        (void)!symlink(argv[2], argv[3]);
        swaps += renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[3], RENAME_EXCHANGE) == 0;
        (void)renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[3], RENAME_EXCHANGE);
        /* Somebody removed the link, and made a directory in its place. */
        if (lstat(argv[3], &spare) == 0 && !S_ISLNK(spare.st_mode)) {
            char aside[4096];
            snprintf(aside, sizeof aside, "%s-%lu", argv[3], set_aside++);
            (void)rename(argv[3], aside);
        }
    }
    printf("%lu\n", swaps);
    return 0;
}
