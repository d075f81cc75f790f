// Sources and groups: what belongs together, what it is called, which rows are evaluations, and
// what is refused.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rl/base/config_value.h"
#include "rl/report/group.h"
#include "tests/unit/report/runs.h"

#define HOPPER "[env]\nid = Hopper-v5\n"

enum { MOST = 6 };

static RlSource source[MOST];
static RlGroup group[MOST];
static RlArena arena;
static int nsource, ngroup;

static int make(void **state) {
  nsource = 0;
  return scratch_make(state);
}

static int clear(void **state) {
  for (int i = 0; i < nsource; i++) rl_source_free(&source[i]);
  rl_arena_free(&arena);
  return scratch_remove(state);
}

static void add(const char *name, int seed, const char *config, const char *curves) {
  RlStatus status = rl_source_read(&source[nsource++], runs_put(name, seed, config, curves));
  if (status != RL_OK) fail_msg("%s", rl_error_text());
}

static void form(void) {
  if (rl_group_form(group, &ngroup, &arena, source, nsource) != RL_OK)
    fail_msg("%s", rl_error_text());
}

// what changes no bit of the training may differ, all else may not
static void test_together(void **state) {
  (void)state;
  add("a", 1, "threads = 1\neval_every = 100\n" HOPPER, "step\n");
  add("b", 2, "threads = 2\nlog_every = 7\ncheckpoint_every = 9\n" HOPPER, "step\n");
  add("c", 3, HOPPER "[ppo]\ngamma = 0.9\n", "step\n");
  add("d", 4, "total_steps = 5000\n" HOPPER, "step\n");
  form();
  assert_int_equal(ngroup, 3);
  assert_int_equal(group[0].nmember, 2);
  assert_ptr_equal(group[0].member[1], &source[1]);
  assert_string_equal(group[0].name, "PPO, run.total_steps 1000000, gamma 0.99");
  assert_string_equal(group[1].name, "PPO, run.total_steps 1000000, gamma 0.9");
  assert_string_equal(group[2].name, "PPO, run.total_steps 5000, gamma 0.99");
  assert_string_equal(group[2].title, "Hopper-v5, PPO, run.total_steps 5000, gamma 0.99");
  assert_int_equal(group[2].color, 2);
}

// groups of a task come together; keys of one algorithm are not asked of the other
static void test_panels(void **state) {
  (void)state;
  add("a", 1, HOPPER, "step\n");
  add("b", 1, "[env]\nid = Ant-v5\n", "step\n");
  add("c", 1, "algorithm = sac\n" HOPPER, "step\n");
  add("d", 1, "algorithm = sac\n" HOPPER "max_episode_steps = 500\n[sac]\nn_step = 3\n", "step\n");
  form();
  assert_int_equal(ngroup, 4);
  const char *const title[] = {"Hopper-v5, PPO", "Hopper-v5, SAC, env.max_episode_steps 1000",
                               "Hopper-v5, SAC, env.max_episode_steps 500", "Ant-v5, PPO"};
  const int panel[] = {0, 0, 0, 1}, color[] = {0, 1, 2, 0};
  for (int g = 0; g < 4; g++) {
    assert_string_equal(group[g].title, title[g]);
    assert_int_equal(group[g].panel, panel[g]);
    assert_int_equal(group[g].color, color[g]);
  }
  int row = rl_config_find("sac.n_step");
  char value[RL_VALUE_MAX];
  (void)rl_config_value_of(&group[0].member[0]->config, row, value);
  assert_string_equal(value, "");
  (void)rl_config_value_of(&group[2].member[0]->config, row, value);
  assert_string_equal(value, "3");
  assert_false(rl_group_deviates(&group[1], row));
  assert_true(rl_group_deviates(&group[2], row));
  // SAC's own default, and the task's
  assert_false(rl_group_deviates(&group[1], rl_config_find("policy.hidden")));
  assert_false(rl_group_deviates(&group[3], rl_config_find("env.healthy_z_range")));
}

static void test_seed_twice(void **state) {
  (void)state;
  add("a", 1, HOPPER, "step\n");
  add("b", 1, HOPPER, "step\n");
  assert_int_equal(rl_group_form(group, &ngroup, &arena, source, nsource), RL_USAGE);
  char expected[2048];
  snprintf(expected, sizeof expected,
           "%s: found seed 1 again, the same training as in %s, expected each seed once",
           scratch_path("b"), scratch_path("a"));
  assert_string_equal(rl_error_text(), expected);
}

