// Adam (Kingma & Ba 2015, algorithm 1) on a flat block, one pass: epsilon outside the root, moments
// corrected for their start.
#ifndef NETS_ADAM_H_
#define NETS_ADAM_H_

#include <stdbool.h>
#include <stdint.h>

#include "nets/ops.h"
#include "nets/real.h"
#include "rl/base/arena.h"

typedef struct {
  int n;         // parameters
  int64_t step;  // updates done; saved with the moments
  double beta1, beta2, epsilon;
  RlReal *m, *v;  // first and second moment (n)
} RlAdam;

// beta1 0.9, beta2 0.999.
void rl_adam_init(RlAdam *adam, RlArena *arena, int n, double epsilon);

// Whether a gradient of this norm can be stepped on: a second moment that overflowed would stay so,
// and its parameter never move again. A NaN cannot.
bool rl_adam_takes(double norm);

// Counts a step and returns what it multiplies by, for rl_adam_move over the parameters, slice by
// slice if need be.
RlAdamStep rl_adam_next(RlAdam *adam, double scale, double learning_rate);

// The whole step: param -= learning_rate * mhat / (sqrt(vhat) + epsilon) with the gradient scale *
// grad.
void rl_adam_step(RlAdam *adam, RlReal *param, const RlReal *grad, double scale,
                  double learning_rate);

#endif
