// metrics.csv: header and rows as promised, columns held to the header, and the cut at a resume.
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "rl/run/metrics.h"
#include "tests/unit/rl/scratch.h"

#define FIXED  "step,seconds,steps_per_second,episode_return_mean,episode_length_mean"
#define HEADER FIXED ",approx_kl,std\n"

static const char *const column[] = {"approx_kl", "std"};
static RlMetrics metrics;  // too large for comfort on the stack

static void expect_text(const char *expected) {
  size_t size;
  uint8_t *text = scratch_get(scratch_path("metrics.csv"), &size);
  assert_string_equal((char *)text, expected);
  assert_int_equal(size, strlen(expected));
  free(text);
}

static void open_metrics(void) {
  RlStatus status = rl_metrics_open(&metrics, scratch_path("metrics.csv"), column, 2);
  if (status != RL_OK) fail_msg("%s", rl_error_text());
}

static void put(const char *text) {
  scratch_put(scratch_path("metrics.csv"), text, strlen(text));
}

static void test_rows(void **state) {
  (void)state;
  open_metrics();
  expect_text(HEADER);
  const RlMetricsRow first = {16384, 1.25, 13107.2, NAN, NAN};
  const double some[2] = {NAN, 1};
  assert_int_equal(rl_metrics_write(&metrics, &first, some), RL_OK);
  const RlMetricsRow second = {1000000000000, 1e6, 0.1, -1234.5, 1000};
  const double other[2] = {1e-9, -INFINITY};
  assert_int_equal(rl_metrics_write(&metrics, &second, other), RL_OK);
  assert_int_equal(rl_metrics_sync(&metrics), RL_OK);
  rl_metrics_close(&metrics);
  rl_metrics_close(&metrics);
  expect_text(HEADER
              "16384,1.25,13107.2,,,,1\n"
              "1000000000000,1000000,0.1,-1234.5,1000,1e-09,\n");
}

// nine digits: a float written is the float read
static void test_round_trip(void **state) {
  (void)state;
  const float value[] = {0.1f, 3.4028235e38f, 1.17549435e-38f, 16777215, -2.7182817f};
  for (size_t i = 0; i < sizeof value / sizeof *value; i++) {
    unlink(scratch_path("metrics.csv"));
    open_metrics();
    const RlMetricsRow row = {1, 0, 0, 0, 0};
    const double pair[2] = {value[i], 0};
    assert_int_equal(rl_metrics_write(&metrics, &row, pair), RL_OK);
    rl_metrics_close(&metrics);
    size_t size;
    uint8_t *text = scratch_get(scratch_path("metrics.csv"), &size);
    const char *cell = strstr((char *)text, "1,0,0,0,0,");
    assert_non_null(cell);
    assert_true(strtof(cell + 10, NULL) == value[i]);
    free(text);
  }
}

static void test_append(void **state) {
  (void)state;
  put(HEADER "1,2,3,4,5,6,7\n");
  open_metrics();
  const RlMetricsRow row = {2, 0, 0, 0, 0};
  const double pair[2] = {0, 0};
  assert_int_equal(rl_metrics_write(&metrics, &row, pair), RL_OK);
  rl_metrics_close(&metrics);
  expect_text(HEADER "1,2,3,4,5,6,7\n2,0,0,0,0,0,0\n");
}

static void expect_refused(const char *text, const char *word) {
  put(text);
  rl_error_clear();
  RlStatus status = rl_metrics_open(&metrics, scratch_path("metrics.csv"), column, 2);
  assert_int_equal(status, RL_FAIL);
  if (!strstr(rl_error_text(), word)) fail_msg("\"%s\" lacks \"%s\"", rl_error_text(), word);
  assert_non_null(strstr(rl_error_text(), "metrics.csv"));
  expect_text(text);
}

static void test_header(void **state) {
  (void)state;
  expect_refused(FIXED ",kl,std\n", "column 6: found \"kl\", expected \"approx_kl\"");
  expect_refused(FIXED ",approx_kl\n", "number of columns");
  expect_refused(FIXED ",approx_kl,std,more\n", "number of columns");
  expect_refused(FIXED ",approx_kl,stdx\n", "column 7: found \"stdx\", expected \"std\"");
  expect_refused("x\n", "column 1: found \"x\", expected \"step\"");
  expect_refused("\n", "column 1: found \"\", expected \"step\"");
  expect_refused(FIXED ",approx_kl,s", "column 7: found \"s\", expected \"std\"");
  expect_refused(HEADER "1,2,3", "torn");
  RlStatus status = rl_metrics_open(&metrics, scratch_path("no/metrics.csv"), column, 2);
  assert_int_equal(status, RL_FAIL);
}

static void expect_cut(const char *before, int64_t step, const char *after, double expected) {
  double seconds = -1;
  put(before);
  RlStatus status = rl_metrics_truncate(scratch_path("metrics.csv"), step, &seconds);
  if (status != RL_OK) fail_msg("%s", rl_error_text());
  expect_text(after);
  assert_true(seconds == expected);
  assert_int_equal(scratch_count(scratch_dir), 1);
}

#define ROW1 "100,1.5,3,,,6,7\n"
#define ROW2 "200,2.5,3,4,5,6,7\n"
#define ROW3 "300,3.5,3,4,5,6,7\n"

