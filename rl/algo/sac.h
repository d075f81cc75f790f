// SAC: twin critics and their targets, actor, entropy coefficient, their optimisers, and one update
// (Haarnoja et al. 2018, with the learnt coefficient of the second version). Place: reads the
// replay buffer, changes parameters.
//
// A minibatch is cut into blocks by its size alone. Jobs are (network, block) pairs; every job
// leaves gradients in its own slot, and slots are summed in order; the optimiser's jobs have slices
// of the parameters, cut by their number alone: the bits do not depend on the number of threads.
// The actor's forward at the start of the update serves alpha, and again the actor's own step:
// nothing between changes the actor.
#ifndef RL_ALGO_SAC_H_
#define RL_ALGO_SAC_H_

#include "nets/adam.h"
#include "rl/algo/actor.h"
#include "rl/base/pool.h"
#include "rl/data/normalizer.h"
#include "rl/data/replay.h"

enum { RL_SAC_CRITICS = 2, RL_SAC_BLOCK = 128, RL_SAC_MAX_BLOCKS = 16 };

// Sums over rows of what a block's jobs saw.
typedef struct {
  double critic_loss[RL_SAC_CRITICS], q[RL_SAC_CRITICS];
  double actor_loss, logp, sigma;
  double saturated;  // actions with |a| > 0.99, over dimensions
} RlSacSums;

// One block's rows on their way through the networks.
typedef struct {
  RlMlpWork next_actor, actor;  // pi(s'), pi(s)
  RlSquashedWork next_pi, pi;
  RlMlpWork target[RL_SAC_CRITICS], critic[RL_SAC_CRITICS];
  RlReal *next_x, *x;        // their inputs, observation and action     (rows, O + A)
  RlReal *y;                 // what the critics learn                      (rows)
  RlReal *dact;              // gradient of the actor's loss by the action  (rows, A)
  RlReal *dq;                // scratch for the same, one critic's          (rows, A)
  int *row[RL_SAC_CRITICS];  // in which a critic is the smaller one (rows)
  RlSacSums sums;
} RlSacBlock;

// A network with what its update needs.
typedef struct {
  RlMlp *mlp;
  RlMlp *target;   // of a critic; the actor's is NULL
  RlReal *act_wt;  // of a critic: transposed first-layer weights of the action (H, A)
  RlAdam adam;
  RlAdamStep step;    // of the update under way
  RlReal *slot_grad;  // (blocks, nparam)
  RlReal *grad;       // sum over slots (nparam)
  double *square;     // the gradient's, summed over a slice (slices)
  double grad_norm;   // of the last update, before the clip
} RlSacNet;

// A minibatch, observations normalised: drawn by rl_sac_draw, or filled by a test.
typedef struct {
  int64_t *slot;               // of the replay buffer                    (B)
  RlReal *obs, *next_obs;      //                                         (B, O)
  RlReal *act;                 //                                         (B, A)
  RlReal *ret, *discount;      // n-step reward, factor of the bootstrap  (B)
  RlReal *noise, *next_noise;  // of pi(s), pi(s')                        (B, A)
} RlSacBatch;

// Figures of one update, under SB3's names where it has one.
typedef struct {
  double critic_loss, actor_loss, ent_coef_loss, ent_coef, entropy;
  double q1, q2, q_gap, q_std;  // means, mean |Q1 - Q2|, deviation of Q1
  double saturation, std;       // share of action components beyond 0.99; mean sigma
  double actor_grad_norm, critic_grad_norm;
  bool critics_applied, actor_applied;  // the actor's: false too where policy_delay left it out
  const char *bad;                      // what was not finite; NULL if all was
} RlSacStats;

// Seconds of this process spent in each part.
typedef struct {
  double sample, critic, actor, optimiser;
} RlSacSplit;

typedef struct {
  const RlSacOptions *o;
  RlPool *pool;
  int O, A, block, nblock;  // block: rows of a job
  RlActor *actor;           // the policy's, as are the critics
  RlMlp *critic[RL_SAC_CRITICS];
  RlMlp target[RL_SAC_CRITICS];
  RlSacNet actor_net, critic_net[RL_SAC_CRITICS];
  RlReal log_alpha, dlog_alpha;  // alpha = exp(log_alpha)
  RlAdam alpha_adam;
  double target_entropy;
  RlRng draw_rng;
  RlRng noise_rng[RL_SAC_MAX_BLOCKS];
  int64_t updates;  // begun since the start, for policy_delay and the targets
  int32_t skipped_in_a_row;
  RlSacBatch batch;
  RlSacBlock blocks[RL_SAC_MAX_BLOCKS];
  RlSacSplit split;
} RlSac;

// Targets, optimisers and scratch for training actor and critics, whose parameters are drawn or
// loaded later: rl_sac_start is to follow.
void rl_sac_init(RlSac *sac, RlArena *arena, RlPool *pool, const RlConfig *config, RlActor *actor,
                 RlMlp critic[RL_SAC_CRITICS]);

// Copies the critics to their targets: once the networks have their first parameters.
void rl_sac_start(RlSac *sac);

// Recomputes what is derived from the targets' parameters: after loading them.
void rl_sac_refresh(RlSac *sac);

// Bytes that it and the networks take.
double rl_sac_bytes(const RlConfig *config, int O, int A);

// alpha as it stands.
double rl_sac_alpha(const RlSac *sac);

// Rows of block b of the minibatch.
int rl_sac_block_rows(const RlSac *sac, int b);

// Draws a minibatch from the replay buffer, normalised with the moments of now.
void rl_sac_draw(RlSac *sac, const RlReplay *replay, const RlNormalizer *norm);

// One update from sac->batch: critics and their targets, then the actor against the updated
// critics, then alpha from the actor before that step; alpha is the old one throughout. A
// non-finite loss or gradient of the critics leaves every parameter as it was, one of the actor its
// own and alpha.
void rl_sac_learn(RlSac *sac, RlSacStats *stats);

#endif
