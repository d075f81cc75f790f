// What a run shows in TensorBoard, as events in files of its folder. Place: beside metrics.csv,
// below rl/run/board.h, which says what is shown under which name.
//
// Only the wall time in an event is not a function of what is passed here. A build without
// protobuf-c has absent/events.c instead: the same functions, which do nothing and succeed.
#ifndef RL_TENSORBOARD_EVENTS_H_
#define RL_TENSORBOARD_EVENTS_H_

#include <stdint.h>

#include "rl/base/config.h"
#include "rl/base/status.h"
#include "rl/tensorboard/event_file.h"

enum { RL_EVENT_SCALARS = 96, RL_EVENT_BUCKETS = 30 };

typedef struct {
  int fd;  // -1: nothing is written
  char path[RL_PATH_SIZE];
  uint8_t record[RL_EVENT_RECORD];  // the one being composed
} RlEvents;

typedef struct {
  const char *tag;
  double value;  // a NaN is left out
} RlEventScalar;

// Counts in buckets of equal width from min to max.
typedef struct {
  double min, max, num, sum, sum_squares;
  double bucket[RL_EVENT_BUCKETS];
} RlEventHistogram;

// Goes on behind step (-1: a run that begins): what files in dir hold of later steps goes, and a
// new file is begun. With on false only the former. On failure nothing is left open.
RL_MUST_USE RlStatus rl_events_open(RlEvents *events, const char *dir, int64_t step, bool on);

// The complete configuration, as hyper-parameters and as text.
RL_MUST_USE RlStatus rl_events_write_config(RlEvents *events, int64_t step, const RlConfig *config);

// One event of n scalars, those left out that are not finite. Allocates nothing.
RL_MUST_USE RlStatus rl_events_write_scalars(RlEvents *events, int64_t step,
                                             const RlEventScalar *scalar, int n);

// Allocates nothing.
RL_MUST_USE RlStatus rl_events_write_histogram(RlEvents *events, int64_t step, const char *tag,
                                               const RlEventHistogram *histogram);

// Brings the events so far to the disk, as rl_metrics_sync does rows.
RL_MUST_USE RlStatus rl_events_sync(RlEvents *events);

// Safe after a failed open, and twice.
void rl_events_close(RlEvents *events);

// Version of protobuf-c, "none" in a build without it.
const char *rl_events_library(void);

#endif
