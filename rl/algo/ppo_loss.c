// PPO's losses: see ppo_loss.h. r = pi(a|s) / pi_old(a|s), A = advantage.
#include "rl/algo/ppo_loss.h"

#include <math.h>
#include <string.h>

// Surrogate -min(r A, clip(r) A) of one ratio; writes its derivative by log r.
static double surrogate(double ratio, double adv, double clip_range, double *dlog_ratio) {
  double lo = 1 - clip_range, hi = 1 + clip_range;
  // a ratio that is NaN stays one: fmin and fmax would make a bound of it
  double clipped = ratio < lo ? lo : ratio > hi ? hi : ratio;
  double free_loss = -ratio * adv, clip_loss = -clipped * adv;
  // detail: clipped-surrogate: where the clipped branch holds, no gradient passes
  *dlog_ratio = free_loss >= clip_loss ? free_loss : 0;
  return fmax(free_loss, clip_loss);
}

// One row's surrogate; dlogp (A) gets its gradient by each dimension's log-density.
static double row_surrogate(const RlPpoLoss *loss, RlReal *dlogp, double log_ratio,
                            const RlReal *logp, const RlReal *old_logp, double adv) {
  int A = loss->g->A;
  double dlog_ratio = 0, value = 0;
  if (loss->o->ratio == RL_RATIO_JOINT) {
    // detail: joint-ratio
    value = surrogate(exp(log_ratio), adv, loss->clip_range, &dlog_ratio);
    for (int i = 0; i < A; i++) dlogp[i] = (RlReal)dlog_ratio * loss->weight;
    return value;
  }
  for (int i = 0; i < A; i++) {
    double ratio = exp((double)logp[i] - (double)old_logp[i]);
    value += surrogate(ratio, adv, loss->clip_range, &dlog_ratio) / A;
    dlogp[i] = (RlReal)(dlog_ratio / A) * loss->weight;
  }
  return value;
}

void rl_ppo_loss_policy(const RlPpoLoss *loss, RlReal *dmean, RlReal *dlog_sigma, RlPpoSums *sums,
                        const RlReal *act, const RlReal *mean, const RlReal *old_mean,
                        const RlReal *old_logp, const RlReal *adv, int rows) {
  int A = loss->g->A;
  RlReal dlogp[RL_MAX_ACTION], logp[RL_MAX_ACTION] = {0}, old_each[RL_MAX_ACTION] = {0};
  memset(dmean, 0, (size_t)(rows * A) * sizeof(RlReal));
  for (int r = 0; r < rows; r++) {
    const RlReal *a = act + r * A, *mu = mean + r * A, *old_mu = old_mean + r * A;
    double log_ratio = (double)rl_gaussian_log_prob(loss->g, logp, a, mu) - (double)old_logp[r];
    if (loss->o->ratio == RL_RATIO_PER_DIMENSION) {
      rl_gaussian_log_prob(loss->old, old_each, a, old_mu);
    }
    double value = row_surrogate(loss, dlogp, log_ratio, logp, old_each, (double)adv[r]);
    rl_gaussian_log_prob_backward(loss->g, dmean + r * A, dlog_sigma, dlogp, a, mu);
    double ratio = exp(log_ratio);
    sums->policy_loss += value;
    // detail: approx-kl: the low-variance estimator (Schulman 2020)
    sums->kl += (ratio - 1) - log_ratio;
    sums->clipped += fabs(ratio - 1) > loss->clip_range;
    // detail: kl-penalty
    if (loss->o->kl_coef > 0) {
      rl_gaussian_kl_backward(loss->g, dmean + r * A, dlog_sigma,
                              (RlReal)loss->o->kl_coef * loss->weight, mu, loss->old, old_mu);
    }
  }
  // detail: entropy-bonus
  rl_gaussian_entropy_backward(loss->g, dlog_sigma,
                               -(RlReal)loss->o->ent_coef * loss->weight * (RlReal)rows);
}

void rl_ppo_loss_value(const RlPpoLoss *loss, RlReal *dvalue, RlPpoSums *sums, const RlReal *value,
                       const RlReal *old_value, const RlReal *ret, int rows) {
  double clip = loss->o->clip_range_vf;
  for (int r = 0; r < rows; r++) {
    double error = (double)value[r] - (double)ret[r];
    double square = error * error, slope = 2 * error;
    if (clip > 0) {
      // detail: value-clip: the worse of the two, as the original implementation has it
      double change = fmin(fmax((double)value[r] - (double)old_value[r], -clip), clip);
      double clip_error = (double)old_value[r] + change - (double)ret[r];
      if (clip_error * clip_error > square) {
        square = clip_error * clip_error;
        slope = fabs(change) < clip ? slope : 0;
      }
    }
    sums->value_loss += square;
    dvalue[r] = (RlReal)(loss->o->vf_coef * slope) * loss->weight;
  }
}
