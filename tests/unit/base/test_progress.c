// Progress: what the panel, the plain lines and the JSON lines hold, rendered into a file and, for
// the panel, played back on a small model of a terminal.
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

#include "rl/base/line.h"
#include "rl/base/panel.h"
#include "rl/base/progress.h"

enum { TEXT_SIZE = 1 << 18, ROWS = 400, COLUMNS = 220 };

static RlProgress progress;
static char text[TEXT_SIZE];

// A terminal: enough of one for cursor up, erasing, and line feeds. Cells hold the first byte of
// their character.
static char screen[ROWS][COLUMNS + 1];
static int bottom;

static const char *play_escape(const char *c, int *row, int column) {
  int n = 0;
  for (c += 2; *c >= '0' && *c <= '9'; c++) n = 10 * n + (*c - '0');
  switch (*c) {
    case 'A':
      *row -= n;
      break;
    case 'K':
      memset(&screen[*row][column], ' ', (size_t)(COLUMNS - column));
      break;
    case 'J':
      memset(&screen[*row][column], ' ', (size_t)(COLUMNS - column));
      for (int r = *row + 1; r < ROWS; r++) memset(screen[r], ' ', COLUMNS);
      break;
    case 'm':
      break;
    default:
      fail_msg("unknown escape %c", *c);
  }
  return c;
}

static void play(int width) {
  int row = 0, column = 0;
  bottom = 0;
  for (int r = 0; r < ROWS; r++) memset(screen[r], ' ', COLUMNS);
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '\x1b') {
      c = play_escape(c, &row, column);
    } else if (*c == '\r') {
      column = 0;
    } else if (*c == '\n') {
      row++;
      column = 0;
    } else if (((unsigned char)*c & 0xc0) != 0x80) {
      // a character past the width would wrap and break the redrawing
      assert_true(column < width);
      screen[row][column++] = *c;
    }
    assert_true(row >= 0 && row < ROWS);
    if (row > bottom) bottom = row;
  }
}

static bool on_screen(const char *what) {
  for (int r = 0; r < ROWS; r++) {
    if (strstr(screen[r], what) != NULL) return true;
  }
  return false;
}

static int rows_with(const char *what) {
  int rows = 0;
  for (int r = 0; r < ROWS; r++) rows += strstr(screen[r], what) != NULL;
  return rows;
}

static FILE *begin(RlProgressMode mode, int64_t step, int64_t total) {
  FILE *out = tmpfile();
  assert_non_null(out);
  rl_progress_init(&progress, out, mode, step, total, "Humanoid-v5 ppo\x1b seed 1");
  return out;
}

static void collect(FILE *out) {
  rewind(out);
  size_t size = fread(text, 1, sizeof text - 1, out);
  text[size] = '\0';
  fclose(out);
}

static RlProgressScalar scalar[] = {
    {"policy_loss", -0.0123}, {"value_loss", 1234.5}, {"approx_kl", 0.015},
    {"clip_fraction", 0.25},  {"std", NAN},
};

static RlProgressRow make_row(int64_t step, double ep_return) {
  return (RlProgressRow){.step = step,
                         .seconds = 61.5,
                         .steps_per_second = 12345.6,
                         .ep_return = ep_return,
                         .ep_length = 1000,
                         .collect = 0.7,
                         .learn = 0.25,
                         .eval = 0.05,
                         .scalar = scalar,
                         .nscalar = 5};
}

static void feed(int64_t step, double ep_return) {
  RlProgressRow row = make_row(step, ep_return);
  progress.last_draw = -1;
  rl_progress_update(&progress, &row);
}

static void test_panel(void **state) {
  (void)state;
  setenv("COLUMNS", "100", 1);
  FILE *out = begin(RL_PROGRESS_PANEL, 0, 1000000);
  for (int i = 1; i <= 40; i++) feed(i * 10000, i);
  rl_progress_note(&progress, "saved checkpoint %d\n", 7);
  feed(410000, 41);
  rl_progress_finish(&progress);
  feed(999999, 3);
  collect(out);
  play(100);
  assert_true(on_screen("Humanoid-v5 ppo? seed 1"));
  assert_true(on_screen("41.0%  410,000 / 1,000,000 steps"));
  assert_true(on_screen("steps/s 12,345"));
  assert_true(on_screen("collecting 70%"));
  assert_true(on_screen("return 41 "));
  assert_true(on_screen("policy_loss"));
  assert_true(on_screen("-0.0123"));
  assert_true(on_screen("value_loss"));
  assert_true(on_screen("1234.5"));
  assert_true(on_screen("left "));
  // drawn over and over, everything is there once; the note stands above
  assert_int_equal(rows_with("Humanoid-v5"), 1);
  assert_int_equal(rows_with("policy_loss"), 1);
  assert_true(strncmp(screen[0], "saved checkpoint 7?", 19) == 0);
  assert_true(strstr(screen[1], "Humanoid") != NULL);
  assert_int_equal(bottom, 7);
  assert_null(strstr(text, "999,999"));
}

