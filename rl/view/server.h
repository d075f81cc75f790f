// The web server of a view, a thread of its own: the page, pictures as motion JPEG, state and
// commands over a WebSocket. Place: between the hub and whoever connects.
//
// Everything lies under a random token; no part of a URL reaches the file system; a client that is
// slow, silent or hostile costs a bounded amount of memory and nobody else's pictures. What is
// spoken and how it is bounded: docs/view.md.
#ifndef RL_VIEW_SERVER_H_
#define RL_VIEW_SERVER_H_

#include "rl/base/status.h"
#include "rl/view/hub.h"

typedef struct {
  const char *address;  // an address of this machine; NULL: 127.0.0.1
  int port;             // 0: any that is free
} RlServerOptions;

typedef struct RlServer RlServer;

// Refuses an address that is none (RL_USAGE).
RL_MUST_USE RlStatus rl_server_check(const RlServerOptions *options);

// Starts serving the hub, which must live longer; NULL with an error line. End with rl_server_stop.
RlServer *rl_server_start(RlHub *hub, const RlServerOptions *options);

// Where the page is: http://127.0.0.1:PORT/TOKEN/
const char *rl_server_url(const RlServer *server);

// Closes every connection and ends the thread. nullable: server
void rl_server_stop(RlServer *server);

#endif
