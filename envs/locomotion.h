// Pieces that several tasks share: how an observation is put together, the reset noise, and the
// rewards of what runs along x. Place: under the task files; nothing here knows a task.
//
// Sums are taken in Gymnasium's order, so that trajectories agree with it to rounding.
#ifndef ENVS_LOCOMOTION_H_
#define ENVS_LOCOMOTION_H_

#include "envs/task.h"

// x within [lo, hi]; a NaN stays one.
double rl_locomotion_clip(double x, double lo, double hi);

// Sum of x² over n values.
double rl_locomotion_squares(const double *x, mjtSize n);

// Appends n values to an observation, clipped in the second form; returns the place after them.
double *rl_locomotion_append(double *obs, const double *x, mjtSize n);
double *rl_locomotion_append_clipped(double *obs, const double *x, mjtSize n, double lo, double hi);

// The observation of what moves in a plane: qpos without the `skipped` coordinates of its place
// (when those are excluded), then qvel clipped to ±limit.
int rl_locomotion_obs_dim(const RlTaskView *v, int skipped);
void rl_locomotion_observe(const RlTaskView *v, const mjData *d, int skipped, double limit,
                           double *obs);

// Reset: qpos0 + uniform noise; velocities uniform or Gaussian. d is already reset.
void rl_locomotion_reset(const RlTaskView *v, mjData *d, RlRng *rng);
void rl_locomotion_reset_normal(const RlTaskView *v, mjData *d, RlRng *rng);

// Memory (1): qpos[0], x before the step.
void rl_locomotion_remember(const RlTaskView *v, const mjData *d, double *mem);

// Velocity of a coordinate that was *before and is now `after`; remembers it.
double rl_locomotion_velocity(const RlTaskView *v, double *before, double after);

// Reward of runners: weight·dx/dt − weight·Σa². Terms: forward, ctrl. Never terminates.
void rl_locomotion_score(const RlTaskView *v, const mjData *d, double *mem, const double *action,
                         RlOutcome *out);

// Reward of walkers: the same plus a bonus when healthy, which also decides the end. Terms:
// forward, survive, ctrl.
void rl_locomotion_score_walk(const RlTaskView *v, const mjData *d, double *mem,
                              const double *action, bool healthy, RlOutcome *out);

#endif
