// What a request is allowed to ask for: the routes, the names under which the server may be spoken
// to, and who may open a WebSocket. Place: pure functions below server.c; nothing here touches a
// socket or a file, and no part of a URL is ever a path.
#ifndef RL_VIEW_ROUTE_H_
#define RL_VIEW_ROUTE_H_

#include <stdbool.h>
#include <stddef.h>

enum { RL_TOKEN_SIZE = 33 };  // 128 bits in hexadecimal, and the NUL

typedef enum {
  RL_ROUTE_NONE,
  RL_ROUTE_FILE,        // /TOKEN/, /TOKEN/style.css, ...: one of rl_page_files, by index
  RL_ROUTE_STREAM,      // /TOKEN/stream/K
  RL_ROUTE_SOCKET,      // /TOKEN/ws
  RL_ROUTE_VIDEO,       // /TOKEN/video/K.mp4
  RL_ROUTE_VIDEO_PAGE,  // /TOKEN/video/K.html
} RlRouteKind;

typedef struct {
  RlRouteKind kind;
  int index;  // of the file, or the panel
} RlRoute;

// Where a path leads for a view of `panels` panels. The token is compared in the same time wherever
// it differs.
RlRoute rl_route_find(const char *path, const char *token, int panels);

// Whether a Host header may be meant for us: an address, "localhost", or this very `address`, with
// or without a port (which a tunnel changes). A name somebody else's DNS leads here is none.
bool rl_route_host_allowed(const char *host, const char *address);

// Whether a page of this origin is one that we served under this Host.
bool rl_route_origin_allowed(const char *origin, const char *host);

#endif
