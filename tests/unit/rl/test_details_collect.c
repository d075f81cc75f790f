// Details of acting and collecting: what is stored, what the environment gets, which moments
// normalise, and how pieces end.
#include "tests/unit/rl/detail.h"

static RlRun run;

// ---------------------------------------------------------------- actions

// mean square of the stored actions' distance from their means, in deviations
static double spread(const RlRollout *r, double sigma) {
  double square = 0;
  for (int i = 0; i < r->T * r->N * r->A; i++) {
    double z = ((double)r->act[i] - (double)r->mean[i]) / sigma;
    square += z * z / (r->T * r->N * r->A);
  }
  return square;
}

static int beyond(const RlReal *x, int n, double bound) {
  int count = 0;
  for (int i = 0; i < n; i++) count += fabs((double)x[i]) > bound;
  return count;
}

// the buffer holds the Gaussian's own samples, with their own densities
static void test_unclipped_action(void **state) {
  (void)state;
  START(&run, "policy.log_std_init=1");
  detail_collect(&run, NULL);
  const RlRollout *r = &run.rollout;
  assert_true(beyond(r->act, detail_rows(&run) * r->A, 1) > 50);
  assert_near(spread(r, exp(1)), 1, 0.3);
  rl_run_free(&run);
  START(&run, "policy.log_std_init=1", "ppo.store_clipped_action=true");
  detail_collect(&run, NULL);
  assert_int_equal(beyond(r->act, detail_rows(&run) * r->A, 1), 0);
  assert_true(spread(r, exp(1)) < 0.2);
  rl_run_free(&run);
}

// Pusher's actuators go from -2 to 2: an action of 5 is clipped to 1, then scaled to 2
static void test_action_clip_then_scale(void **state) {
  (void)state;
  float act[7] = {5, -5, 0.5f, 1, -1, 0, 1.5f};
  static const double want[7] = {2, -2, 1, 2, -2, 0, 2}, off[7] = {10, -10, 1, 2, -2, 0, 3};
  double ctrl[7];
  START(&run, "env.id=Pusher-v5", "env.n_envs=1", "ppo.batch_size=32");
  rl_vecenv_step(&run.env, act);
  detail_read_ctrl(&run.env, ctrl);
  for (int i = 0; i < 7; i++) assert_near(ctrl[i], want[i], 1e-12);
  rl_run_free(&run);
  START(&run, "env.id=Pusher-v5", "env.n_envs=1", "ppo.batch_size=32", "env.clip_action=false");
  rl_vecenv_step(&run.env, act);
  detail_read_ctrl(&run.env, ctrl);
  for (int i = 0; i < 7; i++) assert_near(ctrl[i], off[i], 1e-12);
  rl_run_free(&run);
}

// the clipped copy goes to the environment while the sample goes to the buffer: Reacher's control
// cost cannot pass 2, and without the clip it does
static void test_action_clip_while_collecting(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START(&run, "policy.log_std_init=1", on ? "env.clip_action=true" : "env.clip_action=false");
    detail_collect(&run, NULL);
    int below = 0;
    for (int i = 0; i < detail_rows(&run); i++) below += run.rollout.raw_rew[i] < -2.5f;
    assert_true(on ? below == 0 : below > 50);
    rl_run_free(&run);
  }
}

// ---------------------------------------------------------------- observations

static void test_observation_clip(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START(&run, on ? "normalize.clip_obs=0.5" : "normalize.clip_obs=inf");
    detail_collect(&run, NULL);
    const RlRollout *r = &run.rollout;
    int n = detail_rows(&run) * r->O, count = beyond(r->obs, n, 0.5), edge = 0;
    for (int i = 0; i < n; i++) edge += fabs((double)r->obs[i]) == 0.5;
    // the clip is in deviations, not in the task's units: it holds many, and not all
    if (on) assert_true(count == 0 && edge > n / 5 && edge < n);
    if (!on) assert_true(count > n / 5 && edge == 0);
    rl_run_free(&run);
  }
}

