// The explorer against a vector environment stepped by hand, and what becomes of steps whose
// physics diverged.
#include "tests/unit/rl/detail_sac.h"

static RlRun run, twin;

// vector steps [first, end) of the ring as one block, and O and A of Reacher
enum { O = 10, A = 2 };

static const float *obs_at(int64_t step, int n) {
  return run.replay.obs + (step * run.replay.N + n) * run.replay.O;
}

static const float *act_at(int64_t step, int n) {
  return run.replay.act + (step * run.replay.N + n) * run.replay.A;
}

// ---------------------------------------------------------------- what is pushed

// Steps the twin's environments with the actions kept at a step, and compares what came of it.
static void replay_step(int64_t t, int *ended) {
  RlVecEnv *env = &twin.env;
  const RlReplayWindow window = {1, 0.99, true, true, true};
  size_t obs_size = (size_t)env->O * sizeof(float);
  for (int n = 0; n < env->N; n++) {
    assert_memory_equal(obs_at(t, n), env->obs + n * env->O, obs_size);
    for (int i = 0; i < env->A; i++) assert_true(fabsf(act_at(t, n)[i]) <= 1);
  }
  rl_vecenv_step(env, act_at(t, 0));
  for (int n = 0; n < env->N; n++) {
    RlTransition got;
    int end = env->terminated[n]  ? RL_REPLAY_TERMINATED
              : env->truncated[n] ? RL_REPLAY_TRUNCATED
                                  : 0;
    rl_replay_read(&run.replay, &got, t * env->N + n, &window);
    assert_int_equal(run.replay.end[t * env->N + n], end);
    assert_true((float)got.ret == env->rew[n]);
    // a terminated step's is not asked for: nothing is bootstrapped from it
    const float *next = end == RL_REPLAY_TERMINATED ? env->obs : env->next_obs;
    assert_memory_equal(got.next_obs, next + n * env->O, obs_size);
    assert_true(got.discount == (end == RL_REPLAY_TERMINATED ? 0 : 0.99));
    ended[end]++;
  }
}

// what the environments showed, were given, returned and led to, random actions and the policy's
static void test_pushed(void **state) {
  (void)state;
  static const char *const task[] = {"env.id=Reacher-v5", "env.id=InvertedDoublePendulum-v5"};
  for (int k = 0; k < 2; k++) {
    int ended[5] = {0};
    START_SAC(&run, task[k], "env.max_episode_steps=7", "normalize.obs=true");
    START_SAC(&twin, task[k], "env.max_episode_steps=7");
    for (int t = 0; t < 60; t++) rl_explorer_step(&run.explorer, t < 30);
    assert_true(run.explorer.infer_seconds > 0);
    for (int t = 0; t < 60; t++) replay_step(t, ended);
    assert_true(ended[RL_REPLAY_TRUNCATED] > 5);
    assert_int_equal(ended[RL_REPLAY_TERMINATED] > 5, k);
    assert_int_equal(run.episodes.count, ended[1] + ended[2]);
    rl_run_free(&run);
    rl_run_free(&twin);
  }
}

// N environments are N single ones bit for bit, each with its own streams
static void test_alone(void **state) {
  (void)state;
  START_SAC(&run, "env.max_episode_steps=13");
  for (int t = 0; t < 60; t++) rl_explorer_step(&run.explorer, t < 30);
  for (int n = 0; n < 4; n++) {
    RlRng rng;
    START_SAC(&twin, "env.max_episode_steps=13", "env.n_envs=1");
    rl_rng_init(&rng, 3, RL_STREAM_ENV, (uint64_t)n);
    rl_vecenv_reset_one(&twin.env, 0, &rng);
    rl_rng_init(&twin.explorer.act_rng[0], 3, RL_STREAM_ACT, (uint64_t)n);
    for (int t = 0; t < 60; t++) {
      rl_explorer_step(&twin.explorer, t < 30);
      assert_memory_equal(twin.replay.obs + t * O, obs_at(t, n), O * sizeof(float));
      assert_memory_equal(twin.replay.act + t * A, act_at(t, n), A * sizeof(float));
      assert_true(twin.replay.rew[t] == run.replay.rew[t * 4 + n]);
      assert_int_equal(twin.replay.end[t], run.replay.end[t * 4 + n]);
    }
    rl_run_free(&twin);
  }
  rl_run_free(&run);
}

// the policy's actions are those of its normalised observations and each environment's own stream
static void test_sampled_actions(void **state) {
  (void)state;
  START_SAC(&run, "normalize.obs=true");
  for (int t = 0; t < 20; t++) rl_explorer_step(&run.explorer, true);
  for (int t = 20; t < 40; t++) {
    RlRng rng[4];
    float act[4 * A];
    memcpy(rng, run.explorer.act_rng, sizeof rng);
    rl_policy_act(&run.policy, act, run.env.obs, 4, rng);
    rl_explorer_step(&run.explorer, false);
    assert_memory_equal(act, act_at(t, 0), sizeof act);
    assert_memory_equal(rng, run.explorer.act_rng, sizeof rng);
  }
  rl_run_free(&run);
}

// ---------------------------------------------------------------- random actions

