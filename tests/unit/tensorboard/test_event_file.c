// The files in a folder: their names, and what is left of them where a run goes on.
#include "rl/tensorboard/event_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "rl/tensorboard/record.h"
#include "tests/unit/tensorboard/wire.h"

#define NAME(digits) "events.out.tfevents." digits ".rltrain"

static const char *const first = NAME("0000000001"), *const second = NAME("0000000002");

// A record of nothing but a step below 128; returns its size.
static size_t make(uint8_t *to, int step) {
  to[RL_RECORD_HEAD] = 2 << 3;
  to[RL_RECORD_HEAD + 1] = (uint8_t)step;
  return rl_record_frame(to, 2);
}

enum { ONE = RL_RECORD_HEAD + 2 + RL_RECORD_TAIL, STEPS = 5 };

static const int steps[STEPS] = {0, 4, 10, 10, 12};

static void put_file(const char *name) {
  uint8_t text[STEPS * ONE];
  for (int i = 0; i < STEPS; i++) assert_int_equal(make(text + i * ONE, steps[i]), ONE);
  scratch_put(scratch_path(name), text, sizeof text);
}

static int64_t cut(int64_t step) {
  int64_t next;
  if (rl_event_file_cut(scratch_dir, step, &next) != RL_OK) fail_msg("%s", rl_error_text());
  return next;
}

// bytes of a file, -1 if there is none
static int64_t size_of(const char *name) {
  struct stat info;
  return lstat(scratch_path(name), &info) == 0 ? (int64_t)info.st_size : -1;
}

static void test_numbers(void **state) {
  (void)state;
  assert_int_equal(cut(100), 1);
  put_file(first);
  assert_int_equal(cut(100), 2);
  put_file(NAME("0000000041"));
  assert_int_equal(cut(100), 42);
  // none of ours, whatever TensorBoard makes of them
  static const char *const other[] = {NAME("43"),
                                      NAME("00000000043"),
                                      NAME("000000004x"),
                                      NAME("-000000043"),
                                      NAME("0000000000"),
                                      NAME("99999999999999999999"),
                                      "events.out.tfevents.0000000043",
                                      "events.out.tfevents.0000000043.rltrain.v2",
                                      "events.out.tfevents.1700000000.host.7.0",
                                      "metrics.csv"};
  for (size_t i = 0; i < sizeof other / sizeof *other; i++) put_file(other[i]);
  assert_int_equal(cut(-1), 42);
  for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
    assert_int_equal(size_of(other[i]), STEPS * ONE);
  }
  assert_int_equal(size_of(first), -1);
  assert_int_equal(size_of(NAME("0000000041")), -1);
}

static void test_cut(void **state) {
  (void)state;
  static const struct {
    int step, kept;
  } expected[] = {{100, 5}, {12, 5}, {11, 4}, {10, 4}, {9, 2}, {4, 2}, {3, 0}, {0, 0}, {-1, 0}};
  for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
    put_file(first);
    put_file(second);
    assert_int_equal(cut(expected[k].step), 3);
    int64_t size = expected[k].kept ? expected[k].kept * ONE : -1;
    assert_int_equal(size_of(first), size);
    assert_int_equal(size_of(second), size);
    assert_int_equal(scratch_count(scratch_dir), expected[k].kept ? 2 : 0);
  }
}

// what is kept is not written again
static void test_bytes(void **state) {
  (void)state;
  size_t a, b;
  struct stat before, after;
  put_file(first);
  uint8_t *whole = scratch_get(scratch_path(first), &a);
  stat(scratch_path(first), &before);
  cut(10);
  stat(scratch_path(first), &after);
  uint8_t *kept = scratch_get(scratch_path(first), &b);
  assert_memory_equal(whole, kept, b);
  assert_true(before.st_ino == after.st_ino);
  free(whole);
  free(kept);
}

// a record torn at any length goes, and with it a file that has only the version left
static void test_torn(void **state) {
  (void)state;
  for (int64_t size = STEPS * ONE; size >= 0; size--) {
    put_file(first);
    assert_int_equal(truncate(scratch_path(first), size), 0);
    cut(100);
    int64_t whole = size / ONE;
    assert_int_equal(size_of(first), whole > 1 ? whole * ONE : -1);
  }
}

static void test_damaged(void **state) {
  (void)state;
  for (size_t byte = 0; byte < STEPS * ONE; byte++) {
    size_t size;
    put_file(first);
    uint8_t *text = scratch_get(scratch_path(first), &size);
    text[byte] ^= 4;
    scratch_put(scratch_path(first), text, size);
    free(text);
    cut(100);
    int64_t whole = (int64_t)byte / ONE;
    assert_int_equal(size_of(first), whole > 1 ? whole * ONE : -1);
  }
}

