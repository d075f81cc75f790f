// Tasks: the table, their [env] keys, and what each observes, rewards and ends on.
// Free-running trajectories are compared with Gymnasium's in tests/unit/rl/test_trajectories.c;
// here are the cases those do not reach.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "envs/locomotion.h"
#include "tests/unit/envs/task_bench.h"

enum { MAX_OBS = 400, STEPS = 50 };

static void test_table(void **state) {
  (void)state;
  static const struct {
    const char *name;
    int O, A, limit, skip;
    double solved;
  } expected[NTASK] = {
      {"Ant-v5", 105, 8, 1000, 5, 6000},
      {"HalfCheetah-v5", 17, 6, 1000, 5, 4800},
      {"Hopper-v5", 11, 3, 1000, 4, 3800},
      {"Humanoid-v5", 348, 17, 1000, 5, 0},
      {"HumanoidStandup-v5", 348, 17, 1000, 5, 0},
      {"InvertedDoublePendulum-v5", 9, 1, 1000, 5, 9100},
      {"InvertedPendulum-v5", 4, 1, 1000, 2, 950},
      {"Pusher-v5", 23, 7, 100, 5, 0},
      {"Reacher-v5", 10, 2, 50, 2, -3.75},
      {"Swimmer-v5", 8, 2, 1000, 4, 360},
      {"Walker2d-v5", 17, 6, 1000, 4, 0},
  };
  for (int i = 0; i < NTASK; i++) {
    assert_string_equal(rl_tasks[i]->name, expected[i].name);
    Bench b;
    bench_init(&b, expected[i].name, NULL, NULL);
    assert_int_equal(b.task->obs_dim(&b.v), expected[i].O);
    assert_int_equal(b.m->nu, expected[i].A);
    assert_int_equal(b.config.env.max_episode_steps, expected[i].limit);
    assert_int_equal(b.config.env.frame_skip, expected[i].skip);
    assert_true(b.task->solved == expected[i].solved);
    bench_free(&b);
  }
  assert_null(rl_tasks[NTASK]);
}

static void test_find(void **state) {
  (void)state;
  static const struct {
    const char *name, *nearest;
  } wrong[] = {
      {"humanoid", "Humanoid-v5"},
      {"Humanoid-v4", "Humanoid-v5"},
      {"halfcheeta", "HalfCheetah-v5"},
      {"Walker-v5", "Walker2d-v5"},
      {"", "Ant-v5"},
      {"InvertedPendulum-v55", "InvertedPendulum-v5"},
  };
  assert_string_equal(rl_task_find("Ant-v5", "x.ini")->name, "Ant-v5");
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    rl_error_clear();
    assert_null(rl_task_find(wrong[i].name, "x.ini"));
    assert_non_null(strstr(rl_error_text(), "x.ini"));
    assert_non_null(strstr(rl_error_text(), wrong[i].nearest));
  }
  char longest[300];
  memset(longest, 'a', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  assert_null(rl_task_find(longest, "x.ini"));
}

static void test_resolve(void **state) {
  (void)state;
  RlConfig config;
  resolve(&config, "Humanoid-v5", NULL, NULL);
  assert_true(config.env.forward_reward_weight == 1.25);
  assert_true(config.env.contact_cost_range.hi == 10);
  assert_true(config.env.contact_cost_range.lo == -INFINITY);
  assert_true(config.env.include_cinert_in_observation);
  resolve(&config, "Humanoid-v5", "env.healthy_reward", "2");
  assert_true(config.env.healthy_reward == 2);
  assert_true(config.env.ctrl_cost_weight == 0.1);

  const RlTask *reacher = rl_task_find("Reacher-v5", "test");
  rl_config_default(&config);
  assert_int_equal(rl_config_set(&config, "env.healthy_reward", "2", "test"), RL_OK);
  rl_error_clear();
  assert_int_equal(rl_task_resolve(reacher, &config, "x.ini"), RL_USAGE);
  assert_non_null(strstr(rl_error_text(), "x.ini"));
  assert_non_null(strstr(rl_error_text(), "env.healthy_reward"));
  assert_non_null(strstr(rl_error_text(), "Reacher-v5"));
}