// Whatever the width, no line passes it and nothing is left behind.
static void test_widths(void **state) {
  (void)state;
  static const int width[] = {1, 3, 10, 20, 33, 40, 79, 80, 132, 161, 219, 5000};
  for (size_t i = 0; i < sizeof width / sizeof width[0]; i++) {
    char columns[16];
    snprintf(columns, sizeof columns, "%d", width[i]);
    setenv("COLUMNS", columns, 1);
    FILE *out = begin(RL_PROGRESS_PANEL, 0, INT64_C(1000000000000));
    for (int k = 0; k < 5; k++) feed(k * INT64_C(123456789012), -1e9 * k);
    rl_progress_finish(&progress);
    collect(out);
    // a line is one shorter, but for one column, where nothing shorter is left
    play(width[i] > 1 ? width[i] : 2);
    assert_int_equal(bottom, progress.drawn);
  }
  setenv("COLUMNS", "80", 1);
}

static void test_colour_and_ascii(void **state) {
  (void)state;
  setenv("NO_COLOR", "1", 1);
  setenv("LC_ALL", "C", 1);
  FILE *out = begin(RL_PROGRESS_PANEL, 0, 100);
  for (int i = 0; i < 50; i++) feed(i, i);
  collect(out);
  for (const char *c = text; *c != '\0'; c++) assert_true((unsigned char)*c < 0x80);
  assert_null(strstr(text, "m\x1b"));
  assert_null(strstr(text, "[1m"));
  assert_non_null(strstr(text, "####"));
  unsetenv("NO_COLOR");
  setenv("LC_ALL", "en_US.UTF-8", 1);
  out = begin(RL_PROGRESS_PANEL, 0, 100);
  for (int i = 0; i < 50; i++) feed(i, i);
  collect(out);
  assert_non_null(strstr(text, "██"));
  assert_non_null(strstr(text, "▁▁▂▂"));
  assert_non_null(strstr(text, "▇▇██"));
  assert_non_null(strstr(text, "\x1b[1m"));
  unsetenv("LC_ALL");
}

// The whole run stays in the history, each entry a mean of as many rows.
static void test_history(void **state) {
  (void)state;
  FILE *out = begin(RL_PROGRESS_JSON, 0, 100000);
  feed(0, NAN);
  feed(0, INFINITY);
  assert_int_equal(progress.nhistory, 0);
  enum { N = 5000 };
  for (int i = 0; i < N; i++) feed(i, i);
  assert_true(progress.nhistory > RL_PROGRESS_HISTORY / 2);
  assert_true(progress.nhistory <= RL_PROGRESS_HISTORY);
  int stride = progress.stride;
  assert_true(progress.nhistory * stride <= N && (progress.nhistory + 1) * stride > N);
  for (int i = 0; i < progress.nhistory; i++) {
    double mean = i * stride + 0.5 * (stride - 1);
    assert_true(fabs(progress.history[i] - mean) <= 1e-9);
  }
  fclose(out);
}

static void test_tick_limits_drawing(void **state) {
  (void)state;
  FILE *out = begin(RL_PROGRESS_PANEL, 0, 100);
  int frame = progress.frame;
  for (int i = 0; i < 1000; i++) rl_progress_tick(&progress, 1);
  assert_true(progress.frame <= frame + 1);
  progress.last_draw -= 0.25;
  frame = progress.frame;
  rl_progress_tick(&progress, 50);
  assert_int_equal(progress.frame, frame + 1);
  rl_progress_tick(&progress, 51);
  assert_int_equal(progress.frame, frame + 1);
  collect(out);
  play(80);
  assert_true(on_screen("50.0%  50 / 100 steps"));
}

static void test_plain(void **state) {
  (void)state;
  // a file is no terminal
  setenv("TERM", "xterm", 1);
  FILE *out = begin(RL_PROGRESS_AUTO, 0, 1000);
  assert_int_equal(progress.mode, RL_PROGRESS_PLAIN);
  feed(250, 12.5);
  rl_progress_tick(&progress, 300);
  rl_progress_note(&progress, "evaluated");
  rl_progress_finish(&progress);
  collect(out);
  assert_string_equal(text,
                      "step 250 (25.0%)  12346 steps/s  return 12.5  length 1000  policy_loss "
                      "-0.0123  value_loss 1234.5  approx_kl 0.015  clip_fraction 0.25  std -  "
                      "left --:--\nevaluated\n");
}

