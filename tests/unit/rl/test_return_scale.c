// Reward scaling against plain lists of returns and two-pass deviations.
#include "rl/data/return_scale.h"
#include "tests/unit/rl/near.h"

enum { N = 4, T = 50, ROWS = N * T, BATCHES = 4 };

static RlArena arena;
static float rew[BATCHES][ROWS];
static double ret[BATCHES][ROWS];
static uint8_t lost[BATCHES][ROWS], ended[BATCHES][ROWS];

static int setup(void **state) {
  (void)state;
  RlRng rng;
  rl_rng_init(&rng, 8, RL_STREAM_ENV, 0);
  for (int k = 0; k < BATCHES; k++) {
    draw_floats(rew[k], ROWS, -2, 5, &rng);
    draw_flags(lost[k], ROWS, 0.05, &rng);
    draw_flags(ended[k], ROWS, 0.1, &rng);
    // each batch with a mean and a spread of its own
    for (int i = 0; i < ROWS; i++) ret[k][i] = 10 * k + (k + 1) * rl_rng_normal(&rng);
  }
  return 0;
}

static int teardown(void **state) {
  (void)state;
  rl_arena_free(&arena);
  return 0;
}

static void make(RlReturnScale *scale, int mode, double clip) {
  RlNormalizeOptions options = {.reward = mode, .clip_reward = clip};
  memset(scale, 0, sizeof *scale);
  rl_return_scale_init(scale, &arena, N, &options, 0.9);
}

// a list of returns and its deviation in two passes
typedef struct {
  int n;
  double x[BATCHES * ROWS];
} List;

static double deviation(const List *list) {
  double sum = 0, square = 0;
  for (int i = 0; i < list->n; i++) sum += list->x[i];
  double mean = sum / list->n;
  for (int i = 0; i < list->n; i++) square += (list->x[i] - mean) * (list->x[i] - mean);
  return sqrt(square / list->n + 1e-8);
}

static void append(List *list, int k) {
  for (int i = 0; i < ROWS; i++) {
    if (!lost[k][i]) list->x[list->n++] = ret[k][i];
  }
}

// batch k is divided by the deviation of the batches before it, the first by its own
static void test_batch(void **state) {
  (void)state;
  RlReturnScale scale;
  static List list;
  RlReal out[ROWS];
  make(&scale, RL_REWARD_BATCH, 1e9);
  assert_near(rl_return_scale_deviation(&scale), 1, 0);
  for (int k = 0; k < BATCHES; k++) {
    if (k == 0) append(&list, 0);
    double sigma = deviation(&list);
    if (k == 0) list.n = 0;
    for (int again = 0; again < 2; again++) {
      // scaling twice changes nothing: the moments move at the merge alone
      rl_return_scale_forward(&scale, out, rew[k], ret[k], lost[k], ROWS);
      for (int i = 0; i < ROWS; i++) assert_near(out[i], (double)rew[k][i] / sigma, 1e-6);
    }
    rl_return_scale_merge(&scale, ret[k], lost[k], ROWS);
    append(&list, k);
    assert_near(scale.moments.count, list.n, 0);
    assert_near(rl_return_scale_deviation(&scale), deviation(&list), 1e-12);
  }
}

// lost rows may hold anything
static void test_batch_lost(void **state) {
  (void)state;
  RlReturnScale a, b;
  RlReal out_a[ROWS], out_b[ROWS];
  static double marred[ROWS];
  make(&a, RL_REWARD_BATCH, 10);
  make(&b, RL_REWARD_BATCH, 10);
  for (int i = 0; i < ROWS; i++) marred[i] = lost[0][i] ? NAN : ret[0][i];
  rl_return_scale_forward(&a, out_a, rew[0], ret[0], lost[0], ROWS);
  rl_return_scale_forward(&b, out_b, rew[0], marred, lost[0], ROWS);
  rl_return_scale_merge(&b, marred, lost[0], ROWS);
  assert_memory_equal(out_a, out_b, sizeof out_a);
  assert_true(isfinite(rl_return_scale_deviation(&b)));
}

// the scaled reward is clipped, and the mean is never subtracted
static void test_clip(void **state) {
  (void)state;
  RlReturnScale scale;
  RlReal out[ROWS];
  make(&scale, RL_REWARD_BATCH, 1.5);
  rl_return_scale_forward(&scale, out, rew[0], ret[0], lost[0], ROWS);
  int clipped = 0;
  double sigma = (double)rew[0][0] / (double)out[0];
  for (int i = 0; i < ROWS; i++) {
    clipped += fabs((double)rew[0][i]) / sigma > 1.5;
    assert_near(out[i], fmax(fmin((double)rew[0][i] / sigma, 1.5), -1.5), 1e-5);
  }
  assert_true(clipped > 5 && clipped < ROWS - 5);
}

// as SB3's VecNormalize: a discounted sum an environment, its deviation at once, cleared at an end
static void test_running(void **state) {
  (void)state;
  RlReturnScale scale;
  static List list;
  double sum[N] = {0};
  RlReal out[N];
  make(&scale, RL_REWARD_RUNNING, 2);
  for (int t = 0; t < T; t++) {
    const float *r = rew[0] + t * N;
    const uint8_t *end = ended[0] + t * N, *gone = lost[0] + t * N;
    for (int n = 0; n < N; n++) {
      if (gone[n]) continue;
      sum[n] = 0.9 * sum[n] + (double)r[n];
      list.x[list.n++] = sum[n];
    }
    double sigma = deviation(&list);
    rl_return_scale_step(&scale, out, r, end, gone);
    for (int n = 0; n < N; n++) {
      assert_near(out[n], fmax(fmin((double)r[n] / sigma, 2), -2), 1e-6);
      if (end[n] || gone[n]) sum[n] = 0;
      assert_near(scale.running[n], sum[n], 1e-12);
    }
  }
  assert_near(scale.moments.count, list.n, 0);
}

// each mode leaves the other's calls alone
static void test_modes(void **state) {
  (void)state;
  RlReturnScale scale;
  RlReal out[ROWS];
  for (int mode = RL_REWARD_OFF; mode <= RL_REWARD_BATCH; mode++) {
    make(&scale, mode, 0.5);
    rl_return_scale_step(&scale, out, rew[0], ended[0], lost[0]);
    for (int n = 0; n < N; n++) assert_true(out[n] == (RlReal)rew[0][n]);
    assert_near(scale.moments.count, 0, 0);
  }
  static const int others[] = {RL_REWARD_OFF, RL_REWARD_RUNNING};
  for (int k = 0; k < 2; k++) {
    make(&scale, others[k], 0.5);
    for (int i = 0; i < ROWS; i++) out[i] = 42;
    rl_return_scale_forward(&scale, out, rew[0], ret[0], lost[0], ROWS);
    rl_return_scale_merge(&scale, ret[0], lost[0], ROWS);
    for (int i = 0; i < ROWS; i++) assert_true(out[i] == 42);
    assert_near(scale.moments.count, 0, 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_batch), cmocka_unit_test(test_batch_lost),
      cmocka_unit_test(test_clip),  cmocka_unit_test(test_running),
      cmocka_unit_test(test_modes),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
