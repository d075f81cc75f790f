// The perceptron's gradients in the double build against centred differences of a loss, for every
// parameter and every input. A parameter whose two sides of the difference do not have the same
// ReLU pattern stands at a kink, where no derivative is: it is left out, and few may be.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nets/mlp.h"

enum { ROWS = 13, INPUT = 7, OUTPUT = 3, HIDDEN = 19 };
_Static_assert(sizeof(RlReal) == sizeof(double), "needs the double build");

typedef struct {
  RlArena arena;
  RlMlp mlp;
  RlMlpWork work;
  double *x, *grad;  // x (ROWS, INPUT)
} Net;

static Net make(int activation, int layers) {
  Net net = {0};
  RlRng rng;
  const RlDims hidden = {layers, {HIDDEN, 8, 9}};
  rl_rng_init(&rng, 11, RL_STREAM_INIT, 0);
  rl_mlp_init(&net.mlp, &net.arena, INPUT, &hidden, OUTPUT, activation, 0);
  rl_mlp_draw(&net.mlp, RL_INIT_UNIFORM, 1, &rng);
  rl_mlp_work_init(&net.work, &net.arena, &net.mlp, ROWS, 1);
  net.x = RL_PUSH(&net.arena, double, ROWS *INPUT);
  for (int i = 0; i < ROWS * INPUT; i++) net.x[i] = rl_rng_normal(&rng);
  net.grad = RL_PUSH(&net.arena, double, net.mlp.nparam);
  return net;
}

static double weight_of(int i) {
  return sin(1.7 * i + 0.3);
}

// Loss sum c_i (y_i + y_i^2 / 2); kinks is a hash of which hidden units are on.
static double loss(Net *net, uint64_t *kinks) {
  const RlMlp *mlp = &net->mlp;
  rl_mlp_forward(mlp, &net->work, net->x, ROWS);
  *kinks = 0;
  for (int l = 1; l < mlp->L; l++) {
    for (int i = 0; i < ROWS * mlp->dim[l]; i++) {
      *kinks = *kinks * 6364136223846793005u + (net->work.y[l][i] > 0);
    }
  }
  double sum = 0;
  for (int i = 0; i < ROWS * OUTPUT; i++) {
    const double y = net->work.y[mlp->L][i];
    sum += weight_of(i) * (y + 0.5 * y * y);
  }
  return sum;
}

static void backward(Net *net) {
  uint64_t kinks;
  (void)loss(net, &kinks);
  for (int i = 0; i < ROWS * OUTPUT; i++) {
    net->work.dy[net->mlp.L][i] = weight_of(i) * (1 + net->work.y[net->mlp.L][i]);
  }
  rl_mlp_backward(&net->mlp, &net->work, ROWS, net->grad);
}

// Compares n derivatives by x with got; returns how many stood at a kink.
static int check(Net *net, double *x, const double *got, int n) {
  int at_kink = 0, zero = 0, equal = 0;
  double scale = 0;
  for (int i = 0; i < n; i++) scale = fmax(scale, fabs(got[i]));
  assert_true(scale > 1e-2);
  for (int i = 0; i < n; i++) {
    const double step = 1e-5, keep = x[i];
    uint64_t above, below;
    x[i] = keep + step;
    const double up = loss(net, &above);
    x[i] = keep - step;
    const double down = loss(net, &below);
    x[i] = keep;
    if (net->mlp.activation == RL_ACTIVATION_RELU && above != below) {
      at_kink++;
      continue;
    }
    const double want = (up - down) / (2 * step);
    // small derivatives are compared by the size of the large: the difference's own error is
    // absolute
    const double error = fabs(got[i] - want) / fmax(fabs(want), 1e-3 * scale);
    assert_true(error <= 1e-6);
    zero += got[i] == 0;
    equal += got[i] != 0 && got[i] == want;
  }
  // a check that compares nothing with nothing, or a thing with itself, proves nothing
  assert_true(zero <= (net->mlp.activation == RL_ACTIVATION_RELU ? n / 2 : 0));
  assert_true(equal <= n / 10);
  assert_true(at_kink <= n / 10);
  return at_kink;
}

static void check_net(int activation, int layers) {
  Net net = make(activation, layers);
  backward(&net);
  int at_kink = check(&net, net.mlp.param, net.grad, net.mlp.nparam);
  print_message("%d layers, %d derivatives, %d at a kink\n", layers + 1,
                net.mlp.nparam + ROWS * INPUT, at_kink);
  rl_arena_free(&net.arena);
}

static void test_tanh(void **unused) {
  (void)unused;
  for (int layers = 0; layers <= 3; layers++) check_net(RL_ACTIVATION_TANH, layers);
}

static void test_relu(void **unused) {
  (void)unused;
  for (int layers = 0; layers <= 3; layers++) check_net(RL_ACTIVATION_RELU, layers);
}

// At a kink itself: the derivative is that of the side where the unit is off, and on either side of
// it that side's own.
static void test_relu_kink(void **unused) {
  (void)unused;
  RlArena arena = {0};
  RlMlp mlp;
  RlMlpWork work;
  const RlDims hidden = {1, {1}};
  rl_mlp_init(&mlp, &arena, 1, &hidden, 1, RL_ACTIVATION_RELU, 0);
  rl_mlp_work_init(&work, &arena, &mlp, 1, 1);
  mlp.W[0][0] = 2;
  mlp.W[1][0] = 3;
  rl_mlp_pack(&mlp);
  const double x[] = {-1e-9, 0, 1e-9}, want[] = {0, 0, 6};
  for (int i = 0; i < 3; i++) {
    double grad[4] = {0};
    rl_mlp_forward(&mlp, &work, &x[i], 1);
    work.dy[2][0] = 1;
    rl_mlp_backward(&mlp, &work, 1, grad);
    assert_true(grad[1] == want[i] / 2);
  }
  rl_arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tanh),
      cmocka_unit_test(test_relu),
      cmocka_unit_test(test_relu_kink),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
