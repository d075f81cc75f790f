// The error line: one line, cut to size, of one thread, and nothing that moves a cursor.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "rl/base/status.h"

static void test_line(void **state) {
  (void)state;
  rl_error_clear();
  assert_string_equal(rl_error_text(), "");
  assert_int_equal(rl_error(RL_USAGE, "%s:%d: found \"%s\"", "x.ini", 3, "y"), RL_USAGE);
  assert_string_equal(rl_error_text(), "x.ini:3: found \"y\"");
  assert_int_equal(rl_error(RL_FAIL, "other"), RL_FAIL);
  assert_string_equal(rl_error_text(), "other");
}

static void test_control_characters(void **state) {
  (void)state;
  (void)rl_error(RL_FAIL,
                 "a\nb\tc\x1b[2Jd\x7f"
                 "e é");
  assert_string_equal(rl_error_text(), "a?b?c?[2Jd?e é");
}

static void test_long_line(void **state) {
  (void)state;
  char text[3000];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  (void)rl_error(RL_FAIL, "%s", text);
  assert_int_equal(strlen(rl_error_text()), 1023);
}

static void test_line_in_itself(void **state) {
  (void)state;
  (void)rl_error(RL_FAIL, "inner");
  (void)rl_error(RL_FAIL, "outer: %s", rl_error_text());
  assert_string_equal(rl_error_text(), "outer: inner");
}

static void *other_thread(void *arg) {
  int *empty = arg;
  *empty = rl_error_text()[0] == '\0';
  (void)rl_error(RL_FAIL, "theirs");
  return NULL;
}

static void test_threads(void **state) {
  (void)state;
  int empty = 0;
  pthread_t thread;
  (void)rl_error(RL_FAIL, "mine");
  assert_int_equal(pthread_create(&thread, NULL, other_thread, &empty), 0);
  pthread_join(thread, NULL);
  assert_true(empty);
  assert_string_equal(rl_error_text(), "mine");
}

static int calls;

static RlStatus answer(RlStatus status) {
  calls++;
  return status;
}

static RlStatus tries(RlStatus first) {
  RL_TRY(answer(first));
  RL_TRY(answer(RL_OK));
  return RL_OK;
}

static void test_try(void **state) {
  (void)state;
  calls = 0;
  assert_int_equal(tries(RL_OK), RL_OK);
  assert_int_equal(calls, 2);
  calls = 0;
  assert_int_equal(tries(RL_USAGE), RL_USAGE);
  assert_int_equal(calls, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_line),      cmocka_unit_test(test_control_characters),
      cmocka_unit_test(test_long_line), cmocka_unit_test(test_line_in_itself),
      cmocka_unit_test(test_threads),   cmocka_unit_test(test_try),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
