// The multi-layer perceptron: layout in one block, initialisation, forward and backward. Place: on
// top of gemm and ops, under the actors and critics of rl/algo.
//
// Activations overwrite the layer's output: both derivatives (1 - y^2, y > 0) need only y.
#include "nets/mlp.h"

#include <math.h>
#include <string.h>

#include "nets/gemm.h"
#include "nets/ops.h"
#include "rl/base/status.h"

int rl_mlp_nparam(int input, const RlDims *hidden, int output) {
  RL_ASSERT(input >= 1 && output >= 1 && hidden->n >= 0 && hidden->n <= RL_MAX_HIDDEN);
  int nparam = 0, in = input;
  for (int l = 0; l < hidden->n; l++) {
    nparam += (in + 1) * hidden->dim[l];
    in = hidden->dim[l];
  }
  return nparam + (in + 1) * output;
}

void rl_mlp_init(RlMlp *mlp, RlArena *arena, int input, const RlDims *hidden, int output,
                 int activation, int nextra) {
  RL_ASSERT(nextra >= 0);
  *mlp = (RlMlp){.L = hidden->n + 1, .nextra = nextra, .activation = activation};
  mlp->nparam = rl_mlp_nparam(input, hidden, output) + nextra;
  mlp->dim[0] = input;
  for (int l = 0; l < hidden->n; l++) mlp->dim[l + 1] = hidden->dim[l];
  mlp->dim[mlp->L] = output;

  mlp->param = RL_PUSH(arena, RlReal, mlp->nparam);
  RlReal *next = mlp->param;
  for (int l = 0; l < mlp->L; l++) {
    const int in = mlp->dim[l], out = mlp->dim[l + 1];
    mlp->W[l] = next;
    mlp->b[l] = next + (size_t)in * (size_t)out;
    if (out >= RL_GEMM_PACK_COLUMNS) mlp->packed[l] = RL_PUSH(arena, RlReal, in * out);
    if (l > 0) mlp->packed_t[l] = RL_PUSH(arena, RlReal, in * out);
    next = mlp->b[l] + out;
  }
  mlp->extra = next;
}

// Makes row i of v (n, d) a unit vector orthogonal to the rows before it. Twice is enough (Kahan):
// the second sweep removes what rounding left of the first.
static void orthonormalise(double *v, int i, int d) {
  double *row = v + (size_t)i * (size_t)d;
  for (int sweep = 0; sweep < 2; sweep++) {
    for (int j = 0; j < i; j++) {
      const double *other = v + (size_t)j * (size_t)d;
      double dot = 0;
      for (int k = 0; k < d; k++) dot += row[k] * other[k];
      for (int k = 0; k < d; k++) row[k] -= dot * other[k];
    }
  }
  double square = 0;
  for (int k = 0; k < d; k++) square += row[k] * row[k];
  const double norm = sqrt(square);
  for (int k = 0; k < d; k++) row[k] /= norm;
}

// Gram-Schmidt on Gaussian rows is the QR decomposition with a positive diagonal of R, whose Q is
// uniform over orthogonal matrices; the shorter of the two sides becomes orthonormal.
static void draw_orthogonal(RlReal *W, int in, int out, double gain, RlRng *rng) {
  const int n = in < out ? in : out, d = in < out ? out : in;
  RlArena arena = {0};
  double *v = RL_PUSH(&arena, double, (size_t)n *(size_t)d);
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < d; k++) v[(size_t)i * (size_t)d + (size_t)k] = rl_rng_normal(rng);
    orthonormalise(v, i, d);
  }
  for (int k = 0; k < in; k++) {
    for (int j = 0; j < out; j++) {
      const size_t at =
          in < out ? (size_t)k * (size_t)d + (size_t)j : (size_t)j * (size_t)d + (size_t)k;
      W[(size_t)k * (size_t)out + (size_t)j] = (RlReal)(gain * v[at]);
    }
  }
  rl_arena_free(&arena);
}

static void draw_uniform(RlReal *p, size_t n, double bound, RlRng *rng) {
  for (size_t i = 0; i < n; i++) p[i] = (RlReal)rl_rng_between(rng, -bound, bound);
}

