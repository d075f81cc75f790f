// The run folder: refused when not empty, locked against a second writer, links and pruning that
// never leave less than there was.
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "rl/run/folder.h"
#include "rl/run/version.h"
#include "tests/unit/rl/scratch.h"

static void expect_error(RlStatus found, RlStatus expected, const char *word) {
  assert_int_equal(found, expected);
  if (!strstr(rl_error_text(), word)) fail_msg("\"%s\" lacks \"%s\"", rl_error_text(), word);
}

static RlFolder create(const char *name) {
  RlFolder folder;
  if (rl_folder_create(&folder, scratch_path(name)) != RL_OK) fail_msg("%s", rl_error_text());
  return folder;
}

static RlFolder create_run(const char *name) {
  RlFolder folder = create(name);
  assert_int_equal(rl_folder_write(&folder, "config.ini", "\n"), RL_OK);
  return folder;
}

static void put_resume(const RlFolder *folder, int64_t step) {
  char path[RL_PATH_SIZE];
  rl_folder_resume(folder, step, path);
  scratch_put(path, "x", 1);
}

static void test_create(void **state) {
  (void)state;
  char path[RL_PATH_SIZE];
  RlFolder folder = create("runs/deep/a///");
  assert_int_equal(scratch_count(scratch_path("runs/deep/a")), 3);
  rl_folder_path(&folder, "metrics.csv", path);
  assert_string_equal(path, scratch_path("runs/deep/a/metrics.csv"));
  rl_folder_checkpoint(&folder, 4096, path);
  assert_string_equal(path, scratch_path("runs/deep/a/checkpoints/000000004096.h5"));
  rl_folder_resume(&folder, 1234567890123, path);
  assert_string_equal(path, scratch_path("runs/deep/a/resume/1234567890123.h5"));
  rl_folder_close(&folder);
  rl_folder_close(&folder);
}

static void test_refused(void **state) {
  (void)state;
  RlFolder folder = create("a"), again;
  rl_folder_close(&folder);
  expect_error(rl_folder_create(&again, scratch_path("a")), RL_USAGE, "expected a new or empty");
  rl_folder_close(&again);
  assert_int_equal(mkdir(scratch_path("empty"), 0700), 0);
  folder = create("empty");
  rl_folder_close(&folder);
  assert_int_equal(mkdir(scratch_path("full"), 0700), 0);
  scratch_put(scratch_path("full/.hidden"), "x", 1);
  expect_error(rl_folder_create(&again, scratch_path("full")), RL_USAGE, ".hidden");
  assert_int_equal(scratch_count(scratch_path("full")), 1);
  scratch_put(scratch_path("file"), "x", 1);
  expect_error(rl_folder_create(&again, scratch_path("file")), RL_USAGE, "found a file");
  expect_error(rl_folder_create(&again, scratch_path("file/run")), RL_FAIL, "Not a directory");
  expect_error(rl_folder_create(&again, "/proc/rltrain"), RL_FAIL, "/proc/rltrain");
  expect_error(rl_folder_create(&again, ""), RL_USAGE, "empty name");
  char *longest = malloc(RL_PATH_SIZE + 1);
  memset(longest, 'a', RL_PATH_SIZE);
  longest[RL_PATH_SIZE] = '\0';
  expect_error(rl_folder_create(&again, longest), RL_USAGE, "longer than");
  free(longest);
}

// what could not be begun leaves nothing behind, and takes nothing away that holds a file
static void test_discard(void **state) {
  (void)state;
  RlFolder folder = create("deep/a");
  assert_int_equal(rl_folder_make_segments(&folder), RL_OK);
  rl_folder_discard(&folder);
  assert_int_equal(folder.lock, -1);
  assert_int_equal(scratch_count(scratch_path("deep")), 0);
  // the user's own folder stays
  assert_int_equal(mkdir(scratch_path("mine"), 0700), 0);
  folder = create("mine");
  rl_folder_discard(&folder);
  assert_int_equal(scratch_count(scratch_path("mine")), 0);
  folder = create("deep/a");
  put_resume(&folder, 7);
  scratch_put(scratch_path("deep/a/config.ini"), "x", 1);
  rl_folder_discard(&folder);
  assert_true(scratch_exists(scratch_path("deep/a/resume/000000000007.h5")));
  assert_true(scratch_exists(scratch_path("deep/a/config.ini")));
}

