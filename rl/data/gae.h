// Returns and generalised advantage estimation (Schulman et al. 2016) on plain arrays, time-major
// (T, N). No structs here; rollout.h holds the arrays.
//
// Two masks that never blur: terminated zeroes the bootstrap; an ended piece (terminated,
// truncated, or the end of the batch) cuts the lambda chain. Masks select, they never multiply:
// what lies behind a mask may be anything, NaN included.
#ifndef RL_DATA_GAE_H_
#define RL_DATA_GAE_H_

#include <stdint.h>

#include "nets/real.h"

// adv (T, N): advantages; ret (T, N) = adv + value. Rows with lost set are 0 in both.
//   delta_t = r_t + gamma V(s_{t+1}) [not terminated] - V(s_t)
//   adv_t   = delta_t + gamma lambda adv_{t+1} [piece goes on]
// rew, value, next_value (T, N); next_value is V of what the step led to, read unless terminated.
void rl_gae_compute(RlReal *adv, RlReal *ret, const RlReal *rew, const RlReal *value,
                    const RlReal *next_value, const uint8_t *terminated, const uint8_t *truncated,
                    const uint8_t *lost, int T, int N, double gamma, double lambda);

// ret (T, N): discounted returns G_t = r_t + gamma G_{t+1} within each piece. Behind a piece's end,
// G is 0 after termination and scale * next_value at truncation or the batch's end. Rows with lost
// set are 0.
void rl_gae_returns(double *ret, const float *rew, const RlReal *next_value,
                    const uint8_t *terminated, const uint8_t *truncated, const uint8_t *lost, int T,
                    int N, double gamma, double scale);

#endif
