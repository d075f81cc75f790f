// Array kernels and their backwards, vectorised over whole arrays. Element i's bits do not depend
// on n or on alignment.
#ifndef NETS_OPS_H_
#define NETS_OPS_H_

#include <stddef.h>

#include "nets/real.h"

// y[i] = tanh(x[i]); y may be x. Exact at 0, odd, within 2 ulp of tanh, NaN in gives NaN out.
void rl_tanh_forward(RlReal *y, const RlReal *x, size_t n);

// dx[i] = dy[i] (1 - y[i]^2); dx may be dy.
void rl_tanh_backward(RlReal *dx, const RlReal *dy, const RlReal *y, size_t n);

// y[i] = max(x[i], 0), NaN in gives NaN out; y may be x.
void rl_relu_forward(RlReal *y, const RlReal *x, size_t n);

// dx[i] = y[i] > 0 ? dy[i] : 0; dx may be dy.
void rl_relu_backward(RlReal *dx, const RlReal *dy, const RlReal *y, size_t n);

// y[i] = exp(x[i]), within 2 ulp, flushing below the normal range to 0; y may be x.
void rl_exp_forward(RlReal *y, const RlReal *x, size_t n);

// y[i] = log(1 + exp(x[i])), within 2 ulp, flushing below the normal range to 0, NaN in gives NaN
// out, finite for all finite x; y may be x.
void rl_softplus_forward(RlReal *y, const RlReal *x, size_t n);

// db (N) = column sums of dy (M, N), rows in order.
void rl_bias_backward(RlReal *db, const RlReal *dy, int M, int N);

// dst[i] = src[0][i] + src[1][i] + ..., slot s at src + s * stride, summed in slot order;
// overwrites.
void rl_slots_sum(RlReal *dst, const RlReal *src, size_t stride, int nslot, size_t n);

// target[i] += tau (param[i] - target[i]), 0 <= tau <= 1; tau = 1 copies. target must not overlap
// param.
void rl_polyak(RlReal *restrict target, const RlReal *restrict param, double tau, size_t n);

// What one step of Adam multiplies by; adam.c fills it.
typedef struct {
  RlReal scale;                     // of the gradient
  RlReal keep1, add1, keep2, add2;  // of the moments: beta and 1 - beta
  RlReal rate, root, epsilon;       // learning rate and root of v, both corrected for the start
} RlAdamStep;

// One pass of Adam over n parameters and their moments m and v. Every operation is one correctly
// rounded IEEE operation, so that all instruction sets give the same bits.
void rl_adam_move(RlReal *param, RlReal *m, RlReal *v, const RlReal *grad, const RlAdamStep *step,
                  size_t n);

// Sum of squares in double over fixed chunks: the same bits on every call.
double rl_sum_squares(const RlReal *x, size_t n);

#endif
