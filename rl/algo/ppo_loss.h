// PPO's losses and their gradients on rows (Schulman et al. 2017), pure functions.
//
// Every row carries the same weight, 1 / batch_size, so a ragged last minibatch counts by its rows
// (with weight_ragged off: 1 / its rows).
#ifndef RL_ALGO_PPO_LOSS_H_
#define RL_ALGO_PPO_LOSS_H_

#include "rl/algo/gaussian.h"
#include "rl/base/config.h"

// Sums over rows, not means.
typedef struct {
  double policy_loss, kl, clipped, value_loss;
} RlPpoSums;

typedef struct {
  const RlPpoOptions *o;
  double clip_range;      // as scheduled
  RlReal weight;          // of a row
  const RlGaussian *g;    // the policy now
  const RlGaussian *old;  // the policy that acted
} RlPpoLoss;

// Rows of the clipped surrogate with entropy bonus and KL penalty. Overwrites dmean (rows, A), adds
// to dlog_sigma (A) and sums. act, mean, old_mean (rows, A); old_logp, adv (rows).
void rl_ppo_loss_policy(const RlPpoLoss *loss, RlReal *dmean, RlReal *dlog_sigma, RlPpoSums *sums,
                        const RlReal *act, const RlReal *mean, const RlReal *old_mean,
                        const RlReal *old_logp, const RlReal *adv, int rows);

// Rows of the value loss vf_coef (V - ret)^2, clipped around old_value when clip_range_vf > 0.
// Overwrites dvalue (rows), adds to sums. value, old_value, ret (rows).
void rl_ppo_loss_value(const RlPpoLoss *loss, RlReal *dvalue, RlPpoSums *sums, const RlReal *value,
                       const RlReal *old_value, const RlReal *ret, int rows);

#endif
