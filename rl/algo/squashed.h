// Diagonal Gaussian squashed by tanh, whose log sigma depends on the state: the policy of SAC
// (Haarnoja et al. 2018). a = tanh(u), u = mu + sigma * noise, and
//
//   log pi(a) = sum_i log N(u_i; mu_i, sigma_i) - sum_i log(1 - tanh(u_i)^2)
//
// with the second sum in the form that never takes the logarithm of a rounded zero:
//   log(1 - tanh(u)^2) = 2 (log 2 - |u| - softplus(-2 |u|)).
//
// Works on whole blocks of rows; each row's bits depend on that row alone.
#ifndef RL_ALGO_SQUASHED_H_
#define RL_ALGO_SQUASHED_H_

#include "nets/real.h"
#include "rl/base/arena.h"

typedef struct {
  int A;
  int bound;  // of log sigma: RL_BOUND_CLAMP (no gradient passes outside) or RL_BOUND_TANH
  double log_sigma_min, log_sigma_max;
  int log_prob, tanh_correction;  // RL_REDUCE_SUM; the others are wrong and show what it does
} RlSquashed;

// What a forward leaves for its backward, for rows rows.
typedef struct {
  RlReal *act;      // tanh(u)                                    (rows, A)
  RlReal *sigma;    //                                            (rows, A)
  RlReal *slope;    // of bounded by raw log sigma                (rows, A)
  RlReal *logp;     // log pi(act)                                (rows)
  RlReal *scratch;  // log sigma, u, correction and its scratch   (4, rows, A)
} RlSquashedWork;

void rl_squashed_work_init(RlSquashedWork *work, RlArena *arena, int rows, int A);

// Fills work from head (rows, 2A), a row being the means and then the raw log sigmas, and standard
// normal noise (rows, A).
void rl_squashed_forward(const RlSquashed *squashed, RlSquashedWork *work, const RlReal *head,
                         const RlReal *noise, int rows);

// After a forward of the same rows: overwrites dhead (rows, 2A) from dact (rows, A), the loss's
// gradient by the action, and dlogp, its gradient by every row's log pi.
void rl_squashed_backward(const RlSquashed *squashed, const RlSquashedWork *work, RlReal *dhead,
                          const RlReal *dact, RlReal dlogp, const RlReal *noise, int rows);

// act (rows, A) = tanh(mean): the deterministic action.
void rl_squashed_mean(const RlSquashed *squashed, RlReal *act, const RlReal *head, int rows);

#endif
