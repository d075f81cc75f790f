// A run folder as training leaves it: its configuration and curves are read, and its latest
// checkpoint plays what rleval plays.
#include "rl/report/source.h"

#include "tests/unit/rl/detail.h"

static RlRun run;
static RlSource source;

static void train(void) {
  detail_stop = 0;
  CREATE(&run, "run.total_steps=256", "run.checkpoint_every=128", "env.max_episode_steps=20");
  if (rl_train_ppo(&run) != RL_OK) fail_msg("%s", rl_error_text());
  if (rl_source_read(&source, run.folder.dir) != RL_OK) fail_msg("%s", rl_error_text());
}

static void end(void) {
  rl_source_free(&source);
  rl_run_free(&run);
}

static void test_read(void **state) {
  (void)state;
  train();
  assert_string_equal(source.task, "Reacher-v5");
  assert_int_equal(source.seed, 3);
  assert_false(source.bare || source.played);
  assert_true(rl_source_last(&source, "step") == 256);
  end();
}

static void test_played(void **state) {
  (void)state;
  enum { EPISODES = 3 };
  RlArena arena = {0};
  RlServed served;
  RlEval eval;
  RlEvalSummary expected;
  train();
  assert_int_equal(rl_source_play(&source, 0, 1), RL_OK);
  assert_false(source.played);
  assert_int_equal(rl_source_play(&source, EPISODES, 2), RL_OK);
  assert_true(source.played);
  assert_int_equal(source.played_step, 256);
  assert_int_equal(rl_served_load(&served, run.folder.dir, RL_EVAL_ENVS), RL_OK);
  assert_int_equal(rl_eval_init(&eval, &arena, &served.config, EPISODES, 1), RL_OK);
  rl_eval_run(&eval, &served.policy, 0, 0, false, &expected, NULL, NULL);
  assert_int_equal(source.eval.episodes, EPISODES);
  assert_true(source.eval.mean == expected.mean && source.eval.std == expected.std);
  rl_eval_free(&eval);
  rl_arena_free(&arena);
  rl_served_free(&served);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_read),
      SCRATCH_TEST(test_played),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
