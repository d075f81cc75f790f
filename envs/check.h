// Checks of a task as it would be trained on: for rlenv check, and for whoever adds a task.
#ifndef ENVS_CHECK_H_
#define ENVS_CHECK_H_

#include <stdio.h>

#include "envs/task.h"

// Prints one line a check to out: what was checked, then ok or what is wrong. RL_FAIL if any is
// wrong. config: resolved.
RL_MUST_USE RlStatus rl_check_run(const RlConfig *config, FILE *out);

#endif
