// Details of the update: losses, what is clipped, what is normalised, what ends it, and how a step
// is taken.
#include "tests/unit/rl/detail.h"

static RlRun run;
static RlPpoStats stats;

// ---------------------------------------------------------------- the ratio

// The policy that learns starts as the one that acted, to the last bit: rows of other sizes, blocks
// and threads give the same density.
static void test_ratio_starts_at_one(void **state) {
  (void)state;
  static const char *const task[] = {"env.id=Reacher-v5", "env.id=Pusher-v5", "env.n_envs=1"};
  for (int k = 0; k < 3; k++) {
    START(&run, task[k], "ppo.n_steps=40", "ppo.batch_size=40", "ppo.normalize_advantage=batch");
    // a second iteration, whose policy has learnt and whose moments have moved
    for (int again = 0; again < 2; again++) {
      detail_collect(&run, NULL);
      run.config.ppo.batch_size = 40;
      const RlRollout *r = &run.rollout;
      RlGaussian g;
      rl_actor_gaussian(&run.policy.actor, &g);
      for (int i = 0; i < detail_rows(&run); i++) {
        const RlReal *mean = rl_actor_mean(&run.policy.actor, r->obs + i * r->O, 1);
        RlReal logp = rl_gaussian_log_prob(&g, NULL, r->act + i * r->A, mean);
        assert_memory_equal(&logp, &r->logp[i], sizeof logp);
      }
      rl_ppo_update(&run.ppo, &run.rollout, &stats);
      rl_normalizer_merge(&run.policy.norm);
    }
    rl_run_free(&run);
  }
}

// the first minibatch of the first epoch measures no change at all; a second epoch does
static void test_first_minibatch_measures_nothing(void **state) {
  (void)state;
  START(&run, "ppo.n_epochs=1");
  for (int k = 0; k < 3; k++) {
    rl_train_ppo_iterate(&run, &stats);
    assert_int_equal(stats.updates, 1);
    assert_true(stats.approx_kl == 0 && stats.clip_fraction == 0);
  }
  rl_run_free(&run);
  START(&run, "ppo.n_epochs=2");
  rl_train_ppo_iterate(&run, &stats);
  assert_true(stats.approx_kl > 0);
  rl_run_free(&run);
}

// What the update's first minibatch should report after log sigma and the output bias were moved.
typedef struct {
  double joint, free, each, kl, kl_naive, clipped;
} Expected;

static Expected expect(const RlRun *of, const RlGaussian *old) {
  const RlRollout *r = &of->rollout;
  int n = r->T * r->N, A = r->A;
  Expected e = {0};
  RlGaussian g;
  rl_actor_gaussian(&of->policy.actor, &g);
  for (int i = 0; i < n; i++) {
    const RlReal *mean = rl_actor_mean((RlActor *)&of->policy.actor, r->obs + i * r->O, 1);
    double sum = 0, adv = (double)r->adv[i];
    for (int a = 0; a < A; a++) {
      double new_z = ((double)r->act[i * A + a] - (double)mean[a]) / (double)g.sigma[a];
      double old_z =
          ((double)r->act[i * A + a] - (double)r->mean[i * A + a]) / (double)old->sigma[a];
      double l = 0.5 * (old_z * old_z - new_z * new_z) + (double)old->log_sigma[a] -
                 (double)g.log_sigma[a];
      double ratio = exp(l);
      e.each -= fmin(ratio * adv, fmax(fmin(ratio, 1.2), 0.8) * adv) / (n * A);
      sum += l;
    }
    double ratio = exp(sum);
    e.free -= ratio * adv / n;
    e.joint -= fmin(ratio * adv, fmax(fmin(ratio, 1.2), 0.8) * adv) / n;
    e.kl += (ratio - 1 - sum) / n;
    e.kl_naive -= sum / n;
    e.clipped += (fabs(ratio - 1) > 0.2) / (double)n;
  }
  return e;
}

