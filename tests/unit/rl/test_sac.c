// SAC's update on made-up batches: blocks and threads, what is left alone and when, every switch.
// The formulas themselves are held to PyTorch in test_sac_torch.c and to differences in
// test_grad_sac.c, numbers that are not finite are in test_sac_not_finite.c, the minibatch in
// test_sac_draw.c.
#include "tests/unit/rl/sac_bench.h"
#include "tests/unit/rl/sac_row.h"
#include "tests/unit/rl/sac_state.h"

// parameters do not move at this learning rate, nor do the targets
#define STILL "learning_rate = 1e-40\ntarget_update_interval = 1000000\n"

// ---------------------------------------------------------------- blocks and threads

typedef struct {
  double grad[3][MOST], dlog_alpha, critic_loss, actor_loss;
} Means;

static void add_grad(double *sum, const RlSacNet *net, double weight) {
  for (int i = 0; i < net->mlp->nparam; i++) sum[i] += weight * (double)net->grad[i];
}

static void add_means(Means *m, const Bench *b, double weight) {
  add_grad(m->grad[NET_ACTOR], &b->sac.actor_net, weight);
  add_grad(m->grad[NET_CRITIC0], &b->sac.critic_net[0], weight);
  add_grad(m->grad[NET_CRITIC1], &b->sac.critic_net[1], weight);
  m->dlog_alpha += weight * (double)b->sac.dlog_alpha;
  m->critic_loss += weight * b->stats.critic_loss;
  m->actor_loss += weight * b->stats.actor_loss;
}

static void copy_row(RlSacBatch *to, const RlSacBatch *from, int r) {
  memcpy(to->obs, from->obs + r * O, O * sizeof(RlReal));
  memcpy(to->next_obs, from->next_obs + r * O, O * sizeof(RlReal));
  memcpy(to->act, from->act + r * A, A * sizeof(RlReal));
  memcpy(to->noise, from->noise + r * A, A * sizeof(RlReal));
  memcpy(to->next_noise, from->next_noise + r * A, A * sizeof(RlReal));
  to->ret[0] = from->ret[r];
  to->discount[0] = from->discount[r];
}

// A batch in one block, in many, and with a ragged last one gives the mean over its rows, each an
// update of its own.
static void check_blocks(int rows, int block, int nblock) {
  char ini[200];
  Bench whole, single;
  Means got = {0}, want = {0};
  snprintf(ini, sizeof ini, "[sac]\n" STILL "batch_size = %d\n", rows);
  make(&whole, ini, 2);
  make(&single, "[sac]\n" STILL "batch_size = 1\n", 1);
  assert_int_equal(whole.sac.block, block);
  assert_int_equal(whole.sac.nblock, nblock);
  learn(&whole);
  add_means(&got, &whole, 1);
  for (int r = 0; r < rows; r++) {
    copy_row(&single.sac.batch, &whole.sac.batch, r);
    learn(&single);
    // alpha alone moves, as float makes of 0 - 1e-40
    single.sac.log_alpha = whole.sac.log_alpha;
    add_means(&want, &single, 1.0 / rows);
  }
  for (int n = 0; n < 3; n++) {
    for (int i = 0; i < MOST; i++) assert_near(got.grad[n][i], want.grad[n][i], 2e-6);
  }
  assert_near(got.dlog_alpha, want.dlog_alpha, 2e-6);
  assert_near(got.critic_loss, want.critic_loss, 2e-6);
  assert_near(got.actor_loss, want.actor_loss, 2e-6);
  drop(&whole);
  drop(&single);
}

static void test_blocks(void **state) {
  (void)state;
  check_blocks(1, 1, 1);
  check_blocks(2, 1, 2);
  check_blocks(127, 64, 2);
  check_blocks(256, 128, 2);
  check_blocks(257, 86, 3);
  check_blocks(2048, 128, 16);
  check_blocks(2049, 129, 16);
}

