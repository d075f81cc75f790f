// Details of SAC's update: what the critics learn, which critics the actor sees, the squashed
// Gaussian's density, the entropy coefficient, and how a step is taken.
#include "tests/unit/rl/detail_sac.h"
#include "tests/unit/rl/sac_row.h"

enum { B = 64, O = 10, A = 2, MOST = 3000 };

static RlRun run;
static RlSacStats stats;

// row r of the minibatch
static SacRow row(int r) {
  return sac_row(&run.sac, r);
}

// ---------------------------------------------------------------- what the critics learn

typedef struct {
  bool second, entropy;  // the smaller of two critics; minus alpha log pi
  double scale, alpha;
} Target;

// largest gap between what the critics learnt and the formula, by the targets' own outputs
static double target_gap(const Target *t) {
  const RlSacBatch *batch = &run.sac.batch;
  double worst = 0;
  for (int r = 0; r < B; r++) {
    const SacRow at = row(r);
    double q = (double)at.block->target[0].y[3][at.r];
    if (t->second) q = fmin(q, (double)at.block->target[1].y[3][at.r]);
    if (t->entropy) q -= t->alpha * (double)at.block->next_pi.logp[at.r];
    double y = t->scale * (double)batch->ret[r] + (double)batch->discount[r] * q;
    worst = fmax(worst, fabs((double)at.block->y[at.r] - y));
  }
  return worst;
}

// an update with the switch: the gap to the formula with the detail and to the one without
static void check_target(const char *set, const Target *same, const Target *other) {
  COLLECT_SAC(&run, "sac.ent_coef_init=0.2", "policy.actor_gain=3", set);
  detail_sac_update(&run, &stats);
  assert_true(stats.critics_applied);
  assert_true(target_gap(same) < 1e-5);
  assert_true(target_gap(other) > 1e-2);
  rl_run_free(&run);
}

static const Target shipped = {true, true, 1, 0.2};

static void test_clipped_double_q(void **state) {
  (void)state;
  const Target off = {false, true, 1, 0.2};
  check_target("sac.twin_critics=true", &shipped, &off);
  check_target("sac.twin_critics=false", &off, &shipped);
}

// the actor climbs the smaller of the two as well
static void test_clipped_double_q_of_actor(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    COLLECT_SAC(&run, on ? "sac.twin_critics=true" : "sac.twin_critics=false");
    detail_sac_update(&run, &stats);
    double least = 0, first = 0;
    for (int r = 0; r < B; r++) {
      const SacRow at = row(r);
      double logp = (double)at.block->pi.logp[at.r], q = (double)at.block->critic[0].y[3][at.r];
      double other = (double)at.block->critic[on].y[3][at.r];
      first += (stats.ent_coef * logp - q) / B;
      least += (stats.ent_coef * logp - fmin(q, other)) / B;
    }
    assert_near(stats.actor_loss, least, 1e-6);
    assert_true(on ? least - first > 1e-3 : least == first);
    assert_int_equal(run.sac.critic_net[1].adam.step, on);
    rl_run_free(&run);
  }
}

static void test_entropy_at_the_bootstrap(void **state) {
  (void)state;
  const Target off = {true, false, 1, 0.2};
  check_target("sac.entropy_bootstrap=true", &shipped, &off);
  check_target("sac.entropy_bootstrap=false", &off, &shipped);
}

// a coefficient on the summed rewards, and on nothing else of the target
static void test_n_step_coefficient(void **state) {
  (void)state;
  const Target five = {true, true, 5, 0.2};
  check_target("sac.reward_scale=5", &five, &shipped);
  check_target("sac.reward_scale=1", &shipped, &five);
}