// largest factor by which a velocity's deviation over a first rollout is off 1
static double off_one(const char *first, const char *second) {
  START(&run, "ppo.n_steps=200", first, second);
  detail_collect(&run, NULL);
  double worst = 0;
  for (int i = 6; i < 8; i++) {
    double deviation = detail_deviation(run.rollout.obs + i, detail_rows(&run), 10);
    worst = fmax(worst, fabs(log(deviation)));
  }
  rl_run_free(&run);
  return exp(worst);
}

// moments of random play make the very first rollout's observations of order 1
static void test_warm_up(void **state) {
  (void)state;
  assert_true(off_one("normalize.warmup_steps=2000", "normalize.obs=true") < 1.6);
  assert_true(off_one("normalize.warmup_steps=0", "normalize.obs=true") > 2);
}

static void test_observation_normalisation(void **state) {
  (void)state;
  assert_true(off_one("normalize.obs=true", "normalize.warmup_steps=2000") < 1.6);
  assert_true(off_one("normalize.obs=false", "normalize.warmup_steps=2000") > 2);
}

static float shift_at_start[16], scale_at_start[16];
static int moved;

static void watch_moments(void *arg, int t) {
  const RlNormalizer *norm = &((RlRun *)arg)->policy.norm;
  (void)t;
  size_t size = (size_t)norm->O * sizeof(float);
  moved += memcmp(norm->shift, shift_at_start, size) != 0 ||
           memcmp(norm->scale, scale_at_start, size) != 0;
}

// the same moments from the first step to V of what followed the last, then merged at once
static void test_frozen_moments(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START(&run, on ? "normalize.freeze=true" : "normalize.freeze=false");
    const RlNormalizer *norm = &run.policy.norm;
    memcpy(shift_at_start, norm->shift, 10 * sizeof(float));
    memcpy(scale_at_start, norm->scale, 10 * sizeof(float));
    double count = norm->count;
    moved = 0;
    detail_collect(&run, watch_moments);
    watch_moments(&run, 0);
    assert_int_equal(moved, on ? 0 : run.rollout.T + 1);
    rl_run_free(&run);
    START(&run, on ? "normalize.freeze=true" : "normalize.freeze=false");
    RlPpoStats stats;
    rl_train_ppo_iterate(&run, &stats);
    assert_near(norm->count, count + detail_rows(&run), 0);
    assert_memory_not_equal(norm->shift, shift_at_start, 10 * sizeof(float));
    rl_run_free(&run);
  }
}

// V(batch end) and V(final) see the moments that the rollout's observations saw
static void test_frozen_moments_of_values(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START(&run, on ? "normalize.freeze=true" : "normalize.freeze=false", "env.n_envs=1",
          "ppo.batch_size=8", "ppo.n_steps=8");
    RlReal first[10];
    float raw[10];
    memcpy(raw, run.env.obs, sizeof raw);
    detail_collect(&run, NULL);
    rl_normalizer_forward(&run.policy.norm, first, raw, 1);
    // what the moments now make of the first observation is what the buffer holds
    bool same = memcmp(first, run.rollout.obs, sizeof first) == 0;
    assert_int_equal(same, on);
    rl_run_free(&run);
  }
}

// ---------------------------------------------------------------- ends

// One environment, a rollout that ends where its episode does: what follows is the episode's last
// observation, not the next one's first.
static void test_final_observation(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START(&run, "env.n_envs=1", "ppo.n_steps=50", "ppo.batch_size=50",
          on ? "ppo.final_observation=true" : "ppo.final_observation=false");
    detail_collect(&run, NULL);
    const RlRollout *r = &run.rollout;
    RlReal last, next;
    detail_value(&run, &last, run.env.next_obs, 1);
    detail_value(&run, &next, run.env.obs, 1);
    assert_true(r->truncated[49] && !r->terminated[49] && last != next);
    assert_true(r->next_value[49] == (on ? last : next));
    rl_run_free(&run);
  }
}

