// Line charts as SVG: see figure.h.
//
// Invariant: every coordinate written is finite and inside the panel or clipped to it, and every
// text passes rl_markup_text, so the result is well-formed whatever the data.
#include "rl/report/figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rl/base/order.h"
#include "rl/report/markup.h"
#include "rl/report/page.h"
#include "rl/report/scale.h"

// the room around the plot, and where its parts lie
typedef struct {
  const RlFigure *figure;
  FILE *out;
  RlScale x, y;
  double left, right, top, bottom;
} Plot;

static const double LETTER = 5.9, ROW = 15;  // of the text, as wide as it comes

static double x_of(const Plot *p, double x) {
  return p->left + (p->right - p->left) * rl_scale_place(&p->x, x);
}

// Far outside is just outside: the coordinates stay numbers that every reader can take.
static double y_of(const Plot *p, double y) {
  double place = rl_scale_place(&p->y, y);
  return p->bottom - (p->bottom - p->top) * fmax(-2, fmin(3, place));
}

static bool known(const RlFigureLine *line, int i) {
  return isfinite(line->x[i]) && isfinite(line->y[i]);
}

static bool has_band(const RlFigureLine *line, int i) {
  return known(line, i) && isfinite(line->spread[i]);
}

// Puts what a line reaches, band included, into value; returns how many numbers that is.
static size_t list_reach(const RlFigureLine *line, double *value) {
  size_t n = 0;
  for (int i = 0; i < line->n; i++) {
    if (!known(line, i)) continue;
    double spread = line->spread && isfinite(line->spread[i]) ? line->spread[i] : 0;
    value[n++] = line->y[i] - spread;
    value[n++] = line->y[i] + spread;
  }
  return n;
}

// The range of y; false if nothing is known.
static bool find_y(const RlFigure *figure, double *lo, double *hi) {
  size_t most = 0, n = 0;
  for (int i = 0; i < figure->nline; i++) most += 2 * (size_t)figure->line[i].n;
  double *value = malloc((most + 1) * sizeof *value);
  if (!value) return false;
  for (int i = 0; i < figure->nline; i++) n += list_reach(&figure->line[i], value + n);
  qsort(value, n, sizeof *value, rl_ascending);
  size_t cut = figure->robust ? n / 200 : 0;
  if (n > 0) {
    *lo = value[cut];
    *hi = value[n - 1 - cut];
  }
  free(value);
  return n > 0;
}

static void find_x(const RlFigure *figure, double *lo, double *hi) {
  *lo = 0;
  *hi = 0;
  for (int i = 0; i < figure->nline; i++) {
    const RlFigureLine *line = &figure->line[i];
    for (int j = 0; j < line->n; j++) {
      if (!known(line, j)) continue;
      *lo = fmin(*lo, line->x[j]);
      *hi = fmax(*hi, line->x[j]);
    }
  }
  if (*hi <= *lo) *hi = *lo + 1;
}

static int count_names(const RlFigure *figure) {
  int count = 0;
  for (int i = 0; i < figure->nline; i++) count += figure->line[i].name != NULL;
  return count;
}

// Where the next entry of the legend goes; returns the rows so far.
static int place_entry(const Plot *p, const char *name, double *at, int row) {
  double width = 24 + LETTER * rl_markup_width(name) + 10;
  if (*at > 0 && p->left + *at + width > p->right) {
    *at = 0;
    row++;
  }
  *at += width;
  return row;
}

static int legend_rows(const Plot *p) {
  double at = 0;
  int row = 0;
  if (!p->figure->legend || count_names(p->figure) < 2) return 0;
  for (int i = 0; i < p->figure->nline; i++) {
    if (p->figure->line[i].name) row = place_entry(p, p->figure->line[i].name, &at, row);
  }
  return row + 1;
}

