// Ant-v5: a four-legged body runs along x.
// Observation (105): qpos[2:] 13, qvel 14, cfrc_ext[1:] clipped 78 (per body torque 3, force 3).
// Reward: dx/dt of the torso + healthy bonus − .5 Σa² − 5e-4 Σclip(cfrc_ext)².
// Termination: unless all state is finite and .2 <= z <= 1.
// Reset: qpos uniform ±.1, qvel Gaussian .1.
#include <math.h>

#include "envs/locomotion.h"

enum { TORSO = 1 };

static int obs_dim(const RlTaskView *v) {
  mjtSize contacts = v->o->include_cfrc_ext_in_observation ? 6 * (v->m->nbody - 1) : 0;
  return rl_locomotion_obs_dim(v, 2) + (int)contacts;
}

// The torso's x as of the last forward pass: under RK4 that lags qpos.
static void remember(const RlTaskView *v, const mjData *d, double *mem) {
  (void)v;
  mem[0] = d->xpos[3 * TORSO];
}

static void observe(const RlTaskView *v, const mjData *d, double *obs) {
  rl_locomotion_observe(v, d, 2, INFINITY, obs);
  if (!v->o->include_cfrc_ext_in_observation) return;
  RlRange range = v->o->contact_force_range;
  rl_locomotion_append_clipped(obs + rl_locomotion_obs_dim(v, 2), d->cfrc_ext + 6,
                               6 * (v->m->nbody - 1), range.lo, range.hi);
}

static bool healthy(const RlTaskView *v, const mjData *d) {
  for (int i = 0; i < v->m->nq; i++) {
    if (!isfinite(d->qpos[i])) return false;
  }
  for (int i = 0; i < v->m->nv; i++) {
    if (!isfinite(d->qvel[i])) return false;
  }
  double z = d->qpos[2];
  return v->o->healthy_z_range.lo <= z && z <= v->o->healthy_z_range.hi;
}

// The world's row counts too.
static double contact_cost(const RlTaskView *v, const mjData *d) {
  RlRange range = v->o->contact_force_range;
  double sum = 0;
  for (int i = 0; i < 6 * v->m->nbody; i++) {
    double force = rl_locomotion_clip(d->cfrc_ext[i], range.lo, range.hi);
    sum += force * force;
  }
  return v->o->contact_cost_weight * sum;
}

static void score(const RlTaskView *v, const mjData *d, double *mem, const double *action,
                  RlOutcome *out) {
  double velocity = rl_locomotion_velocity(v, mem, d->xpos[3 * TORSO]);
  bool well = healthy(v, d);
  double forward = velocity * v->o->forward_reward_weight;
  double survive = well ? v->o->healthy_reward : 0;
  double ctrl = v->o->ctrl_cost_weight * rl_locomotion_squares(action, v->m->nu);
  double contact = contact_cost(v, d);
  *out = (RlOutcome){
      .reward = (forward + survive) - (ctrl + contact),
      .terminated = !well && v->o->terminate_when_unhealthy,
      .term = {forward, survive, -ctrl, -contact},
  };
}

const RlTask rl_task_ant = {
    .name = "Ant-v5",
    .model = "ant.xml",
    .summary = "a four-legged body runs along x",
    .defaults =
        "frame_skip=5; max_episode_steps=1000; reset_noise_scale=0.1; "
        "forward_reward_weight=1; ctrl_cost_weight=0.5; contact_cost_weight=5e-4; "
        "contact_force_range=-1, 1; healthy_reward=1; terminate_when_unhealthy=true; "
        "healthy_z_range=0.2, 1; exclude_current_positions_from_observation=true; "
        "include_cfrc_ext_in_observation=true",
    .term = {"forward", "survive", "ctrl", "contact"},
    .solved = 6000,
    .has_solved = true,
    .nq = 15,
    .nv = 14,
    .nu = 8,
    .nbody = 14,
    .nmem = 1,
    .contact_forces = true,
    .obs_dim = obs_dim,
    .reset = rl_locomotion_reset_normal,
    .remember = remember,
    .observe = observe,
    .score = score,
};
