// The report as text: see terminal.h.
//
// A chart is a field of cells. In braille each has two by four dots; otherwise a cell holds the
// letter of the group that was drawn there last. The letters also stand at the ends of the curves,
// so groups can be told apart without colour.
#include "rl/report/terminal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rl/base/screen.h"
#include "rl/report/markup.h"
#include "rl/report/scale.h"

enum { MIN_COLUMNS = 20, MAX_COLUMNS = 160, ROWS = 14, LABEL = 8, COLORS = 6 };

typedef struct {
  const RlTerminal *terminal;
  FILE *out;
  int columns;                      // of the field
  uint8_t dots[ROWS][MAX_COLUMNS];  // braille, bit by bit
  int color[ROWS][MAX_COLUMNS];     // of what was drawn last, -1: nothing
  char letter[ROWS][MAX_COLUMNS];   // in place of the dots, 0: none
  RlScale x, y;
} Field;

static const char *const BOLD = "\x1b[1m", *const DIM = "\x1b[2m", *const PLAIN = "\x1b[0m";
static const char *const hue[COLORS] = {"\x1b[36m", "\x1b[33m", "\x1b[32m",
                                        "\x1b[35m", "\x1b[34m", "\x1b[31m"};

static void style(const Field *f, const char *escape) {
  if (f->terminal->escapes) fputs(escape, f->out);
}

