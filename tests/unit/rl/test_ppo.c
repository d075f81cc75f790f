// PPO's update on made-up rollouts: values, minibatches, gradients, clipping and the statistics,
// each against a plain computation that runs all rows at once.
#include "rl/algo/ppo.h"

#include <stdlib.h>

#include "tests/unit/rl/near.h"

enum { O = 4, A = 2 };

typedef struct {
  RlArena arena;
  RlPool *pool;
  RlConfig config;
  RlActor actor;
  RlMlp critic;
  RlPpo ppo;
  RlRollout rollout;
  RlPpoStats stats;
} Bench;

// Observations, actions as the actor would take them, and rewards; every 7th row ends its episode,
// every 11th reaches the time limit, every 13th is lost.
static void fill(Bench *b, bool marks) {
  RlRollout *r = &b->rollout;
  int rows = r->T * r->N;
  RlRng rng;
  RlGaussian g;
  rl_rng_init(&rng, 21, RL_STREAM_ACT, 0);
  rl_actor_gaussian(&b->actor, &g);
  draw_reals(r->obs, rows * O, -2, 2, &rng);
  draw_reals(r->last_obs, r->N * O, -2, 2, &rng);
  draw_reals(r->rew, rows, -1, 1, &rng);
  for (int i = 0; i < rows; i++) {
    memcpy(r->mean + i * A, rl_actor_mean(&b->actor, r->obs + i * O, 1), A * sizeof(RlReal));
    rl_gaussian_sample(&g, r->act + i * A, r->mean + i * A, &rng);
    r->logp[i] = rl_gaussian_log_prob(&g, NULL, r->act + i * A, r->mean + i * A);
    r->terminated[i] = marks && i % 7 == 3;
    r->lost[i] = marks && i % 13 == 5;
    r->truncated[i] = marks && i % 11 == 2 && !r->lost[i] && !r->terminated[i];
    if (!r->truncated[i]) continue;
    r->final_row[r->nfinal] = i;
    draw_reals(r->final_obs + r->nfinal++ * O, O, -2, 2, &rng);
  }
}

static void make(Bench *b, const char *ini, int T, int N, int threads, bool marks) {
  memset(b, 0, sizeof *b);
  rl_config_default(&b->config);
  assert_int_equal(rl_config_parse(&b->config, ini, strlen(ini), "test"), RL_OK);
  b->pool = rl_pool_init(threads);
  assert_non_null(b->pool);
  const RlPolicyOptions *o = &b->config.policy;
  RlRng rng;
  rl_rng_init(&rng, 1, RL_STREAM_INIT, 0);
  rl_actor_init(&b->actor, &b->arena, &b->config, O, A, T * N);
  rl_actor_draw(&b->actor, o, &rng);
  rl_mlp_init(&b->critic, &b->arena, O, &o->hidden_critic, 1, o->activation, 0);
  rl_mlp_draw(&b->critic, o->init, 1, &rng);
  rl_ppo_init(&b->ppo, &b->arena, b->pool, &b->config, &b->actor, &b->critic, T * N);
  rl_rollout_init(&b->rollout, &b->arena, T, N, O, A, 5);
  rl_rollout_reset(&b->rollout, T);
  fill(b, marks);
  rl_ppo_schedule(&b->ppo, 0);
  rl_ppo_evaluate(&b->ppo, &b->rollout);
}

static void drop(Bench *b) {
  rl_pool_free(b->pool);
  rl_arena_free(&b->arena);
}

static void update(Bench *b) {
  rl_ppo_update(&b->ppo, &b->rollout, &b->stats);
}

