// Squashed Gaussian: see squashed.h. tanh, exp and softplus run over the whole block; what stands
// between them are plain loops.
//
// The noise z = (u - mu) / sigma is given, so log N(u) = -z^2 / 2 - log sigma - log(2 pi) / 2 needs
// no division, and its gradient reaches log sigma alone.
#include "rl/algo/squashed.h"

#include <math.h>
#include <string.h>

#include "nets/ops.h"
#include "rl/base/config.h"
#include "rl/base/status.h"

#define LOG_2   ((RlReal)0.69314718055994531)
#define LOG_2PI ((RlReal)1.8378770664093453)

void rl_squashed_work_init(RlSquashedWork *work, RlArena *arena, int rows, int A) {
  RL_ASSERT(rows >= 0 && A >= 1);
  const size_t n = (size_t)rows * (size_t)A;
  work->act = RL_PUSH(arena, RlReal, n);
  work->sigma = RL_PUSH(arena, RlReal, n);
  work->slope = RL_PUSH(arena, RlReal, n);
  work->logp = RL_PUSH(arena, RlReal, rows);
  work->scratch = RL_PUSH(arena, RlReal, 4 * n);
}

// part (rows, A) = the means (half 0) or the raw log sigmas (half 1) of head (rows, 2A).
static void split(RlReal *part, const RlReal *head, int half, int rows, int A) {
  const size_t width = (size_t)A;
  for (size_t r = 0; r < (size_t)rows; r++) {
    memcpy(part + r * width, head + (2 * r + (size_t)half) * width, width * sizeof(RlReal));
  }
}

// The factor a sum over A dimensions gets.
static RlReal reduction(int kind, int A) {
  return kind == RL_REDUCE_SUM ? 1 : kind == RL_REDUCE_MEAN ? 1 / (RlReal)A : 0;
}

// Bounds log_sigma (n) in place; slope (n): the gradient that passes.
static void bound(const RlSquashed *squashed, RlReal *log_sigma, RlReal *slope, size_t n) {
  const RlReal min = (RlReal)squashed->log_sigma_min, max = (RlReal)squashed->log_sigma_max;
  // detail: state-dependent-log-sigma-clamp
  if (squashed->bound == RL_BOUND_CLAMP) {
    for (size_t i = 0; i < n; i++) {
      const RlReal raw = log_sigma[i];
      slope[i] = raw >= min && raw <= max ? 1 : 0;
      log_sigma[i] = raw < min ? min : raw > max ? max : raw;
    }
  } else {
    const RlReal half = (max - min) / 2;
    rl_tanh_forward(log_sigma, log_sigma, n);
    for (size_t i = 0; i < n; i++) {
      slope[i] = half * (1 - log_sigma[i] * log_sigma[i]);
      log_sigma[i] = min + half * (log_sigma[i] + 1);
    }
  }
}

// correction (n) = log(1 - tanh(u)^2); tail (n) is overwritten.
static void correct(RlReal *correction, RlReal *tail, const RlReal *u, size_t n) {
  // detail: stable-tanh-correction
  for (size_t i = 0; i < n; i++) tail[i] = -2 * (RlReal)fabs(u[i]);
  rl_softplus_forward(correction, tail, n);
  for (size_t i = 0; i < n; i++) correction[i] = 2 * (LOG_2 - correction[i]) + tail[i];
}

void rl_squashed_forward(const RlSquashed *squashed, RlSquashedWork *work, const RlReal *head,
                         const RlReal *noise, int rows) {
  const int A = squashed->A;
  const size_t n = (size_t)rows * (size_t)A;
  RlReal *log_sigma = work->scratch, *u = log_sigma + n, *correction = u + n, *tail = u + 2 * n;

  split(log_sigma, head, 1, rows, A);
  bound(squashed, log_sigma, work->slope, n);
  rl_exp_forward(work->sigma, log_sigma, n);

  split(u, head, 0, rows, A);
  for (size_t i = 0; i < n; i++) u[i] += work->sigma[i] * noise[i];
  // detail: squashed-action
  rl_tanh_forward(work->act, u, n);
  correct(correction, tail, u, n);

  const RlReal of_density = reduction(squashed->log_prob, A);
  const RlReal of_correction = reduction(squashed->tanh_correction, A);
  for (size_t r = 0; r < (size_t)rows; r++) {
    RlReal density = 0, jacobian = 0;
    for (size_t i = r * (size_t)A; i < (r + 1) * (size_t)A; i++) {
      density -= (noise[i] * noise[i] + LOG_2PI) / 2 + log_sigma[i];
      jacobian += correction[i];
    }
    // detail: log-prob-and-correction-summed
    work->logp[r] = of_density * density - of_correction * jacobian;
  }
}

void rl_squashed_backward(const RlSquashed *squashed, const RlSquashedWork *work, RlReal *dhead,
                          const RlReal *dact, RlReal dlogp, const RlReal *noise, int rows) {
  const size_t A = (size_t)squashed->A;
  const RlReal ddensity = dlogp * reduction(squashed->log_prob, squashed->A);
  const RlReal djacobian = dlogp * reduction(squashed->tanh_correction, squashed->A);
  for (size_t r = 0; r < (size_t)rows; r++) {
    RlReal *dmean = dhead + 2 * r * A, *dlog_sigma = dmean + A;
    for (size_t j = 0; j < A; j++) {
      const size_t i = r * A + j;
      const RlReal a = work->act[i];
      // u moves the action, and with it -log(1 - tanh(u)^2), whose derivative is 2 tanh(u)
      const RlReal du = dact[i] * (1 - a * a) + djacobian * 2 * a;
      dmean[j] = du;
      dlog_sigma[j] = (du * work->sigma[i] * noise[i] - ddensity) * work->slope[i];
    }
  }
}

void rl_squashed_mean(const RlSquashed *squashed, RlReal *act, const RlReal *head, int rows) {
  split(act, head, 0, rows, squashed->A);
  rl_tanh_forward(act, act, (size_t)rows * (size_t)squashed->A);
}