// Behind a termination the target is the reward, whatever the target critics say of what followed,
// not a number included; behind a time limit they are asked.
static void test_no_bootstrap_after_termination(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    COLLECT_SAC(&run, "env.id=InvertedDoublePendulum-v5", "env.max_episode_steps=7",
                on ? "sac.bootstrap_truncated=true" : "sac.bootstrap_truncated=false");
    for (int c = 0; c < 2; c++) {
      RlMlp *target = &run.sac.target[c];
      for (int i = 0; i < target->nparam; i++) target->param[i] = (RlReal)NAN;
    }
    int count[3] = {0};
    for (int k = 0; k < 5; k++) {
      detail_sac_update(&run, &stats);
      assert_false(stats.critics_applied);
      for (int r = 0; r < B; r++) {
        int end = run.replay.end[run.sac.batch.slot[r]];
        bool bootstraps = end == 0 || (on && end == RL_REPLAY_TRUNCATED);
        const RlReal y = row(r).block->y[row(r).r];
        if (bootstraps) assert_true(isnan((double)y));
        if (!bootstraps) assert_true(y == run.sac.batch.ret[r]);
        count[end]++;
      }
    }
    for (int i = 0; i < 3; i++) assert_true(count[i] > 3);
    rl_run_free(&run);
  }
}

// ---------------------------------------------------------------- targets

static RlReal before[2][MOST];

static void copy_targets(void) {
  for (int c = 0; c < 2; c++) {
    const RlMlp *target = &run.sac.target[c];
    assert_true(target->nparam <= MOST);
    memcpy(before[c], target->param, (size_t)target->nparam * sizeof(RlReal));
  }
}

// largest gap between the targets and tau of the way from where they were to the updated critics
static double polyak_gap(double tau) {
  double worst = 0;
  for (int c = 0; c < 2; c++) {
    for (int i = 0; i < run.sac.target[c].nparam; i++) {
      double want = (1 - tau) * (double)before[c][i] + tau * (double)run.policy.critic[c].param[i];
      worst = fmax(worst, fabs((double)run.sac.target[c].param[i] - want));
    }
  }
  return worst;
}

static void test_polyak_targets(void **state) {
  (void)state;
  static const char *const set[] = {"sac.tau=0.005", "sac.tau=1", "sac.target_update_interval=2"};
  const double tau[3][2] = {{0.005, 0.005}, {1, 1}, {0, 0.005}};
  for (int k = 0; k < 3; k++) {
    COLLECT_SAC(&run, "sac.learning_rate=0.1", set[k]);
    for (int again = 0; again < 2; again++) {
      copy_targets();
      detail_sac_update(&run, &stats);
      assert_true(polyak_gap(tau[k][again]) < 1e-7);
      assert_true(polyak_gap(tau[k][again] == 1 ? 0.005 : 1) > 0.05);
    }
    rl_run_free(&run);
  }
}

// targets begin as copies of the critics, each of its own
static void test_targets_start_as_critics(void **state) {
  (void)state;
  START_SAC(&run, "run.seed=5");
  copy_targets();
  assert_true(polyak_gap(1) == 0);
  assert_memory_not_equal(before[0], before[1], sizeof before[0]);
  rl_run_free(&run);
}

// ---------------------------------------------------------------- the density

// What an update reports as entropy and hands to alpha, by the formula from means, deviations and
// noise, each part's sum over dimensions weighted.
static double entropy(double of_density, double of_correction) {
  double sum = 0;
  for (int i = 0; i < B * A; i++) {
    const RlSquashedWork *pi = &row(i / A).block->pi;
    const int at = row(i / A).r * A + i % A;
    double z = (double)run.sac.batch.noise[i], a = (double)pi->act[at];
    double log_density = -z * z / 2 - log((double)pi->sigma[at]) - log(2 * 3.14159265358979) / 2;
    sum += of_density * log_density - of_correction * log(1 - a * a);
  }
  return -sum / B;
}

static void test_log_prob_and_correction_summed(void **state) {
  (void)state;
  static const char *const set[] = {"sac.log_prob=sum", "sac.log_prob=mean",
                                    "sac.tanh_correction=mean", "sac.tanh_correction=off"};
  const double weight[4][2] = {{1, 1}, {0.5, 1}, {1, 0.5}, {1, 0}};
  for (int k = 0; k < 4; k++) {
    COLLECT_SAC(&run, set[k]);
    detail_sac_bias(&run, 0.3, -1);
    detail_sac_update(&run, &stats);
    for (int j = 0; j < 4; j++) {
      double gap = fabs(stats.entropy - entropy(weight[j][0], weight[j][1]));
      assert_true(j == k ? gap < 1e-4 : gap > 0.05);
    }
    rl_run_free(&run);
  }
}

