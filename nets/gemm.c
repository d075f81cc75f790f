// Matrix products from register tiles. All three products are c (M, N) = init + a (M, K) b (K, N)
// with a read along or across its rows; multiply_tiled() cuts it into blocks that stay in the
// caches and tiles that stay in registers.
//
// Invariant: every element is one chain of fused multiply-adds, init first and then k in order. A
// tile's height, a block's edge and the instruction set change which elements are computed
// together, never a chain; a chain cut between two blocks of k goes through c, which loses nothing.
#include "nets/gemm.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "nets/isa.h"

typedef struct {
  RlReal *c;           // (rows, columns), row stride ldc
  const RlReal *init;  // what the chains start from, row stride ldinit; may be c
  const RlReal *a;     // (rows, K) with row stride lda, or transposed (K, rows) with row stride lda
  const RlReal *b;     // (K, columns), row stride ldb
  ptrdiff_t ldc, ldinit, lda, ldb;
  int K;
} TileArgs;

typedef void (*Tile)(const TileArgs *t);
typedef void (*Copy)(RlReal *panel, const RlReal *b, ptrdiff_t ldb, int K);

enum { WIDTHS = 4, MAX_ROWS = 12, MAX_VW = 16 };

typedef struct {
  int vw;            // columns of a vector
  int rows[WIDTHS];  // tallest tile that is 1, 2, 4, 8 vectors wide
  Copy copy[WIDTHS];
  Tile tile[2][WIDTHS][MAX_ROWS + 1];  // by a transposed, log2 of the width in vectors, rows
} TileSet;

#ifdef __x86_64__
#include <immintrin.h>
#ifdef RL_DOUBLE
#define X86(bits, op) _mm##bits##_##op##_pd
#else
#define X86(bits, op) _mm##bits##_##op##_ps
#endif

#define ISA(name) name##_avx2
#define TARGET    __attribute__((target("avx2,fma")))
#ifdef RL_DOUBLE
#define VEC      __m256d
#define SPLAT(p) _mm256_broadcast_sd(p)
#else
#define VEC      __m256
#define SPLAT(p) _mm256_broadcast_ss(p)
#endif
#define VW              (int)(32 / sizeof(RlReal))
#define MAX_ACC         12
#define LOAD(p)         X86(256, loadu)(p)
#define STORE(p, v)     X86(256, storeu)(p, v)
#define MULADD(a, b, c) X86(256, fmadd)(a, b, c)
#include "nets/gemm_tile.inc"

#define ISA(name) name##_avx512
#define TARGET    __attribute__((target("avx512f")))
#ifdef RL_DOUBLE
#define VEC __m512d
#else
#define VEC __m512
#endif
#define VW              (int)(64 / sizeof(RlReal))
#define MAX_ACC         24
#define LOAD(p)         X86(512, loadu)(p)
#define STORE(p, v)     X86(512, storeu)(p, v)
#define SPLAT(p)        X86(512, set1)(*(p))
#define MULADD(a, b, c) X86(512, fmadd)(a, b, c)
#include "nets/gemm_tile.inc"
#endif

// A product as the callers below pose it: c and b are dense.
typedef struct {
  RlReal *c;           // (M, N)
  const RlReal *init;  // (M, N) with row stride ldinit
  const RlReal *a;     // (M, K), or transposed (K, M)
  const RlReal *b;     // (K, N), dense or packed
  ptrdiff_t ldinit;
  int transposed, packed, M, N, K;
} Product;

// The definition, and the path of processors without a tile set.
static void multiply_plain(const Product *p) {
  for (int m = 0; m < p->M; m++) {
    RlReal *c = p->c + (ptrdiff_t)m * p->N;
    const RlReal *init = p->init + m * p->ldinit;
    for (int n = 0; n < p->N; n++) c[n] = init[n];
    for (int k = 0; k < p->K; k++) {
      const RlReal a = p->a[p->transposed ? (ptrdiff_t)k * p->M + m : (ptrdiff_t)m * p->K + k];
      const RlReal *b = p->b + (ptrdiff_t)k * p->N;
#ifdef RL_DOUBLE
      for (int n = 0; n < p->N; n++) c[n] = fma(a, b[n], c[n]);
#else
      for (int n = 0; n < p->N; n++) c[n] = fmaf(a, b[n], c[n]);
#endif
    }
  }
}

