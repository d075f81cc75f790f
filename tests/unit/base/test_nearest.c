// The edit distance behind every "nearest is": each kind of edit, letter case, and names of any
// length.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <string.h>

#include "rl/base/nearest.h"

// The distance is the same both ways.
static void apart(const char *a, const char *b, int expected) {
  assert_int_equal(rl_nearest_distance(a, b), expected);
  assert_int_equal(rl_nearest_distance(b, a), expected);
}

static void test_edits(void **state) {
  (void)state;
  apart("", "", 0);
  apart("", "ppo", 3);
  apart("gamma", "gamma", 0);
  apart("gama", "gamma", 1);
  apart("gxmma", "gamma", 1);
  apart("clip", "lcip", 2);
  apart("kitten", "sitting", 3);
  apart("n_step", "n_steps", 1);
  apart("abc", "xyz", 3);
  apart("abcdef", "bcdefg", 2);
}

// Letters alone have a case: what differs from them in the same bit is another name.
static void test_case(void **state) {
  (void)state;
  apart("PPO", "ppo", 0);
  apart("AZ", "az", 0);
  apart("Humanoid-V5", "humanoid-v5", 0);
  apart("@", "`", 1);
  apart("[", "{", 1);
  apart("_", "\x7f", 1);
  apart("\xc3\x84", "\xe3\xa4", 2);
}

static void test_begins(void **state) {
  (void)state;
  assert_true(rl_nearest_begins("environment", "env"));
  assert_true(rl_nearest_begins("ENVIRONMENT", "env"));
  assert_true(rl_nearest_begins("env", "env"));
  assert_true(rl_nearest_begins("env", ""));
  assert_false(rl_nearest_begins("en", "env"));
  assert_false(rl_nearest_begins("", "env"));
  assert_false(rl_nearest_begins("my_env", "env"));
}

static void test_lengths(void **state) {
  (void)state;
  char longest[1000], other[1000];
  memset(longest, 'a', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  memcpy(other, longest, sizeof other);
  apart(longest, "", RL_NEAREST_MAX);
  apart(longest, "a", RL_NEAREST_MAX - 1);
  other[RL_NEAREST_MAX - 1] = 'b';
  apart(longest, other, 1);
  other[RL_NEAREST_MAX - 1] = 'a';
  other[RL_NEAREST_MAX] = 'b';
  apart(longest, other, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_edits),
      cmocka_unit_test(test_case),
      cmocka_unit_test(test_begins),
      cmocka_unit_test(test_lengths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
