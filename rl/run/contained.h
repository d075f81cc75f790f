// Work on a stranger's file by a library that may crash, hang or fill the memory over it: done in a
// child process with a limit on each, and whatever happens there is one line here.
// Place: under trace.c, around the HDF5 library.
#ifndef RL_RUN_CONTAINED_H_
#define RL_RUN_CONTAINED_H_

#include "rl/base/status.h"

// Runs work(arg) in a child process: what it writes to the disk stays, what it writes to memory
// does not. Its status and error line become the caller's. It is held to rl_contained_memory(bytes)
// and rl_contained_clock(seconds) from the start on. path stands for the file in error lines.
RL_MUST_USE RlStatus rl_contained_run(const char *path, double seconds, double bytes,
                                      RlStatus (*work)(void *arg), void *arg);

// For work: memory beyond what the process has now; more, and allocation fails in it.
void rl_contained_memory(double bytes);

// For work: counts processor time from here on, `seconds` anew; 0 stops counting, for a part whose
// length is no sign of trouble.
void rl_contained_clock(double seconds);

#endif
