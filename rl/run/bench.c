// Measurements: their table. See bench.h.
#include "rl/run/bench.h"

#include <stdio.h>
#include <string.h>

void rl_bench_begin(RlBench *bench, const RlConfig *config, int rounds) {
  RL_ASSERT(rounds <= RL_BENCH_ROUNDS);
  *bench = (RlBench){.rounds = rounds, .collect = -1, .learn = -1, .cores = -1, .batch = -1};
  bench->threads = config->run.threads ? config->run.threads : rl_pool_available();
}

int rl_bench_set(RlBench *bench, int round, const char *name, const char *unit, double value) {
  int c = 0;
  while (c < bench->ncolumn && strcmp(bench->column[c].name, name) != 0) c++;
  RL_ASSERT(c < RL_BENCH_COLUMNS);
  if (c == bench->ncolumn) {
    bench->ncolumn++;
    snprintf(bench->column[c].name, RL_BENCH_NAME, "%s", name);
    bench->column[c].unit = unit;
  }
  bench->column[c].value[round] = value;
  return c;
}