// collects, moves the actor, and runs one update whose one minibatch is the whole rollout
static Expected update_moved(const char *set) {
  START(&run, "ppo.normalize_advantage=batch", set);
  detail_collect(&run, NULL);
  RlMlp *mlp = &run.policy.actor.mlp;
  RlGaussian old;
  rl_actor_gaussian(&run.policy.actor, &old);
  // the update takes the policy that acted from the parameters, so only the means move here
  for (int a = 0; a < run.rollout.A; a++) mlp->b[mlp->L - 1][a] = (RlReal)0.15;
  rl_mlp_pack(mlp);
  RlArena arena = {0};
  RlReal *before = RL_PUSH(&arena, RlReal, mlp->nparam);
  memcpy(before, mlp->param, (size_t)mlp->nparam * sizeof(RlReal));
  rl_ppo_update(&run.ppo, &run.rollout, &stats);
  memcpy(mlp->param, before, (size_t)mlp->nparam * sizeof(RlReal));
  rl_mlp_pack(mlp);
  Expected e = expect(&run, &old);
  rl_arena_free(&arena);
  rl_run_free(&run);
  return e;
}

static void test_clipped_surrogate(void **state) {
  (void)state;
  Expected e = update_moved("ppo.clip_range=0.2");
  assert_near(stats.policy_gradient_loss, e.joint, 1e-5);
  assert_near(stats.clip_fraction, e.clipped, 1e-9);
  assert_true(fabs(e.joint - e.free) > 1e-3 && e.clipped > 0.1);
  e = update_moved("ppo.clip_range=10");
  assert_near(stats.policy_gradient_loss, e.free, 1e-5);
  assert_true(stats.clip_fraction == 0);
}

static void test_joint_ratio(void **state) {
  (void)state;
  Expected e = update_moved("ppo.ratio=joint");
  assert_near(stats.policy_gradient_loss, e.joint, 1e-5);
  assert_true(fabs(e.joint - e.each) > 1e-3);
  e = update_moved("ppo.ratio=per_dimension");
  assert_near(stats.policy_gradient_loss, e.each, 1e-5);
}

// the estimator that is never negative, not the plain mean of -log r
static void test_approx_kl(void **state) {
  (void)state;
  Expected e = update_moved("ppo.clip_range=0.2");
  assert_near(stats.approx_kl, e.kl, 1e-6);
  assert_true(e.kl > 0 && fabs(e.kl - e.kl_naive) > 1e-3);
}

// a penalty on KL(old, new) pulls the moved means back
static void test_kl_penalty(void **state) {
  (void)state;
  double pull[2];
  for (int on = 1; on >= 0; on--) {
    update_moved(on ? "ppo.kl_coef=2" : "ppo.kl_coef=0");
    START(&run, "ppo.normalize_advantage=batch", on ? "ppo.kl_coef=2" : "ppo.kl_coef=0");
    detail_collect(&run, NULL);
    RlMlp *mlp = &run.policy.actor.mlp;
    mlp->b[mlp->L - 1][0] = (RlReal)0.15;
    rl_mlp_pack(mlp);
    rl_ppo_update(&run.ppo, &run.rollout, &stats);
    pull[on] = (double)run.ppo.net[0].grad[mlp->b[mlp->L - 1] - mlp->param];
    rl_run_free(&run);
  }
  // d KL / d mean = (mean - old mean) / sigma^2
  assert_near(pull[1] - pull[0], 2 * 0.15 / exp(-1), 1e-4);
}

// ---------------------------------------------------------------- the critic's and the entropy's
// part

static double value_loss(const RlRollout *r, double clip, double move) {
  double sum = 0;
  for (int i = 0; i < r->T * r->N; i++) {
    double old = (double)r->value[i], ret = (double)r->ret[i];
    double free_error = old + move - ret, near_error = old + fmax(move, -clip) - ret;
    sum += fmax(free_error * free_error, near_error * near_error);
  }
  return sum / (r->T * r->N);
}

