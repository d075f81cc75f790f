// Whole runs of SAC: the same bytes at any number of threads, whether or not the run evaluates, and
// however often it is stopped and resumed; when updates are due; what metrics.csv says.
#include "tests/unit/rl/detail_sac.h"
#include "tests/unit/rl/pieces.h"

static RlRun run, twin;

static void train(RlRun *r) {
  if (rl_train_sac(r) != RL_OK) fail_msg("%s", rl_error_text());
}

// several environments, and a buffer that is filled three times over
#define SHORT                                                                               \
  "run.total_steps=900", "run.checkpoint_every=250", "run.log_every=90", "env.n_envs=3",    \
      "sac.buffer_size=300", "sac.learning_starts=100", "sac.train_freq=2", "sac.n_step=3", \
      "normalize.obs=true"

// Hardly an update, but segments: written, listed and gone again.
#define LONG                                                                          \
  "env.id=InvertedPendulum-v5", "run.total_steps=34000", "run.checkpoint_every=9000", \
      "run.log_every=7000", "env.n_envs=8", "sac.buffer_size=17000", "sac.train_freq=500"

// ---------------------------------------------------------------- the same bytes

// every file of a folder of two runs; returns how many there are
static int compare_folders(const char *name) {
  char a[RL_PATH_SIZE], b[RL_PATH_SIZE], x[2 * RL_PATH_SIZE], y[2 * RL_PATH_SIZE];
  int count = 0;
  rl_folder_path(&run.folder, name, a);
  rl_folder_path(&twin.folder, name, b);
  assert_int_equal(scratch_count(a), scratch_count(b));
  DIR *list = opendir(a);
  assert_non_null(list);
  for (struct dirent *entry = readdir(list); entry; entry = readdir(list)) {
    if (!strstr(entry->d_name, ".h5")) continue;
    snprintf(x, sizeof x, "%s/%s", a, entry->d_name);
    snprintf(y, sizeof y, "%s/%s", b, entry->d_name);
    assert_same_file(x, y, true);
    count++;
  }
  closedir(list);
  return count;
}

static void check_threads(const char *const *set, int checkpoints, int segments) {
  static const char *const threads[] = {"run.threads=1", "run.threads=2", "run.threads=3"};
  const char *all[16];
  int n = 0;
  while (set[n]) all[n] = set[n], n++;
  all[n + 1] = NULL;
  for (int k = 0; k < 3; k++) {
    all[n] = threads[k];
    detail_create(k ? &twin : &run, detail_sac_ini, all);
    train(k ? &twin : &run);
    if (k == 0) continue;
    assert_int_equal(twin.threads, k + 1);
    assert_int_equal(compare_folders("checkpoints"), checkpoints);
    assert_int_equal(compare_folders("resume"), 2);
    assert_int_equal(compare_folders("resume/replay"), segments);
    rl_run_free(&twin);
  }
  rl_run_free(&run);
}

static void test_threads(void **state) {
  (void)state;
  static const char *const small[] = {SHORT, NULL}, *const large[] = {LONG, NULL};
  // a minibatch of several blocks, both critics' jobs beside each other
  static const char *const blocks[] = {SHORT, "sac.batch_size=300", "sac.train_freq=20", NULL};
  check_threads(small, 4, 0);
  check_threads(blocks, 4, 0);
  check_threads(large, 4, 2);
}

// another seed draws everything anew: weights, noise, resets, minibatches
static void test_seed(void **state) {
  (void)state;
  START_SAC(&run, "run.seed=3");
  START_SAC(&twin, "run.seed=4");
  const RlPolicy *p = &run.policy, *q = &twin.policy;
  assert_true(p->actor.mlp.W[0][0] != q->actor.mlp.W[0][0]);
  for (int c = 0; c < 2; c++) assert_true(p->critic[c].W[0][0] != q->critic[c].W[0][0]);
  assert_true(p->critic[0].W[0][0] != p->critic[1].W[0][0]);
  assert_memory_not_equal(&run.sac.draw_rng, &twin.sac.draw_rng, sizeof(RlRng));
  for (int b = 0; b < RL_SAC_MAX_BLOCKS; b++) {
    assert_memory_not_equal(&run.sac.noise_rng[b], &twin.sac.noise_rng[b], sizeof(RlRng));
  }
  for (int n = 0; n < 4; n++) {
    assert_memory_not_equal(&run.explorer.act_rng[n], &twin.explorer.act_rng[n], sizeof(RlRng));
    assert_memory_not_equal(&run.env.rng[n], &twin.env.rng[n], sizeof(RlRng));
  }
  assert_true(run.env.obs[8] != twin.env.obs[8]);
  rl_run_free(&run);
  rl_run_free(&twin);
}

