// Products against naive loops at every combination of small and odd sizes, on every instruction
// set this processor has: all must give the naive chain's bits, which also makes rows independent.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "nets/gemm.h"
#include "nets/isa.h"

static const int sizes[] = {0, 1, 2, 3, 5, 7, 8, 9, 16, 17, 31, 33, 64, 65};
enum { NSIZES = sizeof(sizes) / sizeof(sizes[0]), GUARD = 32 };

// xorshift on a fixed seed, values in [-1, 1): the products' chains round at nearly every step.
static uint32_t state = 2463534242u;
static float draw(void) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return (float)((double)state / 2147483648.0 - 1);
}

// A buffer of exactly n numbers (so that a sanitizer sees every overrun), then filled.
static float *filled(int n) {
  float *p = malloc((size_t)(n > 0 ? n : 1) * sizeof(float));
  assert_non_null(p);
  for (int i = 0; i < n; i++) p[i] = draw();
  return p;
}

static void assert_same_bits(const float *a, const float *b, int n) {
  if (n) assert_memory_equal(a, b, (size_t)n * sizeof(float));
}

static void naive_forward(float *y, const float *x, const float *w, const float *b, int M, int N,
                          int K) {
  for (int m = 0; m < M; m++) {
    for (int n = 0; n < N; n++) {
      float sum = b ? b[n] : 0;
      for (int k = 0; k < K; k++) sum = fmaf(x[m * K + k], w[k * N + n], sum);
      y[m * N + n] = sum;
    }
  }
}

static void naive_backward_weight(float *dw, const float *x, const float *dy, int M, int N, int K) {
  for (int k = 0; k < K; k++) {
    for (int n = 0; n < N; n++) {
      dw[k * N + n] = 0;
      for (int m = 0; m < M; m++) dw[k * N + n] = fmaf(x[m * K + k], dy[m * N + n], dw[k * N + n]);
    }
  }
}

static void check_shape(int M, int N, int K) {
  float *x = filled(M * K), *w = filled(K * N), *b = filled(N), *dy = filled(M * N);
  float *y = filled(M * N), *want = filled(M * N), *dw = filled(K * N), *want_dw = filled(K * N);
  float *wt = filled(K * N), *packed = filled(K * N), *dx = filled(M * K), *want_dx = filled(M * K);
  naive_forward(want, x, w, b, M, N, K);
  rl_gemm_forward(y, x, w, b, M, N, K);
  assert_same_bits(y, want, M * N);
  naive_forward(want, x, w, NULL, M, N, K);
  rl_gemm_forward(y, x, w, NULL, M, N, K);
  assert_same_bits(y, want, M * N);
  rl_gemm_pack(packed, w, K, N);
  rl_gemm_forward_packed(y, x, packed, NULL, M, N, K);
  assert_same_bits(y, want, M * N);
  naive_forward(want, x, w, b, M, N, K);
  rl_gemm_forward_packed(y, x, packed, b, M, N, K);
  assert_same_bits(y, want, M * N);
  naive_backward_weight(want_dw, x, dy, M, N, K);
  rl_gemm_backward_weight(dw, x, dy, M, N, K);
  assert_same_bits(dw, want_dw, K * N);
  for (int k = 0; k < K; k++) {
    for (int n = 0; n < N; n++) wt[n * K + k] = w[k * N + n];
  }
  rl_gemm_pack_transposed(packed, w, K, N);
  naive_forward(want_dx, dy, wt, NULL, M, K, N);
  rl_gemm_backward_input(dx, dy, packed, M, N, K);
  assert_same_bits(dx, want_dx, M * K);
  float *const all[] = {x, w, b, dy, y, want, dw, want_dw, wt, packed, dx, want_dx};
  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) free(all[i]);
}

static void check_all_shapes(RlIsa isa) {
  if (!rl_isa_has(isa)) skip();
  rl_isa_use(isa);
  for (int i = 0; i < NSIZES; i++) {
    for (int j = 0; j < NSIZES; j++) {
      for (int l = 0; l < NSIZES; l++) check_shape(sizes[i], sizes[j], sizes[l]);
    }
  }
}

static void test_plain(void **unused) {
  (void)unused;
  check_all_shapes(RL_ISA_PLAIN);
}

static void test_avx2(void **unused) {
  (void)unused;
  check_all_shapes(RL_ISA_AVX2);
}

static void test_avx512(void **unused) {
  (void)unused;
  check_all_shapes(RL_ISA_AVX512);
}

// Sizes that cross every block: of rows, of k, packed panels, and tails behind each.
static void test_blocks(void **unused) {
  (void)unused;
  for (int isa = 0; isa < RL_NISA; isa++) {
    if (!rl_isa_has((RlIsa)isa)) continue;
    rl_isa_use((RlIsa)isa);
    check_shape(67, 131, 389);
    check_shape(203, 99, 105);
    check_shape(24, 256, 256);
    check_shape(389, 107, 23);
    check_shape(1, 256, 800);
    check_shape(391, 5, 801);
    check_shape(5, 4101, 3);
  }
}