// a sound head that promises more than there can be; sound bytes that are no event
static void test_strange(void **state) {
  (void)state;
  static uint8_t text[2 * ONE + RL_EVENT_RECORD + 1024];
  static const size_t size[] = {RL_EVENT_RECORD + 100, RL_EVENT_RECORD - RL_RECORD_TAIL + 1};
  for (size_t k = 0; k < sizeof size / sizeof *size; k++) {
    memset(text, 0, sizeof text);
    make(text, 0);
    make(text + ONE, 1);
    size_t n = 2 * ONE + rl_record_frame(text + 2 * ONE, size[k]);
    scratch_put(scratch_path(first), text, n);
    cut(100);
    assert_int_equal(size_of(first), 2 * ONE);
  }
  memset(text + 2 * ONE + RL_RECORD_HEAD, 0xff, 9);
  scratch_put(scratch_path(first), text, 2 * ONE + rl_record_frame(text + 2 * ONE, 9));
  cut(100);
  assert_int_equal(size_of(first), 2 * ONE);
}

static void test_no_files(void **state) {
  (void)state;
  int64_t next;
  put_file("elsewhere");
  assert_int_equal(mkdir(scratch_path(NAME("0000000003")), 0755), 0);
  assert_int_equal(symlink("elsewhere", scratch_path(NAME("0000000004"))), 0);
  assert_int_equal(symlink("/dev/zero", scratch_path(NAME("0000000005"))), 0);
  assert_int_equal(mkfifo(scratch_path(NAME("0000000006")), 0644), 0);
  assert_int_equal(symlink("nowhere", scratch_path(NAME("0000000007"))), 0);
  assert_int_equal(cut(-1), 8);
  assert_int_equal(scratch_count(scratch_dir), 6);
  assert_int_equal(size_of("elsewhere"), STEPS * ONE);
  assert_int_equal(rl_event_file_cut(scratch_path("absent"), 0, &next), RL_FAIL);
  assert_non_null(strstr(rl_error_text(), "absent: cannot read"));
}

static void test_append(void **state) {
  (void)state;
  char path[RL_PATH_SIZE];
  uint8_t record[ONE];
  int fd;
  size_t size = make(record, 9);
  assert_int_equal(rl_event_file_create(scratch_dir, 12, path, &fd), RL_OK);
  assert_string_equal(path, scratch_path(NAME("0000000012")));
  for (int i = 0; i < 3; i++) assert_int_equal(rl_file_append(fd, path, record, size), RL_OK);
  assert_int_equal(rl_file_sync(fd, path), RL_OK);
  assert_int_equal(size_of(NAME("0000000012")), 3 * ONE);
  close(fd);
  // it is never another's
  assert_int_equal(rl_event_file_create(scratch_dir, 12, path, &fd), RL_FAIL);
  assert_non_null(strstr(rl_error_text(), path));
  assert_int_equal(rl_file_sync(-1, path), RL_FAIL);
  assert_int_equal(rl_file_append(-1, path, record, size), RL_FAIL);
  assert_non_null(strstr(rl_error_text(), ".rltrain: cannot write"));
}

// a full disk takes half a record: it is taken back (a limit on file size stands in for the disk)
static void test_half_record(void **state) {
  (void)state;
  char path[RL_PATH_SIZE];
  uint8_t record[ONE];
  struct rlimit limit, low;
  int fd;
  size_t size = make(record, 9);
  assert_int_equal(rl_event_file_create(scratch_dir, 1, path, &fd), RL_OK);
  assert_int_equal(rl_file_append(fd, path, record, size), RL_OK);
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  low = limit;
  low.rlim_cur = ONE + 5;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
  RlStatus status = rl_file_append(fd, path, record, size);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  assert_int_equal(status, RL_FAIL);
  assert_non_null(strstr(rl_error_text(), "cannot write: no space left on device"));
  assert_int_equal(size_of(first), ONE);
  assert_int_equal(rl_file_append(fd, path, record, size), RL_OK);
  assert_int_equal(size_of(first), 2 * ONE);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_numbers),  SCRATCH_TEST(test_cut),     SCRATCH_TEST(test_bytes),
      SCRATCH_TEST(test_torn),     SCRATCH_TEST(test_damaged), SCRATCH_TEST(test_strange),
      SCRATCH_TEST(test_no_files), SCRATCH_TEST(test_append),  SCRATCH_TEST(test_half_record),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
