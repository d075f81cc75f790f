// The reader of metrics.csv: what it reads, and that each kind of damage is one line with file,
// line and column.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rl/report/csv.h"
#include "tests/unit/rl/scratch.h"

static RlCsv csv;

static RlStatus parse(const char *text) {
  // as large as the text, so that a sanitizer sees the first byte past it
  size_t size = strlen(text);
  char *copy = malloc(size + 1);
  if (!copy) abort();
  memcpy(copy, text, size);
  copy = realloc(copy, size ? size : 1);
  if (!copy) abort();
  RlStatus status = rl_csv_parse(&csv, copy, size, "m.csv");
  free(copy);
  return status;
}

static void test_values(void **state) {
  (void)state;
  assert_int_equal(parse("step,seconds,loss\n5,0.5,\n10,0.5,-1.5e-3\n15,1,nan\n20,2,-inf\n"),
                   RL_OK);
  assert_int_equal(csv.nrow, 4);
  assert_int_equal(csv.ncolumn, 3);
  int loss = rl_csv_find(&csv, "loss");
  assert_int_equal(loss, 2);
  assert_true(isnan(rl_csv_cell(&csv, 0, loss)));
  assert_true(rl_csv_cell(&csv, 1, loss) == -1.5e-3);
  assert_true(isnan(rl_csv_cell(&csv, 2, loss)));
  assert_true(rl_csv_cell(&csv, 3, loss) == -INFINITY);
  assert_true(rl_csv_cell(&csv, 3, 0) == 20);
  assert_int_equal(rl_csv_find(&csv, "gain"), -1);
  assert_true(isnan(rl_csv_cell(&csv, 3, -1)));
  rl_csv_free(&csv);
  rl_csv_free(&csv);
}

// As Python's csv module ends its lines.
static void test_carriage_return(void **state) {
  (void)state;
  assert_int_equal(parse("step,loss\r\n1,2.5\r\n3,\r\n"), RL_OK);
  assert_int_equal(csv.nrow, 2);
  assert_int_equal(csv.ncolumn, 2);
  assert_true(rl_csv_cell(&csv, 0, rl_csv_find(&csv, "loss")) == 2.5);
  assert_true(isnan(rl_csv_cell(&csv, 1, 1)));
  rl_csv_free(&csv);
}

// a row that is still being written, and a run that has just begun
static void test_torn(void **state) {
  (void)state;
  assert_int_equal(parse("step,loss\n1,2\n3,4"), RL_OK);
  assert_int_equal(csv.nrow, 1);
  rl_csv_free(&csv);
  assert_int_equal(parse("step,loss\n1,2\n3,x"), RL_OK);
  assert_int_equal(csv.nrow, 1);
  rl_csv_free(&csv);
  assert_int_equal(parse("step,loss\n"), RL_OK);
  assert_int_equal(csv.nrow, 0);
  rl_csv_free(&csv);
}

static void expect_error(const char *text, const char *expected) {
  assert_int_equal(parse(text), RL_FAIL);
  assert_string_equal(rl_error_text(), expected);
  rl_csv_free(&csv);
}

static void test_header(void **state) {
  (void)state;
  expect_error("", "m.csv:1: found no whole line, expected the names of the columns");
  expect_error("step,loss", "m.csv:1: found no whole line, expected the names of the columns");
  expect_error("loss,step\n1,1\n", "m.csv:1: column 1: found \"loss\", expected \"step\"");
  expect_error("step,,loss\n", "m.csv:1: column 2: found \"\", expected a name of 1 to 47 letters");
  expect_error("step,lo\rss\n",
               "m.csv:1: column 2: found \"lo?ss\", expected a name of 1 to 47 letters");
  expect_error("step,a,b,a\n", "m.csv:1: column 4: found \"a\" again, expected each name once");
  // the longest name there is room for, and one letter more
  char text[128];
  snprintf(text, sizeof text, "step,%047d\n", 1);
  assert_int_equal(parse(text), RL_OK);
  rl_csv_free(&csv);
  snprintf(text, sizeof text, "step,%048d\n", 1);
  expect_error(
      text,
      "m.csv:1: column 2: found \"00000000000000000000000000000000\", expected a name of 1 "
      "to 47 letters");
  char wide[1024] = "step";
  for (int i = 1; i <= RL_CSV_COLUMNS; i++) {
    snprintf(wide + strlen(wide), sizeof wide - strlen(wide), ",c%d", i);
  }
  strcat(wide, "\n");
  expect_error(wide, "m.csv:1: found more than 128 columns, expected at most that many");
}

