// The vector environment: N simulations of one task, one dispatch a step over MuJoCo's mjBatch.
// Place: between the physics and the collector.
//
// Owns: action clipping and scaling, time limit, divergence, auto-reset, one random stream an
// environment. A step is: clip and scale, frame_skip x mj_step, contact forces where the task needs
// them, score, observe, and the reset if the episode ended. Every environment writes only its own
// rows, so the bits are the same at any thread count.
#ifndef ENVS_VECENV_H_
#define ENVS_VECENV_H_

#include <mujoco/mjbatch.h>
#include <stdint.h>

#include "envs/task.h"
#include "rl/base/arena.h"

// What rl_vecenv_run calls for environment i at its step t, on whichever thread runs it: both may
// read and write rows of environment i only.
typedef struct {
  void (*act)(void *arg, int i, int t);    // writes row i of the actions, going by row i of obs
  void (*store)(void *arg, int i, int t);  // takes row i of what the step gave
  void *arg;
} RlVecEnvDriver;

typedef struct {
  int N, O, A;
  const RlTask *task;
  RlEnvOptions options;  // resolved
  mjModel *m;            // owned

  // What a step gives.
  float *obs;              // to act on; a new episode's first after a reset     (N, O)
  float *next_obs;         // what the step led to, before any reset; the last finite one if the
                           // physics diverged                                   (N, O)
  float *rew;              // unscaled                                           (N)
  uint8_t *terminated;     // the task ended, or the physics diverged            (N)
  uint8_t *truncated;      // the time limit was reached; terminated too wins    (N)
  uint8_t *diverged;       // terminated because the physics diverged            (N)
  double *episode_return;  // raw return so far; of the ended episode where it ended (N)
  int *episode_length;     // steps so far; likewise                             (N)
  int64_t ndiverged;       // divergences since the start

  // What describes an environment between steps, besides obs and mjBatch's state row.
  double *mem;             // the task's memory                                  (N, nmem)
  double *running_return;  // of the episode under way                           (N)
  int *running_length;     //                                                    (N)
  int64_t *divergences;    // since the start; ndiverged is their sum            (N)
  RlRng *rng;              // reset noise                                        (N)

  mjBatch *batch;                // owned
  double *scratch;               // observation of each environment, in double     (N, O)
  double *ctrl_mid, *ctrl_half;  // action a gives ctrl_mid + ctrl_half * a       (A)
  const float *act;              // of the step under way                         (N, A)
  const RlVecEnvDriver *driver;  // of the run under way; nullable
  int steps;                     // of the run under way
  int *at;                       // how many of them are done                          (N)
  int *failed;                   // environments whose step MuJoCo gave up        (N)
} RlVecEnv;

// Loads the task of config->env.id with n_envs environments on at most `threads` threads. The
// configuration must be resolved (rl_task_resolve). Environments are not reset yet.
RL_MUST_USE RlStatus rl_vecenv_init(RlVecEnv *env, RlArena *arena, const RlConfig *config,
                                    int n_envs, int threads);

// Starts every environment's stream from (seed, purpose, its number) and resets all.
void rl_vecenv_reset(RlVecEnv *env, uint64_t seed, RlStream purpose);

// Resets environment i alone, its stream replaced by rng: for evaluation, where the stream belongs
// to the episode.
void rl_vecenv_reset_one(RlVecEnv *env, int i, const RlRng *rng);

// Steps every environment; act (N, A) is the policy's, clipped and scaled here. Allocates nothing.
// Where the physics diverged, or an action was not finite: terminated and diverged are set, the
// reward is 0, and next_obs is the observation the step started from.
void rl_vecenv_step(RlVecEnv *env, const float *act);

// Runs every environment for steps steps in one dispatch: each acts, steps and stores on its own,
// and none waits for another, so no thread idles between steps. driver->act writes the rows of act
// (N, A). The same bits as steps calls of rl_vecenv_step with the same actions.
void rl_vecenv_run(RlVecEnv *env, const float *act, int steps, const RlVecEnvDriver *driver);

// Doubles in the row that describes one environment between steps, rng words included, obs apart.
// All are finite.
int rl_vecenv_nstate(const RlVecEnv *env);

// Copies the rows out (N, nstate) and back in. With obs (N, O), which the caller keeps, they
// restore an environment exactly: observations lag the state under some integrators and cannot be
// recomputed.
void rl_vecenv_save(const RlVecEnv *env, double *state);
void rl_vecenv_load(RlVecEnv *env, const double *state);

// Steps of its episode that environment n has done, by the rows of rl_vecenv_save.
int rl_vecenv_saved_length(const RlVecEnv *env, const double *state, int n);

// ---- rules of a step, for whoever rehearses one (rl/view)

// ctrl (A) = mid + half·clip(act, −1, 1) of act (A). False if an action is not finite: the step is
// not taken then.
bool rl_vecenv_control(const RlVecEnv *env, const float *act, double *ctrl);

// Neither NaN nor larger than MuJoCo lets a state be: what its next step would find and reset.
bool rl_vecenv_is_sound(const double *x, mjtSize n);

// Whether the physics step just taken diverged.
bool rl_vecenv_has_diverged(const mjModel *m, const mjData *d);

void rl_vecenv_free(RlVecEnv *env);

#endif
