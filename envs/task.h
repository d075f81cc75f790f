// A task: observation, reward, termination and reset noise, nothing else. Time limit, clipping and
// scaling of actions, auto-reset and seeding belong to the vector environment.
//
// Tasks keep no state of their own: what one step needs from the step before (a torso position,
// say) lives in mem, a row of doubles that a resume file saves.
#ifndef ENVS_TASK_H_
#define ENVS_TASK_H_

#include <mujoco/mujoco.h>
#include <stdbool.h>

#include "rl/base/config.h"
#include "rl/base/rng.h"
#include "rl/base/status.h"

enum { RL_MAX_TERMS = 6 };

typedef struct {
  double reward;  // the sum of the terms, in the order Gymnasium adds them
  bool terminated;
  double term[RL_MAX_TERMS];  // the reward's terms, costs negative; names in RlTask.term
} RlOutcome;

// Everything a task function may read besides the simulation.
typedef struct {
  const mjModel *m;
  const RlEnvOptions *o;  // weights and ranges, resolved by rl_task_resolve
} RlTaskView;

typedef struct {
  const char *name;      // "Humanoid-v5"
  const char *model;     // "humanoid.xml", in models/
  const char *summary;   // one line for rlenv list
  const char *defaults;  // the [env] keys the task knows and their values: "key=value; ..."
  const char *term[RL_MAX_TERMS];  // names of the reward's terms, NULL after the last
  double solved;                   // return at which Gymnasium calls it solved
  bool has_solved;                 // whether it says so
  int nq, nv, nu, nbody;           // what the model must have, bodies with the world
  int nmem;                        // doubles carried from step to step
  bool contact_forces;             // needs mj_rnePostConstraint after the steps
  int (*obs_dim)(const RlTaskView *v);
  // Draws qpos and qvel into d (already mj_resetData), all of qpos first.
  void (*reset)(const RlTaskView *v, mjData *d, RlRng *rng);
  // Fills mem after a reset's mj_forward.  nullable
  void (*remember)(const RlTaskView *v, const mjData *d, double *mem);
  // obs (O)
  void (*observe)(const RlTaskView *v, const mjData *d, double *obs);
  // After the physics steps: judges the step from mem (before) and d (after), action is what the
  // actuators got, unclamped (A); updates mem.
  void (*score)(const RlTaskView *v, const mjData *d, double *mem, const double *action,
                RlOutcome *out);
} RlTask;

// The table of tasks, ending with name NULL.
extern const RlTask *const rl_tasks[];

// The task of that name, else NULL with an RL_USAGE error line naming the nearest one; origin
// stands for the file.
const RlTask *rl_task_find(const char *name, const char *origin);

// Completes config's [env] keys from the task's defaults; refuses keys the task does not know.
// origin stands for the file.
RL_MUST_USE RlStatus rl_task_resolve(const RlTask *task, RlConfig *config, const char *origin);

// Completes a configuration that has been read: its task's own values, then the checks that span
// keys; *task: which it is, NULL if there is none of that name. origin stands for the file.
RL_MUST_USE RlStatus rl_task_complete(RlConfig *config, const char *origin, const RlTask **task);

// Loads and checks the task's model; NULL with an error line naming the file. Free with
// mj_deleteModel. Also keeps MuJoCo's warnings off the terminal and out of its log file, for the
// whole process: what matters in them is counted.
RL_MUST_USE mjModel *rl_task_load(const RlTask *task);

#endif
