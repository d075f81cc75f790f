// The live view: policies playing in a browser. Place: what rlview calls; it joins stages,
// pictures, hub and server.
#ifndef RL_VIEW_LIVE_H_
#define RL_VIEW_LIVE_H_

#include <signal.h>
#include <stdint.h>
#include <stdio.h>

#include "rl/base/status.h"

enum { RL_LIVE_PANELS = 8 };

typedef struct {
  const char *path[RL_LIVE_PANELS];  // run folders and checkpoints, one a panel
  int panels;
  const char *address;  // to listen at; NULL: loopback
  int port;             // 0: any that is free
  uint64_t seed;
  FILE *say;                          // where the page's address is written
  const volatile sig_atomic_t *stop;  // set by a signal: end the view
} RlLiveRequest;

// Shows the policies until a signal asks to stop.
RL_MUST_USE RlStatus rl_live_run(const RlLiveRequest *request);

#endif