// uniform on [-1, 1), from each environment's own stream, whatever the policy is
static void test_random_actions(void **state) {
  (void)state;
  enum { T = 900, BINS = 10 };
  START_SAC(&run, "run.seed=6");
  RlMlp *mlp = &run.policy.actor.mlp;
  for (int i = 0; i < mlp->nparam; i++) mlp->param[i] = (RlReal)NAN;
  int count[BINS] = {0};
  RlRng rng[4];
  for (int n = 0; n < 4; n++) rl_rng_init(&rng[n], 6, RL_STREAM_ACT, (uint64_t)n);
  for (int t = 0; t < T; t++) {
    rl_explorer_step(&run.explorer, true);
    for (int n = 0; n < 4; n++) {
      for (int i = 0; i < A; i++) {
        float a = act_at(t, n)[i];
        assert_true(a == (float)rl_rng_between(&rng[n], -1, 1) && a >= -1 && a <= 1);
        count[(int)(((double)a + 1) * 0.499999 * BINS)]++;
      }
      assert_true(n == 0 || act_at(t, n)[0] != act_at(t, 0)[0]);
    }
  }
  // 720 a bin with a deviation of 25
  for (int b = 0; b < BINS; b++) assert_true(abs(count[b] - T * 4 * A / BINS) < 130);
  rl_run_free(&run);
}

// ---------------------------------------------------------------- moments

// every step's observations are in the moments at once
static void test_moments(void **state) {
  (void)state;
  START_SAC(&run, "normalize.obs=true", "env.n_envs=3");
  const RlNormalizer *norm = &run.policy.norm;
  double sum[O] = {0};
  for (int t = 0; t < 80; t++) {
    rl_explorer_step(&run.explorer, t % 2);
    assert_true(norm->count == 3 * (t + 1) && norm->batch_count == 0);
    for (int i = 0; i < O; i++) {
      double mean, square = 0;
      for (int n = 0; n < 3; n++) sum[i] += (double)obs_at(t, n)[i];
      mean = sum[i] / norm->count;
      for (int row = 0; row < 3 * (t + 1); row++)
        square += pow((double)obs_at(0, row)[i] - mean, 2);
      assert_near(norm->mean[i], mean, 1e-12);
      assert_near(norm->m2[i], square, 1e-10);
      assert_true(norm->shift[i] == (float)norm->mean[i]);
    }
  }
  rl_run_free(&run);
  START_SAC(&run, "normalize.obs=false");
  for (int t = 0; t < 20; t++) rl_explorer_step(&run.explorer, true);
  assert_true(norm->count == 0 && norm->mean[0] == 0);
  rl_run_free(&run);
}

// ---------------------------------------------------------------- lost steps

// environment 1 is sent flying at steps 4 and 5, and at 9, the step after a time limit at 8
static void test_lost_steps(void **state) {
  (void)state;
  START_SAC(&run, "normalize.obs=true", "env.max_episode_steps=3");
  const RlNormalizer *norm = &run.policy.norm;
  for (int t = 0; t < 20; t++) {
    double *physics = mjb_state(run.env.batch) + mjb_nstate(run.env.batch);
    bool lost = t == 4 || t == 5 || t == 9;
    if (lost) physics[1 + run.env.m->nq] = 1e12;
    double count = norm->count;
    rl_explorer_step(&run.explorer, true);
    int64_t slot = t * 4 + 1;
    assert_int_equal(run.replay.end[slot] == RL_REPLAY_LOST, lost);
    assert_int_equal(run.explorer.lost[1], lost);
    assert_true(norm->count == count + 4 - lost);
    if (lost) assert_true(run.replay.rew[slot] == 0 && act_at(t, 1)[0] == 0);
    // the others go on as ever
    for (int n = 0; n < 4; n++) assert_true(n == 1 || run.replay.end[t * 4 + n] != RL_REPLAY_LOST);
  }
  assert_int_equal(run.env.ndiverged, 3);
  assert_int_equal(rl_replay_count(&run.replay), 80 - 3);
  rl_run_free(&run);
}

// a policy that gives NaN loses every step: nothing is drawn or learnt, and the run goes on
static void test_all_steps_lost(void **state) {
  (void)state;
  START_SAC(&run, "sac.learning_starts=0", "normalize.obs=true");
  detail_sac_bias(&run, (double)NAN, 0);
  detail_sac_run(&run, 40);
  assert_int_equal(run.counters.diverged, 40);
  assert_int_equal(rl_replay_count(&run.replay), 0);
  assert_int_equal(run.sac.updates, 0);
  assert_true(run.policy.norm.count == 0);
  for (int i = 0; i < 40 * A; i++) assert_true(run.replay.act[i] == 0);
  // one sound step, and learning begins
  detail_sac_bias(&run, 0, 0);
  detail_sac_run(&run, 44);
  assert_int_equal(run.counters.updates, 4);
  rl_run_free(&run);
}

// a buffer whose slots can be counted, but not held in memory, is refused before any is taken
static void test_too_large(void **state) {
  (void)state;
  static const char *const set[] = {"env.id=Humanoid-v5", "sac.buffer_size=2e9", NULL};
  RlConfig config;
  detail_configure(&config, detail_sac_ini, set);
  if (!detail_show) detail_show = fopen("/dev/null", "w");
  RlRunRequest request = {
      .out = scratch_path("large"), .mode = RL_PROGRESS_PLAIN, .show = detail_show};
  assert_int_equal(rl_run_create(&run, &config, &request), RL_USAGE);
  assert_non_null(strstr(rl_error_text(), "sac.buffer_size: found 2000000000 transitions"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_pushed),          SCRATCH_TEST(test_alone),
      SCRATCH_TEST(test_sampled_actions), SCRATCH_TEST(test_random_actions),
      SCRATCH_TEST(test_moments),         SCRATCH_TEST(test_lost_steps),
      SCRATCH_TEST(test_all_steps_lost),  SCRATCH_TEST(test_too_large),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
