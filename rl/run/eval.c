// Evaluation: see eval.h.
#include "rl/run/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rl/base/order.h"

RlStatus rl_eval_init(RlEval *eval, RlArena *arena, const RlConfig *config, int episodes,
                      int threads) {
  // as many as makes the last round of episodes as full as the others
  int rounds = (episodes + RL_EVAL_ENVS - 1) / RL_EVAL_ENVS;
  int N = (episodes + rounds - 1) / rounds;
  eval->episodes = episodes;
  RL_TRY(rl_vecenv_init(&eval->env, arena, config, N, threads));
  eval->episode = RL_PUSH(arena, int, N);
  eval->act_rng = RL_PUSH(arena, RlRng, N);
  eval->act = RL_PUSH(arena, float, N * eval->env.A);
  eval->ret = RL_PUSH(arena, double, episodes);
  eval->sorted = RL_PUSH(arena, double, episodes);
  eval->length = RL_PUSH(arena, int, episodes);
  return RL_OK;
}

RlStatus rl_eval_init_served(RlEval *eval, RlServed *served, const char *path, int episodes,
                             int threads) {
  RL_TRY(rl_eval_init(eval, &served->arena, &served->config, episodes, threads));
  return rl_served_match(served, &eval->env, path);
}

// Starts the next episode in environment n, if one is left.
static void start_episode(RlEval *eval, int n, uint64_t seed, int64_t step) {
  eval->episode[n] = -1;
  if (eval->started == eval->episodes) return;
  // detail: evaluation-counts-started
  int i = eval->episode[n] = eval->started++;
  uint64_t index = rl_rng_index((uint64_t)step, (uint64_t)i);
  RlRng rng;
  rl_rng_init(&rng, seed, RL_STREAM_EVAL, index);
  rl_rng_init(&eval->act_rng[n], seed, RL_STREAM_EVAL_ACT, index);
  rl_vecenv_reset_one(&eval->env, n, &rng);
}

static void summarise(RlEval *eval, RlEvalSummary *summary) {
  int E = eval->episodes;
  double sum = 0, square = 0, steps = 0, middle = 0;
  memcpy(eval->sorted, eval->ret, (size_t)E * sizeof(double));
  qsort(eval->sorted, (size_t)E, sizeof(double), rl_ascending);
  for (int i = 0; i < E; i++) {
    sum += eval->ret[i];
    steps += eval->length[i];
  }
  double mean = sum / E;
  for (int i = 0; i < E; i++) square += (eval->ret[i] - mean) * (eval->ret[i] - mean);
  int cut = E / 4;
  for (int i = cut; i < E - cut; i++) middle += eval->sorted[i];
  summary->episodes = E;
  summary->mean = mean;
  summary->std = sqrt(square / E);
  summary->iqm = middle / (E - 2 * cut);
  summary->min = eval->sorted[0];
  summary->max = eval->sorted[E - 1];
  summary->length_mean = steps / E;
}

void rl_eval_run(RlEval *eval, RlPolicy *policy, uint64_t seed, int64_t step, bool stochastic,
                 RlEvalSummary *summary, void (*tick)(void *arg), void *arg) {
  RlVecEnv *env = &eval->env;
  eval->started = 0;
  summary->diverged = 0;
  for (int n = 0; n < env->N; n++) start_episode(eval, n, seed, step);
  for (int done = 0; done < eval->episodes;) {
    rl_policy_act(policy, eval->act, env->obs, env->N, stochastic ? eval->act_rng : NULL);
    rl_vecenv_step(env, eval->act);
    for (int n = 0; n < env->N; n++) {
      int i = eval->episode[n];
      if (i < 0 || !(env->terminated[n] || env->truncated[n])) continue;
      summary->diverged += env->diverged[n];
      eval->ret[i] = env->episode_return[n];
      eval->length[i] = env->episode_length[n];
      done++;
      start_episode(eval, n, seed, step);
    }
    if (tick) tick(arg);
  }
  summarise(eval, summary);
}

void rl_eval_free(RlEval *eval) {
  rl_vecenv_free(&eval->env);
}
