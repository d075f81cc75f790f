// What a run shows in TensorBoard, and under which names: every column of metrics.csv, evaluations,
// histograms of weights and actions, the configuration. Place: between the training loops and
// rl/tensorboard, which knows how an event is written.
//
// It reads and changes nothing, and draws from no stream.
#ifndef RL_RUN_BOARD_H_
#define RL_RUN_BOARD_H_

#include "rl/data/replay.h"
#include "rl/data/rollout.h"
#include "rl/run/eval.h"
#include "rl/run/metrics.h"
#include "rl/run/policy.h"
#include "rl/tensorboard/events.h"

// Of the replay buffer so many of the newest transitions are looked at, or a vector step more.
enum { RL_BOARD_TRANSITIONS = 10000 };

typedef struct {
  RlEvents events;
  int ncolumn;                          // the algorithm's
  const char *tag[RL_METRICS_COLUMNS];  // theirs; NULL: written elsewhere
} RlBoard;

// Goes on behind step (-1: the run begins) with the algorithm's columns. Whatever run.tensorboard
// says, a column that has no name here is a programmer's error.
RL_MUST_USE RlStatus rl_board_open(RlBoard *board, const char *dir, int64_t step,
                                   const RlConfig *config, const char *const *column, int ncolumn);

// What a row of metrics.csv holds; value in the order of the columns. Allocates nothing.
RL_MUST_USE RlStatus rl_board_row(RlBoard *board, const RlMetricsRow *row, const double *value);

RL_MUST_USE RlStatus rl_board_evaluation(RlBoard *board, int64_t step,
                                         const RlEvalSummary *summary);

// A histogram of each layer's weights and biases.
RL_MUST_USE RlStatus rl_board_policy(RlBoard *board, int64_t step, const RlPolicy *policy);

// A histogram of each component of the actions: as the Gaussian gave them in the rollout, as the
// environments got them in the newest part of the replay buffer. Lost steps are left out.
RL_MUST_USE RlStatus rl_board_rollout(RlBoard *board, int64_t step, const RlRollout *rollout);
RL_MUST_USE RlStatus rl_board_replay(RlBoard *board, int64_t step, const RlReplay *replay);

// Brings the events so far to the disk: before a resume file is saved.
RL_MUST_USE RlStatus rl_board_sync(RlBoard *board);

// Safe after a failed open, and twice.
void rl_board_close(RlBoard *board);

#endif
