// Array kernels against libm in double and against naive loops, on every instruction set this
// processor has, at every length around a vector and every alignment.
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nets/isa.h"
#include "nets/ops.h"

enum { MAX = 70, BATCH = 4096 };

typedef void (*Map)(float *y, const float *x, size_t n);

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof(x));
  return x;
}

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits;
}

static float draw(void) {
  static uint32_t state = 88172645u;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return (float)((double)state / 2147483648.0 - 1) * 4;
}

static void fill(float *x, int n) {
  for (int i = 0; i < n; i++) x[i] = draw();
}

static void use_best(void) {
  for (int isa = 0; isa < RL_NISA; isa++) {
    if (rl_isa_has((RlIsa)isa)) rl_isa_use((RlIsa)isa);
  }
}

// |y - want| in units of the float spacing at want.
static double ulps(float y, double want) {
  if (y == (float)want) return fabs((double)y - want) > 0 ? 0.5 : 0;  // covers infinities
  int exponent = FLT_MIN_EXP;
  if (want != 0) (void)frexp(want, &exponent);
  if (exponent < FLT_MIN_EXP) exponent = FLT_MIN_EXP;
  return fabs((double)y - want) / ldexp(1, exponent - FLT_MANT_DIG);
}

// The largest error over floats first, first + step, ... up to last, both as bit patterns.
static double worst(Map map, double (*reference)(double), uint32_t first, uint32_t last,
                    uint32_t step) {
  static float x[BATCH], y[BATCH];
  double most = 0;
  for (uint64_t at = first; at <= last;) {
    size_t n = 0;
    for (; n < BATCH && at <= last; n++, at += step) x[n] = float_of((uint32_t)at);
    map(y, x, n);
    for (size_t i = 0; i < n; i++) {
      const double error = ulps(y[i], reference((double)x[i]));
      if (!(error <= most)) most = isnan(error) ? 1e9 : error;
    }
  }
  return most;
}

static double exp_flushed(double x) {
  const double y = exp(x);
  return y < (double)FLT_MIN ? 0 : y;
}

static double softplus_flushed(double x) {
  const long double y = fmaxl(x, 0) + log1pl(expl(-fabsl(x)));
  return y < (long double)FLT_MIN ? 0 : (double)y;
}

static void for_each_isa(void (*check)(void)) {
  for (int isa = 0; isa < RL_NISA; isa++) {
    if (!rl_isa_has((RlIsa)isa)) continue;
    rl_isa_use((RlIsa)isa);
    check();
  }
  use_best();
}

static void check_tanh_error(void) {
  const uint32_t sign = 0x80000000u;
  const double up = worst(rl_tanh_forward, tanh, 0, 0x7f800000u, 1499);
  const double down = worst(rl_tanh_forward, tanh, sign, sign + 0x7f800000u, 1511);
  // all of one binade where the error is largest
  const double dense = worst(rl_tanh_forward, tanh, 0x3e600000u, 0x3e800000u, 1);
  print_message("tanh: %.3f %.3f %.3f ulp\n", up, down, dense);
  assert_true(up <= 2 && down <= 2 && dense <= 2);
}

static void test_tanh_error(void **unused) {
  (void)unused;
  for_each_isa(check_tanh_error);
}

static void check_exp_error(void) {
  const uint32_t sign = 0x80000000u;
  const double up = worst(rl_exp_forward, exp_flushed, 0, 0x7f800000u, 1499);
  const double down = worst(rl_exp_forward, exp_flushed, sign, sign + 0x7f800000u, 1511);
  // around overflow and around the least normal number
  const double high = worst(rl_exp_forward, exp_flushed, 0x42b00000u, 0x42b20000u, 1);
  const double low = worst(rl_exp_forward, exp_flushed, 0xc2ae0000u, 0xc2af0000u, 1);
  print_message("exp: %.3f %.3f %.3f %.3f ulp\n", up, down, high, low);
  assert_true(up <= 2 && down <= 2 && high <= 2 && low <= 2);
}

static void test_exp_error(void **unused) {
  (void)unused;
  for_each_isa(check_exp_error);
}

static void check_softplus_error(void) {
  const uint32_t sign = 0x80000000u;
  const double up = worst(rl_softplus_forward, softplus_flushed, 0, 0x7f800000u, 1499);
  const double down = worst(rl_softplus_forward, softplus_flushed, sign, sign + 0x7f800000u, 1511);
  // where the error is largest on each side, and around the least normal number
  const double above = worst(rl_softplus_forward, softplus_flushed, 0x3eb00000u, 0x3eb40000u, 1);
  const double below = worst(rl_softplus_forward, softplus_flushed, 0xbee80000u, 0xbef00000u, 1);
  const double low = worst(rl_softplus_forward, softplus_flushed, 0xc2ae0000u, 0xc2af0000u, 1);
  print_message("softplus: %.3f %.3f %.3f %.3f %.3f ulp\n", up, down, above, below, low);
  assert_true(up <= 2 && down <= 2 && above <= 2 && below <= 2 && low <= 2);
}

