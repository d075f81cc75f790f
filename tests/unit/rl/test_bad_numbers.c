// Numbers going bad, injected into whole runs wherever one can enter: in what a task computes, the
// physics, an action, a transition, a parameter, a moment. Each is counted in metrics.csv and
// survived, or ends the run with one line that names it, and then the run goes on from its last
// save as if nothing had been. docs/reliability.md has these cases as a table.
#include <stdatomic.h>

#include "tests/unit/rl/detail_sac.h"
#include "tests/unit/rl/pieces.h"

static RlRun run, twin;

// ---------------------------------------------------------------- what the tests share

// 128 steps an iteration, 64 minibatches; a save behind every second iteration
#define PPO                                                                                 \
  "run.total_steps=1024", "run.checkpoint_every=256", "ppo.batch_size=8", "ppo.n_epochs=4", \
      "policy.hidden=8,8"
// a row every 64 steps, updates from step 100 on; a save behind every second row
#define SAC                                                              \
  "run.total_steps=512", "run.log_every=64", "run.checkpoint_every=128", \
      "sac.learning_starts=100", "policy.hidden=8,8", "normalize.obs=true"

static RlStatus train(RlRun *r) {
  return (r->config.run.algorithm == RL_ALGO_SAC ? rl_train_sac : rl_train_ppo)(r);
}

static void create(RlRun *r, bool sac) {
  if (sac) CREATE_SAC(r, SAC);
  if (!sac) CREATE(r, PPO);
}

// Progress that calls strike(&run) once so many rows have been shown.
static int rows_left;
static void (*strike)(RlRun *r);

static ssize_t see_row(void *cookie, const char *text, size_t size) {
  (void)cookie;
  bool row = size > 5 && memcmp(text, "step ", 5) == 0;
  if (row && --rows_left == 0 && strike) strike(&run);
  return (ssize_t)size;
}

// nullable: what
static void strike_after(int rows, void (*what)(RlRun *r)) {
  cookie_io_functions_t take = {.write = see_row};
  rows_left = rows;
  strike = what;
  detail_stop = 0;
  if (detail_show) fclose(detail_show);
  detail_show = fopencookie(NULL, "w", take);
  assert_non_null(detail_show);
  setvbuf(detail_show, NULL, _IONBF, 0);
}

// The cell of a column in the last row of the run's metrics.csv; no row may hold a number that is
// none.
static double metric(const RlRun *r, const char *column) {
  char path[RL_PATH_SIZE];
  size_t size;
  rl_folder_path(&r->folder, "metrics.csv", path);
  char *text = (char *)scratch_get(path, &size);
  assert_true(size > 0 && text[size - 1] == '\n');
  text[size - 1] = '\0';
  char *head = text, *row = strrchr(text, '\n') + 1;
  assert_null(strstr(strchr(text, '\n'), "nan"));
  assert_null(strstr(strchr(text, '\n'), "inf"));
  *strchr(text, '\n') = '\0';
  double value = -1;
  bool found = false;
  for (char *name; (name = strsep(&head, ",")) && !found;) {
    const char *cell = strsep(&row, ",");
    assert_non_null(cell);
    found = strcmp(name, column) == 0;
    if (found) value = *cell ? strtod(cell, NULL) : (double)NAN;
  }
  if (!found) fail_msg("metrics.csv: found no column %s", column);
  free(text);
  return value;
}

static void assert_column(const RlRun *r, const char *column, double expected) {
  double found = metric(r, column);
  if (!(fabs(found - expected) <= 1e-9)) fail_msg("%s: %g, not %g", column, found, expected);
}

static bool all_finite(const RlReal *x, int n) {
  for (int i = 0; i < n; i++) {
    if (!isfinite((double)x[i])) return false;
  }
  return true;
}

static void assert_sound(const RlRun *r) {
  const RlPolicy *p = &r->policy;
  assert_true(all_finite(p->actor.mlp.param, p->actor.mlp.nparam));
  assert_true(all_finite(p->critic[0].param, p->critic[0].nparam));
  for (int i = 0; i < p->O; i++) assert_true(isfinite(p->norm.mean[i]) && isfinite(p->norm.m2[i]));
}

