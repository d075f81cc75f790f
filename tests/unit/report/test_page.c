// The whole report of runs written by hand: its tables against those numbers, its page and its text
// for hostile names, and the clip inside.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rl/report/page.h"
#include "rl/report/terminal.h"
#include "tests/unit/report/drawn.h"
#include "tests/unit/report/runs.h"
#include "tests/unit/rl/memory.h"

#define HOPPER  "total_steps = 200\n[env]\nid = Hopper-v5\n"
#define HOSTILE "<script>alert(1)<b>\x1b[31m&\"x"

static RlReport report;
static const char *path[4];

// two seeds, one of them still being trained, and one that has just begun
static void put_runs(void) {
  path[0] = runs_put("plain", 1, HOPPER,
                     RUNS_HEADER
                     "100,1,100,5,,0.01,5,0,0,,0.5,0.1,0.5,0\n"
                     "200,4,33,12.5,20,0.02,10,1,2,,0.75,0.25,0.25,0\n");
  path[1] = runs_put("two " HOSTILE, 2, HOPPER,
                     RUNS_HEADER
                     "100,1,100,10,30,0.01,5,0,0,,0.5,0.1,0.5,0\n"
                     "200,3697,33,7.5,40,0.04,10,0,0,,0.25,0.25,0.75,0\n"
                     "300,37");
  path[2] = runs_put("other", 1, HOPPER "[ppo]\ngamma = 0.5\n", RUNS_HEADER);
}

static void init(const RlReportOptions *options, int n) {
  if (rl_report_init(&report, options, path, n) != RL_OK) fail_msg("%s", rl_error_text());
}

static const char *cell(const RlSheet *sheet, int row, const char *head) {
  for (int c = 0; c < sheet->ncolumn; c++) {
    if (strcmp(rl_sheet_cell(sheet, 0, c), head) == 0) return rl_sheet_cell(sheet, row, c);
  }
  fail_msg("no column %s", head);
  return "";
}

static void test_training(void **state) {
  (void)state;
  RlSheet sheet;
  put_runs();
  init(&(RlReportOptions){0}, 3);
  assert_true(rl_report_training(&report, &sheet));
  assert_int_equal(sheet.nrow, 4);
  const struct {
    const char *head, *value[3];
  } expected[] = {{"run", {"plain", "two <script>alert(1)<", "other"}},
                  {"seed", {"1", "2", "1"}},
                  {"steps", {"200", "200", "0"}},
                  {"wall time", {"0:04", "1:01:37", "-"}},
                  {"steps/s", {"50.00", "0.054", "-"}},
                  {"return", {"12.50", "7.50", "-"}},
                  {"best", {"12.50", "10.00", "-"}},
                  {"updates", {"10", "10", "-"}},
                  {"skipped", {"1", "0", "-"}},
                  {"diverged", {"2", "0", "-"}}};
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    for (int row = 0; row < 3; row++) {
      const char *found = cell(&sheet, row + 1, expected[i].head);
      // the hostile name goes on
      if (i == 0 && row == 1)
        found = strstr(found, expected[i].value[row]) ? expected[i].value[row] : "";
      assert_string_equal(found, expected[i].value[row]);
    }
  }
  // nothing was played
  assert_false(rl_report_evaluation(&report, &sheet));
}

static void test_evaluation(void **state) {
  (void)state;
  RlSheet sheet;
  put_runs();
  init(&(RlReportOptions){0}, 3);
  for (int i = 0; i < 2; i++) {
    report.source[i].played = true;
    report.source[i].played_step = 200;
    report.source[i].eval = (RlEvalSummary){.episodes = 10, .mean = 10 + 20 * i, .std = 1.5};
  }
  assert_true(rl_report_evaluation(&report, &sheet));
  assert_int_equal(sheet.nrow, 4);
  assert_string_equal(cell(&sheet, 1, "mean"), "10.00");
  assert_string_equal(cell(&sheet, 2, "mean"), "30.00");
  assert_string_equal(cell(&sheet, 2, "deviation"), "1.50");
  assert_string_equal(cell(&sheet, 3, "seed"), "all 2");
  assert_string_equal(cell(&sheet, 3, "mean"), "20.00");
  assert_string_equal(cell(&sheet, 3, "deviation"), "10.00");
  assert_true(sheet.strong[3] && !sheet.strong[2]);
}

