// The perceptron against a naive one in double, its gradients' bookkeeping, and its initialisation.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nets/mlp.h"

enum { MAX_WIDTH = 160, MAX_ROWS = 64 };

typedef struct {
  RlArena arena;
  RlMlp mlp;
  RlMlpWork work;
  RlReal *x, *grad;  // x (MAX_ROWS, input)
} Net;

static Net make(int input, RlDims hidden, int output, int activation, int nextra) {
  Net net = {0};
  RlRng rng;
  rl_rng_init(&rng, 7, RL_STREAM_INIT, 0);
  rl_mlp_init(&net.mlp, &net.arena, input, &hidden, output, activation, nextra);
  rl_mlp_draw(&net.mlp, RL_INIT_ORTHOGONAL, 1, &rng);
  for (int l = 0; l < net.mlp.L; l++) {
    for (int j = 0; j < net.mlp.dim[l + 1]; j++) {
      net.mlp.b[l][j] = (RlReal)rl_rng_between(&rng, -0.5, 0.5);
    }
  }
  rl_mlp_work_init(&net.work, &net.arena, &net.mlp, MAX_ROWS, 1);
  net.x = RL_PUSH(&net.arena, RlReal, MAX_ROWS * input);
  for (int i = 0; i < MAX_ROWS * input; i++) net.x[i] = (RlReal)rl_rng_normal(&rng);
  net.grad = RL_PUSH(&net.arena, RlReal, net.mlp.nparam);
  return net;
}

// y (dim[L]) and all before it for one row, in double.
static void naive_forward(const RlMlp *mlp, const RlReal *x, double y[][MAX_WIDTH]) {
  for (int k = 0; k < mlp->dim[0]; k++) y[0][k] = (double)x[k];
  for (int l = 0; l < mlp->L; l++) {
    const int in = mlp->dim[l], out = mlp->dim[l + 1];
    for (int j = 0; j < out; j++) {
      double sum = (double)mlp->b[l][j];
      for (int k = 0; k < in; k++) sum += y[l][k] * (double)mlp->W[l][k * out + j];
      if (l < mlp->L - 1) {
        sum = mlp->activation == RL_ACTIVATION_TANH ? tanh(sum) : fmax(sum, 0);
      }
      y[l + 1][j] = sum;
    }
  }
}

// Adds one row's gradients.
static void naive_backward(const RlMlp *mlp, double y[][MAX_WIDTH], const RlReal *dout,
                           double *grad) {
  double d[MAX_WIDTH], next[MAX_WIDTH];
  for (int j = 0; j < mlp->dim[mlp->L]; j++) d[j] = (double)dout[j];
  for (int l = mlp->L - 1; l >= 0; l--) {
    const int in = mlp->dim[l], out = mlp->dim[l + 1];
    double *dW = grad + (mlp->W[l] - mlp->param), *db = grad + (mlp->b[l] - mlp->param);
    for (int j = 0; j < out; j++) db[j] += d[j];
    for (int k = 0; k < in; k++) {
      next[k] = 0;
      for (int j = 0; j < out; j++) {
        dW[k * out + j] += y[l][k] * d[j];
        next[k] += d[j] * (double)mlp->W[l][k * out + j];
      }
    }
    for (int k = 0; k < in; k++) {
      const double slope = mlp->activation == RL_ACTIVATION_TANH ? 1 - y[l][k] * y[l][k]
                           : y[l][k] > 0                         ? 1
                                                                 : 0;
      d[k] = next[k] * slope;
    }
  }
}

// The larger of most and the error of got; NaN is infinitely far.
static double worse(double most, double got, double want) {
  const double error = fabs(got - want) / (1 + fabs(want));
  return error <= most ? most : isnan(error) ? INFINITY : error;
}

