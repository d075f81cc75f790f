// The monotonic clock, for progress and timing; nothing that is computed depends on it.
#ifndef RL_BASE_CLOCK_H_
#define RL_BASE_CLOCK_H_

#include <time.h>

// Seconds since some fixed point.
static inline double rl_clock_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
