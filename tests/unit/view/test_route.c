// What a request may ask for: routes under the token alone, hosts nobody's DNS leads here, origins
// of our own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "rl/view/page.h"
#include "rl/view/route.h"

static const char token[] = "0123456789abcdef0123456789abcdef";

static RlRoute find(const char *rest) {
  char path[256];
  snprintf(path, sizeof path, "/%s/%s", token, rest);
  return rl_route_find(path, token, 12);
}

static void test_routes(void **state) {
  (void)state;
  for (int i = 0; i < RL_PAGE_FILES; i++) {
    RlRoute route = find(rl_page_files[i].name);
    assert_int_equal(route.kind, RL_ROUTE_FILE);
    assert_int_equal(route.index, i);
    assert_true(strlen(rl_page_files[i].text) > 100);
  }
  assert_int_equal(find("ws").kind, RL_ROUTE_SOCKET);
  for (int panel = 0; panel < 12; panel++) {
    static const struct {
      const char *format;
      RlRouteKind kind;
    } row[] = {{"stream/%d", RL_ROUTE_STREAM},
               {"video/%d.mp4", RL_ROUTE_VIDEO},
               {"video/%d.html", RL_ROUTE_VIDEO_PAGE}};
    for (int i = 0; i < 3; i++) {
      char rest[64];
      snprintf(rest, sizeof rest, row[i].format, panel);
      assert_int_equal(find(rest).kind, row[i].kind);
      assert_int_equal(find(rest).index, panel);
    }
  }
}

static void test_no_routes(void **state) {
  (void)state;
  static const char *const rest[] = {
      "stream",        "stream/",      "stream/12",
      "stream/-1",     "stream/00",    "stream/1x",
      "stream/1/",     "stream/ 1",    "stream/99999999999999999999",
      "video/0",       "video/0.mp4x", "video/.mp4",
      "video/12.mp4",  "video/0.avi",  "index.html",
      "../etc/passwd", "./",           "/",
      "ws/",           "style.css/..", "%2e%2e/",
      "STYLE.CSS",
  };
  for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) {
    if (find(rest[i]).kind != RL_ROUTE_NONE) fail_msg("%s leads somewhere", rest[i]);
  }
  static const char *const path[] = {"",
                                     "/",
                                     "//",
                                     "/ws",
                                     "/stream/0",
                                     "/etc/passwd",
                                     "0123456789abcdef0123456789abcdef/",
                                     "/0123456789abcdef0123456789abcdef",
                                     "/0123456789abcdef0123456789abcdefx",
                                     "/0123456789abcdef0123456789abcde/x"};
  for (size_t i = 0; i < sizeof path / sizeof *path; i++) {
    if (rl_route_find(path[i], token, 12).kind != RL_ROUTE_NONE) fail_msg("%s leads", path[i]);
  }
}

// Every place of the token counts.
static void test_token(void **state) {
  (void)state;
  for (size_t i = 0; i < RL_TOKEN_SIZE - 1; i++) {
    char path[64];
    snprintf(path, sizeof path, "/%s/", token);
    path[1 + i] ^= 1;
    assert_int_equal(rl_route_find(path, token, 1).kind, RL_ROUTE_NONE);
  }
  assert_int_equal(find("").kind, RL_ROUTE_FILE);
}

static void test_hosts(void **state) {
  (void)state;
  static const char *const good[] = {"127.0.0.1",   "127.0.0.1:8080", "localhost",  "LOCALHOST:1",
                                     "[::1]:65535", "[::1]",          "10.1.2.3:80"};
  static const char *const bad[] = {"",
                                    ":80",
                                    "evil.example",
                                    "evil.example:80",
                                    "localhost.evil.example",
                                    "127.0.0.1.evil.example:80",
                                    "127.0.0.1:",
                                    "127.0.0.1:x",
                                    "127.0.0.1:123456",
                                    "[::1",
                                    "::1",
                                    "[localhost]",
                                    "127.1",
                                    "localhost:80:80",
                                    "a@127.0.0.1",
                                    "127.0.0.1 "};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    if (!rl_route_host_allowed(good[i], "127.0.0.1")) fail_msg("%s is refused", good[i]);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    if (rl_route_host_allowed(bad[i], "127.0.0.1")) fail_msg("\"%s\" is allowed", bad[i]);
  }
  char longest[300];
  memset(longest, '1', sizeof longest);
  longest[sizeof longest - 1] = '\0';
  assert_false(rl_route_host_allowed(longest, "127.0.0.1"));
}

static void test_origins(void **state) {
  (void)state;
  assert_true(rl_route_origin_allowed("http://127.0.0.1:8080", "127.0.0.1:8080"));
  assert_true(rl_route_origin_allowed("HTTP://LocalHost:1", "localhost:1"));
  static const char *const bad[] = {"",
                                    "null",
                                    "http://",
                                    "http://127.0.0.1",
                                    "http://127.0.0.1:8081",
                                    "https://127.0.0.1:8080",
                                    "http://127.0.0.1:8080/",
                                    "http://127.0.0.1:8080.evil.example",
                                    "http://localhost:8080",
                                    "127.0.0.1:8080"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    if (rl_route_origin_allowed(bad[i], "127.0.0.1:8080")) fail_msg("\"%s\" is allowed", bad[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_routes), cmocka_unit_test(test_no_routes), cmocka_unit_test(test_token),
      cmocka_unit_test(test_hosts),  cmocka_unit_test(test_origins),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