// ---------------------------------------------------------------- what a task computes

typedef enum { REWARD, OBSERVATION } Where;

// Every 37th step of the environments gives bad_value.
static RlTask faulty_task;
static const RlTask *sound_task;
static atomic_int calls;
static double bad_value;
static Where bad_where;
static _Thread_local bool is_bad;

static void score_faulty(const RlTaskView *v, const mjData *d, double *mem, const double *act,
                         RlOutcome *out) {
  sound_task->score(v, d, mem, act, out);
  is_bad = atomic_fetch_add(&calls, 1) % 37 == 36;
  if (is_bad && bad_where == REWARD) out->reward = bad_value;
}

// behind a step, score has just spoken; behind a reset is_bad is off
static void observe_faulty(const RlTaskView *v, const mjData *d, double *obs) {
  sound_task->observe(v, d, obs);
  if (is_bad && bad_where == OBSERVATION) obs[3] = bad_value;
  is_bad = false;
}

static void check_task(bool sac, Where where, double value) {
  strike_after(0, NULL);
  create(&run, sac);
  sound_task = run.env.task;
  faulty_task = *sound_task;
  faulty_task.score = score_faulty;
  faulty_task.observe = observe_faulty;
  run.env.task = &faulty_task;
  calls = 0;
  bad_where = where;
  bad_value = value;
  if (train(&run) != RL_OK) fail_msg("%s", rl_error_text());
  int bad = calls / 37, warmup = sac ? 0 : 400;
  assert_true(bad >= (sac ? 12 : 30));
  assert_int_equal(run.counters.diverged, bad);
  assert_column(&run, "diverged", bad);
  assert_column(&run, "skipped_updates", 0);
  assert_near(run.policy.norm.count, (double)(run.counters.step + warmup - bad), 0);
  if (sac) assert_column(&run, "replay_size", (double)run.counters.step - bad);
  assert_true(run.counters.updates > 50);
  assert_sound(&run);
  rl_run_free(&run);
}

static void test_task(void **state) {
  (void)state;
  // the last one is finite as a double, not as what the buffers hold
  const double value[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, 1e300};
  for (int k = 0; k < 16; k++) check_task(k & 1, k & 2 ? OBSERVATION : REWARD, value[k / 4]);
}

// ---------------------------------------------------------------- survived

// Runs to the end, struck behind a row.
static void train_through(bool sac, int row, void (*what)(RlRun *r)) {
  strike_after(row, what);
  create(&run, sac);
  if (train(&run) != RL_OK) fail_msg("%s", rl_error_text());
  assert_true(run.counters.step == run.config.run.total_steps && rows_left < 0);
  assert_sound(&run);
}

// a velocity that MuJoCo would reset without a word
static void throw_environment(RlRun *r) {
  mjtNum *qvel = mjb_stateComponent(r->env.batch, mjSTATE_QVEL, NULL);
  qvel[1 * mjb_nstate(r->env.batch)] = 1e12;
}

static void test_physics(void **state) {
  (void)state;
  for (int sac = 0; sac < 2; sac++) {
    train_through(sac, 2, throw_environment);
    assert_column(&run, "diverged", 1);
    assert_column(&run, "skipped_updates", 0);
    rl_run_free(&run);
  }
}

// one transition whose gradient is finite, and beyond what Adam's second moment could hold
static void enlarge_reward(RlRun *r) {
  r->replay.rew[70] = 1e25f;
}

static void test_gradient_too_large(void **state) {
  (void)state;
  train_through(true, 2, enlarge_reward);
  double skipped = metric(&run, "skipped_updates");
  assert_true(skipped > 5 && skipped == (double)run.counters.skipped);
  assert_near((double)run.counters.updates + skipped, (double)run.sac.updates, 0);
  assert_true(all_finite(run.sac.critic_net[0].adam.v, run.sac.critic_net[0].adam.n));
  rl_run_free(&run);
}

