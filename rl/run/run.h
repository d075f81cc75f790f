// The state of a training run: everything a step of training reads or changes, and how it is saved,
// found again and shown. train_ppo.c and train_sac.c are the loops over it.
#ifndef RL_RUN_RUN_H_
#define RL_RUN_RUN_H_

#include <math.h>
#include <signal.h>

#include "rl/algo/ppo.h"
#include "rl/algo/sac.h"
#include "rl/base/progress.h"
#include "rl/data/collector.h"
#include "rl/data/explorer.h"
#include "rl/run/board.h"
#include "rl/run/eval.h"
#include "rl/run/folder.h"
#include "rl/run/metrics.h"
#include "rl/run/replay_file.h"

// Updates (PPO: minibatches) in a row that may be skipped for want of usable numbers before a run
// stops.
enum { RL_PATIENCE = 50 };

// Where the wall-clock time of this process went, in seconds.
typedef struct {
  double collect, learn, evaluate;
  double infer;  // part of collect in which the actor ran, per thread
} RlTimeSplit;

// What a resume file holds beside the policy, the optimisers, the environments and the streams.
typedef struct {
  int64_t step;      // environment steps done, over all environments
  int64_t updates;   // minibatches applied (SAC: updates of the critics)
  int64_t skipped;   // minibatches skipped for a non-finite loss or gradient
  int64_t diverged;  // environment steps lost to diverged physics
  int32_t has_best;
  double best;  // best evaluation (or, without evaluations, mean training return) so far
  int64_t best_step;
} RlCounters;

// Somebody who looks on while the run trains, and changes nothing.
typedef struct {
  // Shows the policy as it is after step steps; called by the training thread between iterations
  // (PPO) or vector steps (SAC).  nullable
  void (*offer)(void *arg, RlPolicy *policy, int64_t step);
  void *arg;
} RlOnlooker;

typedef struct {
  RlConfig config;  // complete and resolved
  const RlTask *task;
  int threads;
  RlArena arena;
  RlPool *pool;
  RlVecEnv env;
  RlPolicy policy;
  RlEpisodes episodes;
  // the algorithm that the configuration names, and what it collects into
  RlPpo ppo;
  RlRollout rollout;
  RlCollector collector;
  RlSac sac;
  RlReplay replay;
  RlReplayFile replay_file;
  RlExplorer explorer;
  RlEval eval;  // meaningful when config.run.eval_every > 0
  RlCounters counters;
  double *env_state;   // rows of rl_vecenv_save                  (N, nstate)
  int64_t saved_step;  // of the newest resume file known to be sound, -1: none
  RlFolder folder;
  RlMetrics metrics;
  RlBoard board;
  RlProgress progress;
  RlTimeSplit split, reported;  // so far; at the last row
  int64_t reported_step;        // steps and clock at the last row
  double reported_at;
  double start;                       // clock when this process began to train
  double seconds_before;              // of the run, in processes before this one
  double eval_mean;                   // last evaluation's mean, NaN before the first
  const volatile sig_atomic_t *stop;  // the caller's; once set: finish the iteration, save, return.
                                      // nullable
  RlOnlooker onlooker;                // set by the caller once the run stands
} RlRun;

// What the command line says about a run.
typedef struct {
  const char *out;        // --out; NULL: runs/TASK-ALGO-SEED-TIME
  const char *init_from;  // --init-from; nullable
  RlProgressMode mode;    // how progress is shown ...
  FILE *show;             // ... and where
} RlRunRequest;

// Makes an empty run, which rl_run_free takes: for callers that may fail before there is another.
void rl_run_clear(RlRun *run);

// Starts a new run of config (complete and resolved): folder, config.ini, fresh state. Free with
// rl_run_free whatever the status.
RL_MUST_USE RlStatus rl_run_create(RlRun *run, const RlConfig *config, const RlRunRequest *request);

// Continues the run in folder dir from its newest sound resume file; skipped files are named on
// stdout. A sound file that is of another configuration than config.ini is refused (RL_USAGE): to
// start again would overwrite what is good. threads 0 and total_steps 0 keep what the folder's
// configuration says. A finished run: RL_OK with *finished set.
RL_MUST_USE RlStatus rl_run_resume(RlRun *run, const char *dir, int threads, int64_t total_steps,
                                   const RlRunRequest *request, bool *finished);

// Seconds the run has trained, earlier processes included.
double rl_run_seconds(const RlRun *run);

// Ends what is shown and says on stdout how to go on.
void rl_run_say_end(RlRun *run);

// Safe after a failed create or resume, and after rl_run_clear.
void rl_run_free(RlRun *run);

// ---- steps of a training loop, for train_ppo.c and train_sac.c

// Opens metrics.csv and the event file at the run's step, with the algorithm's columns; starts the
// clock.
RL_MUST_USE RlStatus rl_run_open_metrics(RlRun *run, const char *const *column, int n);

// Whether the caller has asked the run to end.
static inline bool rl_run_is_stopped(const RlRun *run) {
  return run->stop && *run->stop;
}

// Shows the policy to whoever looks on.
void rl_run_offer(RlRun *run);

// Whether a multiple of every lies in (before, after]; every 0: never.
bool rl_run_is_due(int64_t every, int64_t before, int64_t after);

// Writes a row of metrics.csv, and the same as events, and shows it; value in the order of the
// algorithm's columns.
RL_MUST_USE RlStatus rl_run_report(RlRun *run, const char *const *column, const double *value,
                                   int n);

// Whether mean, of an evaluation or of training, is the best so far, which is noted then.
static inline bool rl_run_note_best(RlCounters *c, double mean) {
  if (isnan(mean) || (c->has_best && mean <= c->best)) return false;
  c->has_best = 1;
  c->best = mean;
  c->best_step = c->step;
  return true;
}

// Evaluates the policy as it stands and keeps the best.
RL_MUST_USE RlStatus rl_run_evaluate(RlRun *run);

// Saves a policy checkpoint and a resume file of the present step. due: by the schedule or at the
// end, not because of a request to stop; only such a save may be the best so far, or a stopped run
// would end in another state than one never stopped.
RL_MUST_USE RlStatus rl_run_save(RlRun *run, bool due);

// ---- parts of the above, in run_state.c

// Saves the policy alone: checkpoints/NNNNNNNNNNNN.h5.
RL_MUST_USE RlStatus rl_run_save_policy(RlRun *run);

// Loads the resume file of a step into a run that has been laid out; RL_USAGE if it is sound but of
// another configuration than the run's.
RL_MUST_USE RlStatus rl_run_load_state(RlRun *run, int64_t step);

// Copies networks and normalisers from a checkpoint of the same task and widths.
RL_MUST_USE RlStatus rl_run_init_from(RlRun *run, const char *path);

#endif
