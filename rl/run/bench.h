// Measurements: the physics ceiling and what training reaches of it, side by side in one run.
// Place: behind rlbench.
//
// The machine's speed drifts, so both are measured in turn, round by round, and the ratio is taken
// within a round.
#ifndef RL_RUN_BENCH_H_
#define RL_RUN_BENCH_H_

#include "rl/base/config.h"
#include "rl/base/status.h"

enum { RL_BENCH_SHAPES = 9 };

// One shape of matrix product (M, K) (K, N), on one core, in GFLOP/s, the best of the rounds.
typedef struct {
  int M, N, K;
  double ours, openblas;
} RlBenchGemm;

// Measures nets/gemm.c against OpenBLAS on the shapes of training, and last on a product large
// enough to show the core's rate.
void rl_bench_gemm(RlBenchGemm result[RL_BENCH_SHAPES], int rounds);

enum { RL_BENCH_ROUNDS = 64 };

// One round, rates in environment steps per second over all threads.
typedef struct {
  double ceiling;                // raw mj_step alone, frame_skip of them an environment step
  double env;                    // the vector environment with random actions
  double ppo;                    // training end to end
  double collect, infer, learn;  // shares of the training's time; infer is part of collect
} RlBenchRound;

typedef struct {
  int rounds, threads;
  RlBenchRound round[RL_BENCH_ROUNDS];
} RlBench;

// Measures raw mj_step and the vector environment, steps environment steps a round.
RL_MUST_USE RlStatus rl_bench_physics(RlBench *bench, const RlConfig *config, int rounds,
                                      int64_t steps);

// Measures raw mj_step and PPO end to end; a round is at least steps environment steps of each.
RL_MUST_USE RlStatus rl_bench_ppo(RlBench *bench, const RlConfig *config, int rounds,
                                  int64_t steps);

#endif