// actions that round to 1 have a density all the same: 1 - a^2 is zero, its logarithm is not taken
static void test_stable_tanh_correction(void **state) {
  (void)state;
  COLLECT_SAC(&run, "policy.actor_gain=0.001");
  detail_sac_bias(&run, 20, -2);
  detail_sac_update(&run, &stats);
  assert_true(stats.critics_applied && stats.actor_applied && stats.saturation == 1);
  double logp = 0;
  for (int i = 0; i < B * A; i++) {
    double z = (double)run.sac.batch.noise[i], u = 20 + exp(-2) * z;
    assert_true(row(i / A).block->pi.act[row(i / A).r * A + i % A] == 1);
    logp += -z * z / 2 + 2 - log(2 * 3.14159265358979) / 2 - 2 * (log(2) - u);
  }
  assert_near(stats.entropy, -logp / B, 1e-3);
  rl_run_free(&run);
}

// sum over the minibatch of the gradient of the output bias of log sigma
static double log_sigma_gradient(void) {
  const RlMlp *mlp = &run.policy.actor.mlp;
  const RlReal *grad = run.sac.actor_net.grad + (mlp->b[mlp->L - 1] - mlp->param) + A;
  return fabs((double)grad[0]) + fabs((double)grad[1]);
}

// held to the bounds, through which no gradient passes; tanh instead never stops it altogether
static void test_state_dependent_log_sigma_clamp(void **state) {
  (void)state;
  static const char *const set[] = {"sac.log_std_bound=clamp", "policy.log_std_max=6",
                                    "sac.log_std_bound=tanh", "policy.log_std_min=-40"};
  // log sigma as the head gives it: above, and below
  const double raw[2] = {4, -22}, want[2] = {2, -20};
  for (int k = 0; k < 4; k++) {
    for (int low = 0; low < 2; low++) {
      COLLECT_SAC(&run, "policy.actor_gain=1e-3", set[k]);
      detail_sac_bias(&run, 0, raw[low]);
      detail_sac_update(&run, &stats);
      bool held = k == 0 || k == (low ? 1 : 3);
      double log_sigma = log(stats.std);
      if (held) assert_true(fabs(log_sigma - want[low]) < 1e-4 && log_sigma_gradient() == 0);
      if (!held && k != 2) assert_near(log_sigma, raw[low], 0.02);
      // its slope at -22, far down the tail, is below what a float of the gradient resolves
      if (!held && (k != 2 || !low)) assert_true(log_sigma_gradient() > 1e-4);
      rl_run_free(&run);
    }
  }
}

// ---------------------------------------------------------------- the order of an update

// Mean of alpha log pi - min Q(s, a) over the minibatch by the critics as they stand.
static double actor_loss(double alpha) {
  static RlReal x[B * (O + A)], q[2][B];
  double sum = 0;
  for (int r = 0; r < B; r++) {
    memcpy(x + r * (O + A), run.sac.batch.obs + r * O, O * sizeof(RlReal));
    const SacRow at = row(r);
    memcpy(x + r * (O + A) + O, at.block->pi.act + at.r * A, A * sizeof(RlReal));
  }
  for (int c = 0; c < 2; c++) detail_forward(&run.policy.critic[c], q[c], x, B);
  for (int r = 0; r < B; r++) {
    sum += alpha * (double)row(r).block->pi.logp[row(r).r] - fmin((double)q[0][r], (double)q[1][r]);
  }
  return sum / B;
}

