// What Hopper and Walker2d share: planar legs that stay healthy while upright. qpos starts with x,
// z and the torso's angle.
#ifndef ENVS_WALKER_H_
#define ENVS_WALKER_H_

#include "envs/task.h"

int rl_walker_obs_dim(const RlTaskView *v);

// qpos[1:], then qvel clipped to ±10 (in the observation only).
void rl_walker_observe(const RlTaskView *v, const mjData *d, double *obs);

// Whether z and angle are strictly inside their healthy ranges.
bool rl_walker_upright(const RlTaskView *v, const mjData *d);

#endif
