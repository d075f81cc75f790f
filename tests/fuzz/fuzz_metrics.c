// metrics.csv of any bytes: refused with one line that names the file, or read into curves and
// drawn as a figure without a number that a reader of SVG could not take.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rl/report/csv.h"
#include "rl/report/curve.h"
#include "rl/report/figure.h"
#include "tests/fuzz/refused.h"
#include "tests/fuzz/standalone.h"

static void draw(const RlCsv *csv, int column, RlArena *arena) {
  double *x = RL_PUSH(arena, double, csv->nrow), *y = RL_PUSH(arena, double, csv->nrow);
  for (int row = 0; row < csv->nrow; row++) {
    x[row] = rl_csv_cell(csv, row, 0);
    y[row] = rl_csv_cell(csv, row, column);
  }
  RlCurve curve;
  RlBand band;
  rl_curve_init(&curve, arena, x, y, csv->nrow);
  RL_ASSERT(curve.n <= RL_CURVE_POINTS);
  rl_curve_merge(&band, arena, &curve, 1);
  RL_ASSERT(band.n <= curve.n);
  const RlFigureLine line = {.name = csv->name[column], .n = band.n, .x = band.x, .y = band.mean};
  const RlFigure figure = {csv->name[column], "step", "value", 300, 200, true, true, 1, &line};
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  RL_ASSERT(out);
  rl_figure_write(out, &figure, 0);
  RL_ASSERT(fclose(out) == 0);
  const char *points = strstr(text, "points=\"");
  RL_ASSERT(!points || strspn(points + 8, "0123456789.,- ") == strcspn(points + 8, "\""));
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  RlCsv csv;
  RlArena arena = {0};
  rl_error_clear();
  RlStatus status = rl_csv_parse(&csv, (const char *)data, size, "fuzz.csv");
  if (status != RL_OK) {
    expect_refused(status, "fuzz.csv");
  } else {
    draw(&csv, csv.ncolumn - 1, &arena);
  }
  rl_arena_free(&arena);
  rl_csv_free(&csv);
  return 0;
}
