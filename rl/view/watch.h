// The live view of a policy in training: `rltrain --view`. Place: beside the training loop, which
// offers it the policy through RlRun's onlooker; it has a thread, a stage and a server of its own.
//
// Training gives it nothing it could wait for: a copy of the policy now and then, when somebody
// looks, and while somebody does at most 4% of the machine's processors and half of those that
// training leaves idle. It changes no bit of the run.
#ifndef RL_VIEW_WATCH_H_
#define RL_VIEW_WATCH_H_

#include <stdint.h>

#include "rl/base/config.h"
#include "rl/run/policy.h"

typedef struct RlWatch RlWatch;

// Asks software rendering to stay on the thread that draws, so that its processor time can be told:
// before the process has other threads.
void rl_watch_prepare(void);

// Opens the view of a run with this configuration (complete and resolved), in folder path, that
// trains on so many threads; port 0: any that is free. NULL with an error line where there can be
// no view. End with rl_watch_stop.
RlWatch *rl_watch_start(const RlConfig *config, const char *path, int port, int threads);

// Where the page is.
const char *rl_watch_url(const RlWatch *watch);

// For RlOnlooker, arg being the watch: takes a copy of the policy if it wants one, else returns at
// once.
void rl_watch_offer(void *arg, RlPolicy *policy, int64_t step);

// nullable: watch
void rl_watch_stop(RlWatch *watch);

#endif
