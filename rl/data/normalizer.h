// Observation normaliser: (x - mean) / sqrt(var + 1e-8), then the clip. Place: between the vector
// environment and everything that reads observations.
//
// PPO: the moments in use are frozen from the first step of a batch to the end of its update,
// V(final) included; what the batch itself adds is gathered apart and merged afterwards (Chan et
// al. 1979), in double and in row order. So the first minibatch's probability ratio is exactly 1.
// SAC merges every step.
#ifndef RL_DATA_NORMALIZER_H_
#define RL_DATA_NORMALIZER_H_

#include <stdbool.h>
#include <stdint.h>

#include "nets/real.h"
#include "rl/base/arena.h"
#include "rl/base/config.h"

typedef struct {
  int O;
  bool on;      // off: observations pass as they are, unclipped
  bool freeze;  // off: every step of a rollout moves the moments in use
  double clip;
  double count;       // rows merged
  double *mean, *m2;  // of the rows merged; m2: sum of squared deviations    (O)
  double batch_count;
  double *batch_mean, *batch_m2;  // of the batch under way                           (O)
  float *shift, *scale;           // in use: mean and 1 / sqrt(var + 1e-8)                (O)
} RlNormalizer;

void rl_normalizer_init(RlNormalizer *norm, RlArena *arena, int O,
                        const RlNormalizeOptions *options);

// out (rows, O) from obs (rows, O), with the moments in use.
void rl_normalizer_forward(const RlNormalizer *norm, RlReal *out, const float *obs, int rows);

// Adds the rows of obs (rows, O) to the batch under way, those with skip set left out.
// nullable: skip (rows)
void rl_normalizer_push(RlNormalizer *norm, const float *obs, const uint8_t *skip, int rows);

// Merges the batch under way into the moments and starts using them.
void rl_normalizer_merge(RlNormalizer *norm);

// Recomputes what is in use from mean and m2 (after loading them).
void rl_normalizer_refresh(RlNormalizer *norm);

#endif
