// Walker2d-v5: two planar legs walk along x.
// Observation (17): qpos[1:] 8, qvel clipped to ±10 9.
// Reward: dx/dt + healthy bonus − 1e-3 Σa².
// Termination: unless .8 < z < 2 and |angle| < 1.
// Reset: qpos and qvel uniform ±.005.
#include "envs/locomotion.h"
#include "envs/walker.h"

static void score(const RlTaskView *v, const mjData *d, double *mem, const double *action,
                  RlOutcome *out) {
  rl_locomotion_score_walk(v, d, mem, action, rl_walker_upright(v, d), out);
}

const RlTask rl_task_walker2d = {
    .name = "Walker2d-v5",
    .model = "walker2d.xml",
    .summary = "two planar legs walk along x",
    .defaults =
        "frame_skip=4; max_episode_steps=1000; reset_noise_scale=5e-3; "
        "forward_reward_weight=1; ctrl_cost_weight=1e-3; healthy_reward=1; "
        "terminate_when_unhealthy=true; healthy_z_range=0.8, 2; "
        "healthy_angle_range=-1, 1; exclude_current_positions_from_observation=true",
    .term = {"forward", "survive", "ctrl"},
    .nq = 9,
    .nv = 9,
    .nu = 6,
    .nbody = 8,
    .nmem = 1,
    .obs_dim = rl_walker_obs_dim,
    .reset = rl_locomotion_reset,
    .remember = rl_locomotion_remember,
    .observe = rl_walker_observe,
    .score = score,
};
