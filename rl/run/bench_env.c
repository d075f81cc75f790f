// The vector environment beside raw physics, with one task and with all. See bench.h.
#include <stdio.h>

#include "rl/base/clock.h"
#include "rl/run/bench.h"
#include "rl/run/bench_raw.h"

typedef struct {
  RlVecEnv env;
  RlArena arena;
  RlPool *pool;
  RlBenchRaw raw;
  float *act;  // (N, A)
  RlRng *rng;  // (N)
} Physics;

static RlStatus physics_begin(Physics *p, const RlConfig *config, int threads) {
  *p = (Physics){0};
  RL_TRY(rl_vecenv_init(&p->env, &p->arena, config, config->env.n_envs, threads));
  if (!(p->pool = rl_pool_init(threads))) return RL_FAIL;
  rl_bench_raw_init(&p->raw, &p->arena, &p->env);
  rl_vecenv_reset(&p->env, 1, RL_STREAM_ENV);
  p->act = RL_PUSH(&p->arena, float, p->env.N * p->env.A);
  p->rng = RL_PUSH(&p->arena, RlRng, p->env.N);
  for (int i = 0; i < p->env.N; i++) rl_rng_init(&p->rng[i], 1, RL_STREAM_WARMUP, (uint64_t)i);
  return RL_OK;
}

static void physics_end(Physics *p) {
  if (p->pool) rl_bench_raw_free(&p->raw);
  rl_vecenv_free(&p->env);
  rl_pool_free(p->pool);
  rl_arena_free(&p->arena);
}

static void act(void *arg, int i, int t) {
  Physics *p = arg;
  (void)t;
  for (int a = 0; a < p->env.A; a++) {
    p->act[i * p->env.A + a] = (float)rl_rng_between(&p->rng[i], -1, 1);
  }
}

static void store(void *arg, int i, int t) {
  (void)arg, (void)i, (void)t;
}

// one dispatch for all steps, as the collector drives it
static double run_rate(Physics *p, int64_t steps) {
  const RlVecEnvDriver driver = {act, store, p};
  int each = (int)((steps + p->env.N - 1) / p->env.N);
  double start = rl_clock_seconds();
  rl_vecenv_run(&p->env, p->act, each, &driver);
  return (double)each * p->env.N / (rl_clock_seconds() - start);
}

// one dispatch a step, all environments waiting for the last
static double step_rate(Physics *p, int64_t steps) {
  double seconds = 0;
  int64_t each = (steps + p->env.N - 1) / p->env.N;
  for (int64_t t = 0; t < each; t++) {
    for (int i = 0; i < p->env.N; i++) act(p, i, 0);
    double start = rl_clock_seconds();
    rl_vecenv_step(&p->env, p->act);
    seconds += rl_clock_seconds() - start;
  }
  return (double)each * p->env.N / seconds;
}

RlStatus rl_bench_physics(RlBench *bench, const RlConfig *config, int rounds, int64_t steps) {
  Physics p;
  rl_bench_begin(bench, config, rounds);
  RlStatus status = physics_begin(&p, config, bench->threads);
  for (int r = 0; status == RL_OK && r < rounds; r++) {
    double ceiling = rl_bench_raw_rate(&p.raw, p.pool, steps);
    double run = run_rate(&p, steps), step = step_rate(&p, steps);
    rl_bench_set(bench, r, "mj_step ceiling", "steps/s", ceiling);
    rl_bench_set(bench, r, "vector env", "steps/s", run);
    rl_bench_set(bench, r, "of the ceiling", "", run / ceiling);
    rl_bench_set(bench, r, "step by step", "steps/s", step);
    rl_bench_set(bench, r, "of the ceiling, so", "", step / ceiling);
  }
  physics_end(&p);
  return status;
}

// one task: a column of rates and one of shares of the ceiling
static RlStatus measure_task(RlBench *bench, const RlConfig *config, int rounds, int64_t steps) {
  Physics p;
  RlStatus status = physics_begin(&p, config, bench->threads);
  for (int r = 0; status == RL_OK && r < rounds; r++) {
    double ceiling = rl_bench_raw_rate(&p.raw, p.pool, steps), rate = run_rate(&p, steps);
    char name[RL_BENCH_NAME];
    snprintf(name, sizeof name, "%s", p.env.task->name);
    rl_bench_set(bench, r, name, "steps/s", rate);
    snprintf(name, sizeof name, "%s/ceiling", p.env.task->name);
    rl_bench_set(bench, r, name, "", rate / ceiling);
  }
  physics_end(&p);
  return status;
}

RlStatus rl_bench_env(RlBench *bench, const RlConfig *config, int rounds, int64_t steps) {
  rl_bench_begin(bench, config, rounds);
  for (int i = 0; rl_tasks[i]; i++) {
    RlConfig one;
    rl_config_default(&one);
    one.env.n_envs = config->env.n_envs;
    RL_TRY(rl_config_set(&one, "env.id", rl_tasks[i]->name, "rlbench"));
    RL_TRY(rl_task_resolve(rl_tasks[i], &one, "rlbench"));
    RL_TRY(measure_task(bench, &one, rounds, steps));
  }
  return RL_OK;
}