// Block sizes. A panel of b is meant to stay in L1 while all rows of a block pass, the block's part
// of a in L2 while all panels pass. A copied a gets rows of an odd number of cache lines.
enum {
  PANEL = 24576 / sizeof(RlReal),
  BLOCK_ROWS = 128,
  LEFT_STRIDE = BLOCK_ROWS + 16,
  LEFT_DEPTH = 384,
};
static int min_int(int a, int b) {
  return a < b ? a : b;
}

static ptrdiff_t min_ptrdiff(ptrdiff_t a, ptrdiff_t b) {
  return a < b ? a : b;
}

// Even parts: none is left with so few rows that the multiply-add's latency shows.
static int part_size(int n, int most) {
  const int parts = (n + most - 1) / most;
  return parts ? (n + parts - 1) / parts : 0;
}

// One block of rows [m0, m1) and of k [k0, k1).
typedef struct {
  const Product *p;
  const TileSet *set;
  const RlReal *a;  // the block's part of a, in place or copied
  ptrdiff_t lda;
  int m0, m1, k0, k1;
} Block;

// Finds the block's part of a. A wide transposed a is copied: its columns are read k after k, a
// stride that would throw them out of the same few cache sets again and again.
static void find_left(Block *block, RlReal *restrict copy) {
  const Product *p = block->p;
  const int rows = block->m1 - block->m0;
  block->lda = p->transposed ? p->M : p->K;
  block->a = p->transposed ? p->a + block->k0 * block->lda + block->m0
                           : p->a + block->m0 * block->lda + block->k0;
  if (!p->transposed || p->M < RL_GEMM_PACK_COLUMNS || p->N < 64) return;
  for (int k = 0; k < block->k1 - block->k0; k++) {
    memcpy(copy + k * LEFT_STRIDE, block->a + k * block->lda, (size_t)rows * sizeof(RlReal));
  }
  block->a = copy;
  block->lda = LEFT_STRIDE;
}

// For columns columns from column on: packed, they are a panel of their own.
static TileArgs block_args(const Block *block, int column, int columns) {
  const Product *p = block->p;
  const int first = block->k0 == 0;
  const RlReal *b = p->b + (p->packed ? (ptrdiff_t)column * p->K : column);
  const ptrdiff_t ldb = p->packed ? columns : p->N;
  return (TileArgs){
      .c = p->c + (ptrdiff_t)block->m0 * p->N + column,
      .init = first ? p->init + block->m0 * p->ldinit + column
                    : p->c + (ptrdiff_t)block->m0 * p->N + column,
      .a = block->a,
      .b = b + block->k0 * ldb,
      .ldc = p->N,
      .ldinit = first ? p->ldinit : p->N,
      .lda = block->lda,
      .ldb = ldb,
      .K = block->k1 - block->k0,
  };
}

static void advance(TileArgs *t, int rows, int transposed) {
  t->c += rows * t->ldc;
  t->init += rows * t->ldinit;
  t->a += transposed ? rows : rows * t->lda;
}

// 1 << width vectors of columns from column on, all rows of the block.
static void multiply_panel(const Block *block, int column, int width, RlReal *restrict panel) {
  const TileSet *set = block->set;
  const int transposed = block->p->transposed, rows = block->m1 - block->m0;
  const int columns = set->vw << width;
  TileArgs t = block_args(block, column, columns);
  if (!block->p->packed && rows >= RL_GEMM_PACK_ROWS && t.ldb >= RL_GEMM_PACK_COLUMNS) {
    set->copy[width](panel, t.b, t.ldb, t.K);
    t.b = panel;
    t.ldb = columns;
  }
  int tiles = (rows + set->rows[width] - 1) / set->rows[width];
  for (int left = rows; left > 0; tiles--) {
    const int height = (left + tiles - 1) / tiles;
    set->tile[transposed][width][height](&t);
    advance(&t, height, transposed);
    left -= height;
  }
}

// Copies n < 2 * MAX_VW numbers; a call of memcpy for so few would cost more than the tile.
static inline void copy_few(RlReal *restrict to, const RlReal *restrict from, int n) {
#pragma GCC unroll 5
  for (int size = MAX_VW; size > 0; size /= 2) {
    if (!(n & size)) continue;
    memcpy(to, from, (size_t)size * sizeof(RlReal));
    to += size;
    from += size;
  }
}

