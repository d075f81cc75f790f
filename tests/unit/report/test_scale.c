// Axes: ticks at round numbers inside the range, written so that they can be told apart, and a
// range that can be drawn whatever the data.
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rl/report/scale.h"

static void expect_ticks(double lo, double hi, int count, const char *expected) {
  RlScale scale;
  char text[RL_SCALE_TEXT], all[512] = "";
  rl_scale_init(&scale, lo, hi, count);
  for (int i = 0; i < scale.nticks; i++) {
    rl_scale_print(&scale, scale.tick[i], text);
    snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? " " : "", text);
  }
  assert_string_equal(all, expected);
}

static void test_ticks(void **state) {
  (void)state;
  expect_ticks(0, 10, 5, "0 2 4 6 8 10");
  expect_ticks(0, 1, 4, "0 0.25 0.50 0.75 1.00");
  expect_ticks(0, 1e6, 5, "0 0.2M 0.4M 0.6M 0.8M 1.0M");
  expect_ticks(0, 8000, 4, "0 2000 4000 6000 8000");
  expect_ticks(0, 25000, 5, "0 5k 10k 15k 20k 25k");
  expect_ticks(-3.2, 4.1, 4, "-2 0 2 4");
  expect_ticks(-160, -20, 4, "-150 -100 -50");
  expect_ticks(0, 3e-4, 3, "0 1e-4 2e-4 3e-4");
  expect_ticks(0, 3e9, 3, "0 1G 2G 3G");
  expect_ticks(0, 3e14, 3, "0 1e14 2e14 3e14");
  // 0.1 * 3 is not 0.3: the last tick must not be lost, nor written with digits behind
  expect_ticks(0, 0.3, 3, "0 0.1 0.2 0.3");
  expect_ticks(0.1, 0.4, 3, "0.1 0.2 0.3 0.4");
  expect_ticks(0, 0.02, 4, "0 0.005 0.010 0.015 0.020");
}

// Every tick lies in the range, whatever it is, and there are neither none nor many.
static void test_any_range(void **state) {
  (void)state;
  const double end[] = {-DBL_MAX, -1e17, -1e5, -3, -1e-7, -DBL_MIN, 0,    DBL_MIN, 1e-300,
                        1e-7,     0.1,   1,    7,  1234,  1e9,      1e16, 1e300,   DBL_MAX};
  enum { N = sizeof end / sizeof *end };
  for (int i = 0; i < N; i++) {
    for (int j = i; j < N; j++) {
      RlScale scale;
      rl_scale_init(&scale, end[i], end[j], 5);
      assert_true(isfinite(scale.lo) && isfinite(scale.hi) && scale.lo < scale.hi);
      assert_in_range(scale.nticks, 1, 12);
      double room = 1e-6 * (scale.hi - scale.lo);
      for (int t = 0; t < scale.nticks; t++) {
        assert_true(scale.tick[t] >= scale.lo - room && scale.tick[t] <= scale.hi + room);
        assert_true(t == 0 || scale.tick[t] > scale.tick[t - 1]);
      }
      assert_true(fabs(rl_scale_place(&scale, scale.lo)) <= 1e-12);
      assert_true(fabs(rl_scale_place(&scale, scale.hi) - 1) <= 1e-12);
    }
  }
}

static void test_no_range(void **state) {
  (void)state;
  RlScale scale;
  rl_scale_init(&scale, NAN, NAN, 5);
  assert_true(scale.lo == 0 && scale.hi == 1);
  rl_scale_init(&scale, INFINITY, -INFINITY, 5);
  assert_true(scale.lo == 0 && scale.hi == 1);
  // one value lies in the middle
  rl_scale_init(&scale, 1000, 1000, 5);
  assert_true(scale.lo == 900 && scale.hi == 1100);
  rl_scale_init(&scale, 0, 0, 5);
  assert_true(scale.lo == -1 && scale.hi == 1);
}

static void test_extend(void **state) {
  (void)state;
  RlScale scale;
  rl_scale_init(&scale, 0, 998400, 5);
  rl_scale_extend(&scale, 5);
  assert_true(scale.hi == 1e6 && scale.nticks == 6);
  rl_scale_init(&scale, 0, 900000, 5);
  rl_scale_extend(&scale, 5);
  assert_true(scale.hi == 900000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ticks),
      cmocka_unit_test(test_any_range),
      cmocka_unit_test(test_no_range),
      cmocka_unit_test(test_extend),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
