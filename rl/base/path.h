// Where the installed or built tree keeps its data: models and configs.
#ifndef RL_BASE_PATH_H_
#define RL_BASE_PATH_H_

#include <stddef.h>

#include "rl/base/status.h"

// Finds a data file: kind is "models" or "configs". Looked for beside the running program's tree
// (bin/../share/rltrain/KIND), then in the tree it was built from. Writes the path to out.
RL_MUST_USE RlStatus rl_path_find(char *out, size_t size, const char *kind, const char *name);

#endif
