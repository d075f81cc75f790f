// Matrix products beside OpenBLAS: see bench.h. OpenBLAS is the yardstick only: it orders its sums
// by the shape of the product, so a row's bits would depend on how many rows are multiplied with
// it.
#include <cblas.h>

#include "nets/gemm.h"
#include "rl/base/arena.h"
#include "rl/base/clock.h"
#include "rl/base/rng.h"
#include "rl/run/bench.h"

static const RlBenchGemm shapes[RL_BENCH_SHAPES] = {
    {.M = 1, .N = 64, .K = 64},       {.M = 64, .N = 64, .K = 17},
    {.M = 64, .N = 64, .K = 64},      {.M = 64, .N = 6, .K = 64},
    {.M = 64, .N = 64, .K = 348},     {.M = 64, .N = 256, .K = 256},
    {.M = 256, .N = 256, .K = 256},   {.M = 256, .N = 1024, .K = 1024},
    {.M = 2048, .N = 2048, .K = 2048}};

typedef struct {
  float *x, *w, *y;
} Matrices;

static void ours(const RlBenchGemm *g, const Matrices *m) {
  rl_gemm_forward(m->y, m->x, m->w, NULL, g->M, g->N, g->K);
}

static void openblas(const RlBenchGemm *g, const Matrices *m) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, g->M, g->N, g->K, 1, m->x, g->K, m->w,
              g->N, 0, m->y, g->N);
}

// GFLOP/s of one round of some milliseconds.
static double rate(void (*multiply)(const RlBenchGemm *, const Matrices *), const RlBenchGemm *g,
                   const Matrices *m) {
  double flops = 2.0 * g->M * g->N * g->K;
  int count = flops < 5e7 ? (int)(5e7 / flops) : 1;
  double start = rl_clock_seconds();
  for (int i = 0; i < count; i++) multiply(g, m);
  return flops * count / (rl_clock_seconds() - start) * 1e-9;
}

static float *random_matrix(RlArena *arena, RlRng *rng, int rows, int columns) {
  float *x = RL_PUSH(arena, float, rows *columns);
  for (int i = 0; i < rows * columns; i++) x[i] = (float)rl_rng_between(rng, -1, 1);
  return x;
}

void rl_bench_gemm(RlBenchGemm result[RL_BENCH_SHAPES], int rounds) {
  openblas_set_num_threads(1);
  for (int i = 0; i < RL_BENCH_SHAPES; i++) {
    RlArena arena = {0};
    RlRng rng;
    rl_rng_init(&rng, 1, RL_STREAM_INIT, 0);
    result[i] = shapes[i];
    RlBenchGemm *g = &result[i];
    Matrices m = {random_matrix(&arena, &rng, g->M, g->K), random_matrix(&arena, &rng, g->K, g->N),
                  RL_PUSH(&arena, float, g->M * g->N)};
    for (int r = 0; r < rounds; r++) {
      double mine = rate(ours, g, &m), theirs = rate(openblas, g, &m);
      if (mine > g->ours) g->ours = mine;
      if (theirs > g->openblas) g->openblas = theirs;
    }
    rl_arena_free(&arena);
  }
}

// ---------------------------------------------------------------- the rate of all threads

enum { LARGE = 1024, PRODUCTS = 4, MAX_THREADS = 1024 };

static void large_job(void *arg, int job) {
  const Matrices *m = (const Matrices *)arg + job;
  for (int i = 0; i < PRODUCTS; i++) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, LARGE, LARGE, LARGE, 1, m->x, LARGE,
                m->w, LARGE, 0, m->y, LARGE);
  }
}

double rl_bench_gemm_rate(RlPool *pool) {
  static Matrices m[MAX_THREADS];
  int threads = rl_pool_threads(pool);
  RlArena arena = {0};
  RlRng rng;
  rl_rng_init(&rng, 1, RL_STREAM_INIT, 0);
  openblas_set_num_threads(1);
  for (int i = 0; i < threads; i++) {
    m[i] =
        (Matrices){random_matrix(&arena, &rng, LARGE, LARGE),
                   random_matrix(&arena, &rng, LARGE, LARGE), RL_PUSH(&arena, float, LARGE *LARGE)};
  }
  double start = rl_clock_seconds();
  rl_pool_run(pool, threads, large_job, m);
  double seconds = rl_clock_seconds() - start;
  rl_arena_free(&arena);
  return 2.0 * LARGE * LARGE * LARGE * PRODUCTS * threads / seconds * 1e-9;
}
