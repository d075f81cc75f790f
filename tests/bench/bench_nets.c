// Rates of the network kernels on one core, with OpenBLAS beside them as the yardstick.
// Links the nets and rl_base libraries and OpenBLAS; an argument (plain, avx2, avx512) picks the
// instruction set, any second one leaves the array kernels out.
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nets/adam.h"
#include "nets/gemm.h"
#include "nets/isa.h"
#include "nets/normal.h"
#include "nets/ops.h"

extern void openblas_set_num_threads(int n);

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum { MOST = 2048 * 1024 };
static float *buffer[4];

typedef struct {
  int M, N, K;
} Shape;

typedef enum { FORWARD, BACKWARD_WEIGHT, BACKWARD_INPUT } Kind;

static void run_ours(Kind kind, Shape s) {
  float *y = buffer[0], *x = buffer[1], *w = buffer[2], *b = buffer[3];
  if (kind == FORWARD) rl_gemm_forward(y, x, w, b, s.M, s.N, s.K);
  if (kind == BACKWARD_WEIGHT) rl_gemm_backward_weight(w, x, y, s.M, s.N, s.K);
  if (kind == BACKWARD_INPUT) rl_gemm_backward_input(x, y, w, s.M, s.N, s.K);
}

static void run_openblas(Kind kind, Shape s) {
  float *y = buffer[0], *x = buffer[1], *w = buffer[2];
  if (kind == FORWARD) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, s.M, s.N, s.K, 1, x, s.K, w, s.N, 0, y,
                s.N);
  }
  if (kind == BACKWARD_WEIGHT) {
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, s.K, s.N, s.M, 1, x, s.K, y, s.N, 1, w,
                s.N);
  }
  if (kind == BACKWARD_INPUT) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, s.M, s.K, s.N, 1, y, s.N, w, s.K, 0, x,
                s.K);
  }
}

// The best of several trials of each in turn, so that what else the machine does hits both alike.
// Zero inputs keep the accumulating product from drifting to infinity; timing does not depend on
// values.
static void rate(double result[2], Kind kind, Shape s) {
  static void (*const run[2])(Kind, Shape) = {run_ours, run_openblas};
  const double flop = 2.0 * s.M * s.N * s.K;
  const int repeat = (int)(1e7 / flop) + 1, trials = flop > 1e8 ? 8 : 40;
  result[0] = result[1] = 0;
  for (int trial = 0; trial < trials; trial++) {
    for (int who = 0; who < 2; who++) {
      const double start = seconds();
      for (int i = 0; i < repeat; i++) run[who](kind, s);
      const double here = flop * repeat / (seconds() - start) * 1e-9;
      if (here > result[who]) result[who] = here;
    }
  }
}

static void report_products(void) {
  static const Shape shapes[] = {
      {1, 64, 64},      {8, 64, 17},     {8, 64, 64},      {16, 64, 64},      {64, 64, 17},
      {64, 64, 105},    {64, 64, 348},   {64, 64, 64},     {64, 6, 64},       {64, 8, 64},
      {64, 17, 64},     {64, 1, 64},     {8, 256, 256},    {64, 256, 256},    {256, 256, 256},
      {2048, 256, 256}, {256, 256, 376}, {256, 34, 256},   {256, 1, 256},     {64, 256, 348},
      {64, 512, 512},   {256, 512, 512}, {64, 1024, 1024}, {256, 1024, 1024}, {2048, 1024, 1024},
      {64, 400, 300},
  };
  printf("%-16s %8s %8s  %8s %8s  %8s %8s   GFLOP/s\n", "M x N x K", "forward", "openblas",
         "weight", "openblas", "input", "openblas");
  for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
    const Shape s = shapes[i];
    char name[64];
    snprintf(name, sizeof(name), "%d x %d x %d", s.M, s.N, s.K);
    printf("%-16s", name);
    for (int kind = FORWARD; kind <= BACKWARD_INPUT; kind++) {
      double result[2];
      rate(result, (Kind)kind, s);
      printf(" %8.1f %8.1f ", result[0], result[1]);
    }
    printf("\n");
  }
}

static void normals_one_by_one(float *x, size_t n, RlRng *rng) {
  for (size_t i = 0; i < n; i++) x[i] = (float)rl_rng_normal(rng);
}

static double nanoseconds(int op, size_t n) {
  static RlAdam adam;
  static RlArena arena;
  static RlRng rng;
  rl_rng_init(&rng, 1, RL_STREAM_LEARN, 0);
  if (op == 4 && !adam.m) rl_adam_init(&adam, &arena, MOST, 1e-8);
  adam.n = (int)n;
  const int repeat = (int)(4000000 / n) + 1;
  double best = 1e9;
  for (int trial = 0; trial < 9; trial++) {
    const double start = seconds();
    for (int i = 0; i < repeat; i++) {
      if (op == 0) rl_tanh_forward(buffer[0], buffer[1], n);
      if (op == 1) rl_tanh_backward(buffer[0], buffer[1], buffer[2], n);
      if (op == 2) rl_relu_forward(buffer[0], buffer[1], n);
      if (op == 3) rl_exp_forward(buffer[0], buffer[1], n);
      if (op == 4) rl_adam_step(&adam, buffer[0], buffer[1], 1, 1e-3);
      if (op == 5) rl_bias_backward(buffer[0], buffer[1], (int)(n / 64), 64);
      if (op == 6) buffer[3][0] = (float)rl_sum_squares(buffer[1], n);
      if (op == 7) rl_slots_sum(buffer[0], buffer[1], n, 8, n);
      if (op == 8) rl_normal_fill(buffer[0], n, &rng);
      if (op == 9) normals_one_by_one(buffer[0], n, &rng);
    }
    const double each = (seconds() - start) / repeat / (double)n;
    if (each < best) best = each;
  }
  return best * 1e9;
}

static void report_ops(void) {
  static const char *const name[] = {
      "tanh forward",  "tanh backward",  "relu forward",   "exp forward", "adam",
      "bias backward", "sum of squares", "sum of 8 slots", "normals",     "one by one"};
  printf("%-16s %10s %10s   ns per element\n", "", "n = 4096", "n = 65536");
  for (int i = 0; i < MOST; i++) buffer[1][i] = (float)(i % 4001 - 2000) * 1e-3f;
  for (int op = 0; op < 10; op++) {
    printf("%-16s %10.3f %10.3f\n", name[op], nanoseconds(op, 4096), nanoseconds(op, 65536));
  }
}

int main(int argc, char **argv) {
  openblas_set_num_threads(1);
  for (int i = 0; i < 4; i++) {
    buffer[i] = aligned_alloc(64, MOST * sizeof(float));
    memset(buffer[i], 0, MOST * sizeof(float));
  }
  if (argc > 1) {
    for (int isa = 0; isa < RL_NISA; isa++) {
      if (!strcmp(argv[1], rl_isa_name((RlIsa)isa))) rl_isa_use((RlIsa)isa);
    }
  }
  printf("instruction set: %s\n", rl_isa_name(rl_isa_active()));
  report_products();
  if (argc < 3) report_ops();
  return 0;
}