static void test_bare(void **state) {
  (void)state;
  const char curves[] = "step,episode_return_mean\n1,2\n";
  const char *const name[] = {"hop-per-1.csv", "hop-per-12.csv", "ant-1.csv"};
  for (int i = 0; i < 3; i++) {
    scratch_put(scratch_path(name[i]), curves, sizeof curves - 1);
    assert_int_equal(rl_source_read(&source[nsource++], scratch_path(name[i])), RL_OK);
  }
  form();
  assert_int_equal(ngroup, 2);
  assert_string_equal(group[0].title, "hop-per");
  assert_int_equal(group[0].member[1]->seed, 12);
  assert_string_equal(group[1].title, "ant");
}

static void expect_refused(const char *path, RlStatus expected, const char *text) {
  RlStatus status = rl_source_read(&source[0], path);
  if (status != expected || !strstr(rl_error_text(), text)) {
    fail_msg("status %d, line: %s", (int)status, rl_error_text());
  }
  rl_source_free(&source[0]);
}

static void test_refused(void **state) {
  (void)state;
  expect_refused(scratch_path("absent"), RL_FAIL, "absent: cannot read: ");
  expect_refused("", RL_USAGE, "expected 1 to");
  const char *const name[] = {"metrics.csv", "a-.csv",  "-1.csv",
                              "a-1.txt",     "a-b.csv", "a-99999999999999999999.csv"};
  for (int i = 0; i < 6; i++) {
    scratch_put(scratch_path(name[i]), "step\n", 5);
    expect_refused(scratch_path(name[i]), RL_USAGE, "expected a run folder or curves in NAME-SEED");
  }
  scratch_put(scratch_path("a-1.csv"), "step\n", 5);
  expect_refused(scratch_path("a-1.csv"), RL_FAIL, "found no column episode_return_mean");
  mkdir(scratch_path("empty"), 0755);
  expect_refused(scratch_path("empty"), RL_USAGE, "config.ini");
  expect_refused(runs_put("odd", 1, "[env]\nid = Nothing-v5\n", "step\n"), RL_USAGE,
                 "odd/config.ini:4: env.id: found");
  expect_refused(runs_put("crossed", 1, HOPPER "[policy]\nlog_std_min = 3\n", "step\n"), RL_USAGE,
                 "crossed/config.ini:6: policy.log_std_min: found");
  expect_refused(runs_put("bad", 1, HOPPER, "step\nx\n"), RL_FAIL,
                 "bad/metrics.csv:2: step: found \"x\"");
}

// a row repeats the last evaluation until the next: only those behind one are points
static void test_evaluations(void **state) {
  (void)state;
  add("a", 1, "eval_every = 100\n" HOPPER,
      "step,eval_return_mean\n60,\n120,5\n180,5\n240,7\n300,7\n320,7\n");
  form();
  RlCurve curve;
  RlBand band;
  rl_group_curves(&group[0], &arena, "eval_return_mean", "step", 0.5, &curve, &band);
  assert_int_equal(curve.n, 3);
  const double x[] = {60, 120, 150}, y[] = {5, 7, 7};
  for (int i = 0; i < 3; i++) {
    assert_true(curve.x[i] == x[i]);
    assert_true(curve.y[i] == y[i]);
  }
  rl_group_curves(&group[0], &arena, "absent", "step", 1, &curve, &band);
  assert_int_equal(curve.n, 0);
  assert_int_equal(band.runs, 0);
}

static void test_name(void **state) {
  (void)state;
  char path[2048];
  snprintf(path, sizeof path, "%s//", runs_put("a\x1b", 1, HOPPER, "step\n"));
  assert_int_equal(rl_source_read(&source[nsource++], path), RL_OK);
  assert_string_equal(source[0].name, "a\xef\xbf\xbd");
  assert_string_equal(source[0].path, scratch_path("a\x1b"));
}

static void test_last_and_best(void **state) {
  (void)state;
  add("a", 1, HOPPER, "step,episode_return_mean\n1,\n2,9\n3,5\n4,\n");
  assert_true(rl_source_last(&source[0], "episode_return_mean") == 5);
  assert_true(rl_source_best(&source[0], "episode_return_mean") == 9);
  assert_true(isnan(rl_source_last(&source[0], "absent")));
  assert_true(isnan(rl_source_best(&source[0], "absent")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_together, make, clear),
      cmocka_unit_test_setup_teardown(test_panels, make, clear),
      cmocka_unit_test_setup_teardown(test_seed_twice, make, clear),
      cmocka_unit_test_setup_teardown(test_bare, make, clear),
      cmocka_unit_test_setup_teardown(test_refused, make, clear),
      cmocka_unit_test_setup_teardown(test_evaluations, make, clear),
      cmocka_unit_test_setup_teardown(test_name, make, clear),
      cmocka_unit_test_setup_teardown(test_last_and_best, make, clear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
