// Raw physics: the ceiling that the other measurements are held against.
#ifndef RL_RUN_BENCH_RAW_H_
#define RL_RUN_BENCH_RAW_H_

#include "envs/vecenv.h"
#include "rl/base/pool.h"

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
} RlBenchRaw;

// As many simulations as env has environments. Free with rl_bench_raw_free.
void rl_bench_raw_init(RlBenchRaw *raw, RlArena *arena, const RlVecEnv *env);

// Environment steps per second that the threads would reach with mj_step and nothing else, from
// about steps of them.
double rl_bench_raw_rate(RlBenchRaw *raw, RlPool *pool, int64_t steps);

void rl_bench_raw_free(RlBenchRaw *raw);

#endif