static void test_configurations(void **state) {
  (void)state;
  RlSheet sheet;
  put_runs();
  init(&(RlReportOptions){0}, 3);
  assert_true(rl_report_differences(&report, &sheet));
  assert_int_equal(sheet.nrow, 2);
  assert_string_equal(rl_sheet_cell(&sheet, 0, 0), "key");
  assert_string_equal(rl_sheet_cell(&sheet, 0, 2), report.group[1].title);
  assert_string_equal(rl_sheet_cell(&sheet, 1, 0), "ppo.gamma");
  assert_string_equal(rl_sheet_cell(&sheet, 1, 1), "0.99");
  assert_string_equal(rl_sheet_cell(&sheet, 1, 2), "0.5");
  assert_true(rl_report_deviations(&report, &sheet));
  assert_int_equal(sheet.nrow, 4);
  assert_string_equal(cell(&sheet, 3, "key"), "ppo.gamma");
  assert_string_equal(cell(&sheet, 3, "default"), "0.99");
  assert_string_equal(cell(&sheet, 3, "here"), "0.5");
}

// a key of the task is listed, the task's name is not
static void test_task_keys(void **state) {
  (void)state;
  RlSheet sheet;
  path[0] = runs_put("a", 1, "[env]\nid = Hopper-v5\nforward_reward_weight = 2\n", RUNS_HEADER);
  path[1] = runs_put("b", 1, "[env]\nid = Ant-v5\n", RUNS_HEADER);
  init(&(RlReportOptions){0}, 2);
  assert_true(rl_report_deviations(&report, &sheet));
  assert_int_equal(sheet.nrow, 2);
  assert_string_equal(cell(&sheet, 1, "key"), "env.forward_reward_weight");
  assert_string_equal(cell(&sheet, 1, "default"), "1");
  assert_string_equal(cell(&sheet, 1, "here"), "2");
}

// what tasks and algorithms have by themselves is no difference
static void test_no_differences(void **state) {
  (void)state;
  RlSheet sheet;
  path[0] = runs_put("a", 1, "[env]\nid = Hopper-v5\n", RUNS_HEADER);
  path[1] = runs_put("b", 1, "algorithm = sac\n[env]\nid = Ant-v5\n", RUNS_HEADER);
  init(&(RlReportOptions){0}, 2);
  assert_false(rl_report_differences(&report, &sheet));
  assert_false(rl_report_deviations(&report, &sheet));
}

// only what changes is drawn
static void test_quantities(void **state) {
  (void)state;
  RlFigure figure;
  int drawn = 0;
  path[0] = runs_put("a", 1, HOPPER, "step,approx_kl,clip_fraction,std\n1,0.5,0.1,\n2,0.5,0.2,\n");
  init(&(RlReportOptions){0}, 1);
  for (int i = 0; i < rl_report_quantities(); i++) {
    if (!rl_report_quantity(&report, 0, i, &figure)) continue;
    assert_string_equal(figure.title, "clipped ratios");
    drawn++;
  }
  assert_int_equal(drawn, 1);
}

static void test_sheet(void **state) {
  (void)state;
  RlSheet sheet;
  rl_sheet_init(&sheet, &report.arena, "t", 3, 2, 1);
  const double value[] = {NAN, 0.0001234, 12345678};
  const char *const expected[] = {"-", "0.0001234", "1.235e+07"};
  for (int i = 0; i < 3; i++) {
    rl_sheet_push(&sheet, false);
    rl_sheet_set(&sheet, 0, "a\x1b%d", 1);
    rl_sheet_number(&sheet, 1, value[i]);
    assert_string_equal(rl_sheet_cell(&sheet, i, 1), expected[i]);
  }
  assert_string_equal(rl_sheet_cell(&sheet, 0, 0),
                      "a\xef\xbf\xbd"
                      "1");
  assert_int_equal(rl_sheet_span(&sheet, 1), 2);
  assert_int_equal(rl_sheet_span(&sheet, 2), 0);
}

