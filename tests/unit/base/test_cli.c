// Command lines: whole numbers inside their bounds, and what of an option is refused by name.
#include "rl/base/cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

static void test_numbers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t lo, hi, want;
    RlStatus status;
  } in[] = {
      {"7", 0, 9, 7, RL_OK},
      {"0", 0, 9, 0, RL_OK},
      {"9", 0, 9, 9, RL_OK},
      {"-3", -3, 9, -3, RL_OK},
      {"9223372036854775807", 0, INT64_MAX, INT64_MAX, RL_OK},
      {"10", 0, 9, 0, RL_USAGE},
      {"-1", 0, 9, 0, RL_USAGE},
      {"", 0, 9, 0, RL_USAGE},
      {"x", 0, 9, 0, RL_USAGE},
      {"7x", 0, 9, 0, RL_USAGE},
      {"7.0", 0, 9, 0, RL_USAGE},
      {"9223372036854775808", 0, INT64_MAX, 0, RL_USAGE},
  };
  for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
    int64_t out = 1234;
    RlStatus status = rl_cli_int64(&out, "--seed", in[i].text, in[i].lo, in[i].hi);
    assert_int_equal(status, in[i].status);
    assert_int_equal(out, status == RL_OK ? in[i].want : 1234);
  }
  int64_t out;
  assert_int_equal(rl_cli_int64(&out, "--seed", "x", 1, 5), RL_USAGE);
  assert_string_equal(rl_error_text(), "--seed: found \"x\", expected a whole number from 1 to 5");
}

static const struct option options[] = {
    {"out", required_argument, NULL, 'o'}, {"quiet", no_argument, NULL, 'q'}, {NULL, 0, NULL, 0}};

static void test_options(void **state) {
  (void)state;
  char *good[] = {"rltrain", "--quiet", "--out", "runs/a", NULL};
  RlStatus status = RL_OK;
  optind = 0;
  assert_int_equal(rl_cli_option(4, good, options, &status), 'q');
  assert_int_equal(rl_cli_option(4, good, options, &status), 'o');
  assert_string_equal(optarg, "runs/a");
  assert_int_equal(rl_cli_option(4, good, options, &status), -1);
  assert_int_equal(status, RL_OK);
  char *brief[] = {"rltrain", "-qo", "runs/b", "-oruns/c", NULL};
  optind = 0;
  assert_int_equal(rl_cli_option(4, brief, options, &status), 'q');
  assert_int_equal(rl_cli_option(4, brief, options, &status), 'o');
  assert_string_equal(optarg, "runs/b");
  assert_int_equal(rl_cli_option(4, brief, options, &status), 'o');
  assert_string_equal(optarg, "runs/c");
  assert_int_equal(rl_cli_option(4, brief, options, &status), -1);
  assert_int_equal(status, RL_OK);
  char *unknown[] = {"rltrain", "--loud", NULL};
  optind = 0;
  assert_int_equal(rl_cli_option(2, unknown, options, &status), -1);
  assert_int_equal(status, RL_USAGE);
  assert_string_equal(rl_error_text(), "--loud: unknown option, expected one of --help");
  char *bare[] = {"rltrain", "--out", NULL};
  status = RL_OK;
  optind = 0;
  assert_int_equal(rl_cli_option(2, bare, options, &status), -1);
  assert_int_equal(status, RL_USAGE);
  assert_string_equal(rl_error_text(), "--out: found no value, expected one, see --help");
}

static void test_exit(void **state) {
  (void)state;
  assert_int_equal(rl_cli_exit(RL_OK), 0);
  assert_int_equal(rl_cli_exit(RL_FAIL), 1);
  assert_int_equal(rl_cli_exit(RL_USAGE), 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_options),
      cmocka_unit_test(test_exit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
