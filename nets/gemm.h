// Matrix products whose rows do not depend on each other: a row's bits are the same whatever other
// rows are multiplied with it, so one observation acted on alone and the same one in a minibatch of
// 64 give the same action. Each output element is one chain of fused multiply-adds over k in order.
//
// Matrices are row-major and dense. A weight matrix that many rows are multiplied with may be
// packed first: panels of the columns that a pass over the rows takes, one after the other. How
// depends on the instruction set that is active (nets/isa.h), so packing is done again when that
// changes.
#ifndef NETS_GEMM_H_
#define NETS_GEMM_H_

#include "nets/real.h"

// Fewer columns do not make the rows of a panel fight for the same cache sets: such a matrix stays
// as it is when it is packed. With fewer rows than these packing gains nothing.
enum { RL_GEMM_PACK_COLUMNS = 96, RL_GEMM_PACK_ROWS = 24 };

// y (M, N) = x (M, K) w (K, N) + b (N); overwrites y.  nullable: b
void rl_gemm_forward(RlReal *y, const RlReal *x, const RlReal *w, const RlReal *b, int M, int N,
                     int K);

// dw (K, N) = x' (K, M) dy (M, N), summed over rows in order; overwrites dw.
void rl_gemm_backward_weight(RlReal *dw, const RlReal *x, const RlReal *dy, int M, int N, int K);

// dx (M, K) = dy (M, N) w' (N, K); overwrites dx. wt: of rl_gemm_pack_transposed.
void rl_gemm_backward_input(RlReal *dx, const RlReal *dy, const RlReal *wt, int M, int N, int K);

// packed (K N) = w (K, N), and what rl_gemm_forward gives with w.
void rl_gemm_pack(RlReal *packed, const RlReal *w, int K, int N);
void rl_gemm_forward_packed(RlReal *y, const RlReal *x, const RlReal *packed, const RlReal *b,
                            int M, int N, int K);

// packed (N K) = the transpose of w (K, N), (N, K).
void rl_gemm_pack_transposed(RlReal *packed, const RlReal *w, int K, int N);

#endif