// Mean value target of a pendulum that never falls, reward 1, cut every third step, learnt. The
// clip hides the state, so that the critic is one number and cannot err on observations it never
// learnt.
static double learnt_target(const char *set) {
  START(&run, "env.id=InvertedPendulum-v5", "env.max_episode_steps=3", "env.frame_skip=1",
        "ppo.n_steps=24", "ppo.batch_size=48", "ppo.n_epochs=10", "ppo.gamma=0.9",
        "ppo.learning_rate=0.01", "ppo.learning_rate_schedule=constant", "normalize.reward=off",
        "normalize.clip_obs=1e-6", "policy.log_std_init=-2", set);
  RlPpoStats stats;
  for (int k = 0; k < 60; k++) rl_train_ppo_iterate(&run, &stats);
  double sum = 0;
  for (int i = 0; i < detail_rows(&run); i++) {
    assert_near(run.rollout.raw_rew[i], 1, 0);
    sum += (double)run.rollout.ret[i] / detail_rows(&run);
  }
  rl_run_free(&run);
  return sum;
}

// the target of an endless stream of ones is 1 / (1 - gamma) however often the clock cuts it
static void test_bootstrap_truncated(void **state) {
  (void)state;
  assert_near(learnt_target("ppo.bootstrap_truncated=true"), 10, 0.03);
  assert_true(learnt_target("ppo.bootstrap_truncated=false") < 2.75);
}

// sends environment 1 flying before step 6, so that step 6 diverges
static void break_physics(void *arg, int t) {
  RlRun *r = arg;
  if (t != 5) return;
  double *state = mjb_state(r->env.batch) + mjb_nstate(r->env.batch);
  state[1 + r->env.m->nq] = 1e12;
}

static void test_diverged_dropped(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START(&run, on ? "ppo.drop_diverged=true" : "ppo.drop_diverged=false");
    RlRollout *r = &run.rollout;
    detail_collect(&run, break_physics);
    assert_int_equal(run.env.ndiverged, 1);
    int row = 6 * 4 + 1, before = row - 4;
    assert_int_equal(r->lost[row], on);
    assert_int_equal(r->truncated[before], on);
    assert_int_equal(r->terminated[before], 0);
    assert_near(run.policy.norm.batch_count, detail_rows(&run) - on, 0);
    // the step before bootstraps from the observation that the lost step started from
    if (on) assert_true(r->next_value[before] == r->value[row]);
    RlPpoStats stats;
    rl_ppo_update(&run.ppo, r, &stats);
    int used = 0;
    for (int i = 0; i < detail_rows(&run) - on; i++) used += run.ppo.order[i] == row;
    assert_int_equal(used, !on);
    assert_int_equal(stats.skipped, 0);
    if (on) assert_true(r->adv[row] == 0 && r->ret[row] == 0);
    rl_run_free(&run);
  }
}

// environments go on from one rollout to the next; N of them step side by side
static void test_vectorised(void **state) {
  (void)state;
  for (int N = 4; N >= 1; N -= 3) {
    START(&run, N == 4 ? "env.n_envs=4" : "env.n_envs=1", "ppo.batch_size=32", "ppo.n_steps=32",
          "normalize.obs=false");
    RlPpoStats stats;
    rl_train_ppo_iterate(&run, &stats);
    assert_int_equal(run.counters.step, 32 * N);
    RlReal last[40];
    memcpy(last, run.rollout.last_obs, (size_t)N * 10 * sizeof(RlReal));
    rl_train_ppo_iterate(&run, &stats);
    assert_memory_equal(last, run.rollout.obs, (size_t)N * 10 * sizeof(RlReal));
    // the second rollout crosses the time limit of every environment
    assert_int_equal(run.rollout.nfinal, N);
    assert_int_equal(run.rollout.final_row[0], (50 - 32 - 1) * N);
    rl_run_free(&run);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_unclipped_action),
      SCRATCH_TEST(test_action_clip_then_scale),
      SCRATCH_TEST(test_action_clip_while_collecting),
      SCRATCH_TEST(test_observation_clip),
      SCRATCH_TEST(test_warm_up),
      SCRATCH_TEST(test_observation_normalisation),
      SCRATCH_TEST(test_frozen_moments),
      SCRATCH_TEST(test_frozen_moments_of_values),
      SCRATCH_TEST(test_final_observation),
      SCRATCH_TEST(test_bootstrap_truncated),
      SCRATCH_TEST(test_diverged_dropped),
      SCRATCH_TEST(test_vectorised),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