static void test_truncate(void **state) {
  (void)state;
  expect_cut(HEADER ROW1 ROW2 ROW3, 300, HEADER ROW1 ROW2 ROW3, 3.5);
  expect_cut(HEADER ROW1 ROW2 ROW3, 299, HEADER ROW1 ROW2, 2.5);
  expect_cut(HEADER ROW1 ROW2 ROW3, 200, HEADER ROW1 ROW2, 2.5);
  expect_cut(HEADER ROW1 ROW2 ROW3, 0, HEADER, 0);
  expect_cut(HEADER ROW1 ROW2 ROW3, -1, HEADER, 0);
  expect_cut(HEADER "0,0.5,,,,,\n", -1, HEADER, 0);
  expect_cut(HEADER, 1000, HEADER, 0);
  expect_cut("", 1000, "", 0);
  // rows that make no sense
  expect_cut(HEADER ROW1 "200,1\n" ROW3, 1000, HEADER ROW1 ROW3, 3.5);
  expect_cut(HEADER ROW1 "\n", 1000, HEADER ROW1, 1.5);
  expect_cut(HEADER ROW1 "x,1,2,3,4,5,6\n", 1000, HEADER ROW1, 1.5);
  expect_cut(HEADER ROW1 "-2,1,2,3,4,5,6\n", 1000, HEADER ROW1, 1.5);
  expect_cut(HEADER ROW1 "99999999999999999999,1,2,3,4,5,6\n", 1000, HEADER ROW1, 1.5);
}

// a row torn at any length goes, and a torn header with it
static void test_torn(void **state) {
  (void)state;
  const char *text = HEADER ROW1 ROW2;
  const size_t header = strlen(HEADER), first = strlen(HEADER ROW1);
  char torn[sizeof HEADER ROW1 ROW2];
  for (size_t n = 1; n < strlen(text); n++) {
    memcpy(torn, text, n);
    torn[n] = '\0';
    const char *expected = n < header ? "" : n < first ? HEADER : HEADER ROW1;
    expect_cut(torn, 1000, expected, n < first ? 0 : 1.5);
    open_metrics();
    rl_metrics_close(&metrics);
  }
}

// bytes a crashed machine leaves as zeros are a torn row too
static void test_zeros(void **state) {
  (void)state;
  char text[sizeof HEADER ROW1 + 20] = HEADER ROW1;
  memset(text + strlen(HEADER ROW1), 0, 20);
  text[strlen(HEADER ROW1) + 19] = '\n';
  scratch_put(scratch_path("metrics.csv"), text, strlen(HEADER ROW1) + 20);
  assert_int_equal(rl_metrics_truncate(scratch_path("metrics.csv"), 1000, NULL), RL_OK);
  expect_text(HEADER ROW1);
  // in the middle of a row, too
  char row[] = HEADER ROW1 ROW2;
  row[strlen(HEADER ROW1) + strlen(ROW2) - 2] = '\0';
  scratch_put(scratch_path("metrics.csv"), row, sizeof row - 1);
  assert_int_equal(rl_metrics_truncate(scratch_path("metrics.csv"), 1000, NULL), RL_OK);
  expect_text(HEADER ROW1);
}

static void test_truncate_missing(void **state) {
  (void)state;
  double seconds = -1;
  RlStatus status = rl_metrics_truncate(scratch_path("metrics.csv"), 1, &seconds);
  assert_int_equal(status, RL_OK);
  assert_true(seconds == 0);
  assert_int_equal(scratch_count(scratch_dir), 0);
  assert_int_equal(rl_metrics_truncate(scratch_dir, 1, &seconds), RL_FAIL);
}

// a file left alone keeps its inode: a second resume writes nothing
static void test_truncate_leaves_alone(void **state) {
  (void)state;
  struct stat before, after;
  put(HEADER ROW1);
  assert_int_equal(stat(scratch_path("metrics.csv"), &before), 0);
  assert_int_equal(rl_metrics_truncate(scratch_path("metrics.csv"), 100, NULL), RL_OK);
  assert_int_equal(stat(scratch_path("metrics.csv"), &after), 0);
  assert_true(before.st_ino == after.st_ino);
}

// a full disk takes half a row: it is taken back (a limit on file size stands in for the disk)
static void test_half_row(void **state) {
  (void)state;
  struct rlimit limit, low;
  open_metrics();
  const RlMetricsRow row = {2, 0, 0, 0, 0};
  const double pair[2] = {0, 0};
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  low = limit;
  low.rlim_cur = strlen(HEADER) + 5;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
  rl_error_clear();
  RlStatus status = rl_metrics_write(&metrics, &row, pair);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  assert_int_equal(status, RL_FAIL);
  assert_non_null(strstr(rl_error_text(), "metrics.csv: cannot write"));
  expect_text(HEADER);
  assert_int_equal(rl_metrics_write(&metrics, &row, pair), RL_OK);
  expect_text(HEADER "2,0,0,0,0,0,0\n");
  rl_metrics_close(&metrics);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_rows),
      SCRATCH_TEST(test_round_trip),
      SCRATCH_TEST(test_append),
      SCRATCH_TEST(test_header),
      SCRATCH_TEST(test_truncate),
      SCRATCH_TEST(test_torn),
      SCRATCH_TEST(test_zeros),
      SCRATCH_TEST(test_truncate_missing),
      SCRATCH_TEST(test_truncate_leaves_alone),
      SCRATCH_TEST(test_half_row),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
