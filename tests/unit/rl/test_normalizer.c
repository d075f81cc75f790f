// The observation normaliser against two passes in double.
#include "rl/data/normalizer.h"
#include "tests/unit/rl/near.h"

enum { O = 3, ROWS = 400 };

static RlArena arena;
static float obs[ROWS * O];

static int setup(void **state) {
  (void)state;
  RlRng rng;
  rl_rng_init(&rng, 3, RL_STREAM_ENV, 0);
  for (int r = 0; r < ROWS; r++) {
    // far from zero, narrow and wide
    obs[r * O] = (float)rl_rng_normal(&rng);
    obs[r * O + 1] = (float)(1000 + 0.01 * rl_rng_normal(&rng));
    obs[r * O + 2] = (float)(-5 + 100 * rl_rng_normal(&rng));
  }
  return 0;
}

static int teardown(void **state) {
  (void)state;
  rl_arena_free(&arena);
  return 0;
}

static void make(RlNormalizer *norm, bool on, double clip) {
  RlNormalizeOptions options = {.obs = on, .clip_obs = clip, .freeze = true};
  memset(norm, 0, sizeof *norm);
  rl_normalizer_init(norm, &arena, O, &options);
}

// mean and population variance of column i over the first rows, rows with skip left out
static void two_pass(double *mean, double *var, int i, int rows, const uint8_t *skip) {
  double sum = 0, square = 0, n = 0;
  for (int r = 0; r < rows; r++) {
    if (skip && skip[r]) continue;
    sum += (double)obs[r * O + i];
    n += 1;
  }
  *mean = sum / n;
  for (int r = 0; r < rows; r++) {
    double gap = (double)obs[r * O + i] - *mean;
    if (!(skip && skip[r])) square += gap * gap;
  }
  *var = square / n;
}

static void check(const RlNormalizer *norm, int rows, const uint8_t *skip) {
  for (int i = 0; i < O; i++) {
    double mean, var;
    two_pass(&mean, &var, i, rows, skip);
    assert_near(norm->mean[i], mean, 1e-12);
    assert_near(norm->m2[i] / norm->count, var, 1e-9);
    assert_near(norm->shift[i], mean, 1e-6);
    assert_near((double)norm->scale[i] * sqrt(var + 1e-8), 1, 1e-6);
  }
}

// eight doubles fill a cache line, so the arrays touch: no loop goes one too far
static void test_full_lines(void **state) {
  (void)state;
  enum { WIDE = 8, N = ROWS * O / WIDE };
  RlNormalizeOptions options = {.obs = true, .clip_obs = 10, .freeze = true};
  RlNormalizer norm = {0};
  rl_normalizer_init(&norm, &arena, WIDE, &options);
  for (int k = 0; k < 2; k++) {
    rl_normalizer_push(&norm, obs + k * N / 2 * WIDE, NULL, N / 2);
    rl_normalizer_merge(&norm);
  }
  for (int i = 0; i < WIDE; i++) {
    double mean = 0, square = 0;
    for (int r = 0; r < N; r++) mean += (double)obs[r * WIDE + i] / N;
    for (int r = 0; r < N; r++) square += pow((double)obs[r * WIDE + i] - mean, 2);
    assert_near(norm.mean[i], mean, 1e-9);
    assert_near(norm.m2[i] / square, 1, 1e-9);
    assert_near((double)norm.scale[i] * sqrt(square / N + 1e-8), 1, 1e-6);
    assert_true(norm.batch_mean[i] == 0 && norm.batch_m2[i] == 0);
  }
}

// unequal batches, an empty one among them
static void test_merge(void **state) {
  (void)state;
  RlNormalizer norm;
  make(&norm, true, 10);
  static const int size[] = {1, 7, 0, 64, 100, 228};
  int rows = 0;
  for (int k = 0; k < 6; k++) {
    rl_normalizer_push(&norm, obs + rows * O, NULL, size[k]);
    rl_normalizer_merge(&norm);
    rows += size[k];
    assert_near(norm.count, rows, 0);
    check(&norm, rows, NULL);
  }
  assert_int_equal(rows, ROWS);
}

