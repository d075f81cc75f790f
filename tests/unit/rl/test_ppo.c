// PPO's update on made-up rollouts: values, gradients, clipping, the statistics and what stops it,
// each against a plain computation that runs all rows at once.
#include <stdlib.h>

#include "tests/unit/rl/ppo_bench.h"

static double value_of(Bench *b, const RlReal *obs) {
  RlArena arena = {0};
  RlMlpWork work;
  rl_mlp_work_init(&work, &arena, &b->critic, 1, 0);
  rl_mlp_forward(&b->critic, &work, obs, 1);
  double value = (double)work.y[b->critic.L][0];
  rl_arena_free(&arena);
  return value;
}

// ---------------------------------------------------------------- values and schedules

static void test_evaluate(void **state) {
  (void)state;
  Bench b;
  make(&b, "[ppo]\nbatch_size = 64\n", 450, 3, 2, true);
  const RlRollout *r = &b.rollout;
  assert_true(r->nfinal > 50);
  int f = 0;
  for (int i = 0; i < r->T * r->N; i++) {
    const RlReal *next = i + r->N < r->T * r->N ? r->obs + (i + r->N) * O
                                                : r->last_obs + (i + r->N - r->T * r->N) * O;
    if (r->truncated[i]) next = r->final_obs + f++ * O;
    assert_near(r->value[i], value_of(&b, r->obs + i * O), 0);
    assert_near(r->next_value[i], value_of(&b, next), 0);
  }
  drop(&b);
}

static void test_schedule(void **state) {
  (void)state;
  Bench b;
  make(&b,
       "[ppo]\nlearning_rate = 0.01\nlearning_rate_end = 0.2\nclip_range = 0.4\n"
       "learning_rate_schedule = linear\nclip_range_schedule = linear\n",
       4, 2, 1, false);
  for (int k = 0; k <= 4; k++) {
    rl_ppo_schedule(&b.ppo, k / 4.0);
    assert_near(b.ppo.learning_rate, 0.01 - 0.008 * k / 4, 1e-15);
    assert_near(b.ppo.clip_range, 0.4 * (1 - k / 4.0), 1e-15);
  }
  drop(&b);
  make(&b, "[ppo]\nlearning_rate = 0.01\nlearning_rate_schedule = constant\n", 4, 2, 1, false);
  rl_ppo_schedule(&b.ppo, 0.7);
  assert_near(b.ppo.learning_rate, 0.01, 0);
  assert_near(b.ppo.clip_range, 0.2, 0);
  drop(&b);
}

// ---------------------------------------------------------------- gradients

typedef struct {
  RlReal grad[2][20000];
  double norm[2];
} Gradient;

static void take_norm(Gradient *g, int which, int n) {
  double square = 0;
  for (int i = 0; i < n; i++) square += (double)g->grad[which][i] * (double)g->grad[which][i];
  g->norm[which] = sqrt(square);
}

