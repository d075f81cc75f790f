// Adam on a flat block. Every operation of the loop is one correctly rounded IEEE operation (no
// fused multiply-add), so a vector register's lane and a scalar give the same bits.
#include "nets/adam.h"

#include <math.h>

#include "rl/base/status.h"

void rl_adam_init(RlAdam *adam, RlArena *arena, int n, double epsilon) {
  RL_ASSERT(n >= 0);
  *adam = (RlAdam){.n = n, .beta1 = 0.9, .beta2 = 0.999, .epsilon = epsilon};
  adam->m = RL_PUSH(arena, RlReal, n);
  adam->v = RL_PUSH(arena, RlReal, n);
}

void rl_adam_step(RlAdam *adam, RlReal *restrict param, const RlReal *restrict grad, double scale,
                  double learning_rate) {
  adam->step++;
  // corrections for moments that start at zero; in double, since 1 - beta2^t loses digits early on
  const double correction1 = 1 - pow(adam->beta1, (double)adam->step);
  const double correction2 = 1 - pow(adam->beta2, (double)adam->step);
  const RlReal rate = (RlReal)(learning_rate / correction1);
  const RlReal root = (RlReal)(1 / sqrt(correction2));
  const RlReal epsilon = (RlReal)adam->epsilon;  // detail: adam-epsilon-outside-root
  const RlReal keep1 = (RlReal)adam->beta1, add1 = (RlReal)(1 - adam->beta1);
  const RlReal keep2 = (RlReal)adam->beta2, add2 = (RlReal)(1 - adam->beta2);
  const RlReal factor = (RlReal)scale;
  RlReal *restrict m = adam->m, *restrict v = adam->v;
  const int n = adam->n;
  for (int i = 0; i < n; i++) {
    const RlReal g = factor * grad[i];
    m[i] = keep1 * m[i] + add1 * g;
    v[i] = keep2 * v[i] + add2 * (g * g);
#ifdef RL_DOUBLE
    param[i] -= rate * (m[i] / (sqrt(v[i]) * root + epsilon));
#else
    param[i] -= rate * (m[i] / (sqrtf(v[i]) * root + epsilon));
#endif
  }
}
