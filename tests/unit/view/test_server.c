// The view's server from start to stop, with a client in this process while the hub is being fed by
// another thread: what is refused at the start, a page, a stream, a WebSocket. How it bears hostile
// clients is tests/system/test_view_server.sh.
#include "rl/view/server.h"

#include <signal.h>

#include "rl/view/connection.h"
#include "tests/unit/view/client.h"

typedef struct {
  RlHub *hub;
  RlServer *server;
  Site site;
} World;

static World open_world(void) {
  World w = {.hub = rl_hub_create(2)};
  assert_non_null(w.hub);
  w.server = rl_server_start(w.hub, &(RlServerOptions){0});
  assert_non_null(w.server);
  w.site = site_of(rl_server_url(w.server));
  return w;
}

static void close_world(World *w) {
  rl_server_stop(w->server);
  rl_hub_free(w->hub);
}

static void test_refused(void **state) {
  (void)state;
  World w = open_world();
  const struct {
    RlServerOptions options;
    const char *line;
  } row[] = {{{.address = "nowhere"}, "--address: found \"nowhere\", expected an address"},
             {{.address = "203.0.113.1"}, "at 203.0.113.1 port 0, expected to listen there"},
             {{.address = ""}, "--address: found \"\""},
             {{.port = w.site.port}, "\"Address already in use\" at 127.0.0.1"}};
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    rl_error_clear();
    assert_null(rl_server_start(w.hub, &row[i].options));
    if (!strstr(rl_error_text(), row[i].line)) fail_msg("%zu: %s", i, rl_error_text());
  }
  close_world(&w);
  rl_server_stop(NULL);
}

// Two servers at once, and again: nothing is left of the one before, no token comes twice.
static void test_again(void **state) {
  (void)state;
  World first = open_world();
  for (int i = 0; i < 10; i++) {
    World next = open_world();
    assert_string_not_equal(first.site.token, next.site.token);
    int fd = connect_client(&next.site);
    if (i % 2) {
      ask(&next.site, fd, "", "");
      await(fd, "</html>");
    }
    close_world(&next);
    close(fd);
  }
  int fd = connect_client(&first.site);
  ask(&first.site, fd, "", "");
  await(fd, "</html>");
  close(fd);
  close_world(&first);
}

// The server's thread leaves signals to its caller, who gets them as before.
static void test_signals(void **state) {
  (void)state;
  sigset_t before, after;
  sigemptyset(&before);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  World w = open_world();
  pthread_sigmask(SIG_SETMASK, NULL, &after);
  for (int number = 1; number < NSIG; number++) {
    assert_int_equal(sigismember(&after, number), 0);
  }
  close_world(&w);
}

static bool is_closed(int fd, int milliseconds) {
  struct pollfd look = {.fd = fd, .events = POLLIN};
  char byte;
  return poll(&look, 1, milliseconds) > 0 && recv(fd, &byte, 1, 0) <= 0;
}

// One connection more than there are slots: of those that ask for nothing, the oldest goes for it.
static void test_crowd(void **state) {
  (void)state;
  World w = open_world();
  int idle[RL_SERVER_SLOTS];
  for (int i = 0; i < RL_SERVER_SLOTS; i++) idle[i] = connect_client(&w.site);
  assert_false(is_closed(idle[0], 200));
  int fd = connect_client(&w.site);
  assert_true(is_closed(idle[0], 3000));
  assert_false(is_closed(idle[1], 0));
  ask(&w.site, fd, "", "");
  await(fd, "</html>");
  close(fd);
  for (int i = 0; i < RL_SERVER_SLOTS; i++) close(idle[i]);
  close_world(&w);
}

// What a stream sends is whole pictures, the newest at the time.
static void test_stream(void **state) {
  (void)state;
  World w = open_world();
  static uint8_t picture[50000];
  int fd = connect_client(&w.site);
  ask(&w.site, fd, "stream/1", "");
  await(fd, "multipart/x-mixed-replace");
  double start = rl_clock_seconds();
  while (!rl_hub_watched(w.hub, 1)) assert_true(rl_clock_seconds() - start < 20);
  assert_false(rl_hub_watched(w.hub, 0));
  for (int i = 0; i < 200; i++) {
    memset(picture, 'a' + i % 26, sizeof picture);
    rl_hub_state(w.hub, 1, "{}", 2);
    rl_hub_picture(w.hub, 1, picture, sizeof picture);
  }
  await(fd, "X-Sequence: 200\r\nX-State: 200\r\n\r\nrrrrrrrrrr");
  close(fd);
  while (rl_hub_watched(w.hub, 1)) {
    assert_true(rl_clock_seconds() - start < 20);
    usleep(1000);
  }
  close_world(&w);
}

