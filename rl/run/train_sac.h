// The SAC training loop.
#ifndef RL_RUN_TRAIN_SAC_H_
#define RL_RUN_TRAIN_SAC_H_

#include "rl/run/run.h"

// Means of SAC's figures over the updates since the last row of metrics.csv.
typedef struct {
  int critics, actors;  // updates that counted
  RlSacStats sum;
} RlSacMeans;

// Copies the critics to their targets and resets the environments: before the first step.
void rl_train_sac_begin(RlRun *run);

// One vector step, and the updates that are due behind it; their figures are added to means.
void rl_train_sac_iterate(RlRun *run, RlSacMeans *means);

// Iterates until the run's steps are done or a signal asks to stop; saves the last state.
RL_MUST_USE RlStatus rl_train_sac(RlRun *run);

#endif
