// One policy step at a time: what a control loop waits for. See bench.h.
#include <stdlib.h>

#include "envs/vecenv.h"
#include "rl/base/clock.h"
#include "rl/base/order.h"
#include "rl/run/bench.h"
#include "rl/run/policy.h"

static void infer_round(RlBench *bench, int r, RlPolicy *policy, RlRng *rng, float *obs, float *act,
                        double *took, int calls) {
  double sum = 0;
  for (int c = 0; c < calls; c++) {
    for (int i = 0; i < policy->O; i++) obs[i] = (float)rl_rng_between(rng, -1, 1);
    double start = rl_clock_seconds();
    rl_policy_act(policy, act, obs, 1, NULL);
    took[c] = (rl_clock_seconds() - start) * 1e6;
    sum += took[c];
  }
  qsort(took, (size_t)calls, sizeof *took, rl_ascending);
  rl_bench_set(bench, r, "mean", "us", sum / calls);
  rl_bench_set(bench, r, "median", "us", took[calls / 2]);
  rl_bench_set(bench, r, "p99", "us", took[calls - 1 - calls / 100]);
  rl_bench_set(bench, r, "p99.9", "us", took[calls - 1 - calls / 1000]);
}

RlStatus rl_bench_infer(RlBench *bench, const RlConfig *config, int rounds, int64_t steps) {
  RlArena arena = {0};
  RlVecEnv env;
  RlPolicy policy;
  RlRng rng;
  rl_bench_begin(bench, config, rounds);
  bench->threads = 1;
  RL_TRY(rl_vecenv_init(&env, &arena, config, 1, 1));
  rl_policy_init(&policy, &arena, config, env.O, env.A, 1, RL_PROBE_ROWS);
  rl_policy_draw(&policy, config);
  rl_rng_init(&rng, 1, RL_STREAM_ACT, 0);
  float *obs = RL_PUSH(&arena, float, env.O), *act = RL_PUSH(&arena, float, env.A);
  double *took = RL_PUSH(&arena, double, steps);
  for (int r = 0; r < rounds; r++) {
    infer_round(bench, r, &policy, &rng, obs, act, took, (int)steps);
  }
  rl_vecenv_free(&env);
  rl_arena_free(&arena);
  return RL_OK;
}