// A configuration as it was read, refused by the line, or completed where that is "".
static void completes(const char *text, const char *line) {
  RlConfig config;
  const RlTask *task;
  rl_config_default(&config);
  assert_int_equal(rl_config_parse(&config, text, strlen(text), "x.ini"), RL_OK);
  rl_error_clear();
  assert_int_equal(rl_task_complete(&config, "x.ini", &task), line[0] ? RL_USAGE : RL_OK);
  assert_string_equal(rl_error_text(), line);
  if (line[0]) return;
  assert_string_equal(task->name, config.env.id.text);
  assert_int_equal(config.env.max_episode_steps, 50);
}

// Neither a name's bytes nor its length reach the terminal as they are.
static void test_hostile_name(void **state) {
  (void)state;
  RlConfig config;
  const RlTask *task;
  rl_config_default(&config);
  memset(config.env.id.text, '\x1b', RL_TEXT - 1);
  assert_int_equal(rl_task_complete(&config, "x.ini", &task), RL_USAGE);
  assert_null(task);
  assert_null(strchr(rl_error_text(), '\x1b'));
  assert_true(strlen(rl_error_text()) < 300);
}

static void test_complete(void **state) {
  (void)state;
  completes("[env]\nid = Reacher-v5\n", "");
  completes("[run]\nseed = 3\n\n[env]\nid = Foo\n",
            "x.ini:5: env.id: found 'Foo', expected a task; the nearest is Ant-v5");
  completes(
      "[env]\nhealthy_z_range = 0, 1\nid = InvertedPendulum-v5\n",
      "x.ini:2: env.healthy_z_range: found a value, expected none: InvertedPendulum-v5 has no "
      "such key");
  // the nearest of the task's own keys is named where it may be meant, and not where none is near
  completes(
      "[env]\nid = Ant-v5\ncontact_cost_range = 0, 1\n",
      "x.ini:3: env.contact_cost_range: found a value, expected none: Ant-v5 has no such key; "
      "the nearest is env.contact_force_range");
  completes("[env]\nid = Hopper-v5\nreward_near_weight = 1\n",
            "x.ini:3: env.reward_near_weight: found a value, expected none: Hopper-v5 has no such "
            "key");
  completes("[env]\nid = Reacher-v5\n[sac]\ngamma = 0.9\n",
            "x.ini:4: sac.gamma: found \"0.9\", expected no key that SAC alone reads, as "
            "run.algorithm is ppo");
}

// What the facts on the models say of each: bodies, start, tip.
static void test_models(void **state) {
  (void)state;
  static const struct {
    int place;
    double value;
  } start[NTASK] = {{2, .75}, {1, 0}, {1, 1.25}, {2, 1.4}, {2, .105}, {0, 0},
                    {0, 0},   {0, 0}, {0, 0},    {0, 0},   {1, 1.25}};
  for (int i = 0; i < NTASK; i++) {
    Bench b;
    resolve(&b.config, rl_tasks[i]->name, NULL, NULL);
    bool noisy = rl_config_is_given(&b.config, "env.reset_noise_scale");
    bench_init(&b, rl_tasks[i]->name, noisy ? "env.reset_noise_scale" : NULL, "0");
    assert_int_equal(b.m->nbody, b.task->nbody);
    bench_reset(&b);
    assert_true(fabs(b.d->qpos[start[i].place] - start[i].value) <= (noisy ? 0 : .1));
    for (int k = 0; noisy && k < b.m->nq; k++) assert_true(b.d->qpos[k] == b.m->qpos0[k]);
    for (int k = 0; noisy && k < b.m->nv; k++) assert_true(b.d->qvel[k] == 0);
    if (strcmp(b.task->name, "InvertedDoublePendulum-v5") == 0) {
      assert_true(fabs(b.d->site_xpos[2] - 1.2) <= 1e-12);
    }
    bench_free(&b);
  }
}

