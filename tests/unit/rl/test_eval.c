// Evaluation: which episodes count, where their randomness comes from, and that it changes nothing.
#include <stdlib.h>

#include "tests/unit/rl/detail.h"

static RlRun run;

enum { EPISODES = 40 };

static const char eval_keys[] = "run.eval_every=1000000";

static void evaluate(int64_t step, bool stochastic, RlEvalSummary *summary, double *ret) {
  rl_eval_run(&run.eval, &run.policy, 3, step, stochastic, summary, NULL, NULL);
  memcpy(ret, run.eval.ret, EPISODES * sizeof(double));
}

// Episode i alone, in one environment, from its own streams.
static double play_alone(RlVecEnv *env, int64_t step, int i, int *length) {
  uint64_t index = rl_rng_index((uint64_t)step, (uint64_t)i);
  RlRng reset, noise;
  RlGaussian g;
  rl_rng_init(&reset, 3, RL_STREAM_EVAL, index);
  rl_rng_init(&noise, 3, RL_STREAM_EVAL_ACT, index);
  rl_actor_gaussian(&run.policy.actor, &g);
  rl_vecenv_reset_one(env, 0, &reset);
  float act[1];
  for (;;) {
    rl_policy_act(&run.policy, act, env->obs, 1, NULL);
    act[0] += (float)((double)g.sigma[0] * rl_rng_normal(&noise));
    rl_vecenv_step(env, act);
    if (env->terminated[0] || env->truncated[0]) break;
  }
  *length = env->episode_length[0];
  return env->episode_return[0];
}

static void start(void) {
  START(&run, "env.id=InvertedPendulum-v5", eval_keys, "run.eval_episodes=40",
        "env.max_episode_steps=60");
}

// bias: what the policy pushes with, so that the environments with no episode left fall too
static void check_started(double bias) {
  start();
  RlMlp *mlp = &run.policy.actor.mlp;
  mlp->b[mlp->L - 1][0] = (RlReal)bias;
  RlEvalSummary summary;
  RlArena arena = {0};
  RlVecEnv alone;
  double ret[EPISODES];
  int least = 1000, most = 0, length;
  assert_int_equal(rl_vecenv_init(&alone, &arena, &run.config, 1, 1), RL_OK);
  rl_vecenv_reset(&alone, 1, RL_STREAM_ENV);
  assert_true(run.eval.env.N < EPISODES);
  evaluate(128, true, &summary, ret);
  for (int i = 0; i < EPISODES; i++) {
    assert_true(ret[i] == play_alone(&alone, 128, i, &length));
    assert_int_equal(run.eval.length[i], length);
    least = length < least ? length : least;
    most = length > most ? length : most;
  }
  // of lengths that differ, so that the first to finish would have been the short ones
  assert_true(most > (bias > 0 ? least + 1 : 2 * least));
  rl_vecenv_free(&alone);
  rl_arena_free(&arena);
  rl_run_free(&run);
}

