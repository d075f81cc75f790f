// The perceptron and Adam against PyTorch, from files that tests/golden/make_torch_fixtures.py
// wrote: outputs, every gradient, and the parameters after three updates.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nets/adam.h"
#include "nets/mlp.h"

enum { ROWS = 6, INPUT = 5, OUTPUT = 3, NPARAM = 89, MOST = 128 };

static FILE *file;

// Reads the next block, which must have this name and size.
static void read_block(float *values, const char *name, int count) {
  char found[32];
  int found_count;
  assert_int_equal(fscanf(file, "%31s %d", found, &found_count), 2);
  assert_string_equal(found, name);
  assert_int_equal(found_count, count);
  for (int i = 0; i < count; i++) assert_int_equal(fscanf(file, "%f", &values[i]), 1);
}

static void assert_close(const char *name, const float *got, const float *want, int n,
                         double tolerance) {
  double most = 0, size = 0;
  for (int i = 0; i < n; i++) {
    const double error = fabs((double)got[i] - (double)want[i]);
    if (!(error <= most)) most = isnan(error) ? INFINITY : error;
    size = fmax(size, fabs((double)want[i]));
  }
  print_message("%-20s %g\n", name, most / size);
  assert_true(size > 0.01);
  assert_true(most <= tolerance * size);
}

static void step_forward_backward(const RlMlp *mlp, RlMlpWork *work, const float *x,
                                  const float *target, RlReal *grad) {
  rl_mlp_forward(mlp, work, x, ROWS);
  for (int i = 0; i < ROWS * OUTPUT; i++) work->dy[3][i] = work->y[3][i] - target[i];
  memset(grad, 0, NPARAM * sizeof(RlReal));
  rl_mlp_backward(mlp, work, ROWS, grad);
}

static void check_file(const char *path, int activation) {
  float want[MOST], x[MOST], target[MOST], grad[NPARAM];
  RlArena arena = {0};
  RlMlp mlp;
  RlMlpWork work;
  RlAdam adam;
  const RlDims hidden = {2, {7, 4}};
  rl_mlp_init(&mlp, &arena, INPUT, &hidden, OUTPUT, activation, 0);
  rl_mlp_work_init(&work, &arena, &mlp, ROWS, 1);
  rl_adam_init(&adam, &arena, NPARAM, 1e-5);
  assert_int_equal(mlp.nparam, NPARAM);

  file = fopen(path, "r");
  assert_non_null(file);
  read_block(mlp.param, "param", NPARAM);
  read_block(x, "x", ROWS * INPUT);
  read_block(target, "target", ROWS * OUTPUT);
  rl_mlp_pack(&mlp);
  step_forward_backward(&mlp, &work, x, target, grad);
  read_block(want, "y", ROWS * OUTPUT);
  assert_close("y", work.y[3], want, ROWS * OUTPUT, 2e-6);
  read_block(want, "dy", ROWS * OUTPUT);
  assert_close("dy", work.dy[3], want, ROWS * OUTPUT, 2e-6);
  read_block(want, "grad", NPARAM);
  assert_close("grad", grad, want, NPARAM, 2e-6);

  for (int t = 0; t < 3; t++) {
    if (t > 0) step_forward_backward(&mlp, &work, x, target, grad);
    rl_adam_step(&adam, mlp.param, grad, 1, 3e-3);
    rl_mlp_pack(&mlp);
  }
  read_block(want, "param_after_3_steps", NPARAM);
  assert_close("param_after_3_steps", mlp.param, want, NPARAM, 2e-6);
  fclose(file);
  rl_arena_free(&arena);
}

static void test_tanh(void **unused) {
  (void)unused;
  check_file(RL_SOURCE_DIR "/tests/golden/fixtures/mlp_tanh.txt", RL_ACTIVATION_TANH);
}

static void test_relu(void **unused) {
  (void)unused;
  check_file(RL_SOURCE_DIR "/tests/golden/fixtures/mlp_relu.txt", RL_ACTIVATION_RELU);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_tanh), cmocka_unit_test(test_relu)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
