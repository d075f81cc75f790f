// Which rows PPO's update uses, in what order and on which threads, and what is done to their
// advantages.
#include <stdlib.h>

#include "tests/unit/rl/ppo_bench.h"

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
  // and a second epoch's is not that of the first
  make(&b, "[ppo]\nbatch_size = 16\nn_epochs = 2\n", 40, 3, 1, true);
  update(&b);
  assert_memory_not_equal(first, b.ppo.order, (size_t)n * sizeof(int));
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
    assert_true(abs(first[i] - TIMES / ROWS) <= 5 * sqrt((double)TIMES / ROWS));
    assert_true(abs(last[i] - TIMES / ROWS) <= 5 * sqrt((double)TIMES / ROWS));
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

// two rows as far apart as the epsilon is large: half of what they would be without it
static void test_advantage_epsilon(void **state) {
  (void)state;
  Bench b;
  make(&b, "[ppo]\nbatch_size = 2\nn_epochs = 1\nnormalize_advantage = minibatch\n", 2, 1, 1,
       false);
  for (int i = 0; i < 2; i++) {
    b.rollout.terminated[i] = 1;
    b.rollout.value[i] = 0;
    b.rollout.rew[i] = (RlReal)((i ? 1 : -1) * 1e-8 / sqrt(2));
  }
  update(&b);
  for (int i = 0; i < 2; i++) assert_near(fabs((double)b.ppo.adv[i]), sqrt(0.5) / 2, 1e-6);
  drop(&b);
}

// the estimate is near what is taken, at sizes at which padding is nothing
static void test_bytes(void **state) {
  (void)state;
  static const char *const ini[] = {"[policy]\nhidden = 256,256\n",
                                    "[policy]\nhidden = 256,256\n[ppo]\nbatch_size = 5000\n",
                                    "[policy]\nhidden = 400\nhidden_actor = 30,20\n"};
  for (int k = 0; k < 3; k++) {
    RlConfig config;
    RlArena arena = {0};
    RlActor actor;
    RlMlp critic;
    static RlPpo ppo;
    rl_config_default(&config);
    assert_int_equal(rl_config_parse(&config, ini[k], strlen(ini[k]), "test"), RL_OK);
    rl_actor_init(&actor, &arena, &config, O, A, 1);
    rl_mlp_init(&critic, &arena, O, &config.policy.hidden_critic, 1, RL_ACTIVATION_TANH, 0);
    rl_ppo_init(&ppo, &arena, NULL, &config, &actor, &critic, 10000);
    double bytes = rl_ppo_bytes(&config, O, A, 10000);
    print_message("%g of %g\n", bytes, (double)arena.used);
    assert_true(bytes > 0.9 * (double)arena.used && bytes < 1.15 * (double)arena.used);
    rl_arena_free(&arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shuffle),           cmocka_unit_test(test_shuffle_is_fair),
      cmocka_unit_test(test_lost_rows),         cmocka_unit_test(test_threads),
      cmocka_unit_test(test_advantage_batch),   cmocka_unit_test(test_advantage_one_row),
      cmocka_unit_test(test_advantage_epsilon), cmocka_unit_test(test_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
