// Trace files: given starts and actions are replayed through a task, and the doubles it computes
// are written down. Place: beside training, for comparing the tasks with anything that can write
// HDF5.
#ifndef RL_RUN_TRACE_H_
#define RL_RUN_TRACE_H_

#include <mujoco/mjbatch.h>

#include "envs/task.h"

// Replays every top-level group of the file `in` that holds qpos0 (nq), qvel0 (nv) and actions (T,
// A), all finite numbers, the actions in the actuators' own range and applied as they are; other
// members are ignored. Each is stepped as after a reset, on past termination, without auto-reset or
// limit.
//
// The file `out` gets the same groups with obs (T+1, O), reward (T), terminated (T, uint8),
// qpos (T+1, nq) and qvel (T+1, nv). terminated is also set where the physics diverged; MuJoCo then
// goes on from its own reset. A plain file of that name is replaced, in one step
// and only by a whole one; a device, a folder, a link and `in` itself are refused (RL_USAGE).
// options: resolved.
RL_MUST_USE RlStatus rl_trace_run(const RlTask *task, const RlEnvOptions *options, const char *in,
                                  const char *out);

// The same with the task's model already loaded and a batch of one simulation of it.
RL_MUST_USE RlStatus rl_trace_replay(const RlTask *task, const RlEnvOptions *options,
                                     const mjModel *m, mjBatch *batch, const char *in,
                                     const char *out);

#endif
