// metrics.csv: one row a log interval. Place: written by the training loops, read by people, plots
// and a resumed run (for the seconds so far).
//
// Columns: step, seconds, steps_per_second, episode_return_mean, episode_length_mean, then the
// caller's. A NaN is "not yet" or "not this time" and leaves its cell empty. Rows are whole: each
// is one write(2), and a torn one is removed at a resume.
#ifndef RL_RUN_METRICS_H_
#define RL_RUN_METRICS_H_

#include <stdint.h>

#include "rl/base/file.h"
#include "rl/base/status.h"

enum { RL_METRICS_FIXED = 5, RL_METRICS_COLUMNS = 64, RL_METRICS_ROW = RL_METRICS_COLUMNS * 32 };

typedef struct {
  int fd;
  int ncolumn;               // the caller's columns
  char path[RL_PATH_SIZE];   // for error lines
  char row[RL_METRICS_ROW];  // the row being composed
} RlMetrics;

typedef struct {
  int64_t step;    // environment steps so far, over all environments
  double seconds;  // since the start of the run, resumed time included
  double steps_per_second;
  double episode_return_mean;  // NaN before the first episode ends, and so is the length
  double episode_length_mean;
} RlMetricsRow;

// Opens the file to append; writes the header if there is none yet. A header that is not exactly
// the one expected is refused with the first column that differs.
RL_MUST_USE RlStatus rl_metrics_open(RlMetrics *metrics, const char *path,
                                     const char *const *column, int ncolumn);

// Appends a row; value (ncolumn). Allocates nothing. If the disk takes only part of it, that part
// is taken back.
RL_MUST_USE RlStatus rl_metrics_write(RlMetrics *metrics, const RlMetricsRow *row,
                                      const double *value);

// Brings the rows so far to the disk: before a resume file is saved, so that it never outlives
// them.
RL_MUST_USE RlStatus rl_metrics_sync(RlMetrics *metrics);

// Safe after a failed open, and twice.
void rl_metrics_close(RlMetrics *metrics);

// Removes rows past step, malformed and torn ones, in one step; -1 leaves the header alone. seconds
// receives those of the last row kept, 0 if none (nullable). A missing file is left missing.
RL_MUST_USE RlStatus rl_metrics_truncate(const char *path, int64_t step, double *seconds);

#endif
