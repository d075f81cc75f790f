// Writing files safely: whatever stops a save, the name holds the old bytes or the new ones, and
// nothing else is left behind.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "rl/base/file.h"
#include "rl/run/checkpoint.h"
#include "tests/unit/rl/scratch.h"

static const float small[3] = {1, 2, 3};

static void save_sample(const char *path) {
  RlField field = {"small", RL_F32, 1, {3}, (void *)(uintptr_t)small};
  if (rl_checkpoint_save(path, &field, 1) != RL_OK) fail_msg("%s", rl_error_text());
}

static RlCheckpoint *open_sound(const char *path) {
  RlCheckpoint *checkpoint;
  if (rl_checkpoint_open(&checkpoint, path) != RL_OK) fail_msg("%s", rl_error_text());
  return checkpoint;
}

// asserts that a save to path fails with word, changing nothing in its folder
static void expect_save_fails(const char *path, const char *word) {
  static float large[100000];
  RlField field = {"large", RL_F32, 1, {100000}, large};
  rl_error_clear();
  assert_int_equal(rl_checkpoint_save(path, &field, 1), RL_FAIL);
  if (!strstr(rl_error_text(), word) || !strstr(rl_error_text(), path)) {
    fail_msg("\"%s\" lacks \"%s\"", rl_error_text(), word);
  }
}

static void test_folder_missing(void **state) {
  (void)state;
  expect_save_fails(scratch_path("missing/a.h5"), "No such file");
  scratch_put(scratch_path("file"), "x", 1);
  expect_save_fails(scratch_path("file/a.h5"), "Not a directory");
  // a folder stands where the file would go: the rename is what fails
  assert_int_equal(mkdir(scratch_path("a.h5"), 0700), 0);
  expect_save_fails(scratch_path("a.h5"), "cannot write");
  assert_int_equal(scratch_count(scratch_dir), 2);
}

// a write that stops half-way (a limit on file size stands in for the disk)
static void test_write_stops(void **state) {
  (void)state;
  size_t size, again;
  struct rlimit limit, low = {100000, 100000};
  const char *path = scratch_path("a.h5");
  save_sample(path);
  uint8_t *before = scratch_get(path, &size);
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  low.rlim_max = limit.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
  expect_save_fails(path, "File too large");
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  assert_int_equal(scratch_count(scratch_dir), 1);
  uint8_t *after = scratch_get(path, &again);
  assert_int_equal(size, again);
  assert_memory_equal(before, after, size);
  free(before);
  free(after);
}

// a file system of 64 KiB, where this process may mount one
static void test_disk_full(void **state) {
  (void)state;
  const char *disk = scratch_path("disk");
  assert_int_equal(mkdir(disk, 0700), 0);
  if (mount("tmpfs", disk, "tmpfs", 0, "size=64k") != 0) skip();
  const char *path = scratch_path("disk/a.h5");
  save_sample(path);
  static float large[100000];
  RlField field = {"large", RL_F32, 1, {100000}, large};
  rl_error_clear();
  RlStatus status = rl_checkpoint_save(path, &field, 1);
  int count = scratch_count(disk);
  RlCheckpoint *checkpoint = NULL;
  RlStatus kept = rl_checkpoint_open(&checkpoint, path);
  rl_checkpoint_close(checkpoint);
  bool named = strstr(rl_error_text(), "no space left") && strstr(rl_error_text(), path);
  // and one that cannot be written to at all
  int readonly = mount("tmpfs", disk, "tmpfs", MS_REMOUNT | MS_RDONLY, "size=64k");
  RlStatus refused = rl_checkpoint_save(path, &field, 0);
  bool said = strstr(rl_error_text(), "Read-only") != NULL;
  umount(disk);
  assert_int_equal(status, RL_FAIL);
  assert_true(named);
  assert_int_equal(kept, RL_OK);
  assert_int_equal(count, 1);
  assert_int_equal(readonly, 0);
  assert_int_equal(refused, RL_FAIL);
  assert_true(said);
}

// killed at any moment, the name holds one of the states saved under it
static void test_killed(void **state) {
  (void)state;
  static int64_t data[20000];
  RlField field = {"data", RL_I64, 1, {20000}, data};
  const char *path = scratch_path("a.h5");
  assert_int_equal(rl_checkpoint_save(path, &field, 1), RL_OK);
  for (int i = 0; i < 20; i++) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      for (int64_t turn = 1;; turn++) {
        for (int k = 0; k < 20000; k++) data[k] = turn;
        if (rl_checkpoint_save(path, &field, 1) != RL_OK) _exit(1);
      }
    }
    usleep((useconds_t)(1000 + 1700 * i));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    RlCheckpoint *checkpoint = open_sound(path);
    assert_int_equal(rl_checkpoint_load(checkpoint, &field, 1), RL_OK);
    for (int k = 0; k < 20000; k++) assert_true(data[k] == data[0]);
    rl_checkpoint_close(checkpoint);
  }
}

// a temporary file left by a dead process of our own id is no obstacle
static void test_stale_temporary(void **state) {
  (void)state;
  char name[64];
  snprintf(name, sizeof name, ".tmp-a.h5-%ld", (long)getpid());
  scratch_put(scratch_path(name), "stale", 5);
  save_sample(scratch_path("a.h5"));
  rl_checkpoint_close(open_sound(scratch_path("a.h5")));
  assert_int_equal(scratch_count(scratch_dir), 1);
}

static void test_file_write(void **state) {
  (void)state;
  size_t size;
  assert_int_equal(rl_file_write(scratch_path("a.txt"), "one", 3), RL_OK);
  assert_int_equal(rl_file_write(scratch_path("a.txt"), "", 0), RL_OK);
  assert_int_equal(rl_file_write(scratch_path("a.txt"), "three", 5), RL_OK);
  uint8_t *data = scratch_get(scratch_path("a.txt"), &size);
  assert_string_equal((char *)data, "three");
  free(data);
  uint8_t *read;
  assert_int_equal(rl_file_read(scratch_path("a.txt"), 5, &read, &size), RL_OK);
  assert_int_equal(size, 5);
  free(read);
  assert_int_equal(rl_file_read(scratch_path("a.txt"), 4, &read, &size), RL_FAIL);
  assert_null(read);
  assert_int_equal(rl_file_write(scratch_path(""), "x", 1), RL_FAIL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_folder_missing),  SCRATCH_TEST(test_write_stops),
      SCRATCH_TEST(test_disk_full),       SCRATCH_TEST(test_killed),
      SCRATCH_TEST(test_stale_temporary), SCRATCH_TEST(test_file_write),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
