// Reset states: distributed as Gymnasium's (tests/parity/fixtures/reset.txt, see
// make_reset_fixtures.py), coordinates independent, scaled by their key. Seeds are fixed, so the
// bounds never fail by chance.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/envs/task_bench.h"

#define RESET_FIXTURE RL_SOURCE_DIR "/tests/parity/fixtures/reset.txt"

enum { RESETS = 2000, QUANTILES = 21 };

// The value of one line's coordinate in the state just drawn.
static double coordinate(const mjData *d, const char *part, int index) {
  if (strcmp(part, "qpos") == 0) return d->qpos[index];
  if (strcmp(part, "qvel") == 0) return d->qvel[index];
  assert_string_equal(part, "norm");
  return hypot(d->qpos[index], d->qpos[index + 1]);
}

// Compares the distribution of RESETS draws with the fixture's quantiles: at each the share below
// must be right to .055, five standard deviations of a share of one half.
static void compare_quantiles(const double *draw, const double *quantile, const char *line) {
  double lo = quantile[0], hi = quantile[QUANTILES - 1];
  for (int k = 0; k < QUANTILES; k++) {
    double below = 0;
    for (int i = 0; i < RESETS; i++) below += draw[i] <= quantile[k] + 1e-12;
    double share = below / RESETS, expected = (double)k / (QUANTILES - 1);
    // a constant is at or below every quantile
    if (lo == hi) expected = 1;
    if (!(fabs(share - expected) <= .055))
      fail_msg("%s: %g of draws below quantile %d", line, share, k);
  }
  for (int i = 0; i < RESETS; i++) {
    // bounded draws stay within their bounds; Gaussian ones seldom leave the range of 20,000
    double slack = .3 * (hi - lo);
    if (!(draw[i] >= lo - slack && draw[i] <= hi + slack)) fail_msg("%s: drew %g", line, draw[i]);
  }
}

static void test_reset_distribution(void **state) {
  (void)state;
  FILE *file = fopen(RESET_FIXTURE, "r");
  assert_non_null(file);
  static double draw[64][RESETS];
  char name[64], part[8], current[64] = "";
  int index, lines = 0, nq = 0, nv = 0;
  while (fscanf(file, "%63s %7s %d", name, part, &index) == 3) {
    double quantile[QUANTILES];
    for (int k = 0; k < QUANTILES; k++) assert_int_equal(fscanf(file, "%lf", &quantile[k]), 1);
    if (strcmp(name, current) != 0) {
      Bench b;
      bench_init(&b, name, NULL, NULL);
      nq = (int)b.m->nq;
      nv = (int)b.m->nv;
      for (int i = 0; i < RESETS; i++) {
        mj_resetData(b.m, b.d);
        b.task->reset(&b.v, b.d, &b.rng);
        for (int k = 0; k < nq; k++) draw[k][i] = coordinate(b.d, "qpos", k);
        for (int k = 0; k < nv; k++) draw[nq + k][i] = coordinate(b.d, "qvel", k);
      }
      strcpy(current, name);
      bench_free(&b);
    }
    char line[128];
    snprintf(line, sizeof line, "%s %s %d", name, part, index);
    double norm[RESETS];
    const double *x = strcmp(part, "qpos") == 0 ? draw[index] : draw[nq + index];
    if (strcmp(part, "norm") == 0) {
      for (int i = 0; i < RESETS; i++) norm[i] = hypot(draw[index][i], draw[index + 1][i]);
      x = norm;
    }
    compare_quantiles(x, quantile, line);
    lines++;
  }
  fclose(file);
  assert_int_equal(lines, 223);
}

// No coordinate is another's draw used twice: correlations stay below .13, six standard deviations.
static void test_reset_independence(void **state) {
  (void)state;
  static double draw[64][RESETS];
  for (int t = 0; t < NTASK; t++) {
    Bench b;
    bench_init(&b, rl_tasks[t]->name, NULL, NULL);
    int n = (int)(b.m->nq + b.m->nv);
    for (int i = 0; i < RESETS; i++) {
      mj_resetData(b.m, b.d);
      b.task->reset(&b.v, b.d, &b.rng);
      for (int k = 0; k < n; k++) draw[k][i] = k < b.m->nq ? b.d->qpos[k] : b.d->qvel[k - b.m->nq];
    }
    for (int k = 0; k < n; k++) {
      double mean = 0, square = 0;
      for (int i = 0; i < RESETS; i++) mean += draw[k][i] / RESETS;
      for (int i = 0; i < RESETS; i++) square += pow(draw[k][i] - mean, 2);
      double scale = square > 1e-20 ? 1 / sqrt(square) : 0;
      for (int i = 0; i < RESETS; i++) draw[k][i] = (draw[k][i] - mean) * scale;
    }
    for (int k = 0; k < n; k++) {
      for (int l = 0; l < k; l++) {
        double sum = 0;
        for (int i = 0; i < RESETS; i++) sum += draw[k][i] * draw[l][i];
        assert_true(fabs(sum) <= .13);
      }
    }
    bench_free(&b);
  }
}

// The keys are the same at other values: the noise scale scales the draws.
static void test_reset_noise_scale(void **state) {
  (void)state;
  for (int t = 0; t < NTASK; t++) {
    Bench a, b;
    resolve(&a.config, rl_tasks[t]->name, NULL, NULL);
    if (!rl_config_is_given(&a.config, "env.reset_noise_scale")) continue;
    char value[32];
    snprintf(value, sizeof value, "%.17g", 2 * a.config.env.reset_noise_scale);
    bench_init(&a, rl_tasks[t]->name, NULL, NULL);
    bench_init(&b, rl_tasks[t]->name, "env.reset_noise_scale", value);
    bench_reset(&a);
    bench_reset(&b);
    for (int k = 0; k < a.m->nq; k++) {
      double x = a.d->qpos[k] - a.m->qpos0[k], y = b.d->qpos[k] - b.m->qpos0[k];
      assert_true(x != 0 && fabs(y - 2 * x) <= 1e-14);
    }
    for (int k = 0; k < a.m->nv; k++) {
      assert_true(a.d->qvel[k] != 0 && fabs(b.d->qvel[k] - 2 * a.d->qvel[k]) <= 1e-14);
    }
    bench_free(&a);
    bench_free(&b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reset_distribution),
      cmocka_unit_test(test_reset_independence),
      cmocka_unit_test(test_reset_noise_scale),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
