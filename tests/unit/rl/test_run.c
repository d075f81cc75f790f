// Whole runs: the same bytes at any number of threads, whether or not the run evaluates, and
// however often it is stopped and resumed.
#include "tests/unit/rl/pieces.h"

static RlRun run, twin;

static void train(RlRun *r) {
  if (rl_train_ppo(r) != RL_OK) fail_msg("%s", rl_error_text());
}

#define SHORT                                                                                \
  "run.total_steps=1500", "run.checkpoint_every=400", "ppo.n_epochs=3", "ppo.batch_size=50", \
      "env.n_envs=6", "ppo.n_steps=40"

static void test_threads(void **state) {
  (void)state;
  static const char *const task[] = {"env.id=Reacher-v5", "env.id=InvertedPendulum-v5"};
  for (int k = 0; k < 2; k++) {
    CREATE(&run, SHORT, task[k], "run.threads=1");
    train(&run);
    for (int threads = 2; threads <= 3; threads++) {
      CREATE(&twin, SHORT, task[k], threads == 2 ? "run.threads=2" : "run.threads=3");
      assert_int_equal(twin.threads, threads);
      train(&twin);
      compare_files(&run, &twin, true);
      rl_run_free(&twin);
    }
    CREATE(&twin, SHORT, task[k], "run.seed=4", "run.threads=1");
    train(&twin);
    compare_files(&run, &twin, false);
    rl_run_free(&twin);
    rl_run_free(&run);
  }
}

// another seed draws everything anew: weights, noise, resets, minibatches, warm-up
static void test_seed(void **state) {
  (void)state;
  START(&run, "run.seed=3");
  START(&twin, "run.seed=4");
  const RlPolicy *p = &run.policy, *q = &twin.policy;
  assert_true(p->actor.mlp.W[0][0] != q->actor.mlp.W[0][0]);
  assert_true(p->critic[0].W[0][0] != q->critic[0].W[0][0]);
  assert_true(p->actor.mlp.W[0][0] != p->critic[0].W[0][0]);
  assert_memory_not_equal(&run.ppo.shuffle_rng, &twin.ppo.shuffle_rng, sizeof(RlRng));
  for (int n = 0; n < 4; n++) {
    assert_memory_not_equal(&run.collector.act_rng[n], &twin.collector.act_rng[n], sizeof(RlRng));
    assert_memory_not_equal(&run.env.rng[n], &twin.env.rng[n], sizeof(RlRng));
  }
  assert_true(run.env.obs[8] != twin.env.obs[8] && p->norm.mean[6] != q->norm.mean[6]);
  rl_run_free(&run);
  rl_run_free(&twin);
}

// a large minibatch is cut into blocks that several threads work on
static void test_threads_large_minibatch(void **state) {
  (void)state;
  CREATE(&run, "run.total_steps=3200", "ppo.n_steps=400", "ppo.batch_size=1600", "run.threads=1");
  CREATE(&twin, "run.total_steps=3200", "ppo.n_steps=400", "ppo.batch_size=1600", "run.threads=3");
  train(&run);
  train(&twin);
  compare_files(&run, &twin, true);
  rl_run_free(&run);
  rl_run_free(&twin);
}

static void same_reals(const RlReal *a, const RlReal *b, int n) {
  assert_memory_equal(a, b, (size_t)n * sizeof(RlReal));
}

static void same_state(const RlRun *a, const RlRun *b) {
  const RlPolicy *p = &a->policy, *q = &b->policy;
  same_reals(p->actor.mlp.param, q->actor.mlp.param, p->actor.mlp.nparam);
  same_reals(p->critic[0].param, q->critic[0].param, p->critic[0].nparam);
  for (int k = 0; k < 2; k++) {
    const RlAdam *x = &a->ppo.net[k].adam, *y = &b->ppo.net[k].adam;
    same_reals(x->m, y->m, x->n);
    same_reals(x->v, y->v, x->n);
    assert_int_equal(x->step, y->step);
  }
  assert_memory_equal(p->norm.mean, q->norm.mean, (size_t)p->O * sizeof(double));
  assert_memory_equal(p->norm.m2, q->norm.m2, (size_t)p->O * sizeof(double));
  assert_true(p->norm.count == q->norm.count && p->scale.moments.m2 == q->scale.moments.m2);
  assert_memory_equal(&a->ppo.shuffle_rng, &b->ppo.shuffle_rng, sizeof(RlRng));
  int N = a->env.N;
  assert_memory_equal(a->collector.act_rng, b->collector.act_rng, (size_t)N * sizeof(RlRng));
  assert_memory_equal(a->env.rng, b->env.rng, (size_t)N * sizeof(RlRng));
  assert_memory_equal(a->env.obs, b->env.obs, (size_t)(N * a->env.O) * sizeof(float));
  assert_memory_equal(&a->episodes, &b->episodes, sizeof a->episodes);
}

static void test_evaluation_changes_nothing(void **state) {
  (void)state;
  CREATE(&run, SHORT, "run.eval_every=0");
  CREATE(&twin, SHORT, "run.eval_every=240", "run.eval_episodes=3");
  train(&run);
  train(&twin);
  assert_true(isnan(run.eval_mean) && isfinite(twin.eval_mean));
  same_state(&run, &twin);
  rl_run_free(&run);
  rl_run_free(&twin);
}

