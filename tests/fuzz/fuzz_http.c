// Bytes of any kind from a client of the live view, over a real connection to a server in this
// process: requests, WebSocket frames, and both broken. Afterwards the server still answers a good
// request and has forgotten the client.
//
// In an input "@T" stands for the token, "@H" for the host and "@@" for the end of what is sent in
// one piece. Without an engine every input is also tried with RL_FUZZ_MUTATIONS (20) random changes
// from fixed seeds.
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rl/base/clock.h"
#include "rl/view/server.h"
#include "tests/fuzz/refused.h"
#include "tests/fuzz/standalone.h"

enum { MAX_SENT = 1 << 16, REPLY_MS = 3, CHECK_EVERY = 16 };

static RlHub *hub;
static RlServer *server;
static struct sockaddr_in address;
static char token[40], host[64];

static void stop_server(void) {
  rl_server_stop(server);
  rl_hub_free(hub);
}

static void start_server(void) {
  static const uint8_t picture[20000];
  hub = rl_hub_create(2);
  server = hub ? rl_server_start(hub, &(RlServerOptions){0}) : NULL;
  RL_ASSERT(server && atexit(stop_server) == 0);
  int port = 0;
  RL_ASSERT(sscanf(rl_server_url(server), "http://127.0.0.1:%d/%32s", &port, token) == 2);
  snprintf(host, sizeof host, "127.0.0.1:%d", port);
  address = (struct sockaddr_in){.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  rl_hub_state(hub, 0, "{}", 2);
  rl_hub_picture(hub, 0, picture, sizeof picture);
  rl_hub_video(hub, 1, picture, sizeof picture);
}

// As poll, past the engine's alarm.
static int wait_for(int fd, short events, int patience_ms) {
  struct pollfd wait = {.fd = fd, .events = events};
  int found;
  do {
    found = poll(&wait, 1, patience_ms);
  } while (found < 0 && errno == EINTR);
  return found;
}

static int connect_client(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;
  socklen_t size = sizeof error;
  RL_ASSERT(fd >= 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  // the engine's alarm leaves it under way
  RL_ASSERT(errno == EINTR && wait_for(fd, POLLOUT, 5000) > 0);
  RL_ASSERT(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0);
  return fd;
}

// Reads what has come; false when the server has closed.
static bool read_reply(int fd, int patience_ms, char *reply, size_t room) {
  reply[0] = '\0';
  if (wait_for(fd, POLLIN, patience_ms) <= 0) return true;
  ssize_t n = recv(fd, reply, room - 1, 0);
  reply[n > 0 ? n : 0] = '\0';
  return n > 0;
}

// Copies a piece of the input with its stand-ins replaced; returns how much of the input it was.
static size_t fill_in(const uint8_t *data, size_t size, char *out, size_t *length) {
  *length = 0;
  for (size_t i = 0; i < size; i++) {
    const char *put = NULL;
    bool more = data[i] == '@' && i + 1 < size;
    if (more && data[i + 1] == '@') return i + 2;
    if (more && data[i + 1] == 'T') put = token;
    if (more && data[i + 1] == 'H') put = host;
    size_t n = put ? strlen(put) : 1;
    if (*length + n > MAX_SENT) break;
    memcpy(out + *length, put ? put : (const char *)&data[i], n);
    *length += n;
    if (put) i++;
  }
  return size;
}

static void speak(const uint8_t *data, size_t size) {
  static char piece[MAX_SENT], reply[1 << 16];
  int fd = connect_client();
  bool open = true;
  for (size_t at = 0; open && at < size;) {
    size_t length;
    at += fill_in(data + at, size - at, piece, &length);
    open = send(fd, piece, length, MSG_NOSIGNAL) == (ssize_t)length &&
           read_reply(fd, REPLY_MS, reply, sizeof reply);
    RL_ASSERT(!strstr(reply, "root:"));
  }
  close(fd);
}

// A good request is answered, and nobody is left watching.
static void expect_alive(void) {
  char request[256], reply[4096];
  snprintf(request, sizeof request, "GET /%s/ HTTP/1.1\r\nHost: %s\r\n\r\n", token, host);
  int fd = connect_client();
  RL_ASSERT(send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request));
  RL_ASSERT(read_reply(fd, 5000, reply, sizeof reply) && strstr(reply, " 200 OK"));
  close(fd);
  double start = rl_clock_seconds();
  while (rl_hub_watched(hub, 0) || rl_hub_watched(hub, 1)) {
    RL_ASSERT(rl_clock_seconds() - start < 5);
    usleep(1000);
  }
  RlCommand command;
  while (rl_hub_pop(hub, &command)) RL_ASSERT(command.panel >= 0 && command.panel < 2);
}

#ifndef RL_FUZZ_ENGINE
// Some bytes changed, doubled, cut off or moved.
static size_t mutate(uint8_t *data, size_t size, size_t room, unsigned *seed) {
  for (int changes = 1 + rand_r(seed) % 4; changes > 0 && size > 2; changes--) {
    size_t at = (size_t)rand_r(seed) % size, count = 1 + (size_t)rand_r(seed) % 16;
    if (at + count > size) count = size - at;
    switch (rand_r(seed) % 4) {
      case 0:
        data[at] = (uint8_t)rand_r(seed);
        break;
      case 1:
        data[at] ^= (uint8_t)(1 << rand_r(seed) % 8);
        break;
      case 2:
        memmove(data + at, data + at + count, size - at - count);
        size -= count;
        break;
      default:
        if (size + count > room) break;
        memmove(data + at + count, data + at, size - at);
        size += count;
        break;
    }
  }
  return size;
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static unsigned inputs;
  if (!server) start_server();
  speak(data, size);
  if (++inputs % CHECK_EVERY == 0) expect_alive();
#ifndef RL_FUZZ_ENGINE
  const char *given = getenv("RL_FUZZ_MUTATIONS");
  size_t room = 2 * size + 64;
  uint8_t *copy = malloc(room);
  RL_ASSERT(copy);
  for (int k = given ? atoi(given) : 20; k > 0; k--) {
    unsigned seed = (unsigned)k + 1000 * inputs;
    memcpy(copy, data, size);
    size_t changed = mutate(copy, size, room, &seed);
    speak(copy, changed);
  }
  free(copy);
  expect_alive();
#endif
  return 0;
}
