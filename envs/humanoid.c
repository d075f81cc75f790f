// Humanoid-v5: a 3-D humanoid walks along x.
// Observation (348): qpos[2:] 22, qvel 23, cinert[1:] 130, cvel[1:] 78, qfrc_actuator[6:] 17,
//   cfrc_ext[1:] 78.
// Reward: 1.25 dx/dt of the centre of mass + bonus 5 − .1 Σctrl² − min(5e-7 Σcfrc_ext², 10).
// Termination: unless 1 < z < 2.
// Reset: qpos and qvel uniform ±.01.
#include "envs/humanoid.h"

#include <math.h>

#include "envs/locomotion.h"

enum { ROOT_DOFS = 6 };  // the free joint has no actuator

int rl_humanoid_obs_dim(const RlTaskView *v) {
  const RlEnvOptions *o = v->o;
  int bodies = (int)v->m->nbody - 1;
  int dim = rl_locomotion_obs_dim(v, 2);
  if (o->include_cinert_in_observation) dim += 10 * bodies;
  if (o->include_cvel_in_observation) dim += 6 * bodies;
  if (o->include_qfrc_actuator_in_observation) dim += (int)v->m->nv - ROOT_DOFS;
  if (o->include_cfrc_ext_in_observation) dim += 6 * bodies;
  return dim;
}

void rl_humanoid_observe(const RlTaskView *v, const mjData *d, double *obs) {
  const RlEnvOptions *o = v->o;
  mjtSize bodies = v->m->nbody - 1;
  rl_locomotion_observe(v, d, 2, INFINITY, obs);
  obs += rl_locomotion_obs_dim(v, 2);
  if (o->include_cinert_in_observation) {
    obs = rl_locomotion_append(obs, d->cinert + 10, 10 * bodies);
  }
  if (o->include_cvel_in_observation) obs = rl_locomotion_append(obs, d->cvel + 6, 6 * bodies);
  if (o->include_qfrc_actuator_in_observation) {
    obs = rl_locomotion_append(obs, d->qfrc_actuator + ROOT_DOFS, v->m->nv - ROOT_DOFS);
  }
  if (o->include_cfrc_ext_in_observation) rl_locomotion_append(obs, d->cfrc_ext + 6, 6 * bodies);
}

double rl_humanoid_ctrl_cost(const RlTaskView *v, const double *action) {
  return v->o->ctrl_cost_weight * rl_locomotion_squares(action, v->m->nu);
}

double rl_humanoid_contact_cost(const RlTaskView *v, const mjData *d, double weight,
                                RlRange range) {
  double cost = weight * rl_locomotion_squares(d->cfrc_ext, 6 * v->m->nbody);
  return rl_locomotion_clip(cost, range.lo, range.hi);
}

// x of the centre of mass as of the last forward pass: under RK4 that lags qpos.
static double center_x(const RlTaskView *v, const mjData *d) {
  double moment = 0, mass = 0;
  for (int i = 0; i < v->m->nbody; i++) {
    moment += v->m->body_mass[i] * d->xipos[3 * i];
    mass += v->m->body_mass[i];
  }
  return moment / mass;
}

static void remember(const RlTaskView *v, const mjData *d, double *mem) {
  mem[0] = center_x(v, d);
}

static void score(const RlTaskView *v, const mjData *d, double *mem, const double *action,
                  RlOutcome *out) {
  const RlEnvOptions *o = v->o;
  double velocity = rl_locomotion_velocity(v, mem, center_x(v, d));
  double z = d->qpos[2];
  bool healthy = o->healthy_z_range.lo < z && z < o->healthy_z_range.hi;
  double forward = o->forward_reward_weight * velocity;
  double survive = healthy ? o->healthy_reward : 0;
  double ctrl = rl_humanoid_ctrl_cost(v, action);
  double contact = rl_humanoid_contact_cost(v, d, o->contact_cost_weight, o->contact_cost_range);
  *out = (RlOutcome){
      .reward = (forward + survive) - (ctrl + contact),
      .terminated = !healthy && o->terminate_when_unhealthy,
      .term = {forward, survive, -ctrl, -contact},
  };
}

const RlTask rl_task_humanoid = {
    .name = "Humanoid-v5",
    .model = "humanoid.xml",
    .summary = "a 3-D humanoid walks along x",
    .defaults =
        "frame_skip=5; max_episode_steps=1000; reset_noise_scale=1e-2; "
        "forward_reward_weight=1.25; ctrl_cost_weight=0.1; contact_cost_weight=5e-7; "
        "contact_cost_range=-inf, 10; healthy_reward=5; terminate_when_unhealthy=true; "
        "healthy_z_range=1, 2; exclude_current_positions_from_observation=true; "
        "include_cinert_in_observation=true; include_cvel_in_observation=true; "
        "include_qfrc_actuator_in_observation=true; include_cfrc_ext_in_observation=true",
    .term = {"forward", "survive", "ctrl", "contact"},
    .nq = 24,
    .nv = 23,
    .nu = 17,
    .nbody = 14,
    .nmem = 1,
    .contact_forces = true,
    .obs_dim = rl_humanoid_obs_dim,
    .reset = rl_locomotion_reset,
    .remember = remember,
    .observe = rl_humanoid_observe,
    .score = score,
};
