// Matrix products whose rows do not depend on each other: a row's bits are the same whatever other
// rows are multiplied with it, so one observation acted on alone and the same one in a minibatch of
// 64 give the same action. Each output element is one chain of fused multiply-adds over k in order.
//
// All matrices are row-major and dense.
#ifndef NETS_GEMM_H_
#define NETS_GEMM_H_

#include "nets/real.h"

// y (M, N) = x (M, K) w (K, N) + b (N); overwrites y.  nullable: b
void rl_gemm_forward(RlReal *y, const RlReal *x, const RlReal *w, const RlReal *b, int M, int N,
                     int K);

// dw (K, N) += x' (K, M) dy (M, N), summed over rows in order; adds to dw.
void rl_gemm_backward_weight(RlReal *dw, const RlReal *x, const RlReal *dy, int M, int N, int K);

// dx (M, K) = dy (M, N) wt (N, K), wt the transpose of w; overwrites dx.
void rl_gemm_backward_input(RlReal *dx, const RlReal *dy, const RlReal *wt, int M, int N, int K);

// out (cols, rows) = in (rows, cols) transposed.
void rl_gemm_transpose(RlReal *out, const RlReal *in, int rows, int cols);

#endif
