// Measurements: see bench.h.
#include "rl/run/bench.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rl/base/clock.h"
#include "rl/run/train_ppo.h"

// ---------------------------------------------------------------- raw physics

// Simulations that only step: one mjData each, random controls, reset where the task ends.
typedef struct {
  RlTaskView view;
  const RlTask *task;
  int n, steps;     // simulations; environment steps of each in a job
  mjData **d;       // (n)
  double *mem;      // (n, nmem)
  double *ctrl;     // (n, nu)
  RlRng *rng;       // (n)
  double *seconds;  // spent in mj_step (n)
} Raw;

static void raw_reset(Raw *raw, int i) {
  double *mem = raw->mem + i * raw->task->nmem;
  mj_resetData(raw->view.m, raw->d[i]);
  raw->task->reset(&raw->view, raw->d[i], &raw->rng[i]);
  mj_forward(raw->view.m, raw->d[i]);
  if (raw->task->remember) raw->task->remember(&raw->view, raw->d[i], mem);
}

// Job: one simulation, many steps. Only mj_step is timed.
static void raw_job(void *arg, int i) {
  Raw *raw = arg;
  const mjModel *m = raw->view.m;
  mjData *d = raw->d[i];
  double *ctrl = raw->ctrl + i * m->nu;
  for (int t = 0; t < raw->steps; t++) {
    for (int a = 0; a < m->nu; a++) {
      const mjtNum *range = m->actuator_ctrlrange + 2 * a;
      d->ctrl[a] = ctrl[a] = rl_rng_between(&raw->rng[i], range[0], range[1]);
    }
    double start = rl_clock_seconds();
    for (int s = 0; s < raw->view.o->frame_skip; s++) mj_step(m, d);
    raw->seconds[i] += rl_clock_seconds() - start;
    RlOutcome outcome;
    if (raw->task->contact_forces) mj_rnePostConstraint(m, d);
    raw->task->score(&raw->view, d, raw->mem + i * raw->task->nmem, ctrl, &outcome);
    if (outcome.terminated) raw_reset(raw, i);
  }
}

static void raw_init(Raw *raw, RlArena *arena, const RlVecEnv *env) {
  raw->view = (RlTaskView){env->m, &env->options};
  raw->task = env->task;
  raw->n = env->N;
  raw->d = RL_PUSH(arena, mjData *, raw->n);
  raw->mem = RL_PUSH(arena, double, raw->n * raw->task->nmem);
  raw->ctrl = RL_PUSH(arena, double, raw->n *(int)env->m->nu);
  raw->rng = RL_PUSH(arena, RlRng, raw->n);
  raw->seconds = RL_PUSH(arena, double, raw->n);
  for (int i = 0; i < raw->n; i++) {
    raw->d[i] = mj_makeData(env->m);
    RL_ASSERT(raw->d[i]);
    rl_rng_init(&raw->rng[i], 1, RL_STREAM_WARMUP_ENV, (uint64_t)i);
    raw_reset(raw, i);
  }
}

static void raw_free(Raw *raw) {
  for (int i = 0; i < raw->n; i++) mj_deleteData(raw->d[i]);
}

// Environment steps per second that the threads would reach with mj_step and nothing else.
static double raw_rate(Raw *raw, RlPool *pool, int64_t steps) {
  double seconds = 0;
  int threads = rl_pool_threads(pool) < raw->n ? rl_pool_threads(pool) : raw->n;
  raw->steps = (int)((steps + raw->n - 1) / raw->n);
  memset(raw->seconds, 0, (size_t)raw->n * sizeof(double));
  rl_pool_run(pool, raw->n, raw_job, raw);
  for (int i = 0; i < raw->n; i++) seconds += raw->seconds[i];
  return (double)raw->steps * raw->n * threads / seconds;
}

// ---------------------------------------------------------------- the vector environment

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

static int bench_threads(const RlConfig *config) {
  return config->run.threads ? config->run.threads : rl_pool_available();
}

RlStatus rl_bench_physics(RlBench *bench, const RlConfig *config, int rounds, int64_t steps) {
  RlArena arena = {0};
  RlVecEnv env = {0};
  RL_ASSERT(rounds <= RL_BENCH_ROUNDS);
  *bench = (RlBench){.rounds = rounds, .threads = bench_threads(config)};
  RlPool *pool = rl_pool_init(bench->threads);
  RlStatus status = pool ? RL_OK : RL_FAIL;
  if (status == RL_OK) {
    status = rl_vecenv_init(&env, &arena, config, config->env.n_envs, bench->threads);
  }
  if (status == RL_OK) {
    Raw raw;
    RlRng rng;
    raw_init(&raw, &arena, &env);
    rl_rng_init(&rng, 1, RL_STREAM_WARMUP, 0);
    rl_vecenv_reset(&env, 1, RL_STREAM_ENV);
    float *act = RL_PUSH(&arena, float, env.N *env.A);
    for (int r = 0; r < rounds; r++) {
      bench->round[r].ceiling = raw_rate(&raw, pool, steps);
      bench->round[r].env = env_rate(&env, act, &rng, steps);
    }
    raw_free(&raw);
  }
  rl_vecenv_free(&env);
  rl_pool_free(pool);
  rl_arena_free(&arena);
  return status;
}

// ---------------------------------------------------------------- PPO

// Trains for at least steps steps and takes the round's figures.
static void ppo_round(RlRun *run, RlBenchRound *round, int64_t steps) {
  RlTimeSplit before = run->split;
  int64_t first = run->counters.step;
  double start = rl_clock_seconds();
  while (run->counters.step < first + steps) {
    RlPpoStats stats;
    rl_train_ppo_iterate(run, &stats);
  }
  double seconds = rl_clock_seconds() - start;
  round->ppo = (double)(run->counters.step - first) / seconds;
  round->collect = (run->split.collect - before.collect) / seconds;
  round->infer = (run->split.infer - before.infer) / seconds;
  round->learn = (run->split.learn - before.learn) / seconds;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at) {
  (void)info, (void)type, (void)at;
  return remove(path);
}

RlStatus rl_bench_ppo(RlBench *bench, const RlConfig *config, int rounds, int64_t steps) {
  static RlRun run;
  char folder[] = "/tmp/rlbench-XXXXXX";
  RL_ASSERT(rounds <= RL_BENCH_ROUNDS);
  *bench = (RlBench){.rounds = rounds, .threads = bench_threads(config)};
  RlRunRequest request = {.out = mkdtemp(folder), .mode = RL_PROGRESS_PLAIN};
  request.show = fopen("/dev/null", "w");
  if (!request.out || !request.show) return rl_error(RL_FAIL, "%s: cannot create", folder);
  RlStatus status = rl_run_create(&run, config, &request);
  if (status == RL_OK) {
    RlArena arena = {0};
    RlBenchRound warm;
    Raw raw;
    raw_init(&raw, &arena, &run.env);
    rl_train_ppo_warmup(&run);
    ppo_round(&run, &warm, 1);
    for (int r = 0; r < rounds; r++) {
      bench->round[r].ceiling = raw_rate(&raw, run.pool, steps);
      ppo_round(&run, &bench->round[r], steps);
    }
    raw_free(&raw);
    rl_arena_free(&arena);
  }
  rl_run_free(&run);
  nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
  fclose(request.show);
  return status;
}
