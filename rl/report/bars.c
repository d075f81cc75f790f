// Shares of a whole as bars: see bars.h.
#include "rl/report/bars.h"

#include <math.h>

#include "rl/report/markup.h"

static const double WIDTH = 480, LEFT = 4, RIGHT = 476, LINE = 38;

static void put_text(FILE *out, double x, double y, const char *attributes, const char *text) {
  fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
  rl_markup_text(out, text);
  fputs("</text>\n", out);
}

// The bar's parts, each with its share inside where there is room.
static void put_bar(FILE *out, const RlBar *bar, double y) {
  double at = LEFT;
  for (int k = 0; k < RL_BARS_KINDS; k++) {
    double share = bar->share[k];
    if (!(share > 0 && share <= 1)) continue;
    double width = fmin(share * (RIGHT - LEFT), RIGHT - at);
    fprintf(out, "<rect class=\"h%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"14\"/>\n", k,
            at, y, width);
    if (width > 36) {
      char text[16];
      snprintf(text, sizeof text, "%.0f %%", 100 * share);
      put_text(out, at + width / 2, y + 11, "class=\"inside\" text-anchor=\"middle\"", text);
    }
    at += width;
  }
}

static void put_description(FILE *out, const RlBars *bars) {
  for (int i = 0; i < bars->nbar; i++) {
    rl_markup_text(out, bars->bar[i].name);
    for (int k = 0; k < RL_BARS_KINDS; k++) {
      if (!isfinite(bars->bar[i].share[k])) continue;
      fprintf(out, "%s %s %.1f %%", k ? "," : ":", bars->kind[k], 100 * bars->bar[i].share[k]);
    }
    fputs(". ", out);
  }
}

void rl_bars_write(FILE *out, const RlBars *bars, int id) {
  fprintf(out,
          "<svg class=\"fig\" role=\"img\" viewBox=\"0 0 %g %g\" aria-labelledby=\"t%d d%d\">\n"
          "<title id=\"t%d\">",
          WIDTH, 26 + LINE * bars->nbar, id, id, id);
  rl_markup_text(out, bars->title);
  fprintf(out, "</title>\n<desc id=\"d%d\">", id);
  put_description(out, bars);
  fputs("</desc>\n", out);
  for (int k = 0; k < RL_BARS_KINDS; k++) {
    double x = LEFT + 110 * k;
    fprintf(out, "<rect class=\"h%d\" x=\"%.1f\" y=\"4\" width=\"18\" height=\"10\"/>\n", k, x);
    put_text(out, x + 24, 13, "", bars->kind[k]);
  }
  for (int i = 0; i < bars->nbar; i++) {
    double y = 26 + LINE * i;
    put_text(out, LEFT, y + 12, "class=\"name\"", bars->bar[i].name);
    put_text(out, RIGHT, y + 12, "text-anchor=\"end\"", bars->bar[i].note);
    put_bar(out, &bars->bar[i], y + 17);
  }
  fputs("</svg>\n", out);
}
