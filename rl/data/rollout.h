// The rollout buffer: what one PPO iteration collects, time-major. Storage only: filled by the
// collector, read by the update; the mathematics is in gae.h and return_scale.h.
#ifndef RL_DATA_ROLLOUT_H_
#define RL_DATA_ROLLOUT_H_

#include <stdint.h>

#include "nets/real.h"
#include "rl/base/arena.h"

typedef struct {
  int capacity, T, N, O, A;  // T: vector steps it holds now, at most capacity
  RlReal *obs;               // normalised and clipped                              (T, N, O)
  RlReal *act;               // the Gaussian's sample, before any clipping          (T, N, A)
  RlReal *mean;              // the Gaussian's mean when it acted                   (T, N, A)
  RlReal *logp;              // log-density of act, summed over A                   (T, N)
  float *raw_rew;            // as the task gave it                                 (T, N)
  RlReal *rew;               // scaled                                              (T, N)
  uint8_t *terminated;       // no bootstrap                                        (T, N)
  uint8_t *truncated;        // the piece ends, with bootstrap                      (T, N)
  uint8_t *lost;             // diverged physics: not a transition at all           (T, N)
  RlReal *value;             // V(obs)                                              (T, N)
  RlReal *next_value;        // V of what the step led to                           (T, N)
  RlReal *adv, *ret;         // advantages and their value targets                  (T, N)
  double *raw_ret;           // discounted raw returns, for the reward scale        (T, N)
  RlReal *last_obs;          // what follows the last step                          (N, O)
  int nfinal, max_final;     // truncated steps whose last observation is kept apart
  int *final_row;            // their rows t * N + n                                (max_final)
  RlReal *final_obs;         // those observations                                  (max_final, O)
} RlRollout;

// Room for T steps of N environments whose time limit is max_episode_steps.
void rl_rollout_init(RlRollout *rollout, RlArena *arena, int T, int N, int O, int A,
                     int max_episode_steps);

// Bytes that rl_rollout_init would take.
double rl_rollout_bytes(int T, int N, int O, int A, int max_episode_steps);

// Empties the buffer, to be filled with T steps.
void rl_rollout_reset(RlRollout *rollout, int T);

#endif