static void test_softplus_error(void **unused) {
  (void)unused;
  for_each_isa(check_softplus_error);
}

static void check_special(void) {
  const float x[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, -NAN, 1e-42f, -1e-42f, 20, -20};
  float y[10];
  rl_tanh_forward(y, x, 10);
  assert_int_equal(bits_of(y[0]), 0);
  assert_int_equal(bits_of(y[1]), 0x80000000u);
  assert_true(y[2] == 1 && y[3] == -1 && y[8] == 1 && y[9] == -1);
  assert_true(isnan(y[4]) && isnan(y[5]));
  assert_true(y[6] == 1e-42f && y[7] == -1e-42f);
  rl_exp_forward(y, x, 10);
  assert_true(y[0] == 1 && y[1] == 1 && isinf(y[2]) && y[2] > 0);
  assert_int_equal(bits_of(y[3]), 0);
  assert_true(isnan(y[4]) && isnan(y[5]));
  rl_softplus_forward(y, x, 10);
  assert_true(y[0] == (float)log(2) && y[1] == y[0] && y[6] == y[0] && y[7] == y[0]);
  assert_true(isinf(y[2]) && y[2] > 0 && y[8] == 20);
  assert_int_equal(bits_of(y[3]), 0);
  assert_true(isnan(y[4]) && isnan(y[5]));
  const float ends[] = {FLT_MAX, -FLT_MAX, 1e30f, -88, -1e30f};
  rl_softplus_forward(y, ends, 5);
  assert_true(y[0] == FLT_MAX && y[1] == 0 && y[2] == 1e30f && y[3] == 0 && y[4] == 0);
  rl_relu_forward(y, x, 10);
  assert_true(y[0] == 0 && y[1] == 0 && isinf(y[2]) && y[3] == 0 && isnan(y[4]) && isnan(y[5]));
  assert_true(y[6] == 1e-42f && y[7] == 0 && y[8] == 20 && y[9] == 0);
}

static void test_special(void **unused) {
  (void)unused;
  for_each_isa(check_special);
}

static void test_tanh_is_odd(void **unused) {
  (void)unused;
  float x[BATCH], y[BATCH], z[BATCH];
  fill(x, BATCH);
  rl_tanh_forward(y, x, BATCH);
  for (int i = 0; i < BATCH; i++) x[i] = -x[i];
  rl_tanh_forward(z, x, BATCH);
  for (int i = 0; i < BATCH; i++) assert_int_equal(bits_of(y[i]) ^ 0x80000000u, bits_of(z[i]));
}

// Every set, length, alignment, in place or not: the bits of the plain loop, nothing past the end.
static void check_map(Map map) {
  float x[MAX + 8], want[MAX + 8], y[MAX + 8];
  fill(x, MAX + 8);
  rl_isa_use(RL_ISA_PLAIN);
  for (int i = 0; i < MAX + 8; i++) map(want + i, x + i, 1);
  for (int isa = 0; isa < RL_NISA; isa++) {
    if (!rl_isa_has((RlIsa)isa)) continue;
    rl_isa_use((RlIsa)isa);
    for (int n = 0; n <= MAX; n++) {
      const int from = n % 8;
      memset(y, 0x55, sizeof(y));
      map(y, x + from, (size_t)n);
      assert_memory_equal(y, want + from, (size_t)n * sizeof(float));
      assert_int_equal(bits_of(y[n]), 0x55555555u);
      memcpy(y, x, sizeof(y));
      map(y + from, y + from, (size_t)n);
      assert_memory_equal(y + from, want + from, (size_t)n * sizeof(float));
      assert_int_equal(bits_of(y[from + n]), bits_of(x[from + n]));
    }
  }
  use_best();
}

static void test_maps(void **unused) {
  (void)unused;
  check_map(rl_tanh_forward);
  check_map(rl_exp_forward);
  check_map(rl_softplus_forward);
  check_map(rl_relu_forward);
}

static void check_backward(void) {
  float y[MAX] = {0}, dy[MAX] = {0}, dx[MAX];
  for (int n = 0; n <= MAX; n++) {
    fill(y, n);
    fill(dy, n);
    if (n > 2) y[1] = 0, y[2] = -0.0f;
    rl_tanh_backward(dx, dy, y, (size_t)n);
    for (int i = 0; i < n; i++) assert_true(dx[i] == dy[i] * (1 - y[i] * y[i]));
    rl_relu_backward(dx, dy, y, (size_t)n);
    for (int i = 0; i < n; i++) assert_true(dx[i] == (y[i] > 0 ? dy[i] : 0));
    rl_relu_backward(dy, dy, y, (size_t)n);
    if (n) assert_memory_equal(dx, dy, (size_t)n * sizeof(float));
    rl_tanh_backward(dx, dy, y, (size_t)n);
    rl_tanh_backward(dy, dy, y, (size_t)n);
    if (n) assert_memory_equal(dx, dy, (size_t)n * sizeof(float));
  }
}

