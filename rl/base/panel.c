// The panel: title, bar, speed, return with its history, and the named scalars.
//
// Invariant: no drawn line is wider than the terminal, so the cursor is exactly `drawn` lines below
// the panel's first and the next drawing covers it.
#include "rl/base/panel.h"

#include <math.h>
#include <string.h>

#include "rl/base/clock.h"
#include "rl/base/line.h"
#include "rl/base/screen.h"

enum { MIN_WIDTH = 1, MAX_WIDTH = 160, MAX_BAR = 60, CELL = 30, MAX_CELL_LINES = 5 };

static const char *const BOLD = "\x1b[1m", *const DIM = "\x1b[2m", *const GREEN = "\x1b[32m",
                         *const CYAN = "\x1b[36m", *const PLAIN = "\x1b[0m";

static void put_label(RlLine *line, const char *label) {
  rl_line_style(line, DIM);
  rl_line_put(line, label);
  rl_line_style(line, PLAIN);
}

static void pad_to(RlLine *line, int column) {
  while (line->column < column && line->column < line->width) rl_line_put(line, " ");
}

// Erases what the line held before and goes to the next.
static void end_line(RlLine *line, int *lines) {
  rl_line_bytes(line, "\x1b[K\n", 4);
  line->column = 0;
  ++*lines;
}

double rl_panel_fraction(const RlProgress *p) {
  if (p->total <= 0) return 1;
  double done = (double)p->step / (double)p->total;
  return done < 0 ? 0 : done > 1 ? 1 : done;
}

double rl_panel_left(const RlProgress *p, double now) {
  double elapsed = now - p->start;
  double steps = (double)(p->step - p->start_step);
  if (!(elapsed > 0.5) || !(steps > 0)) return NAN;
  double left = (double)(p->total - p->step);
  return left > 0 ? left * elapsed / steps : 0;
}

