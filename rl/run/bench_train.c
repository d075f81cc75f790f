// Training end to end beside its ceiling: physics for PPO, matrix products for SAC. See bench.h.
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "rl/base/clock.h"
#include "rl/run/bench.h"
#include "rl/run/bench_raw.h"
#include "rl/run/train_ppo.h"
#include "rl/run/train_sac.h"

// ---------------------------------------------------------------- a run of no consequence

typedef struct {
  RlRun run;
  char folder[32];
  FILE *null;
} Trial;

static RlStatus trial_begin(Trial *trial, const RlConfig *config) {
  snprintf(trial->folder, sizeof trial->folder, "/tmp/rlbench-XXXXXX");
  RlRunRequest request = {.out = mkdtemp(trial->folder), .mode = RL_PROGRESS_PLAIN};
  trial->null = request.show = fopen("/dev/null", "w");
  if (!request.out || !request.show) {
    return rl_error(RL_FAIL, "%s: cannot create, expected a place for files of no consequence",
                    trial->folder);
  }
  return rl_run_create(&trial->run, config, &request);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at) {
  (void)info, (void)type, (void)at;
  return remove(path);
}

static void trial_end(Trial *trial) {
  rl_run_free(&trial->run);
  nftw(trial->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
  if (trial->null) fclose(trial->null);
}

// Appends the shares of a round's seconds in which the run collected, inferred and learnt.
static void set_shares(RlBench *bench, int round, const RlRun *run, const RlTimeSplit *before,
                       double seconds) {
  const RlTimeSplit *now = &run->split;
  bench->collect =
      rl_bench_set(bench, round, "collect share", "", (now->collect - before->collect) / seconds);
  rl_bench_set(bench, round, "infer share", "", (now->infer - before->infer) / seconds);
  bench->learn =
      rl_bench_set(bench, round, "learn share", "", (now->learn - before->learn) / seconds);
}

// ---------------------------------------------------------------- PPO

// Trains for at least steps steps; the rate.
static double train_ppo(RlRun *run, int64_t steps, double *seconds) {
  int64_t first = run->counters.step;
  double start = rl_clock_seconds();
  while (run->counters.step < first + steps) {
    RlPpoStats stats;
    rl_train_ppo_iterate(run, &stats);
  }
  *seconds = rl_clock_seconds() - start;
  return (double)(run->counters.step - first) / *seconds;
}

RlStatus rl_bench_ppo(RlBench *bench, const RlConfig *config, int rounds, int64_t steps) {
  static Trial trial;
  RlRun *run = &trial.run;
  rl_bench_begin(bench, config, rounds);
  RlStatus status = trial_begin(&trial, config);
  if (status == RL_OK) {
    RlArena arena = {0};
    RlBenchRaw raw;
    double seconds;
    rl_bench_raw_init(&raw, &arena, &run->env);
    rl_train_ppo_warmup(run);
    train_ppo(run, 1, &seconds);
    for (int r = 0; r < rounds; r++) {
      double ceiling = rl_bench_raw_rate(&raw, run->pool, steps);
      RlTimeSplit before = run->split;
      double rate = train_ppo(run, steps, &seconds);
      rl_bench_set(bench, r, "mj_step ceiling", "steps/s", ceiling);
      rl_bench_set(bench, r, "ppo", "steps/s", rate);
      rl_bench_set(bench, r, "of the ceiling", "", rate / ceiling);
      set_shares(bench, r, run, &before, seconds);
    }
    rl_bench_raw_free(&raw);
    rl_arena_free(&arena);
  }
  trial_end(&trial);
  return status;
}

// ---------------------------------------------------------------- SAC

// Multiply-adds of one row through a network: forward, and the same again for each of the gradients
// by its weights and by its hidden layers.
static double forward_work(const RlMlp *mlp) {
  double work = 0;
  for (int l = 0; l < mlp->L; l++) work += (double)mlp->dim[l] * mlp->dim[l + 1];
  return work;
}

static double hidden_work(const RlMlp *mlp) {
  return forward_work(mlp) - (double)mlp->dim[0] * mlp->dim[1];
}

// Floating-point operations of one update's matrix products. The actor's gradient goes through the
// smaller critic of each row only, down to the action.
static double update_flops(const RlRun *run) {
  const RlMlp *actor = &run->policy.actor.mlp, *critic = &run->policy.critic[0];
  double values = 2 * forward_work(critic);  // both targets
  double critics = 2 * (2 * forward_work(critic) + hidden_work(critic));
  double through =
      2 * forward_work(critic) + hidden_work(critic) + (double)run->env.A * critic->dim[1];
  double actors = 3 * forward_work(actor) + hidden_work(actor);  // at s', at s, and its gradients
  return 2.0 * run->config.sac.batch_size * (values + critics + through + actors);
}

static void sac_round(RlBench *bench, int r, RlRun *run, int64_t steps) {
  RlSacMeans means = {0};
  RlTimeSplit before = run->split;
  RlSacSplit split = run->sac.split;
  int64_t updates = run->counters.updates, first = run->counters.step;
  double gemm = rl_bench_gemm_rate(run->pool), start = rl_clock_seconds();
  while (run->counters.step < first + steps) rl_train_sac_iterate(run, &means);
  double seconds = rl_clock_seconds() - start, learn = run->split.learn - before.learn;
  double count = (double)(run->counters.updates - updates);
  double flops = count * update_flops(run) * 1e-9;
  rl_bench_set(bench, r, "sac", "updates/s", count / seconds);
  rl_bench_set(bench, r, "in updates", "GFLOP/s", flops / learn);
  rl_bench_set(bench, r, "large products", "GFLOP/s", gemm);
  rl_bench_set(bench, r, "of their rate", "", flops / learn / gemm);
  set_shares(bench, r, run, &before, seconds);
  const RlSacSplit *now = &run->sac.split;
  rl_bench_set(bench, r, "sample share", "", (now->sample - split.sample) / seconds);
  rl_bench_set(bench, r, "critic share", "", (now->critic - split.critic) / seconds);
  rl_bench_set(bench, r, "actor share", "", (now->actor - split.actor) / seconds);
  rl_bench_set(bench, r, "optimiser share", "", (now->optimiser - split.optimiser) / seconds);
}

RlStatus rl_bench_sac(RlBench *bench, const RlConfig *config, int rounds, int64_t steps) {
  static Trial trial;
  RlRun *run = &trial.run;
  rl_bench_begin(bench, config, rounds);
  RlStatus status = trial_begin(&trial, config);
  if (status == RL_OK) {
    RlSacMeans means = {0};
    rl_train_sac_begin(run);
    while (run->counters.updates == 0) rl_train_sac_iterate(run, &means);
    for (int r = 0; r < rounds; r++) sac_round(bench, r, run, steps);
  }
  trial_end(&trial);
  return status;
}
