// Advantages and returns against their definitions as sums over a piece, closed forms, and masks
// with NaN behind them.
#include "rl/data/gae.h"
#include "tests/unit/rl/near.h"

enum { MAX = 512 };

typedef struct {
  int T, N;
  RlReal rew[MAX], value[MAX], next_value[MAX], adv[MAX], ret[MAX];
  float raw[MAX];
  uint8_t terminated[MAX], truncated[MAX], lost[MAX];
  double raw_ret[MAX];
} Batch;

static void draw(Batch *b, int T, int N, double share, uint64_t seed) {
  RlRng rng;
  rl_rng_init(&rng, seed, RL_STREAM_ENV, 0);
  b->T = T;
  b->N = N;
  draw_reals(b->rew, T * N, -1, 1, &rng);
  draw_reals(b->value, T * N, -1, 1, &rng);
  draw_reals(b->next_value, T * N, -1, 1, &rng);
  draw_flags(b->terminated, T * N, share, &rng);
  draw_flags(b->truncated, T * N, share, &rng);
  draw_flags(b->lost, T * N, share / 2, &rng);
  for (int i = 0; i < T * N; i++) {
    b->raw[i] = (float)b->rew[i];
    // the step before a lost one is always cut
    if (b->lost[i] && i >= N && !b->lost[i - N]) b->truncated[i - N] = 1;
  }
}

static void gae(Batch *b, double gamma, double lambda) {
  rl_gae_compute(b->adv, b->ret, b->rew, b->value, b->next_value, b->terminated, b->truncated,
                 b->lost, b->T, b->N, gamma, lambda);
}

static bool ends(const Batch *b, int t, int i) {
  return b->terminated[i] || b->truncated[i] || t == b->T - 1;
}

// sum over the piece of (gamma lambda)^l delta_{t+l}
static double naive_advantage(const Batch *b, int t, int n, double gamma, double lambda) {
  double sum = 0, weight = 1;
  for (;; t++) {
    int i = t * b->N + n;
    double next = b->terminated[i] ? 0 : (double)b->next_value[i];
    sum += weight * ((double)b->rew[i] + gamma * next - (double)b->value[i]);
    if (ends(b, t, i)) return sum;
    weight *= gamma * lambda;
  }
}

static double naive_return(const Batch *b, int t, int n, double gamma, double scale) {
  double sum = 0, weight = 1;
  for (;; t++) {
    int i = t * b->N + n;
    sum += weight * (double)b->raw[i];
    weight *= gamma;
    if (b->terminated[i]) return sum;
    if (ends(b, t, i)) return sum + weight * scale * (double)b->next_value[i];
  }
}

static void test_definition(void **state) {
  (void)state;
  static const int size[][2] = {{1, 1}, {1, 5}, {3, 1}, {5, 3}, {17, 5}, {30, 17}};
  static Batch b;
  for (size_t k = 0; k < sizeof size / sizeof *size; k++) {
    draw(&b, size[k][0], size[k][1], 0.2, k);
    gae(&b, 0.97, 0.9);
    rl_gae_returns(b.raw_ret, b.raw, b.next_value, b.terminated, b.truncated, b.lost, b.T, b.N,
                   0.97, 3.5);
    for (int i = 0; i < b.T * b.N; i++) {
      if (b.lost[i]) {
        assert_true(b.adv[i] == 0 && b.ret[i] == 0 && b.raw_ret[i] == 0);
        continue;
      }
      double adv = naive_advantage(&b, i / b.N, i % b.N, 0.97, 0.9);
      assert_near(b.adv[i], adv, 1e-6);
      assert_near(b.ret[i], adv + (double)b.value[i], 1e-6);
      assert_near(b.raw_ret[i], naive_return(&b, i / b.N, i % b.N, 0.97, 3.5), 1e-12);
    }
  }
}

// lambda 0: one-step errors; lambda 1: discounted return less the value
static void test_lambda_limits(void **state) {
  (void)state;
  static Batch b;
  draw(&b, 20, 3, 0.1, 5);
  memset(b.lost, 0, sizeof b.lost);
  // within a piece a step leads to the next one's state
  for (int i = 0; i + 3 < 60; i++) {
    if (!b.terminated[i] && !b.truncated[i]) b.next_value[i] = b.value[i + 3];
  }
  rl_gae_returns(b.raw_ret, b.raw, b.next_value, b.terminated, b.truncated, b.lost, 20, 3, 0.9, 1);
  gae(&b, 0.9, 1);
  for (int i = 0; i < 60; i++) assert_near(b.ret[i], b.raw_ret[i], 1e-6);
  gae(&b, 0.9, 0);
  for (int i = 0; i < 60; i++) {
    double next = b.terminated[i] ? 0 : (double)b.next_value[i];
    assert_near(b.ret[i], (double)b.rew[i] + 0.9 * next, 1e-6);
  }
}

