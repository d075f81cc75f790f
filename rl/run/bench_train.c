// Training end to end beside its ceiling: physics for PPO, matrix products for SAC. See bench.h.
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "rl/base/clock.h"
#include "rl/run/bench_raw.h"
#include "rl/run/bench_train.h"

// ---------------------------------------------------------------- a run of no consequence

static RlStatus create(RlBenchTrial *trial, const RlConfig *config) {
  snprintf(trial->folder, sizeof trial->folder, "/tmp/rlbench-XXXXXX");
  RlRunRequest request = {.out = mkdtemp(trial->folder), .mode = RL_PROGRESS_PLAIN};
  trial->null = request.show = fopen("/dev/null", "w");
  if (!request.out || !request.show) {
    return rl_error(RL_FAIL, "%s: cannot create, expected a place for files of no consequence",
                    trial->folder);
  }
  return rl_run_create(&trial->run, config, &request);
}

void rl_bench_trial_clear(RlBenchTrial *trial) {
  *trial = (RlBenchTrial){0};
  rl_run_clear(&trial->run);
}

RlStatus rl_bench_trial_begin(RlBenchTrial *trial, const RlConfig *config) {
  RlRun *run = &trial->run;
  rl_bench_trial_clear(trial);
  RL_TRY(create(trial, config));
  if (config->run.algorithm == RL_ALGO_SAC) {
    RlSacMeans means = {0};
    rl_train_sac_begin(run);
    while (run->counters.updates == 0) rl_train_sac_iterate(run, &means);
  } else {
    RlPpoStats stats;
    rl_train_ppo_warmup(run);
    rl_train_ppo_iterate(run, &stats);
  }
  return RL_OK;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at) {
  (void)info, (void)type, (void)at;
  return remove(path);
}