static void test_threads(void **state) {
  (void)state;
  static const char ini[] = "[sac]\nbatch_size = 300\nlearning_rate = 3e-3\n";
  Bench one, many;
  make(&one, ini, 1);
  for (uint64_t k = 0; k < 5; k++) {
    fill(&one, k);
    learn(&one);
  }
  State want = state_of(&one);
  for (int threads = 2; threads <= 3; threads++) {
    make(&many, ini, threads);
    for (uint64_t k = 0; k < 5; k++) {
      fill(&many, k);
      learn(&many);
    }
    State got = state_of(&many);
    assert_true(same_state(&got, &want));
    assert_memory_equal(&one.stats, &many.stats, sizeof one.stats);
    drop(&many);
  }
  drop(&one);
}

// ---------------------------------------------------------------- what moves when

static void test_start(void **state) {
  (void)state;
  Bench b;
  make(&b, "", 1);
  rl_sac_start(&b.sac);
  for (int c = 0; c < RL_SAC_CRITICS; c++) {
    assert_memory_equal(b.sac.target[c].param, b.critic[c].param,
                        (size_t)b.critic[c].nparam * sizeof(RlReal));
  }
  assert_true(rl_sac_alpha(&b.sac) == 1);
  assert_true(b.sac.target_entropy == -A);
  drop(&b);
  make(&b, "[sac]\nent_coef_init = 0.25\ntarget_entropy = 0.5\n", 1);
  assert_near(rl_sac_alpha(&b.sac), 0.25, 1e-7);
  assert_true(b.sac.target_entropy == 0.5);
  drop(&b);
}

// every third update moves actor and alpha, from the first on
static void test_policy_delay(void **state) {
  (void)state;
  Bench b;
  make(&b, "[sac]\nbatch_size = 20\npolicy_delay = 3\n", 1);
  for (int k = 0; k < 7; k++) {
    State before = state_of(&b);
    learn(&b);
    State after = state_of(&b);
    assert_int_equal(b.stats.actor_applied, k % 3 == 0);
    assert_int_equal(same_net(&before, &after, NET_ACTOR), k % 3 != 0);
    assert_int_equal(same_alpha(&before, &after), k % 3 != 0);
    assert_false(same_net(&before, &after, NET_CRITIC0));
    assert_false(same_net(&before, &after, NET_CRITIC1));
    assert_false(same_net(&before, &after, NET_TARGET0));
    assert_true(b.stats.critics_applied);
    assert_int_equal(b.sac.skipped_in_a_row, 0);
  }
  drop(&b);
}

// every third update moves the targets, tau of the way to the updated critics
static void test_targets(void **state) {
  (void)state;
  Bench b;
  make(&b, "[sac]\nbatch_size = 20\ntarget_update_interval = 3\ntau = 0.25\n", 1);
  for (int k = 1; k <= 6; k++) {
    State before = state_of(&b);
    learn(&b);
    State after = state_of(&b);
    for (int c = 0; c < RL_SAC_CRITICS; c++) {
      const RlReal *from = before.param[NET_TARGET0 + c], *to = after.param[NET_TARGET0 + c];
      assert_int_equal(same_net(&before, &after, NET_TARGET0 + c), k % 3 != 0);
      for (int i = 0; i < b.critic[c].nparam && k % 3 == 0; i++) {
        assert_near(to[i], 0.75 * (double)from[i] + 0.25 * (double)b.critic[c].param[i], 1e-6);
      }
    }
  }
  drop(&b);
}

// what the second critic holds is nobody's business, and nothing of it moves
static void test_one_critic(void **state) {
  (void)state;
  static const char ini[] = "[sac]\nbatch_size = 300\ntwin_critics = false\n";
  Bench twin, one;
  make(&one, ini, 2);
  for (int i = 0; i < one.critic[1].nparam; i++) {
    one.critic[1].param[i] = one.sac.target[1].param[i] = NAN;
  }
  State before = state_of(&one);
  learn(&one);
  State after = state_of(&one);
  assert_null(one.stats.bad);
  assert_true(same_net(&before, &after, NET_CRITIC1) && same_net(&before, &after, NET_TARGET1));
  assert_true(one.stats.q_gap == 0 && one.stats.q1 == one.stats.q2);
  // as two critics of which the second is never the smaller one
  make(&twin, "[sac]\nbatch_size = 300\n", 2);
  twin.critic[1].b[2][0] = twin.sac.target[1].b[2][0] = 1e4f;
  learn(&twin);
  State both = state_of(&twin);
  assert_true(same_net(&both, &after, NET_ACTOR) && same_net(&both, &after, NET_CRITIC0));
  assert_true(same_net(&both, &after, NET_TARGET0) && same_alpha(&both, &after));
  assert_false(same_net(&both, &after, NET_CRITIC1));
  assert_true(twin.stats.actor_loss == one.stats.actor_loss);
  drop(&twin);
  drop(&one);
}

