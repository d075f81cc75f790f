// Figures and bars: well-formed whatever the data, gaps are gaps, coordinates are where the scale
// says, names are escaped.
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rl/report/bars.h"
#include "rl/report/figure.h"
#include "tests/unit/report/drawn.h"
#include "tests/unit/rl/memory.h"

static const double x[] = {0, 25, 50, 75, 100};

static RlFigure figure_of(const RlFigureLine *line, int nline) {
  return (RlFigure){.title = "title",
                    .x_label = "steps",
                    .y_label = "return",
                    .width = 400,
                    .height = 240,
                    .legend = true,
                    .nline = nline,
                    .line = line};
}

static char *draw(const RlFigureLine *line, int nline) {
  RlFigure figure = figure_of(line, nline);
  rl_figure_write(drawn_open(), &figure, 7);
  char *text = drawn_close();
  assert_true(drawn_is_well_formed(text));
  assert_null(strstr(text, "nan"));
  assert_null(strstr(text, "inf"));
  return text;
}

// where a value lies, from what the figure says of its axes
static double place(const char *text, const char *axis, double value) {
  double lo, hi, from, to;
  const char *data = strstr(text, axis);
  assert_non_null(data);
  assert_int_equal(sscanf(data + strlen(axis), "%lf %lf %lf %lf", &lo, &hi, &from, &to), 4);
  return from + (to - from) * (value - lo) / (hi - lo);
}

static void test_places(void **state) {
  (void)state;
  const double y[] = {-10, 0, 30, 20, 40};
  const RlFigureLine line = {.name = "one", .n = 5, .x = x, .y = y};
  char *text = draw(&line, 1);
  const char *points = strstr(text, "points=\"");
  assert_non_null(points);
  points += strlen("points=\"");
  for (int i = 0; i < 5; i++) {
    double px, py;
    assert_int_equal(sscanf(points, "%lf,%lf", &px, &py), 2);
    assert_true(fabs(px - place(text, "data-x=\"", x[i])) <= 0.11);
    assert_true(fabs(py - place(text, "data-y=\"", y[i])) <= 0.11);
    points = strchr(points, ' ') + 1;
  }
  // x from 0 to the last, whatever y is
  assert_non_null(strstr(text, "data-x=\"0 100 "));
  // higher values are further up, and all of it is inside
  assert_true(place(text, "data-y=\"", 40) < place(text, "data-y=\"", -10));
  assert_true(place(text, "data-y=\"", 40) > 0 && place(text, "data-y=\"", -10) < 240);
  drawn_free();
}

static void test_gaps(void **state) {
  (void)state;
  const double y[] = {1, 2, NAN, 3, 4}, lone[] = {NAN, 2, NAN, INFINITY, 4};
  RlFigureLine line = {.name = "one", .n = 5, .x = x, .y = y};
  assert_int_equal(drawn_count(draw(&line, 1), "<polyline"), 2);
  drawn_free();
  // points alone are dots
  line.y = lone;
  char *text = draw(&line, 1);
  assert_int_equal(drawn_count(text, "<polyline"), 0);
  assert_int_equal(drawn_count(text, "<circle"), 2);
  drawn_free();
}

static void test_band(void **state) {
  (void)state;
  const double y[] = {1, 2, 3, 4, 5}, spread[] = {1, 1, NAN, 100, 1};
  const RlFigureLine line = {.name = "one", .n = 5, .x = x, .y = y, .spread = spread};
  char *text = draw(&line, 1);
  assert_int_equal(drawn_count(text, "<polygon"), 2);
  // the axis has room for it
  assert_true(place(text, "data-y=\"", 104) >= 0 && place(text, "data-y=\"", -96) <= 240);
  drawn_free();
}

static void test_nothing(void **state) {
  (void)state;
  const double none[] = {NAN, NAN, NAN, NAN, NAN};
  const RlFigureLine line = {.name = "one", .n = 5, .x = x, .y = none};
  assert_non_null(strstr(draw(&line, 1), "no values yet"));
  drawn_free();
  assert_non_null(strstr(draw(NULL, 0), "no values yet"));
  drawn_free();
  const double one = 3;
  const RlFigureLine point = {.name = "one", .n = 1, .x = &one, .y = &one};
  char *text = draw(&point, 1);
  assert_null(strstr(text, "no values yet"));
  assert_non_null(strstr(text, "data-x=\"0 3 "));
  drawn_free();
}

static void test_extremes(void **state) {
  (void)state;
  const double far[] = {-DBL_MAX, DBL_MAX, 0, 1e300, -1e-300};
  const RlFigureLine line = {.name = "one", .n = 5, .x = x, .y = far, .spread = far};
  draw(&line, 1);
  drawn_free();
  const double wide[] = {1e300, 1e301, 1e302, 1e307, DBL_MAX};
  const RlFigureLine late = {.name = "one", .n = 5, .x = wide, .y = x};
  draw(&late, 1);
  drawn_free();
}

// one in a hundred may leave a robust figure; no other
static void test_robust(void **state) {
  (void)state;
  static double many[1000], y[1000];
  for (int i = 0; i < 1000; i++) {
    many[i] = i;
    y[i] = i == 500 ? 1e6 : i % 10;
  }
  const RlFigureLine line = {.name = "one", .n = 1000, .x = many, .y = y};
  RlFigure figure = figure_of(&line, 1);
  rl_figure_write(drawn_open(), &figure, 0);
  double plain = place(drawn_close(), "data-y=\"", 1e6);
  drawn_free();
  figure.robust = true;
  rl_figure_write(drawn_open(), &figure, 0);
  double robust = place(drawn_close(), "data-y=\"", 1e6);
  drawn_free();
  assert_true(plain > 0 && robust < -1000);
}