static void test_time(void **state) {
  (void)state;
  RlReportTime time;
  put_runs();
  init(&(RlReportOptions){0}, 3);
  rl_report_time(&report.group[0], &time);
  assert_true(fabs(time.physics - 0.25) <= 1e-12);
  assert_true(fabs(time.infer - 0.25) <= 1e-12);
  assert_true(fabs(time.learn - 0.5) <= 1e-12);
  rl_report_time(&report.group[1], &time);
  assert_true(isnan(time.learn));
}

static void test_axis(void **state) {
  (void)state;
  RlFigure figure;
  put_runs();
  init(&(RlReportOptions){.by_time = true}, 3);
  assert_string_equal(report.x_label, "minutes of wall time");
  rl_report_learning(&report, 0, &figure);
  // two thin lines and their mean, and a group without values
  assert_int_equal(figure.nline, 4);
  assert_non_null(figure.line[2].spread);
  assert_null(figure.line[3].spread);
  assert_string_equal(figure.line[2].name, "PPO, gamma 0.99 (n = 2)");
  assert_string_equal(figure.line[3].name, "PPO, gamma 0.5 (n = 0)");
  assert_true(fabs(figure.line[1].x[1] - 3697.0 / 60) <= 1e-9);
  rl_report_free(&report);
  scratch_put(scratch_path("a-1.csv"), "step,episode_return_mean\n", 25);
  path[0] = scratch_path("a-1.csv");
  assert_int_equal(rl_report_init(&report, &(RlReportOptions){.by_time = true}, path, 1), RL_USAGE);
  assert_non_null(strstr(rl_error_text(), "found no column seconds, expected one for --x time"));
}

static void test_page(void **state) {
  (void)state;
  put_runs();
  init(&(RlReportOptions){.title = HOSTILE}, 3);
  rl_page_write(drawn_open(), &report, 0);
  char *text = drawn_close();
  assert_int_equal(drawn_count(text, "<script>"), 1);
  assert_null(strstr(text, "\x1b"));
  assert_null(strstr(text, "://"));
  assert_non_null(strstr(text, "1970-01-01 00:00 UTC"));
  assert_non_null(strstr(text, "3 runs in 2 groups"));
  assert_non_null(strstr(text, "two &lt;script&gt;alert(1)&lt;"));
  assert_non_null(strstr(text, "<title>&lt;script&gt;"));
  assert_non_null(strstr(text, "<b>Table 1.</b> Training. "));
  // one bar: the other group has not told yet
  assert_int_equal(drawn_count(text, " steps/s</text>"), 1);
  assert_int_equal(drawn_count(text, "<video"), 0);
  // three rows of eleven, one of three, three of four; a group's name stands once
  assert_int_equal(drawn_count(text, "<td"), 3 * 11 - 1 + 3 + 3 * 4 - 1);
  assert_int_equal(drawn_count(text, "<td rowspan=\"2\">Hopper-v5, PPO, gamma 0.99<"), 1);
  drawn_free();
  rl_page_write_svg(drawn_open(), &report);
  text = drawn_close();
  assert_true(drawn_is_well_formed(text));
  assert_null(strstr(text, "<script"));
  drawn_free();
}

// Two and four panels stand two in a row, others three.
static void test_panels(void **state) {
  (void)state;
  static const char *const task[] = {"Ant", "Hopper", "Reacher", "Swimmer"};
  static const char *const shape[] = {"panels one", "panels two", "panels", "panels two"};
  for (int n = 1; n <= 4; n++) {
    char config[64], grid[64];
    snprintf(config, sizeof config, "[env]\nid = %s-v5\n", task[n - 1]);
    path[n - 1] = strdup(runs_put(task[n - 1], 1, config, RUNS_HEADER));
    init(&(RlReportOptions){0}, n);
    rl_page_write(drawn_open(), &report, 0);
    snprintf(grid, sizeof grid, "<div class=\"%s\">", shape[n - 1]);
    assert_int_equal(drawn_count(drawn_close(), grid), 1);
    drawn_free();
    rl_report_free(&report);
  }
  for (int n = 0; n < 4; n++) free((char *)(uintptr_t)path[n]);
}

