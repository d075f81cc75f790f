// PPO's losses against their formulas in double, row by row. Gradients are checked by centred
// differences in tests/grad; here: signs, masks and weights by hand.
#include "rl/algo/ppo_loss.h"
#include "tests/unit/rl/near.h"

enum { A = 3, ROWS = 40 };

typedef struct {
  RlPpoOptions o;
  RlGaussian g, old;
  RlPpoLoss loss;
  RlReal act[ROWS * A], mean[ROWS * A], old_mean[ROWS * A], old_logp[ROWS], adv[ROWS];
  RlReal dmean[ROWS * A], dlog_sigma[A];
  RlPpoSums sums;
} Case;

static void make(Case *c, int ratio) {
  RlRng rng;
  rl_rng_init(&rng, 12, RL_STREAM_ACT, 0);
  memset(c, 0, sizeof *c);
  c->o = (RlPpoOptions){.ratio = ratio, .vf_coef = 0.5};
  RlReal raw[A];
  draw_reals(raw, A, -1, 0.5, &rng);
  rl_gaussian_init(&c->old, raw, -20, 2, A);
  for (int i = 0; i < A; i++) raw[i] += (RlReal)rl_rng_between(&rng, -0.1, 0.1);
  rl_gaussian_init(&c->g, raw, -20, 2, A);
  c->loss = (RlPpoLoss){&c->o, 0.2, (RlReal)(1.0 / ROWS), &c->g, &c->old};
  draw_reals(c->old_mean, ROWS * A, -1, 1, &rng);
  for (int i = 0; i < ROWS * A; i++)
    c->mean[i] = c->old_mean[i] + (RlReal)rl_rng_between(&rng, -.2, .2);
  for (int r = 0; r < ROWS; r++) {
    rl_gaussian_sample(&c->old, c->act + r * A, c->old_mean + r * A, &rng);
    c->old_logp[r] = rl_gaussian_log_prob(&c->old, NULL, c->act + r * A, c->old_mean + r * A);
  }
  draw_reals(c->adv, ROWS, -2, 2, &rng);
}

static void run(Case *c) {
  memset(&c->sums, 0, sizeof c->sums);
  memset(c->dlog_sigma, 0, sizeof c->dlog_sigma);
  rl_ppo_loss_policy(&c->loss, c->dmean, c->dlog_sigma, &c->sums, c->act, c->mean, c->old_mean,
                     c->old_logp, c->adv, ROWS);
}

static double log_density(const RlGaussian *g, const RlReal *act, const RlReal *mean, int i) {
  double z = ((double)act[i] - (double)mean[i]) / exp((double)g->log_sigma[i]);
  return -0.5 * z * z - (double)g->log_sigma[i] - 0.91893853320467274;
}

static double log_ratio(const Case *c, int r, int i) {
  return log_density(&c->g, c->act + r * A, c->mean + r * A, i) -
         log_density(&c->old, c->act + r * A, c->old_mean + r * A, i);
}

static double surrogate(double ratio, double adv) {
  double clipped = ratio < 0.8 ? 0.8 : ratio > 1.2 ? 1.2 : ratio;
  return -(ratio * adv < clipped * adv ? ratio * adv : clipped * adv);
}

static void check_sums(int kind) {
  Case c;
  make(&c, kind);
  run(&c);
  double loss = 0, kl = 0, clipped = 0;
  for (int r = 0; r < ROWS; r++) {
    double sum = 0, each = 0;
    for (int i = 0; i < A; i++) {
      sum += log_ratio(&c, r, i);
      each += surrogate(exp(log_ratio(&c, r, i)), (double)c.adv[r]) / A;
    }
    loss += kind == RL_RATIO_JOINT ? surrogate(exp(sum), (double)c.adv[r]) : each;
    kl += exp(sum) - 1 - sum;
    clipped += fabs(exp(sum) - 1) > 0.2;
  }
  assert_near(c.sums.policy_loss, loss, 1e-5);
  assert_near(c.sums.kl, kl, 1e-5);
  assert_near(c.sums.clipped, clipped, 0);
  assert_true(clipped > 3 && clipped < ROWS - 3);
}

static void test_sums(void **state) {
  (void)state;
  check_sums(RL_RATIO_JOINT);
  check_sums(RL_RATIO_PER_DIMENSION);
}

// in one dimension the two ratios are the same thing
static void test_ratios_agree_in_one_dimension(void **state) {
  (void)state;
  Case joint, each;
  make(&joint, RL_RATIO_JOINT);
  make(&each, RL_RATIO_PER_DIMENSION);
  joint.g.A = joint.old.A = each.g.A = each.old.A = 1;
  for (int r = 0; r < ROWS; r++) {
    joint.old_logp[r] = rl_gaussian_log_prob(&joint.old, NULL, joint.act + r, joint.old_mean + r);
    each.old_logp[r] = joint.old_logp[r];
  }
  run(&joint);
  run(&each);
  assert_near(joint.sums.policy_loss, each.sums.policy_loss, 1e-6);
  for (int i = 0; i < ROWS; i++) assert_near(joint.dmean[i], each.dmean[i], 1e-6);
  assert_near(joint.dlog_sigma[0], each.dlog_sigma[0], 1e-6);
}

