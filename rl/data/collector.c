// The collector: see collector.h.
#include "rl/data/collector.h"

#include <math.h>
#include <string.h>

#include "rl/base/clock.h"

double rl_episodes_mean(const RlEpisodes *episodes, const double *ring) {
  int n = episodes->count < RL_EPISODE_WINDOW ? (int)episodes->count : RL_EPISODE_WINDOW;
  double sum = 0;
  for (int i = 0; i < n; i++) sum += ring[i];
  return n ? sum / n : NAN;
}

static void episodes_push(RlEpisodes *episodes, double ret, int length) {
  int slot = (int)(episodes->count++ % RL_EPISODE_WINDOW);
  episodes->ret[slot] = ret;
  episodes->length[slot] = length;
}

void rl_collector_init(RlCollector *collector, RlArena *arena, RlVecEnv *env, RlNormalizer *norm,
                       RlReturnScale *scale, RlEpisodes *episodes, const RlPpoOptions *options,
                       uint64_t seed) {
  collector->env = env;
  collector->norm = norm;
  collector->scale = scale;
  collector->episodes = episodes;
  collector->bootstrap_truncated = options->bootstrap_truncated;
  collector->store_clipped_action = options->store_clipped_action;
  collector->drop_diverged = options->drop_diverged;
  collector->act_rng = RL_PUSH(arena, RlRng, env->N);
  for (int n = 0; n < env->N; n++) {
    rl_rng_init(&collector->act_rng[n], seed, RL_STREAM_ACT, (uint64_t)n);
  }
  collector->norm_obs = RL_PUSH(arena, RlReal, env->N * env->O);
  collector->obs = RL_PUSH(arena, float, env->N * env->O);
  collector->act = RL_PUSH(arena, float, env->N * env->A);
  collector->ended = RL_PUSH(arena, uint8_t, env->N);
}

// Samples actions for the environments' current observations into rows t of the rollout.
static void act(RlCollector *c, RlActor *actor, const RlGaussian *g, RlRollout *rollout, int t) {
  const RlVecEnv *env = c->env;
  int N = env->N, O = env->O, A = env->A;
  RlReal *obs = rollout->obs + (size_t)t * (size_t)(N * O);
  memcpy(c->obs, env->obs, (size_t)(N * O) * sizeof(float));
  rl_normalizer_forward(c->norm, obs, env->obs, N);
  const RlReal *mean = rl_actor_mean(actor, obs, N);
  for (int n = 0; n < N; n++) {
    size_t row = (size_t)t * (size_t)N + (size_t)n;
    RlReal *sample = rollout->act + row * (size_t)A;
    rl_gaussian_sample(g, sample, mean + n * A, &c->act_rng[n]);
    for (int i = 0; i < A; i++) {
      // detail: unclipped-action: the environment clips its own copy, the buffer keeps the sample
      if (c->store_clipped_action) sample[i] = (RlReal)fmax(fmin((double)sample[i], 1), -1);
      c->act[n * A + i] = (float)sample[i];
    }
    memcpy(rollout->mean + row * (size_t)A, mean + n * A, (size_t)A * sizeof(RlReal));
    rollout->logp[row] = rl_gaussian_log_prob(g, NULL, sample, mean + n * A);
  }
}

// Keeps the last observation of an episode that reached its time limit.
static void keep_final(RlCollector *c, RlRollout *rollout, int row, const float *obs) {
  RL_ASSERT(rollout->nfinal < rollout->max_final);
  int f = rollout->nfinal++;
  rollout->final_row[f] = row;
  rl_normalizer_forward(c->norm, rollout->final_obs + (size_t)f * (size_t)rollout->O, obs, 1);
}

// A diverged step is no transition: it is left out, and the step before it counts as truncated,
// bootstrapping from the observation the lost step started from.
static void lose(RlRollout *rollout, int t, int row) {
  int before = row - rollout->N;
  rollout->lost[row] = 1;
  if (t > 0 && !rollout->terminated[before]) {
    rollout->truncated[before] = 1;
  }
}

// Stores what the step gave into rows t of the rollout.
static void store(RlCollector *c, RlRollout *rollout, int t) {
  const RlVecEnv *env = c->env;
  int N = env->N;
  for (int n = 0; n < N; n++) {
    int row = t * N + n;
    bool terminated = env->terminated[n], truncated = env->truncated[n] && !terminated;
    c->ended[n] = terminated || truncated;
    if (c->ended[n]) episodes_push(c->episodes, env->episode_return[n], env->episode_length[n]);
    // detail: bootstrap-truncated
    if (truncated && !c->bootstrap_truncated) terminated = true, truncated = false;
    rollout->raw_rew[row] = env->rew[n];
    rollout->terminated[row] = terminated;
    rollout->truncated[row] = truncated;
    rollout->lost[row] = 0;
    if (truncated) keep_final(c, rollout, row, env->next_obs + n * env->O);
    // detail: diverged-dropped
    if (env->diverged[n] && c->drop_diverged) lose(rollout, t, row);
  }
  const uint8_t *lost = rollout->lost + (size_t)t * (size_t)N;
  rl_normalizer_push(c->norm, c->obs, lost, N);
  // detail: frozen-moments
  if (!c->norm->freeze) rl_normalizer_merge(c->norm);
  rl_return_scale_step(c->scale, rollout->rew + (size_t)t * (size_t)N, env->rew, c->ended, lost);
}

void rl_collector_run(RlCollector *c, RlActor *actor, RlRollout *rollout,
                      void (*tick)(void *arg, int t), void *arg) {
  RlVecEnv *env = c->env;
  RlGaussian g;
  rl_actor_gaussian(actor, &g);
  c->infer_seconds = 0;
  for (int t = 0; t < rollout->T; t++) {
    double start = rl_clock_seconds();
    act(c, actor, &g, rollout, t);
    c->infer_seconds += rl_clock_seconds() - start;
    // detail: vectorised: one step of all environments, which go on from rollout to rollout
    rl_vecenv_step(env, c->act);
    store(c, rollout, t);
    if (tick) tick(arg, t);
  }
  rl_normalizer_forward(c->norm, rollout->last_obs, env->obs, env->N);
}

void rl_collector_warmup(RlCollector *c, int steps, uint64_t seed) {
  RlVecEnv *env = c->env;
  rl_vecenv_reset(env, seed, RL_STREAM_WARMUP_ENV);
  RlRng rng;
  rl_rng_init(&rng, seed, RL_STREAM_WARMUP, 0);
  for (int t = 0; t < steps; t++) {
    for (int i = 0; i < env->N * env->A; i++) c->act[i] = (float)rl_rng_between(&rng, -1, 1);
    memcpy(c->obs, env->obs, (size_t)(env->N * env->O) * sizeof(float));
    rl_vecenv_step(env, c->act);
    rl_normalizer_push(c->norm, c->obs, env->diverged, env->N);
  }
  rl_normalizer_merge(c->norm);
}
