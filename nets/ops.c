// Array kernels: the arithmetic of one element, written so that the compiler turns loops over it
// into vectors, and the choice of the instruction set.
//
// Invariant: the same bits on every set. Each operation below is one IEEE operation, fused only
// where written so, and sums have an order that does not depend on the length of a vector.
#include "nets/ops.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "nets/isa.h"

enum { LANES = 16, CHUNK = 2048 };

typedef struct {
  void (*tanh_forward)(RlReal *y, const RlReal *x, size_t n);
  void (*exp_forward)(RlReal *y, const RlReal *x, size_t n);
  void (*softplus_forward)(RlReal *y, const RlReal *x, size_t n);
  void (*tanh_backward)(RlReal *dx, const RlReal *dy, const RlReal *y, size_t n);
  void (*relu_forward)(RlReal *y, const RlReal *x, size_t n);
  void (*relu_backward)(RlReal *dx, const RlReal *dy, const RlReal *y, size_t n);
  void (*bias_backward)(RlReal *db, const RlReal *dy, size_t M, size_t N);
  void (*add)(RlReal *sum, const RlReal *x, size_t n);
  void (*polyak)(RlReal *target, const RlReal *param, RlReal tau, size_t n);
  void (*adam)(RlReal *param, RlReal *m, RlReal *v, const RlReal *grad, const RlAdamStep *step,
               size_t n);
  void (*add_squares)(double *lane, const RlReal *x, size_t n);
} Loops;

#define INLINE static inline __attribute__((always_inline))

#ifdef RL_DOUBLE
#define ROOT sqrt
#else
#define ROOT sqrtf
#endif

#ifdef RL_DOUBLE
INLINE double tanh_one(double x) {
  return tanh(x);
}
INLINE double exp_one(double x) {
  return exp(x);
}
INLINE double softplus_one(double x) {
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}
#else

INLINE uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits;
}

INLINE float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof(x));
  return x;
}

// condition ? a : b, without the branch that would keep a loop from becoming vectors.
INLINE float either(int condition, float a, float b) {
  const uint32_t mask = 0u - (uint32_t)condition;
  return float_of((bits_of(a) & mask) | (bits_of(b) & ~mask));
}

// Adding this rounds to a whole number n and leaves n in the low bits: the spacing of floats there
// is 1.
#define ROUNDER 12582912.0f  // 1.5 * 2^23
#define LOG2_E  1.44269504f
#define LN2_HI  0.693147182f
#define LN2_LO  (-1.90465421e-9f)

// exp(r) - 1 for |r| <= ln(2) / 2 as r + r^2 q(r), where q is the polynomial of least relative
// error (2.4e-10 before its coefficients are rounded).
INLINE float expm1_reduced(float r) {
  float q = 1.98458816e-4f;
  q = fmaf(q, r, 1.39406684e-3f);
  q = fmaf(q, r, 8.33338965e-3f);
  q = fmaf(q, r, 4.16663587e-2f);
  q = fmaf(q, r, 1.66666657e-1f);
  q = fmaf(q, r, 0.5f);
  return fmaf(r * r, q, r);
}

// tanh |x| = e / (e + 2) with e = exp(2 |x|) - 1, which loses nothing near 0. For e < NEAR the form
// e/2 - e/2 tanh keeps the rounding of e + 2 out of the leading term: 1.8 ulp instead of 2.4.
// Beyond LARGE the quotient is 1 in floats.
INLINE float tanh_one(float x) {
  const float LARGE = 9.5f, NEAR = 1;
  const uint32_t sign = bits_of(x) & 0x80000000u;
  float a = float_of(bits_of(x) ^ sign);
  a = either(a > LARGE, LARGE, a);
  const float rounded = fmaf(a, 2 * LOG2_E, ROUNDER);
  const float n = rounded - ROUNDER;
  float r = fmaf(n, -LN2_HI, 2 * a);
  r = fmaf(n, -LN2_LO, r);
  const float power = float_of((bits_of(rounded) << 23) + 0x3f800000u);  // 2^n
  const float e = fmaf(power, expm1_reduced(r), power - 1);
  const float quotient = e / (e + 2);
  const float near = fmaf(-0.5f * e, quotient, 0.5f * e);
  return float_of(bits_of(either(e < NEAR, near, quotient)) | sign);
}

// 2^n is applied in two factors: for the largest x it is no float itself.
INLINE float exp_one(float x) {
  const float LARGE = 89, SMALL = -87.3365402f;  // the least x whose exponential is a normal number
  const float a = either(x > LARGE, LARGE, either(x < SMALL, SMALL, x));
  const float rounded = fmaf(a, LOG2_E, ROUNDER);
  const float n = rounded - ROUNDER;
  float r = fmaf(n, -LN2_HI, a);
  r = fmaf(n, -LN2_LO, r);
  const int32_t whole = (int32_t)(bits_of(rounded) - bits_of(ROUNDER));
  const int32_t half = whole >> 1;
  const float power = float_of((uint32_t)(half + 127) << 23);
  const float rest = float_of((uint32_t)(whole - half + 127) << 23);
  const float y = (expm1_reduced(r) + 1) * power * rest;
  return either(x < SMALL, 0, y);
}

