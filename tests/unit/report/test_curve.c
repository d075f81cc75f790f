// Curves: thinned by means over bins, interpolated, and merged into mean and deviation, against
// numbers made by hand; gaps stay gaps.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rl/report/curve.h"

static RlArena arena;

static int free_arena(void **state) {
  (void)state;
  rl_arena_free(&arena);
  return 0;
}

static RlCurve curve_of(const double *x, const double *y, int n) {
  RlCurve curve;
  rl_curve_init(&curve, &arena, x, y, n);
  return curve;
}

#define CURVE(...) \
  curve_of((const double[][8]){__VA_ARGS__}[0], (const double[][8]){__VA_ARGS__}[1], 3)

static void expect_near(double found, double expected) {
  if (!(fabs(found - expected) <= 1e-12)) fail_msg("found %.17g, expected %.17g", found, expected);
}

static void test_short(void **state) {
  (void)state;
  const double x[] = {1, 2, 3}, y[] = {5, INFINITY, 7};
  RlCurve curve = curve_of(x, y, 3);
  assert_int_equal(curve.n, 3);
  expect_near(curve.y[0], 5);
  assert_true(isnan(curve.y[1]));
  expect_near(curve.y[2], 7);
  assert_int_equal(curve_of(NULL, NULL, 0).n, 0);
}

// 1024 rows at equal distances: four a bin, each point their mean in x and y
static void test_thinned(void **state) {
  (void)state;
  static double x[1024], y[1024];
  for (int i = 0; i < 1024; i++) {
    x[i] = i;
    y[i] = i % 4 == 3 ? (double)NAN : 2.0 * i;
  }
  for (int i = 400; i < 420; i++) y[i] = NAN;
  RlCurve curve = curve_of(x, y, 1024);
  assert_int_equal(curve.n, RL_CURVE_POINTS);
  expect_near(curve.x[0], 1.5);
  expect_near(curve.y[0], 2);  // of 0, 2 and 4: the gap is no 0
  assert_true(isnan(curve.y[102]));
  double mean = 0;
  int known = 0;
  for (int i = 0; i < curve.n; i++) {
    assert_true(i == 0 || curve.x[i] > curve.x[i - 1]);
    if (isnan(curve.y[i])) continue;
    mean += curve.y[i];
    known++;
  }
  assert_true(known >= RL_CURVE_POINTS - 6 && mean > 0);
}

// bins without a row give no point
static void test_uneven(void **state) {
  (void)state;
  static double x[300], y[300];
  for (int i = 0; i < 300; i++) {
    x[i] = i < 150 ? i * 1e-3 : 1000 + i;
    y[i] = 1;
  }
  RlCurve curve = curve_of(x, y, 300);
  assert_true(curve.n > 2 && curve.n < RL_CURVE_POINTS);
  for (int i = 0; i < curve.n; i++) expect_near(curve.y[i], 1);
}

static void test_interpolated(void **state) {
  (void)state;
  RlCurve curve = CURVE({0, 10, 20}, {1, 3, NAN});
  expect_near(rl_curve_interpolate(&curve, 0), 1);
  expect_near(rl_curve_interpolate(&curve, 2.5), 1.5);
  expect_near(rl_curve_interpolate(&curve, 10), 3);
  assert_true(isnan(rl_curve_interpolate(&curve, 15)));
  assert_true(isnan(rl_curve_interpolate(&curve, -1)));
  assert_true(isnan(rl_curve_interpolate(&curve, 21)));
  assert_true(isnan(rl_curve_interpolate(&curve, NAN)));
}

static void test_merged(void **state) {
  (void)state;
  const RlCurve curve[] = {CURVE({1, 2, 3}, {1, 2, 6}), CURVE({1, 2, 3}, {3, 2, 12}),
                           CURVE({1, 2, 3}, {5, 2, 0})};
  RlBand band;
  rl_curve_merge(&band, &arena, curve, 3);
  assert_int_equal(band.n, 3);
  assert_int_equal(band.runs, 3);
  const double mean[] = {3, 2, 6}, spread[] = {sqrt(8.0 / 3), 0, sqrt(24)};
  for (int i = 0; i < 3; i++) {
    expect_near(band.x[i], i + 1);
    expect_near(band.mean[i], mean[i]);
    expect_near(band.spread[i], spread[i]);
  }
}

// at the places of the finer one, where both are known
static void test_ranges(void **state) {
  (void)state;
  const double x[] = {0, 1, 2, 3, 4, 5}, y[] = {NAN, 10, 10, 10, 10, 10};
  const RlCurve fine = curve_of(x, y, 6), coarse = CURVE({0, 2, 4}, {0, 4, 8});
  const RlCurve order[2][2] = {{fine, coarse}, {coarse, fine}};
  const double mean[] = {6, 7, 8, 9};
  for (int o = 0; o < 2; o++) {
    RlBand band;
    rl_curve_merge(&band, &arena, order[o], 2);
    assert_int_equal(band.n, 4);
    for (int i = 0; i < 4; i++) {
      expect_near(band.x[i], i + 1);
      expect_near(band.mean[i], mean[i]);
      expect_near(band.spread[i], 10 - mean[i]);
    }
  }
}

// a run that knows nothing yet is not counted; a gap in one is a gap in the mean
static void test_gaps(void **state) {
  (void)state;
  const RlCurve curve[] = {CURVE({1, 2, 3}, {1, NAN, 3}), CURVE({1, 2, 3}, {NAN, NAN, NAN}),
                           CURVE({1, 2, 3}, {3, 4, 5})};
  RlBand band;
  rl_curve_merge(&band, &arena, curve, 3);
  assert_int_equal(band.runs, 2);
  assert_int_equal(band.n, 3);
  expect_near(band.mean[0], 2);
  assert_true(isnan(band.mean[1]) && isnan(band.spread[1]));
  expect_near(band.mean[2], 4);
}

static void test_nothing(void **state) {
  (void)state;
  RlBand band;
  const RlCurve apart[] = {CURVE({1, 2, 3}, {1, 2, 3}), CURVE({7, 8, 9}, {1, 2, 3})};
  rl_curve_merge(&band, &arena, apart, 2);
  assert_int_equal(band.n, 0);
  rl_curve_merge(&band, &arena, NULL, 0);
  assert_int_equal(band.n, 0);
  assert_int_equal(band.runs, 0);
  const double one = 4;
  const RlCurve single = curve_of(&one, &one, 1);
  rl_curve_merge(&band, &arena, &single, 1);
  assert_int_equal(band.n, 1);
  expect_near(band.mean[0], 4);
  expect_near(band.spread[0], 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_short, free_arena),
      cmocka_unit_test_teardown(test_thinned, free_arena),
      cmocka_unit_test_teardown(test_uneven, free_arena),
      cmocka_unit_test_teardown(test_interpolated, free_arena),
      cmocka_unit_test_teardown(test_merged, free_arena),
      cmocka_unit_test_teardown(test_ranges, free_arena),
      cmocka_unit_test_teardown(test_gaps, free_arena),
      cmocka_unit_test_teardown(test_nothing, free_arena),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
