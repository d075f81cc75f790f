// SAC's update in the double build: the gradients it leaves, of both critics, the actor and log
// alpha, against centred differences of the losses it reports. Rows lie on both sides of every
// kink, none of them near one; several blocks, the last one ragged.
#include "tests/grad/grad.h"
#include "tests/unit/rl/sac_bench.h"
#include "tests/unit/rl/sac_row.h"

enum { B = 140, MOST = 256 };

// Adam's steps vanish beside the parameters, and the targets stay: an update is then a function
#define STILL                                                                                   \
  "[policy]\nactivation = tanh\nlog_std_min = -0.4\nlog_std_max = 0.3\n[sac]\nbatch_size = 140" \
  "\nlearning_rate = 1e-300\ntarget_update_interval = 1000000\n"

static double critic_loss(void *arg) {
  Bench *b = arg;
  learn(b);
  return b->stats.critic_loss;
}

static double actor_loss(void *arg) {
  Bench *b = arg;
  learn(b);
  return b->stats.actor_loss;
}

static double ent_coef_loss(void *arg) {
  Bench *b = arg;
  learn(b);
  return b->stats.ent_coef_loss;
}

// Some rows have the one critic smaller, some the other, none both alike.
static void check_critics_cross(const Bench *b) {
  int less = 0, L = b->critic[0].L;
  for (int r = 0; r < B; r++) {
    const SacRow at = sac_row(&b->sac, r);
    double gap = at.block->critic[0].y[L][at.r] - at.block->critic[1].y[L][at.r];
    assert_true(fabs(gap) > 1e-4);
    less += gap < 0;
  }
  assert_true(less > B / 10 && less < B - B / 10);
}

// Raw log sigmas lie below, within and above the bounds, none at one.
static void check_bounds_met(const Bench *b) {
  int below = 0, above = 0, L = b->actor.mlp.L;
  for (int r = 0; r < B; r++) {
    const SacRow at = sac_row(&b->sac, r);
    const RlMlpWork *work = &at.block->actor;
    for (int i = 0; i < A; i++) {
      double raw = work->y[L][at.r * 2 * A + A + i];
      assert_true(fabs(raw + 0.4) > 1e-4 && fabs(raw - 0.3) > 1e-4);
      below += raw < -0.4;
      above += raw > 0.3;
    }
  }
  assert_true(below > B / 10 && above > B / 10 && below + above < A * B - B / 10);
}

static void check_net(Bench *b, RlSacNet *net, double (*loss)(void *)) {
  double grad[MOST];
  int n = net->mlp->nparam;
  assert_true(n <= MOST);
  memcpy(grad, net->grad, (size_t)n * sizeof *grad);
  check_gradient(net->mlp->param, grad, n, loss, b);
}

static void check(const char *ini) {
  Bench b;
  make(&b, ini, 1);
  RlSac *sac = &b.sac;
  const RlSacOptions *o = sac->o;
  sac->log_alpha = -0.9;
  for (int i = 0; i < b.actor.mlp.nparam; i++) b.actor.mlp.param[i] *= 1.6;
  rl_mlp_pack(&b.actor.mlp);
  learn(&b);
  // moved onto each other, the critics cross
  b.critic[1].b[b.critic[1].L - 1][0] += b.stats.q1 - b.stats.q2;
  learn(&b);
  assert_true(b.stats.critics_applied && b.stats.actor_applied);
  assert_int_equal(sac->nblock, 2);
  if (o->twin_critics) check_critics_cross(&b);
  if (o->log_std_bound == RL_BOUND_CLAMP) check_bounds_met(&b);
  double dlog_alpha = sac->dlog_alpha;
  check_net(&b, &sac->critic_net[0], critic_loss);
  if (o->twin_critics) check_net(&b, &sac->critic_net[1], critic_loss);
  check_net(&b, &sac->actor_net, actor_loss);
  if (o->ent_coef.is_auto) check_gradient(&sac->log_alpha, &dlog_alpha, 1, ent_coef_loss, &b);
  drop(&b);
}

static void test_defaults(void **state) {
  (void)state;
  check(STILL);
}

static void test_fixed_alpha(void **state) {
  (void)state;
  check(STILL "ent_coef = 0.7\nreward_scale = 5\nlog_std_bound = tanh\n");
}

static void test_one_critic(void **state) {
  (void)state;
  check(STILL "twin_critics = false\nentropy_bootstrap = false\n");
}

static void test_reductions(void **state) {
  (void)state;
  check(STILL "log_prob = mean\ntarget_entropy = 0.5\n");
  check(STILL "tanh_correction = mean\n");
  check(STILL "tanh_correction = off\n");
}

static void test_linear(void **state) {
  (void)state;
  check(STILL "log_std_bound = tanh\n[policy]\nhidden_critic = none\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_defaults),   cmocka_unit_test(test_fixed_alpha),
      cmocka_unit_test(test_one_critic), cmocka_unit_test(test_reductions),
      cmocka_unit_test(test_linear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