static double value_of(Bench *b, const RlReal *obs) {
  RlArena arena = {0};
  RlMlpWork work;
  rl_mlp_work_init(&work, &arena, &b->critic, 1, 0);
  memcpy(work.y[0], obs, O * sizeof(RlReal));
  rl_mlp_forward(&b->critic, &work, 1);
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
  RlReal *act = RL_PUSH(&arena, RlReal, rows * A), *mean = RL_PUSH(&arena, RlReal, rows * A);
  RlReal *logp = RL_PUSH(&arena, RlReal, rows), *adv = RL_PUSH(&arena, RlReal, rows);
  RlReal *value = RL_PUSH(&arena, RlReal, rows), *ret = RL_PUSH(&arena, RlReal, rows);
  for (int k = 0; k < rows; k++) {
    int i = row[k];
    memcpy(actor.y[0] + k * O, r->obs + i * O, O * sizeof(RlReal));
    memcpy(act + k * A, r->act + i * A, A * sizeof(RlReal));
    memcpy(mean + k * A, r->mean + i * A, A * sizeof(RlReal));
    logp[k] = r->logp[i];
    adv[k] = r->adv[i];
    value[k] = r->value[i];
    ret[k] = r->ret[i];
  }
  memcpy(critic.y[0], actor.y[0], (size_t)(rows * O) * sizeof(RlReal));
  RlGaussian g;
  rl_actor_gaussian(&b->actor, &g);
  RlPpoSums sums = {0};
  RlPpoLoss loss = {&b->config.ppo, b->ppo.clip_range, (RlReal)(1.0 / b->config.ppo.batch_size), &g,
                    &g};
  memset(out, 0, sizeof *out);
  const RlMlp *mlp = &b->actor.mlp;
  rl_mlp_forward(mlp, &actor, rows);
  rl_ppo_loss_policy(&loss, actor.dy[mlp->L], out->grad[0] + (mlp->nparam - A), &sums, act,
                     actor.y[mlp->L], mean, logp, adv, rows);
  rl_mlp_backward(mlp, &actor, rows, out->grad[0], NULL);
  rl_mlp_forward(&b->critic, &critic, rows);
  rl_ppo_loss_value(&loss, critic.dy[b->critic.L], &sums, critic.y[b->critic.L], value, ret, rows);
  rl_mlp_backward(&b->critic, &critic, rows, out->grad[1], NULL);
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

// parameters do not move at this learning rate, so the last minibatch's gradient is that of the
// start
#define STILL "learning_rate = 1e-40\nlearning_rate_schedule = constant\n"

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
}

// ---------------------------------------------------------------- rows

static int ascending(const void *a, const void *b) {
  return *(const int *)a - *(const int *)b;
}

// every row that counts is used once an epoch, in an order that changes
static void test_shuffle(void **state) {
  (void)state;
  Bench b;
  make(&b, "[ppo]\nbatch_size = 16\nn_epochs = 1\n", 40, 3, 1, true);
  static int first[120], second[120];
  int n = 0;
  for (int i = 0; i < 120; i++) n += !b.rollout.lost[i];
  update(&b);
  assert_int_equal(b.stats.updates, (n + 15) / 16);
  memcpy(first, b.ppo.order, sizeof first);
  update(&b);
  memcpy(second, b.ppo.order, sizeof second);
  assert_memory_not_equal(first, second, (size_t)n * sizeof(int));
  qsort(second, (size_t)n, sizeof(int), ascending);
  int k = 0;
  for (int i = 0; i < 120; i++) {
    if (!b.rollout.lost[i]) assert_int_equal(second[k++], i);
  }
  assert_int_equal(k, n);
  drop(&b);
}

// Fisher-Yates is fair: every row comes to the first place equally often
static void test_shuffle_is_fair(void **state) {
  (void)state;
  enum { TIMES = 4000, ROWS = 8 };
  Bench b;
  make(&b, "[policy]\nhidden = none\n[ppo]\nbatch_size = 8\nn_epochs = 1\n" STILL, ROWS, 1, 1,
       false);
  int first[ROWS] = {0}, last[ROWS] = {0};
  for (int k = 0; k < TIMES; k++) {
    update(&b);
    first[b.ppo.order[0]]++;
    last[b.ppo.order[ROWS - 1]]++;
  }
  for (int i = 0; i < ROWS; i++) {
    assert_true(abs(first[i] - TIMES / ROWS) <= 5 * sqrt(TIMES / ROWS));
    assert_true(abs(last[i] - TIMES / ROWS) <= 5 * sqrt(TIMES / ROWS));
  }
  drop(&b);
}

// what a lost row holds besides its observation changes nothing
static void test_lost_rows(void **state) {
  (void)state;
  Bench a, b;
  static const char ini[] = "[ppo]\nbatch_size = 16\nn_epochs = 3\nnormalize_advantage = batch\n";
  make(&a, ini, 40, 3, 1, true);
  make(&b, ini, 40, 3, 1, true);
  for (int i = 0; i < 120; i++) {
    if (!b.rollout.lost[i]) continue;
    b.rollout.act[i * A] = b.rollout.mean[i * A] = b.rollout.logp[i] = b.rollout.rew[i] = NAN;
  }
  update(&a);
  update(&b);
  assert_int_equal(b.stats.skipped, 0);
  size_t size = (size_t)a.actor.mlp.nparam * sizeof(RlReal);
  assert_memory_equal(a.actor.mlp.param, b.actor.mlp.param, size);
  assert_memory_equal(a.critic.param, b.critic.param, (size_t)a.critic.nparam * sizeof(RlReal));
  drop(&a);
  drop(&b);
}

