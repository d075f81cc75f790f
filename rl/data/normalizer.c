// Observation normaliser: see normalizer.h.
#include "rl/data/normalizer.h"

#include <math.h>
#include <string.h>

#define EPSILON 1e-8

void rl_normalizer_init(RlNormalizer *norm, RlArena *arena, int O,
                        const RlNormalizeOptions *options) {
  norm->O = O;
  norm->on = options->obs;
  norm->freeze = options->freeze;
  norm->clip = options->clip_obs;
  norm->mean = RL_PUSH(arena, double, O);
  norm->m2 = RL_PUSH(arena, double, O);
  norm->batch_mean = RL_PUSH(arena, double, O);
  norm->batch_m2 = RL_PUSH(arena, double, O);
  norm->shift = RL_PUSH(arena, float, O);
  norm->scale = RL_PUSH(arena, float, O);
  rl_normalizer_refresh(norm);
}

void rl_normalizer_forward(const RlNormalizer *norm, RlReal *out, const float *obs, int rows) {
  int O = norm->O;
  if (!norm->on) {
    for (int i = 0; i < rows * O; i++) out[i] = (RlReal)obs[i];
    return;
  }
  float clip = (float)norm->clip;
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < O; i++) {
      // detail: observation-normalisation
      float x = (obs[r * O + i] - norm->shift[i]) * norm->scale[i];
      // detail: observation-clip
      x = x < -clip ? -clip : x;
      out[r * O + i] = (RlReal)(x > clip ? clip : x);
    }
  }
}

void rl_normalizer_push(RlNormalizer *norm, const float *obs, const uint8_t *skip, int rows) {
  int O = norm->O;
  double *mean = norm->batch_mean, *m2 = norm->batch_m2;
  for (int r = 0; r < rows; r++) {
    if (skip && skip[r]) continue;
    norm->batch_count += 1;
    double inv_count = 1 / norm->batch_count;
    for (int i = 0; i < O; i++) {
      double x = (double)obs[r * O + i];
      double delta = x - mean[i];
      mean[i] += delta * inv_count;
      m2[i] += delta * (x - mean[i]);
    }
  }
}

void rl_normalizer_merge(RlNormalizer *norm) {
  double total = norm->count + norm->batch_count;
  if (norm->batch_count > 0) {
    for (int i = 0; i < norm->O; i++) {
      double delta = norm->batch_mean[i] - norm->mean[i];
      norm->mean[i] += delta * norm->batch_count / total;
      norm->m2[i] += norm->batch_m2[i] + delta * delta * norm->count * norm->batch_count / total;
    }
  }
  norm->count = total;
  norm->batch_count = 0;
  memset(norm->batch_mean, 0, (size_t)norm->O * sizeof(double));
  memset(norm->batch_m2, 0, (size_t)norm->O * sizeof(double));
  rl_normalizer_refresh(norm);
}

void rl_normalizer_refresh(RlNormalizer *norm) {
  for (int i = 0; i < norm->O; i++) {
    double var = norm->count > 0 ? norm->m2[i] / norm->count : 1;
    norm->shift[i] = (float)norm->mean[i];
    norm->scale[i] = (float)(1 / sqrt(var + EPSILON));
  }
}
