// Reward scaling: see return_scale.h.
#include "rl/data/return_scale.h"

#include <math.h>

#define EPSILON 1e-8

static double deviation(const RlMoments *moments) {
  return moments->count > 0 ? sqrt(moments->m2 / moments->count + EPSILON) : 1;
}

static RlReal scaled(double rew, double sigma, double clip) {
  double x = rew / sigma;
  // detail: reward-clip: before any value is added to it; a NaN stays one
  return (RlReal)(x < -clip ? -clip : x > clip ? clip : x);
}

void rl_return_scale_init(RlReturnScale *scale, RlArena *arena, int N,
                          const RlNormalizeOptions *options, double gamma) {
  scale->mode = options->reward;
  scale->gamma = gamma;
  scale->clip = options->clip_reward;
  scale->N = N;
  scale->running = RL_PUSH(arena, double, N);
}

double rl_return_scale_deviation(const RlReturnScale *scale) {
  return deviation(&scale->moments);
}

void rl_return_scale_step(RlReturnScale *scale, RlReal *out, const float *rew, const uint8_t *ended,
                          const uint8_t *lost) {
  if (scale->mode != RL_REWARD_RUNNING) {
    for (int n = 0; n < scale->N; n++) out[n] = (RlReal)rew[n];
    return;
  }
  // detail: return-scale-running
  for (int n = 0; n < scale->N; n++) {
    if (lost[n]) continue;
    scale->running[n] = scale->gamma * scale->running[n] + (double)rew[n];
    rl_moments_push(&scale->moments, scale->running[n]);
  }
  double sigma = rl_return_scale_deviation(scale);
  for (int n = 0; n < scale->N; n++) {
    out[n] = scaled((double)rew[n], sigma, scale->clip);
    if (ended[n] || lost[n]) scale->running[n] = 0;
  }
}

void rl_return_scale_forward(const RlReturnScale *scale, RlReal *out, const float *rew,
                             const double *ret, const uint8_t *lost, int n) {
  if (scale->mode != RL_REWARD_BATCH) return;
  // detail: return-scale-previous-batch
  double sigma = rl_return_scale_deviation(scale);
  if (scale->moments.count == 0) {
    RlMoments own = {0};
    for (int i = 0; i < n; i++) {
      if (!lost[i]) rl_moments_push(&own, ret[i]);
    }
    sigma = deviation(&own);
  }
  for (int i = 0; i < n; i++) out[i] = scaled((double)rew[i], sigma, scale->clip);
}

void rl_return_scale_merge(RlReturnScale *scale, const double *ret, const uint8_t *lost, int n) {
  if (scale->mode != RL_REWARD_BATCH) return;
  for (int i = 0; i < n; i++) {
    if (!lost[i]) rl_moments_push(&scale->moments, ret[i]);
  }
}
