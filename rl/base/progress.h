// What a training run shows: a live panel on a terminal, one plain line an iteration elsewhere, or
// one JSON object a line. Place: the programs make one, the training loops feed it; nothing that is
// computed depends on it.
//
// Allocates nothing after rl_progress_init; not thread-safe: one thread feeds it. The cursor rests
// below the panel, so an interrupted program leaves the terminal in order.
#ifndef RL_BASE_PROGRESS_H_
#define RL_BASE_PROGRESS_H_

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { RL_PROGRESS_SCALARS = 24, RL_PROGRESS_HISTORY = 256, RL_PROGRESS_NAME = 32 };

typedef enum {
  RL_PROGRESS_AUTO,   // panel on a terminal that can move its cursor, else plain
  RL_PROGRESS_PLAIN,  // a line for each row and note
  RL_PROGRESS_PANEL,  // redrawn in place
  RL_PROGRESS_JSON,   // an object for each row and note, alone on its line
} RlProgressMode;

typedef struct {
  const char *name;  // as in metrics.csv
  double value;      // NaN: not known, shown as a dash, null in JSON
} RlProgressScalar;

// One iteration (PPO) or one row of metrics.csv (SAC).
typedef struct {
  int64_t step;
  double seconds;  // since the start of the run, resumed time included
  double steps_per_second;
  double ep_return, ep_length;  // means over recent episodes; NaN before the first
  double collect, learn, eval;  // shares of the time since the last row, in [0, 1]
  const RlProgressScalar *scalar;
  int nscalar;
} RlProgressRow;

typedef struct {
  FILE *out;
  RlProgressMode mode;
  bool unicode, color;
  int64_t start_step, step, total;
  double start, last_draw;  // seconds of the clock
  double offset;            // the run's seconds before this process
  bool finished;
  int drawn;  // lines of the panel on the screen
  int frame;  // redraws so far, turns the spinner
  char title[128];

  bool has_row;
  RlProgressRow row;  // the last; its scalars are the copies below
  RlProgressScalar scalar[RL_PROGRESS_SCALARS];
  char name[RL_PROGRESS_SCALARS][RL_PROGRESS_NAME];

  // the returns of the whole run, halved in resolution whenever it is full
  double history[RL_PROGRESS_HISTORY];
  int nhistory;
  int stride;   // rows averaged into one entry
  int pending;  // rows in sum
  double sum;

  char text[16384];  // a panel before it is written
} RlProgress;

// Starts showing a run that has done step of total steps; title is one line such as
// "Humanoid-v5 ppo seed 1".
void rl_progress_init(RlProgress *p, FILE *out, RlProgressMode mode, int64_t step, int64_t total,
                      const char *title);

// Takes a row; its scalars and their names are copied.
void rl_progress_update(RlProgress *p, const RlProgressRow *row);

// Keeps the panel alive inside a long iteration: to be called every vector step and every
// minibatch. Costs one look at the clock; draws at most five times a second.
void rl_progress_tick(RlProgress *p, int64_t step);

// Shows a message (an evaluation's result, a save) above the panel or on a line of its own.
void rl_progress_note(RlProgress *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Draws the last state and leaves it on the screen. Further calls to update and tick do nothing.
void rl_progress_finish(RlProgress *p);

#endif
