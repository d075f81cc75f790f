// Measurements: the ceilings of this machine and what training reaches of them, side by side in one
// run. Place: behind rlbench.
//
// The machine's speed drifts, so both sides are measured in turn, round by round, and a ratio is
// taken within a round.
#ifndef RL_RUN_BENCH_H_
#define RL_RUN_BENCH_H_

#include "rl/base/config.h"
#include "rl/base/pool.h"
#include "rl/base/status.h"

enum { RL_BENCH_SHAPES = 9, RL_BENCH_ROUNDS = 64, RL_BENCH_COLUMNS = 32, RL_BENCH_NAME = 64 };

// One shape of matrix product (M, K) (K, N), on one core, in GFLOP/s, the best of the rounds.
typedef struct {
  int M, N, K;
  double ours, openblas;
} RlBenchGemm;

// Measures nets/gemm.c against OpenBLAS on the shapes of training, and last on a product large
// enough to show the core's rate.
void rl_bench_gemm(RlBenchGemm result[RL_BENCH_SHAPES], int rounds);

// GFLOP/s of all threads together, each multiplying its own large matrices with OpenBLAS.
double rl_bench_gemm_rate(RlPool *pool);

// One figure, round by round.
typedef struct {
  char name[RL_BENCH_NAME];
  const char *unit;
  double value[RL_BENCH_ROUNDS];
} RlBenchColumn;

typedef struct {
  int rounds, threads, ncolumn;
  RlBenchColumn column[RL_BENCH_COLUMNS];
  // columns, -1: none
  int collect, learn;  // the shares of which the larger bounds the training
  int cores, batch;    // what the threads gave over half as many; what twice the batch would give
} RlBench;

// Measures raw mj_step and the vector environment with random actions, as the collector drives it
// and step by step; a round is steps environment steps of each.
RL_MUST_USE RlStatus rl_bench_physics(RlBench *bench, const RlConfig *config, int rounds,
                                      int64_t steps);

// Measures the vector environment of every task beside its ceiling; of config, only n_envs and the
// threads count.
RL_MUST_USE RlStatus rl_bench_env(RlBench *bench, const RlConfig *config, int rounds,
                                  int64_t steps);

// Measures the time of one deterministic action for one observation, normaliser included; a round
// is steps of them.
RL_MUST_USE RlStatus rl_bench_infer(RlBench *bench, const RlConfig *config, int rounds,
                                    int64_t steps);

// Measures raw mj_step and PPO end to end; a round is at least steps environment steps of each.
RL_MUST_USE RlStatus rl_bench_ppo(RlBench *bench, const RlConfig *config, int rounds,
                                  int64_t steps);

// Measures SAC end to end beside the rate of large matrix products; a round is steps environment
// steps with their updates.
RL_MUST_USE RlStatus rl_bench_sac(RlBench *bench, const RlConfig *config, int rounds,
                                  int64_t steps);

// Measures how the rate per unit of work changes with environments (1 to 1024) and threads for PPO,
// steps environment steps a point and round, and with width (32 to 1024) and batch (32 to 16384)
// for SAC. A column's name is what changes, a space, and its value.
RL_MUST_USE RlStatus rl_bench_scale(RlBench *bench, const RlConfig *ppo, const RlConfig *sac,
                                    int rounds, int64_t steps);

// Starts a measurement without columns.
void rl_bench_begin(RlBench *bench, const RlConfig *config, int rounds);

// Sets round's value of the column of that name, appending the column in the first round; returns
// its index.
int rl_bench_set(RlBench *bench, int round, const char *name, const char *unit, double value);

#endif
