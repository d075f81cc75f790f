// Swimmer-v5: a chain of three links swims along x in a viscous plane.
// Observation (8): qpos[2:] 3, qvel 5.
// Reward: dx/dt − 1e-4 Σa².
// Termination: never.
// Reset: qpos and qvel uniform ±.1.
#include <math.h>

#include "envs/locomotion.h"

static int obs_dim(const RlTaskView *v) {
  return rl_locomotion_obs_dim(v, 2);
}

static void observe(const RlTaskView *v, const mjData *d, double *obs) {
  rl_locomotion_observe(v, d, 2, INFINITY, obs);
}

const RlTask rl_task_swimmer = {
    .name = "Swimmer-v5",
    .model = "swimmer.xml",
    .summary = "a chain of three links swims along x",
    .defaults =
        "frame_skip=4; max_episode_steps=1000; reset_noise_scale=0.1; "
        "forward_reward_weight=1; ctrl_cost_weight=1e-4; "
        "exclude_current_positions_from_observation=true",
    .term = {"forward", "ctrl"},
    .solved = 360,
    .has_solved = true,
    .nq = 5,
    .nv = 5,
    .nu = 2,
    .nbody = 4,
    .nmem = 1,
    .obs_dim = obs_dim,
    .reset = rl_locomotion_reset,
    .remember = rl_locomotion_remember,
    .observe = observe,
    .score = rl_locomotion_score,
};
