// The PPO actor: see actor.h.
#include "rl/algo/actor.h"

#include <string.h>

void rl_actor_init(RlActor *actor, RlArena *arena, const RlPolicyOptions *options, int O, int A,
                   int rows) {
  RL_ASSERT(A <= RL_MAX_ACTION);
  rl_mlp_init(&actor->mlp, arena, O, &options->hidden_actor, A, options->activation, A);
  rl_mlp_work_init(&actor->work, arena, &actor->mlp, rows, 0);
  actor->log_sigma_min = options->log_std_min;
  actor->log_sigma_max = options->log_std_max;
}

void rl_actor_draw(RlActor *actor, const RlPolicyOptions *options, RlRng *rng) {
  RlMlp *mlp = &actor->mlp;
  // detail: actor-last-layer
  rl_mlp_draw(mlp, options->init, options->actor_gain, rng);
  // detail: state-independent-log-sigma
  for (int i = 0; i < mlp->nextra; i++) mlp->extra[i] = (RlReal)options->log_std_init;
}

void rl_actor_gaussian(const RlActor *actor, RlGaussian *g) {
  rl_gaussian_init(g, actor->mlp.extra, actor->log_sigma_min, actor->log_sigma_max,
                   actor->mlp.nextra);
}

const RlReal *rl_actor_mean(RlActor *actor, const RlReal *obs, int rows) {
  const RlMlp *mlp = &actor->mlp;
  memcpy(actor->work.y[0], obs, (size_t)rows * (size_t)mlp->dim[0] * sizeof(RlReal));
  rl_mlp_forward(mlp, &actor->work, rows);
  return actor->work.y[mlp->L];
}

const RlReal *rl_actor_mean_row(RlActor *actor, const RlReal *obs, int row) {
  const RlMlp *mlp = &actor->mlp;
  RlMlpWork view = actor->work;
  view.rows = 1;
  for (int l = 0; l <= mlp->L; l++) view.y[l] += (size_t)row * (size_t)mlp->dim[l];
  memcpy(view.y[0], obs, (size_t)mlp->dim[0] * sizeof(RlReal));
  rl_mlp_forward(mlp, &view, 1);
  return view.y[mlp->L];
}
