// Tasks: the table, their [env] keys, and what each observes, rewards, ends on and draws.
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
#include "envs/task.h"

#define RESET_FIXTURE RL_SOURCE_DIR "/tests/parity/fixtures/reset.txt"

enum { NTASK = 11, MAX_OBS = 400, RESETS = 2000, QUANTILES = 21, STEPS = 50 };

// One task ready to be stepped by hand.
typedef struct {
  const RlTask *task;
  RlConfig config;
  RlTaskView v;
  mjModel *m;
  mjData *d;
  double mem[4];
  RlRng rng;
} Bench;

static void resolve(RlConfig *config, const char *name, const char *key, const char *value) {
  rl_config_default(config);
  assert_int_equal(rl_config_set(config, "env.id", name, "test"), RL_OK);
  if (key != NULL) assert_int_equal(rl_config_set(config, key, value, "test"), RL_OK);
  const RlTask *task = rl_task_find(name, "test");
  assert_non_null(task);
  assert_int_equal(rl_task_resolve(task, config, "test"), RL_OK);
}

// key: nullable
static void bench_init(Bench *b, const char *name, const char *key, const char *value) {
  *b = (Bench){.task = rl_task_find(name, "test")};
  assert_non_null(b->task);
  assert_true(b->task->nmem <= 4);
  resolve(&b->config, name, key, value);
  b->m = rl_task_load(b->task);
  assert_non_null(b->m);
  b->d = mj_makeData(b->m);
  b->v = (RlTaskView){b->m, &b->config.env};
  rl_rng_init(&b->rng, 5, RL_STREAM_ENV, 0);
}

static void bench_free(Bench *b) {
  mj_deleteData(b->d);
  mj_deleteModel(b->m);
}

static void bench_reset(Bench *b) {
  mj_resetData(b->m, b->d);
  b->task->reset(&b->v, b->d, &b->rng);
  mj_forward(b->m, b->d);
  if (b->task->remember != NULL) b->task->remember(&b->v, b->d, b->mem);
}

// Random controls of up to `scale` times the actuators' range; physics only.
static void bench_advance(Bench *b, double scale) {
  for (int j = 0; j < b->task->nu; j++) {
    double half = b->m->actuator_ctrlrange[2 * j + 1];
    b->d->ctrl[j] = scale * rl_rng_between(&b->rng, -half, half);
  }
  for (int k = 0; k < b->config.env.frame_skip; k++) mj_step(b->m, b->d);
  if (b->task->contact_forces) mj_rnePostConstraint(b->m, b->d);
}

static RlOutcome bench_score(Bench *b) {
  RlOutcome outcome;
  b->task->score(&b->v, b->d, b->mem, b->d->ctrl, &outcome);
  return outcome;
}

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