// The last columns of the block, fewer than a vector. Whole vectors are read from b where that
// stays inside b (the surplus lanes are dropped); the last rows of b go through a padded copy.
static void multiply_edge(const Block *block, int column) {
  const TileSet *set = block->set;
  const Product *p = block->p;
  const int vw = set->vw, columns = p->N - column, rows = block->m1 - block->m0;
  TileArgs t = block_args(block, column, columns);
  // whole vectors that can be read from here on before b ends
  const ptrdiff_t room = p->b + (ptrdiff_t)p->K * p->N - t.b - vw;
  const int safe = room < 0 ? 0 : (int)min_ptrdiff(t.K, room / t.ldb + 1);
  RlReal last[MAX_VW * MAX_VW] = {0}, c[MAX_ROWS * MAX_VW] = {0};
  for (int k = safe; k < t.K; k++) {
    copy_few(last + (k - safe) * vw, t.b + k * t.ldb, columns);
  }
  int tiles = (rows + set->rows[0] - 1) / set->rows[0];
  for (int left = rows; left > 0; tiles--) {
    const int height = (left + tiles - 1) / tiles;
    const Tile tile = set->tile[p->transposed][0][height];
    for (int i = 0; i < height; i++) {
      copy_few(c + i * vw, t.init + i * t.ldinit, columns);
    }
    TileArgs part = t;
    part.c = c;
    part.init = c;
    part.ldc = part.ldinit = vw;
    part.K = safe;
    tile(&part);
    if (safe < t.K) {
      part.a += p->transposed ? safe * t.lda : safe;
      part.b = last;
      part.ldb = vw;
      part.K = t.K - safe;
      tile(&part);
    }
    for (int i = 0; i < height; i++) {
      copy_few(t.c + i * t.ldc, c + i * vw, columns);
    }
    advance(&t, height, p->transposed);
    left -= height;
  }
}

// Widest tile that takes rows rows, or the six that keep the multiply-adds busy.
static int widest_tile(const TileSet *set, int rows) {
  int widest = WIDTHS - 1;
  while (widest > 0 && set->rows[widest] < min_int(rows, 6)) widest--;
  return widest;
}

static void multiply_tiled(const Product *p, const TileSet *set) {
  _Alignas(64) RlReal panel[PANEL], left[LEFT_STRIDE * LEFT_DEPTH];
  const int widest = widest_tile(set, p->packed ? 6 : p->M);
  const int depth = part_size(p->K, PANEL / (set->vw << widest));
  const int height = part_size(p->M, BLOCK_ROWS);
  for (int m0 = 0; m0 < p->M; m0 += height) {
    for (int k0 = 0; k0 == 0 || k0 < p->K; k0 += depth) {
      Block block = {
          p, set, NULL, 0, m0, min_int(m0 + height, p->M), k0, min_int(k0 + depth, p->K)};
      find_left(&block, left);
      int column = 0;
      for (int width = widest; width >= 0; width--) {
        for (; column + (set->vw << width) <= p->N; column += set->vw << width) {
          multiply_panel(&block, column, width, panel);
        }
      }
      if (column < p->N) multiply_edge(&block, column);
      if (p->K == 0) break;
    }
  }
}

// NULL: the plain path
static const TileSet *active_tiles(void) {
  switch (rl_isa_active()) {
#ifdef __x86_64__
    case RL_ISA_AVX512:
      return &tiles_avx512;
    case RL_ISA_AVX2:
      return &tiles_avx2;
#endif
    default:
      return NULL;
  }
}

static void multiply(const Product *p) {
  if (p->M <= 0 || p->N <= 0) return;
  const TileSet *set = active_tiles();
  if (set) {
    multiply_tiled(p, set);
  } else {
    multiply_plain(p);
  }
}

// Whether a packed matrix of N columns has another order.
static int is_packed(int N) {
  return N >= RL_GEMM_PACK_COLUMNS && active_tiles() != NULL;
}

// Rows of zeros and of the bias are read with row stride 0, in runs of at most this many columns.
enum { ZERO_COLUMNS = 4096 };