void rl_bench_trial_end(RlBenchTrial *trial) {
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

// ---------------------------------------------------------------- what more of something gives

// Runs beside the one that is measured: half its threads (with one thread: none), twice its batch.
typedef struct {
  RlBenchTrial half, wide;
  bool has_half;
} Others;

// What others_end takes where others_begin was never reached.
static void others_clear(Others *others) {
  others->has_half = false;
  rl_bench_trial_clear(&others->half);
  rl_bench_trial_clear(&others->wide);
}

static RlStatus others_begin(Others *others, const RlConfig *config, int threads) {
  RlConfig half = *config, wide = *config;
  half.run.threads = threads / 2;
  wide.ppo.batch_size *= 2;
  wide.sac.batch_size *= 2;
  others->has_half = threads > 1;
  if (others->has_half) RL_TRY(rl_bench_trial_begin(&others->half, &half));
  return rl_bench_trial_begin(&others->wide, &wide);
}

static void others_end(Others *others) {
  if (others->has_half) rl_bench_trial_end(&others->half);
  rl_bench_trial_end(&others->wide);
}

// Rows learnt from per second, epochs of PPO apart.
static double row_rate(RlRun *run, int64_t steps) {
  double seconds;
  if (run->config.run.algorithm == RL_ALGO_PPO) return rl_bench_ppo_rate(run, steps, &seconds);
  double updates = rl_bench_sac_updates(run, steps, &seconds);
  return updates * run->config.sac.batch_size / seconds;
}

// Appends a round's gains; rate is the row rate of the run they are held against.
static void set_gains(RlBench *bench, int round, Others *others, double rate, int64_t steps) {
  if (others->has_half) {
    double half = row_rate(&others->half.run, steps);
    bench->cores = rl_bench_set(bench, round, "over half the threads", "x", rate / half);
  }
  double wide = row_rate(&others->wide.run, steps);
  bench->batch = rl_bench_set(bench, round, "rows at twice the batch", "x", wide / rate);
}

// ---------------------------------------------------------------- PPO

double rl_bench_ppo_rate(RlRun *run, int64_t steps, double *seconds) {
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
  static RlBenchTrial trial;
  static Others others;
  RlRun *run = &trial.run;
  others_clear(&others);
  rl_bench_begin(bench, config, rounds);
  RlStatus status = rl_bench_trial_begin(&trial, config);
  if (status == RL_OK) status = others_begin(&others, config, bench->threads);
  if (status == RL_OK) {
    RlArena arena = {0};
    RlBenchRaw raw;
    double seconds;
    rl_bench_raw_init(&raw, &arena, &run->env);
    for (int r = 0; r < rounds; r++) {
      double ceiling = rl_bench_raw_rate(&raw, run->pool, steps);
      RlTimeSplit before = run->split;
      double rate = rl_bench_ppo_rate(run, steps, &seconds);
      rl_bench_set(bench, r, "mj_step ceiling", "steps/s", ceiling);
      rl_bench_set(bench, r, "ppo", "steps/s", rate);
      rl_bench_set(bench, r, "of the ceiling", "", rate / ceiling);
      set_shares(bench, r, run, &before, seconds);
      set_gains(bench, r, &others, rate, steps);
    }
    rl_bench_raw_free(&raw);
    rl_arena_free(&arena);
  }
  others_end(&others);
  rl_bench_trial_end(&trial);
  return status;
}

// ---------------------------------------------------------------- SAC

// Multiply-adds of one row through a network; its gradient by the weights takes as many.
static double forward_work(const RlMlp *mlp) {
  double work = 0;
  for (int l = 0; l < mlp->L; l++) work += (double)mlp->dim[l] * mlp->dim[l + 1];
  return work;
}

// Those of the gradient by the hidden layers.
static double hidden_work(const RlMlp *mlp) {
  return forward_work(mlp) - (double)mlp->dim[0] * mlp->dim[1];
}

// The actor's gradient goes through the smaller critic of each row only, down to the action.
double rl_bench_sac_flops(const RlRun *run) {
  const RlMlp *actor = &run->policy.actor.mlp, *critic = &run->policy.critic[0];
  double values = 2 * forward_work(critic);  // both targets
  double critics = 2 * (2 * forward_work(critic) + hidden_work(critic));
  double through =
      2 * forward_work(critic) + hidden_work(critic) + (double)run->env.A * critic->dim[1];
  double actors = 3 * forward_work(actor) + hidden_work(actor);  // at s', at s, and its gradients
  return 2.0 * run->config.sac.batch_size * (values + critics + through + actors);
}

double rl_bench_sac_updates(RlRun *run, int64_t steps, double *seconds) {
  RlSacMeans means = {0};
  int64_t updates = run->counters.updates, first = run->counters.step;
  double start = rl_clock_seconds();
  while (run->counters.step < first + steps) rl_train_sac_iterate(run, &means);
  *seconds = rl_clock_seconds() - start;
  return (double)(run->counters.updates - updates);
}

static void sac_round(RlBench *bench, int r, RlRun *run, Others *others, int64_t steps) {
  RlTimeSplit before = run->split;
  RlSacSplit split = run->sac.split;
  double gemm = rl_bench_gemm_rate(run->pool), seconds;
  double count = rl_bench_sac_updates(run, steps, &seconds);
  double learn = run->split.learn - before.learn;
  double flops = count * rl_bench_sac_flops(run) * 1e-9;
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
  set_gains(bench, r, others, count / seconds * run->config.sac.batch_size, steps);
}

RlStatus rl_bench_sac(RlBench *bench, const RlConfig *config, int rounds, int64_t steps) {
  static RlBenchTrial trial;
  static Others others;
  others_clear(&others);
  rl_bench_begin(bench, config, rounds);
  RlStatus status = rl_bench_trial_begin(&trial, config);
  if (status == RL_OK) status = others_begin(&others, config, bench->threads);
  for (int r = 0; status == RL_OK && r < rounds; r++) {
    sac_round(bench, r, &trial.run, &others, steps);
  }
  others_end(&others);
  rl_bench_trial_end(&trial);
  return status;
}