// every episode that was started counts, in its own place: each is what it is when played alone
static void test_started_episodes_count(void **state) {
  (void)state;
  check_started(0);
  check_started(0.6);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void test_summary(void **state) {
  (void)state;
  start();
  RlEvalSummary s;
  double ret[EPISODES], sum = 0, square = 0, middle = 0, length = 0;
  evaluate(0, true, &s, ret);
  for (int i = 0; i < EPISODES; i++) {
    sum += ret[i];
    length += run.eval.length[i];
  }
  for (int i = 0; i < EPISODES; i++) square += pow(ret[i] - sum / EPISODES, 2);
  qsort(ret, EPISODES, sizeof *ret, ascending);
  for (int i = EPISODES / 4; i < 3 * EPISODES / 4; i++) middle += ret[i];
  assert_int_equal(s.episodes, EPISODES);
  assert_near(s.mean, sum / EPISODES, 1e-12);
  assert_near(s.std, sqrt(square / EPISODES), 1e-9);
  assert_near(s.iqm, middle / (EPISODES / 2.0), 1e-12);
  assert_near(s.min, ret[0], 0);
  assert_near(s.max, ret[EPISODES - 1], 0);
  assert_near(s.length_mean, length / EPISODES, 1e-12);
  assert_true(s.diverged == 0 && s.std > 0);
  rl_run_free(&run);
}

// each episode diverges once at most, and environments that wait for the others' play none
static void test_diverged(void **state) {
  (void)state;
  RlEvalSummary s;
  START(&run, "env.id=HalfCheetah-v5", eval_keys, "run.eval_episodes=17", "env.n_envs=4",
        "env.reset_noise_scale=20", "env.max_episode_steps=100", "normalize.warmup_steps=0");
  rl_eval_run(&run.eval, &run.policy, 3, 0, false, &s, NULL, NULL);
  print_message("%d of 17 diverged\n", (int)s.diverged);
  assert_in_range(s.diverged, 1, 17);
  rl_run_free(&run);
}

// the same question has the same answer; another step, or another seed, another one
static void test_streams(void **state) {
  (void)state;
  start();
  RlEvalSummary s;
  double a[EPISODES], b[EPISODES];
  evaluate(7, true, &s, a);
  evaluate(7, true, &s, b);
  assert_memory_equal(a, b, sizeof a);
  evaluate(8, true, &s, b);
  assert_memory_not_equal(a, b, sizeof a);
  rl_eval_run(&run.eval, &run.policy, 4, 7, true, &s, NULL, NULL);
  assert_memory_not_equal(a, run.eval.ret, sizeof a);
  evaluate(7, false, &s, b);
  assert_memory_not_equal(a, b, sizeof a);
  rl_run_free(&run);
}

static int ticks;

static void count_tick(void *arg) {
  ticks += arg == &run;
}

// the policy, its normaliser and the training's environments and streams stay as they are
static void test_changes_nothing(void **state) {
  (void)state;
  start();
  RlEvalSummary s;
  const RlMlp *mlp = &run.policy.actor.mlp;
  int nstate = 4 * rl_vecenv_nstate(&run.env);
  double *before = malloc((size_t)nstate * sizeof(double)),
         shift = (double)run.policy.norm.shift[1];
  double *after = malloc((size_t)nstate * sizeof(double)), count = run.policy.norm.count;
  RlReal *param = malloc((size_t)mlp->nparam * sizeof(RlReal));
  RlRng act[4];
  assert_true(before && after && param);
  memcpy(param, mlp->param, (size_t)mlp->nparam * sizeof(RlReal));
  memcpy(act, run.collector.act_rng, sizeof act);
  rl_vecenv_save(&run.env, before);
  ticks = 0;
  rl_eval_run(&run.eval, &run.policy, 3, 5, true, &s, count_tick, &run);
  rl_vecenv_save(&run.env, after);
  assert_true(ticks >= 10);
  assert_memory_equal(before, after, (size_t)nstate * sizeof(double));
  assert_memory_equal(param, mlp->param, (size_t)mlp->nparam * sizeof(RlReal));
  assert_memory_equal(act, run.collector.act_rng, sizeof act);
  assert_true(run.policy.norm.count == count && run.policy.norm.batch_count == 0);
  assert_true((double)run.policy.norm.shift[1] == shift);
  assert_int_equal(run.episodes.count, 0);
  free(before);
  free(after);
  free(param);
  rl_run_free(&run);
}

// a sound file of a policy that has other widths than the task of its configuration
static void test_other_task(void **state) {
  (void)state;
  static const char *const id[] = {"Reacher-v5", "Pusher-v5"};
  for (int k = 0; k < 2; k++) {
    RlServed served;
    RlEval eval = {0};
    char path[RL_PATH_SIZE];
    CREATE(&run, "env.id=Reacher-v5");
    snprintf(run.config.env.id.text, sizeof run.config.env.id.text, "%s", id[k]);
    if (rl_run_save_policy(&run) != RL_OK) fail_msg("%s", rl_error_text());
    rl_folder_checkpoint(&run.folder, 0, path);
    if (rl_served_load(&served, path, 1) != RL_OK) fail_msg("%s", rl_error_text());
    RlStatus status = rl_eval_init_served(&eval, &served, path, 1, 1);
    assert_int_equal(status, k == 0 ? RL_OK : RL_FAIL);
    if (k == 1) {
      const char *text = "a policy of 10 observations and 2 actions, expected 23 and 7 for Pusher";
      assert_non_null(strstr(rl_error_text(), text));
    }
    rl_eval_free(&eval);
    rl_served_free(&served);
    rl_run_free(&run);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_started_episodes_count),
      SCRATCH_TEST(test_diverged),
      SCRATCH_TEST(test_summary),
      SCRATCH_TEST(test_streams),
      SCRATCH_TEST(test_changes_nothing),
      SCRATCH_TEST(test_other_task),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
