// A client of the view's server, in the process of the test.
#ifndef TESTS_UNIT_VIEW_CLIENT_H_
#define TESTS_UNIT_VIEW_CLIENT_H_

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rl/base/clock.h"

// Where a server is, from its address.
typedef struct {
  int port;
  char token[40];
} Site;

static inline Site site_of(const char *url) {
  Site site;
  assert_int_equal(sscanf(url, "http://127.0.0.1:%d/%32s", &site.port, site.token), 2);
  assert_int_equal(strlen(site.token), 32);
  return site;
}

static inline int connect_client(const Site *site) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)site->port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

static inline void ask(const Site *site, int fd, const char *rest, const char *more) {
  char request[512];
  int length =
      snprintf(request, sizeof request, "GET /%s/%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n",
               site->token, rest, site->port, more);
  assert_int_equal(send(fd, request, (size_t)length, MSG_NOSIGNAL), length);
}

static inline void ask_socket(const Site *site, int fd) {
  char more[256];
  snprintf(more, sizeof more,
           "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://127.0.0.1:%d\r\n",
           site->port);
  ask(site, fd, "ws", more);
}

// Sends a text message of less than 126 bytes, masked by zeros.
static inline void order(int fd, const char *json) {
  size_t length = strlen(json);
  assert_true(length < 126);
  uint8_t frame[6 + 126] = {0x81, (uint8_t)(0x80 | length)};
  memcpy(frame + 6, json, length);
  assert_int_equal(send(fd, frame, 6 + length, MSG_NOSIGNAL), 6 + length);
}

// What has come of a reply.
typedef struct {
  char text[1 << 17];
  size_t length;
  double start;
} Reply;

static inline void receive(int fd, Reply *reply, const char *wanted) {
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  if (reply->length == sizeof reply->text) reply->length = 0;
  char *end = reply->text + reply->length;
  size_t room = sizeof reply->text - reply->length;
  ssize_t n = poll(&wait, 1, 1000) > 0 ? recv(fd, end, room, 0) : 0;
  if (n > 0) reply->length += (size_t)n;
  if (n < 0 || rl_clock_seconds() - reply->start > 20) fail_msg("%s did not come", wanted);
}

// Reads until the text has come; text that has NULs in it is looked through behind them too.
static inline void await(int fd, const char *text) {
  static Reply reply;
  reply.length = 0;
  reply.start = rl_clock_seconds();
  while (!memmem(reply.text, reply.length, text, strlen(text))) receive(fd, &reply, text);
}

// Reads until a state has come in which there were at least so many steps, and returns how many.
static inline long await_steps(int fd, long least) {
  static const char key[] = "\"steps\": ";
  static Reply reply;
  reply.length = 0;
  reply.start = rl_clock_seconds();
  for (size_t done = 0;;) {
    if (done > reply.length) done = 0;  // the buffer was full and begins anew
    char *found = memmem(reply.text + done, reply.length - done, key, sizeof key - 1), *end;
    size_t left = found ? reply.length - (size_t)(found - reply.text) : 0;
    if (!found || !memchr(found, ',', left)) {
      receive(fd, &reply, "a step");
      continue;
    }
    long steps = strtol(found + sizeof key - 1, &end, 10);
    if (steps >= least) return steps;
    done = (size_t)(end - reply.text);
  }
}

#endif