// The gradient of rows listed in row as one block, with weight 1 / batch_size.
static void plain_gradient(Bench *b, Gradient *out, const int *row, int rows) {
  const RlRollout *r = &b->rollout;
  RlArena arena = {0};
  RlMlpWork actor, critic;
  rl_mlp_work_init(&actor, &arena, &b->actor.mlp, rows, 1);
  rl_mlp_work_init(&critic, &arena, &b->critic, rows, 1);
  RlReal *obs = RL_PUSH(&arena, RlReal, rows * O);
  RlReal *act = RL_PUSH(&arena, RlReal, rows * A), *mean = RL_PUSH(&arena, RlReal, rows * A);
  RlReal *logp = RL_PUSH(&arena, RlReal, rows), *adv = RL_PUSH(&arena, RlReal, rows);
  RlReal *value = RL_PUSH(&arena, RlReal, rows), *ret = RL_PUSH(&arena, RlReal, rows);
  for (int k = 0; k < rows; k++) {
    int i = row[k];
    memcpy(obs + k * O, r->obs + i * O, O * sizeof(RlReal));
    memcpy(act + k * A, r->act + i * A, A * sizeof(RlReal));
    memcpy(mean + k * A, r->mean + i * A, A * sizeof(RlReal));
    logp[k] = r->logp[i];
    adv[k] = r->adv[i];
    value[k] = r->value[i];
    ret[k] = r->ret[i];
  }
  RlGaussian g;
  rl_actor_gaussian(&b->actor, &g);
  RlPpoSums sums = {0};
  RlPpoLoss loss = {&b->config.ppo, b->ppo.clip_range, (RlReal)(1.0 / b->config.ppo.batch_size), &g,
                    &g};
  memset(out, 0, sizeof *out);
  const RlMlp *mlp = &b->actor.mlp;
  rl_mlp_forward(mlp, &actor, obs, rows);
  rl_ppo_loss_policy(&loss, actor.dy[mlp->L], out->grad[0] + (mlp->nparam - A), &sums, act,
                     actor.y[mlp->L], mean, logp, adv, rows);
  rl_mlp_backward(mlp, &actor, rows, out->grad[0]);
  rl_mlp_forward(&b->critic, &critic, obs, rows);
  rl_ppo_loss_value(&loss, critic.dy[b->critic.L], &sums, critic.y[b->critic.L], value, ret, rows);
  rl_mlp_backward(&b->critic, &critic, rows, out->grad[1]);
  take_norm(out, 0, mlp->nparam);
  take_norm(out, 1, b->critic.nparam);
  rl_arena_free(&arena);
}

static void check_gradient(const Bench *b, const Gradient *want) {
  for (int which = 0; which < 2; which++) {
    const RlPpoNet *net = &b->ppo.net[which];
    for (int i = 0; i < net->mlp->nparam; i++) {
      assert_near(net->grad[i], want->grad[which][i], 2e-6 * fmax(1, want->norm[which]));
    }
    assert_near(net->grad_norm, want->norm[which], 1e-5);
  }
}

// a minibatch in one block, in many, and a ragged one, which weighs no more than its rows
static void check_blocks(const char *ini, int T, int N, int start, int rows) {
  static Gradient want;
  Bench b;
  make(&b, ini, T, N, 2, false);
  update(&b);
  assert_int_equal(b.stats.updates,
                   (T * N + b.config.ppo.batch_size - 1) / b.config.ppo.batch_size);
  plain_gradient(&b, &want, b.ppo.order + start, rows);
  assert_true(want.norm[0] > 1e-3 && want.norm[1] > 1e-3);
  check_gradient(&b, &want);
  drop(&b);
}

#define PLAIN STILL "n_epochs = 1\nnormalize_advantage = off\nent_coef = 0.01\n"

static void test_blocks(void **state) {
  (void)state;
  check_blocks("[ppo]\nbatch_size = 64\n" PLAIN, 32, 2, 0, 64);
  check_blocks("[ppo]\nbatch_size = 1500\n" PLAIN, 500, 3, 0, 1500);
  check_blocks("[ppo]\nbatch_size = 64\n" PLAIN, 50, 2, 64, 36);
  check_blocks("[ppo]\nbatch_size = 130\n" PLAIN, 50, 3, 130, 20);
  check_blocks("[ppo]\nbatch_size = 3\n" PLAIN, 4, 1, 3, 1);
  // more minibatches than the networks go through side by side in one piece
  check_blocks("[ppo]\nbatch_size = 2\n" PLAIN, 2 * RL_PPO_SPAN + 21, 1, 2 * RL_PPO_SPAN + 20, 1);
}

// what products read instead of the weights follows each step
static void test_packed(void **state) {
  (void)state;
  static Gradient kept, fresh;
  Bench b;
  make(&b, "[ppo]\nbatch_size = 64\nn_epochs = 1\nlearning_rate = 0.01\n", 32, 2, 1, false);
  update(&b);
  plain_gradient(&b, &kept, b.ppo.order, 64);
  rl_mlp_pack(&b.actor.mlp);
  rl_mlp_pack(&b.critic);
  plain_gradient(&b, &fresh, b.ppo.order, 64);
  assert_memory_equal(kept.grad, fresh.grad, sizeof kept.grad);
  drop(&b);
}