// One row alone has the bits it has among others, wherever it stands.
static void test_row_alone(void **unused) {
  (void)unused;
  enum { M = 64, MAX_N = 131, MAX_K = 401 };
  static const int Ns[] = {1, 6, 8, 17, 64, 131}, Ks[] = {17, 64, 401};
  float *x = filled(M * MAX_K), *w = filled(MAX_K * MAX_N), *b = filled(MAX_N);
  float *y = filled(M * MAX_N), *row = filled(M * MAX_N);
  for (size_t i = 0; i < sizeof(Ns) / sizeof(Ns[0]); i++) {
    for (size_t j = 0; j < sizeof(Ks) / sizeof(Ks[0]); j++) {
      const int N = Ns[i], K = Ks[j];
      rl_gemm_forward(y, x, w, b, M, N, K);
      for (int m = 0; m < M; m++) {
        rl_gemm_forward(row, x + m * K, w, b, 1, N, K);
        assert_same_bits(row, y + m * N, N);
      }
      rl_gemm_forward(row, x + 3 * K, w, b, 29, N, K);
      assert_same_bits(row, y + 3 * N, 29 * N);
    }
  }
  free(x), free(w), free(b), free(y), free(row);
}

// Nothing outside the output is written.
static void test_guard(void **unused) {
  (void)unused;
  enum { M = 13, N = 19, K = 23, SIZE = 2 * GUARD + K * N };
  float *x = filled(M * K), *w = filled(K * N), *dy = filled(M * N);
  float y[SIZE], before[SIZE];
  for (int i = 0; i < SIZE; i++) y[i] = before[i] = (float)i;
  rl_gemm_forward(y + GUARD, x, w, NULL, M, N, K);
  assert_same_bits(y, before, GUARD);
  assert_same_bits(y + GUARD + M * N, before + GUARD + M * N, SIZE - GUARD - M * N);
  memcpy(y, before, sizeof(y));
  rl_gemm_backward_weight(y + GUARD, x, dy, M, N, K);
  assert_same_bits(y, before, GUARD);
  assert_same_bits(y + GUARD + K * N, before + GUARD + K * N, GUARD);
  free(x), free(w), free(dy);
}

// A NaN or infinity stays in its own row.
static void test_nan_stays_in_row(void **unused) {
  (void)unused;
  enum { M = 9, N = 17, K = 17 };
  float *x = filled(M * K), *w = filled(K * N), *y = filled(M * N);
  x[4 * K + 2] = NAN;
  rl_gemm_forward(y, x, w, NULL, M, N, K);
  for (int i = 0; i < M * N; i++) assert_true(!isnan(y[i]) == (i / N != 4));
  free(x), free(w), free(y);
}

// matrices that end where the memory does: whole vectors are read as long as they fit, and no
// further
static void test_end_of_memory(void **unused) {
  (void)unused;
  static const int rows[] = {1, 4, 30}, columns[] = {1, 3, 17, 33}, depth[] = {1, 2, 5, 20};
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(map != MAP_FAILED && mprotect(map + page, page, PROT_NONE) == 0);
  for (int i = 0; i < RL_NISA * 3 * 4 * 4; i++) {
    const int M = rows[i % 3], N = columns[i / 3 % 4], K = depth[i / 12 % 4];
    if (!rl_isa_has((RlIsa)(i / 48))) continue;
    rl_isa_use((RlIsa)(i / 48));
    float *x = filled(M * K), *y = filled(M * N), *want = filled(M * N);
    float *w = (float *)(void *)(map + page) - K * N;
    for (int k = 0; k < K * N; k++) w[k] = draw();
    naive_forward(want, x, w, NULL, M, N, K);
    rl_gemm_forward(y, x, w, NULL, M, N, K);
    assert_same_bits(y, want, M * N);
    // and the same of a gradient
    float *want_dw = filled(K * N);
    naive_backward_weight(want_dw, x, y, M, N, K);
    rl_gemm_backward_weight(w, x, y, M, N, K);
    assert_same_bits(w, want_dw, K * N);
    free(x), free(y), free(want), free(want_dw);
  }
  munmap(map, 2 * page);
}

static int restore_isa(void **unused) {
  (void)unused;
  RlIsa best = RL_ISA_PLAIN;
  for (int isa = 0; isa < RL_NISA; isa++) {
    if (rl_isa_has((RlIsa)isa)) best = (RlIsa)isa;
  }
  rl_isa_use(best);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_plain, restore_isa),
      cmocka_unit_test_teardown(test_avx2, restore_isa),
      cmocka_unit_test_teardown(test_avx512, restore_isa),
      cmocka_unit_test_teardown(test_blocks, restore_isa),
      cmocka_unit_test_teardown(test_end_of_memory, restore_isa),
      cmocka_unit_test(test_row_alone),
      cmocka_unit_test(test_guard),
      cmocka_unit_test(test_nan_stays_in_row),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
