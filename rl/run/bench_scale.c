// How the rate per unit of work changes with the size of the work: environments and threads for
// PPO, width and batch for SAC. See bench.h.
#include <math.h>
#include <stdio.h>

#include "rl/run/bench_train.h"

enum { ROLLOUT = 4096, MIN_UPDATES = 4 };
static const double WORK = 20e9;  // floating-point operations of a round, about

static RlBenchTrial trial;

// PPO's steps per second, over parts: one point of a range
static RlStatus ppo_point(RlBench *bench, const RlConfig *config, int rounds, int64_t steps,
                          const char *name, const char *unit, int parts) {
  RlStatus status = rl_bench_trial_begin(&trial, config);
  for (int r = 0; status == RL_OK && r < rounds; r++) {
    double seconds, rate = rl_bench_ppo_rate(&trial.run, steps, &seconds);
    rl_bench_set(bench, r, name, unit, rate / parts);
  }
  rl_bench_trial_end(&trial);
  return status;
}

// with that many environments, rollouts of one size
static RlStatus at_environments(RlBench *bench, const RlConfig *config, int rounds, int64_t steps,
                                int n) {
  RlConfig one = *config;
  char name[RL_BENCH_NAME];
  one.env.n_envs = n;
  one.ppo.n_steps = ROLLOUT / n;
  one.normalize.warmup_steps = 1;
  snprintf(name, sizeof name, "environments %d", n);
  return ppo_point(bench, &one, rounds, steps, name, "steps/s", 1);
}

static RlStatus at_threads(RlBench *bench, const RlConfig *config, int rounds, int64_t steps,
                           int n) {
  RlConfig one = *config;
  char name[RL_BENCH_NAME];
  one.run.threads = n;
  one.normalize.warmup_steps = 1;
  snprintf(name, sizeof name, "threads %d", n);
  return ppo_point(bench, &one, rounds, steps, name, "steps/s/thread", n);
}

// SAC's floating-point operations per second in updates of that width and batch
static RlStatus at_size(RlBench *bench, const RlConfig *config, int rounds, const char *name,
                        int width, int batch) {
  RlConfig one = *config;
  double seconds;
  one.policy.hidden_actor = one.policy.hidden_critic = (RlDims){2, {width, width}};
  one.sac.batch_size = batch;
  one.sac.learning_starts = batch;
  one.sac.buffer_size = 2 * batch > 4096 ? 2 * batch : 4096;
  RlStatus status = rl_bench_trial_begin(&trial, &one);
  for (int r = 0; status == RL_OK && r < rounds; r++) {
    double flops = rl_bench_sac_flops(&trial.run), before = trial.run.split.learn;
    int64_t updates = (int64_t)fmax(MIN_UPDATES, WORK / flops);
    double done = rl_bench_sac_updates(&trial.run, updates, &seconds);
    double rate = done * flops * 1e-9 / (trial.run.split.learn - before);
    rl_bench_set(bench, r, name, "GFLOP/s", rate);
  }
  rl_bench_trial_end(&trial);
  return status;
}

RlStatus rl_bench_scale(RlBench *bench, const RlConfig *ppo, const RlConfig *sac, int rounds,
                        int64_t steps) {
  char name[RL_BENCH_NAME];
  rl_bench_begin(bench, ppo, rounds);
  for (int n = 1; n <= 1024; n *= 4) RL_TRY(at_environments(bench, ppo, rounds, steps, n));
  for (int n = 1; n <= bench->threads; n *= 2) RL_TRY(at_threads(bench, ppo, rounds, steps, n));
  for (int w = 32; w <= 1024; w *= 2) {
    snprintf(name, sizeof name, "width %d", w);
    RL_TRY(at_size(bench, sac, rounds, name, w, 256));
  }
  for (int b = 32; b <= 16384; b *= 8) {
    snprintf(name, sizeof name, "batch %d", b);
    RL_TRY(at_size(bench, sac, rounds, name, 256, b));
  }
  return RL_OK;
}