// first moments of Adam tell the gradient that was applied: 0.1 times it after one step
static double applied_norm(const RlPpoNet *net) {
  double square = 0;
  for (int i = 0; i < net->adam.n; i++) square += (double)net->adam.m[i] * (double)net->adam.m[i];
  return 10 * sqrt(square);
}

static void test_gradient_clip(void **state) {
  (void)state;
  Bench b;
  make(&b, "[ppo]\nbatch_size = 64\nmax_grad_norm = inf\n" PLAIN, 32, 2, 1, false);
  update(&b);
  double actor = b.ppo.net[0].grad_norm, critic = b.ppo.net[1].grad_norm;
  assert_near(applied_norm(&b.ppo.net[0]), actor, 1e-5);
  assert_near(applied_norm(&b.ppo.net[1]), critic, 1e-5);
  drop(&b);
  make(&b, "[ppo]\nbatch_size = 64\nmax_grad_norm = 0.01\n" PLAIN, 32, 2, 1, false);
  update(&b);
  assert_near(applied_norm(&b.ppo.net[0]), 0.01, 1e-5);
  assert_near(applied_norm(&b.ppo.net[1]), 0.01, 1e-5);
  assert_near(b.ppo.net[0].grad_norm, actor, 1e-6);
  drop(&b);
  make(&b, "[ppo]\nbatch_size = 64\nmax_grad_norm = 0.01\ngrad_norm = joint\n" PLAIN, 32, 2, 1,
       false);
  update(&b);
  double both = hypot(actor, critic);
  assert_near(applied_norm(&b.ppo.net[0]) / 0.01, actor / both, 1e-3);
  assert_near(applied_norm(&b.ppo.net[1]) / 0.01, critic / both, 1e-3);
  drop(&b);
  // beside a gradient as small as the 1e-6 in the quotient that term shows
  make(&b, "[ppo]\nbatch_size = 64\nmax_grad_norm = 1e-7\nvf_coef = 1e-6\n" PLAIN, 32, 2, 1, false);
  update(&b);
  critic = b.ppo.net[1].grad_norm;
  assert_true(critic > 1e-7 && critic < 1e-5);
  assert_near(applied_norm(&b.ppo.net[1]) / 1e-7, critic / (critic + 1e-6), 1e-4);
  drop(&b);
}

// ---------------------------------------------------------------- statistics

static double variance(const double *x, int n) {
  double sum = 0, square = 0;
  for (int i = 0; i < n; i++) sum += x[i];
  for (int i = 0; i < n; i++) square += (x[i] - sum / n) * (x[i] - sum / n);
  return square / n;
}

static void test_explained_variance(void **state) {
  (void)state;
  Bench b;
  make(&b, "[ppo]\nbatch_size = 64\n" PLAIN, 60, 3, 1, true);
  update(&b);
  double ret[180], error[180];
  int n = 0;
  for (int i = 0; i < 180; i++) {
    if (b.rollout.lost[i]) continue;
    ret[n] = (double)b.rollout.ret[i];
    error[n] = ret[n] - (double)b.rollout.value[i];
    n++;
  }
  assert_near(b.stats.explained_variance, 1 - variance(error, n) / variance(ret, n), 1e-9);
  double first = b.stats.explained_variance;
  drop(&b);
  // what the critic says in later epochs does not count
  make(&b, "[ppo]\nn_epochs = 3\nlearning_rate = 0.01\nrecompute_advantage = true\n", 60, 3, 1,
       true);
  update(&b);
  assert_near(b.stats.explained_variance, first, 1e-9);
  drop(&b);
}

