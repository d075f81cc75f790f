// What Hopper and Walker2d share; the reward is the walkers' in locomotion.c.
#include "envs/walker.h"

#include "envs/locomotion.h"

static const double velocity_limit = 10;

int rl_walker_obs_dim(const RlTaskView *v) {
  return rl_locomotion_obs_dim(v, 1);
}

void rl_walker_observe(const RlTaskView *v, const mjData *d, double *obs) {
  rl_locomotion_observe(v, d, 1, velocity_limit, obs);
}

bool rl_walker_upright(const RlTaskView *v, const mjData *d) {
  double z = d->qpos[1], angle = d->qpos[2];
  RlRange zs = v->o->healthy_z_range, angles = v->o->healthy_angle_range;
  return zs.lo < z && z < zs.hi && angles.lo < angle && angle < angles.hi;
}
