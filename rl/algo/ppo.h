// PPO: actor, critic, their optimisers, and the update of one iteration. Place: reads a rollout,
// changes parameters.
//
// A minibatch is cut into blocks of fixed size; a network gathers a block's rows, runs forward and
// backward, and leaves gradients in the block's slot. Slots are summed in order, so the bits do not
// depend on the number of threads. Where a minibatch is one block and nothing ties the networks
// together (a KL limit, a joint norm), each passes many minibatches on its own, without waiting for
// the other; else there is a job for each network and block, and a barrier behind each minibatch.
#ifndef RL_ALGO_PPO_H_
#define RL_ALGO_PPO_H_

#include "nets/adam.h"
#include "rl/algo/actor.h"
#include "rl/algo/ppo_loss.h"
#include "rl/base/pool.h"
#include "rl/data/rollout.h"

enum { RL_PPO_MAX_SLOTS = 16, RL_PPO_VALUE_JOBS = 8, RL_PPO_SPAN = 64 };

// One network's share of a block: activations, gradient, and what its loss summed up.
typedef struct {
  RlMlpWork work;
  RlReal *grad;  // its row of the network's slot_grad (nparam)
  RlPpoSums sums;
  RlReal *obs;                               // gathered rows (block, O)
  RlReal *act, *old_mean;                    // gathered rows (block, A), the actor's slots only
  RlReal *old_logp, *adv, *old_value, *ret;  // gathered rows (block)
} RlPpoSlot;

// What one network saw of a minibatch, before its step.
typedef struct {
  RlPpoSums sums;
  double grad_norm, entropy;  // before the clip; the actor's
  const char *bad;            // what was not finite; NULL if all was
} RlPpoLook;

// One network with what its update needs.
typedef struct {
  RlMlp *mlp;
  RlAdam adam;
  RlReal *slot_grad;  // (slots, nparam)
  RlReal *grad;       // sum over slots (nparam)
  double grad_norm;   // of the last minibatch, before the clip
  RlPpoSlot slot[RL_PPO_MAX_SLOTS];
} RlPpoNet;

// Means over the iteration's minibatches, under SB3's names.
typedef struct {
  double policy_gradient_loss, value_loss, entropy_loss, approx_kl, clip_fraction;
  double explained_variance, std, learning_rate, clip_range;
  double saturation;  // share of the rollout's action components at or beyond the bounds
  double actor_grad_norm, critic_grad_norm;
  int epochs, updates;  // begun; applied
  int skipped;          // minibatches with a non-finite loss or gradient; rollouts without a row
  const char *bad;      // what was not finite; NULL if all was
} RlPpoStats;

typedef struct {
  const RlPpoOptions *o;
  RlPool *pool;
  int O, A, block;  // block: rows of a job
  RlActor *actor;   // the policy's, as is the critic
  RlMlp *critic;
  RlPpoNet net[2];  // actor, critic
  RlRng shuffle_rng;
  double learning_rate, clip_range;  // as scheduled
  int32_t skipped_in_a_row;
  void (*tick)(void *arg);  // called after some minibatches; nullable
  void *tick_arg;
  int *order;                               // rows that count, shuffled (capacity of the rollout)
  RlReal *adv;                              // advantages of the minibatch (batch_size)
  RlPpoLook look[2][RL_PPO_SPAN];           // actor's and critic's, of the minibatches under way
  RlMlpWork value_work[RL_PPO_VALUE_JOBS];  // for V alone, one a job
} RlPpo;

// Optimisers and scratch for training actor and critic on rollouts of at most rows rows.
void rl_ppo_init(RlPpo *ppo, RlArena *arena, RlPool *pool, const RlConfig *config, RlActor *actor,
                 RlMlp *critic, int rows);

// Bytes that it and the networks take.
double rl_ppo_bytes(const RlConfig *config, int O, int A, double rows);

// Sets learning rate and clip range for an iteration that starts after the share done of all steps.
void rl_ppo_schedule(RlPpo *ppo, double done);

// Writes V(obs) and V of what each step led to into the rollout.
void rl_ppo_evaluate(RlPpo *ppo, RlRollout *rollout);

// Runs the epochs over the rollout, whose values must have been evaluated. The caller looks at
// stats->skipped and ppo->skipped_in_a_row.
void rl_ppo_update(RlPpo *ppo, RlRollout *rollout, RlPpoStats *stats);

#endif
