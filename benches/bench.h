/* What the measured C programs share: a clock, and samples as a JSON list of microseconds. */
#ifndef BENCH_H
#define BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static inline void tell(const double *samples, int count) {
  for (int i = 0; i < count; i++)
    printf("%s%.2f", i ? "," : "[", samples[i]);
  printf("%s]\n", count ? "" : "[");
  fflush(stdout);
}

static inline double *room_for(int count) {
  double *samples = calloc((size_t)count + 1, sizeof *samples);
  if (!samples)
    abort();
  return samples;
}

#endif