static void test_json(void **state) {
  (void)state;
  FILE *out = begin(RL_PROGRESS_JSON, 0, 1000);
  feed(250, NAN);
  rl_progress_note(&progress, "saved \"a\\b\" é\n");
  rl_progress_finish(&progress);
  collect(out);
  assert_string_equal(
      text,
      "{\"event\": \"row\", \"step\": 250, \"seconds\": 61.5, \"steps_per_second\": 12345.6, "
      "\"episode_return_mean\": null, \"episode_length_mean\": 1000, "
      "\"policy_loss\": -0.0123, \"value_loss\": 1234.5, \"approx_kl\": 0.015, \"clip_fraction\": "
      "0.25, \"std\": null}\n"
      "{\"event\": \"note\", \"step\": 250, \"text\": \"saved \\\"a\\\\b\\\" é?\"}\n");
}

// Names are copied, and more scalars than there is room for are cut.
static void test_scalars_copied(void **state) {
  (void)state;
  FILE *out = begin(RL_PROGRESS_PANEL, 0, 1000);
  char name[2 * RL_PROGRESS_SCALARS][16];
  RlProgressScalar many[2 * RL_PROGRESS_SCALARS];
  for (int i = 0; i < 2 * RL_PROGRESS_SCALARS; i++) {
    snprintf(name[i], sizeof name[i], "name%d", i);
    many[i] = (RlProgressScalar){name[i], i};
  }
  RlProgressRow row = make_row(10, 1);
  row.scalar = many;
  row.nscalar = 2 * RL_PROGRESS_SCALARS;
  rl_progress_update(&progress, &row);
  memset(name, 'z', sizeof name);
  memset(many, 0, sizeof many);
  rl_progress_finish(&progress);
  collect(out);
  play(80);
  assert_true(on_screen("name0"));
  assert_true(on_screen("name1"));
  assert_false(on_screen("zz"));
}

static void test_time_left(void **state) {
  (void)state;
  FILE *out = begin(RL_PROGRESS_JSON, 500, 1000);
  assert_true(isnan(rl_panel_left(&progress, progress.start + 10)));
  progress.step = 600;
  // 100 steps in 10 seconds: those before this process do not count
  assert_true(fabs(rl_panel_left(&progress, progress.start + 10) - 40) <= 1e-9);
  progress.step = 1001;
  assert_true(rl_panel_left(&progress, progress.start + 10) == 0);
  assert_true(rl_panel_fraction(&progress) == 1);
  fclose(out);
}

static void test_numbers(void **state) {
  (void)state;
  char out[32];
  static const struct {
    int64_t value;
    const char *shown;
  } count[] = {{0, "0"},          {999, "999"},  {1000, "1,000"}, {1234567, "1,234,567"},
               {-1000, "-1,000"}, {-100, "-100"}};
  for (size_t i = 0; i < sizeof count / sizeof count[0]; i++) {
    rl_line_count(count[i].value, out, sizeof out);
    assert_string_equal(out, count[i].shown);
  }
  static const struct {
    double value;
    const char *shown;
  } seconds[] = {{0, "0:00"},    {61.9, "1:01"}, {3661, "1:01:01"},  {90000, "1d 01h"},
                 {NAN, "--:--"}, {-1, "--:--"},  {INFINITY, "--:--"}};
  for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
    rl_line_time(seconds[i].value, out, sizeof out);
    assert_string_equal(out, seconds[i].shown);
  }
  static const struct {
    double value;
    const char *shown;
  } number[] = {{NAN, "-"},        {0, "0"},        {3e-4, "0.0003"}, {-1234.56, "-1234.6"},
                {1e7, "10000000"}, {1e16, "1e+16"}, {INFINITY, "inf"}};
  for (size_t i = 0; i < sizeof number / sizeof number[0]; i++) {
    rl_line_value(number[i].value, out, sizeof out);
    assert_string_equal(out, number[i].shown);
  }
}

int main(void) {
  setenv("COLUMNS", "80", 1);
  setenv("TERM", "xterm", 1);
  unsetenv("NO_COLOR");
  unsetenv("LC_ALL");
  unsetenv("LC_CTYPE");
  unsetenv("LANG");
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_panel),
      cmocka_unit_test(test_widths),
      cmocka_unit_test(test_colour_and_ascii),
      cmocka_unit_test(test_history),
      cmocka_unit_test(test_tick_limits_drawing),
      cmocka_unit_test(test_plain),
      cmocka_unit_test(test_json),
      cmocka_unit_test(test_scalars_copied),
      cmocka_unit_test(test_time_left),
      cmocka_unit_test(test_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
