// What rlenv check says of a sound task, line by line, and of one whose rewards are no floats.
#include "envs/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/envs/task_bench.h"

// the lines of a check with the forward reward weighted so; for free()
static char *lines_of(const char *name, double weight, RlStatus want) {
  RlConfig config;
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  assert_non_null(out);
  resolve(&config, name, NULL, NULL);
  config.env.forward_reward_weight = weight;
  assert_int_equal(rl_check_run(&config, out), want);
  assert_int_equal(fclose(out), 0);
  return text;
}

static int count(const char *text, const char *what) {
  int n = 0;
  for (const char *at = text; (at = strstr(at, what)) != NULL; at++) n++;
  return n;
}

static void test_sound(void **state) {
  (void)state;
  static const char *const says[] = {
      "model                        ok: half_cheetah.xml\n",
      "dimensions                   ok: observation 17, action 6, nq 9, nv 9\n",
      "actuator ranges              ok: 6 of 6 actuators have one\n",
      "finite after reset           ok: 8 environments\n",
      "reward terms sum to reward   ok: largest relative difference ",
      "finite values                ok: 0 of 200 steps had one that was not\n",
      "no divergence                ok: 0 in 1600 steps\n",
      "1 and 2 threads agree        ok: bit for bit\n",
      "another seed differs         ok: in what it draws\n",
      "same seed repeats            ok: bit for bit\n",
      "speed                        ok: ",
  };
  char *text = lines_of("HalfCheetah-v5", 1, RL_OK), *at = text;
  for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
    if (strncmp(at, says[i], strlen(says[i])) != 0)
      fail_msg("found '%s', expected '%s'", at, says[i]);
    at = strchr(at, '\n') + 1;
  }
  assert_string_equal(at, "");
  free(text);
}

// each step diverges, in both rollouts alike
static void test_wrong(void **state) {
  (void)state;
  char *text = lines_of("HalfCheetah-v5", 1e300, RL_FAIL);
  assert_int_equal(count(text, "WRONG"), 1);
  assert_non_null(strstr(text, "no divergence                WRONG: 1600 in 1600 steps\n"));
  assert_string_equal(rl_error_text(), "HalfCheetah-v5: 1 checks wrong, expected none");
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sound),
      cmocka_unit_test(test_wrong),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
