// Hopper-v5: a planar leg hops along x.
// Observation (11): qpos[1:] 5, qvel clipped to ±10 6.
// Reward: dx/dt + healthy bonus − 1e-3 Σa².
// Termination: unless z > .7, |angle| < .2 and all other state is inside (−100, 100).
// Reset: qpos and qvel uniform ±.005.
#include "envs/locomotion.h"
#include "envs/walker.h"

static bool healthy(const RlTaskView *v, const mjData *d) {
  RlRange range = v->o->healthy_state_range;
  for (int i = 2; i < v->m->nq; i++) {
    if (!(range.lo < d->qpos[i] && d->qpos[i] < range.hi)) return false;
  }
  for (int i = 0; i < v->m->nv; i++) {
    if (!(range.lo < d->qvel[i] && d->qvel[i] < range.hi)) return false;
  }
  return rl_walker_upright(v, d);
}

static void score(const RlTaskView *v, const mjData *d, double *mem, const double *action,
                  RlOutcome *out) {
  rl_locomotion_score_walk(v, d, mem, action, healthy(v, d), out);
}

const RlTask rl_task_hopper = {
    .name = "Hopper-v5",
    .model = "hopper.xml",
    .summary = "a planar leg hops along x",
    .defaults =
        "frame_skip=4; max_episode_steps=1000; reset_noise_scale=5e-3; "
        "forward_reward_weight=1; ctrl_cost_weight=1e-3; healthy_reward=1; "
        "terminate_when_unhealthy=true; healthy_state_range=-100, 100; "
        "healthy_z_range=0.7, inf; healthy_angle_range=-0.2, 0.2; "
        "exclude_current_positions_from_observation=true",
    .term = {"forward", "survive", "ctrl"},
    .solved = 3800,
    .has_solved = true,
    .nq = 6,
    .nv = 6,
    .nu = 3,
    .nbody = 5,
    .nmem = 1,
    .obs_dim = rl_walker_obs_dim,
    .reset = rl_locomotion_reset,
    .remember = rl_locomotion_remember,
    .observe = rl_walker_observe,
    .score = score,
};
