/* Many threads at the same work, for what is promised to any number of them. */
#ifndef CREW_H
#define CREW_H

#include <pthread.h>

#include "support.h"

enum { THREADS = 8, ROUNDS = 20 };

/* Runs `work` in so many threads at once, all let go at the same moment, and waits for them. */
struct crew {
    pthread_barrier_t start;
    void (*work)(void *shared, int member);
    void *shared;
};

struct member {
    struct crew *crew;
    int number;
};

static inline void *run_member(void *argument) {
    struct member *member = (struct member *)argument;
    pthread_barrier_wait(&member->crew->start);
    member->crew->work(member->crew->shared, member->number);
    return NULL;
}

static inline void run_crew(void (*work)(void *shared, int member), void *shared) {
    struct crew crew;
    struct member members[THREADS];
    pthread_t threads[THREADS];
    int i;
    crew.work = work;
    crew.shared = shared;
#ifdef __SANITIZE_THREAD__
    /* The adapters are read at first use, into a OnceLock of Rust's standard library, which is not instrumented. */
    avenv_adapter_ensure_available("nobody", NULL);
#endif
    CHECK_INT(pthread_barrier_init(&crew.start, NULL, THREADS), 0);
    for (i = 0; i < THREADS; i++) {
        members[i].crew = &crew;
        members[i].number = i;
        CHECK_INT(pthread_create(&threads[i], NULL, run_member, &members[i]), 0);
    }
    for (i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
    pthread_barrier_destroy(&crew.start);
}

#endif