static void test_terms_sum_to_reward(void **state) {
  (void)state;
  for (int i = 0; i < NTASK; i++) {
    Bench b;
    bench_init(&b, rl_tasks[i]->name, NULL, NULL);
    bench_reset(&b);
    for (int t = 0; t < STEPS; t++) {
      bench_advance(&b, 1.5);
      RlOutcome outcome = bench_score(&b);
      double sum = 0;
      for (int k = 0; k < RL_MAX_TERMS; k++) {
        if (b.task->term[k] == NULL) assert_true(outcome.term[k] == 0);
        sum += outcome.term[k];
      }
      double error = fabs(sum - outcome.reward);
      assert_true(error <= 1e-13 * fmax(1, fabs(outcome.reward)));
    }
    bench_free(&b);
  }
}

// Each weight of each task scales its own term and nothing else.
static void test_weights(void **state) {
  (void)state;
  static const struct {
    const char *task, *key, *value;
    int term;
    double factor;
  } weight[] = {
      {"Ant-v5", "env.forward_reward_weight", "3", 0, 3},
      {"Ant-v5", "env.healthy_reward", "3", 1, 3},
      {"Ant-v5", "env.ctrl_cost_weight", "1", 2, 2},
      {"Ant-v5", "env.contact_cost_weight", "1e-3", 3, 2},
      {"HalfCheetah-v5", "env.forward_reward_weight", "3", 0, 3},
      {"HalfCheetah-v5", "env.ctrl_cost_weight", "0.2", 1, 2},
      {"Hopper-v5", "env.forward_reward_weight", "3", 0, 3},
      {"Hopper-v5", "env.healthy_reward", "0", 1, 0},
      {"Hopper-v5", "env.ctrl_cost_weight", "2e-3", 2, 2},
      {"Humanoid-v5", "env.forward_reward_weight", "2.5", 0, 2},
      {"Humanoid-v5", "env.healthy_reward", "10", 1, 2},
      {"Humanoid-v5", "env.ctrl_cost_weight", "0.2", 2, 2},
      {"Humanoid-v5", "env.contact_cost_weight", "1e-6", 3, 2},
      {"HumanoidStandup-v5", "env.uph_cost_weight", "2", 0, 2},
      {"HumanoidStandup-v5", "env.ctrl_cost_weight", "0.2", 1, 2},
      {"HumanoidStandup-v5", "env.impact_cost_weight", "1e-6", 2, 2},
      {"InvertedDoublePendulum-v5", "env.healthy_reward", "5", 0, .5},
      {"Pusher-v5", "env.reward_dist_weight", "2", 0, 2},
      {"Pusher-v5", "env.reward_control_weight", "0.2", 1, 2},
      {"Pusher-v5", "env.reward_near_weight", "1", 2, 2},
      {"Reacher-v5", "env.reward_dist_weight", "2", 0, 2},
      {"Reacher-v5", "env.reward_control_weight", "0.1", 1, .1},
      {"Swimmer-v5", "env.forward_reward_weight", "3", 0, 3},
      {"Swimmer-v5", "env.ctrl_cost_weight", "2e-4", 1, 2},
      {"Walker2d-v5", "env.forward_reward_weight", "3", 0, 3},
      {"Walker2d-v5", "env.healthy_reward", "3", 1, 3},
      {"Walker2d-v5", "env.ctrl_cost_weight", "2e-3", 2, 2},
  };
  for (size_t i = 0; i < sizeof weight / sizeof *weight; i++) {
    Bench a, b;
    bench_init(&a, weight[i].task, NULL, NULL);
    bench_init(&b, weight[i].task, weight[i].key, weight[i].value);
    bench_reset(&a);
    bench_reset(&b);
    bool seen = false;  // a term that is 0 would prove nothing
    for (int t = 0; t < 20; t++) {
      bench_advance(&a, 1);
      bench_advance(&b, 1);
      RlOutcome x = bench_score(&a), y = bench_score(&b);
      for (int k = 0; k < RL_MAX_TERMS; k++) {
        double factor = k == weight[i].term ? weight[i].factor : 1;
        assert_true(fabs(y.term[k] - factor * x.term[k]) <= 1e-12 * fmax(1, fabs(x.term[k])));
      }
      seen |= x.term[weight[i].term] != 0;
    }
    assert_true(seen);
    bench_free(&a);
    bench_free(&b);
  }
}

