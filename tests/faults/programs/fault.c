/*
 * Runs a program and does one thing to one of its system calls: the nth between its two marks.
 *
 *     fault <nth> <what> program argument...
 *
 *     trace       nothing; the marks show what calls there are
 *     kill        SIGKILL before the call takes effect; the closing mark counts as a call
 *     <errno>     the call does not happen, and answers this error (close happens all the same, as on Linux)
 *     short       read, write: half of what was asked for
 *     torn[:<n>]  write: half of what was asked for, or n bytes and less than all, then SIGKILL
 *     pause       stopped there until a line comes on standard input; "paused" is printed first
 *
 * The last line of the output is about what was done: {"hit":<whether there was an nth call>,"calls":[<all,
 * until that one>],"status":<wait status>}. A call that may create a file is negative. Who sleeps is waiting for something,
 * and looks again and again: those looks are one to the count, so that it does not depend on how often.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mark.h"

#ifndef __x86_64__
#error "the registers of a system call are known here for x86_64 only"
#endif

#define MOST_CALLS 100000

#define IS(what, word) (strncmp(what, word, strlen(word)) == 0)

static pid_t child;
static long nth;
static const char *what;
static long calls[MOST_CALLS];
static long count;
static long until_first_sleep;
static bool hit;

static void die(const char *doing) {
    fprintf(stderr, "fault: %s: %s\n", doing, strerror(errno));
    exit(2);
}

/* Negative where the call may create a file: then it can fail in more ways. */
static long number_of(const struct user_regs_struct *regs) {
    long number = (long)regs->orig_rax;
    return number == SYS_openat && (regs->rdx & O_CREAT) != 0 ? -number : number;
}

static void report(int status) {
    long i;
    printf("{\"hit\":%s,\"calls\":[", hit ? "true" : "false");
    for (i = 0; i < count; i++) {
        printf("%s%ld", i == 0 ? "" : ",", calls[i]);
    }
    printf("],\"status\":%d}\n", status);
    exit(0);
}

static int wait_for_stop(void) {
    int status;
    while (waitpid(child, &status, 0) != child) {
        if (errno != EINTR) {
            die("waitpid");
        }
    }
    return status;
}

static int go_on(int signal) {
    if (ptrace(PTRACE_SYSCALL, child, 0, signal) != 0) {
        die("PTRACE_SYSCALL");
    }
    return wait_for_stop();
}

static bool is_call(int status) {
    return WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80);
}

static struct user_regs_struct registers(void) {
    struct user_regs_struct regs;
    if (ptrace(PTRACE_GETREGS, child, 0, &regs) != 0) {
        die("PTRACE_GETREGS");
    }
    return regs;
}

static void set_registers(struct user_regs_struct regs) {
    if (ptrace(PTRACE_SETREGS, child, 0, &regs) != 0) {
        die("PTRACE_SETREGS");
    }
}

static void kill_and_report(void) {
    int status;
    kill(child, SIGKILL);
    do {
        status = wait_for_stop();
    } while (!WIFSIGNALED(status) && !WIFEXITED(status));
    report(status);
}

/* At the entry of the nth call; answers the status at its exit. */
static int meddle(struct user_regs_struct regs) {
    long error = atol(what);
    int status;
    hit = true;
    if (strcmp(what, "kill") == 0) {
        kill_and_report();
    }
    if (strcmp(what, "pause") == 0) {
        char line[2];
        printf("paused\n");
        fflush(stdout);
        if (fgets(line, sizeof line, stdin) == NULL) {
            exit(2);
        }
        return go_on(0);
    }
    if (error == 0) { /* short, torn */
        const char *part = strchr(what, ':');
        if (part == NULL) {
            regs.rdx = (regs.rdx + 1) / 2;
        } else if (regs.rdx > 0) {
            unsigned long long bytes = strtoull(part + 1, NULL, 10);
            regs.rdx = bytes < regs.rdx ? bytes : regs.rdx - 1;
        }
        set_registers(regs);
        status = go_on(0);
        if (IS(what, "torn")) {
            kill_and_report();
        }
        return status;
    }
    if (regs.orig_rax != SYS_close) {
        regs.orig_rax = (unsigned long long)-1;
        set_registers(regs);
    }
    status = go_on(0);
    if (is_call(status)) {
        regs = registers();
        regs.rax = (unsigned long long)-error;
        set_registers(regs);
    }
    return status;
}

int main(int argc, char **argv) {
    bool marked = false;
    int status;
    if (argc < 4) {
        return 2;
    }
    alarm(PATIENCE);
    nth = atol(argv[1]);
    what = argv[2];
    child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execv(argv[3], argv + 3);
        _exit(127);
    }
    status = wait_for_stop(); /* at its exec */
    ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    while (!WIFEXITED(status) && !WIFSIGNALED(status)) {
        if (!is_call(status)) { /* its exec, or a signal of its own */
            status = go_on(WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status));
            continue;
        }
        { /* the entry of a call */
            struct user_regs_struct regs = registers();
            bool is_mark = regs.orig_rax == MARK;
            bool counts = marked && !hit && (!is_mark || strcmp(what, "kill") == 0);
            if (counts && count < MOST_CALLS) {
                calls[count++] = number_of(&regs);
            }
            if (regs.orig_rax == SYS_clock_nanosleep && !hit) {
                until_first_sleep = until_first_sleep == 0 ? count : until_first_sleep;
                count = until_first_sleep;
            }
            marked ^= is_mark;
            status = counts && count == nth ? meddle(regs) : go_on(0);
        }
        if (is_call(status)) { /* its exit */
            status = go_on(0);
        }
    }
    report(status);
    return 0;
}