// the critic is lowered by .7 after the values were taken: the clip at .1 lets .1 of it count where
// that is the worse of the two
static void test_value_clip(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START(&run, on ? "ppo.clip_range_vf=0.1" : "ppo.clip_range_vf=0");
    detail_collect(&run, NULL);
    RlMlp *critic = &run.policy.critic[0];
    critic->b[critic->L - 1][0] -= (RlReal)0.7;
    rl_mlp_pack(critic);
    rl_ppo_update(&run.ppo, &run.rollout, &stats);
    double clipped = value_loss(&run.rollout, 0.1, -0.7), plain = value_loss(&run.rollout, 9, -0.7);
    assert_true(fabs(clipped / plain - 1) > 1e-2);
    assert_near(stats.value_loss, on ? clipped : plain, 1e-5);
    rl_run_free(&run);
  }
}

// what the bonus adds to the gradient of each log sigma
static void test_entropy_bonus(void **state) {
  (void)state;
  double grad[2][2];
  for (int on = 1; on >= 0; on--) {
    START(&run, on ? "ppo.ent_coef=0.1" : "ppo.ent_coef=0");
    rl_train_ppo_iterate(&run, &stats);
    const RlMlp *mlp = &run.policy.actor.mlp;
    for (int a = 0; a < 2; a++) {
      grad[on][a] = (double)run.ppo.net[0].grad[mlp->extra - mlp->param + a];
    }
    rl_run_free(&run);
  }
  for (int a = 0; a < 2; a++) assert_near(grad[1][a] - grad[0][a], -0.1, 1e-6);
}

// ---------------------------------------------------------------- advantages and minibatches

static void minibatch_moments(double *mean, double *deviation) {
  double sum = 0, square = 0;
  int n = 32;
  for (int i = 0; i < n; i++) sum += (double)run.ppo.adv[i];
  *mean = sum / n;
  for (int i = 0; i < n; i++) square += pow((double)run.ppo.adv[i] - *mean, 2);
  *deviation = sqrt(square / (n - 1));
}

// the advantages of the last minibatch, as its loss saw them
static void test_advantage_normalisation(void **state) {
  (void)state;
  static const char *const set[] = {"ppo.normalize_advantage=minibatch",
                                    "ppo.normalize_advantage=batch", "ppo.normalize_advantage=off"};
  for (int k = 0; k < 3; k++) {
    START(&run, "ppo.batch_size=32", set[k]);
    rl_train_ppo_iterate(&run, &stats);
    double mean, deviation;
    minibatch_moments(&mean, &deviation);
    bool standard = fabs(mean) < 1e-5 && fabs(deviation - 1) < 1e-5;
    assert_int_equal(standard, k == 0);
    if (k == 1) {
      double all = detail_deviation(run.rollout.adv, 128, 1) * sqrt(128.0 / 127);
      assert_near(all, 1, 1e-5);
    }
    rl_run_free(&run);
  }
}

// the last of two minibatches has half as many rows: its gradient weighs half
static void test_ragged_minibatch(void **state) {
  (void)state;
  double norm[2][2];
  for (int on = 1; on >= 0; on--) {
    START(&run, "ppo.n_steps=24", "ppo.batch_size=64", "ppo.normalize_advantage=off",
          "ppo.shuffle=false", "ppo.learning_rate=1e-12",
          on ? "ppo.weight_ragged=true" : "ppo.weight_ragged=false");
    rl_train_ppo_iterate(&run, &stats);
    assert_int_equal(stats.updates, 2);
    for (int k = 0; k < 2; k++) norm[on][k] = run.ppo.net[k].grad_norm;
    rl_run_free(&run);
  }
  for (int k = 0; k < 2; k++) assert_near(norm[1][k] / norm[0][k], 0.5, 1e-5);
}

static void test_minibatches(void **state) {
  (void)state;
  START(&run, "ppo.batch_size=32", "ppo.n_epochs=3");
  rl_train_ppo_iterate(&run, &stats);
  assert_int_equal(stats.updates, 3 * 4);
  rl_run_free(&run);
  START(&run, "ppo.batch_size=128", "ppo.n_epochs=3");
  rl_train_ppo_iterate(&run, &stats);
  assert_int_equal(stats.updates, 3);
  rl_run_free(&run);
}

