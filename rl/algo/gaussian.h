// Diagonal Gaussian over actions with a log sigma that does not depend on the state: sampling,
// log-density, entropy, KL, and the gradients PPO needs. Everything per row is computed in index
// order over the action dimension, so a row's bits are the same in collecting and in learning.
#ifndef RL_ALGO_GAUSSIAN_H_
#define RL_ALGO_GAUSSIAN_H_

#include "nets/real.h"
#include "rl/base/rng.h"

enum { RL_MAX_ACTION = 64 };

typedef struct {
  int A;
  RlReal log_sigma[RL_MAX_ACTION];  // clamped
  RlReal sigma[RL_MAX_ACTION];
  RlReal inv_sigma[RL_MAX_ACTION];
  RlReal inside[RL_MAX_ACTION];  // 1 where the clamp passes the gradient, 0 where it holds
} RlGaussian;

// From raw (A), log sigma before the clamp to [min, max].
void rl_gaussian_init(RlGaussian *g, const RlReal *raw, double min, double max, int A);

// act (A) = mean (A) + sigma * standard normal.
void rl_gaussian_sample(const RlGaussian *g, RlReal *act, const RlReal *mean, RlRng *rng);

// Log-density of act (A) in each dimension: logp (A); returns their sum.  nullable: logp
RlReal rl_gaussian_log_prob(const RlGaussian *g, RlReal *logp, const RlReal *act,
                            const RlReal *mean);

// Adds dlogp (A) times the gradient of each dimension's log-density to dmean (A) and to dlog_sigma
// (A), the latter by the raw value, before the clamp. act, mean (A).
void rl_gaussian_log_prob_backward(const RlGaussian *g, RlReal *dmean, RlReal *dlog_sigma,
                                   const RlReal *dlogp, const RlReal *act, const RlReal *mean);

// Entropy, summed over dimensions.
RlReal rl_gaussian_entropy(const RlGaussian *g);

// Adds weight times the entropy's gradient by raw log sigma to dlog_sigma (A).
void rl_gaussian_entropy_backward(const RlGaussian *g, RlReal *dlog_sigma, RlReal weight);

// KL(old || g), summed over dimensions.
RlReal rl_gaussian_kl(const RlGaussian *g, const RlReal *mean, const RlGaussian *old,
                      const RlReal *old_mean);

// Adds weight times that KL's gradient by the new mean and raw log sigma to dmean, dlog_sigma (A).
void rl_gaussian_kl_backward(const RlGaussian *g, RlReal *dmean, RlReal *dlog_sigma, RlReal weight,
                             const RlReal *mean, const RlGaussian *old, const RlReal *old_mean);

#endif
