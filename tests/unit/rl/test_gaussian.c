// The diagonal Gaussian against numerical integrals and closed forms in double.
#include "rl/algo/gaussian.h"
#include "tests/unit/rl/near.h"

enum { GRID = 400 };

static const double log_2pi = 1.8378770664093453;

static RlGaussian make(int A, double first, double second) {
  RlGaussian g;
  RlReal raw[2] = {(RlReal)first, (RlReal)second};
  rl_gaussian_init(&g, raw, -20, 2, A);
  return g;
}

typedef double (*Integrand)(double logp, double old_logp);

static double density(double logp, double old_logp) {
  (void)old_logp;
  return exp(logp);
}

static double surprise(double logp, double old_logp) {
  (void)old_logp;
  return -exp(logp) * logp;
}

static double divergence(double logp, double old_logp) {
  return exp(old_logp) * (old_logp - logp);
}

// midpoints over +-10 deviations of the old distribution (or of g, if none) in each dimension
static double integrate(const RlGaussian *g, const RlReal *mean, const RlGaussian *old,
                        const RlReal *old_mean, Integrand f) {
  const RlGaussian *wide = old ? old : g;
  const RlReal *centre = old ? old_mean : mean;
  double step[2], sum = 0;
  for (int i = 0; i < g->A; i++) step[i] = 20 * (double)wide->sigma[i] / GRID;
  for (int j = 0; j < (g->A == 2 ? GRID : 1); j++) {
    for (int i = 0; i < GRID; i++) {
      RlReal act[2] = {0};
      act[0] = centre[0] + (RlReal)((i + 0.5 - GRID / 2) * step[0]);
      if (g->A == 2) act[1] = centre[1] + (RlReal)((j + 0.5 - GRID / 2) * step[1]);
      double logp = (double)rl_gaussian_log_prob(g, NULL, act, mean);
      double old_logp = old ? (double)rl_gaussian_log_prob(old, NULL, act, old_mean) : 0;
      sum += f(logp, old_logp) * step[0] * (g->A == 2 ? step[1] : 1);
    }
  }
  return sum;
}

static void test_integrals(void **state) {
  (void)state;
  RlReal mean[2] = {(RlReal)0.3, (RlReal)-1}, old_mean[2] = {(RlReal)0.5, (RlReal)-1.2};
  for (int A = 1; A <= 2; A++) {
    RlGaussian g = make(A, -0.5, 0.7), old = make(A, -0.8, 0.4);
    assert_near(integrate(&g, mean, NULL, NULL, density), 1, 1e-5);
    double entropy = integrate(&g, mean, NULL, NULL, surprise);
    assert_near(rl_gaussian_entropy(&g), entropy, 1e-5);
    assert_near(entropy, A == 1 ? 0.5 * (log_2pi + 1) - 0.5 : log_2pi + 1 + 0.2, 1e-5);
    double kl = integrate(&g, mean, &old, old_mean, divergence);
    assert_true(kl > 0.05);
    assert_near(rl_gaussian_kl(&g, mean, &old, old_mean), kl, 1e-5);
    assert_near(rl_gaussian_kl(&g, mean, &g, mean), 0, 1e-7);
  }
}

static void test_log_prob(void **state) {
  (void)state;
  RlRng rng;
  rl_rng_init(&rng, 4, RL_STREAM_ACT, 0);
  for (int A = 1; A <= 17; A += 4) {
    RlReal raw[17], act[17], mean[17], each[17];
    draw_reals(raw, A, -3, 1, &rng);
    draw_reals(act, A, -2, 2, &rng);
    draw_reals(mean, A, -2, 2, &rng);
    RlGaussian g;
    rl_gaussian_init(&g, raw, -20, 2, A);
    double sum = 0;
    RlReal got = rl_gaussian_log_prob(&g, each, act, mean);
    for (int i = 0; i < A; i++) {
      double z = ((double)act[i] - (double)mean[i]) / exp((double)raw[i]);
      double l = -0.5 * z * z - (double)raw[i] - 0.5 * log_2pi;
      assert_near(each[i], l, 1e-5);
      sum += l;
    }
    assert_near(got, sum, 1e-5);
    assert_true(got == rl_gaussian_log_prob(&g, NULL, act, mean));
  }
}

static void test_clamp(void **state) {
  (void)state;
  RlReal raw[5] = {-3, -2, 0, 1, (RlReal)1.5};
  RlGaussian g;
  rl_gaussian_init(&g, raw, -2, 1, 5);
  static const double want[5] = {-2, -2, 0, 1, 1}, inside[5] = {0, 1, 1, 1, 0};
  for (int i = 0; i < 5; i++) {
    assert_near(g.log_sigma[i], want[i], 0);
    assert_near(g.sigma[i], exp(want[i]), 1e-7);
    assert_near(g.inv_sigma[i], exp(-want[i]), 1e-6);
    assert_near(g.inside[i], inside[i], 0);
  }
  // no gradient passes where the clamp holds
  RlReal act[5] = {0}, mean[5], dmean[5] = {0}, draw[5] = {0}, one[5] = {1, 1, 1, 1, 1};
  for (int i = 0; i < 5; i++) mean[i] = g.sigma[i] * 2;
  rl_gaussian_log_prob_backward(&g, dmean, draw, one, act, mean);
  rl_gaussian_entropy_backward(&g, draw, 10);
  for (int i = 0; i < 5; i++) {
    assert_near(draw[i], inside[i] > 0 ? 4 - 1 + 10 : 0, 1e-5);
    assert_near(dmean[i], -2 / exp(want[i]), 1e-5);
  }
}

static void test_sample(void **state) {
  (void)state;
  enum { DRAWS = 40000 };
  RlGaussian g = make(2, -1, 0.5);
  RlReal mean[2] = {2, -3}, act[2];
  RlRng rng, same;
  rl_rng_init(&rng, 4, RL_STREAM_ACT, 0);
  same = rng;
  double sum[2] = {0}, square[2] = {0}, cross = 0;
  for (int k = 0; k < DRAWS; k++) {
    rl_gaussian_sample(&g, act, mean, &rng);
    double x[2];
    for (int i = 0; i < 2; i++) {
      x[i] = rl_rng_normal(&same);
      assert_near(act[i], (double)mean[i] + (double)g.sigma[i] * x[i], 1e-6);
      double z = ((double)act[i] - (double)mean[i]) / (double)g.sigma[i];
      sum[i] += z;
      square[i] += z * z;
    }
    cross += x[0] * x[1];
  }
  // four standard errors
  for (int i = 0; i < 2; i++) {
    assert_true(fabs(sum[i] / DRAWS) <= 4 / sqrt(DRAWS));
    assert_true(fabs(square[i] / DRAWS - 1) <= 4 * sqrt(2.0 / DRAWS));
  }
  assert_true(fabs(cross / DRAWS) <= 4 / sqrt(DRAWS));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_integrals),
      cmocka_unit_test(test_log_prob),
      cmocka_unit_test(test_clamp),
      cmocka_unit_test(test_sample),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