static void test_backward(void **unused) {
  (void)unused;
  for_each_isa(check_backward);
}

static void check_bias_backward(void) {
  static const int sizes[] = {0, 1, 3, 5, 8, 17, 64};
  float dy[64 * 64], db[65], want[65];
  for (size_t i = 0; i < 7; i++) {
    for (size_t j = 0; j < 7; j++) {
      const int M = sizes[i], N = sizes[j];
      fill(dy, M * N);
      fill(db, 65);
      memcpy(want, db, sizeof(db));
      memset(want, 0, (size_t)N * sizeof(float));
      for (int m = 0; m < M; m++) {
        for (int n = 0; n < N; n++) want[n] += dy[m * N + n];
      }
      rl_bias_backward(db, dy, M, N);
      assert_memory_equal(db, want, sizeof(db));
    }
  }
}

static void test_bias_backward(void **unused) {
  (void)unused;
  for_each_isa(check_bias_backward);
}

// 1e8 + 1 - 1e8 is 0 in this order and 1 in others.
static void check_slots_sum(void) {
  enum { N = 5003, STRIDE = 5010, SLOTS = 4 };
  static float src[SLOTS * STRIDE], dst[N + 1];
  for (int i = 0; i < STRIDE; i++) {
    src[i] = 1e8f;
    src[STRIDE + i] = 1;
    src[2 * STRIDE + i] = -1e8f;
    src[3 * STRIDE + i] = (float)i;
  }
  dst[N] = 7;
  rl_slots_sum(dst, src, STRIDE, SLOTS, N);
  for (int i = 0; i < N; i++) assert_true(dst[i] == (float)i);
  assert_true(dst[N] == 7);
  rl_slots_sum(dst, src + 3 * STRIDE, STRIDE, 1, 10);
  for (int i = 0; i < 10; i++) assert_true(dst[i] == (float)i);
  rl_slots_sum(dst, src, STRIDE, 0, 10);
  for (int i = 0; i < 10; i++) assert_true(dst[i] == 0);
}

static void test_slots_sum(void **unused) {
  (void)unused;
  for_each_isa(check_slots_sum);
}

static void check_polyak(void) {
  float target[MAX + 1], param[MAX], start[MAX + 1];
  const float tau = 0.005f;
  for (int n = 0; n <= MAX; n++) {
    fill(start, MAX + 1);
    fill(param, MAX);
    memcpy(target, start, sizeof(start));
    rl_polyak(target, param, 0.005, (size_t)n);
    for (int i = 0; i < n; i++) {
      const float step = tau * (param[i] - start[i]);
      assert_true(target[i] == start[i] + step && target[i] != start[i]);
    }
    assert_true(target[n] == start[n]);
    // a target that has arrived stays
    memcpy(target, param, (size_t)n * sizeof(float));
    rl_polyak(target, param, 0.3, (size_t)n);
    assert_memory_equal(target, param, (size_t)n * sizeof(float));
    // the whole step is a copy, also from far away and from nowhere
    for (int i = 0; i < n; i++) target[i] = i % 2 ? 1e30f : NAN;
    rl_polyak(target, param, 1, (size_t)n);
    assert_memory_equal(target, param, (size_t)n * sizeof(float));
    assert_true(target[n] == start[n]);
  }
}

static void test_polyak(void **unused) {
  (void)unused;
  for_each_isa(check_polyak);
}

static void test_sum_squares(void **unused) {
  (void)unused;
  static float x[10007];
  fill(x, 10007);
  for (size_t n = 0; n <= 10007; n = n < 70 ? n + 1 : n * 3 + 1) {
    double want = 0, first = 0;
    for (size_t i = 0; i < n; i++) want += (double)x[i] * (double)x[i];
    for (int isa = 0; isa < RL_NISA; isa++) {
      if (!rl_isa_has((RlIsa)isa)) continue;
      rl_isa_use((RlIsa)isa);
      const double sum = rl_sum_squares(x, n);
      if (isa == 0) first = sum;
      assert_true(sum == first);
      assert_true(fabs(sum - want) <= 1e-13 * want);
    }
  }
  use_best();
  x[77] = NAN;
  assert_true(isnan(rl_sum_squares(x, 10007)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tanh_error),     cmocka_unit_test(test_exp_error),
      cmocka_unit_test(test_softplus_error), cmocka_unit_test(test_special),
      cmocka_unit_test(test_tanh_is_odd),    cmocka_unit_test(test_maps),
      cmocka_unit_test(test_backward),       cmocka_unit_test(test_bias_backward),
      cmocka_unit_test(test_slots_sum),      cmocka_unit_test(test_polyak),
      cmocka_unit_test(test_sum_squares),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