// the actor climbs the critics as this update has left them, not as it found them
static void test_actor_sees_updated_critics(void **state) {
  (void)state;
  static RlReal found[2][MOST], left[2][MOST];
  COLLECT_SAC(&run, "sac.learning_rate=0.01");
  RlMlp *critic = run.policy.critic;
  size_t size = (size_t)critic[0].nparam * sizeof(RlReal);
  for (int c = 0; c < 2; c++) memcpy(found[c], critic[c].param, size);
  detail_sac_update(&run, &stats);
  assert_near(stats.actor_loss, actor_loss(1), 1e-5);
  for (int c = 0; c < 2; c++) {
    memcpy(left[c], critic[c].param, size);
    memcpy(critic[c].param, found[c], size);
  }
  assert_true(fabs(stats.actor_loss - actor_loss(1)) > 1e-2);
  rl_run_free(&run);
}

// entropy of the actor as it stands, on the minibatch's observations and noise
static double entropy_now(void) {
  static RlReal head[B * 2 * A];
  double sum = 0;
  detail_forward(&run.policy.actor.mlp, head, run.sac.batch.obs, B);
  for (int i = 0; i < B * A; i++) {
    const RlReal *of_row = head + i / A * 2 * A;
    double log_sigma = (double)of_row[A + i % A], z = (double)run.sac.batch.noise[i];
    double a = tanh((double)of_row[i % A] + exp(log_sigma) * z);
    sum += -z * z / 2 - log_sigma - log(2 * 3.14159265358979) / 2 - log(1 - a * a);
  }
  return -sum / B;
}

// alpha learns from the actor that began the update, and the alpha that began it weighs both losses
static void test_alpha_from_old_actor(void **state) {
  (void)state;
  COLLECT_SAC(&run, "sac.learning_rate=0.02", "sac.ent_coef_init=0.5");
  detail_sac_update(&run, &stats);
  // a second one, whose moments are not those of a start
  rl_sac_draw(&run.sac, &run.replay, &run.policy.norm);
  double old_entropy = entropy_now(), old_alpha = rl_sac_alpha(&run.sac);
  rl_sac_learn(&run.sac, &stats);
  assert_near(run.sac.dlog_alpha, old_entropy + 2, 1e-4);
  assert_true(fabs(old_entropy - entropy_now()) > 0.01);
  assert_true(fabs(rl_sac_alpha(&run.sac) - old_alpha) > 1e-3);
  const Target with_old = {true, true, 1, old_alpha};
  assert_true(target_gap(&with_old) < 1e-5);
  assert_near(stats.actor_loss, actor_loss(old_alpha), 1e-5);
  rl_run_free(&run);
}

// every second update moves actor and alpha; the critics learn at each
static void test_policy_delay(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    COLLECT_SAC(&run, on ? "sac.policy_delay=2" : "sac.policy_delay=1");
    for (int k = 0; k < 4; k++) {
      detail_sac_update(&run, &stats);
      assert_int_equal(stats.actor_applied, !on || k % 2 == 0);
    }
    assert_int_equal(run.sac.critic_net[0].adam.step, 4);
    assert_int_equal(run.sac.actor_net.adam.step, on ? 2 : 4);
    assert_int_equal(run.sac.alpha_adam.step, on ? 2 : 4);
    rl_run_free(&run);
  }
}

// ---------------------------------------------------------------- the entropy coefficient

// The gradient is that of log alpha: the same however small alpha is. A given alpha stays.
static void test_alpha_on_its_logarithm(void **state) {
  (void)state;
  static const char *const set[] = {"sac.ent_coef_init=1", "sac.ent_coef_init=0.001",
                                    "sac.ent_coef=0.001"};
  const double start[3] = {0, log(0.001), 0};
  double moved[3];
  for (int k = 0; k < 3; k++) {
    COLLECT_SAC(&run, "sac.learning_rate=0.01", set[k]);
    detail_sac_update(&run, &stats);
    assert_near(run.sac.dlog_alpha, k < 2 ? stats.entropy + 2 : 0, 1e-5);
    assert_near(stats.ent_coef_loss, start[k] * (stats.entropy + 2), 1e-4);
    moved[k] = (double)run.sac.log_alpha - start[k];
    assert_near(rl_sac_alpha(&run.sac), k < 2 ? exp(start[k] + moved[k]) : 0.001, 1e-7);
    rl_run_free(&run);
  }
  // Adam's first step is the learning rate, down: the first actor's entropy is beyond -2
  assert_near(moved[0], -0.01, 1e-6);
  assert_near(moved[1], -0.01, 1e-6);
  assert_near(moved[2], 0, 0);
}

