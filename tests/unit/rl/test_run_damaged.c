// A run's folder in which something has gone wrong since the run stopped: what is sound is found,
// what is not is named in one line, what the loaded state still tells is put back, and nothing good
// is overwritten. Damage by the byte is in tests/system/test_damage.sh.
#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/rl/detail_sac.h"

static RlRun run;
static char dir[RL_PATH_SIZE];
static char *said;  // what the last resume showed

static const char *in_dir(const char *name) {
  static char path[4][RL_PATH_SIZE + 64];
  static int turn;
  turn = (turn + 1) % 4;
  snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
  return path[turn];
}

#define SHORT "run.total_steps=640", "run.checkpoint_every=256", "ppo.n_epochs=1"

// three saves, at 256, 512 and 640; the resume files of the last two are there
static void make_ppo(void) {
  CREATE(&run, SHORT);
  snprintf(dir, sizeof dir, "%s", run.folder.dir);
  if (rl_train_ppo(&run) != RL_OK) fail_msg("%s", rl_error_text());
  rl_run_free(&run);
}

// saved at 40, and 40 steps further
static void make_sac(void) {
  CREATE_SAC(&run, NO_UPDATES, "env.max_episode_steps=2");
  snprintf(dir, sizeof dir, "%s", run.folder.dir);
  assert_int_equal(rl_run_open_metrics(&run, NULL, 0), RL_OK);
  rl_train_sac_begin(&run);
  detail_sac_run(&run, 40);
  assert_int_equal(rl_run_save(&run, true), RL_OK);
  detail_sac_run(&run, 80);
}

static RlStatus resume(bool *finished) {
  size_t size;
  free(said);
  FILE *show = open_memstream(&said, &size);
  assert_non_null(show);
  RlRunRequest request = {.mode = RL_PROGRESS_PLAIN, .show = show};
  rl_error_clear();
  RlStatus status = rl_run_resume(&run, dir, 0, 0, &request, finished);
  run.progress.out = NULL;
  fclose(show);
  return status;
}

// continues at step, having said all of the words
static void expect_step(int64_t step, const char *const *word) {
  bool finished;
  if (resume(&finished) != RL_OK) fail_msg("%s", rl_error_text());
  assert_int_equal(run.counters.step, step);
  assert_string_equal(rl_error_text(), "");
  for (; *word; word++) {
    if (!strstr(said, *word)) fail_msg("\"%s\" lacks \"%s\"", said, *word);
  }
  rl_run_free(&run);
}

#define EXPECT_STEP(step, ...) expect_step((step), (const char *const[]){__VA_ARGS__, NULL})

static void expect_refused(RlStatus expected, const char *word) {
  bool finished;
  assert_int_equal(resume(&finished), expected);
  if (!strstr(rl_error_text(), word)) fail_msg("\"%s\" lacks \"%s\"", rl_error_text(), word);
  rl_run_free(&run);
}

// A config.ini that the resume files were not made with: to start again would be to lose them.
static void test_config_edited(void **state) {
  (void)state;
  size_t size;
  make_ppo();
  char *text = (char *)scratch_get(in_dir("config.ini"), &size);
  char *gamma = strstr(text, "gamma = 0.99");
  assert_non_null(gamma);
  gamma[11] = '8';
  scratch_put(in_dir("config.ini"), text, size);
  expect_refused(RL_USAGE, "config.ini: found \"gamma = 0.98\", expected \"gamma = 0.99");
  gamma[11] = '9';
  scratch_put(in_dir("config.ini"), text, size);
  EXPECT_STEP(640, "finished");
  // a pipe must not be waited for
  assert_int_equal(unlink(in_dir("config.ini")), 0);
  assert_int_equal(mkfifo(in_dir("config.ini"), 0600), 0);
  expect_refused(RL_FAIL, "config.ini: found a device or pipe");
  free(text);
}

static void test_misnamed(void **state) {
  (void)state;
  make_ppo();
  assert_int_equal(rename(in_dir("resume/000000000640.h5"), in_dir("resume/000000000900.h5")), 0);
  EXPECT_STEP(512, "skipped", "000000000900.h5: step: found 640, expected 900");
}

// what starts again says so, and how many files it did not take
static void test_none_sound(void **state) {
  (void)state;
  make_ppo();
  scratch_put(in_dir("resume/000000000640.h5"), "x", 1);
  scratch_put(in_dir("resume/000000000512.h5"), "", 0);
  EXPECT_STEP(0, "skipped", "000000000640.h5",
              "000000000512.h5: ", "no sound resume file among 2, starting again");
}

static void expect_same(const char *name, const uint8_t *data, size_t size) {
  size_t found;
  uint8_t *now = scratch_get(in_dir(name), &found);
  assert_true(found == size && memcmp(now, data, size) == 0);
  free(now);
}

