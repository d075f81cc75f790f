// The explorer: see explorer.h.
#include "rl/data/explorer.h"

#include <string.h>

#include "rl/base/clock.h"

void rl_explorer_init(RlExplorer *explorer, RlArena *arena, RlVecEnv *env, RlNormalizer *norm,
                      RlEpisodes *episodes, RlActor *actor, RlReplay *replay,
                      const RlSacOptions *options, uint64_t seed) {
  size_t N = (size_t)env->N;
  explorer->env = env;
  explorer->norm = norm;
  explorer->episodes = episodes;
  explorer->actor = actor;
  explorer->replay = replay;
  explorer->drop_diverged = options->drop_diverged;
  explorer->act_rng = RL_PUSH(arena, RlRng, N);
  for (size_t n = 0; n < N; n++) rl_rng_init(&explorer->act_rng[n], seed, RL_STREAM_ACT, n);
  explorer->obs = RL_PUSH(arena, float, N *(size_t)env->O);
  explorer->act = RL_PUSH(arena, float, N *(size_t)env->A);
  explorer->norm_obs = RL_PUSH(arena, RlReal, N * (size_t)env->O);
  explorer->end = RL_PUSH(arena, uint8_t, N);
  explorer->lost = RL_PUSH(arena, uint8_t, N);
  explorer->infer_each = RL_PUSH(arena, double, N);
}

// Environment n's action, on the thread that steps it.
static void act(void *arg, int n, int t) {
  (void)t;
  RlExplorer *e = arg;
  double start = rl_clock_seconds();
  size_t O = (size_t)e->env->O, A = (size_t)e->env->A, row = (size_t)n;
  const float *obs = e->env->obs + row * O;
  float *to = e->act + row * A;
  memcpy(e->obs + row * O, obs, O * sizeof(float));
  if (e->random) {
    // detail: uniform-warm-up
    for (size_t i = 0; i < A; i++) to[i] = (float)rl_rng_between(&e->act_rng[n], -1, 1);
  } else {
    rl_normalizer_forward(e->norm, e->norm_obs + row * O, obs, 1);
    rl_actor_sample_row(e->actor, to, e->norm_obs + row * O, &e->act_rng[n], n);
  }
  e->infer_each[n] = rl_clock_seconds() - start;
}

// How environment n's step ended.
static void keep(void *arg, int n, int t) {
  (void)t;
  RlExplorer *e = arg;
  const RlVecEnv *env = e->env;
  // detail: replay-diverged-dropped
  e->lost[n] = env->diverged[n] && e->drop_diverged;
  e->end[n] =
      (uint8_t)((env->terminated[n] ? RL_REPLAY_TERMINATED : 0) |
                (env->truncated[n] ? RL_REPLAY_TRUNCATED : 0) | (e->lost[n] ? RL_REPLAY_LOST : 0));
}

void rl_explorer_step(RlExplorer *e, bool random) {
  RlVecEnv *env = e->env;
  const RlVecEnvDriver driver = {act, keep, e};
  e->random = random;
  rl_vecenv_run(env, e->act, 1, &driver);
  e->infer_seconds = 0;
  for (int n = 0; n < env->N; n++) {
    e->infer_seconds += e->infer_each[n];
    if (!env->terminated[n] && !env->truncated[n]) continue;
    rl_episodes_push(e->episodes, env->episode_return[n], env->episode_length[n]);
  }
  // detail: squashed-action-stored: Q reads what the environment got
  rl_replay_push(e->replay, e->obs, e->act, env->rew, e->end, env->next_obs);
  if (!e->norm->on) return;
  rl_normalizer_push(e->norm, e->obs, e->lost, env->N);
  rl_normalizer_merge(e->norm);
}
