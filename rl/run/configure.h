// From the command line to a complete configuration: the file, the --set options, the task's own
// defaults, the cross checks. Place: what every program that takes --config does first.
#ifndef RL_RUN_CONFIGURE_H_
#define RL_RUN_CONFIGURE_H_

#include "envs/task.h"

enum { RL_MAX_SETS = 256 };

// Fills config from file (a bare name is also looked up among the configurations that come with
// rltrain), changed by the nset texts "section.key=value". Complete and resolved on success.
RL_MUST_USE RlStatus rl_configure(RlConfig *config, const char *file, const char *const *set,
                                  int nset);

// Applies one "section.key=value" of --set.
RL_MUST_USE RlStatus rl_configure_set(RlConfig *config, const char *text);

#endif
