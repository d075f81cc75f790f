// Details of the loop: schedules go by the steps done when an iteration starts, and the last
// rollout is shortened to end at total_steps.
#include "tests/unit/rl/detail.h"

static RlRun run;

// a run of 4 x 128 steps; value (4): learning rate (0) or clip range (1) of each iteration
static void schedule(int which, double *value, const char *set) {
  START(&run, "run.total_steps=512", "ppo.learning_rate=0.001", "ppo.learning_rate_end=0.2", set);
  for (int k = 0; k < 4; k++) {
    RlPpoStats stats;
    rl_train_ppo_iterate(&run, &stats);
    value[k] = which ? stats.clip_range : stats.learning_rate;
  }
  assert_int_equal(run.counters.step, 512);
  rl_run_free(&run);
}

static void test_learning_rate_annealing(void **state) {
  (void)state;
  double value[4];
  schedule(0, value, "ppo.learning_rate_schedule=linear");
  // the first iteration runs at the full rate, the last one not yet at the end's
  for (int k = 0; k < 4; k++) assert_near(value[k] / 0.001, 1 - 0.8 * k / 4, 1e-12);
  schedule(0, value, "ppo.learning_rate_schedule=constant");
  for (int k = 0; k < 4; k++) assert_near(value[k] / 0.001, 1, 1e-12);
}

static void test_clip_annealing(void **state) {
  (void)state;
  double value[4];
  schedule(1, value, "ppo.clip_range_schedule=linear");
  for (int k = 0; k < 4; k++) assert_near(value[k], 0.2 * (1 - k / 4.0), 1e-12);
  schedule(1, value, "ppo.clip_range_schedule=constant");
  for (int k = 0; k < 4; k++) assert_near(value[k], 0.2, 0);
}

// steps done and length of the last rollout of a whole run
static void check_end(const char *total, int64_t step, int T) {
  CREATE(&run, total);
  if (rl_train_ppo(&run) != RL_OK) fail_msg("%s", rl_error_text());
  assert_int_equal(run.counters.step, step);
  assert_int_equal(run.reported_step, step);
  assert_int_equal(run.rollout.T, T);
  assert_near(run.policy.norm.count, 400 + (double)step, 0);
  rl_run_free(&run);
}

// 4 environments of 32 steps an iteration: a run ends at total_steps rounded up to a multiple of 4
static void test_last_rollout(void **state) {
  (void)state;
  check_end("run.total_steps=256", 256, 32);
  check_end("run.total_steps=200", 200, 18);
  check_end("run.total_steps=197", 200, 18);
  check_end("run.total_steps=1", 4, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_learning_rate_annealing),
      SCRATCH_TEST(test_clip_annealing),
      SCRATCH_TEST(test_last_rollout),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
