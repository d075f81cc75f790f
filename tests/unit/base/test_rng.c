// Random streams: what a seed means, that streams differ, and that draws follow their distribution.
// The seeds are fixed, so the bounds of the statistics never fail by chance.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rl/base/rng.h"

// Changing any of these changes what every published seed gives.
static void test_fixed_values(void **state) {
  (void)state;
  static const uint32_t expected[6] = {3560829971u, 180900940u,  1523386051u,
                                       809450007u,  3216773505u, 1330895757u};
  RlRng rng;
  rl_rng_init(&rng, 1, RL_STREAM_INIT, 0);
  for (int i = 0; i < 6; i++) assert_int_equal(rl_rng_u32(&rng), expected[i]);
  rl_rng_init(&rng, 9007199254740992u, RL_STREAM_WARMUP_ENV, 65535);
  assert_int_equal(rl_rng_u32(&rng), 2590707785u);
  assert_true(rl_rng_index(1000000, 7) == UINT64_C(9693036980285679062));
  rl_rng_init(&rng, 1, RL_STREAM_ACT, 3);
  double normal = rl_rng_normal(&rng);
  assert_true(fabs(normal - 0.051078843165662191) <= 1e-15);
}

static void test_saved_words_continue(void **state) {
  (void)state;
  RlRng rng, copy;
  rl_rng_init(&rng, 5, RL_STREAM_REPLAY, 2);
  for (int i = 0; i < 100; i++) (void)rl_rng_normal(&rng);
  memcpy(copy.word, rng.word, sizeof copy.word);
  for (int i = 0; i < 100; i++) assert_true(rl_rng_normal(&rng) == rl_rng_normal(&copy));
}

static void test_uniforms_in_bulk(void **state) {
  (void)state;
  RlRng rng, copy;
  rl_rng_init(&rng, 5, RL_STREAM_ENV, 2);
  copy = rng;
  double u[37];
  rl_rng_uniform_fill(&rng, u, 37);
  for (int i = 0; i < 37; i++) assert_true(u[i] == rl_rng_uniform(&copy));
  assert_memory_equal(&rng, &copy, sizeof copy);
}

// No two of many streams share a state or an increment, or more than a chance draw or two.
static void test_streams_differ(void **state) {
  (void)state;
  enum { SEEDS = 3, PURPOSES = 9, INDICES = 40, N = SEEDS * PURPOSES * INDICES };
  static RlRng rng[N];
  static uint32_t draw[N][4];
  int n = 0;
  for (int s = 0; s < SEEDS; s++) {
    for (int p = 1; p <= PURPOSES; p++) {
      for (int i = 0; i < INDICES; i++, n++) {
        rl_rng_init(&rng[n], (uint64_t)s, (RlStream)p, (uint64_t)i);
        RlRng copy = rng[n];
        for (int k = 0; k < 4; k++) draw[n][k] = rl_rng_u32(&copy);
      }
    }
  }
  int equal = 0;
  for (int a = 0; a < N; a++) {
    for (int b = 0; b < a; b++) {
      assert_true(rng[a].word[0] != rng[b].word[0]);
      assert_true(rng[a].word[1] != rng[b].word[1]);
      for (int k = 0; k < 4; k++) equal += draw[a][k] == draw[b][k];
    }
  }
  // 2.3 million pairs of 32-bit draws: 5e-4 expected to be equal
  assert_true(equal <= 2);
}

// Draws of neighbouring streams are uncorrelated.
static void test_neighbours_uncorrelated(void **state) {
  (void)state;
  enum { N = 20000 };
  for (uint64_t index = 0; index < 8; index++) {
    RlRng a, b;
    rl_rng_init(&a, 1, RL_STREAM_ENV, index);
    rl_rng_init(&b, 1, RL_STREAM_ENV, index + 1);
    double sum = 0;
    for (int i = 0; i < N; i++) sum += (rl_rng_uniform(&a) - 0.5) * (rl_rng_uniform(&b) - 0.5);
    assert_true(fabs(sum / N) * 12 <= 4 / sqrt(N));
  }
}

static void test_uniform(void **state) {
  (void)state;
  enum { N = 200000, BINS = 100 };
  RlRng rng;
  rl_rng_init(&rng, 1, RL_STREAM_INIT, 1);
  double sum = 0, square = 0;
  static int count[BINS];
  for (int i = 0; i < N; i++) {
    double u = rl_rng_uniform(&rng);
    assert_true(u >= 0 && u < 1);
    sum += u;
    square += u * u;
    count[(int)(u * BINS)]++;
  }
  assert_true(fabs(sum / N - 0.5) <= 4 * sqrt(1.0 / 12 / N));
  assert_true(fabs(square / N - 1.0 / 3) <= 4 * sqrt(4.0 / 45 / N));
  double chi2 = 0;
  for (int b = 0; b < BINS; b++) chi2 += pow(count[b] - N / BINS, 2) / (N / BINS);
  assert_true(fabs(chi2 - (BINS - 1)) <= 4 * sqrt(2.0 * (BINS - 1)));
}

