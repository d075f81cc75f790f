// The actor: an MLP and the distribution its outputs stand for. Collecting, evaluating and serving
// all act through here, so what serves computes what was trained.
//
// PPO: the outputs are means, and a log sigma that does not depend on the state lies at the end of
// the same parameter block. SAC: the outputs are means and raw log sigmas, squashed by tanh.
#ifndef RL_ALGO_ACTOR_H_
#define RL_ALGO_ACTOR_H_

#include "nets/mlp.h"
#include "rl/algo/gaussian.h"
#include "rl/algo/squashed.h"

typedef struct {
  RlMlp mlp;      // PPO: mlp.extra is the raw log sigma (A)
  int A;          // actions
  bool squashed;  // SAC
  double log_sigma_min, log_sigma_max;
  RlSquashed squash;  // SAC's
  RlMlpWork work;     // for acting
  RlReal *noise;      // for acting, SAC's                (rows, A)
  RlSquashedWork pi;  // the same
} RlActor;

// O observations to A actions as the configuration says; rows: most rows it will act on at once.
void rl_actor_init(RlActor *actor, RlArena *arena, const RlConfig *config, int O, int A, int rows);

// Draws the weights and sets PPO's log sigma to its start.
void rl_actor_draw(RlActor *actor, const RlPolicyOptions *options, RlRng *rng);

// PPO's distribution as its parameters stand now.
void rl_actor_gaussian(const RlActor *actor, RlGaussian *g);

// PPO's means for rows rows of normalised observations: obs (rows, O) -> the returned view (rows,
// A), valid until the next call.
const RlReal *rl_actor_mean(RlActor *actor, const RlReal *obs, int rows);

// PPO's mean for the one normalised observation obs (O), in row row of the actor's scratch: several
// threads may act at once, each on rows of its own. The returned view (A) is valid until the row is
// used again.
const RlReal *rl_actor_mean_row(RlActor *actor, const RlReal *obs, int row);

// Actions for normalised observations obs (rows, O): act (rows, A) is the Gaussian's mean,
// unclipped (PPO), or tanh of the mean (SAC). With streams rng (rows) they are samples instead, row
// r drawn from rng[r].  nullable: rng
void rl_actor_act(RlActor *actor, float *act, const RlReal *obs, int rows, RlRng *rng);

// SAC's sampled action act (A) for the one normalised observation obs (O), in row row of the
// scratch, with the bits that rl_actor_act would give it.
void rl_actor_sample_row(RlActor *actor, float *act, const RlReal *obs, RlRng *rng, int row);

#endif
