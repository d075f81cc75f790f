// Box-Muller in vectors. Place: under the noise of the policies, on top of the generator.
//
// Invariant: the same bits as rl_rng_box_muller, rounded to a float. The arithmetic below agrees
// with the library's to a few units in the last place of a double, and a float has 29 bits fewer:
// both round to the same float unless they lie that close to where rounding changes. Those, one in
// a million, are asked of rl_rng_box_muller itself.
#include "nets/normal.h"

#ifdef RL_DOUBLE

void rl_normal_fill(RlReal *x, size_t n, RlRng *rng) {
  for (size_t i = 0; i < n; i++) x[i] = rl_rng_normal(rng);
}

#else

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "nets/isa.h"

enum { CHUNK = 64 };

// pairs of uniform numbers and what became of them
typedef struct {
  double uv[CHUNK][2];
  float x[CHUNK];
  int32_t unsure[CHUNK];  // -1: too close to call; int32_t to be as wide as x
} Draws;

#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits;
}

INLINE double double_of(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof(x));
  return x;
}

// log(x) for 0 < x <= 1: x = 2^e m with m around 1, log(m) = 2 artanh(s) = 2 s (1 + z q(z)) with
// s = (m - 1) / (m + 1), z = s^2. The polynomials are those of least relative error, some 1e-18.
INLINE double log_one(double x) {
  const uint64_t ROOT_HALF = 0x3fe6a09e667f3bcdu, BIAS = 64;
  const double WHOLE = 0x1p52;  // its low bits are a whole number
  const uint64_t scale = (bits_of(x) - ROOT_HALF + (BIAS << 52)) >> 52;
  const double e = double_of(scale | bits_of(WHOLE)) - (WHOLE + (double)BIAS);
  const double m = double_of(bits_of(x) - ((scale - BIAS) << 52));
  const double s = (m - 1) / (m + 1), z = s * s;
  double q = 0.073981305292475139;
  q = fma(q, z, 0.076570105879737643);
  q = fma(q, z, 0.090917827013189734);
  q = fma(q, z, 0.11111099276968094);
  q = fma(q, z, 0.1428571437127992);
  q = fma(q, z, 0.19999999999706991);
  q = fma(q, z, 0.3333333333333367);
  return fma(e, 0.69314718055994531, 2 * fma(s * z, q, s));
}

// cos(x) for 0 <= x <= 2 pi: r is what is left of x beyond n quarters of a turn
INLINE double cos_one(double x) {
  const double ROUNDER = 0x1.8p52;  // see ops.c
  const double rounded = fma(x, 0.63661977236758138, ROUNDER), n = rounded - ROUNDER;
  const double r = fma(n, -6.123233995736766e-17, fma(n, -1.5707963267948966, x));
  const double z = r * r;
  double s = 1.5896795553010023e-10;
  s = fma(s, z, -2.5050758113119069e-08);
  s = fma(s, z, 2.7557313691900161e-06);
  s = fma(s, z, -0.00019841269829807737);
  s = fma(s, z, 0.0083333333333224131);
  s = fma(s, z, -0.16666666666666632);
  double c = -1.1359647903924717e-11;
  c = fma(c, z, 2.0875723275340215e-09);
  c = fma(c, z, -2.7557314352349325e-07);
  c = fma(c, z, 2.4801587289482245e-05);
  c = fma(c, z, -0.0013888888888874125);
  c = fma(c, z, 0.041666666666666602);
  const double sine = fma(r * z, s, r), cosine = fma(z * z, c, fma(z, -0.5, 1));
  const uint64_t quarter = bits_of(rounded), odd = 0u - (quarter & 1);
  const uint64_t magnitude = (bits_of(sine) & odd) | (bits_of(cosine) & ~odd);
  return double_of(magnitude ^ (((quarter + 1) & 2) << 62));
}

INLINE void box_muller(Draws *restrict d) {
  const double MARGIN = 0x1p-46;  // 128 units in the last place
  // below it the cosine is near a zero, where what is small beside x is not small beside it
  const double LEAST = 0x1p-20;
  for (int i = 0; i < CHUNK; i++) {
    const double x =
        sqrt(-2 * log_one(1 - d->uv[i][0])) * cos_one(6.283185307179586476925 * d->uv[i][1]);
    const float low = (float)(x - MARGIN * x), high = (float)(x + MARGIN * x);
    d->x[i] = high;
    d->unsure[i] = -(low != high) | -!(fabs(x) >= LEAST);
  }
}

static void box_muller_plain(Draws *d) {
  for (int i = 0; i < CHUNK; i++) d->x[i] = (float)rl_rng_box_muller(d->uv[i][0], d->uv[i][1]);
}

#ifdef __x86_64__
static __attribute__((target("avx2,fma"))) void box_muller_avx2(Draws *d) {
  box_muller(d);
}
static __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,prefer-vector-width=512"))) void
box_muller_avx512(Draws *d) {
  box_muller(d);
}
#endif

static void transform(Draws *d) {
  switch (rl_isa_active()) {
#ifdef __x86_64__
    case RL_ISA_AVX512:
      box_muller_avx512(d);
      break;
    case RL_ISA_AVX2:
      box_muller_avx2(d);
      break;
#endif
    default:
      box_muller_plain(d);
      return;
  }
  for (int i = 0; i < CHUNK; i++) {
    if (d->unsure[i]) d->x[i] = (float)rl_rng_box_muller(d->uv[i][0], d->uv[i][1]);
  }
}

void rl_normal_fill(RlReal *x, size_t n, RlRng *rng) {
  Draws d = {0};
  while (n >= CHUNK) {
    rl_rng_uniform_fill(rng, d.uv[0], sizeof d.uv / sizeof(double));
    transform(&d);
    memcpy(x, d.x, sizeof d.x);
    x += CHUNK;
    n -= CHUNK;
  }
  for (size_t i = 0; i < n; i++) x[i] = (float)rl_rng_normal(rng);
}

#endif
