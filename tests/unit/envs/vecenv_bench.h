// What the tests of the vector environment share: one made from keys, actions that depend on
// neither the number of environments nor the order of steps, and comparisons bit for bit.
#ifndef TESTS_UNIT_ENVS_VECENV_BENCH_H_
#define TESTS_UNIT_ENVS_VECENV_BENCH_H_

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "envs/vecenv.h"

enum { NTASK = 11, SEED = 3, N = 5, STEPS = 80 };

typedef struct {
  RlVecEnv env;
  RlArena arena;
  RlConfig config;
  float *act;  // (N, A)
} Bench;

// keys: "env.key=value" strings, NULL after the last; nullable
static inline void bench_init(Bench *b, const char *task, const char *const *keys, int n,
                              int threads) {
  memset(b, 0, sizeof *b);
  rl_config_default(&b->config);
  assert_int_equal(rl_config_set(&b->config, "env.id", task, "test"), RL_OK);
  for (int k = 0; keys != NULL && keys[k] != NULL; k++) {
    char key[64];
    const char *equals = strchr(keys[k], '=');
    snprintf(key, sizeof key, "%.*s", (int)(equals - keys[k]), keys[k]);
    assert_int_equal(rl_config_set(&b->config, key, equals + 1, "test"), RL_OK);
  }
  assert_int_equal(rl_task_resolve(rl_task_find(task, "test"), &b->config, "test"), RL_OK);
  assert_int_equal(rl_vecenv_init(&b->env, &b->arena, &b->config, n, threads), RL_OK);
  b->act = RL_PUSH(&b->arena, float, n * b->env.A);
}

static inline void bench_free(Bench *b) {
  rl_vecenv_free(&b->env);
  rl_arena_free(&b->arena);
}

// Actions of environment i at time t do not depend on how many there are.
static inline float action(int i, int t, int j, double scale) {
  RlRng rng;
  rl_rng_init(&rng, SEED, RL_STREAM_ACT, (uint64_t)(i * 1000 + t));
  double a = 0;
  for (int k = 0; k <= j; k++) a = rl_rng_between(&rng, -scale, scale);
  return (float)a;
}

// first: the number of the first environment
static inline void bench_step(Bench *b, int t, int first, double scale) {
  RlVecEnv *env = &b->env;
  for (int i = 0; i < env->N; i++) {
    for (int j = 0; j < env->A; j++) b->act[i * env->A + j] = action(first + i, t, j, scale);
  }
  rl_vecenv_step(env, b->act);
}

static inline void assert_same_floats(const float *a, const float *b, int n) {
  assert_memory_equal(a, b, (size_t)n * sizeof *a);
}

// All that a step gives for environment i of a and j of b.
static inline void assert_same_step(const RlVecEnv *a, int i, const RlVecEnv *b, int j) {
  assert_same_floats(a->obs + i * a->O, b->obs + j * a->O, a->O);
  assert_same_floats(a->next_obs + i * a->O, b->next_obs + j * a->O, a->O);
  assert_same_floats(a->rew + i, b->rew + j, 1);
  assert_int_equal(a->terminated[i], b->terminated[j]);
  assert_int_equal(a->truncated[i], b->truncated[j]);
  assert_int_equal(a->diverged[i], b->diverged[j]);
  assert_memory_equal(&a->episode_return[i], &b->episode_return[j], sizeof(double));
  assert_int_equal(a->episode_length[i], b->episode_length[j]);
}

static inline void assert_finite(const RlVecEnv *env) {
  for (int i = 0; i < env->N * env->O; i++) {
    assert_true(isfinite(env->obs[i]));
    assert_true(isfinite(env->next_obs[i]));
  }
  for (int i = 0; i < env->N; i++) assert_true(isfinite(env->rew[i]));
}

static inline mjtNum *state_of(Bench *b, int component, int i) {
  return mjb_stateComponent(b->env.batch, component, NULL) + i * mjb_nstate(b->env.batch);
}

#endif
