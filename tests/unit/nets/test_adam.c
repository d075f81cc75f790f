// Adam against the paper's formula in double, step by step from the same stored moments.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nets/adam.h"

enum { N = 37, STEPS = 40 };

static double gradient(int i, int t) {
  return sin(1 + 3 * i + 0.7 * t) * pow(10, i % 7 - 5);
}

// Runs both side by side; returns the largest error of a parameter relative to the distance moved.
static double compare(double epsilon, double scale) {
  RlArena arena = {0};
  RlAdam adam;
  rl_adam_init(&adam, &arena, N, epsilon);
  float param[N], grad[N];
  double want[N], m[N] = {0}, v[N] = {0}, most = 0;
  for (int i = 0; i < N; i++) want[i] = param[i] = (float)cos(i);
  for (int t = 1; t <= STEPS; t++) {
    const double rate = 1e-3 * (1 - 0.01 * t);
    for (int i = 0; i < N; i++) grad[i] = (float)gradient(i, t);
    rl_adam_step(&adam, param, grad, scale, rate);
    for (int i = 0; i < N; i++) {
      const double g = scale * (double)grad[i];
      m[i] = 0.9 * m[i] + (1 - 0.9) * g;
      v[i] = 0.999 * v[i] + (1 - 0.999) * g * g;
      const double mhat = m[i] / (1 - pow(0.9, t)), vhat = v[i] / (1 - pow(0.999, t));
      want[i] -= rate * mhat / (sqrt(vhat) + epsilon);
      const double error = fabs((double)param[i] - want[i]) / 1e-3;
      if (!(error <= most)) most = isnan(error) ? 1e9 : error;
    }
  }
  assert_int_equal(adam.step, STEPS);
  rl_arena_free(&arena);
  return most;
}

static void test_formula(void **unused) {
  (void)unused;
  const double sac = compare(1e-8, 1), ppo = compare(1e-5, 1), clipped = compare(1e-5, 0.03);
  print_message("error by learning rate: %g %g %g\n", sac, ppo, clipped);
  // what 40 roundings of parameters near 1 amount to
  assert_true(sac <= 2e-3 && ppo <= 2e-3 && clipped <= 2e-3);
}

// Epsilon outside the root: with a first gradient of 1e-5 and epsilon 1e-5 the step is half the
// rate (inside it would be 1e-5 / sqrt(1e-10 + 1e-5), about a three-hundredth).
static void test_epsilon_outside_root(void **unused) {
  (void)unused;
  RlArena arena = {0};
  RlAdam adam;
  rl_adam_init(&adam, &arena, 1, 1e-5);
  float param = 0, grad = 1e-5f;
  rl_adam_step(&adam, &param, &grad, 1, 1);
  assert_true(fabs((double)param + 0.5) <= 1e-5);
  rl_arena_free(&arena);
}

// An element's bits do not depend on its place or on how many there are.
static void test_element_alone(void **unused) {
  (void)unused;
  RlArena arena = {0};
  RlAdam all, one;
  rl_adam_init(&all, &arena, N, 1e-8);
  float param[N], grad[N];
  for (int i = 0; i < N; i++) param[i] = (float)cos(i);
  for (int t = 1; t <= 3; t++) {
    for (int i = 0; i < N; i++) grad[i] = (float)gradient(i, t);
    rl_adam_step(&all, param, grad, 0.7, 3e-4);
  }
  for (int i = 0; i < N; i++) {
    rl_adam_init(&one, &arena, 1, 1e-8);
    float p = (float)cos(i);
    for (int t = 1; t <= 3; t++) {
      const float g = (float)gradient(i, t);
      rl_adam_step(&one, &p, &g, 0.7, 3e-4);
    }
    assert_memory_equal(&p, &param[i], sizeof(p));
    assert_memory_equal(one.m, &all.m[i], sizeof(float));
    assert_memory_equal(one.v, &all.v[i], sizeof(float));
  }
  rl_arena_free(&arena);
}

static void test_nothing(void **unused) {
  (void)unused;
  RlArena arena = {0};
  RlAdam adam;
  rl_adam_init(&adam, &arena, 0, 1e-8);
  rl_adam_step(&adam, NULL, NULL, 1, 1e-3);
  assert_int_equal(adam.step, 1);
  rl_arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_formula),
      cmocka_unit_test(test_epsilon_outside_root),
      cmocka_unit_test(test_element_alone),
      cmocka_unit_test(test_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
