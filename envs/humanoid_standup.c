// HumanoidStandup-v5: a humanoid lying on its back gets up.
// Observation (348): as Humanoid-v5.
// Reward: z / timestep (the physics step, not the control step) − .1 Σctrl²
//   − min(5e-7 Σcfrc_ext², 10) + 1.
// Termination: never.
// Reset: qpos and qvel uniform ±.01.
#include "envs/humanoid.h"
#include "envs/locomotion.h"

// Gymnasium accepts uph_cost_weight without using it; here it weighs. The default, 1, is the same.
static void score(const RlTaskView *v, const mjData *d, double *mem, const double *action,
                  RlOutcome *out) {
  (void)mem;
  const RlEnvOptions *o = v->o;
  double height = o->uph_cost_weight * (d->qpos[2] / v->m->opt.timestep);
  double ctrl = rl_humanoid_ctrl_cost(v, action);
  double impact = rl_humanoid_contact_cost(v, d, o->impact_cost_weight, o->impact_cost_range);
  *out = (RlOutcome){.reward = height - ctrl - impact + 1, .term = {height, -ctrl, -impact, 1}};
}

const RlTask rl_task_humanoid_standup = {
    .name = "HumanoidStandup-v5",
    .model = "humanoid_standup.xml",
    .summary = "a humanoid lying on its back gets up",
    .defaults =
        "frame_skip=5; max_episode_steps=1000; reset_noise_scale=1e-2; "
        "uph_cost_weight=1; ctrl_cost_weight=0.1; impact_cost_weight=5e-7; "
        "impact_cost_range=-inf, 10; exclude_current_positions_from_observation=true; "
        "include_cinert_in_observation=true; include_cvel_in_observation=true; "
        "include_qfrc_actuator_in_observation=true; include_cfrc_ext_in_observation=true",
    .term = {"linup", "ctrl", "impact", "constant"},
    .nq = 24,
    .nv = 23,
    .nu = 17,
    .nbody = 14,
    .contact_forces = true,
    .obs_dim = rl_humanoid_obs_dim,
    .reset = rl_locomotion_reset,
    .observe = rl_humanoid_observe,
    .score = score,
};
