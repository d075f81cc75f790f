// InvertedPendulum-v5: a cart keeps a pole upright.
// Observation (4): qpos 2, qvel 2.
// Reward: 1 while alive, 0 on the step that ends it.
// Termination: |angle| > .2, or state that is not finite.
// Reset: qpos and qvel uniform ±.01.
#include <math.h>

#include "envs/locomotion.h"

static const double angle_limit = 0.2;

static int obs_dim(const RlTaskView *v) {
  return (int)(v->m->nq + v->m->nv);
}

static void observe(const RlTaskView *v, const mjData *d, double *obs) {
  obs = rl_locomotion_append(obs, d->qpos, v->m->nq);
  rl_locomotion_append(obs, d->qvel, v->m->nv);
}

static void score(const RlTaskView *v, const mjData *d, double *mem, const double *action,
                  RlOutcome *out) {
  (void)v, (void)mem, (void)action;
  bool finite = isfinite(d->qpos[0]) && isfinite(d->qvel[0]) && isfinite(d->qvel[1]);
  bool alive = finite && fabs(d->qpos[1]) <= angle_limit;
  double reward = alive ? 1 : 0;
  *out = (RlOutcome){.reward = reward, .terminated = !alive, .term = {reward}};
}

const RlTask rl_task_inverted_pendulum = {
    .name = "InvertedPendulum-v5",
    .model = "inverted_pendulum.xml",
    .summary = "a cart keeps a pole upright",
    .defaults = "frame_skip=2; max_episode_steps=1000; reset_noise_scale=0.01",
    .term = {"survive"},
    .solved = 950,
    .has_solved = true,
    .nq = 2,
    .nv = 2,
    .nu = 1,
    .nbody = 3,
    .obs_dim = obs_dim,
    .reset = rl_locomotion_reset,
    .observe = observe,
    .score = score,
};
