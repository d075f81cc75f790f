// Details between the task's rewards and the advantages: the return scale, its clip, and the two
// masks of generalised advantage estimation.
#include "tests/unit/rl/detail.h"

static RlRun run;

enum { MAX_ROWS = 4096 };

// deviation of a list of returns in two passes
static double deviation(const double *x, int n) {
  double sum = 0, square = 0;
  for (int i = 0; i < n; i++) sum += x[i];
  for (int i = 0; i < n; i++) square += (x[i] - sum / n) * (x[i] - sum / n);
  return sqrt(square / n + 1e-8);
}

// raw rewards over scaled ones if that is one number for the whole rollout, else 0
static double common_scale(const RlRollout *r) {
  int n = r->T * r->N;
  double raw = 0, scaled = 0;
  for (int i = 0; i < n; i++) {
    raw += (double)r->raw_rew[i];
    scaled += (double)r->rew[i];
  }
  double sigma = raw / scaled;
  for (int i = 0; i < n; i++) {
    double gap = (double)r->rew[i] * sigma - (double)r->raw_rew[i];
    if (!(fabs(gap) <= 1e-4 * fabs((double)r->raw_rew[i]))) return 0;
  }
  return sigma;
}

// Discounted returns by their definition: 0 behind a termination, sigma V behind any other end.
static void naive_returns(const RlRollout *r, double *ret, double sigma, double gamma) {
  for (int i = 0; i < r->T * r->N; i++) {
    double sum = 0, weight = 1;
    for (int j = i;; j += r->N) {
      sum += weight * (double)r->raw_rew[j];
      weight *= gamma;
      if (r->terminated[j]) break;
      bool end = r->truncated[j] || j + r->N >= r->T * r->N;
      if (end) sum += weight * sigma * (double)r->next_value[j];
      if (end) break;
    }
    ret[i] = sum;
  }
}

// Whether each batch is divided by the deviation of the returns of all batches before it, the first
// by its own.
static bool lags_one_batch(const char *set) {
  static double ret[4 * MAX_ROWS], own[MAX_ROWS];
  START(&run, "normalize.clip_reward=inf", "ppo.recompute_advantage=false", set);
  RlPpoStats stats;
  bool lags = true;
  int n = detail_rows(&run), all = 0;
  double sigma = 1;
  for (int k = 0; k < 4; k++) {
    rl_train_ppo_iterate(&run, &stats);
    n = detail_rows(&run);
    naive_returns(&run.rollout, own, sigma, 0.99);
    double want = k == 0 ? deviation(own, n) : sigma;
    lags &= fabs(common_scale(&run.rollout) / want - 1) < 1e-4;
    memcpy(ret + all, own, (size_t)n * sizeof(double));
    all += n;
    sigma = deviation(ret, all);
  }
  rl_run_free(&run);
  return lags;
}

static void test_return_scale(void **state) {
  (void)state;
  assert_true(lags_one_batch("normalize.reward=batch"));
  assert_false(lags_one_batch("normalize.reward=off"));
  assert_false(lags_one_batch("normalize.reward=running"));
}

// a falling pendulum's pieces: 0 behind a fall, and the returns' spread knows it
static void test_return_scale_pieces(void **state) {
  (void)state;
  static double ret[MAX_ROWS];
  for (int on = 1; on >= 0; on--) {
    START(&run, "env.id=InvertedPendulum-v5", "ppo.n_steps=200", "env.max_episode_steps=5",
          "policy.log_std_init=1", on ? "normalize.reward=batch" : "normalize.reward=off");
    RlPpoStats stats;
    rl_train_ppo_iterate(&run, &stats);
    int n = detail_rows(&run), ended[2] = {0};
    for (int i = 0; i < n; i++) {
      ended[0] += run.rollout.terminated[i];
      ended[1] += run.rollout.truncated[i];
    }
    assert_true(ended[0] > 3 && ended[1] > 3);
    naive_returns(&run.rollout, ret, 1, 0.99);
    double sigma = rl_return_scale_deviation(&run.policy.scale);
    if (on) assert_near(sigma, deviation(ret, n), 1e-6);
    if (!on) assert_near(sigma, 1, 0);
    rl_run_free(&run);
  }
}