static void lay_out(Plot *p) {
  const RlFigure *figure = p->figure;
  double lo = 0, hi = 1;
  if (find_y(figure, &lo, &hi)) {
    double room = 0.04 * (fmin(hi, 1e300) - fmax(lo, -1e300));
    // a quantity that is never negative gets no room below 0
    lo = lo >= 0 && lo - room < 0 ? 0 : lo - room;
    hi += room;
  }
  rl_scale_init(&p->y, lo, hi, 6);
  find_x(figure, &lo, &hi);
  rl_scale_init(&p->x, lo, hi, 5);
  rl_scale_extend(&p->x, 5);
  // as wide for short numbers, so that the axes of neighbours line up
  int widest = 5;
  for (int i = 0; i < p->y.nticks; i++) {
    char text[RL_SCALE_TEXT];
    rl_scale_print(&p->y, p->y.tick[i], text);
    int width = rl_markup_width(text);
    if (width > widest) widest = width;
  }
  p->left = 24 + LETTER * widest;
  p->right = figure->width - 14;
  p->bottom = figure->height - 36;
  p->top = 26;
  p->top += ROW * legend_rows(p);
}

static void put_text(const Plot *p, double x, double y, const char *attributes, const char *text) {
  fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
  rl_markup_text(p->out, text);
  fputs("</text>\n", p->out);
}

// A tick's text, with a minus sign instead of a hyphen.
static void put_tick(const Plot *p, const RlScale *scale, double tick, double x, double y,
                     const char *attributes) {
  char text[RL_SCALE_TEXT], shown[RL_SCALE_TEXT + 4];
  rl_scale_print(scale, tick, text);
  snprintf(shown, sizeof shown, "%s%s", *text == '-' ? "\xe2\x88\x92" : "", text + (*text == '-'));
  put_text(p, x, y, attributes, shown);
}

static void put_axes(const Plot *p) {
  char turn[96];
  fputs("<path class=\"grid\" d=\"", p->out);
  for (int i = 0; i < p->y.nticks; i++) {
    fprintf(p->out, "M%.1f %.1fH%.1f", p->left, y_of(p, p->y.tick[i]), p->right);
  }
  for (int i = 0; i < p->x.nticks; i++) {
    fprintf(p->out, "M%.1f %.1fV%.1f", x_of(p, p->x.tick[i]), p->top, p->bottom);
  }
  fprintf(p->out, "\"/>\n<path class=\"axis\" d=\"M%.1f %.1fV%.1fH%.1f\"/>\n", p->left, p->top,
          p->bottom, p->right);
  for (int i = 0; i < p->y.nticks; i++) {
    put_tick(p, &p->y, p->y.tick[i], p->left - 5, y_of(p, p->y.tick[i]) + 4, "text-anchor=\"end\"");
  }
  for (int i = 0; i < p->x.nticks; i++) {
    double x = x_of(p, p->x.tick[i]);
    // the last one ends with the panel
    bool edge = x > p->right - 8;
    put_tick(p, &p->x, p->x.tick[i], edge ? p->right + 10 : x, p->bottom + 14,
             edge ? "text-anchor=\"end\"" : "text-anchor=\"middle\"");
  }
  double x = 0.5 * (p->left + p->right), y = 0.5 * (p->top + p->bottom);
  put_text(p, x, p->bottom + 29, "text-anchor=\"middle\"", p->figure->x_label);
  snprintf(turn, sizeof turn, "text-anchor=\"middle\" transform=\"rotate(-90 10 %.1f)\"", y);
  put_text(p, 10, y, turn, p->figure->y_label);
}

static const char *dashes(const RlFigureLine *line) {
  return line->color >= RL_FIGURE_COLORS ? " dashed" : "";
}

// A name cut to the panel's width.
static void put_name(const Plot *p, double x, double y, const char *name) {
  char text[256];
  double room = (p->right - p->left - 24) / LETTER;
  int left = room > 4 ? (int)room : 4;
  bool cut = rl_markup_width(name) > left;
  size_t n = 0;
  while (name[n] && n + 8 < sizeof text) {
    if (((unsigned char)name[n] & 0xc0) != 0x80 && left-- == (cut ? 1 : 0)) break;
    text[n] = name[n];
    n++;
  }
  snprintf(text + n, sizeof text - n, "%s", name[n] ? "\xe2\x80\xa6" : "");
  put_text(p, x, y, "", text);
}

