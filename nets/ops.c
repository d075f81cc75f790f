// Array kernels and their backwards.
#include "nets/ops.h"

#include <math.h>
#include <string.h>

void rl_tanh_forward(RlReal *y, const RlReal *x, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = (RlReal)tanh((double)x[i]);
}
void rl_tanh_backward(RlReal *dx, const RlReal *dy, const RlReal *y, size_t n) {
  for (size_t i = 0; i < n; i++) dx[i] = dy[i] * (1 - y[i] * y[i]);
}
void rl_relu_forward(RlReal *y, const RlReal *x, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = x[i] < 0 ? 0 : x[i];
}
void rl_relu_backward(RlReal *dx, const RlReal *dy, const RlReal *y, size_t n) {
  for (size_t i = 0; i < n; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
}
void rl_exp_forward(RlReal *y, const RlReal *x, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = (RlReal)exp((double)x[i]);
}
void rl_bias_backward(RlReal *db, const RlReal *dy, int M, int N) {
  for (int m = 0; m < M; m++) {
    for (int n = 0; n < N; n++) db[n] += dy[m * N + n];
  }
}
void rl_slots_sum(RlReal *dst, const RlReal *src, size_t stride, int nslot, size_t n) {
  for (size_t i = 0; i < n; i++) {
    RlReal sum = nslot > 0 ? src[i] : 0;
    for (int s = 1; s < nslot; s++) sum += src[(size_t)s * stride + i];
    dst[i] = sum;
  }
}
double rl_sum_squares(const RlReal *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
  return sum;
}