static void test_memory(void **state) {
  (void)state;
  size_t before = 0;
  FILE *file = fopen(scratch_path("long-1.csv"), "w");
  assert_non_null(file);
  fputs("step,episode_return_mean\n", file);
  for (int row = 0; row < 4000; row++) fprintf(file, "%d,1\n", row);
  assert_int_equal(fclose(file), 0);
  path[0] = scratch_path("long-1.csv");
  for (int k = 0; k < 3; k++) {
    init(&(RlReportOptions){0}, 1);
    rl_report_free(&report);
    if (k == 0) before = memory_in_use();
  }
  assert_true(memory_in_use() <= before + 4096);
}

static void test_clip(void **state) {
  (void)state;
  const char clip[] = {0, 0, 0, 8, 'f', 't', 'y', 'p'};
  char inside[1024];
  put_runs();
  snprintf(inside, sizeof inside, "%s/b.mp4", path[2]);
  scratch_put(inside, clip, sizeof clip);
  snprintf(inside, sizeof inside, "%s/a.mp4", path[2]);
  scratch_put(inside, clip, sizeof clip);
  init(&(RlReportOptions){0}, 3);
  rl_page_write(drawn_open(), &report, 0);
  char *text = drawn_close();
  assert_non_null(strstr(text, "src=\"data:video/mp4;base64,AAAACGZ0eXA=\""));
  assert_non_null(strstr(text, "</b> a.mp4"));
  drawn_free();
  rl_report_free(&report);
  scratch_put(inside, "no film at all", 14);
  // named it is refused, found it is passed over with a word
  assert_int_equal(rl_report_init(&report, &(RlReportOptions){.clip = inside}, path, 3), RL_FAIL);
  assert_non_null(strstr(rl_error_text(), "a.mp4: found no MP4 file, expected one"));
  rl_report_free(&report);
  init(&(RlReportOptions){0}, 3);
  rl_page_write(drawn_open(), &report, 0);
  text = drawn_close();
  assert_non_null(strstr(text, "a.mp4: found no MP4 file, expected one.</p>"));
  assert_null(strstr(text, "<video"));
  drawn_free();
}

// no line is wider than the terminal, no escapes unless asked for, the letters tell groups apart
static void expect_terminal(const RlTerminal *terminal) {
  rl_terminal_write_to(drawn_open(), &report, terminal);
  char *text = drawn_close();
  assert_true((strchr(text, '\x1b') != NULL) == terminal->escapes);
  bool braille = strstr(text, "\xe2\xa0") || strstr(text, "\xe2\xa1") || strstr(text, "\xe2\xa2") ||
                 strstr(text, "\xe2\xa3");
  assert_true(braille == terminal->unicode);
  assert_non_null(strstr(text, "Training"));
  const char *legend = terminal->escapes ? "A\x1b[0m PPO, gamma 0.99 (n" : "A PPO, gamma 0.99 (n";
  assert_non_null(strstr(text, legend));
  // both curves end in the same place: neither letter covers the other
  assert_true(terminal->escapes || (strstr(text, "A\n") && strstr(text, "B\n")));
  int width = 0;
  for (const char *c = text; *c && !terminal->escapes; c++) {
    if (((unsigned char)*c & 0xc0) != 0x80) width++;
    if (*c == '\n') width = 0;
    if (width > terminal->width) fail_msg("wider than %d: %.40s", terminal->width, c - 40);
  }
  drawn_free();
}

static void test_terminal(void **state) {
  (void)state;
  const char curves[] = "step,episode_return_mean\n100,2\n200,10\n";
  char inside[2048];
  put_runs();
  snprintf(inside, sizeof inside, "%s/metrics.csv", path[2]);
  scratch_put(inside, curves, sizeof curves - 1);
  init(&(RlReportOptions){0}, 3);
  expect_terminal(&(RlTerminal){.width = 79, .unicode = true});
  expect_terminal(&(RlTerminal){.width = 79, .unicode = true, .escapes = true});
  expect_terminal(&(RlTerminal){.width = 60});
  // far too narrow: still no trouble
  rl_terminal_write_to(drawn_open(), &report, &(RlTerminal){.width = 1});
  assert_non_null(drawn_close());
  drawn_free();
}

