// The Gaussian's gradients in the double build against centred differences of its own values.
#include "rl/algo/gaussian.h"
#include "tests/grad/grad.h"

enum { A = 5 };

typedef struct {
  double raw[A], mean[A], act[A], old_mean[A], weight[A];
  RlGaussian old;
  int what;
} Case;

enum { LOG_PROB, ENTROPY, KL };

// each log sigma on a side of its own of the clamp [-1, 0.5]: below, just inside, inside, just
// inside, above
static Case make(int what) {
  Case c = {.raw = {-1.3, -0.999, -0.2, 0.499, 0.7},
            .mean = {0.3, -0.8, 1.2, 0, -2},
            .act = {1, -1, 0.5, 0.25, -1.5},
            .old_mean = {0.1, -1, 1, 0.5, -2.2},
            .weight = {0.7, -1.1, 0.4, 2, -0.3},
            .what = what};
  double old[A] = {-0.5, -0.9, 0.1, 0.3, 0.4};
  rl_gaussian_init(&c.old, old, -20, 2, A);
  return c;
}

static double loss(void *arg) {
  Case *c = arg;
  RlGaussian g;
  double each[A], sum = 0;
  rl_gaussian_init(&g, c->raw, -1, 0.5, A);
  if (c->what == ENTROPY) return 1.7 * rl_gaussian_entropy(&g);
  if (c->what == KL) return 1.7 * rl_gaussian_kl(&g, c->mean, &c->old, c->old_mean);
  rl_gaussian_log_prob(&g, each, c->act, c->mean);
  for (int i = 0; i < A; i++) sum += c->weight[i] * each[i];
  return sum;
}

static void check(int what) {
  Case c = make(what);
  RlGaussian g;
  double dmean[A] = {0}, draw[A] = {0};
  rl_gaussian_init(&g, c.raw, -1, 0.5, A);
  if (what == LOG_PROB) rl_gaussian_log_prob_backward(&g, dmean, draw, c.weight, c.act, c.mean);
  if (what == ENTROPY) rl_gaussian_entropy_backward(&g, draw, 1.7);
  if (what == KL) rl_gaussian_kl_backward(&g, dmean, draw, 1.7, c.mean, &c.old, c.old_mean);
  assert_true(draw[0] == 0 && draw[A - 1] == 0);
  for (int i = 1; i < A - 1; i++) assert_true(draw[i] != 0);
  check_gradient(c.raw, draw, A, loss, &c);
  if (what != ENTROPY) check_gradient(c.mean, dmean, A, loss, &c);
}

static void test_log_prob(void **state) {
  (void)state;
  check(LOG_PROB);
}

static void test_entropy(void **state) {
  (void)state;
  check(ENTROPY);
}

static void test_kl(void **state) {
  (void)state;
  check(KL);
}

// gradients are added to what is there
static void test_adds(void **state) {
  (void)state;
  Case c = make(LOG_PROB);
  RlGaussian g;
  rl_gaussian_init(&g, c.raw, -20, 2, A);
  double once[2 * A] = {0}, twice[2 * A] = {0};
  for (int k = 0; k < 3; k++) {
    double *to = k ? twice : once;
    rl_gaussian_log_prob_backward(&g, to, to + A, c.weight, c.act, c.mean);
    rl_gaussian_entropy_backward(&g, to + A, 0.5);
    rl_gaussian_kl_backward(&g, to, to + A, 0.25, c.mean, &c.old, c.old_mean);
  }
  for (int i = 0; i < 2 * A; i++) assert_true(fabs(twice[i] - 2 * once[i]) <= 1e-12);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_log_prob),
      cmocka_unit_test(test_entropy),
      cmocka_unit_test(test_kl),
      cmocka_unit_test(test_adds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