static void test_lock(void **state) {
  (void)state;
  RlFolder folder = create_run("a"), other;
  char holder[64];
  snprintf(holder, sizeof holder, "process %ld writes to this folder", (long)getpid());
  expect_error(rl_folder_open(&other, scratch_path("a")), RL_FAIL, holder);
  expect_error(rl_folder_open(&other, scratch_path("a")), RL_FAIL, "a/.lock");
  rl_folder_close(&folder);
  assert_int_equal(rl_folder_open(&other, scratch_path("a")), RL_OK);
  // the refused ones took nothing away from the holder
  expect_error(rl_folder_open(&folder, scratch_path("a")), RL_FAIL, holder);
  rl_folder_close(&other);
}

// --resume in a wrong place: nothing is removed from a folder that is no run, and nothing made
static void test_no_run(void **state) {
  (void)state;
  RlFolder folder;
  assert_int_equal(mkdir(scratch_path("a"), 0700), 0);
  scratch_put(scratch_path("a/.tmp-notes"), "x", 1);
  expect_error(rl_folder_open(&folder, scratch_path("a")), RL_FAIL, "a/config.ini: cannot read");
  assert_int_equal(scratch_count(scratch_path("a")), 1);
  assert_true(scratch_exists(scratch_path("a/.tmp-notes")));
  rl_folder_close(&folder);
}

// a process that dies gives its lock back, and its leftovers are removed
static void test_dead_run(void **state) {
  (void)state;
  pid_t child = fork();
  if (child == 0) {
    RlFolder folder;
    if (rl_folder_create(&folder, scratch_path("a")) != RL_OK) _exit(1);
    scratch_put(scratch_path("a/config.ini"), "x", 1);
    scratch_put(scratch_path("a/.tmp-config.ini-7"), "x", 1);
    scratch_put(scratch_path("a/checkpoints/.tmp-000000000007.h5-7"), "x", 1);
    scratch_put(scratch_path("a/resume/.tmp-000000000007.h5-7"), "x", 1);
    put_resume(&folder, 6);
    _exit(0);
  }
  int status;
  RlFolder folder;
  waitpid(child, &status, 0);
  assert_int_equal(status, 0);
  assert_int_equal(rl_folder_open(&folder, scratch_path("a")), RL_OK);
  assert_int_equal(scratch_count(scratch_path("a")), 4);
  assert_int_equal(scratch_count(scratch_path("a/checkpoints")), 0);
  assert_int_equal(scratch_count(scratch_path("a/resume")), 1);
  rl_folder_close(&folder);
  // stopped before it had made them
  assert_int_equal(rmdir(scratch_path("a/checkpoints")), 0);
  assert_int_equal(rl_folder_open(&folder, scratch_path("a")), RL_OK);
  assert_int_equal(scratch_count(scratch_path("a/checkpoints")), 0);
  rl_folder_close(&folder);
  expect_error(rl_folder_open(&folder, scratch_path("b")), RL_FAIL, "No such file");
  scratch_put(scratch_path("file"), "x", 1);
  expect_error(rl_folder_open(&folder, scratch_path("file")), RL_USAGE, "found a file");
}

static void expect_link(const char *name, const char *expected) {
  char target[256] = "";
  ssize_t n = readlink(scratch_path(name), target, sizeof target - 1);
  assert_true(n > 0);
  assert_string_equal(target, expected);
}

static void test_link(void **state) {
  (void)state;
  RlFolder folder = create("a");
  scratch_put(scratch_path("a/checkpoints/000000000010.h5"), "ten", 3);
  assert_int_equal(rl_folder_link(&folder, "latest.h5", 10), RL_OK);
  expect_link("a/latest.h5", "checkpoints/000000000010.h5");
  size_t size;
  uint8_t *data = scratch_get(scratch_path("a/latest.h5"), &size);
  assert_string_equal((char *)data, "ten");
  free(data);
  assert_int_equal(rl_folder_link(&folder, "latest.h5", 20), RL_OK);
  expect_link("a/latest.h5", "checkpoints/000000000020.h5");
  // the checkpoint behind the old link is untouched, and no temporary name is left
  assert_true(scratch_exists(scratch_path("a/checkpoints/000000000010.h5")));
  assert_int_equal(scratch_count(scratch_path("a")), 4);
  // a stale temporary link of this very process id is no obstacle
  char stale[64];
  snprintf(stale, sizeof stale, "a/.tmp-latest.h5-%ld", (long)getpid());
  assert_int_equal(symlink("nowhere", scratch_path(stale)), 0);
  assert_int_equal(rl_folder_link(&folder, "latest.h5", 30), RL_OK);
  expect_link("a/latest.h5", "checkpoints/000000000030.h5");
  // a folder in the link's place stops the rename and nothing else
  assert_int_equal(mkdir(scratch_path("a/best.h5"), 0700), 0);
  expect_error(rl_folder_link(&folder, "best.h5", 30), RL_FAIL, "best.h5: cannot link");
  assert_int_equal(scratch_count(scratch_path("a")), 5);
  rl_folder_close(&folder);
}

