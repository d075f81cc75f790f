// The actor: see actor.h.
#include "rl/algo/actor.h"

#include <string.h>

#include "nets/normal.h"

void rl_actor_init(RlActor *actor, RlArena *arena, const RlConfig *config, int O, int A, int rows) {
  const RlPolicyOptions *o = &config->policy;
  RL_ASSERT(A <= RL_MAX_ACTION);
  actor->A = A;
  actor->squashed = config->run.algorithm == RL_ALGO_SAC;
  actor->log_sigma_min = o->log_std_min;
  actor->log_sigma_max = o->log_std_max;
  // detail: state-dependent-log-sigma: the squashed actor's second head, beside the means
  rl_mlp_init(&actor->mlp, arena, O, &o->hidden_actor, actor->squashed ? 2 * A : A, o->activation,
              actor->squashed ? 0 : A);
  rl_mlp_work_init(&actor->work, arena, &actor->mlp, rows, 0);
  if (!actor->squashed) return;
  actor->squash = (RlSquashed){.A = A,
                               .bound = config->sac.log_std_bound,
                               .log_sigma_min = o->log_std_min,
                               .log_sigma_max = o->log_std_max,
                               .log_prob = config->sac.log_prob,
                               .tanh_correction = config->sac.tanh_correction};
  actor->noise = RL_PUSH(arena, RlReal, rows * A);
  rl_squashed_work_init(&actor->pi, arena, rows, A);
}

void rl_actor_draw(RlActor *actor, const RlPolicyOptions *options, RlRng *rng) {
  RlMlp *mlp = &actor->mlp;
  // detail: actor-last-layer
  rl_mlp_draw(mlp, options->init, options->actor_gain, rng);
  // detail: state-independent-log-sigma
  for (int i = 0; i < mlp->nextra; i++) mlp->extra[i] = (RlReal)options->log_std_init;
}

void rl_actor_gaussian(const RlActor *actor, RlGaussian *g) {
  RL_ASSERT(!actor->squashed);
  rl_gaussian_init(g, actor->mlp.extra, actor->log_sigma_min, actor->log_sigma_max, actor->A);
}

// The outputs for rows rows of observations.
static const RlReal *forward(RlActor *actor, const RlReal *obs, int rows) {
  const RlMlp *mlp = &actor->mlp;
  rl_mlp_forward(mlp, &actor->work, obs, rows);
  return actor->work.y[mlp->L];
}

// The outputs for one observation, in row row of the scratch.
static const RlReal *forward_row(RlActor *actor, const RlReal *obs, int row) {
  const RlMlp *mlp = &actor->mlp;
  RlMlpWork view = actor->work;
  view.rows = 1;
  for (int l = 1; l <= mlp->L; l++) view.y[l] += (size_t)row * (size_t)mlp->dim[l];
  rl_mlp_forward(mlp, &view, obs, 1);
  return view.y[mlp->L];
}

const RlReal *rl_actor_mean(RlActor *actor, const RlReal *obs, int rows) {
  RL_ASSERT(!actor->squashed);
  return forward(actor, obs, rows);
}

const RlReal *rl_actor_mean_row(RlActor *actor, const RlReal *obs, int row) {
  RL_ASSERT(!actor->squashed);
  return forward_row(actor, obs, row);
}

// Draws the squashed distribution's action for one row's outputs.
static const RlReal *squash_row(RlActor *actor, const RlReal *out, RlRng *rng, int row) {
  size_t A = (size_t)actor->A, at = (size_t)row * A;
  RlReal *noise = actor->noise + at;
  const RlSquashedWork *all = &actor->pi;
  RlSquashedWork view = {.act = all->act + at,
                         .sigma = all->sigma + at,
                         .slope = all->slope + at,
                         .logp = all->logp + row,
                         .scratch = all->scratch + 4 * at};
  rl_normal_fill(noise, A, rng);
  rl_squashed_forward(&actor->squash, &view, out, noise, 1);
  return view.act;
}

void rl_actor_sample_row(RlActor *actor, float *act, const RlReal *obs, RlRng *rng, int row) {
  RL_ASSERT(actor->squashed);
  const RlReal *sample = squash_row(actor, forward_row(actor, obs, row), rng, row);
  for (int i = 0; i < actor->A; i++) act[i] = (float)sample[i];
}

static void act_squashed(RlActor *actor, float *act, const RlReal *head, int rows, RlRng *rng) {
  int A = actor->A;
  if (rng) {
    for (int r = 0; r < rows; r++) squash_row(actor, head + r * 2 * A, &rng[r], r);
  } else {
    rl_squashed_mean(&actor->squash, actor->pi.act, head, rows);
  }
  for (int i = 0; i < rows * A; i++) act[i] = (float)actor->pi.act[i];
}

static void act_gaussian(RlActor *actor, float *act, const RlReal *mean, int rows, RlRng *rng) {
  int A = actor->A;
  RlGaussian g;
  RlReal sample[RL_MAX_ACTION];
  rl_actor_gaussian(actor, &g);
  for (int r = 0; r < rows; r++) {
    const RlReal *row = mean + r * A;
    if (rng) rl_gaussian_sample(&g, sample, row, &rng[r]);
    for (int i = 0; i < A; i++) act[r * A + i] = (float)(rng ? sample[i] : row[i]);
  }
}

void rl_actor_act(RlActor *actor, float *act, const RlReal *obs, int rows, RlRng *rng) {
  const RlReal *out = forward(actor, obs, rows);
  (actor->squashed ? act_squashed : act_gaussian)(actor, act, out, rows, rng);
}
