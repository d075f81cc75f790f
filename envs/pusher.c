// Pusher-v5: an arm pushes a cylinder to a goal.
// Observation (23): qpos of the arm 7, qvel of the arm 7, positions of fingertip, object, goal.
// Reward: −‖object − goal‖ − .1 Σa² − .5 ‖object − fingertip‖.
// Termination: never.
// Reset: arm and goal at 0; object uniform in [−.3, 0] x [−.2, .2], over .17 from the goal;
//   qvel uniform ±.005, object's and goal's 0.
#include <math.h>

#include "envs/locomotion.h"

enum { ARM = 7, FINGERTIP = 10, OBJECT = 11, GOAL = 12 };

static const double nearest = 0.17;

static int obs_dim(const RlTaskView *v) {
  (void)v;
  return 2 * ARM + 9;
}

static void reset(const RlTaskView *v, mjData *d, RlRng *rng) {
  double y, x;
  do {
    y = rl_rng_between(rng, -0.3, 0);
    x = rl_rng_between(rng, -0.2, 0.2);
  } while (!(sqrt(y * y + x * x) > nearest));
  d->qpos[ARM] = y;
  d->qpos[ARM + 1] = x;
  d->qpos[ARM + 2] = d->qpos[ARM + 3] = 0;
  // drawn for object and goal too, then set to 0: the order of draws is Gymnasium's
  for (int i = 0; i < v->m->nv; i++) d->qvel[i] = rl_rng_between(rng, -0.005, 0.005);
  for (int i = ARM; i < v->m->nv; i++) d->qvel[i] = 0;
}

static void observe(const RlTaskView *v, const mjData *d, double *obs) {
  (void)v;
  obs = rl_locomotion_append(obs, d->qpos, ARM);
  obs = rl_locomotion_append(obs, d->qvel, ARM);
  obs = rl_locomotion_append(obs, d->xpos + 3 * FINGERTIP, 3);
  obs = rl_locomotion_append(obs, d->xpos + 3 * OBJECT, 3);
  rl_locomotion_append(obs, d->xpos + 3 * GOAL, 3);
}

static void score(const RlTaskView *v, const mjData *d, double *mem, const double *action,
                  RlOutcome *out) {
  (void)mem;
  double near = -mju_dist3(d->xpos + 3 * OBJECT, d->xpos + 3 * FINGERTIP);
  double dist = -mju_dist3(d->xpos + 3 * OBJECT, d->xpos + 3 * GOAL);
  near *= v->o->reward_near_weight;
  dist *= v->o->reward_dist_weight;
  double ctrl = -rl_locomotion_squares(action, v->m->nu) * v->o->reward_control_weight;
  *out = (RlOutcome){.reward = (dist + ctrl) + near, .term = {dist, ctrl, near}};
}

const RlTask rl_task_pusher = {
    .name = "Pusher-v5",
    .model = "pusher.xml",
    .summary = "an arm pushes a cylinder to a goal",
    .defaults =
        "frame_skip=5; max_episode_steps=100; reward_near_weight=0.5; "
        "reward_dist_weight=1; reward_control_weight=0.1",
    .term = {"dist", "ctrl", "near"},
    .solved = 0,
    .has_solved = true,
    .nq = 11,
    .nv = 11,
    .nu = 7,
    .nbody = 13,
    .obs_dim = obs_dim,
    .reset = reset,
    .observe = observe,
    .score = score,
};