static void put_legend(const Plot *p) {
  double at = 0;
  int row = 0;
  if (legend_rows(p) == 0) return;
  for (int i = 0; i < p->figure->nline; i++) {
    const RlFigureLine *line = &p->figure->line[i];
    if (!line->name) continue;
    double before = at;
    int placed = place_entry(p, line->name, &at, row);
    double x = p->left + (placed > row ? 0 : before), y = 32 + ROW * placed;
    row = placed;
    fprintf(p->out, "<path class=\"line k%d%s\" d=\"M%.1f %.1fh18\"/>\n",
            line->color % RL_FIGURE_COLORS, dashes(line), x, y - 4);
    put_name(p, x + 24, y, line->name);
  }
}

// The band as one closed polygon for each stretch without a gap.
static void put_band(const Plot *p, const RlFigureLine *line, int index) {
  for (int from = 0, to; from < line->n; from = to + 1) {
    for (to = from; to < line->n && has_band(line, to);) to++;
    if (to - from < 2) continue;
    fprintf(p->out, "<polygon class=\"band k%d\" data-l=\"%d\" points=\"",
            line->color % RL_FIGURE_COLORS, index);
    for (int i = from; i < to; i++) {
      fprintf(p->out, "%.1f,%.1f ", x_of(p, line->x[i]), y_of(p, line->y[i] + line->spread[i]));
    }
    for (int i = to - 1; i >= from; i--) {
      fprintf(p->out, "%.1f,%.1f ", x_of(p, line->x[i]), y_of(p, line->y[i] - line->spread[i]));
    }
    fputs("\"/>\n", p->out);
  }
}

// The line in stretches without a gap; a point alone is a dot.
static void put_line(const Plot *p, const RlFigureLine *line, int index) {
  int color = line->color % RL_FIGURE_COLORS;
  for (int from = 0, to; from < line->n; from = to + 1) {
    for (to = from; to < line->n && known(line, to);) to++;
    if (to == from) continue;
    if (to == from + 1) {
      fprintf(p->out, "<circle class=\"k%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>\n", color,
              x_of(p, line->x[from]), y_of(p, line->y[from]));
      continue;
    }
    fprintf(p->out, "<polyline class=\"line k%d%s%s\"", color, dashes(line),
            line->faint ? " faint" : "");
    if (line->name) {
      fprintf(p->out, " data-l=\"%d\" data-name=\"", index);
      rl_markup_text(p->out, line->name);
      fputs("\"", p->out);
    }
    fputs(" points=\"", p->out);
    for (int i = from; i < to; i++) {
      fprintf(p->out, "%.1f,%.1f ", x_of(p, line->x[i]), y_of(p, line->y[i]));
    }
    fputs("\"/>\n", p->out);
  }
}

static void put_lines(const Plot *p, int id) {
  const RlFigure *figure = p->figure;
  bool any = false;
  fprintf(p->out,
          "<clipPath id=\"c%d\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>"
          "</clipPath>\n<g clip-path=\"url(#c%d)\">\n",
          id, p->left, p->top - 2, p->right - p->left + 3, p->bottom - p->top + 4, id);
  for (int i = 0; i < figure->nline; i++) {
    if (figure->line[i].spread) put_band(p, &figure->line[i], i);
  }
  for (int faint = 1; faint >= 0; faint--) {
    for (int i = 0; i < figure->nline; i++) {
      const RlFigureLine *line = &figure->line[i];
      if (line->faint == (faint == 1)) put_line(p, line, i);
      for (int j = 0; j < line->n && !any; j++) any = known(line, j);
    }
  }
  fputs("</g>\n", p->out);
  if (any) return;
  put_text(p, 0.5 * (p->left + p->right), 0.5 * (p->top + p->bottom), "text-anchor=\"middle\"",
           "no values yet");
}