static void test_between(void **state) {
  (void)state;
  RlRng rng;
  rl_rng_init(&rng, 1, RL_STREAM_INIT, 2);
  double lo = 1e9, hi = -1e9;
  for (int i = 0; i < 10000; i++) {
    double x = rl_rng_between(&rng, -3, 5);
    assert_true(x >= -3 && x < 5);
    lo = fmin(lo, x);
    hi = fmax(hi, x);
    // so narrow that rounding reaches the open end half of the time
    double next = nextafter(1.0, 2.0);
    assert_true(rl_rng_between(&rng, 1.0, next) == 1.0);
  }
  assert_true(lo <= -2.99 && hi >= 4.99);
  assert_true(rl_rng_between(&rng, 2, 2) == 2);
}

// A multiple-free bound far from a power of two shows the bias of the plain modulus at once.
static void test_bounded(void **state) {
  (void)state;
  enum { N = 300000 };
  static const uint32_t bound[] = {1, 2, 3, 7, 10, 64, 1000};
  RlRng rng;
  rl_rng_init(&rng, 1, RL_STREAM_SHUFFLE, 0);
  for (size_t b = 0; b < sizeof bound / sizeof bound[0]; b++) {
    static int count[1000];
    memset(count, 0, sizeof count);
    for (int i = 0; i < N; i++) {
      uint32_t x = rl_rng_bounded(&rng, bound[b]);
      assert_true(x < bound[b]);
      count[x]++;
    }
    double chi2 = 0, mean = (double)N / bound[b];
    for (uint32_t i = 0; i < bound[b]; i++) chi2 += pow(count[i] - mean, 2) / mean;
    assert_true(fabs(chi2 - (bound[b] - 1)) <= 4 * sqrt(2.0 * bound[b]));
  }
}

static void test_bounded_large(void **state) {
  (void)state;
  // 3/4 of the range: without rejection two of three thirds come up twice as often
  enum { N = 90000 };
  const uint32_t bound = 0xc0000000u;
  RlRng rng;
  rl_rng_init(&rng, 1, RL_STREAM_SHUFFLE, 1);
  int residue[3] = {0};
  for (int i = 0; i < N; i++) {
    uint32_t x = rl_rng_bounded(&rng, bound);
    assert_true(x < bound);
    residue[x % 3]++;
  }
  double chi2 = 0;
  for (int i = 0; i < 3; i++) chi2 += pow(residue[i] - N / 3, 2) / (N / 3);
  assert_true(chi2 <= 12);
}

static void test_normal(void **state) {
  (void)state;
  enum { N = 400000, BINS = 40 };
  RlRng rng;
  rl_rng_init(&rng, 1, RL_STREAM_ACT, 0);
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0, lag = 0, last = 0;
  static int count[BINS];
  for (int i = 0; i < N; i++) {
    double z = rl_rng_normal(&rng);
    assert_true(isfinite(z));
    m1 += z;
    m2 += z * z;
    m3 += z * z * z;
    m4 += z * z * z * z;
    lag += z * last;
    last = z;
    double cdf = 0.5 * erfc(-z / sqrt(2));
    int bin = (int)(cdf * BINS);
    count[bin < BINS ? bin : BINS - 1]++;
  }
  assert_true(fabs(m1 / N) <= 4 * sqrt(1.0 / N));
  assert_true(fabs(m2 / N - 1) <= 4 * sqrt(2.0 / N));
  assert_true(fabs(m3 / N) <= 4 * sqrt(15.0 / N));
  assert_true(fabs(m4 / N - 3) <= 4 * sqrt(96.0 / N));
  assert_true(fabs(lag / N) <= 4 * sqrt(1.0 / N));
  double chi2 = 0;
  for (int b = 0; b < BINS; b++) chi2 += pow(count[b] - N / BINS, 2) / (N / BINS);
  assert_true(fabs(chi2 - (BINS - 1)) <= 4 * sqrt(2.0 * (BINS - 1)));
}

static void test_index(void **state) {
  (void)state;
  enum { A = 60, B = 60 };
  static uint64_t seen[A * B];
  int n = 0;
  for (uint64_t a = 0; a < A; a++) {
    for (uint64_t b = 0; b < B; b++) {
      uint64_t index = rl_rng_index(a, b);
      for (int i = 0; i < n; i++) assert_true(seen[i] != index);
      seen[n++] = index;
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fixed_values),
      cmocka_unit_test(test_saved_words_continue),
      cmocka_unit_test(test_uniforms_in_bulk),
      cmocka_unit_test(test_streams_differ),
      cmocka_unit_test(test_neighbours_uncorrelated),
      cmocka_unit_test(test_uniform),
      cmocka_unit_test(test_between),
      cmocka_unit_test(test_bounded),
      cmocka_unit_test(test_bounded_large),
      cmocka_unit_test(test_normal),
      cmocka_unit_test(test_index),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