static void test_escaped(void **state) {
  (void)state;
  const double y[] = {1, 2, 3, 4, 5};
  const char hostile[] = "</title><script>alert(\"1\")</script>&\x01\xff\xc3";
  const RlFigureLine line[] = {{.name = hostile, .n = 5, .x = x, .y = y},
                               {.name = "\" onload=\"x", .color = 1, .n = 5, .x = x, .y = y}};
  RlFigure figure = figure_of(line, 2);
  figure.title = figure.x_label = figure.y_label = hostile;
  rl_figure_write(drawn_open(), &figure, 1);
  char *text = drawn_close();
  assert_true(drawn_is_well_formed(text));
  assert_null(strstr(text, "<script"));
  assert_null(strstr(text, "\" onload"));
  assert_null(strchr(text, '\x01'));
  assert_null(strchr(text, '\xff'));
  drawn_free();
  rl_figure_write_legend(drawn_open(), &figure);
  assert_true(drawn_is_well_formed(drawn_close()));
  drawn_free();
  rl_figure_write_file(drawn_open(), &figure, 1, 3, hostile);
  text = drawn_close();
  assert_null(strstr(text, "<script"));
  drawn_free();
}

// names stand in the legend where there are several, and are cut to the panel
static void test_legend(void **state) {
  (void)state;
  const double y[] = {1, 2, 3, 4, 5};
  const char wide[] =
      "a name that is very much wider than any figure of four hundred could ever be";
  const RlFigureLine line[] = {{.name = "first", .n = 5, .x = x, .y = y},
                               {.name = wide, .color = 9, .n = 5, .x = x, .y = y},
                               {.color = 1, .faint = true, .n = 5, .x = x, .y = y}};
  assert_int_equal(drawn_count(draw(line, 1), ">first<"), 0);
  drawn_free();
  char *text = draw(line, 3);
  assert_int_equal(drawn_count(text, ">first<"), 1);
  assert_int_equal(drawn_count(text, "\xe2\x80\xa6</text>"), 1);
  assert_int_equal(drawn_count(text, "data-l="), 2);
  // the ninth colour is the second again, dashed
  assert_int_equal(drawn_count(text, "k1 dashed"), 2);
  drawn_free();
}

static void test_file(void **state) {
  (void)state;
  const double y[] = {1, 2, 3, 4, 5};
  const RlFigureLine line = {.name = "one", .n = 5, .x = x, .y = y};
  const RlFigure figure[] = {figure_of(&line, 1), figure_of(&line, 1), figure_of(&line, 1),
                             figure_of(&line, 1)};
  rl_figure_write_file(drawn_open(), figure, 4, 3, "four");
  char *text = drawn_close();
  assert_true(drawn_is_well_formed(text));
  assert_non_null(strstr(text, "viewBox=\"0 0 1200 480\""));
  assert_non_null(strstr(text, "translate(0 240)"));
  assert_int_equal(drawn_count(text, "<polyline"), 4);
  // a name of the SVG name space, and no other address
  assert_int_equal(drawn_count(text, "http"), 1);
  drawn_free();
  rl_figure_write_file(drawn_open(), NULL, 0, 3, "none");
  assert_true(drawn_is_well_formed(drawn_close()));
  drawn_free();
}

static void test_bars(void **state) {
  (void)state;
  const RlBar bar[] = {{"a <b>", "10 steps/s", {0.5, 0.25, 0.25, 0}},
                       {"b", "", {NAN, INFINITY, -1, 2}}};
  const RlBars bars = {"bars", {"p", "q", "r", "s"}, 2, bar};
  rl_bars_write(drawn_open(), &bars, 3);
  char *text = drawn_close();
  assert_true(drawn_is_well_formed(text));
  // the keys, and three shares: nothing of the second
  assert_int_equal(drawn_count(text, "<rect"), 4 + 3);
  assert_int_equal(drawn_count(text, ">50 %<"), 1);
  // one behind the other over the whole width
  assert_int_equal(drawn_count(text, "x=\"4.0\" y=\"43.0\" width=\"236.0\""), 1);
  assert_int_equal(drawn_count(text, "x=\"240.0\" y=\"43.0\" width=\"118.0\""), 1);
  assert_int_equal(drawn_count(text, "x=\"358.0\" y=\"43.0\" width=\"118.0\""), 1);
  drawn_free();
}

static void test_memory(void **state) {
  (void)state;
  enum { MANY = 4000 };
  static double many[MANY];
  for (int i = 0; i < MANY; i++) many[i] = i;
  const RlFigureLine line = {.name = "one", .n = MANY, .x = many, .y = many};
  size_t before = 0;
  for (int k = 0; k < 3; k++) {
    draw(&line, 1);
    drawn_free();
    if (k == 0) before = memory_in_use();
  }
  assert_true(memory_in_use() <= before + 4096);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_places),   cmocka_unit_test(test_gaps),
      cmocka_unit_test(test_band),     cmocka_unit_test(test_nothing),
      cmocka_unit_test(test_extremes), cmocka_unit_test(test_robust),
      cmocka_unit_test(test_escaped),  cmocka_unit_test(test_legend),
      cmocka_unit_test(test_file),     cmocka_unit_test(test_bars),
      cmocka_unit_test(test_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
