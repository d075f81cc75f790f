// What the parts of the server share: the server itself, its connections and their deadlines.
// Place: below server.c (life and death), http.c (answers and streams), socket.c (WebSockets).
//
// All of it belongs to the server's thread. A connection has a slot from accept to close. Until it
// is being answered it is idle; idle ones are the first to go when slots run short. A stream or a
// WebSocket takes a seat.
#ifndef RL_VIEW_CONNECTION_H_
#define RL_VIEW_CONNECTION_H_

#include <pthread.h>
#include <stdatomic.h>

#include "rl/view/message.h"
#include "rl/view/route.h"
#include "rl/view/server.h"

enum {
  RL_SERVER_SEATS = 100,
  RL_SERVER_SLOTS = RL_SERVER_SEATS + 64,  // past this, an idle connection makes room
  RL_SERVER_SPARE = 32,                    // for those that are on their way out
  RL_SERVER_CHUNK = 1 << 15,               // bytes given to a socket at once; a state fits
  RL_REFUSAL_SIZE = 256,
};

struct lws;
struct lws_context;

typedef struct {
  struct lws *wsi;  // NULL: free
  double deadline;  // by rl_clock_seconds: closed then, unless moved on
  bool idle;
} RlSlot;

struct RlServer {
  RlHub *hub;
  struct lws_context *context;
  pthread_t thread;
  atomic_bool stop;
  int seats;
  RlSlot slot[RL_SERVER_SLOTS + RL_SERVER_SPARE];
  uint8_t *buffer;  // what is written next, with libwebsockets' room before it
  char address[64], token[RL_TOKEN_SIZE], url[160];
};

typedef enum {
  RL_CONNECTION_NEW,
  RL_CONNECTION_BODY,
  RL_CONNECTION_STREAM,
  RL_CONNECTION_SOCKET
} RlConnectionKind;

// A body under way: head, data (perhaps as base64), tail.
typedef struct {
  const char *head, *tail;
  const uint8_t *data;
  size_t size;  // of data
  bool base64;
  size_t sent;            // bytes of all three written so far
  const RlHubItem *held;  // nullable: whose data it is
} RlBody;

typedef struct {
  RlConnectionKind kind;
  // an answer or a stream
  RlBody body;
  bool writing;  // body is under way
  int panel;
  char part[192];  // a stream's head of the picture under way
  // newest seen, by panel; a stream's picture in its own panel's place
  uint64_t seen[RL_HUB_PANELS];
  // a WebSocket
  int turn;         // panel whose state is looked at first
  double tokens;    // messages it may send now
  double refilled;  // when they were last counted
  size_t length;
  char message[RL_MESSAGE_SIZE];
  char refusal[RL_REFUSAL_SIZE];  // to be sent, "": none
} RlConnection;

// Moves on when the connection is closed for want of progress.
void rl_server_expect(struct lws *wsi, double seconds, bool idle);

// Takes a seat; false when all are taken.
bool rl_server_seat(RlServer *server, RlConnection *connection, RlConnectionKind kind);

#endif