// ---------------------------------------------------------------- switches

static void test_reward_scale(void **state) {
  (void)state;
  Bench plain, scaled;
  make(&plain, "[sac]\nbatch_size = 20\n", 1);
  make(&scaled, "[sac]\nbatch_size = 20\nreward_scale = 4\n", 1);
  for (int r = 0; r < 20; r++) plain.sac.batch.ret[r] *= 4;
  learn(&plain);
  learn(&scaled);
  State want = state_of(&plain), got = state_of(&scaled);
  assert_true(same_state(&want, &got));
  assert_memory_not_equal(plain.sac.batch.ret, scaled.sac.batch.ret, 20 * sizeof(RlReal));
  drop(&plain);
  drop(&scaled);
}

// without it, y lacks the entropy and nothing else; the actor's own loss keeps it
static void test_entropy_bootstrap(void **state) {
  (void)state;
  Bench on, off;
  make(&on, "[sac]\nbatch_size = 20\nent_coef_init = 0.5\n" STILL, 1);
  make(&off, "[sac]\nbatch_size = 20\nent_coef_init = 0.5\nentropy_bootstrap = false\n" STILL, 1);
  learn(&on);
  learn(&off);
  for (int r = 0; r < 20; r++) {
    const SacRow with = sac_row(&on.sac, r), without = sac_row(&off.sac, r);
    double logp = (double)with.block->next_pi.logp[with.r];
    double gap = (double)with.block->y[with.r] - (double)without.block->y[without.r];
    assert_near(gap, -0.5 * (double)on.sac.batch.discount[r] * logp, 1e-6);
    assert_true(on.sac.batch.discount[r] == 0 || fabs(gap) > 1e-4);
  }
  assert_true(on.stats.actor_loss == off.stats.actor_loss);
  assert_true(on.stats.critic_loss != off.stats.critic_loss);
  drop(&on);
  drop(&off);
}

// first moments of Adam tell the gradient that was applied: 0.1 times it after one step
static double applied_norm(const RlSacNet *net) {
  double square = 0;
  for (int i = 0; i < net->adam.n; i++) square += (double)net->adam.m[i] * (double)net->adam.m[i];
  return 10 * sqrt(square);
}

static void test_max_grad_norm(void **state) {
  (void)state;
  Bench b;
  make(&b, "[sac]\nbatch_size = 20\n" STILL, 1);
  learn(&b);
  RlSacNet *net[3] = {&b.sac.actor_net, &b.sac.critic_net[0], &b.sac.critic_net[1]};
  double norm[3];
  for (int n = 0; n < 3; n++) norm[n] = applied_norm(net[n]);
  assert_near(b.stats.actor_grad_norm, norm[0], 1e-5);
  assert_near(b.stats.critic_grad_norm, norm[1], 1e-5);
  drop(&b);
  make(&b, "[sac]\nbatch_size = 20\nmax_grad_norm = 0.01\n" STILL, 1);
  learn(&b);
  for (int n = 0; n < 3; n++) {
    assert_true(norm[n] > 0.02);
    assert_near(net[n]->grad_norm, norm[n], 1e-5);
    assert_near(applied_norm(net[n]) / 0.01, 1, 1e-3);
  }
  // alpha is no network: nothing clips it
  assert_near(10 * b.sac.alpha_adam.m[0], b.sac.dlog_alpha, 1e-5);
  drop(&b);
  // beside a gradient as small as the 1e-6 in the quotient that term shows: critics of zeros leave
  // the actor only its entropy
  make(&b, "[sac]\nbatch_size = 20\nent_coef = 1e-6\nmax_grad_norm = 1e-7\n" STILL, 1);
  for (int c = 0; c < RL_SAC_CRITICS; c++) {
    memset(b.critic[c].param, 0, (size_t)b.critic[c].nparam * sizeof(RlReal));
    rl_mlp_pack(&b.critic[c]);
  }
  learn(&b);
  double least = b.sac.actor_net.grad_norm;
  assert_true(least > 1e-7 && least < 1e-5);
  assert_near(applied_norm(&b.sac.actor_net) / 1e-7, least / (least + 1e-6), 1e-4);
  drop(&b);
}

