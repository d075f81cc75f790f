// Reward scaling: see return_scale.h.
#include "rl/data/return_scale.h"

#include <math.h>

#define EPSILON 1e-8

typedef struct {
  double count, mean, m2;
} Moments;

static void welford(Moments *moments, double x) {
  moments->count += 1;
  double delta = x - moments->mean;
  moments->mean += delta / moments->count;
  moments->m2 += delta * (x - moments->mean);
}

static double deviation(double count, double m2) {
  return count > 0 ? sqrt(m2 / count + EPSILON) : 1;
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
  return deviation(scale->count, scale->m2);
}

void rl_return_scale_step(RlReturnScale *scale, RlReal *out, const float *rew, const uint8_t *ended,
                          const uint8_t *lost) {
  if (scale->mode != RL_REWARD_RUNNING) {
    for (int n = 0; n < scale->N; n++) out[n] = (RlReal)rew[n];
    return;
  }
  // detail: return-scale-running
  Moments moments = {scale->count, scale->mean, scale->m2};
  for (int n = 0; n < scale->N; n++) {
    if (lost[n]) continue;
    scale->running[n] = scale->gamma * scale->running[n] + (double)rew[n];
    welford(&moments, scale->running[n]);
  }
  scale->count = moments.count;
  scale->mean = moments.mean;
  scale->m2 = moments.m2;
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
  if (scale->count == 0) {
    Moments own = {0};
    for (int i = 0; i < n; i++) {
      if (!lost[i]) welford(&own, ret[i]);
    }
    sigma = deviation(own.count, own.m2);
  }
  for (int i = 0; i < n; i++) out[i] = scaled((double)rew[i], sigma, scale->clip);
}

void rl_return_scale_merge(RlReturnScale *scale, const double *ret, const uint8_t *lost, int n) {
  if (scale->mode != RL_REWARD_BATCH) return;
  Moments moments = {scale->count, scale->mean, scale->m2};
  for (int i = 0; i < n; i++) {
    if (!lost[i]) welford(&moments, ret[i]);
  }
  scale->count = moments.count;
  scale->mean = moments.mean;
  scale->m2 = moments.m2;
}
