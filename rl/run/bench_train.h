// Training in pieces, for the measurements of it. Place: private to bench_train.c and
// bench_scale.c.
#ifndef RL_RUN_BENCH_TRAIN_H_
#define RL_RUN_BENCH_TRAIN_H_

#include <stdio.h>

#include "rl/run/bench.h"
#include "rl/run/train_ppo.h"
#include "rl/run/train_sac.h"

// A run of no consequence, in a folder that goes with it.
typedef struct {
  RlRun run;
  char folder[32];
  FILE *null;
} RlBenchTrial;

// Makes a trial that never began, which rl_bench_trial_end takes.
void rl_bench_trial_clear(RlBenchTrial *trial);

// Creates the run and trains it past its warm-up and its first update. End it with
// rl_bench_trial_end whatever the status.
RL_MUST_USE RlStatus rl_bench_trial_begin(RlBenchTrial *trial, const RlConfig *config);

void rl_bench_trial_end(RlBenchTrial *trial);

// Trains PPO for at least steps environment steps; returns steps per second.
double rl_bench_ppo_rate(RlRun *run, int64_t steps, double *seconds);

// Trains SAC for at least steps environment steps; returns the number of updates.
double rl_bench_sac_updates(RlRun *run, int64_t steps, double *seconds);

// Floating-point operations of the matrix products of one of SAC's updates.
double rl_bench_sac_flops(const RlRun *run);

#endif