// SB3's VecNormalize by its definition, over the rollout's own rewards
static bool follows_running(const char *set) {
  static double seen[MAX_ROWS];
  START(&run, "ppo.n_steps=60", set);
  RlPpoStats stats;
  rl_train_ppo_iterate(&run, &stats);
  const RlRollout *r = &run.rollout;
  double sum[4] = {0};
  int n = 0;
  bool same = true;
  for (int t = 0; t < r->T; t++) {
    for (int e = 0; e < 4; e++) seen[n++] = sum[e] = 0.99 * sum[e] + (double)r->raw_rew[t * 4 + e];
    double sigma = deviation(seen, n);
    for (int e = 0; e < 4; e++) {
      double want = fmax(fmin((double)r->raw_rew[t * 4 + e] / sigma, 10), -10);
      same &= fabs((double)r->rew[t * 4 + e] - want) < 1e-4 * fmax(1, fabs(want));
      if (r->truncated[t * 4 + e]) sum[e] = 0;
    }
  }
  assert_int_equal(r->nfinal, 4);
  rl_run_free(&run);
  return same;
}

static void test_return_scale_running(void **state) {
  (void)state;
  assert_true(follows_running("normalize.reward=running"));
  assert_false(follows_running("normalize.reward=batch"));
}

static void test_reward_clip(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START(&run, on ? "normalize.clip_reward=0.05" : "normalize.clip_reward=inf");
    RlPpoStats stats;
    rl_train_ppo_iterate(&run, &stats);
    int at = 0, past = 0;
    for (int i = 0; i < detail_rows(&run); i++) {
      double size = fabs((double)run.rollout.rew[i]);
      at += fabs(size - 0.05) < 1e-7;
      past += size > 0.0501;
    }
    assert_true(on ? at > 10 && past == 0 : at == 0 && past > 10);
    // the reward is clipped, what V adds to it is not
    rl_run_free(&run);
  }
}

// largest gap between the rollout's advantages and the definition's sums with lambda .95
static double gae_gap(const char *set) {
  START(&run, "env.id=InvertedPendulum-v5", "ppo.n_steps=200", "env.max_episode_steps=5",
        "policy.log_std_init=1", "ppo.normalize_advantage=off", set);
  RlPpoStats stats;
  rl_train_ppo_iterate(&run, &stats);
  const RlRollout *r = &run.rollout;
  double worst = 0;
  int ended[2] = {0};
  for (int i = 0; i < detail_rows(&run); i++) {
    double sum = 0, weight = 1;
    ended[0] += r->terminated[i];
    ended[1] += r->truncated[i];
    for (int j = i;; j += 4) {
      double next = r->terminated[j] ? 0 : (double)r->next_value[j];
      sum += weight * ((double)r->rew[j] + 0.99 * next - (double)r->value[j]);
      if (r->terminated[j] || r->truncated[j] || j + 4 >= detail_rows(&run)) break;
      weight *= 0.99 * 0.95;
    }
    worst = fmax(worst, fabs(sum - (double)r->adv[i]));
    assert_near(r->ret[i], (double)r->adv[i] + (double)r->value[i], 1e-5);
  }
  assert_true(ended[0] > 3 && ended[1] > 3);
  rl_run_free(&run);
  return worst;
}

static void test_gae(void **state) {
  (void)state;
  assert_true(gae_gap("ppo.gae_lambda=0.95") < 1e-5);
  assert_true(gae_gap("ppo.gae_lambda=1") > 1e-2);
  assert_true(gae_gap("ppo.gae_lambda=0") > 1e-2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_return_scale),
      SCRATCH_TEST(test_return_scale_pieces),
      SCRATCH_TEST(test_return_scale_running),
      SCRATCH_TEST(test_reward_clip),
      SCRATCH_TEST(test_gae),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