static void same_reals(const RlReal *a, const RlReal *b, int n) {
  assert_memory_equal(a, b, (size_t)n * sizeof(RlReal));
}

static void same_net(const RlSacNet *a, const RlSacNet *b) {
  same_reals(a->mlp->param, b->mlp->param, a->mlp->nparam);
  same_reals(a->adam.m, b->adam.m, a->adam.n);
  same_reals(a->adam.v, b->adam.v, a->adam.n);
  assert_int_equal(a->adam.step, b->adam.step);
}

static void test_evaluation_changes_nothing_of_sac(void **state) {
  (void)state;
  CREATE_SAC(&run, SHORT, "run.eval_every=0");
  CREATE_SAC(&twin, SHORT, "run.eval_every=240", "run.eval_episodes=3");
  train(&run);
  train(&twin);
  assert_true(isnan(run.eval_mean) && isfinite(twin.eval_mean));
  same_net(&run.sac.actor_net, &twin.sac.actor_net);
  for (int c = 0; c < 2; c++) {
    same_net(&run.sac.critic_net[c], &twin.sac.critic_net[c]);
    same_reals(run.sac.target[c].param, twin.sac.target[c].param, run.sac.target[c].nparam);
  }
  assert_true(run.sac.log_alpha == twin.sac.log_alpha);
  assert_memory_equal(&run.sac.draw_rng, &twin.sac.draw_rng, sizeof(RlRng));
  assert_memory_equal(run.sac.noise_rng, twin.sac.noise_rng, sizeof run.sac.noise_rng);
  assert_memory_equal(run.explorer.act_rng, twin.explorer.act_rng, 3 * sizeof(RlRng));
  assert_memory_equal(run.env.rng, twin.env.rng, 3 * sizeof(RlRng));
  assert_memory_equal(run.env.obs, twin.env.obs, 30 * sizeof(float));
  assert_memory_equal(run.replay.obs, twin.replay.obs, 300 * 10 * sizeof(float));
  assert_memory_equal(run.policy.norm.m2, twin.policy.norm.m2, 10 * sizeof(double));
  rl_run_free(&run);
  rl_run_free(&twin);
}

// ---------------------------------------------------------------- stopped and resumed

