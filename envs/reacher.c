// Reacher-v5: a two-link arm brings its fingertip to a target.
// Observation (10): cos of both angles, sin of both angles, target 2, qvel of the arm 2,
//   (fingertip − target) x and y.
// Reward: −‖fingertip − target‖ − Σa².
// Termination: never.
// Reset: arm uniform ±.1; target uniform in the disc of radius .2; qvel uniform ±.005, target's 0.
#include <math.h>

#include "envs/locomotion.h"

enum { ARM = 2, FINGERTIP = 3, TARGET = 4 };

static const double reach = 0.2;

static int obs_dim(const RlTaskView *v) {
  (void)v;
  return 10;
}

static void reset(const RlTaskView *v, mjData *d, RlRng *rng) {
  for (int i = 0; i < v->m->nq; i++) d->qpos[i] += rl_rng_between(rng, -0.1, 0.1);
  double x, y;
  do {
    x = rl_rng_between(rng, -reach, reach);
    y = rl_rng_between(rng, -reach, reach);
  } while (!(sqrt(x * x + y * y) < reach));
  d->qpos[ARM] = x;
  d->qpos[ARM + 1] = y;
  for (int i = 0; i < v->m->nv; i++) d->qvel[i] = rl_rng_between(rng, -0.005, 0.005);
  for (int i = ARM; i < v->m->nv; i++) d->qvel[i] = 0;
}

static void observe(const RlTaskView *v, const mjData *d, double *obs) {
  (void)v;
  const double *tip = d->xpos + 3 * FINGERTIP, *target = d->xpos + 3 * TARGET;
  for (int i = 0; i < ARM; i++) {
    obs[i] = cos(d->qpos[i]);
    obs[ARM + i] = sin(d->qpos[i]);
    obs[4 + i] = d->qpos[ARM + i];
    obs[6 + i] = d->qvel[i];
    obs[8 + i] = tip[i] - target[i];
  }
}

static void score(const RlTaskView *v, const mjData *d, double *mem, const double *action,
                  RlOutcome *out) {
  (void)mem;
  double distance = mju_dist3(d->xpos + 3 * FINGERTIP, d->xpos + 3 * TARGET);
  double dist = -distance * v->o->reward_dist_weight;
  double ctrl = -rl_locomotion_squares(action, v->m->nu) * v->o->reward_control_weight;
  *out = (RlOutcome){.reward = dist + ctrl, .term = {dist, ctrl}};
}

const RlTask rl_task_reacher = {
    .name = "Reacher-v5",
    .model = "reacher.xml",
    .summary = "a two-link arm brings its fingertip to a target",
    .defaults =
        "frame_skip=2; max_episode_steps=50; reward_dist_weight=1; "
        "reward_control_weight=1",
    .term = {"dist", "ctrl"},
    .solved = -3.75,
    .has_solved = true,
    .nq = 4,
    .nv = 4,
    .nu = 2,
    .nbody = 5,
    .obs_dim = obs_dim,
    .reset = reset,
    .observe = observe,
    .score = score,
};
