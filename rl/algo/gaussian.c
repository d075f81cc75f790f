// Diagonal Gaussian: see gaussian.h. z = (a - mu) / sigma throughout.
#include "rl/algo/gaussian.h"

#include <math.h>
#include <stdbool.h>

#define LOG_2PI ((RlReal)1.8378770664093453)

void rl_gaussian_init(RlGaussian *g, const RlReal *raw, double min, double max, int A) {
  g->A = A;
  for (int i = 0; i < A; i++) {
    // detail: log-sigma-clamp: of a number; a NaN stays one
    double x = (double)raw[i], clamped = x < min ? min : x > max ? max : x;
    g->log_sigma[i] = (RlReal)clamped;
    g->sigma[i] = (RlReal)exp((double)g->log_sigma[i]);
    g->inv_sigma[i] = (RlReal)exp(-(double)g->log_sigma[i]);
    g->inside[i] = (double)raw[i] >= min && (double)raw[i] <= max ? 1 : 0;
  }
}

void rl_gaussian_sample(const RlGaussian *g, RlReal *act, const RlReal *mean, RlRng *rng) {
  for (int i = 0; i < g->A; i++) act[i] = mean[i] + g->sigma[i] * (RlReal)rl_rng_normal(rng);
}

RlReal rl_gaussian_log_prob(const RlGaussian *g, RlReal *logp, const RlReal *act,
                            const RlReal *mean) {
  RlReal sum = 0;
  for (int i = 0; i < g->A; i++) {
    RlReal z = (act[i] - mean[i]) * g->inv_sigma[i];
    RlReal l = (RlReal)-0.5 * (z * z + LOG_2PI) - g->log_sigma[i];
    if (logp) logp[i] = l;
    // detail: log-prob-summed
    sum += l;
  }
  return sum;
}

void rl_gaussian_log_prob_backward(const RlGaussian *g, RlReal *dmean, RlReal *dlog_sigma,
                                   const RlReal *dlogp, const RlReal *act, const RlReal *mean) {
  for (int i = 0; i < g->A; i++) {
    RlReal z = (act[i] - mean[i]) * g->inv_sigma[i];
    dmean[i] += dlogp[i] * z * g->inv_sigma[i];
    dlog_sigma[i] += dlogp[i] * (z * z - 1) * g->inside[i];
  }
}

RlReal rl_gaussian_entropy(const RlGaussian *g) {
  RlReal sum = 0;
  for (int i = 0; i < g->A; i++) sum += g->log_sigma[i] + (RlReal)0.5 * (LOG_2PI + 1);
  return sum;
}

void rl_gaussian_entropy_backward(const RlGaussian *g, RlReal *dlog_sigma, RlReal weight) {
  for (int i = 0; i < g->A; i++) dlog_sigma[i] += weight * g->inside[i];
}

RlReal rl_gaussian_kl(const RlGaussian *g, const RlReal *mean, const RlGaussian *old,
                      const RlReal *old_mean) {
  RlReal sum = 0;
  for (int i = 0; i < g->A; i++) {
    RlReal gap = (old_mean[i] - mean[i]) * g->inv_sigma[i];
    RlReal ratio = old->sigma[i] * g->inv_sigma[i];
    sum += g->log_sigma[i] - old->log_sigma[i] + (RlReal)0.5 * (ratio * ratio + gap * gap - 1);
  }
  return sum;
}

void rl_gaussian_kl_backward(const RlGaussian *g, RlReal *dmean, RlReal *dlog_sigma, RlReal weight,
                             const RlReal *mean, const RlGaussian *old, const RlReal *old_mean) {
  for (int i = 0; i < g->A; i++) {
    RlReal gap = (old_mean[i] - mean[i]) * g->inv_sigma[i];
    RlReal ratio = old->sigma[i] * g->inv_sigma[i];
    dmean[i] -= weight * gap * g->inv_sigma[i];
    dlog_sigma[i] += weight * (1 - ratio * ratio - gap * gap) * g->inside[i];
  }
}