static void put_dot(Field *f, int x, int y, int color) {
  // braille numbers its dots column by column, the lowest row came later
  static const uint8_t bit[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
  if (x < 0 || y < 0 || x >= 2 * f->columns || y >= 4 * ROWS) return;
  f->dots[y / 4][x / 2] |= bit[y % 4][x % 2];
  f->color[y / 4][x / 2] = color;
}

static double dot_x(const Field *f, double x) {
  return rl_scale_place(&f->x, x) * (2 * f->columns - 1);
}

static double dot_y(const Field *f, double y) {
  return (1 - rl_scale_place(&f->y, y)) * (4 * ROWS - 1);
}

static void draw_segment(Field *f, double x0, double y0, double x1, double y1, int color) {
  double longest = fmax(fabs(x1 - x0), fabs(y1 - y0));
  int steps = longest < 1 ? 1 : longest > 1000 ? 1000 : (int)ceil(longest);
  for (int i = 0; i <= steps; i++) {
    double share = (double)i / steps;
    put_dot(f, (int)lround(x0 + share * (x1 - x0)), (int)lround(y0 + share * (y1 - y0)), color);
  }
}

// The letter at the end of a curve, or in the nearest row where no other stands.
static void put_letter(Field *f, int row, int column, int color) {
  for (int away = 0; away < 2 * ROWS; away++) {
    int at = row + (away % 2 ? -(away + 1) / 2 : away / 2);
    if (at < 0 || at >= ROWS || f->letter[at][column]) continue;
    f->letter[at][column] = (char)('A' + color % 26);
    f->color[at][column] = color;
    return;
  }
}

static bool known(const RlFigureLine *line, int i) {
  return isfinite(line->x[i]) && isfinite(line->y[i]);
}

static void draw_line(Field *f, const RlFigureLine *line, bool lettered) {
  int last = -1;
  for (int i = 0; i < line->n; i++) {
    if (!known(line, i)) continue;
    int from = i > 0 && known(line, i - 1) ? i - 1 : i;
    draw_segment(f, dot_x(f, line->x[from]), dot_y(f, line->y[from]), dot_x(f, line->x[i]),
                 dot_y(f, line->y[i]), line->color);
    last = i;
  }
  if (last < 0 || !lettered) return;
  put_letter(f, (int)lround(dot_y(f, line->y[last])) / 4, (int)lround(dot_x(f, line->x[last])) / 2,
             line->color);
}

// The axes cover what is drawn: the means, 0 on the left.
static bool set_scales(Field *f, const RlFigure *figure) {
  double lo = INFINITY, hi = -INFINITY, end = 0;
  for (int l = 0; l < figure->nline; l++) {
    const RlFigureLine *line = &figure->line[l];
    for (int i = 0; i < line->n && !line->faint; i++) {
      if (!known(line, i)) continue;
      lo = fmin(lo, line->y[i]);
      hi = fmax(hi, line->y[i]);
      end = fmax(end, line->x[i]);
    }
  }
  rl_scale_init(&f->y, lo, hi, 5);
  int ticks = f->columns / 14 + 1;
  rl_scale_init(&f->x, 0, end > 0 ? end : 1, ticks);
  rl_scale_extend(&f->x, ticks);
  return lo <= hi;
}

static void put_cell(const Field *f, int row, int column) {
  uint8_t dots = f->dots[row][column];
  char letter = f->letter[row][column];
  if (!dots && !letter) {
    fputc(' ', f->out);
    return;
  }
  style(f, hue[f->color[row][column] % COLORS]);
  if (letter) {
    fputc(letter, f->out);
  } else if (!f->terminal->unicode) {
    fputc('a' + f->color[row][column] % 26, f->out);
  } else {
    // U+2800 and the dots, as UTF-8
    fputc(0xe2, f->out);
    fputc(0xa0 | dots >> 6, f->out);
    fputc(0x80 | (dots & 0x3f), f->out);
  }
  style(f, PLAIN);
}

// A row of the field behind its tick, if it has one.
static void put_row(const Field *f, int row) {
  char label[RL_SCALE_TEXT] = "";
  for (int i = 0; i < f->y.nticks; i++) {
    if ((int)lround(dot_y(f, f->y.tick[i])) / 4 == row) rl_scale_print(&f->y, f->y.tick[i], label);
  }
  const char *plain = *label ? "+" : "|", *fine = *label ? "\u2524" : "\u2502";
  style(f, DIM);
  fprintf(f->out, "%*s %s", LABEL, label, f->terminal->unicode ? fine : plain);
  style(f, PLAIN);
  int end = f->columns;
  while (end > 0 && !f->dots[row][end - 1] && !f->letter[row][end - 1]) end--;
  for (int column = 0; column < end; column++) put_cell(f, row, column);
  fputc('\n', f->out);
}

static void put_x_axis(const Field *f, const char *label) {
  char text[MAX_COLUMNS + RL_SCALE_TEXT];
  int used = 0;
  style(f, DIM);
  fprintf(f->out, "%*s %s", LABEL, "", f->terminal->unicode ? "\u2514" : "+");
  for (int i = 0; i < f->columns; i++) fputs(f->terminal->unicode ? "\u2500" : "-", f->out);
  fputc('\n', f->out);
  memset(text, ' ', sizeof text);
  for (int i = 0; i < f->x.nticks; i++) {
    char tick[RL_SCALE_TEXT];
    rl_scale_print(&f->x, f->x.tick[i], tick);
    int length = (int)strlen(tick), at = (int)lround(dot_x(f, f->x.tick[i])) / 2 - length / 2;
    if (at < 0) at = 0;
    if (at + length > f->columns) at = f->columns - length;
    if (used > 0 && at <= used) continue;
    memcpy(text + at, tick, (size_t)length);
    used = at + length;
  }
  fprintf(f->out, "%*s  %.*s\n%*s  %s\n", LABEL, "", used, text, LABEL, "", label);
  style(f, PLAIN);
}

static void put_legend(const Field *f, const RlFigure *figure) {
  for (int i = 0; i < figure->nline; i++) {
    const RlFigureLine *line = &figure->line[i];
    if (!line->name) continue;
    fprintf(f->out, "%*s  ", LABEL, "");
    style(f, hue[line->color % COLORS]);
    fputc('A' + line->color % 26, f->out);
    style(f, PLAIN);
    fprintf(f->out, " %s\n", line->name);
  }
}

static void put_chart(FILE *out, const RlFigure *figure, const RlTerminal *terminal) {
  Field f = {.terminal = terminal, .out = out};
  f.columns = terminal->width - LABEL - 2;
  if (f.columns < MIN_COLUMNS) f.columns = MIN_COLUMNS;
  if (f.columns > MAX_COLUMNS) f.columns = MAX_COLUMNS;
  bool any = set_scales(&f, figure);
  int named = 0;
  for (int i = 0; i < figure->nline; i++) named += figure->line[i].name != NULL;
  for (int i = 0; i < figure->nline; i++) {
    if (!figure->line[i].faint) draw_line(&f, &figure->line[i], named > 1);
  }
  style(&f, BOLD);
  fprintf(out, "%s", figure->title);
  style(&f, PLAIN);
  fprintf(out, ": %s\n", any ? figure->y_label : "no values yet");
  if (any) {
    for (int row = 0; row < ROWS; row++) put_row(&f, row);
    put_x_axis(&f, figure->x_label);
    if (named > 1) put_legend(&f, figure);
  }
  fputc('\n', out);
}

static int column_width(const RlSheet *sheet, int column) {
  int width = 0;
  for (int row = 0; row < sheet->nrow; row++) {
    int cell = rl_markup_width(rl_sheet_cell(sheet, row, column));
    if (cell > width) width = cell;
  }
  return width;
}

// A row's cells from column first on, numbers to the right, nothing behind the last.
static void put_columns(FILE *out, const RlSheet *sheet, int row, int first) {
  int last = sheet->ncolumn - 1, blanks = 0;
  while (last > first && !*rl_sheet_cell(sheet, row, last)) last--;
  for (int c = first; c <= last; c++) {
    const char *text = rl_sheet_cell(sheet, row, c);
    int pad = column_width(sheet, c) - rl_markup_width(text);
    bool number = c >= sheet->ntext;
    fprintf(out, "%*s%s", blanks + 2 + (number ? pad : 0), "", text);
    blanks = number ? 0 : pad;
  }
  fputc('\n', out);
}

// A cell a line, behind its head: for rows that are wider than the terminal.
static void put_lines(FILE *out, const RlSheet *sheet, int row) {
  for (int c = 1; c < sheet->ncolumn && row > 0; c++) {
    const char *text = rl_sheet_cell(sheet, row, c);
    if (*text) fprintf(out, "    %s: %s\n", rl_sheet_cell(sheet, 0, c), text);
  }
}

void rl_terminal_write_sheet(FILE *out, const RlSheet *sheet, const RlTerminal *terminal) {
  const char *bold = terminal->escapes ? BOLD : "", *plain = terminal->escapes ? PLAIN : "";
  int wide = 0;
  for (int c = 1; c < sheet->ncolumn; c++) wide += 2 + column_width(sheet, c);
  bool narrow = wide + 2 > terminal->width;
  // the first column, long and often the same, has lines of its own
  fprintf(out, "%s%s%s\n", bold, sheet->title, plain);
  for (int row = 0; row < sheet->nrow; row++) {
    const char *name = rl_sheet_cell(sheet, row, 0);
    if (row > 0 && *name) fprintf(out, "  %s%s%s\n", bold, name, plain);
    if (narrow) {
      put_lines(out, sheet, row);
    } else {
      fputs("  ", out);
      put_columns(out, sheet, row, 1);
    }
  }
  fputc('\n', out);
}

void rl_terminal_write_to(FILE *out, RlReport *report, const RlTerminal *terminal) {
  static bool (*const make[])(RlReport *, RlSheet *) = {
      rl_report_evaluation, rl_report_training, rl_report_differences, rl_report_deviations};
  for (int i = 0; i < report->npanel; i++) {
    RlFigure figure;
    rl_report_learning(report, i, &figure);
    put_chart(out, &figure, terminal);
  }
  for (size_t i = 0; i < sizeof make / sizeof *make; i++) {
    RlSheet sheet;
    if (make[i](report, &sheet)) rl_terminal_write_sheet(out, &sheet, terminal);
  }
}

void rl_terminal_write(FILE *out, RlReport *report) {
  int rows;
  RlTerminal terminal;
  rl_screen_size(out, &terminal.width, &rows);
  terminal.unicode = rl_screen_has_unicode();
  terminal.escapes = rl_screen_has_escapes(out) && rl_screen_has_color();
  rl_terminal_write_to(out, report, &terminal);
}
