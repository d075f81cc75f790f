// Pieces that several tasks share. "Before" is carried in the task's memory: it is what the
// previous step left, exact after a reset, and never recomputed from the state.
#include "envs/locomotion.h"

#include <string.h>

double rl_locomotion_clip(double x, double lo, double hi) {
  return x < lo ? lo : x > hi ? hi : x;
}

double rl_locomotion_squares(const double *x, mjtSize n) {
  double sum = 0;
  for (mjtSize i = 0; i < n; i++) sum += x[i] * x[i];
  return sum;
}

double *rl_locomotion_append(double *obs, const double *x, mjtSize n) {
  memcpy(obs, x, (size_t)n * sizeof *obs);
  return obs + n;
}

double *rl_locomotion_append_clipped(double *obs, const double *x, mjtSize n, double lo,
                                     double hi) {
  for (mjtSize i = 0; i < n; i++) obs[i] = rl_locomotion_clip(x[i], lo, hi);
  return obs + n;
}

int rl_locomotion_obs_dim(const RlTaskView *v, int skipped) {
  int left_out = v->o->exclude_current_positions_from_observation ? skipped : 0;
  return (int)(v->m->nq + v->m->nv) - left_out;
}

void rl_locomotion_observe(const RlTaskView *v, const mjData *d, int skipped, double limit,
                           double *obs) {
  int left_out = v->o->exclude_current_positions_from_observation ? skipped : 0;
  obs = rl_locomotion_append(obs, d->qpos + left_out, v->m->nq - left_out);
  rl_locomotion_append_clipped(obs, d->qvel, v->m->nv, -limit, limit);
}

static void draw_qpos(const RlTaskView *v, mjData *d, RlRng *rng) {
  double scale = v->o->reset_noise_scale;
  for (int i = 0; i < v->m->nq; i++) d->qpos[i] += rl_rng_between(rng, -scale, scale);
}

void rl_locomotion_reset(const RlTaskView *v, mjData *d, RlRng *rng) {
  double scale = v->o->reset_noise_scale;
  draw_qpos(v, d, rng);
  for (int i = 0; i < v->m->nv; i++) d->qvel[i] = rl_rng_between(rng, -scale, scale);
}

void rl_locomotion_reset_normal(const RlTaskView *v, mjData *d, RlRng *rng) {
  double scale = v->o->reset_noise_scale;
  draw_qpos(v, d, rng);
  for (int i = 0; i < v->m->nv; i++) d->qvel[i] = scale * rl_rng_normal(rng);
}

void rl_locomotion_remember(const RlTaskView *v, const mjData *d, double *mem) {
  (void)v;
  mem[0] = d->qpos[0];
}

double rl_locomotion_velocity(const RlTaskView *v, double *before, double after) {
  double dt = v->m->opt.timestep * v->o->frame_skip;
  double velocity = (after - *before) / dt;
  *before = after;
  return velocity;
}

void rl_locomotion_score(const RlTaskView *v, const mjData *d, double *mem, const double *action,
                         RlOutcome *out) {
  double velocity = rl_locomotion_velocity(v, mem, d->qpos[0]);
  double forward = v->o->forward_reward_weight * velocity;
  double ctrl = v->o->ctrl_cost_weight * rl_locomotion_squares(action, v->m->nu);
  *out = (RlOutcome){.reward = forward - ctrl, .term = {forward, -ctrl}};
}

void rl_locomotion_score_walk(const RlTaskView *v, const mjData *d, double *mem,
                              const double *action, bool healthy, RlOutcome *out) {
  double velocity = rl_locomotion_velocity(v, mem, d->qpos[0]);
  double forward = v->o->forward_reward_weight * velocity;
  double survive = healthy ? v->o->healthy_reward : 0;
  double ctrl = v->o->ctrl_cost_weight * rl_locomotion_squares(action, v->m->nu);
  *out = (RlOutcome){
      .reward = forward + survive - ctrl,
      .terminated = !healthy && v->o->terminate_when_unhealthy,
      .term = {forward, survive, -ctrl},
  };
}