// every row once an epoch, in a new order
static void test_shuffle(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START(&run, on ? "ppo.shuffle=true" : "ppo.shuffle=false");
    int seen[128] = {0}, in_place = 0, same = 0, before[128];
    rl_train_ppo_iterate(&run, &stats);
    memcpy(before, run.ppo.order, sizeof before);
    rl_train_ppo_iterate(&run, &stats);
    for (int i = 0; i < 128; i++) {
      seen[run.ppo.order[i]]++;
      in_place += run.ppo.order[i] == i;
      same += run.ppo.order[i] == before[i];
    }
    for (int i = 0; i < 128; i++) assert_int_equal(seen[i], 1);
    assert_true(on ? in_place < 10 && same < 10 : in_place == 128);
    rl_run_free(&run);
  }
}

// after an update of two epochs the buffer holds what the critic said before the second
static void test_recompute_advantage(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START(&run, "ppo.n_epochs=2", "ppo.learning_rate=0.01",
          on ? "ppo.recompute_advantage=true" : "ppo.recompute_advantage=false");
    detail_collect(&run, NULL);
    RlReal value[128], next[128], adv[128];
    memcpy(value, run.rollout.value, sizeof value);
    memcpy(next, run.rollout.next_value, sizeof next);
    rl_gae_compute(adv, run.rollout.ret, run.rollout.rew, value, next, run.rollout.terminated,
                   run.rollout.truncated, run.rollout.lost, 32, 4, 0.99, 0.95);
    rl_ppo_update(&run.ppo, &run.rollout, &stats);
    assert_int_equal(memcmp(value, run.rollout.value, sizeof value) != 0, on);
    assert_int_equal(memcmp(next + 124, run.rollout.next_value + 124, 4 * sizeof *next) != 0, on);
    assert_int_equal(memcmp(adv, run.rollout.adv, sizeof adv) != 0, on);
    rl_run_free(&run);
  }
}

// ---------------------------------------------------------------- the step

static double applied_norm(int which) {
  const RlAdam *adam = &run.ppo.net[which].adam;
  double square = 0;
  for (int i = 0; i < adam->n; i++) square += (double)adam->m[i] * (double)adam->m[i];
  return 10 * sqrt(square);
}

// Adam's first moment after one step is a tenth of the gradient that was applied
static void test_gradient_clip(void **state) {
  (void)state;
  static const char *const set[] = {"ppo.max_grad_norm=0.01", "ppo.max_grad_norm=inf"};
  for (int k = 0; k < 2; k++) {
    START(&run, set[k]);
    rl_train_ppo_iterate(&run, &stats);
    for (int which = 0; which < 2; which++) {
      double norm = run.ppo.net[which].grad_norm;
      assert_true(norm > 0.02);
      assert_near(applied_norm(which), k == 0 ? 0.01 : norm, 1e-5);
    }
    rl_run_free(&run);
  }
}

// networks apart: the critic's loss, however weighted, moves no parameter of the actor, unless both
// are clipped by their common norm
static void test_separate_networks(void **state) {
  (void)state;
  static RlReal param[2][20000];
  for (int joint = 0; joint < 2; joint++) {
    for (int k = 0; k < 2; k++) {
      START(&run, "ppo.max_grad_norm=0.01", k ? "ppo.vf_coef=5" : "ppo.vf_coef=0.25",
            joint ? "ppo.grad_norm=joint" : "ppo.grad_norm=per_network", "ppo.n_epochs=4",
            "ppo.recompute_advantage=false");
      rl_train_ppo_iterate(&run, &stats);
      memcpy(param[k], run.policy.actor.mlp.param,
             (size_t)run.policy.actor.mlp.nparam * sizeof(RlReal));
      rl_run_free(&run);
    }
    assert_int_equal(memcmp(param[0], param[1], sizeof param[0]) != 0, joint);
  }
}