static void check_against_naive(Net net, int rows) {
  const RlMlp *mlp = &net.mlp;
  const int O = mlp->dim[0], A = mlp->dim[mlp->L];
  double y[RL_MAX_LAYERS + 1][MAX_WIDTH], most = 0, largest = 0;
  double *grad = calloc((size_t)mlp->nparam, sizeof(double));
  assert_non_null(grad);
  rl_mlp_forward(mlp, &net.work, net.x, rows);
  for (int i = 0; i < rows * A; i++) net.work.dy[mlp->L][i] = (RlReal)sin(i + 1);
  rl_mlp_backward(mlp, &net.work, rows, net.grad);
  for (int m = 0; m < rows; m++) {
    naive_forward(mlp, net.x + m * O, y);
    naive_backward(mlp, y, net.work.dy[mlp->L] + m * A, grad);
    for (int j = 0; j < A; j++) {
      most = worse(most, (double)net.work.y[mlp->L][m * A + j], y[mlp->L][j]);
    }
  }
  for (int i = 0; i < mlp->nparam; i++) {
    most = worse(most, (double)net.grad[i], grad[i]);
    largest = fmax(largest, fabs(grad[i]));
  }
  print_message("rows %d: %g\n", rows, most);
  assert_true(most <= 2e-5);
  assert_true(rows == 0 || largest > 0.1);
  for (int i = 0; i < mlp->nextra; i++) assert_true(net.grad[mlp->nparam - 1 - i] == 0);
  free(grad);
  rl_arena_free(&net.arena);
}

static void test_against_naive(void **unused) {
  (void)unused;
  static const int rows[] = {0, 1, 3, 5, 17, 64};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    for (int activation = RL_ACTIVATION_TANH; activation <= RL_ACTIVATION_RELU; activation++) {
      check_against_naive(make(17, (RlDims){2, {64, 64}}, 6, activation, 6), rows[i]);
      check_against_naive(make(3, (RlDims){0, {0}}, 1, activation, 0), rows[i]);
      check_against_naive(make(5, (RlDims){3, {1, 33, 7}}, 2, activation, 1), rows[i]);
      // wide enough to be packed, with whole panels and without
      check_against_naive(make(9, (RlDims){2, {150, 97}}, 100, activation, 0), rows[i]);
    }
  }
}

// what stood in grad is gone, but for what belongs to extra
static void test_backward_overwrites(void **unused) {
  (void)unused;
  Net net = make(11, (RlDims){2, {32, 16}}, 3, RL_ACTIVATION_TANH, 2);
  const int layers = net.mlp.nparam - net.mlp.nextra;
  RlReal *once = RL_PUSH(&net.arena, RlReal, net.mlp.nparam);
  rl_mlp_forward(&net.mlp, &net.work, net.x, 40);
  for (int i = 0; i < 40 * 3; i++) net.work.dy[3][i] = (RlReal)cos(i);
  rl_mlp_backward(&net.mlp, &net.work, 40, net.grad);
  memcpy(once, net.grad, (size_t)net.mlp.nparam * sizeof(RlReal));
  double sum = 0;
  for (int i = 0; i < net.mlp.nparam; i++) {
    sum += fabs((double)net.grad[i]);
    net.grad[i] = 7;
  }
  assert_true(sum > 1);
  rl_mlp_backward(&net.mlp, &net.work, 40, net.grad);
  assert_memory_equal(net.grad, once, (size_t)layers * sizeof(RlReal));
  for (int i = layers; i < net.mlp.nparam; i++) assert_true(net.grad[i] == 7);
  rl_arena_free(&net.arena);
}