// A mean of 50 is far beyond the bounds, and pi cannot come back within a run this short.
static void push_actions(RlRun *r) {
  RlMlp *mlp = &r->policy.actor.mlp;
  for (int i = 0; i < r->policy.A; i++) mlp->b[mlp->L - 1][i] = 50;
  rl_mlp_pack(mlp);
}

static void test_stuck_actions(void **state) {
  (void)state;
  for (int sac = 0; sac < 2; sac++) {
    train_through(sac, 4, push_actions);
    assert_column(&run, "saturation", 1);
    assert_column(&run, "diverged", 0);
    assert_column(&run, "skipped_updates", 0);
    rl_run_free(&run);
  }
}

// PPO's share is that of the samples the environment clips, lost rows apart
static void test_saturation(void **state) {
  (void)state;
  RlPpoStats stats;
  START(&run, "policy.log_std_init=0");
  rl_train_ppo_iterate(&run, &stats);
  int beyond = 0, n = detail_rows(&run) * 2;
  for (int i = 0; i < n; i++) beyond += !(fabs((double)run.rollout.act[i]) < 1);
  assert_true(beyond > n / 5 && beyond < n / 2);
  assert_near(stats.saturation, (double)beyond / n, 1e-12);
  rl_run_free(&run);
  START(&run, "policy.log_std_init=-5");
  rl_train_ppo_iterate(&run, &stats);
  assert_true(stats.saturation == 0);
  rl_run_free(&run);
}

// ---------------------------------------------------------------- ended

static RlReal kept;

static void mar_action(RlRun *r) {
  RlMlp *mlp = &r->policy.actor.mlp;
  kept = mlp->b[mlp->L - 1][0];
  mlp->b[mlp->L - 1][0] = (RlReal)NAN;
  rl_mlp_pack(mlp);
}

static void mar_critic(RlRun *r) {
  r->policy.critic[0].W[0][3] = (RlReal)NAN;
}

static void mar_critic_bias(RlRun *r) {
  r->policy.critic[0].b[2][0] = (RlReal)INFINITY;
}

static void mar_actor(RlRun *r) {
  r->policy.actor.mlp.W[0][1] = -(RlReal)INFINITY;
}

static void mar_sigma(RlRun *r) {
  r->policy.actor.mlp.extra[1] = (RlReal)NAN;
}

static void mar_moments(RlRun *r) {
  r->policy.norm.m2[2] = (double)NAN;
  rl_normalizer_refresh(&r->policy.norm);
}

static void mar_reward_scale(RlRun *r) {
  r->policy.scale.moments.m2 = (double)NAN;
}

static void mar_ppo_critic_adam(RlRun *r) {
  r->ppo.net[1].adam.m[5] = (RlReal)NAN;
}

static void mar_ppo_actor_adam(RlRun *r) {
  r->ppo.net[0].adam.v[5] = (RlReal)NAN;
}

static void mar_second_critic(RlRun *r) {
  r->policy.critic[1].b[2][0] = (RlReal)NAN;
}

static void mar_target(RlRun *r) {
  r->sac.target[0].b[1][4] = (RlReal)NAN;
}

static void mar_second_target(RlRun *r) {
  r->sac.target[1].b[2][0] = (RlReal)NAN;
}

static void mar_sac_critic_adam(RlRun *r) {
  r->sac.critic_net[1].adam.m[0] = (RlReal)NAN;
}

static void mar_alpha(RlRun *r) {
  r->sac.log_alpha = (RlReal)NAN;
}

static void mar_alpha_adam(RlRun *r) {
  r->sac.alpha_adam.m[0] = (RlReal)NAN;
}

