// InvertedDoublePendulum-v5: a cart keeps two linked poles upright.
// Observation (9): x, sin of both angles, cos of both angles, qvel clipped to ±10 3, the cart's
//   constraint force clipped to ±10.
// Reward: 10 while alive − .01 x² − (y − 2)² − 1e-3 ω1² − 5e-3 ω2², x and y those of the tip.
// Termination: y <= 1.
// Reset: qpos uniform ±.1, qvel Gaussian .1.
#include <math.h>

#include "envs/locomotion.h"

static const double limit = 10;

static int obs_dim(const RlTaskView *v) {
  (void)v;
  return 9;
}

static void observe(const RlTaskView *v, const mjData *d, double *obs) {
  obs[0] = d->qpos[0];
  for (int i = 0; i < 2; i++) {
    obs[1 + i] = sin(d->qpos[1 + i]);
    obs[3 + i] = cos(d->qpos[1 + i]);
  }
  obs = rl_locomotion_append_clipped(obs + 5, d->qvel, v->m->nv, -limit, limit);
  rl_locomotion_append_clipped(obs, d->qfrc_constraint, 1, -limit, limit);
}

static void score(const RlTaskView *v, const mjData *d, double *mem, const double *action,
                  RlOutcome *out) {
  (void)mem, (void)action;
  double x = d->site_xpos[0], y = d->site_xpos[2];
  double w1 = d->qvel[1], w2 = d->qvel[2];
  bool alive = y > 1;
  double survive = alive ? v->o->healthy_reward : 0;
  double distance = 0.01 * (x * x) + (y - 2) * (y - 2);
  double velocity = 1e-3 * (w1 * w1) + 5e-3 * (w2 * w2);
  *out = (RlOutcome){
      .reward = survive - distance - velocity,
      .terminated = !alive,
      .term = {survive, -distance, -velocity},
  };
}

const RlTask rl_task_inverted_double_pendulum = {
    .name = "InvertedDoublePendulum-v5",
    .model = "inverted_double_pendulum.xml",
    .summary = "a cart keeps two linked poles upright",
    .defaults = "frame_skip=5; max_episode_steps=1000; reset_noise_scale=0.1; healthy_reward=10",
    .term = {"survive", "distance", "velocity"},
    .solved = 9100,
    .has_solved = true,
    .nq = 3,
    .nv = 3,
    .nu = 1,
    .nbody = 4,
    .obs_dim = obs_dim,
    .reset = rl_locomotion_reset_normal,
    .observe = observe,
    .score = score,
};