// Without grad the path back has the bits of a full backward.
static void check_path_back(RlDims hidden, int activation) {
  enum { ROWS = 23, O = 9, A = 3 };
  Net net = make(O, hidden, A, activation, 0);
  const int L = net.mlp.L, first = net.mlp.dim[1];
  RlReal *full = RL_PUSH(&net.arena, RlReal, ROWS * first);
  rl_mlp_forward(&net.mlp, &net.work, net.x, ROWS);
  for (int i = 0; i < ROWS * A; i++) net.work.dy[L][i] = (RlReal)cos(i);
  rl_mlp_backward(&net.mlp, &net.work, ROWS, net.grad);
  memcpy(full, net.work.dy[1], (size_t)(ROWS * first) * sizeof(RlReal));
  double size = 0;
  for (int i = 0; i < ROWS * first; i++) size = fmax(size, fabs((double)full[i]));
  assert_true(size > 0.01);
  for (int l = 1; l < L; l++) {
    memset(net.work.dy[l], 0x55, (size_t)(ROWS * net.mlp.dim[l]) * sizeof(RlReal));
  }
  rl_mlp_backward(&net.mlp, &net.work, ROWS, NULL);
  assert_memory_equal(net.work.dy[1], full, (size_t)(ROWS * first) * sizeof(RlReal));
  rl_arena_free(&net.arena);
}

static void test_path_back(void **unused) {
  (void)unused;
  for (int activation = RL_ACTIVATION_TANH; activation <= RL_ACTIVATION_RELU; activation++) {
    check_path_back((RlDims){2, {32, 16}}, activation);
    check_path_back((RlDims){1, {7}}, activation);
    check_path_back((RlDims){0, {0}}, activation);
  }
}

static void check_rows(RlDims hidden) {
  Net all = make(17, hidden, 6, RL_ACTIVATION_TANH, 0);
  Net one = make(17, hidden, 6, RL_ACTIVATION_TANH, 0);
  rl_mlp_forward(&all.mlp, &all.work, all.x, MAX_ROWS);
  for (int m = 0; m < MAX_ROWS; m++) {
    rl_mlp_forward(&one.mlp, &one.work, all.x + m * 17, 1);
    assert_memory_equal(one.work.y[3], all.work.y[3] + m * 6, 6 * sizeof(RlReal));
  }
  rl_arena_free(&all.arena);
  rl_arena_free(&one.arena);
}

// The second is packed: many rows read the packed weights, one row does not.
static void test_rows_are_independent(void **unused) {
  (void)unused;
  check_rows((RlDims){2, {64, 48}});
  check_rows((RlDims){2, {150, 97}});
}

static void test_layout(void **unused) {
  (void)unused;
  const RlDims hidden = {2, {7, 4}};
  Net net = make(5, hidden, 3, RL_ACTIVATION_RELU, 2);
  const RlMlp *mlp = &net.mlp;
  assert_int_equal(rl_mlp_nparam(5, &hidden, 3), 5 * 7 + 7 + 7 * 4 + 4 + 4 * 3 + 3);
  assert_int_equal(mlp->nparam, rl_mlp_nparam(5, &hidden, 3) + 2);
  assert_int_equal(mlp->L, 3);
  assert_ptr_equal(mlp->W[0], mlp->param);
  for (int l = 0; l < mlp->L; l++) {
    assert_ptr_equal(mlp->b[l], mlp->W[l] + mlp->dim[l] * mlp->dim[l + 1]);
    assert_ptr_equal(l + 1 < mlp->L ? mlp->W[l + 1] : mlp->extra, mlp->b[l] + mlp->dim[l + 1]);
  }
  assert_ptr_equal(mlp->extra + 2, mlp->param + mlp->nparam);
  rl_arena_free(&net.arena);
}

// The inner products of the shorter side's vectors are gain^2 times the identity.
static void check_orthogonal(const RlReal *W, int in, int out, double gain) {
  const int n = in < out ? in : out;
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      double dot = 0;
      for (int k = 0; k < (in < out ? out : in); k++) {
        dot += in < out ? (double)W[i * out + k] * (double)W[j * out + k]
                        : (double)W[k * out + i] * (double)W[k * out + j];
      }
      assert_true(fabs(dot / (gain * gain) - (i == j)) <= 2e-6);
    }
  }
}