static void test_fixed_alpha(void **state) {
  (void)state;
  Bench b;
  make(&b, "[sac]\nbatch_size = 20\nent_coef = 0.3\n", 1);
  State before = state_of(&b);
  learn(&b);
  State after = state_of(&b);
  assert_true(same_alpha(&before, &after));
  assert_true(rl_sac_alpha(&b.sac) == 0.3 && b.stats.ent_coef == 0.3);
  assert_true(b.stats.ent_coef_loss == 0);
  drop(&b);
}

// alpha grows while the entropy is below its target and falls above it
static void test_alpha_direction(void **state) {
  (void)state;
  Bench b;
  make(&b, "[sac]\nbatch_size = 20\ntarget_entropy = 50\n", 1);
  learn(&b);
  assert_true(b.sac.log_alpha > 0 && b.stats.ent_coef == 1);
  drop(&b);
  make(&b, "[sac]\nbatch_size = 20\ntarget_entropy = -50\n", 1);
  learn(&b);
  assert_true(b.sac.log_alpha < 0 && b.stats.ent_coef == 1);
  drop(&b);
}

// alpha's step has the networks' epsilon
static void test_alpha_epsilon(void **state) {
  (void)state;
  Bench b;
  make(&b, "[sac]\nbatch_size = 20\nlearning_rate = 0.01\nadam_epsilon = 0.5\n", 1);
  learn(&b);
  double slope = (double)b.sac.dlog_alpha;
  assert_true(fabs(slope) > 0.1);
  assert_near(b.sac.log_alpha, -0.01 * slope / (fabs(slope) + 0.5), 1e-6);
  drop(&b);
}

// the wrong reductions of log pi reach the update
static void test_reductions(void **state) {
  (void)state;
  static const char *const ini[] = {"[sac]\n", "[sac]\nlog_prob = mean\n",
                                    "[sac]\ntanh_correction = mean\n",
                                    "[sac]\ntanh_correction = off\n"};
  double entropy[4];
  for (int k = 0; k < 4; k++) {
    Bench b;
    make(&b, ini[k], 1);
    learn(&b);
    entropy[k] = b.stats.entropy;
    for (int j = 0; j < k; j++) assert_true(fabs(entropy[k] - entropy[j]) > 0.01);
    drop(&b);
  }
}

// What wide layers' products read is of the parameters after the update: packing anew changes
// nothing.
static void check_packed(RlMlp *mlp) {
  enum { WIDE = 128 };
  static RlReal before[WIDE * WIDE];
  assert_non_null(mlp->packed[1]);
  memcpy(before, mlp->packed[1], sizeof before);
  rl_mlp_pack_forward(mlp);
  assert_memory_equal(before, mlp->packed[1], sizeof before);
}

static void test_packed(void **state) {
  (void)state;
  Bench b;
  make(&b, "[policy]\nhidden = 128,128\n[sac]\nbatch_size = 40\n", 1);
  learn(&b);
  check_packed(&b.actor.mlp);
  for (int c = 0; c < RL_SAC_CRITICS; c++) {
    check_packed(&b.critic[c]);
    check_packed(&b.sac.target[c]);
  }
  drop(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_blocks),          cmocka_unit_test(test_threads),
      cmocka_unit_test(test_start),           cmocka_unit_test(test_policy_delay),
      cmocka_unit_test(test_targets),         cmocka_unit_test(test_one_critic),
      cmocka_unit_test(test_reward_scale),    cmocka_unit_test(test_entropy_bootstrap),
      cmocka_unit_test(test_max_grad_norm),   cmocka_unit_test(test_fixed_alpha),
      cmocka_unit_test(test_alpha_direction), cmocka_unit_test(test_alpha_epsilon),
      cmocka_unit_test(test_reductions),      cmocka_unit_test(test_packed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