static void test_put_back(void **state) {
  (void)state;
  size_t size, version_size;
  make_ppo();
  uint8_t *data = scratch_get(in_dir("checkpoints/000000000640.h5"), &size);
  uint8_t *version = scratch_get(in_dir("version.txt"), &version_size);
  assert_int_equal(unlink(in_dir("checkpoints/000000000640.h5")), 0);
  assert_int_equal(unlink(in_dir("version.txt")), 0);
  EXPECT_STEP(640, "000000000640.h5: cannot read", "000000000640.h5: written again");
  expect_same("checkpoints/000000000640.h5", data, size);
  expect_same("latest.h5", data, size);
  expect_same("version.txt", version, version_size);
  data[size / 2] ^= 1;
  scratch_put(in_dir("checkpoints/000000000640.h5"), data, size);
  data[size / 2] ^= 1;
  EXPECT_STEP(640, "written again");
  expect_same("checkpoints/000000000640.h5", data, size);
  // links that lead nowhere, and one that was removed
  assert_int_equal(unlink(in_dir("latest.h5")), 0);
  assert_int_equal(symlink("checkpoints/000000009999.h5", in_dir("latest.h5")), 0);
  assert_int_equal(unlink(in_dir("best.h5")), 0);
  EXPECT_STEP(640, "latest.h5: found no file", "best.h5: found no file");
  expect_same("latest.h5", data, size);
  assert_int_equal(access(in_dir("best.h5"), F_OK), 0);
  // what cannot be written is no reason to stop
  assert_int_equal(unlink(in_dir("checkpoints/000000000640.h5")), 0);
  assert_int_equal(mkdir(in_dir("checkpoints/000000000640.h5"), 0700), 0);
  EXPECT_STEP(640, "found a folder", "cannot write: Is a directory");
  free(data);
  free(version);
}

// the buffer's vector steps must be those of the step
static void test_replay_counts(void **state) {
  (void)state;
  make_sac();
  run.counters.step = 82;
  assert_int_equal(rl_run_save(&run, true), RL_OK);
  run.counters.step = 90;
  assert_int_equal(rl_run_save(&run, true), RL_OK);
  // which left 82 and 90
  rl_run_free(&run);
  EXPECT_STEP(0, "000000000090.h5: replay/written: found 20, expected 90 / 4",
              "000000000082.h5: replay/written: found 20, expected 82 / 4", "starting again");
}

// One value that no run writes, in a file that is sound otherwise: the file before it is taken.
static void forged(void (*forge)(RlRun *run), const char *said_of_it) {
  make_sac();
  forge(&run);
  assert_int_equal(rl_run_save(&run, false), RL_OK);
  rl_run_free(&run);
  EXPECT_STEP(40, "skipped", said_of_it);
}

static void forge_width(RlRun *r) {
  r->policy.actor_dim[1]++;
}

static void forge_skipped(RlRun *r) {
  r->sac.skipped_in_a_row = RL_PATIENCE;
}

// 20 vector steps in, every environment has just been reset
static void forge_length(RlRun *r) {
  assert_int_equal(r->env.running_length[3], 0);
  r->env.running_length[3] = 1;
}

static void test_forged(void **state) {
  (void)state;
  forged(forge_width, "actor/dim, critic/dim: found other widths");
  forged(forge_skipped, "counters/skipped_in_a_row: found 50, expected less than 50");
  forged(forge_length, "env/state: found environment 3 1 steps into its episode, expected at most");
}

// a damaged segment makes every file unsound that lists it, and each says which it is
static void test_shared_segment(void **state) {
  (void)state;
  CREATE_SAC(&run, NO_UPDATES, "sac.buffer_size=9000", "run.total_steps=8400",
             "run.checkpoint_every=8300");
  snprintf(dir, sizeof dir, "%s", run.folder.dir);
  if (rl_train_sac(&run) != RL_OK) fail_msg("%s", rl_error_text());
  assert_int_equal(run.replay_file.count, 1);
  rl_run_free(&run);
  assert_int_equal(unlink(in_dir("resume/replay/000000000000.h5")), 0);
  EXPECT_STEP(0, "resume/000000008400.h5, which needs", "resume/000000008300.h5, which needs",
              "replay/000000000000.h5: cannot read", "no sound resume file among 2");
}

// A run that cannot write its first files leaves no folder behind.
static void test_not_begun(void **state) {
  (void)state;
  RlConfig config;
  detail_configure(&config, detail_ini, NULL);
  make_ppo();
  // there is nothing to copy once the folder stands
  RlRunRequest request = {.out = scratch_path("new"),
                          .init_from = in_dir("latest.h5"),
                          .mode = RL_PROGRESS_PLAIN,
                          .show = detail_show};
  assert_int_equal(rl_run_create(&run, &config, &request), RL_OK);
  assert_true(scratch_exists(scratch_path("new/init.h5")));
  rl_run_free(&run);
  struct rlimit whole, small;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &whole), 0);
  small = whole;
  small.rlim_cur = 100;
  signal(SIGXFSZ, SIG_IGN);
  request.out = scratch_path("never");
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  RlStatus with_init = rl_run_create(&run, &config, &request);
  rl_run_free(&run);
  request.init_from = NULL;
  RlStatus without = rl_run_create(&run, &config, &request);
  rl_run_free(&run);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &whole), 0);
  assert_true(with_init == RL_FAIL && without == RL_FAIL);
  assert_false(scratch_exists(scratch_path("never")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_config_edited),  SCRATCH_TEST(test_misnamed),
      SCRATCH_TEST(test_none_sound),     SCRATCH_TEST(test_put_back),
      SCRATCH_TEST(test_replay_counts),  SCRATCH_TEST(test_forged),
      SCRATCH_TEST(test_shared_segment), SCRATCH_TEST(test_not_begun),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  free(said);
  return failed;
}
