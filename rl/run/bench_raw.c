// Raw physics: see bench_raw.h.
#include "rl/run/bench_raw.h"

#include <string.h>

#include "rl/base/clock.h"

static void raw_reset(RlBenchRaw *raw, int i) {
  double *mem = raw->mem + i * raw->task->nmem;
  mj_resetData(raw->view.m, raw->d[i]);
  raw->task->reset(&raw->view, raw->d[i], &raw->rng[i]);
  mj_forward(raw->view.m, raw->d[i]);
  if (raw->task->remember) raw->task->remember(&raw->view, raw->d[i], mem);
}

// Job: one simulation, many steps. Only mj_step is timed.
static void raw_job(void *arg, int i) {
  RlBenchRaw *raw = arg;
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

void rl_bench_raw_init(RlBenchRaw *raw, RlArena *arena, const RlVecEnv *env) {
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

void rl_bench_raw_free(RlBenchRaw *raw) {
  for (int i = 0; i < raw->n; i++) mj_deleteData(raw->d[i]);
}

double rl_bench_raw_rate(RlBenchRaw *raw, RlPool *pool, int64_t steps) {
  double seconds = 0;
  int threads = rl_pool_threads(pool) < raw->n ? rl_pool_threads(pool) : raw->n;
  raw->steps = (int)((steps + raw->n - 1) / raw->n);
  memset(raw->seconds, 0, (size_t)raw->n * sizeof(double));
  rl_pool_run(pool, raw->n, raw_job, raw);
  for (int i = 0; i < raw->n; i++) seconds += raw->seconds[i];
  return (double)raw->steps * raw->n * threads / seconds;
}
