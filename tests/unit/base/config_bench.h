// What the tests of the configuration share: one configuration, and the line it fails with.
#ifndef TESTS_UNIT_BASE_CONFIG_BENCH_H_
#define TESTS_UNIT_BASE_CONFIG_BENCH_H_

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "rl/base/config.h"

enum { DUMP_SIZE = 1 << 16 };

static RlConfig config;

static inline RlStatus parse(const char *text) {
  rl_config_default(&config);
  return rl_config_parse(&config, text, strlen(text), "x.ini");
}

static inline RlStatus set(const char *key, const char *value) {
  return rl_config_set(&config, key, value, "--set");
}

static inline void expect_ok(RlStatus status) {
  if (status != RL_OK) fail_msg("%s", rl_error_text());
}

// The text is refused with exactly this line.
static inline void refused(const char *text, const char *line) {
  assert_int_equal(parse(text), RL_USAGE);
  assert_string_equal(rl_error_text(), line);
}

static inline void set_refused(const char *key, const char *value, const char *expected) {
  char line[1024];
  rl_config_default(&config);
  assert_int_equal(set(key, value), RL_USAGE);
  snprintf(line, sizeof line, "--set: %s: found \"%s\", expected %s", key, value, expected);
  assert_string_equal(rl_error_text(), line);
}

static inline void dump(char *text, RlDump what) {
  assert_true(rl_config_dump(&config, what, text, DUMP_SIZE) < DUMP_SIZE);
}

// The line that a set of keys fails with, "" if it is valid.
static inline void validates(const char *text, const char *line) {
  expect_ok(parse(text));
  RlStatus status = rl_config_validate(&config, "x.ini");
  assert_int_equal(status, line[0] == '\0' ? RL_OK : RL_USAGE);
  if (line[0] != '\0') assert_string_equal(rl_error_text(), line);
}

#endif