// Struck behind a row that is no save's, the run ends before the next save or at it.
static void check_ended(bool sac, void (*what)(RlRun *r), const char *words) {
  char dir[RL_PATH_SIZE], latest[RL_PATH_SIZE], path[RL_PATH_SIZE];
  bool finished;
  strike_after(3, what);
  create(&run, sac);
  snprintf(dir, sizeof dir, "%s", run.folder.dir);
  assert_int_equal(train(&run), RL_FAIL);
  assert_true(rows_left <= 0);
  const char *line = rl_error_text();
  if (!strstr(line, words) || strchr(line, '\n')) fail_msg("found '%s', not '%s'", line, words);
  assert_non_null(strstr(line, dir));
  if (strstr(words, "in a row")) assert_true(metric(&run, "skipped_updates") >= 50);
  rl_error_clear();
  rl_run_free(&run);

  strike_after(0, NULL);
  RlRunRequest request = {.mode = RL_PROGRESS_PLAIN, .show = detail_show};
  assert_int_equal(rl_run_resume(&run, dir, 0, 0, &request, &finished), RL_OK);
  run.stop = &detail_stop;
  assert_false(finished);
  assert_int_equal(run.saved_step, sac ? 128 : 256);
  rl_folder_path(&run.folder, "latest.h5", latest);
  rl_folder_checkpoint(&run.folder, run.saved_step, path);
  assert_same_file(latest, path, true);
  assert_sound(&run);
  if (train(&run) != RL_OK) fail_msg("%s", rl_error_text());
  compare_files(&run, &twin, true);
  rl_run_free(&run);
}

static const struct {
  void (*what)(RlRun *r);
  const char *words;
} ppo_case[] = {
    {mar_critic, ": policy loss: found no usable value in 64 minibatches in a row"},
    {mar_critic_bias, ": policy loss: found no usable value in 64 minibatches in a row"},
    {mar_reward_scale, ": policy loss: found no usable value in 64 minibatches in a row"},
    {mar_ppo_critic_adam, ": value loss: found no usable value in 63 minibatches in a row"},
    {mar_ppo_actor_adam, ": policy loss: found no usable value in 63 minibatches in a row"},
    // nothing is learnt from actions that are none, and the next save is refused
    {mar_action, "not saved: actor/"},
    {mar_actor, "not saved: actor/"},
    {mar_sigma, "not saved: actor/"},
    {mar_moments, "not saved: "},
};

static const struct {
  void (*what)(RlRun *r);
  const char *words;
} sac_case[] = {
    {mar_critic, ": critic loss: found no usable value in 5"},
    {mar_critic_bias, ": critic loss: found no usable value in 5"},
    {mar_second_critic, ": critic loss: found no usable value in 5"},
    {mar_target, ": critic loss: found no usable value in 5"},
    {mar_second_target, ": critic loss: found no usable value in 5"},
    {mar_sac_critic_adam, ": critic loss: found no usable value in 5"},
    {mar_actor, ": critic loss: found no usable value in 5"},
    {mar_action, ": critic loss: found no usable value in 5"},
    {mar_moments, ": critic loss: found no usable value in 5"},
    {mar_alpha, ": entropy coefficient: found no usable value in 5"},
    {mar_alpha_adam, ": entropy coefficient: found no usable value in 5"},
};

static void test_ended(void **state) {
  (void)state;
  strike_after(0, NULL);
  create(&twin, false);
  assert_int_equal(train(&twin), RL_OK);
  for (size_t k = 0; k < sizeof ppo_case / sizeof *ppo_case; k++) {
    check_ended(false, ppo_case[k].what, ppo_case[k].words);
  }
  rl_run_free(&twin);
}

static void test_ended_sac(void **state) {
  (void)state;
  strike_after(0, NULL);
  create(&twin, true);
  assert_int_equal(train(&twin), RL_OK);
  for (size_t k = 0; k < sizeof sac_case / sizeof *sac_case; k++) {
    check_ended(true, sac_case[k].what, sac_case[k].words);
  }
  rl_run_free(&twin);
}

