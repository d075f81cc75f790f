// Measurements: their table, and the vector environment beside raw physics. See bench.h.
#include "rl/run/bench.h"

#include <string.h>

#include "rl/base/clock.h"
#include "rl/run/bench_raw.h"

void rl_bench_begin(RlBench *bench, const RlConfig *config, int rounds) {
  RL_ASSERT(rounds <= RL_BENCH_ROUNDS);
  *bench = (RlBench){.rounds = rounds, .collect = -1, .learn = -1};
  bench->threads = config->run.threads ? config->run.threads : rl_pool_available();
}

int rl_bench_set(RlBench *bench, int round, const char *name, const char *unit, double value) {
  int c = 0;
  while (c < bench->ncolumn && strcmp(bench->column[c].name, name) != 0) c++;
  RL_ASSERT(c < RL_BENCH_COLUMNS);
  if (c == bench->ncolumn) {
    bench->ncolumn++;
    bench->column[c].name = name;
    bench->column[c].unit = unit;
  }
  bench->column[c].value[round] = value;
  return c;
}

static double env_rate(RlVecEnv *env, float *act, RlRng *rng, int64_t steps) {
  double seconds = 0;
  int64_t rounds = (steps + env->N - 1) / env->N;
  for (int64_t t = 0; t < rounds; t++) {
    for (int i = 0; i < env->N * env->A; i++) act[i] = (float)rl_rng_between(rng, -1, 1);
    double start = rl_clock_seconds();
    rl_vecenv_step(env, act);
    seconds += rl_clock_seconds() - start;
  }
  return (double)rounds * env->N / seconds;
}

RlStatus rl_bench_physics(RlBench *bench, const RlConfig *config, int rounds, int64_t steps) {
  RlArena arena = {0};
  RlVecEnv env = {0};
  rl_bench_begin(bench, config, rounds);
  RlPool *pool = rl_pool_init(bench->threads);
  RlStatus status = pool ? RL_OK : RL_FAIL;
  if (status == RL_OK) {
    status = rl_vecenv_init(&env, &arena, config, config->env.n_envs, bench->threads);
  }
  if (status == RL_OK) {
    RlBenchRaw raw;
    RlRng rng;
    rl_bench_raw_init(&raw, &arena, &env);
    rl_rng_init(&rng, 1, RL_STREAM_WARMUP, 0);
    rl_vecenv_reset(&env, 1, RL_STREAM_ENV);
    float *act = RL_PUSH(&arena, float, env.N *env.A);
    for (int r = 0; r < rounds; r++) {
      double ceiling = rl_bench_raw_rate(&raw, pool, steps);
      double rate = env_rate(&env, act, &rng, steps);
      rl_bench_set(bench, r, "mj_step ceiling", "steps/s", ceiling);
      rl_bench_set(bench, r, "vector env", "steps/s", rate);
      rl_bench_set(bench, r, "of the ceiling", "", rate / ceiling);
    }
    rl_bench_raw_free(&raw);
  }
  rl_vecenv_free(&env);
  rl_pool_free(pool);
  rl_arena_free(&arena);
  return status;
}
