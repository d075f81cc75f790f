// What the numeric tests share: cmocka, comparisons that a NaN never passes, and a few random
// draws.
#ifndef TESTS_UNIT_RL_NEAR_H_
#define TESTS_UNIT_RL_NEAR_H_

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nets/real.h"
#include "rl/base/rng.h"

// |a - b| <= tol, relative above 1
#define assert_near(a, b, tol)                                                           \
  do {                                                                                   \
    double near_a = (double)(a), near_b = (double)(b);                                   \
    double near_gap = fabs(near_a - near_b) / fmax(1, fabs(near_b));                     \
    if (!(near_gap <= (tol))) {                                                          \
      fail_msg("%s = %.17g, expected %.17g within %g", #a, near_a, near_b, (tol) + 0.0); \
    }                                                                                    \
  } while (0)

static inline void draw_reals(RlReal *x, int n, double lo, double hi, RlRng *rng) {
  for (int i = 0; i < n; i++) x[i] = (RlReal)rl_rng_between(rng, lo, hi);
}

static inline void draw_floats(float *x, int n, double lo, double hi, RlRng *rng) {
  for (int i = 0; i < n; i++) x[i] = (float)rl_rng_between(rng, lo, hi);
}

static inline void draw_flags(uint8_t *x, int n, double share, RlRng *rng) {
  for (int i = 0; i < n; i++) x[i] = rl_rng_uniform(rng) < share;
}

#endif