// The value target of a constant reward of 1, iterated to its fixed point, when every k-th step
// ends the piece in the way given.
static double fixed_point(int k, bool terminated, double lambda) {
  static Batch b;
  memset(&b, 0, sizeof b);
  b.T = 3 * k;
  b.N = 2;
  double v = 0;
  for (int sweep = 0; sweep < 3000; sweep++) {
    double sum = 0;
    for (int i = 0; i < b.T * b.N; i++) {
      b.rew[i] = 1;
      b.value[i] = b.next_value[i] = (RlReal)v;
      (terminated ? b.terminated : b.truncated)[i] = (i / b.N + 1) % k == 0;
    }
    gae(&b, 0.99, lambda);
    for (int i = 0; i < b.T * b.N; i++) sum += (double)b.ret[i];
    v = sum / (b.T * b.N);
  }
  return v;
}

static void test_infinite_horizon(void **state) {
  (void)state;
  for (int k = 1; k <= 50; k += 7) {
    assert_near(fixed_point(k, false, 0.95), 100, 2e-3);
    // an ending without bootstrap keeps the target below the length of a piece
    assert_true(fixed_point(k, true, 0.95) <= k);
  }
  assert_near(fixed_point(10, false, 0), 100, 2e-3);
  assert_near(fixed_point(10, false, 1), 100, 2e-3);
}

// what a mask hides may be anything
static void test_nothing_leaks(void **state) {
  (void)state;
  static Batch b, c;
  draw(&b, 25, 4, 0.15, 9);
  c = b;
  for (int i = 0; i < 100; i++) {
    if (c.terminated[i]) c.next_value[i] = NAN;
    if (!c.lost[i]) continue;
    c.rew[i] = c.value[i] = c.next_value[i] = NAN;
    c.raw[i] = NAN;
    c.terminated[i] = i % 2 == 0;
    c.truncated[i] = i % 3 == 0;
  }
  gae(&b, 0.99, 0.95);
  gae(&c, 0.99, 0.95);
  assert_memory_equal(b.adv, c.adv, sizeof b.adv);
  assert_memory_equal(b.ret, c.ret, sizeof b.ret);
  rl_gae_returns(b.raw_ret, b.raw, b.next_value, b.terminated, b.truncated, b.lost, 25, 4, 0.99, 2);
  rl_gae_returns(c.raw_ret, c.raw, c.next_value, c.terminated, c.truncated, c.lost, 25, 4, 0.99, 2);
  assert_memory_equal(b.raw_ret, c.raw_ret, sizeof b.raw_ret);
}

// a lost step cuts the chain of the step before it, whatever that one is marked
static void test_lost_cuts(void **state) {
  (void)state;
  static Batch b;
  memset(&b, 0, sizeof b);
  b.T = 3;
  b.N = 1;
  for (int i = 0; i < 3; i++) b.rew[i] = b.raw[i] = 1;
  b.next_value[0] = 8;
  b.next_value[2] = 100;
  b.lost[1] = 1;
  gae(&b, 0.5, 1);
  assert_near(b.adv[0], 5, 0);
  assert_near(b.adv[2], 51, 0);
  rl_gae_returns(b.raw_ret, b.raw, b.next_value, b.terminated, b.truncated, b.lost, 3, 1, 0.5, 1);
  assert_near(b.raw_ret[0], 1, 0);
  assert_near(b.raw_ret[2], 51, 0);
}

// truncated as well as terminated: the task's end wins
static void test_terminated_wins(void **state) {
  (void)state;
  static Batch b;
  memset(&b, 0, sizeof b);
  b.T = 2;
  b.N = 1;
  b.rew[0] = b.rew[1] = 1;
  b.raw[0] = b.raw[1] = 1;
  b.next_value[0] = b.next_value[1] = 50;
  b.terminated[0] = b.truncated[0] = 1;
  gae(&b, 0.5, 1);
  assert_near(b.adv[0], 1, 0);
  assert_near(b.adv[1], 26, 0);
  rl_gae_returns(b.raw_ret, b.raw, b.next_value, b.terminated, b.truncated, b.lost, 2, 1, 0.5, 4);
  assert_near(b.raw_ret[0], 1, 0);
  assert_near(b.raw_ret[1], 1 + 0.5 * 4 * 50, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_definition),       cmocka_unit_test(test_lambda_limits),
      cmocka_unit_test(test_infinite_horizon), cmocka_unit_test(test_nothing_leaks),
      cmocka_unit_test(test_terminated_wins),  cmocka_unit_test(test_lost_cuts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