// largest relative gap between the actor's first step and lr g / (|g| + 1e-5), epsilon outside the
// root; inside it the step would be lr g / sqrt(g^2 + epsilon)
static double step_gap(const char *set, bool inside) {
  static RlReal before[20000];
  START(&run, "ppo.max_grad_norm=1e-4", "ppo.learning_rate=0.01", set);
  const RlMlp *mlp = &run.policy.actor.mlp;
  memcpy(before, mlp->param, (size_t)mlp->nparam * sizeof(RlReal));
  rl_train_ppo_iterate(&run, &stats);
  double worst = 0;
  for (int i = 0; i < mlp->nparam; i++) {
    double g = 10 * (double)run.ppo.net[0].adam.m[i];
    double want = 0.01 * g / (inside ? sqrt(g * g + 1e-5) : fabs(g) + 1e-5);
    double step = (double)before[i] - (double)mlp->param[i];
    worst = fmax(worst, fabs(step - want) / 0.01);
  }
  rl_run_free(&run);
  return worst;
}

static void test_adam_epsilon(void **state) {
  (void)state;
  assert_true(step_gap("ppo.adam_epsilon=1e-5", false) < 1e-4);
  assert_true(step_gap("ppo.adam_epsilon=1e-5", true) > 0.1);
  assert_true(step_gap("ppo.adam_epsilon=1e-8", false) > 0.1);
}

// ---------------------------------------------------------------- what ends an update

// the minibatch past 1.5 target_kl ends the update and is not applied
static void test_target_kl(void **state) {
  (void)state;
  START(&run, "ppo.n_epochs=30", "ppo.learning_rate=0.003", "ppo.target_kl=0.02");
  rl_train_ppo_iterate(&run, &stats);
  int applied = stats.updates;
  assert_true(applied > 1 && applied < 30);
  assert_int_equal(run.ppo.net[0].adam.step, applied);
  assert_int_equal(run.ppo.net[1].adam.step, applied);
  static RlReal stopped[20000];
  memcpy(stopped, run.policy.actor.mlp.param, (size_t)run.policy.actor.mlp.nparam * sizeof(RlReal));
  rl_run_free(&run);
  // the same as a run that was told to stop there, and the next one would have passed the limit
  char epochs[32];
  snprintf(epochs, sizeof epochs, "ppo.n_epochs=%d", applied);
  START(&run, epochs, "ppo.learning_rate=0.003");
  rl_train_ppo_iterate(&run, &stats);
  assert_int_equal(stats.updates, applied);
  assert_memory_equal(stopped, run.policy.actor.mlp.param,
                      (size_t)run.policy.actor.mlp.nparam * sizeof(RlReal));
  rl_run_free(&run);
  double sum = stats.approx_kl * applied;
  snprintf(epochs, sizeof epochs, "ppo.n_epochs=%d", applied + 1);
  START(&run, epochs, "ppo.learning_rate=0.003");
  rl_train_ppo_iterate(&run, &stats);
  assert_int_equal(stats.updates, applied + 1);
  assert_true(stats.approx_kl * (applied + 1) - sum > 1.5 * 0.02);
  rl_run_free(&run);
  START(&run, "ppo.n_epochs=30", "ppo.learning_rate=0.003", "ppo.target_kl=0");
  rl_train_ppo_iterate(&run, &stats);
  assert_int_equal(stats.updates, 30);
  rl_run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_ratio_starts_at_one),
      SCRATCH_TEST(test_first_minibatch_measures_nothing),
      SCRATCH_TEST(test_clipped_surrogate),
      SCRATCH_TEST(test_joint_ratio),
      SCRATCH_TEST(test_approx_kl),
      SCRATCH_TEST(test_kl_penalty),
      SCRATCH_TEST(test_value_clip),
      SCRATCH_TEST(test_entropy_bonus),
      SCRATCH_TEST(test_advantage_normalisation),
      SCRATCH_TEST(test_ragged_minibatch),
      SCRATCH_TEST(test_minibatches),
      SCRATCH_TEST(test_shuffle),
      SCRATCH_TEST(test_recompute_advantage),
      SCRATCH_TEST(test_gradient_clip),
      SCRATCH_TEST(test_separate_networks),
      SCRATCH_TEST(test_adam_epsilon),
      SCRATCH_TEST(test_target_kl),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