// while links are replaced, another process always finds one
static void test_link_is_atomic(void **state) {
  (void)state;
  RlFolder folder = create("a");
  assert_int_equal(rl_folder_link(&folder, "latest.h5", 0), RL_OK);
  pid_t child = fork();
  if (child == 0) {
    for (int64_t step = 1; step < 400; step++) {
      if (rl_folder_link(&folder, "latest.h5", step) != RL_OK) _exit(1);
    }
    _exit(0);
  }
  const char *path = scratch_path("a/latest.h5");
  int status, missing = 0;
  while (waitpid(child, &status, WNOHANG) == 0) missing += !scratch_exists(path);
  assert_int_equal(status, 0);
  assert_int_equal(missing, 0);
  expect_link("a/latest.h5", "checkpoints/000000000399.h5");
  rl_folder_close(&folder);
}

static void test_list(void **state) {
  (void)state;
  RlFolder folder = create("a");
  int64_t step[RL_FOLDER_STEPS];
  int count = -1;
  assert_int_equal(rl_folder_list(&folder, step, &count), RL_OK);
  assert_int_equal(count, 0);
  const int64_t made[] = {20, 0, 1000000000000, 999999999999, 3};
  for (size_t i = 0; i < 5; i++) put_resume(&folder, made[i]);
  // names a save does not give
  const char *other[] = {"12.h5",           "000000000012.h5x", "000000000012",
                         "-00000000012.h5", "0000000000012.h5", " 00000000012.h5",
                         "latest.h5",       "00000000001a.h5",  "99999999999999999999.h5"};
  for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
    char name[64];
    snprintf(name, sizeof name, "a/resume/%s", other[i]);
    scratch_put(scratch_path(name), "x", 1);
  }
  assert_int_equal(rl_folder_list(&folder, step, &count), RL_OK);
  const int64_t expected[] = {1000000000000, 999999999999, 20, 3, 0};
  assert_int_equal(count, 5);
  assert_memory_equal(step, expected, sizeof expected);
  // more than fit: the newest are listed
  for (int64_t i = 100; i < 200; i++) put_resume(&folder, i);
  assert_int_equal(rl_folder_list(&folder, step, &count), RL_OK);
  assert_int_equal(count, RL_FOLDER_STEPS);
  assert_true(step[0] == 1000000000000 && step[2] == 199 && step[RL_FOLDER_STEPS - 1] == 138);
  rl_folder_close(&folder);
}

static void expect_steps(const RlFolder *folder, int64_t newest, int64_t older) {
  int64_t step[RL_FOLDER_STEPS];
  int count;
  assert_int_equal(rl_folder_list(folder, step, &count), RL_OK);
  assert_int_equal(count, older < 0 ? 1 : 2);
  assert_int_equal(step[0], newest);
  if (older >= 0) assert_int_equal(step[1], older);
}

static void test_prune(void **state) {
  (void)state;
  RlFolder folder = create("a");
  for (int64_t step = 10; step <= 50; step += 10) put_resume(&folder, step);
  scratch_put(scratch_path("a/resume/notes.txt"), "x", 1);
  // the file just saved is not there: nothing is removed
  expect_error(rl_folder_prune(&folder, 60, 50), RL_FAIL, "nothing removed");
  assert_int_equal(scratch_count(scratch_path("a/resume")), 6);
  assert_int_equal(rl_folder_prune(&folder, 50, 40), RL_OK);
  expect_steps(&folder, 50, 40);
  assert_true(scratch_exists(scratch_path("a/resume/notes.txt")));
  // 50 turned out damaged, the run went on from 40: the sound one is the one kept, and 50 is not
  // judged before the run has passed it
  put_resume(&folder, 45);
  assert_int_equal(rl_folder_prune(&folder, 45, 40), RL_OK);
  assert_int_equal(scratch_count(scratch_path("a/resume")), 4);
  put_resume(&folder, 55);
  assert_int_equal(rl_folder_prune(&folder, 55, 45), RL_OK);
  expect_steps(&folder, 55, 45);
  assert_int_equal(rl_folder_prune(&folder, 55, -1), RL_OK);
  expect_steps(&folder, 55, -1);
  // a folder with the name of a resume file is no reason to stop
  assert_int_equal(mkdir(scratch_path("a/resume/000000000020.h5"), 0700), 0);
  put_resume(&folder, 30);
  assert_int_equal(rl_folder_prune(&folder, 55, -1), RL_OK);
  expect_steps(&folder, 55, 20);
  rl_folder_close(&folder);
}