static void test_threads(void **state) {
  (void)state;
  Bench one, many;
  static const char ini[] = "[ppo]\nbatch_size = 300\nn_epochs = 4\ntarget_kl = 0\n";
  make(&one, ini, 400, 3, 1, true);
  update(&one);
  for (int threads = 2; threads <= 4; threads++) {
    make(&many, ini, 400, 3, threads, true);
    update(&many);
    size_t size = (size_t)one.actor.mlp.nparam * sizeof(RlReal);
    assert_memory_equal(one.actor.mlp.param, many.actor.mlp.param, size);
    size = (size_t)one.critic.nparam * sizeof(RlReal);
    assert_memory_equal(one.critic.param, many.critic.param, size);
    assert_true(one.stats.approx_kl == many.stats.approx_kl);
    drop(&many);
  }
  drop(&one);
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

// ---------------------------------------------------------------- advantages

static void moments(const RlReal *x, const uint8_t *lost, int n, double *mean, double *deviation) {
  double sum = 0, square = 0, count = 0;
  for (int i = 0; i < n; i++) {
    if (lost[i]) continue;
    sum += (double)x[i];
    count += 1;
  }
  *mean = sum / count;
  for (int i = 0; i < n; i++) {
    if (!lost[i]) square += ((double)x[i] - *mean) * ((double)x[i] - *mean);
  }
  *deviation = sqrt(square / (count - 1));
}

static void test_advantage_batch(void **state) {
  (void)state;
  Bench b;
  make(&b, "[ppo]\nbatch_size = 64\nn_epochs = 1\nnormalize_advantage = batch\n", 60, 3, 1, true);
  update(&b);
  double mean, deviation;
  moments(b.rollout.adv, b.rollout.lost, 180, &mean, &deviation);
  assert_near(mean, 0, 1e-6);
  assert_near(deviation, 1, 1e-6);
  drop(&b);
  make(&b, "[ppo]\nbatch_size = 64\nn_epochs = 1\nnormalize_advantage = off\n", 60, 3, 1, true);
  update(&b);
  moments(b.rollout.adv, b.rollout.lost, 180, &mean, &deviation);
  assert_true(fabs(deviation - 1) > 0.05);
  drop(&b);
}

// a single row keeps its advantage: it has no deviation
static void test_advantage_one_row(void **state) {
  (void)state;
  Bench b;
  make(&b, "[ppo]\nbatch_size = 1\nn_epochs = 1\nnormalize_advantage = minibatch\n", 1, 1, 1,
       false);
  update(&b);
  assert_near(b.ppo.adv[0], b.rollout.adv[0], 0);
  assert_true(fabs((double)b.ppo.adv[0]) > 1e-3);
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

static void check_skipped(const char *what, RlReal *where, Bench *b) {
  RlReal *before = malloc((size_t)b->actor.mlp.nparam * sizeof(RlReal));
  assert_non_null(before);
  size_t size = (size_t)b->actor.mlp.nparam * sizeof(RlReal);
  memcpy(before, b->actor.mlp.param, size);
  RlReal good = *where;
  *where = NAN;
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
  check_skipped("policy loss", &b.rollout.rew[7], &b);
  drop(&b);
  make(&b, ini, 32, 2, 1, false);
  check_skipped("actor gradient", &b.rollout.act[9], &b);
  drop(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_evaluate),
      cmocka_unit_test(test_schedule),
      cmocka_unit_test(test_blocks),
      cmocka_unit_test(test_gradient_clip),
      cmocka_unit_test(test_shuffle),
      cmocka_unit_test(test_shuffle_is_fair),
      cmocka_unit_test(test_lost_rows),
      cmocka_unit_test(test_threads),
      cmocka_unit_test(test_explained_variance),
      cmocka_unit_test(test_stats),
      cmocka_unit_test(test_advantage_batch),
      cmocka_unit_test(test_advantage_one_row),
      cmocka_unit_test(test_target_kl),
      cmocka_unit_test(test_not_finite),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