// Parts of the observation that a key leaves in or out, and how many values that is.
static void test_observation_keys(void **state) {
  (void)state;
  static const struct {
    const char *task, *key, *value;
    int change;
  } part[] = {
      {"Ant-v5", "env.exclude_current_positions_from_observation", "false", 2},
      {"Ant-v5", "env.include_cfrc_ext_in_observation", "false", -78},
      {"HalfCheetah-v5", "env.exclude_current_positions_from_observation", "false", 1},
      {"Hopper-v5", "env.exclude_current_positions_from_observation", "false", 1},
      {"Humanoid-v5", "env.exclude_current_positions_from_observation", "false", 2},
      {"Humanoid-v5", "env.include_cinert_in_observation", "false", -130},
      {"Humanoid-v5", "env.include_cvel_in_observation", "false", -78},
      {"Humanoid-v5", "env.include_qfrc_actuator_in_observation", "false", -17},
      {"HumanoidStandup-v5", "env.include_cfrc_ext_in_observation", "false", -78},
      {"Swimmer-v5", "env.exclude_current_positions_from_observation", "false", 2},
      {"Walker2d-v5", "env.exclude_current_positions_from_observation", "false", 1},
  };
  for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
    Bench a, b;
    bench_init(&a, part[i].task, NULL, NULL);
    bench_init(&b, part[i].task, part[i].key, part[i].value);
    bench_reset(&b);
    bench_advance(&b, 1);
    double obs[MAX_OBS];
    for (int k = 0; k < MAX_OBS; k++) obs[k] = -12345;
    b.task->observe(&b.v, b.d, obs);
    int dim = b.task->obs_dim(&b.v);
    assert_int_equal(dim, a.task->obs_dim(&a.v) + part[i].change);
    // exactly dim values are written
    assert_true(obs[dim - 1] != -12345);
    assert_true(obs[dim] == -12345);
    int skipped = part[i].change > 0 ? 0 : 2;
    assert_true(obs[0] == b.d->qpos[skipped]);
    bench_free(&a);
    bench_free(&b);
  }
}

// Writes place of qpos, or of qvel behind it, and tells whether the next score ends the episode.
static RlOutcome judge(Bench *b, int place, double value) {
  bench_reset(b);
  *(place < b->m->nq ? b->d->qpos + place : b->d->qvel + (place - b->m->nq)) = value;
  mj_forward(b->m, b->d);
  return bench_score(b);
}

// The bounds themselves: strict in the walkers and the humanoid, inclusive in the ant.
static void test_termination_bounds(void **state) {
  (void)state;
  static const struct {
    const char *task;
    int place;
    double value;
    bool ends;
  } at[] = {
      {"Ant-v5", 2, .2, false},
      {"Ant-v5", 2, .1999999, true},
      {"Ant-v5", 2, 1, false},
      {"Ant-v5", 2, 1.0000001, true},
      {"Hopper-v5", 1, .7, true},
      {"Hopper-v5", 1, .7000001, false},
      {"Hopper-v5", 2, .2, true},
      {"Hopper-v5", 2, -.1999999, false},
      {"Hopper-v5", 4, 100, true},
      {"Hopper-v5", 4, -99.9, false},
      {"Hopper-v5", 6, 100, true},
      {"Hopper-v5", 6, 99.9, false},
      {"Hopper-v5", 11, -100, true},
      {"Walker2d-v5", 1, .8, true},
      {"Walker2d-v5", 1, 2, true},
      {"Walker2d-v5", 2, 1, true},
      {"Walker2d-v5", 2, -.9999999, false},
      {"Humanoid-v5", 2, 1, true},
      {"Humanoid-v5", 2, 2, true},
      {"Humanoid-v5", 2, 1.999, false},
      {"InvertedPendulum-v5", 1, .2, false},
      {"InvertedPendulum-v5", 1, -.2000001, true},
      {"InvertedDoublePendulum-v5", 1, 1.2, true},
      {"InvertedDoublePendulum-v5", 1, .1, false},
      {"HalfCheetah-v5", 2, 3, false},
      {"HumanoidStandup-v5", 2, 5, false},
      {"Swimmer-v5", 2, 9, false},
      {"Ant-v5", 2, NAN, true},
      {"Hopper-v5", 2, NAN, true},
      {"Walker2d-v5", 1, NAN, true},
      {"Humanoid-v5", 2, NAN, true},
      {"InvertedPendulum-v5", 0, NAN, true},
      {"InvertedPendulum-v5", 1, NAN, true},
      {"InvertedPendulum-v5", 2, NAN, true},
      {"InvertedPendulum-v5", 3, INFINITY, true},
  };
  for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
    Bench b;
    bench_init(&b, at[i].task, NULL, NULL);
    assert_int_equal(judge(&b, at[i].place, at[i].value).terminated, at[i].ends);
    bench_free(&b);
  }
}