static void put_segment(const RlFolder *folder, int64_t vector_step) {
  char path[RL_PATH_SIZE];
  rl_folder_segment(folder, vector_step, path);
  scratch_put(path, "x", 1);
}

// the segments' folder is made when asked for, cleaned like the others and left alone by listings
static void test_segments(void **state) {
  (void)state;
  char path[RL_PATH_SIZE];
  int64_t step[RL_FOLDER_STEPS];
  int count;
  RlFolder folder = create_run("a");
  rl_folder_segment(&folder, 8192, path);
  assert_string_equal(path, scratch_path("a/resume/replay/000000008192.h5"));
  assert_int_equal(scratch_count(scratch_path("a/resume")), 0);
  assert_int_equal(rl_folder_prune_segments(&folder, 5), RL_OK);
  assert_int_equal(rl_folder_make_segments(&folder), RL_OK);
  assert_int_equal(rl_folder_make_segments(&folder), RL_OK);
  for (int64_t first = 0; first < 50; first += 10) put_segment(&folder, first);
  scratch_put(scratch_path("a/resume/replay/notes.txt"), "x", 1);
  scratch_put(scratch_path("a/resume/replay/.tmp-000000000007.h5-7"), "x", 1);
  put_resume(&folder, 5);
  assert_int_equal(rl_folder_list(&folder, step, &count), RL_OK);
  assert_true(count == 1 && step[0] == 5);
  assert_int_equal(rl_folder_prune(&folder, 5, -1), RL_OK);
  assert_int_equal(scratch_count(scratch_path("a/resume/replay")), 7);
  rl_folder_close(&folder);
  assert_int_equal(rl_folder_open(&folder, scratch_path("a")), RL_OK);
  assert_int_equal(scratch_count(scratch_path("a/resume/replay")), 6);
  assert_int_equal(rl_folder_prune_segments(&folder, 0), RL_OK);
  assert_int_equal(scratch_count(scratch_path("a/resume/replay")), 6);
  assert_int_equal(rl_folder_prune_segments(&folder, 20), RL_OK);
  assert_int_equal(scratch_count(scratch_path("a/resume/replay")), 4);
  assert_true(scratch_exists(scratch_path("a/resume/replay/000000000020.h5")));
  assert_true(scratch_exists(scratch_path("a/resume/replay/notes.txt")));
  assert_int_equal(mkdir(scratch_path("a/resume/replay/000000000001.h5"), 0700), 0);
  assert_int_equal(mkdir(scratch_path("a/resume/replay/.tmp-1"), 0700), 0);
  assert_int_equal(rl_folder_prune_segments(&folder, 20), RL_OK);
  rl_folder_close(&folder);
  assert_int_equal(rl_folder_open(&folder, scratch_path("a")), RL_OK);
  rl_folder_close(&folder);
}

static void test_write(void **state) {
  (void)state;
  size_t size;
  RlFolder folder = create("a");
  assert_int_equal(rl_folder_write(&folder, "config.ini", "[run]\n"), RL_OK);
  uint8_t *data = scratch_get(scratch_path("a/config.ini"), &size);
  assert_string_equal((char *)data, "[run]\n");
  free(data);
  rl_folder_close(&folder);
}

static void test_version(void **state) {
  (void)state;
  char text[2048], shorter[10];
  size_t n = rl_version_compose("0.1", "4.0.0", "avx2", text, sizeof text);
  assert_int_equal(n, strlen(text));
  const char *line[] = {"rltrain: 0.1\n", "mujoco: 4.0.0\n", "kernels: avx2\n", "\ncompiler: ",
                        "\nhdf5: 1.",     "\ncpu: ",         "\ncpu features:"};
  for (size_t i = 0; i < sizeof line / sizeof *line; i++) assert_non_null(strstr(text, line[i]));
  // nothing that tells machines apart that give the same bits
  char host[HOST_NAME_MAX + 1] = "";
  assert_int_equal(gethostname(host, sizeof host - 1), 0);
  if (strlen(host) > 5) assert_null(strstr(text, host));
  assert_int_equal(rl_version_compose("0.1", "4.0.0", "avx2", shorter, sizeof shorter), n);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_discard), SCRATCH_TEST(test_create),         SCRATCH_TEST(test_refused),
      SCRATCH_TEST(test_lock),    SCRATCH_TEST(test_no_run),         SCRATCH_TEST(test_dead_run),
      SCRATCH_TEST(test_link),    SCRATCH_TEST(test_link_is_atomic), SCRATCH_TEST(test_list),
      SCRATCH_TEST(test_prune),   SCRATCH_TEST(test_segments),       SCRATCH_TEST(test_write),
      SCRATCH_TEST(test_version),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
