// Reward scaling by the standard deviation of returns; the mean is never subtracted.
//
// batch (the essay's): the current batch is scaled by the deviation of the returns of all *earlier*
// batches, merged once a batch after its update; the first batch uses its own. running (SB3's
// VecNormalize): a discounted sum per environment, its deviation updated every vector step and used
// at once.
#ifndef RL_DATA_RETURN_SCALE_H_
#define RL_DATA_RETURN_SCALE_H_

#include <stdint.h>

#include "nets/real.h"
#include "rl/base/arena.h"
#include "rl/base/config.h"
#include "rl/data/moments.h"

typedef struct {
  int mode;  // RL_REWARD_OFF, RL_REWARD_BATCH or RL_REWARD_RUNNING
  double gamma, clip;
  RlMoments moments;  // of returns
  int N;
  double *running;  // running: discounted sums (N)
} RlReturnScale;

void rl_return_scale_init(RlReturnScale *scale, RlArena *arena, int N,
                          const RlNormalizeOptions *options, double gamma);

// Deviation of the returns merged so far, 1 before the first.
double rl_return_scale_deviation(const RlReturnScale *scale);

// running: folds one vector step's raw rewards (N) into the moments, then scales them to out (N);
// sums start again where an episode ended or was lost. Other modes: copies.
void rl_return_scale_step(RlReturnScale *scale, RlReal *out, const float *rew, const uint8_t *ended,
                          const uint8_t *lost);

// batch: scales n raw rewards to out by the earlier batches' deviation, or on the first batch by
// that of ret (n), whose rows with lost set do not count. Other modes: nothing to do.
void rl_return_scale_forward(const RlReturnScale *scale, RlReal *out, const float *rew,
                             const double *ret, const uint8_t *lost, int n);

// batch: merges the batch's returns ret (n), after its update. Other modes: nothing to do.
void rl_return_scale_merge(RlReturnScale *scale, const double *ret, const uint8_t *lost, int n);

#endif
