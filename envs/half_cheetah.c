// HalfCheetah-v5: a planar two-legged body runs along x.
// Observation (17): qpos[1:] 8, qvel 9.
// Reward: dx/dt − .1 Σa².
// Termination: never.
// Reset: qpos uniform ±.1, qvel Gaussian .1.
#include <math.h>

#include "envs/locomotion.h"

static int obs_dim(const RlTaskView *v) {
  return rl_locomotion_obs_dim(v, 1);
}

static void observe(const RlTaskView *v, const mjData *d, double *obs) {
  rl_locomotion_observe(v, d, 1, INFINITY, obs);
}

const RlTask rl_task_half_cheetah = {
    .name = "HalfCheetah-v5",
    .model = "half_cheetah.xml",
    .summary = "a planar two-legged body runs along x",
    .defaults =
        "frame_skip=5; max_episode_steps=1000; reset_noise_scale=0.1; "
        "forward_reward_weight=1; ctrl_cost_weight=0.1; "
        "exclude_current_positions_from_observation=true",
    .term = {"forward", "ctrl"},
    .solved = 4800,
    .has_solved = true,
    .nq = 9,
    .nv = 9,
    .nu = 6,
    .nbody = 8,
    .nmem = 1,
    .obs_dim = obs_dim,
    .reset = rl_locomotion_reset_normal,
    .remember = rl_locomotion_remember,
    .observe = observe,
    .score = rl_locomotion_score,
};