// the policy that acted: ratio 1, so KL and clip fraction are 0 to the last bit
static void test_ratio_one(void **state) {
  (void)state;
  Case c;
  make(&c, RL_RATIO_JOINT);
  c.g = c.old;
  memcpy(c.mean, c.old_mean, sizeof c.mean);
  run(&c);
  double sum = 0;
  for (int r = 0; r < ROWS; r++) sum -= (double)c.adv[r];
  assert_true(c.sums.kl == 0 && c.sums.clipped == 0);
  assert_near(c.sums.policy_loss, sum, 1e-12);
}

// outside the clip on the side where the bound holds, a row has no gradient; on the other side it
// has
static void test_clip_stops_gradient(void **state) {
  (void)state;
  Case c;
  make(&c, RL_RATIO_JOINT);
  run(&c);
  int stopped = 0, passed = 0;
  for (int r = 0; r < ROWS; r++) {
    double sum = 0, size = 0;
    for (int i = 0; i < A; i++) sum += log_ratio(&c, r, i);
    for (int i = 0; i < A; i++) size += fabs((double)c.dmean[r * A + i]);
    bool held = (c.adv[r] > 0 && exp(sum) > 1.2) || (c.adv[r] < 0 && exp(sum) < 0.8);
    assert_true(held ? size == 0 : size > 0);
    stopped += held;
    passed += !held && fabs(exp(sum) - 1) > 0.2;
  }
  assert_true(stopped > 2 && passed > 2);
}

// half the rows at the same weight of a row: the gradients are those rows', not rescaled
static void test_weight_by_rows(void **state) {
  (void)state;
  Case c, half;
  make(&c, RL_RATIO_JOINT);
  c.o.ent_coef = 0.1;
  c.o.kl_coef = 0.1;
  run(&c);
  half = c;
  half.loss.o = &half.o;
  half.loss.g = &half.g;
  half.loss.old = &half.old;
  double both[A] = {0};
  for (int part = 0; part < 2; part++) {
    int at = part * (ROWS / 2);
    memset(half.dlog_sigma, 0, sizeof half.dlog_sigma);
    rl_ppo_loss_policy(&half.loss, half.dmean, half.dlog_sigma, &half.sums, c.act + at * A,
                       c.mean + at * A, c.old_mean + at * A, c.old_logp + at, c.adv + at, ROWS / 2);
    assert_memory_equal(half.dmean, c.dmean + at * A, ROWS / 2 * A * sizeof(RlReal));
    for (int i = 0; i < A; i++) both[i] += (double)half.dlog_sigma[i];
  }
  for (int i = 0; i < A; i++) assert_near(both[i], c.dlog_sigma[i], 1e-6);
}

// without advantages only the entropy bonus is left: each log sigma is pushed up by ent_coef
static void test_entropy(void **state) {
  (void)state;
  Case c;
  make(&c, RL_RATIO_JOINT);
  memset(c.adv, 0, sizeof c.adv);
  c.o.ent_coef = 0.3;
  run(&c);
  for (int i = 0; i < A; i++) assert_near(c.dlog_sigma[i], -0.3, 1e-6);
  for (int i = 0; i < ROWS * A; i++) assert_true(c.dmean[i] == 0);
}

static void test_value(void **state) {
  (void)state;
  RlPpoOptions o = {.vf_coef = 0.5};
  RlPpoLoss loss = {.o = &o, .weight = (RlReal)0.25};
  // V, old V, return
  static const RlReal row[][3] = {{1, 1, 3},  {2, 1, 3},    {5, 1, 3},    {-4, 1, 3},
                                  {2, 1, -3}, {0, 1, 0.5f}, {1.1f, 1, 2}, {0.5f, 1, 3}};
  for (int k = 0; k < 8; k++) {
    double v = (double)row[k][0], old = (double)row[k][1], ret = (double)row[k][2];
    for (int clip = 0; clip < 2; clip++) {
      o.clip_range_vf = clip * 0.5;
      RlPpoSums sums = {0};
      RlReal dvalue;
      rl_ppo_loss_value(&loss, &dvalue, &sums, &row[k][0], &row[k][1], &row[k][2], 1);
      double near_v = old + (v - old > 0.5 ? 0.5 : v - old < -0.5 ? -0.5 : v - old);
      double free_loss = (v - ret) * (v - ret), near_loss = (near_v - ret) * (near_v - ret);
      bool held = clip && near_loss > free_loss;
      assert_near(sums.value_loss, held ? near_loss : free_loss, 1e-6);
      bool stopped = held && fabs(v - old) >= 0.5;
      assert_near(dvalue, stopped ? 0 : 0.25 * 0.5 * 2 * (v - ret), 1e-6);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sums),           cmocka_unit_test(test_ratios_agree_in_one_dimension),
      cmocka_unit_test(test_ratio_one),      cmocka_unit_test(test_clip_stops_gradient),
      cmocka_unit_test(test_weight_by_rows), cmocka_unit_test(test_entropy),
      cmocka_unit_test(test_value),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