static void test_orthogonal_init(void **unused) {
  (void)unused;
  RlArena arena = {0};
  RlMlp mlp, again;
  RlRng rng;
  const RlDims hidden = {3, {64, 64, 5}};
  rl_mlp_init(&mlp, &arena, 17, &hidden, 6, RL_ACTIVATION_TANH, 1);
  rl_mlp_init(&again, &arena, 17, &hidden, 6, RL_ACTIVATION_TANH, 1);
  mlp.extra[0] = 5;
  rl_rng_init(&rng, 3, RL_STREAM_INIT, 0);
  rl_mlp_draw(&mlp, RL_INIT_ORTHOGONAL, 0.01, &rng);
  for (int l = 0; l < mlp.L; l++) {
    check_orthogonal(mlp.W[l], mlp.dim[l], mlp.dim[l + 1], l == mlp.L - 1 ? 0.01 : sqrt(2));
    for (int j = 0; j < mlp.dim[l + 1]; j++) assert_true(mlp.b[l][j] == 0);
  }
  assert_true(mlp.extra[0] == 5);
  again.extra[0] = 5;
  rl_rng_init(&rng, 3, RL_STREAM_INIT, 0);
  rl_mlp_draw(&again, RL_INIT_ORTHOGONAL, 0.01, &rng);
  assert_memory_equal(mlp.param, again.param, (size_t)mlp.nparam * sizeof(RlReal));
  rl_rng_init(&rng, 4, RL_STREAM_INIT, 0);
  rl_mlp_draw(&again, RL_INIT_ORTHOGONAL, 0.01, &rng);
  assert_memory_not_equal(mlp.param, again.param, (size_t)mlp.nparam * sizeof(RlReal));
  rl_arena_free(&arena);
}

// Both signs on the diagonal of a square draw: a decomposition whose signs are not fixed, or fixed
// to one sign of Q, is not uniform.
static void test_orthogonal_signs(void **unused) {
  (void)unused;
  RlArena arena = {0};
  RlMlp mlp;
  RlRng rng;
  const RlDims none = {0, {0}};
  rl_mlp_init(&mlp, &arena, 1, &none, 1, RL_ACTIVATION_TANH, 0);
  rl_rng_init(&rng, 3, RL_STREAM_INIT, 0);
  int positive = 0;
  for (int i = 0; i < 200; i++) {
    rl_mlp_draw(&mlp, RL_INIT_ORTHOGONAL, 1, &rng);
    assert_true(fabs((double)mlp.W[0][0]) == 1);
    positive += mlp.W[0][0] > 0;
  }
  assert_in_range(positive, 70, 130);
  rl_arena_free(&arena);
}

static void test_uniform_init(void **unused) {
  (void)unused;
  RlArena arena = {0};
  RlMlp mlp;
  RlRng rng;
  const RlDims hidden = {2, {64, 64}};
  rl_mlp_init(&mlp, &arena, 17, &hidden, 6, RL_ACTIVATION_RELU, 0);
  rl_rng_init(&rng, 3, RL_STREAM_INIT, 0);
  rl_mlp_draw(&mlp, RL_INIT_UNIFORM, 0.5, &rng);
  for (int l = 0; l < mlp.L; l++) {
    const int n = (mlp.dim[l] + 1) * mlp.dim[l + 1];  // the biases follow the weights
    const double bound = (l == 2 ? 0.5 : 1) / sqrt(mlp.dim[l]);
    double most = 0, square = 0;
    for (int i = 0; i < n; i++) {
      most = fmax(most, fabs((double)mlp.W[l][i]));
      square += (double)mlp.W[l][i] * (double)mlp.W[l][i];
    }
    assert_true(most <= bound && most >= 0.95 * bound);
    assert_true(fabs(square / n / (bound * bound / 3) - 1) <= 0.2);
  }
  rl_arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_against_naive),        cmocka_unit_test(test_backward_overwrites),
      cmocka_unit_test(test_rows_are_independent), cmocka_unit_test(test_layout),
      cmocka_unit_test(test_orthogonal_init),      cmocka_unit_test(test_orthogonal_signs),
      cmocka_unit_test(test_uniform_init),         cmocka_unit_test(test_path_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