static void test_cells(void **state) {
  (void)state;
  const char *const wrong[] = {"x",   "1x",     "0x10",     " 1", "1 ",
                               "--1", "nan(1)", "infinite", "1e", "."};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char text[64], expected[128];
    snprintf(text, sizeof text, "step,loss\n1,1\n2,%s\n", wrong[i]);
    snprintf(expected, sizeof expected, "m.csv:3: loss: found \"%s\", expected a number or nothing",
             wrong[i]);
    expect_error(text, expected);
  }
  char text[256];
  snprintf(text, sizeof text, "step,loss\n1,%0100d\n", 1);
  expect_error(text,
               "m.csv:2: loss: found \"00000000000000000000000000000000\", expected a number or "
               "nothing");
}

static void test_rows(void **state) {
  (void)state;
  expect_error("step,a,b\n1,2\n3,4,5\n", "m.csv:2: found 2 cells, expected 3 as in the header");
  expect_error("step,a\n1,2,3\n", "m.csv:2: found 3 cells, expected 2 as in the header");
  expect_error("step,a\n1,2\n\n3,4\n", "m.csv:3: found 1 cells, expected 2 as in the header");
}

static void test_ascending(void **state) {
  (void)state;
  expect_error("step\n5\n5\n", "m.csv:3: step: found 5, expected a number above 5");
  expect_error("step\n5\n4\n", "m.csv:3: step: found 4, expected a number above 5");
  expect_error("step\n-1\n", "m.csv:2: step: found -1, expected a number not below 0");
  expect_error("step\n5\ninf\n", "m.csv:3: step: found inf, expected a number above 5");
  expect_error("step,a\n,1\n", "m.csv:2: step: found nan, expected a number not below 0");
  expect_error("step,seconds\n1,2\n2,1\n",
               "m.csv:3: seconds: found 1, expected a number not below 2");
  expect_error("step,seconds\n1,2\n2,\n",
               "m.csv:3: seconds: found nan, expected a number not below 2");
  assert_int_equal(parse("step,seconds\n0,0\n2,0\n"), RL_OK);
  rl_csv_free(&csv);
}

// bytes that are no text reach neither a number nor the error line
static void test_bytes(void **state) {
  (void)state;
  const char nul[] =
      "step,a\n1,\0"
      "2\n";
  assert_int_equal(rl_csv_parse(&csv, nul, sizeof nul - 1, "m.csv"), RL_FAIL);
  assert_null(strchr(rl_error_text(), '\n'));
  rl_csv_free(&csv);
  // lines without cells do not ask for memory for cells
  expect_error("step,a,b,c\n\n\n\n\n\n",
               "m.csv: found 5 lines in 5 bytes, expected rows of 4 cells");
}

static void test_file(void **state) {
  (void)state;
  scratch_put(scratch_path("m.csv"), "step\n7\n", 7);
  assert_int_equal(rl_csv_read(&csv, scratch_path("m.csv")), RL_OK);
  assert_int_equal(csv.nrow, 1);
  rl_csv_free(&csv);
  assert_int_equal(rl_csv_read(&csv, scratch_path("absent.csv")), RL_FAIL);
  assert_non_null(strstr(rl_error_text(), "absent.csv: cannot read"));
  rl_csv_free(&csv);
  assert_int_equal(rl_csv_read(&csv, scratch_path("")), RL_FAIL);
  rl_csv_free(&csv);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values),    cmocka_unit_test(test_carriage_return),
      cmocka_unit_test(test_torn),      cmocka_unit_test(test_header),
      cmocka_unit_test(test_cells),     cmocka_unit_test(test_rows),
      cmocka_unit_test(test_ascending), cmocka_unit_test(test_bytes),
      SCRATCH_TEST(test_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