static void put_body(Plot *p, int id) {
  lay_out(p);
  put_text(p, p->left, 14, "class=\"title\"", p->figure->title);
  put_axes(p);
  put_legend(p);
  put_lines(p, id);
}

// What a reader who cannot see the figure is told: the axes and where each line ends.
static void put_description(FILE *out, const RlFigure *figure) {
  rl_markup_text(out, figure->y_label);
  fputs(" over ", out);
  rl_markup_text(out, figure->x_label);
  fputs(". ", out);
  for (int i = 0; i < figure->nline; i++) {
    const RlFigureLine *line = &figure->line[i];
    int last = line->n - 1;
    while (last >= 0 && !known(line, last)) last--;
    if (last < 0 || line->faint) continue;
    if (line->name) rl_markup_text(out, line->name);
    fprintf(out, " ends with %.4g", line->y[last]);
    if (line->spread && line->spread[last] > 0) {
      fprintf(out, " \xc2\xb1 %.3g", line->spread[last]);
    }
    fprintf(out, " at %.6g. ", line->x[last]);
  }
}

void rl_figure_write(FILE *out, const RlFigure *figure, int id) {
  Plot p = {.figure = figure, .out = out};
  lay_out(&p);
  fprintf(out,
          "<svg class=\"fig\" role=\"img\" viewBox=\"0 0 %g %g\" aria-labelledby=\"t%d d%d\" "
          "data-x=\"%.9g %.9g %.1f %.1f\" data-y=\"%.9g %.9g %.1f %.1f\">\n<title id=\"t%d\">",
          figure->width, figure->height, id, id, p.x.lo, p.x.hi, p.left, p.right, p.y.lo, p.y.hi,
          p.bottom, p.top, id);
  rl_markup_text(out, figure->title);
  fprintf(out, "</title>\n<desc id=\"d%d\">", id);
  put_description(out, figure);
  fputs("</desc>\n", out);
  put_body(&p, id);
  fputs("</svg>\n", out);
}

void rl_figure_write_legend(FILE *out, const RlFigure *figure) {
  fputs("<p class=\"legend\">", out);
  for (int i = 0; i < figure->nline; i++) {
    const RlFigureLine *line = &figure->line[i];
    if (!line->name) continue;
    fprintf(out,
            "<span><svg class=\"fig\" viewBox=\"0 0 22 8\" aria-hidden=\"true\"><path "
            "class=\"line k%d%s\" d=\"M2 4h18\"/></svg> ",
            line->color % RL_FIGURE_COLORS, dashes(line));
    rl_markup_text(out, line->name);
    fputs("</span>\n", out);
  }
  fputs("</p>\n", out);
}

void rl_figure_write_file(FILE *out, const RlFigure *figure, int n, int columns,
                          const char *title) {
  int across = n < columns ? n : columns, rows = (n + columns - 1) / columns;
  double width = n > 0 ? figure->width : 0, height = n > 0 ? figure->height : 0;
  fprintf(out,
          "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"fig\" role=\"img\" width=\"%g\" "
          "height=\"%g\" viewBox=\"0 0 %g %g\" aria-labelledby=\"t d\">\n<title id=\"t\">",
          across * width, rows * height, across * width, rows * height);
  rl_markup_text(out, title);
  fputs("</title>\n<desc id=\"d\">", out);
  for (int i = 0; i < n; i++) {
    rl_markup_text(out, figure[i].title);
    fputs(": ", out);
    put_description(out, &figure[i]);
  }
  fprintf(out,
          "</desc>\n<style>\n%s</style>\n<rect width=\"100%%\" height=\"100%%\" "
          "style=\"fill:var(--paper)\"/>\n",
          rl_page_figure);
  for (int i = 0; i < n; i++) {
    Plot p = {.figure = &figure[i], .out = out};
    int column = i % columns, row = i / columns;
    fprintf(out, "<g transform=\"translate(%g %g)\">\n", column * width, row * height);
    put_body(&p, i);
    fputs("</g>\n", out);
  }
  fputs("</svg>\n", out);
}