// A tick every fourteen columns or so, each under its place; the title alone is bold.
static void test_chart(void **state) {
  (void)state;
  path[0] = runs_put("a", 1, HOPPER, RUNS_HEADER "0,1,1,3,,,,,,,,,,\n200,2,1,5,,,,,,,,,,\n");
  init(&(RlReportOptions){0}, 1);
  rl_terminal_write_to(drawn_open(), &report, &(RlTerminal){.width = 60});
  const char *axis = strstr(drawn_close(), "+--");
  assert_non_null(axis);
  const char *ticks = strchr(axis, '\n') + 1;
  int field = 8 + 2, columns = 50, at = 0;
  for (int k = 0; k <= 4; k++) {
    int value, length;
    assert_int_equal(sscanf(ticks + at, "%d%n", &value, &length), 1);
    assert_int_equal(value, 50 * k);
    at += length;
    int digits = value >= 100 ? 3 : value > 0 ? 2 : 1, middle = at - digits + digits / 2 - field;
    assert_true(abs(middle - columns * k / 4) <= 2);
  }
  assert_int_equal(ticks[at], '\n');
  drawn_free();
  rl_terminal_write_to(drawn_open(), &report, &(RlTerminal){.width = 60, .escapes = true});
  assert_non_null(strstr(drawn_close(), "\x1b[1mHopper-v5, PPO (n = 1)\x1b[0m: return\n"));
  drawn_free();
}

// digits go by the size of a number, whatever its sign
static void test_numbers(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *text;
  } expected[] = {{0, "0.000"},       {0.5, "0.500"},       {-0.5, "-0.500"},   {5.25, "5.25"},
                  {-5.25, "-5.25"},   {250, "250.0"},       {-250, "-250.0"},   {2500.5, "2500"},
                  {-2500.5, "-2500"}, {0.00025, "0.00025"}, {-1e-4, "-0.0001"}, {2e7, "2e+07"},
                  {-2e7, "-2e+07"},   {(double)NAN, "-"}};
  RlArena arena = {0};
  RlSheet sheet;
  rl_sheet_init(&sheet, &arena, "numbers", 1, 1, 0);
  rl_sheet_push(&sheet, false);
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    rl_sheet_number(&sheet, 0, expected[i].value);
    assert_string_equal(rl_sheet_cell(&sheet, 0, 0), expected[i].text);
  }
  rl_arena_free(&arena);
}

static int clear(void **state) {
  rl_report_free(&report);
  return scratch_remove(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_training, scratch_make, clear),
      cmocka_unit_test_setup_teardown(test_evaluation, scratch_make, clear),
      cmocka_unit_test_setup_teardown(test_configurations, scratch_make, clear),
      cmocka_unit_test_setup_teardown(test_task_keys, scratch_make, clear),
      cmocka_unit_test_setup_teardown(test_no_differences, scratch_make, clear),
      cmocka_unit_test_setup_teardown(test_quantities, scratch_make, clear),
      cmocka_unit_test_setup_teardown(test_sheet, scratch_make, clear),
      cmocka_unit_test(test_numbers),
      cmocka_unit_test_setup_teardown(test_time, scratch_make, clear),
      cmocka_unit_test_setup_teardown(test_axis, scratch_make, clear),
      cmocka_unit_test_setup_teardown(test_page, scratch_make, clear),
      cmocka_unit_test_setup_teardown(test_panels, scratch_make, clear),
      cmocka_unit_test_setup_teardown(test_clip, scratch_make, clear),
      cmocka_unit_test_setup_teardown(test_memory, scratch_make, clear),
      cmocka_unit_test_setup_teardown(test_terminal, scratch_make, clear),
      cmocka_unit_test_setup_teardown(test_chart, scratch_make, clear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
