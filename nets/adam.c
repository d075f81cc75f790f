// Adam on a flat block: see adam.h. The pass over the block is in ops.c.
#include "nets/adam.h"

#include <math.h>

#include "rl/base/status.h"

void rl_adam_init(RlAdam *adam, RlArena *arena, int n, double epsilon) {
  RL_ASSERT(n >= 0);
  *adam = (RlAdam){.n = n, .beta1 = 0.9, .beta2 = 0.999, .epsilon = epsilon};
  adam->m = RL_PUSH(arena, RlReal, n);
  adam->v = RL_PUSH(arena, RlReal, n);
}

// the largest norm whose square a float holds, with room
static const double most = 1e18;

bool rl_adam_takes(double norm) {
  return norm <= most;
}

RlAdamStep rl_adam_next(RlAdam *adam, double scale, double learning_rate) {
  adam->step++;
  // corrections for moments that start at zero; in double, since 1 - beta2^t loses digits early on
  const double correction1 = 1 - pow(adam->beta1, (double)adam->step);
  const double correction2 = 1 - pow(adam->beta2, (double)adam->step);
  return (RlAdamStep){
      .scale = (RlReal)scale,
      .keep1 = (RlReal)adam->beta1,
      .add1 = (RlReal)(1 - adam->beta1),
      .keep2 = (RlReal)adam->beta2,
      .add2 = (RlReal)(1 - adam->beta2),
      .rate = (RlReal)(learning_rate / correction1),
      .root = (RlReal)(1 / sqrt(correction2)),
      .epsilon = (RlReal)adam->epsilon,  // detail: adam-epsilon-outside-root
  };
}

void rl_adam_step(RlAdam *adam, RlReal *param, const RlReal *grad, double scale,
                  double learning_rate) {
  const RlAdamStep step = rl_adam_next(adam, scale, learning_rate);
  rl_adam_move(param, adam->m, adam->v, grad, &step, (size_t)adam->n);
}