// Trains to the end in pieces of so many lines of progress each; twin is left finished.
static void train_in_pieces(int lines, const char *set, const char *more) {
  char dir[RL_PATH_SIZE];
  int pieces = 1;
  stop_after(lines);
  CREATE(&twin, SHORT, set, more);
  snprintf(dir, sizeof dir, "%s", twin.folder.dir);
  train(&twin);
  while (twin.counters.step < twin.config.run.total_steps) {
    rl_run_free(&twin);
    stop_after(lines);
    resume(&twin, dir, pieces++ % 3 + 1, false);
    train(&twin);
  }
  assert_true(pieces > 1);
}

static void check_resumed(const char *set, const char *more) {
  stop_after(1 << 30);
  CREATE(&run, SHORT, set, more);
  train(&run);
  for (int lines = 1; lines <= 3; lines++) {
    train_in_pieces(lines, set, more);
    assert_int_equal(twin.counters.step, run.counters.step);
    assert_int_equal(twin.counters.updates, run.counters.updates);
    assert_int_equal(twin.counters.skipped, run.counters.skipped);
    assert_true(twin.counters.best == run.counters.best);
    same_state(&run, &twin);
    compare_files(&run, &twin, true);
    rl_run_free(&twin);
  }
  rl_run_free(&run);
}

static void test_resumed(void **state) {
  (void)state;
  check_resumed("normalize.reward=batch", "run.seed=3");
  check_resumed("normalize.reward=running", "run.seed=3");
  check_resumed("env.id=InvertedPendulum-v5", "run.seed=3");
  check_resumed("run.eval_every=500", "run.eval_episodes=2");
}

// A run that gets worse: its best return so far would stand at the save of a stop, if that save
// counted.
static void test_stop_is_no_best(void **state) {
  (void)state;
  check_resumed("ppo.ent_coef=20", "ppo.learning_rate=0.05");
}

// The step and mean return of the best row of metrics.csv behind which there is a checkpoint.
static int64_t best_row(const RlRun *r, double *best) {
  char path[RL_PATH_SIZE], line[RL_METRICS_ROW];
  int64_t best_step = -1;
  long long step;
  double mean;
  snprintf(path, sizeof path, "%.3000s/metrics.csv", r->folder.dir);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  while (fgets(line, sizeof line, file)) {
    if (sscanf(line, "%lld,%*[^,],%*[^,],%lf", &step, &mean) != 2) continue;
    rl_folder_checkpoint(&r->folder, step, path);
    if (access(path, F_OK) != 0 || (best_step >= 0 && !(mean > *best))) continue;
    best_step = step;
    *best = mean;
  }
  fclose(file);
  return best_step;
}

// A run that gets worse: without evaluations the best is the best mean return at a save, and it is
// not the last save's.
static void test_best_of_saves(void **state) {
  (void)state;
  double best = 0;
  stop_after(1 << 30);
  CREATE(&run, SHORT, "ppo.ent_coef=20", "ppo.learning_rate=0.05", "env.max_episode_steps=20");
  train(&run);
  int64_t best_step = best_row(&run, &best);
  assert_in_range(best_step, 1, run.counters.step - 1);
  assert_int_equal(run.counters.best_step, best_step);
  if (!(fabs(run.counters.best - best) <= 1e-7 * fabs(best))) {
    fail_msg("best %.9g, expected %.9g", run.counters.best, best);
  }
  rl_run_free(&run);
}

// A run without an episode or an evaluation to go by ends with its last policy as the best it has,
// and goes on without taking that for a result.
static void test_best_of_none(void **state) {
  (void)state;
  char dir[RL_PATH_SIZE], path[RL_PATH_SIZE], target[64] = "";
  stop_after(1 << 30);
  CREATE(&run, SHORT, "run.eval_every=1000000", "run.eval_episodes=1");
  train(&run);
  assert_false(run.counters.has_best);
  snprintf(dir, sizeof dir, "%s", run.folder.dir);
  rl_folder_path(&run.folder, "best.h5", path);
  assert_true(readlink(path, target, sizeof target - 1) > 0);
  char last[64];
  snprintf(last, sizeof last, "checkpoints/%012d.h5", (int)run.counters.step);
  assert_string_equal(target, last);
  rl_run_free(&run);
  resume(&run, dir, 1, true);
  assert_false(run.counters.has_best);
  rl_run_free(&run);
}

static void test_finished(void **state) {
  (void)state;
  char dir[RL_PATH_SIZE], path[RL_PATH_SIZE];
  stop_after(1 << 30);
  CREATE(&run, SHORT);
  snprintf(dir, sizeof dir, "%s", run.folder.dir);
  train(&run);
  rl_run_free(&run);
  resume(&run, dir, 0, true);
  assert_int_equal(run.counters.step, 1500);
  // of every save the newest two resume files are kept, and every checkpoint
  snprintf(path, sizeof path, "%.3000s/resume", dir);
  assert_int_equal(scratch_count(path), 2);
  snprintf(path, sizeof path, "%.3000s/checkpoints", dir);
  assert_int_equal(scratch_count(path), 4);
  rl_run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_threads),       SCRATCH_TEST(test_threads_large_minibatch),
      SCRATCH_TEST(test_seed),          SCRATCH_TEST(test_evaluation_changes_nothing),
      SCRATCH_TEST(test_resumed),       SCRATCH_TEST(test_stop_is_no_best),
      SCRATCH_TEST(test_best_of_saves), SCRATCH_TEST(test_best_of_none),
      SCRATCH_TEST(test_finished),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