static void test_socket(void **state) {
  (void)state;
  World w = open_world();
  int fd = connect_client(&w.site);
  ask_socket(&w.site, fd);
  // the answer that RFC 6455 gives for this key
  await(fd, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  rl_hub_state(w.hub, 1, "{\"a\": 1}", 8);
  await(fd, "{\"panel\": 1, \"panels\": 2, \"sequence\": 1, \"video\": 0, \"state\": {\"a\": 1}}");
  order(fd, "{\"do\":\"save\",\"panel\":1}");
  RlCommand command = {0};
  double start = rl_clock_seconds();
  while (!rl_hub_pop(w.hub, &command)) assert_true(rl_clock_seconds() - start < 20);
  assert_int_equal(command.kind, RL_COMMAND_SAVE);
  assert_int_equal(command.panel, 1);
  order(fd, "{");
  await(fd, "{\"refused\": \"message: found its end, expected '\\\"'\"}");
  close_world(&w);
  close(fd);
}

// An order in a message of so many bytes, blanks behind it.
static void send_long(int fd, size_t size) {
  static const char step[] = "{\"do\":\"step\",\"panel\":1}";
  uint8_t frame[8 + RL_MESSAGE_SIZE + 1] = {0x81, 0x80 | 126, (uint8_t)(size >> 8), (uint8_t)size};
  memset(frame + 8, ' ', size);
  memcpy(frame + 8, step, sizeof step - 1);
  assert_int_equal(send(fd, frame, 8 + size, MSG_NOSIGNAL), 8 + size);
}

// A byte too many ends the connection, and nothing of the message is obeyed.
// An upgrade that libwebsockets does not know it refuses itself. On a connection that was used
// before it gives the request's headers back with that, and asks whether to upgrade all the same:
// nothing of them may be read then (ASan). In names of upgrades case does not matter.
static void test_unknown_upgrade(void **state) {
  (void)state;
  World w = open_world();
  static const char *const more[] = {"Upgrade: wing\r\n", "Upgrade: websockets\r\n"};
  for (int i = 0; i < 4; i++) {
    int fd = connect_client(&w.site);
    if (i >= 2) {
      ask(&w.site, fd, "", "");
      await(fd, "</html>");
    }
    ask(&w.site, fd, "ws", more[i % 2]);
    await(fd, "403");
    close(fd);
  }
  int fd = connect_client(&w.site);
  char request[256];
  snprintf(request, sizeof request,
           "Upgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://127.0.0.1:%d\r\n",
           w.site.port);
  ask(&w.site, fd, "ws", request);
  await(fd, "101 Switching");
  close(fd);
  close_world(&w);
}

static void test_long_message(void **state) {
  (void)state;
  World w = open_world();
  RlCommand command = {0};
  int fd = connect_client(&w.site);
  ask_socket(&w.site, fd);
  await(fd, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  send_long(fd, RL_MESSAGE_SIZE);
  double start = rl_clock_seconds();
  while (!rl_hub_pop(w.hub, &command)) assert_true(rl_clock_seconds() - start < 20);
  assert_int_equal(command.kind, RL_COMMAND_STEP);
  send_long(fd, RL_MESSAGE_SIZE + 1);
  // a close for a message too large, 1009
  await(fd, "\x88\x02\x03\xf1");
  assert_false(rl_hub_pop(w.hub, &command));
  close(fd);
  close_world(&w);
}

// Base64 bit by bit, of a count that is one more than a multiple of three.
static void encode(const uint8_t *data, size_t count, char *out) {
  static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t bit = 0; bit < 8 * count; bit += 6) {
    unsigned value = 0;
    for (size_t k = bit; k < bit + 6; k++) {
      unsigned byte = k < 8 * count ? data[k / 8] : 0u;
      value = value << 1 | (byte >> (7 - k % 8) & 1u);
    }
    *out++ = digit[value];
  }
  strcpy(out, "==");
}

// A video comes as it is, and as base64 within a page, whatever its length.
static void test_video(void **state) {
  (void)state;
  World w = open_world();
  static const char *const encoded[] = {"base64,YQ==\"", "base64,YWI=\"", "base64,YWJj\""};
  for (size_t size = 1; size <= 3; size++) {
    rl_hub_video(w.hub, 0, (const uint8_t *)"abc", size);
    int fd = connect_client(&w.site);
    ask(&w.site, fd, "video/0.html", "");
    await(fd, encoded[size - 1]);
    close(fd);
  }
  uint8_t large[100000];
  for (size_t i = 0; i < sizeof large; i++) large[i] = (uint8_t)(i * i >> 5);
  rl_hub_video(w.hub, 0, large, sizeof large);
  int fd = connect_client(&w.site);
  ask(&w.site, fd, "video/0.mp4", "");
  await(fd, "content-length: 100000");
  // a page of several chunks ends with what the video ends with
  char ending[24];
  encode(large + sizeof large - 10, 10, ending);
  strcat(ending, "\"");
  int other = connect_client(&w.site);
  ask(&w.site, other, "video/0.html", "");
  await(other, ending);
  close(other);
  ask(&w.site, fd, "video/1.mp4", "");
  await(fd, "404");
  close(fd);
  close_world(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_refused),         cmocka_unit_test(test_again),
      cmocka_unit_test(test_signals),         cmocka_unit_test(test_crowd),
      cmocka_unit_test(test_stream),          cmocka_unit_test(test_socket),
      cmocka_unit_test(test_long_message),    cmocka_unit_test(test_video),
      cmocka_unit_test(test_unknown_upgrade),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
