// Answers over HTTP: files of the page, videos, refusals, and streams of pictures. Place: called by
// server.c for each request and whenever a connection can be written to.
#ifndef RL_VIEW_HTTP_H_
#define RL_VIEW_HTTP_H_

#include "rl/view/connection.h"

// Looks at Host, method and route of a request. The status to refuse it with, 0: route is good.
int rl_http_check(const RlServer *server, struct lws *wsi, const char *path, RlRoute *route);

// Answers with a status and a line of text; what the server's callback is to return.
int rl_http_refuse(RlServer *server, struct lws *wsi, int status);

// Begins the answer to a request; what the server's callback is to return.
int rl_http_answer(RlServer *server, struct lws *wsi, RlConnection *connection, const char *path);

// Writes the next chunk, or nothing where nothing is due; what the server's callback is to return.
int rl_http_write(RlServer *server, struct lws *wsi, RlConnection *connection);

#endif
