// What Humanoid and HumanoidStandup share: the body, its observation and its two costs.
#ifndef ENVS_HUMANOID_H_
#define ENVS_HUMANOID_H_

#include "envs/task.h"

int rl_humanoid_obs_dim(const RlTaskView *v);

// qpos[2:], qvel, cinert[1:], cvel[1:], qfrc_actuator[6:] (in dof order), cfrc_ext[1:].
void rl_humanoid_observe(const RlTaskView *v, const mjData *d, double *obs);

// weight·Σctrl²
double rl_humanoid_ctrl_cost(const RlTaskView *v, const double *action);

// weight·Σcfrc_ext², clipped to range; the forces themselves are not clipped.
double rl_humanoid_contact_cost(const RlTaskView *v, const mjData *d, double weight, RlRange range);

#endif