// minus the number of actions
static void test_target_entropy(void **state) {
  (void)state;
  static const char *const task[] = {"env.id=Reacher-v5", "env.id=HalfCheetah-v5"};
  for (int k = 0; k < 2; k++) {
    for (int on = 1; on >= 0; on--) {
      COLLECT_SAC(&run, task[k], on ? "sac.target_entropy=auto" : "sac.target_entropy=-0.5");
      detail_sac_update(&run, &stats);
      double target = on ? -(double)run.policy.A : -0.5;
      assert_near(run.sac.dlog_alpha, stats.entropy - target, 1e-5);
      rl_run_free(&run);
    }
  }
}

// ---------------------------------------------------------------- the step

// Adam's first moment after one step is a tenth of the gradient that was applied
static double applied_norm(const RlAdam *adam) {
  double square = 0;
  for (int i = 0; i < adam->n; i++) square += (double)adam->m[i] * (double)adam->m[i];
  return 10 * sqrt(square);
}

// each network by its own norm; alpha is none
static void test_sac_gradient_clip(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    COLLECT_SAC(&run, on ? "sac.max_grad_norm=0.01" : "sac.max_grad_norm=inf");
    detail_sac_update(&run, &stats);
    const RlSacNet *net[] = {&run.sac.actor_net, &run.sac.critic_net[0], &run.sac.critic_net[1]};
    for (int k = 0; k < 3; k++) {
      assert_true(net[k]->grad_norm > 0.02);
      assert_near(applied_norm(&net[k]->adam) / (on ? 0.01 : net[k]->grad_norm), 1, 1e-3);
    }
    assert_near(applied_norm(&run.sac.alpha_adam), fabs((double)run.sac.dlog_alpha), 1e-5);
    rl_run_free(&run);
  }
}

// largest gap, in learning rates, between the first critic's first step and g / (|g| + 1e-8)
static double step_gap(const char *set) {
  static RlReal start[MOST];
  COLLECT_SAC(&run, "sac.max_grad_norm=1e-7", "sac.learning_rate=0.01", set);
  const RlMlp *critic = &run.policy.critic[0];
  memcpy(start, critic->param, (size_t)critic->nparam * sizeof(RlReal));
  detail_sac_update(&run, &stats);
  double worst = 0;
  for (int i = 0; i < critic->nparam; i++) {
    double g = 10 * (double)run.sac.critic_net[0].adam.m[i];
    double step = ((double)start[i] - (double)critic->param[i]) / 0.01;
    worst = fmax(worst, fabs(step - g / (fabs(g) + 1e-8)));
  }
  rl_run_free(&run);
  return worst;
}

static void test_sac_adam_epsilon(void **state) {
  (void)state;
  assert_true(step_gap("sac.adam_epsilon=1e-8") < 1e-3);
  assert_true(step_gap("sac.adam_epsilon=1e-5") > 0.1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_clipped_double_q),
      SCRATCH_TEST(test_clipped_double_q_of_actor),
      SCRATCH_TEST(test_entropy_at_the_bootstrap),
      SCRATCH_TEST(test_n_step_coefficient),
      SCRATCH_TEST(test_no_bootstrap_after_termination),
      SCRATCH_TEST(test_polyak_targets),
      SCRATCH_TEST(test_targets_start_as_critics),
      SCRATCH_TEST(test_log_prob_and_correction_summed),
      SCRATCH_TEST(test_stable_tanh_correction),
      SCRATCH_TEST(test_state_dependent_log_sigma_clamp),
      SCRATCH_TEST(test_actor_sees_updated_critics),
      SCRATCH_TEST(test_alpha_from_old_actor),
      SCRATCH_TEST(test_policy_delay),
      SCRATCH_TEST(test_alpha_on_its_logarithm),
      SCRATCH_TEST(test_target_entropy),
      SCRATCH_TEST(test_sac_gradient_clip),
      SCRATCH_TEST(test_sac_adam_epsilon),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
