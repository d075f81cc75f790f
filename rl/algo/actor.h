// The PPO actor: an MLP giving the mean and, at the end of the same parameter block, a log sigma
// that does not depend on the state. Collecting, evaluating and serving all act through here, so
// what serves computes what was trained.
#ifndef RL_ALGO_ACTOR_H_
#define RL_ALGO_ACTOR_H_

#include "nets/mlp.h"
#include "rl/algo/gaussian.h"

typedef struct {
  RlMlp mlp;  // mlp.extra is the raw log sigma (A)
  double log_sigma_min, log_sigma_max;
  RlMlpWork work;  // for rl_actor_mean
} RlActor;

// O observations to A actions as options say; rows: most rows rl_actor_mean will be asked for.
void rl_actor_init(RlActor *actor, RlArena *arena, const RlPolicyOptions *options, int O, int A,
                   int rows);

// Draws the weights and sets log sigma to its start.
void rl_actor_draw(RlActor *actor, const RlPolicyOptions *options, RlRng *rng);

// The policy's distribution as its parameters stand now.
void rl_actor_gaussian(const RlActor *actor, RlGaussian *g);

// Means for rows rows of normalised observations: obs (rows, O) -> the returned view (rows, A),
// valid until the next call.
const RlReal *rl_actor_mean(RlActor *actor, const RlReal *obs, int rows);

// The same for the one observation obs (O), with the same bits, in row row of the actor's scratch:
// several threads may act at once, each on rows of its own.
const RlReal *rl_actor_mean_row(RlActor *actor, const RlReal *obs, int row);

#endif
