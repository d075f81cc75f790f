// One thing named on the command line: a run folder, or a bare curve file NAME-SEED.csv. Place:
// what the report knows of a run; nothing here writes into a run.
#ifndef RL_REPORT_SOURCE_H_
#define RL_REPORT_SOURCE_H_

#include <stdbool.h>

#include "rl/base/file.h"
#include "rl/report/csv.h"
#include "rl/run/eval.h"

enum { RL_SOURCE_NAME = 128 };

typedef struct {
  char path[RL_PATH_SIZE];    // as named, without a slash at the end
  char name[RL_SOURCE_NAME];  // its last part, fit to be shown
  char task[RL_SOURCE_NAME];  // "Hopper-v5"; of a bare file, its NAME
  bool bare;                  // a curve file alone: no configuration, nothing to play
  int64_t seed;
  RlConfig config;  // unless bare
  RlCsv csv;
  char program[RL_SOURCE_NAME];  // "0.1.0", from version.txt; "" if there is none
  bool played;                   // whether eval is there
  int64_t played_step;           // the checkpoint's
  RlEvalSummary eval;
} RlSource;

// Reads configuration, curves and version. Free with rl_source_free whatever the status.
RL_MUST_USE RlStatus rl_source_read(RlSource *source, const char *path);

// Plays episodes with the run's latest checkpoint as rleval does (deterministic, seed 0). A run
// that has no checkpoint yet is left as it is.
RL_MUST_USE RlStatus rl_source_play(RlSource *source, int episodes, int threads);

// The last value of a column, NaN if it has none.
double rl_source_last(const RlSource *source, const char *column);

// The largest value of a column, NaN if it has none.
double rl_source_best(const RlSource *source, const char *column);

void rl_source_free(RlSource *source);

#endif
