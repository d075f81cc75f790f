// The collector: see collector.h.
#include "rl/data/collector.h"

#include <string.h>

#include "rl/base/clock.h"

// environment steps of a segment: many between barriers, few enough for a terminal to stay alive
enum { SEGMENT_STEPS = 4096 };

static void segment_init(RlSegment *segment, RlArena *arena, const RlVecEnv *env) {
  int steps = SEGMENT_STEPS / env->N > 1 ? SEGMENT_STEPS / env->N : 1;
  // no longer than an episode may be: an environment reaches its time limit once a segment at most
  int K = steps < env->options.max_episode_steps ? steps : env->options.max_episode_steps;
  size_t N = (size_t)env->N, rows = (size_t)K * N, O = (size_t)env->O;
  segment->capacity = K;
  segment->obs = RL_PUSH(arena, float, rows *O);
  segment->terminated = RL_PUSH(arena, uint8_t, rows);
  segment->truncated = RL_PUSH(arena, uint8_t, rows);
  segment->diverged = RL_PUSH(arena, uint8_t, rows);
  segment->episode_return = RL_PUSH(arena, double, rows);
  segment->episode_length = RL_PUSH(arena, int, rows);
  segment->final_obs = RL_PUSH(arena, float, N *O);
  segment->infer_seconds = RL_PUSH(arena, double, N);
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
  collector->act = RL_PUSH(arena, float, env->N * env->A);
  collector->ended = RL_PUSH(arena, uint8_t, env->N);
  segment_init(&collector->segment, arena, env);
}

// Samples an action for environment n's current observation into row t of the rollout.
static void act(void *arg, int n, int k) {
  RlCollector *c = arg;
  const RlVecEnv *env = c->env;
  RlRollout *rollout = c->rollout;
  double start = rl_clock_seconds();
  size_t N = (size_t)env->N, O = (size_t)env->O, A = (size_t)env->A;
  size_t at = (size_t)k * N + (size_t)n, row = (size_t)c->segment.first * N + at;
  RlReal *obs = rollout->obs + row * O, *sample = rollout->act + row * A;
  memcpy(c->segment.obs + at * O, env->obs + (size_t)n * O, O * sizeof(float));
  rl_normalizer_forward(c->norm, obs, env->obs + (size_t)n * O, 1);
  const RlReal *mean = rl_actor_mean_row(c->actor, obs, n);
  rl_gaussian_sample(&c->g, sample, mean, &c->act_rng[n]);
  for (size_t i = 0; i < A; i++) {
    // detail: unclipped-action: the environment clips its own copy, the buffer keeps the sample
    if (c->store_clipped_action) sample[i] = sample[i] < -1 ? -1 : sample[i] > 1 ? 1 : sample[i];
    c->act[(size_t)n * A + i] = (float)sample[i];
  }
  memcpy(rollout->mean + row * A, mean, A * sizeof(RlReal));
  rollout->logp[row] = rl_gaussian_log_prob(&c->g, NULL, sample, mean);
  c->segment.infer_seconds[n] += rl_clock_seconds() - start;
}

// Keeps what the step gave environment n.
static void keep(void *arg, int n, int k) {
  RlCollector *c = arg;
  const RlVecEnv *env = c->env;
  RlSegment *s = &c->segment;
  size_t at = (size_t)k * (size_t)env->N + (size_t)n, O = (size_t)env->O;
  c->rollout->raw_rew[(size_t)s->first * (size_t)env->N + at] = env->rew[n];
  s->terminated[at] = env->terminated[n];
  s->truncated[at] = env->truncated[n];
  s->diverged[at] = env->diverged[n];
  s->episode_return[at] = env->episode_return[n];
  s->episode_length[at] = env->episode_length[n];
  if (env->truncated[n]) {
    memcpy(s->final_obs + (size_t)n * O, env->next_obs + (size_t)n * O, O * sizeof(float));
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

// Puts step k of the segment into the rollout.
static void store(RlCollector *c, int k) {
  const RlSegment *s = &c->segment;
  RlRollout *rollout = c->rollout;
  int N = c->env->N, O = c->env->O, t = s->first + k;
  for (int n = 0; n < N; n++) {
    int row = t * N + n, at = k * N + n;
    bool terminated = s->terminated[at], truncated = s->truncated[at] && !terminated;
    c->ended[n] = terminated || truncated;
    if (c->ended[n]) rl_episodes_push(c->episodes, s->episode_return[at], s->episode_length[at]);
    // detail: bootstrap-truncated
    if (truncated && !c->bootstrap_truncated) terminated = true, truncated = false;
    rollout->terminated[row] = terminated;
    rollout->truncated[row] = truncated;
    rollout->lost[row] = 0;
    if (truncated) keep_final(c, rollout, row, s->final_obs + n * O);
    // detail: diverged-dropped
    if (s->diverged[at] && c->drop_diverged) lose(rollout, t, row);
  }
  size_t first = (size_t)t * (size_t)N;
  const uint8_t *lost = rollout->lost + first;
  rl_normalizer_push(c->norm, s->obs + (size_t)k * (size_t)(N * O), lost, N);
  // detail: frozen-moments
  if (!c->norm->freeze) rl_normalizer_merge(c->norm);
  rl_return_scale_step(c->scale, rollout->rew + first, rollout->raw_rew + first, c->ended, lost);
}

void rl_collector_run(RlCollector *c, RlActor *actor, RlRollout *rollout,
                      void (*tick)(void *arg, int t), void *arg) {
  RlVecEnv *env = c->env;
  RlSegment *s = &c->segment;
  const RlVecEnvDriver driver = {act, keep, c};
  c->actor = actor;
  c->rollout = rollout;
  rl_actor_gaussian(actor, &c->g);
  memset(s->infer_seconds, 0, (size_t)env->N * sizeof(double));
  // moments that are not frozen change with every step
  int most = c->norm->freeze ? s->capacity : 1;
  for (s->first = 0; s->first < rollout->T;) {
    int left = rollout->T - s->first, steps = left < most ? left : most;
    // detail: vectorised: all environments, which go on from rollout to rollout
    rl_vecenv_run(env, c->act, steps, &driver);
    for (int k = 0; k < steps; k++) store(c, k);
    s->first += steps;
    if (tick) tick(arg, s->first - 1);
  }
  c->infer_seconds = 0;
  for (int n = 0; n < env->N; n++) c->infer_seconds += s->infer_seconds[n];
  rl_normalizer_forward(c->norm, rollout->last_obs, env->obs, env->N);
}

void rl_collector_warmup(RlCollector *c, int steps, uint64_t seed) {
  RlVecEnv *env = c->env;
  rl_vecenv_reset(env, seed, RL_STREAM_WARMUP_ENV);
  RlRng rng;
  rl_rng_init(&rng, seed, RL_STREAM_WARMUP, 0);
  for (int t = 0; t < steps; t++) {
    for (int i = 0; i < env->N * env->A; i++) c->act[i] = (float)rl_rng_between(&rng, -1, 1);
    memcpy(c->segment.obs, env->obs, (size_t)(env->N * env->O) * sizeof(float));
    rl_vecenv_step(env, c->act);
    rl_normalizer_push(c->norm, c->segment.obs, env->diverged, env->N);
  }
  rl_normalizer_merge(c->norm);
}