static void test_stats(void **state) {
  (void)state;
  Bench b;
  make(&b, "[policy]\nlog_std_init = -1\n[ppo]\nbatch_size = 64\n" PLAIN, 32, 2, 1, false);
  update(&b);
  double loss = 0, value_loss = 0;
  for (int i = 0; i < 64; i++) {
    loss -= (double)b.rollout.adv[i] / 64;
    value_loss += pow((double)b.rollout.value[i] - (double)b.rollout.ret[i], 2) / 64;
  }
  assert_near(b.stats.policy_gradient_loss, loss, 1e-6);
  assert_near(b.stats.value_loss, value_loss, 1e-6);
  assert_near(b.stats.entropy_loss, -A * (0.5 * (1.8378770664093453 + 1) - 1), 1e-6);
  assert_near(b.stats.std, exp(-1), 1e-6);
  assert_true(b.stats.approx_kl == 0 && b.stats.clip_fraction == 0);
  assert_int_equal(b.stats.epochs, 1);
  assert_int_equal(b.stats.updates, 1);
  assert_null(b.stats.bad);
  drop(&b);
}

// ---------------------------------------------------------------- what stops an update

static void test_target_kl(void **state) {
  (void)state;
  Bench b;
  static const char ini[] =
      "[ppo]\nbatch_size = 64\nn_epochs = 20\nlearning_rate = 0.02\ntarget_kl = 0.02\n";
  make(&b, ini, 64, 2, 1, false);
  update(&b);
  assert_true(b.stats.updates >= 1 && b.stats.updates < 40);
  assert_int_equal(b.ppo.net[0].adam.step, b.stats.updates);
  assert_int_equal(b.ppo.net[1].adam.step, b.stats.updates);
  assert_int_equal(b.stats.epochs, (b.stats.updates + 2) / 2);
  assert_true(b.stats.approx_kl <= 1.5 * 0.02);
  drop(&b);
}

static void check_skipped(const char *what, RlReal *where, double value, Bench *b) {
  RlReal *before = malloc((size_t)b->actor.mlp.nparam * sizeof(RlReal));
  assert_non_null(before);
  size_t size = (size_t)b->actor.mlp.nparam * sizeof(RlReal);
  memcpy(before, b->actor.mlp.param, size);
  RlReal good = *where;
  *where = (RlReal)value;
  for (int k = 1; k <= 3; k++) {
    update(b);
    assert_int_equal(b->stats.skipped, 1);
    assert_int_equal(b->stats.updates, 0);
    assert_int_equal(b->ppo.skipped_in_a_row, k);
    assert_non_null(b->stats.bad);
    assert_string_equal(b->stats.bad, what);
  }
  assert_memory_equal(before, b->actor.mlp.param, size);
  assert_int_equal(b->ppo.net[0].adam.step, 0);
  *where = good;
  update(b);
  assert_int_equal(b->ppo.skipped_in_a_row, 0);
  assert_int_equal(b->stats.updates, 1);
  free(before);
}

// a number that is not finite leaves every parameter as it was
static void test_not_finite(void **state) {
  (void)state;
  static const char ini[] = "[ppo]\nbatch_size = 64\nn_epochs = 1\nnormalize_advantage = off\n";
  Bench b;
  make(&b, ini, 32, 2, 1, false);
  check_skipped("policy loss", &b.rollout.rew[7], NAN, &b);
  drop(&b);
  make(&b, ini, 32, 2, 1, false);
  check_skipped("policy loss", &b.rollout.act[9], NAN, &b);
  drop(&b);
  // the ratio is 0 and its loss a number, the gradient by log sigma is none
  make(&b, ini, 32, 2, 1, false);
  check_skipped("actor gradient", &b.rollout.act[9], 1e30, &b);
  drop(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_evaluate),      cmocka_unit_test(test_schedule),
      cmocka_unit_test(test_blocks),        cmocka_unit_test(test_packed),
      cmocka_unit_test(test_gradient_clip), cmocka_unit_test(test_explained_variance),
      cmocka_unit_test(test_stats),         cmocka_unit_test(test_target_kl),
      cmocka_unit_test(test_not_finite),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