// log(1 + e) for 0 <= e <= 1 as 2 artanh(s), s = e / (e + 2). artanh(s) = s + s z q(z), z = s^2,
// where q is the polynomial of least relative error (1.0e-8 before its coefficients are rounded).
// 2 s = e - e s keeps the rounding of s out of the leading term.
INLINE float log1p_one(float e) {
  const float s = e / (e + 2);
  const float z = s * s;
  float q = 0.116167821f;
  q = fmaf(q, z, 0.108522661f);
  q = fmaf(q, z, 0.142962500f);
  q = fmaf(q, z, 0.199998513f);
  q = fmaf(q, z, 0.333333343f);
  return fmaf(-s, fmaf(-2 * z, q, e), e);
}

INLINE float softplus_one(float x) {
  const float e = exp_one(float_of(bits_of(x) | 0x80000000u));
  return either(x > 0, x, 0) + log1p_one(e);
}
#endif

#define ISA(name) name##_plain
#define TARGET
#include "nets/ops_loops.inc"
#ifdef __x86_64__
#define ISA(name) name##_avx2
#define TARGET    __attribute__((target("avx2,fma")))
#include "nets/ops_loops.inc"
#define ISA(name) name##_avx512
#define TARGET    __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,prefer-vector-width=512")))
#include "nets/ops_loops.inc"
#endif

static const Loops *loops(void) {
  switch (rl_isa_active()) {
#ifdef __x86_64__
    case RL_ISA_AVX512:
      return &loops_avx512;
    case RL_ISA_AVX2:
      return &loops_avx2;
#endif
    default:
      return &loops_plain;
  }
}

void rl_tanh_forward(RlReal *y, const RlReal *x, size_t n) {
  loops()->tanh_forward(y, x, n);
}

void rl_tanh_backward(RlReal *dx, const RlReal *dy, const RlReal *y, size_t n) {
  loops()->tanh_backward(dx, dy, y, n);
}

void rl_relu_forward(RlReal *y, const RlReal *x, size_t n) {
  loops()->relu_forward(y, x, n);
}

void rl_relu_backward(RlReal *dx, const RlReal *dy, const RlReal *y, size_t n) {
  loops()->relu_backward(dx, dy, y, n);
}

void rl_exp_forward(RlReal *y, const RlReal *x, size_t n) {
  loops()->exp_forward(y, x, n);
}

void rl_softplus_forward(RlReal *y, const RlReal *x, size_t n) {
  loops()->softplus_forward(y, x, n);
}

void rl_bias_backward(RlReal *db, const RlReal *dy, int M, int N) {
  if (N <= 0) return;
  memset(db, 0, (size_t)N * sizeof(RlReal));
  if (M > 0) loops()->bias_backward(db, dy, (size_t)M, (size_t)N);
}

void rl_slots_sum(RlReal *dst, const RlReal *src, size_t stride, int nslot, size_t n) {
  // chunk by chunk, so that the sum stays in L1 while the slots pass
  for (size_t i = 0; i < n; i += CHUNK) {
    const size_t size = n - i < CHUNK ? n - i : CHUNK;
    if (nslot > 0) {
      memcpy(dst + i, src + i, size * sizeof(RlReal));
    } else {
      memset(dst + i, 0, size * sizeof(RlReal));
    }
    for (int s = 1; s < nslot; s++) loops()->add(dst + i, src + (size_t)s * stride + i, size);
  }
}

void rl_polyak(RlReal *restrict target, const RlReal *restrict param, double tau, size_t n) {
  // target + (param - target) rounds, so the whole step is a copy
  if (tau >= 1) {
    memcpy(target, param, n * sizeof(RlReal));
  } else {
    loops()->polyak(target, param, (RlReal)tau, n);
  }
}

void rl_adam_move(RlReal *param, RlReal *m, RlReal *v, const RlReal *grad, const RlAdamStep *step,
                  size_t n) {
  loops()->adam(param, m, v, grad, step, n);
}

double rl_sum_squares(const RlReal *x, size_t n) {
  // lane l sums elements l, LANES + l, ...; then the lanes are summed in order
  double lane[LANES] = {0};
  const size_t whole = n / LANES * LANES;
  loops()->add_squares(lane, x, whole);
  for (size_t i = whole; i < n; i++) lane[i - whole] += (double)x[i] * (double)x[i];
  double sum = 0;
  for (int l = 0; l < LANES; l++) sum += lane[l];
  return sum;
}