// Writes qpos[place] and tells whether the next score ends the episode.
static RlOutcome judge(Bench *b, int place, double value) {
  bench_reset(b);
  b->d->qpos[place] = value;
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
      {"InvertedPendulum-v5", 1, NAN, true},
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

// The value of one line's coordinate in the state just drawn.
static double coordinate(const mjData *d, const char *part, int index) {
  if (strcmp(part, "qpos") == 0) return d->qpos[index];
  if (strcmp(part, "qvel") == 0) return d->qvel[index];
  assert_string_equal(part, "norm");
  return hypot(d->qpos[index], d->qpos[index + 1]);
}

// Compares the distribution of RESETS draws with the fixture's quantiles: at each the share below
// must be right to .055, five standard deviations of a share of one half.
static void compare_quantiles(const double *draw, const double *quantile, const char *line) {
  double lo = quantile[0], hi = quantile[QUANTILES - 1];
  for (int k = 0; k < QUANTILES; k++) {
    double below = 0;
    for (int i = 0; i < RESETS; i++) below += draw[i] <= quantile[k] + 1e-12;
    double share = below / RESETS, expected = (double)k / (QUANTILES - 1);
    // a constant is at or below every quantile
    if (lo == hi) expected = 1;
    if (!(fabs(share - expected) <= .055))
      fail_msg("%s: %g of draws below quantile %d", line, share, k);
  }
  for (int i = 0; i < RESETS; i++) {
    // bounded draws stay within their bounds; Gaussian ones seldom leave the range of 20,000
    double slack = .3 * (hi - lo);
    if (!(draw[i] >= lo - slack && draw[i] <= hi + slack)) fail_msg("%s: drew %g", line, draw[i]);
  }
}

static void test_reset_distribution(void **state) {
  (void)state;
  FILE *file = fopen(RESET_FIXTURE, "r");
  assert_non_null(file);
  static double draw[64][RESETS];
  char name[64], part[8], current[64] = "";
  int index, lines = 0, nq = 0, nv = 0;
  while (fscanf(file, "%63s %7s %d", name, part, &index) == 3) {
    double quantile[QUANTILES];
    for (int k = 0; k < QUANTILES; k++) assert_int_equal(fscanf(file, "%lf", &quantile[k]), 1);
    if (strcmp(name, current) != 0) {
      Bench b;
      bench_init(&b, name, NULL, NULL);
      nq = (int)b.m->nq;
      nv = (int)b.m->nv;
      for (int i = 0; i < RESETS; i++) {
        mj_resetData(b.m, b.d);
        b.task->reset(&b.v, b.d, &b.rng);
        for (int k = 0; k < nq; k++) draw[k][i] = coordinate(b.d, "qpos", k);
        for (int k = 0; k < nv; k++) draw[nq + k][i] = coordinate(b.d, "qvel", k);
      }
      strcpy(current, name);
      bench_free(&b);
    }
    char line[128];
    snprintf(line, sizeof line, "%s %s %d", name, part, index);
    double norm[RESETS];
    const double *x = strcmp(part, "qpos") == 0 ? draw[index] : draw[nq + index];
    if (strcmp(part, "norm") == 0) {
      for (int i = 0; i < RESETS; i++) norm[i] = hypot(draw[index][i], draw[index + 1][i]);
      x = norm;
    }
    compare_quantiles(x, quantile, line);
    lines++;
  }
  fclose(file);
  assert_int_equal(lines, 223);
}

// No coordinate is another's draw used twice: correlations stay below .13, six standard deviations.
static void test_reset_independence(void **state) {
  (void)state;
  static double draw[64][RESETS];
  for (int t = 0; t < NTASK; t++) {
    Bench b;
    bench_init(&b, rl_tasks[t]->name, NULL, NULL);
    int n = (int)(b.m->nq + b.m->nv);
    for (int i = 0; i < RESETS; i++) {
      mj_resetData(b.m, b.d);
      b.task->reset(&b.v, b.d, &b.rng);
      for (int k = 0; k < n; k++) draw[k][i] = k < b.m->nq ? b.d->qpos[k] : b.d->qvel[k - b.m->nq];
    }
    for (int k = 0; k < n; k++) {
      double mean = 0, square = 0;
      for (int i = 0; i < RESETS; i++) mean += draw[k][i] / RESETS;
      for (int i = 0; i < RESETS; i++) square += pow(draw[k][i] - mean, 2);
      double scale = square > 1e-20 ? 1 / sqrt(square) : 0;
      for (int i = 0; i < RESETS; i++) draw[k][i] = (draw[k][i] - mean) * scale;
    }
    for (int k = 0; k < n; k++) {
      for (int l = 0; l < k; l++) {
        double sum = 0;
        for (int i = 0; i < RESETS; i++) sum += draw[k][i] * draw[l][i];
        assert_true(fabs(sum) <= .13);
      }
    }
    bench_free(&b);
  }
}

// The keys are the same at other values: the noise scale scales the draws.
static void test_reset_noise_scale(void **state) {
  (void)state;
  for (int t = 0; t < NTASK; t++) {
    Bench a, b;
    resolve(&a.config, rl_tasks[t]->name, NULL, NULL);
    if (!rl_config_is_given(&a.config, "env.reset_noise_scale")) continue;
    char value[32];
    snprintf(value, sizeof value, "%.17g", 2 * a.config.env.reset_noise_scale);
    bench_init(&a, rl_tasks[t]->name, NULL, NULL);
    bench_init(&b, rl_tasks[t]->name, "env.reset_noise_scale", value);
    bench_reset(&a);
    bench_reset(&b);
    for (int k = 0; k < a.m->nq; k++) {
      double x = a.d->qpos[k] - a.m->qpos0[k], y = b.d->qpos[k] - b.m->qpos0[k];
      assert_true(x != 0 && fabs(y - 2 * x) <= 1e-14);
    }
    for (int k = 0; k < a.m->nv; k++) {
      assert_true(a.d->qvel[k] != 0 && fabs(b.d->qvel[k] - 2 * a.d->qvel[k]) <= 1e-14);
    }
    bench_free(&a);
    bench_free(&b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_table),
      cmocka_unit_test(test_find),
      cmocka_unit_test(test_resolve),
      cmocka_unit_test(test_models),
      cmocka_unit_test(test_terms_sum_to_reward),
      cmocka_unit_test(test_weights),
      cmocka_unit_test(test_observation_keys),
      cmocka_unit_test(test_termination_bounds),
      cmocka_unit_test(test_terminate_when_unhealthy),
      cmocka_unit_test(test_contact_ranges),
      cmocka_unit_test(test_clip_keeps_nan),
      cmocka_unit_test(test_reset_distribution),
      cmocka_unit_test(test_reset_independence),
      cmocka_unit_test(test_reset_noise_scale),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