// With the switch off an unhealthy step goes on, but still earns no bonus.
static void test_terminate_when_unhealthy(void **state) {
  (void)state;
  static const struct {
    const char *task;
    int place;
    double value;
  } fallen[] = {
      {"Ant-v5", 2, .1}, {"Hopper-v5", 1, .5}, {"Walker2d-v5", 1, .5}, {"Humanoid-v5", 2, .5}};
  for (size_t i = 0; i < sizeof fallen / sizeof *fallen; i++) {
    Bench b;
    bench_init(&b, fallen[i].task, "env.terminate_when_unhealthy", "false");
    RlOutcome outcome = judge(&b, fallen[i].place, fallen[i].value);
    assert_false(outcome.terminated);
    assert_true(outcome.term[1] == 0);
    bench_free(&b);
    bench_init(&b, fallen[i].task, "env.terminate_when_unhealthy", "true");
    outcome = judge(&b, fallen[i].place, fallen[i].value);
    assert_true(outcome.terminated);
    bench_free(&b);
  }
}

static void test_contact_ranges(void **state) {
  (void)state;
  Bench b;
  bench_init(&b, "Humanoid-v5", "env.contact_cost_range", "-inf, 0.25");
  bench_reset(&b);
  for (int k = 0; k < 6 * b.m->nbody; k++) b.d->cfrc_ext[k] = 1e4;
  assert_true(bench_score(&b).term[3] == -.25);
  bench_free(&b);

  bench_init(&b, "Ant-v5", "env.contact_force_range", "-0.5, 0.25");
  bench_reset(&b);
  for (int k = 0; k < 6 * b.m->nbody; k++) b.d->cfrc_ext[k] = k % 2 ? 7 : -7;
  double obs[MAX_OBS];
  b.task->observe(&b.v, b.d, obs);
  assert_true(obs[27] == -.5 && obs[28] == .25);
  double cost = 5e-4 * 42 * (.25 + .0625);
  assert_true(fabs(bench_score(&b).term[3] + cost) <= 1e-15);
  bench_free(&b);
}

static void test_clip_keeps_nan(void **state) {
  (void)state;
  assert_true(isnan(rl_locomotion_clip(NAN, -1, 1)));
  assert_true(rl_locomotion_clip(2, -1, 1) == 1);
  assert_true(rl_locomotion_clip(-2, -1, 1) == -1);
  assert_true(rl_locomotion_clip(.5, -1, 1) == .5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_table),
      cmocka_unit_test(test_find),
      cmocka_unit_test(test_resolve),
      cmocka_unit_test(test_hostile_name),
      cmocka_unit_test(test_complete),
      cmocka_unit_test(test_models),
      cmocka_unit_test(test_terms_sum_to_reward),
      cmocka_unit_test(test_weights),
      cmocka_unit_test(test_observation_keys),
      cmocka_unit_test(test_termination_bounds),
      cmocka_unit_test(test_terminate_when_unhealthy),
      cmocka_unit_test(test_contact_ranges),
      cmocka_unit_test(test_clip_keeps_nan),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
