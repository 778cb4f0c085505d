/* Ending when told: SIGTERM sets a flag, and whoever works in a loop looks at it. */
#ifndef TOLD_H
#define TOLD_H

#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t told_to_end;

static inline void note_the_end(int signal) {
    (void)signal;
    told_to_end = 1;
}

/* From here on SIGTERM is noted; the one who waits for us reads a line that says so. */
static inline void work_until_told(void) {
    signal(SIGTERM, note_the_end);
    puts("ready");
    fflush(stdout);
}

#endif