// A policy without an action that could be taken learns nothing and saves nothing: without saves in
// between it must end by itself. SAC's is met by the random steps of the start.
static void test_nothing_to_learn_from(void **state) {
  (void)state;
  strike_after(0, NULL);
  CREATE(&run, "ppo.n_steps=4", "run.total_steps=8000", "ppo.batch_size=16");
  mar_action(&run);
  assert_int_equal(train(&run), RL_FAIL);
  assert_non_null(strstr(rl_error_text(), ": every step of the rollout: found no usable value in"));
  assert_column(&run, "step", 50 * 16);
  assert_column(&run, "skipped_updates", 50);
  assert_column(&run, "diverged", 50 * 16);
  rl_run_free(&run);
  CREATE_SAC(&run, "sac.learning_starts=0", "run.total_steps=8000", "run.log_every=8000");
  mar_action(&run);
  assert_int_equal(train(&run), RL_FAIL);
  assert_non_null(strstr(rl_error_text(), ": every step so far: found no usable value in 52"));
  assert_column(&run, "step", 52);
  assert_column(&run, "skipped_updates", 52);
  assert_column(&run, "n_updates", 0);
  assert_column(&run, "replay_size", 0);
  rl_error_clear();
  rl_run_free(&run);
}

// A clip keeps a NaN: fmin and fmax would make a bound of it, and nobody would know.
static void test_clips_keep_nan(void **state) {
  (void)state;
  const RlReal raw[] = {(RlReal)NAN, 5};
  RlGaussian g;
  RlPpoStats stats;
  rl_gaussian_init(&g, raw, -20, 2, 2);
  assert_true(isnan((double)g.log_sigma[0]) && isnan((double)g.sigma[0]) && g.log_sigma[1] == 2);
  strike_after(0, NULL);
  START(&run, "ppo.store_clipped_action=true");
  mar_action(&run);
  rl_train_ppo_iterate(&run, &stats);
  assert_int_equal(run.counters.diverged, detail_rows(&run));
  assert_int_equal(stats.skipped, 1);
  rl_run_free(&run);
}

static void mend_action(RlRun *r) {
  RlMlp *mlp = &r->policy.actor.mlp;
  mlp->b[mlp->L - 1][0] = kept;
  rl_mlp_pack(mlp);
}

static void mar_for_one_row(RlRun *r) {
  mar_action(r);
  rows_left = 1;
  strike = mend_action;
}

// one rollout lost as a whole, and the run goes on
static void test_lost_rollout(void **state) {
  (void)state;
  strike_after(2, mar_for_one_row);
  CREATE(&run, PPO, "run.checkpoint_every=0");
  if (train(&run) != RL_OK) fail_msg("%s", rl_error_text());
  assert_column(&run, "diverged", 128);
  assert_column(&run, "skipped_updates", 1);
  assert_column(&run, "n_updates", 7 * 64);
  assert_int_equal(run.ppo.skipped_in_a_row, 0);
  assert_sound(&run);
  rl_run_free(&run);
}

// A policy that cannot act ends every episode with a return of 0, the best there is where rewards
// are costs: it must not become the best.
static void test_evaluated(void **state) {
  (void)state;
  char path[RL_PATH_SIZE];
  strike_after(0, NULL);
  START(&run, "run.eval_every=128", "run.eval_episodes=2");
  mar_action(&run);
  assert_int_equal(rl_run_evaluate(&run), RL_FAIL);
  assert_non_null(strstr(rl_error_text(), "not saved: actor/"));
  rl_folder_path(&run.folder, "best.h5", path);
  assert_false(scratch_exists(path));
  rl_folder_checkpoint(&run.folder, 0, path);
  assert_false(scratch_exists(path));
  rl_error_clear();
  rl_run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_task),
      SCRATCH_TEST(test_physics),
      SCRATCH_TEST(test_gradient_too_large),
      SCRATCH_TEST(test_stuck_actions),
      SCRATCH_TEST(test_saturation),
      SCRATCH_TEST(test_ended),
      SCRATCH_TEST(test_ended_sac),
      SCRATCH_TEST(test_nothing_to_learn_from),
      SCRATCH_TEST(test_clips_keep_nan),
      SCRATCH_TEST(test_lost_rollout),
      SCRATCH_TEST(test_evaluated),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