static void multiply_from_zero(Product *p) {
  static const RlReal zero[ZERO_COLUMNS];
  p->init = zero;
  if (p->N > ZERO_COLUMNS) {
    memset(p->c, 0, (size_t)p->M * (size_t)p->N * sizeof(RlReal));
    p->init = p->c;
    p->ldinit = p->N;
  }
  multiply(p);
}

static void forward(RlReal *y, const RlReal *x, const RlReal *w, const RlReal *b, int packed, int M,
                    int N, int K) {
  Product p = {.c = y, .init = b, .a = x, .b = w, .packed = packed, .M = M, .N = N, .K = K};
  if (b) {
    multiply(&p);
  } else {
    multiply_from_zero(&p);
  }
}

void rl_gemm_forward(RlReal *y, const RlReal *x, const RlReal *w, const RlReal *b, int M, int N,
                     int K) {
  forward(y, x, w, b, 0, M, N, K);
}

void rl_gemm_forward_packed(RlReal *y, const RlReal *x, const RlReal *packed, const RlReal *b,
                            int M, int N, int K) {
  forward(y, x, packed, b, is_packed(N), M, N, K);
}

void rl_gemm_backward_weight(RlReal *dw, const RlReal *x, const RlReal *dy, int M, int N, int K) {
  if (N == 1) {
    // a column is as well a row: vectors along k instead of one lane in use
    multiply_from_zero(&(Product){.c = dw, .a = dy, .b = x, .M = 1, .N = K, .K = M});
  } else {
    multiply_from_zero(
        &(Product){.c = dw, .a = x, .b = dy, .transposed = 1, .M = K, .N = N, .K = M});
  }
}

void rl_gemm_backward_input(RlReal *dx, const RlReal *dy, const RlReal *wt, int M, int N, int K) {
  rl_gemm_forward_packed(dx, dy, wt, NULL, M, K, N);
}

// ---------------------------------------------------------------- packing

// out (columns, rows) = those rows of in, each of the first columns of a row of ldin, transposed.
// Squares of a cache line's side: both matrices are touched a whole line at a time.
static void transpose(RlReal *restrict out, const RlReal *restrict in, int rows, int columns,
                      ptrdiff_t ldin) {
  enum { SIDE = 16 };
  for (int i0 = 0; i0 < rows; i0 += SIDE) {
    for (int j0 = 0; j0 < columns; j0 += SIDE) {
      const int i1 = min_int(i0 + SIDE, rows), j1 = min_int(j0 + SIDE, columns);
      for (int j = j0; j < j1; j++) {
        for (int i = i0; i < i1; i++) out[(ptrdiff_t)j * rows + i] = in[i * ldin + j];
      }
    }
  }
}

typedef struct {
  RlReal *out;
  const RlReal *w;  // (K, N), or transposed (N, K)
  int transposed, K, N;
} Packing;

static void pack_panel(const Packing *p, int column, int columns) {
  RlReal *panel = p->out + (ptrdiff_t)column * p->K;
  if (p->transposed) {
    transpose(panel, p->w + (ptrdiff_t)column * p->K, columns, p->K, p->K);
    return;
  }
  for (int k = 0; k < p->K; k++) {
    memcpy(panel + (ptrdiff_t)k * columns, p->w + (ptrdiff_t)k * p->N + column,
           (size_t)columns * sizeof(RlReal));
  }
}

// The panels are those of multiply_tiled.
static void pack(const Packing *p) {
  if (!is_packed(p->N)) {
    pack_panel(p, 0, p->N);
    return;
  }
  const TileSet *set = active_tiles();
  int column = 0;
  for (int width = widest_tile(set, 6); width >= 0; width--) {
    for (; column + (set->vw << width) <= p->N; column += set->vw << width) {
      pack_panel(p, column, set->vw << width);
    }
  }
  if (column < p->N) pack_panel(p, column, p->N - column);
}

void rl_gemm_pack(RlReal *packed, const RlReal *w, int K, int N) {
  pack(&(Packing){packed, w, 0, K, N});
}

void rl_gemm_pack_transposed(RlReal *packed, const RlReal *w, int K, int N) {
  pack(&(Packing){packed, w, 1, N, K});
}