static void put_bar(RlLine *line, bool unicode, int width, double done) {
  static const char *const eighth[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  int units = (int)(done * width * 8);
  rl_line_style(line, GREEN);
  for (int i = 0; i < units / 8; i++) rl_line_put(line, unicode ? "█" : "#");
  int drawn = units / 8;
  if (unicode && units % 8 > 0 && drawn < width) {
    rl_line_put(line, eighth[units % 8]);
    drawn++;
  }
  rl_line_style(line, PLAIN);
  rl_line_style(line, DIM);
  for (; drawn < width; drawn++) rl_line_put(line, unicode ? "░" : "-");
  rl_line_style(line, PLAIN);
}

// The history squeezed into at most width columns, each the mean of the entries it covers.
static void put_sparkline(RlLine *line, const RlProgress *p, int width) {
  static const char *const tall[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static const char *const ascii[] = {"_", ".", "-", "~", "=", "+", "*", "#"};
  int n = p->nhistory < width ? p->nhistory : width;
  if (n < 2) return;
  double column[MAX_WIDTH], lo = INFINITY, hi = -INFINITY;
  for (int i = 0; i < n; i++) {
    int from = i * p->nhistory / n, to = (i + 1) * p->nhistory / n;
    double sum = 0;
    for (int j = from; j < to; j++) sum += p->history[j];
    column[i] = sum / (to - from);
    lo = fmin(lo, column[i]);
    hi = fmax(hi, column[i]);
  }
  rl_line_style(line, CYAN);
  for (int i = 0; i < n; i++) {
    double height = hi > lo ? (column[i] - lo) / (hi - lo) : 0;
    int level = (int)(height * 7.999);
    rl_line_put(line, p->unicode ? tall[level] : ascii[level]);
  }
  rl_line_style(line, PLAIN);
}

static void put_title(RlLine *line, const RlProgress *p, double now) {
  static const char *const turn[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
  static const char *const ascii[] = {"|", "/", "-", "\\"};
  char elapsed[32], left[32];
  rl_line_style(line, GREEN);
  rl_line_put(line, p->unicode ? turn[p->frame % 10] : ascii[p->frame % 4]);
  rl_line_style(line, PLAIN);
  rl_line_put(line, " ");
  rl_line_style(line, BOLD);
  rl_line_put(line, p->title);
  rl_line_style(line, PLAIN);
  rl_line_time(now - p->start + p->offset, elapsed, sizeof elapsed);
  rl_line_time(rl_panel_left(p, now), left, sizeof left);
  put_label(line, "   elapsed ");
  rl_line_put(line, elapsed);
  put_label(line, "   left ");
  rl_line_put(line, left);
}

static void put_steps(RlLine *line, const RlProgress *p) {
  char step[32], total[32], tail[128];
  rl_line_count(p->step, step, sizeof step);
  rl_line_count(p->total, total, sizeof total);
  snprintf(tail, sizeof tail, " %5.1f%%  %s / %s steps", 100 * rl_panel_fraction(p), step, total);
  int bar = line->width - 2 - (int)strlen(tail);
  if (bar > MAX_BAR) bar = MAX_BAR;
  rl_line_put(line, "  ");
  if (bar >= 5) put_bar(line, p->unicode, bar, rl_panel_fraction(p));
  rl_line_put(line, tail);
}

static void put_speed(RlLine *line, const RlProgress *p) {
  char rate[32];
  double speed = p->row.steps_per_second;
  rl_line_count(speed >= 0 && speed < 1e12 ? (int64_t)speed : 0, rate, sizeof rate);
  put_label(line, "  steps/s ");
  rl_line_put(line, rate);
  put_label(line, "   collecting ");
  rl_line_format(line, "%.0f%%", 100 * p->row.collect);
  put_label(line, "  learning ");
  rl_line_format(line, "%.0f%%", 100 * p->row.learn);
  put_label(line, "  evaluating ");
  rl_line_format(line, "%.0f%%", 100 * p->row.eval);
}

static void put_return(RlLine *line, const RlProgress *p) {
  char ret[32], length[32];
  rl_line_value(p->row.ep_return, ret, sizeof ret);
  rl_line_value(p->row.ep_length, length, sizeof length);
  put_label(line, "  return ");
  rl_line_style(line, BOLD);
  rl_line_format(line, "%-9s", ret);
  rl_line_style(line, PLAIN);
  put_label(line, " length ");
  rl_line_format(line, "%-7s ", length);
  int room = line->width - line->column;
  if (room >= 8) put_sparkline(line, p, room < MAX_BAR ? room : MAX_BAR);
}

// The named scalars in columns, as many lines as they need and the terminal has.
static void put_scalars(RlLine *line, const RlProgress *p, int rows, int *lines) {
  int across = (line->width - 2) / CELL;
  if (across < 1) across = 1;
  for (int i = 0, cell_lines = 0; i < p->row.nscalar; cell_lines++) {
    if (cell_lines == MAX_CELL_LINES || *lines + 1 >= rows) return;
    for (int c = 0; c < across && i < p->row.nscalar; c++, i++) {
      char value[32];
      rl_line_value(p->scalar[i].value, value, sizeof value);
      pad_to(line, 2 + c * CELL);
      put_label(line, p->scalar[i].name);
      pad_to(line, 2 + c * CELL + CELL - 3 - (int)strlen(value));
      rl_line_put(line, " ");
      rl_line_put(line, value);
    }
    end_line(line, lines);
  }
}

void rl_panel_draw(RlProgress *p, const char *note) {
  double now = rl_clock_seconds();
  int width = 0, rows = 0, lines = 0;
  rl_screen_size(p->out, &width, &rows);
  if (width < MIN_WIDTH) width = MIN_WIDTH;
  if (width > MAX_WIDTH) width = MAX_WIDTH;
  RlLine line = {p->text, sizeof p->text, 0, 0, width, p->color};
  char move[32];
  if (p->drawn > 0) {
    int length = snprintf(move, sizeof move, "\r\x1b[%dA", p->drawn);
    rl_line_bytes(&line, move, (size_t)length);
  }
  if (note != NULL) {
    // a note may wrap: the panel starts below wherever it ends
    rl_line_bytes(&line, note, strlen(note));
    rl_line_bytes(&line, "\x1b[K\n", 4);
  }
  put_title(&line, p, now);
  end_line(&line, &lines);
  put_steps(&line, p);
  end_line(&line, &lines);
  if (p->has_row && rows > 5) {
    put_speed(&line, p);
    end_line(&line, &lines);
    put_return(&line, p);
    end_line(&line, &lines);
    put_scalars(&line, p, rows, &lines);
  }
  rl_line_bytes(&line, "\x1b[J", 3);
  fwrite(p->text, 1, line.length, p->out);
  fflush(p->out);
  p->drawn = lines;
  p->last_draw = now;
  p->frame++;
}
