// WebSockets: states down, commands up. Place: called by server.c.
#ifndef RL_VIEW_SOCKET_H_
#define RL_VIEW_SOCKET_H_

#include "rl/view/connection.h"

// The status to refuse a request to upgrade with; 0: a WebSocket may be opened, -1: it has been
// answered, close.
int rl_socket_check(const RlServer *server, struct lws *wsi);

void rl_socket_open(RlConnection *connection);

// Takes a piece of a message. Each returns what the server's callback is to return.
int rl_socket_receive(RlServer *server, struct lws *wsi, RlConnection *connection, const char *data,
                      size_t size);
int rl_socket_write(RlServer *server, struct lws *wsi, RlConnection *connection);

#endif