static void test_frozen_between_merges(void **state) {
  (void)state;
  RlNormalizer norm;
  make(&norm, true, 10);
  RlReal before[ROWS * O], after[ROWS * O];
  // before anything is known only the clip acts
  rl_normalizer_forward(&norm, before, obs, 5);
  for (int i = 0; i < 5 * O; i++) assert_near(before[i], fmax(fmin((double)obs[i], 10), -10), 1e-6);
  rl_normalizer_push(&norm, obs, NULL, 100);
  rl_normalizer_merge(&norm);
  rl_normalizer_forward(&norm, before, obs, ROWS);
  rl_normalizer_push(&norm, obs + 100 * O, NULL, 200);
  rl_normalizer_forward(&norm, after, obs, ROWS);
  assert_memory_equal(before, after, sizeof before);
  rl_normalizer_merge(&norm);
  rl_normalizer_forward(&norm, after, obs, ROWS);
  assert_memory_not_equal(before, after, sizeof before);
}

static void test_forward(void **state) {
  (void)state;
  RlNormalizer norm;
  make(&norm, true, 1.5);
  rl_normalizer_push(&norm, obs, NULL, ROWS);
  rl_normalizer_merge(&norm);
  RlReal out[ROWS * O];
  rl_normalizer_forward(&norm, out, obs, ROWS);
  int clipped = 0;
  for (int i = 0; i < O; i++) {
    double mean, var;
    two_pass(&mean, &var, i, ROWS, NULL);
    for (int r = 0; r < ROWS; r++) {
      double x = ((double)obs[r * O + i] - mean) / sqrt(var + 1e-8);
      clipped += fabs(x) > 1.5;
      // floats near 1000 are 6e-5 apart, which is 6e-3 deviations
      assert_near(out[r * O + i], fmax(fmin(x, 1.5), -1.5), i == 1 ? 1e-2 : 1e-5);
      assert_true(fabs((double)out[r * O + i]) <= 1.5);
    }
  }
  assert_true(clipped > ROWS / 10);
}

static void test_off_passes_through(void **state) {
  (void)state;
  RlNormalizer norm;
  make(&norm, false, 1);
  rl_normalizer_push(&norm, obs, NULL, ROWS);
  rl_normalizer_merge(&norm);
  RlReal out[ROWS * O];
  rl_normalizer_forward(&norm, out, obs, ROWS);
  for (int i = 0; i < ROWS * O; i++) assert_true(out[i] == (RlReal)obs[i]);
}

// rows left out may hold anything
static void test_skip(void **state) {
  (void)state;
  RlNormalizer norm;
  make(&norm, true, 10);
  static float marred[ROWS * O];
  uint8_t skip[ROWS];
  memcpy(marred, obs, sizeof obs);
  for (int r = 0; r < ROWS; r++) {
    skip[r] = r % 3 == 1;
    if (skip[r]) marred[r * O] = marred[r * O + 1] = NAN;
  }
  rl_normalizer_push(&norm, marred, skip, ROWS);
  rl_normalizer_merge(&norm);
  assert_near(norm.count, ROWS - 133, 0);
  check(&norm, ROWS, skip);
}

// a constant observation gives 0, not NaN
static void test_constant(void **state) {
  (void)state;
  RlNormalizer norm;
  make(&norm, true, 10);
  float same[5 * O];
  for (int i = 0; i < 5 * O; i++) same[i] = 7;
  rl_normalizer_push(&norm, same, NULL, 5);
  rl_normalizer_merge(&norm);
  RlReal out[5 * O];
  rl_normalizer_forward(&norm, out, same, 5);
  for (int i = 0; i < 5 * O; i++) assert_true(out[i] == 0);
}

static void test_refresh(void **state) {
  (void)state;
  RlNormalizer a, b;
  make(&a, true, 10);
  make(&b, true, 10);
  rl_normalizer_push(&a, obs, NULL, 50);
  rl_normalizer_merge(&a);
  b.count = a.count;
  memcpy(b.mean, a.mean, O * sizeof(double));
  memcpy(b.m2, a.m2, O * sizeof(double));
  rl_normalizer_refresh(&b);
  check(&b, 50, NULL);
  assert_memory_equal(a.shift, b.shift, O * sizeof(float));
  assert_memory_equal(a.scale, b.scale, O * sizeof(float));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_merge),
      cmocka_unit_test(test_full_lines),
      cmocka_unit_test(test_frozen_between_merges),
      cmocka_unit_test(test_forward),
      cmocka_unit_test(test_off_passes_through),
      cmocka_unit_test(test_skip),
      cmocka_unit_test(test_constant),
      cmocka_unit_test(test_refresh),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