void rl_mlp_draw(RlMlp *mlp, int init, double output_gain, RlRng *rng) {
  for (int l = 0; l < mlp->L; l++) {
    const int in = mlp->dim[l], out = mlp->dim[l + 1];
    const int last = l == mlp->L - 1;
    if (init == RL_INIT_ORTHOGONAL) {
      // detail: orthogonal-init
      draw_orthogonal(mlp->W[l], in, out, last ? output_gain : sqrt(2), rng);
      memset(mlp->b[l], 0, (size_t)out * sizeof(RlReal));
    } else {
      const double bound = (last ? output_gain : 1) / sqrt(in);
      draw_uniform(mlp->W[l], (size_t)in * (size_t)out, bound, rng);
      draw_uniform(mlp->b[l], (size_t)out, bound, rng);
    }
  }
  rl_mlp_pack(mlp);
}

void rl_mlp_pack_forward(RlMlp *mlp) {
  for (int l = 0; l < mlp->L; l++) {
    if (mlp->packed[l]) rl_gemm_pack(mlp->packed[l], mlp->W[l], mlp->dim[l], mlp->dim[l + 1]);
  }
}

void rl_mlp_pack_backward(RlMlp *mlp) {
  for (int l = 1; l < mlp->L; l++) {
    rl_gemm_pack_transposed(mlp->packed_t[l], mlp->W[l], mlp->dim[l], mlp->dim[l + 1]);
  }
}

void rl_mlp_pack(RlMlp *mlp) {
  rl_mlp_pack_forward(mlp);
  rl_mlp_pack_backward(mlp);
}

void rl_mlp_work_init(RlMlpWork *work, RlArena *arena, const RlMlp *mlp, int rows,
                      int with_gradient) {
  RL_ASSERT(rows >= 0);
  *work = (RlMlpWork){.rows = rows};
  for (int l = 1; l <= mlp->L; l++) {
    const size_t size = (size_t)rows * (size_t)mlp->dim[l];
    work->y[l] = RL_PUSH(arena, RlReal, size);
    if (with_gradient) work->dy[l] = RL_PUSH(arena, RlReal, size);
  }
}

void rl_mlp_forward(const RlMlp *mlp, RlMlpWork *work, const RlReal *x, int rows) {
  RL_ASSERT(rows <= work->rows);
  work->x = x;
  for (int l = 0; l < mlp->L; l++) {
    const int in = mlp->dim[l], out = mlp->dim[l + 1];
    RlReal *y = work->y[l + 1];
    if (mlp->packed[l] && rows >= RL_GEMM_PACK_ROWS) {
      rl_gemm_forward_packed(y, x, mlp->packed[l], mlp->b[l], rows, out, in);
    } else {
      rl_gemm_forward(y, x, mlp->W[l], mlp->b[l], rows, out, in);
    }
    x = y;
    if (l == mlp->L - 1) break;
    const size_t size = (size_t)rows * (size_t)out;
    if (mlp->activation == RL_ACTIVATION_TANH) {
      rl_tanh_forward(y, y, size);
    } else {
      rl_relu_forward(y, y, size);
    }
  }
}

void rl_mlp_backward(const RlMlp *mlp, RlMlpWork *work, int rows, RlReal *grad) {
  RL_ASSERT(rows <= work->rows && work->dy[mlp->L]);
  for (int l = mlp->L - 1; l >= 0; l--) {
    const int in = mlp->dim[l], out = mlp->dim[l + 1];
    const RlReal *dy = work->dy[l + 1];
    if (grad) {
      const RlReal *x = l == 0 ? work->x : work->y[l];
      rl_gemm_backward_weight(grad + (mlp->W[l] - mlp->param), x, dy, rows, out, in);
      rl_bias_backward(grad + (mlp->b[l] - mlp->param), dy, rows, out);
    }
    if (l == 0) break;
    RlReal *dinput = work->dy[l];
    rl_gemm_backward_input(dinput, dy, mlp->packed_t[l], rows, out, in);
    const size_t size = (size_t)rows * (size_t)in;
    if (mlp->activation == RL_ACTIVATION_TANH) {
      rl_tanh_backward(dinput, dinput, work->y[l], size);
    } else {
      rl_relu_backward(dinput, dinput, work->y[l], size);
    }
  }
}