// Trains to the end in pieces of so many rows of progress each; twin is left finished.
static void train_in_pieces(int lines, const char *const *set) {
  char dir[RL_PATH_SIZE];
  int pieces = 1;
  stop_after(lines);
  detail_create(&twin, detail_sac_ini, set);
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

// the segments that the last resume file lists
static void compare_segments(void) {
  char x[RL_PATH_SIZE], y[RL_PATH_SIZE];
  const RlReplayFile *a = &run.replay_file, *b = &twin.replay_file;
  assert_int_equal(a->first, b->first);
  assert_int_equal(a->count, b->count);
  for (int k = 0; k < a->count; k++) {
    rl_folder_segment(&run.folder, a->first + k * a->segment, x);
    rl_folder_segment(&twin.folder, a->first + k * a->segment, y);
    assert_same_file(x, y, true);
  }
}

static void check_resumed(const char *const *set, int most, int segments) {
  stop_after(1 << 30);
  detail_create(&run, detail_sac_ini, set);
  train(&run);
  assert_int_equal(run.replay_file.count, segments);
  for (int lines = 1; lines <= most; lines++) {
    train_in_pieces(lines, set);
    assert_int_equal(twin.counters.step, run.counters.step);
    compare_files(&run, &twin, true);
    compare_segments();
    rl_run_free(&twin);
  }
  rl_run_free(&run);
}

static void test_resumed_sac(void **state) {
  (void)state;
  static const char *const saved[] = {SHORT, NULL};
  static const char *const unsaved[] = {SHORT, "run.checkpoint_every=0", "sac.buffer_size=4000",
                                        "env.max_episode_steps=20", NULL};
  static const char *const falling[] = {SHORT, "env.id=InvertedDoublePendulum-v5",
                                        "sac.policy_delay=3", "sac.target_update_interval=2", NULL};
  static const char *const evaluated[] = {SHORT, "run.eval_every=200", "run.eval_episodes=2", NULL};
  check_resumed(saved, 3, 0);
  check_resumed(unsaved, 3, 0);
  check_resumed(falling, 3, 0);
  check_resumed(evaluated, 2, 0);
}

// the ring wraps through segments; pieces end inside them
static void test_resumed_segments(void **state) {
  (void)state;
  static const char *const set[] = {LONG, NULL};
  check_resumed(set, 2, 1);
}

// ---------------------------------------------------------------- how a run begins and ends

static void test_init_from(void **state) {
  (void)state;
  char path[RL_PATH_SIZE], dir[RL_PATH_SIZE];
  stop_after(1 << 30);
  CREATE_SAC(&run, SHORT);
  train(&run);
  rl_folder_checkpoint(&run.folder, run.counters.step, path);
  RlConfig config;
  detail_configure(&config, detail_sac_ini, (const char *const[]){SHORT, "run.seed=8", NULL});
  RlRunRequest request = {.out = scratch_path("from"),
                          .init_from = path,
                          .mode = RL_PROGRESS_PLAIN,
                          .show = detail_show};
  if (rl_run_create(&twin, &config, &request) != RL_OK) fail_msg("%s", rl_error_text());
  snprintf(dir, sizeof dir, "%s", twin.folder.dir);
  // the second time as a run that was killed before its first save
  for (int again = 0; again < 2; again++) {
    if (again) resume(&twin, dir, 2, false);
    rl_train_sac_begin(&twin);
    const RlMlp *actor = &run.policy.actor.mlp;
    same_reals(twin.policy.actor.mlp.param, actor->param, actor->nparam);
    for (int c = 0; c < 2; c++) {
      const RlMlp *critic = &run.policy.critic[c];
      same_reals(twin.policy.critic[c].param, critic->param, critic->nparam);
      same_reals(twin.sac.target[c].param, critic->param, critic->nparam);
      assert_int_equal(twin.sac.critic_net[c].adam.step, 0);
    }
    assert_near(twin.policy.norm.count, 900, 0);
    assert_true(rl_replay_count(&twin.replay) == 0 && twin.counters.step == 0);
    assert_true(rl_sac_alpha(&twin.sac) == 1);
    if (again) train(&twin);
    if (again) assert_int_equal(twin.counters.step, 900);
    rl_run_free(&twin);
  }
  rl_run_free(&run);
}

// A run shorter than learning_starts never learns and ends like any other.
static void test_never_learns(void **state) {
  (void)state;
  char dir[RL_PATH_SIZE];
  stop_after(1 << 30);
  CREATE_SAC(&run, SHORT, "sac.learning_starts=2000");
  START_SAC(&twin, SHORT, "sac.learning_starts=2000");
  snprintf(dir, sizeof dir, "%s", run.folder.dir);
  train(&run);
  assert_int_equal(run.counters.updates, 0);
  assert_int_equal(run.sac.updates, 0);
  same_net(&run.sac.actor_net, &twin.sac.actor_net);
  assert_memory_equal(&run.sac.draw_rng, &twin.sac.draw_rng, sizeof(RlRng));
  rl_run_free(&run);
  rl_run_free(&twin);
  resume(&run, dir, 0, true);
  assert_int_equal(run.counters.step, 900);
  rl_run_free(&run);
}

// ---------------------------------------------------------------- when updates are due

// Updates behind so many steps: gradient_steps at each multiple of train_freq past learning_starts.
static int64_t updates_by(const RlSacOptions *o, int64_t step) {
  int64_t count = 0;
  for (int64_t s = o->learning_starts + 1; s <= step; s++) count += s % o->train_freq == 0;
  return count * o->gradient_steps;
}

static void test_updates_due(void **state) {
  (void)state;
  static const char *const freq[] = {"sac.train_freq=1", "sac.train_freq=4", "sac.train_freq=7"};
  static const char *const steps[] = {"sac.gradient_steps=1", "sac.gradient_steps=3"};
  static const char *const envs[] = {"env.n_envs=1", "env.n_envs=3", "env.n_envs=8"};
  static const char *const starts[] = {"sac.learning_starts=0", "sac.learning_starts=21"};
  for (int k = 0; k < 3 * 2 * 3 * 2; k++) {
    START_SAC(&run, "env.id=InvertedPendulum-v5", "policy.hidden=4", "sac.batch_size=1",
              freq[k % 3], steps[k / 3 % 2], envs[k / 6 % 3], starts[k / 18]);
    RlSacMeans means = {0};
    while (run.counters.step < 60) {
      int64_t before = run.counters.step;
      rl_train_sac_iterate(&run, &means);
      assert_int_equal(run.counters.step, before + run.env.N);
      assert_int_equal(run.explorer.random, before < run.config.sac.learning_starts);
      assert_int_equal(run.sac.updates, updates_by(&run.config.sac, run.counters.step));
      assert_int_equal(run.counters.updates, run.sac.updates);
    }
    assert_int_equal(means.critics, run.counters.updates);
    rl_run_free(&run);
  }
}

// ---------------------------------------------------------------- metrics.csv

enum { ROWS = 32, CELLS = 28 };

static struct {
  char text[1 << 16];
  char *cell[ROWS][CELLS];
  int rows;
} table;

static void read_table(void) {
  char path[RL_PATH_SIZE];
  size_t size;
  rl_folder_path(&run.folder, "metrics.csv", path);
  char *text = (char *)scratch_get(path, &size), *line;
  assert_true(size < sizeof table.text);
  memcpy(table.text, text, size + 1);
  free(text);
  char *rest = table.text;
  for (table.rows = 0; (line = strsep(&rest, "\n")) && *line; table.rows++) {
    assert_true(table.rows < ROWS);
    for (int i = 0; i < CELLS; i++) {
      table.cell[table.rows][i] = strsep(&line, ",");
      assert_non_null(table.cell[table.rows][i]);
    }
    assert_null(line);
  }
}

static const char *cell(int row, const char *column) {
  for (int i = 0; i < CELLS; i++) {
    if (strcmp(table.cell[0][i], column) == 0) return table.cell[row][i];
  }
  fail_msg("metrics.csv: found no column %s", column);
  return NULL;
}

static void check_rows(const char *total, const int *step, int n) {
  CREATE_SAC(&run, SHORT, "run.log_every=100", total, "sac.learning_starts=150",
             "sac.train_freq=1");
  train(&run);
  read_table();
  assert_int_equal(table.rows, n + 1);
  for (int i = 0; i < n; i++) assert_int_equal(atoi(cell(i + 1, "step")), step[i]);
}

// a row at the first vector step at or past each multiple of log_every, and one at the end
static void test_rows(void **state) {
  (void)state;
  stop_after(1 << 30);
  check_rows("run.total_steps=640", (const int[]){102, 201, 300, 402, 501, 600, 642}, 7);
  rl_run_free(&run);
  check_rows("run.total_steps=500", (const int[]){102, 201, 300, 402, 501}, 5);
  rl_run_free(&run);
}

static void test_columns(void **state) {
  (void)state;
  static const char header[] =
      "step,seconds,steps_per_second,episode_return_mean,episode_length_mean,actor_loss,"
      "critic_loss,ent_coef,ent_coef_loss,entropy,learning_rate,q1_mean,q2_mean,q_gap,q_std,"
      "saturation,std,actor_grad_norm,critic_grad_norm,n_updates,skipped_updates,diverged,"
      "replay_size,eval_return_mean,collect_share,infer_share,learn_share,evaluate_share";
  stop_after(1 << 30);
  check_rows("run.total_steps=500", (const int[]){102, 201, 300, 402, 501}, 5);
  char *expected = strdup(header), *rest = expected;
  for (int i = 0; i < CELLS; i++) assert_string_equal(table.cell[0][i], strsep(&rest, ","));
  assert_null(rest);
  free(expected);
  // before the first update there is nothing to say of one, before an episode's end nothing of it
  assert_string_equal(cell(1, "actor_loss"), "");
  assert_string_equal(cell(1, "ent_coef"), "");
  assert_string_equal(cell(1, "n_updates"), "0");
  assert_string_equal(cell(1, "episode_return_mean"), "");
  assert_string_equal(cell(2, "episode_length_mean"), "50");
  assert_string_equal(cell(2, "n_updates"), "51");
  assert_string_equal(cell(5, "n_updates"), "351");
  assert_string_equal(cell(5, "skipped_updates"), "0");
  assert_string_equal(cell(5, "learning_rate"), "0.0003");
  assert_string_equal(cell(1, "replay_size"), "102");
  assert_string_equal(cell(5, "replay_size"), "300");
  assert_string_equal(cell(5, "eval_return_mean"), "");
  for (int row = 2; row <= 5; row++) {
    assert_true(atof(cell(row, "critic_loss")) > 0 && atof(cell(row, "std")) > 0);
    assert_true(atof(cell(row, "ent_coef")) < atof(cell(row - 1, "ent_coef")) || row == 2);
  }
  rl_run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_threads),
      SCRATCH_TEST(test_seed),
      SCRATCH_TEST(test_evaluation_changes_nothing_of_sac),
      SCRATCH_TEST(test_resumed_sac),
      SCRATCH_TEST(test_resumed_segments),
      SCRATCH_TEST(test_init_from),
      SCRATCH_TEST(test_never_learns),
      SCRATCH_TEST(test_updates_due),
      SCRATCH_TEST(test_rows),
      SCRATCH_TEST(test_columns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
