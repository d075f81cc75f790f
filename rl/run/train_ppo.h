// The PPO training loop.
#ifndef RL_RUN_TRAIN_PPO_H_
#define RL_RUN_TRAIN_PPO_H_

#include "rl/run/run.h"

// Gathers the first observation moments with random actions, unless a checkpoint brought some, and
// resets the environments: before the first iteration.
void rl_train_ppo_warmup(RlRun *run);

// One iteration: collects a rollout, learns from it, counts its steps.
void rl_train_ppo_iterate(RlRun *run, RlPpoStats *stats);

// Iterates until the run's steps are done or a signal asks to stop; saves the last state.
RL_MUST_USE RlStatus rl_train_ppo(RlRun *run);

#endif
