// Axes with ticks at round numbers: see scale.h.
#include "rl/report/scale.h"

#include <math.h>
#include <stdio.h>

#include "rl/base/line.h"

// The round number next to at least width.
static double round_step(double width) {
  static const double round[] = {1, 2, 2.5, 5, 10};
  double power = pow(10, floor(log10(width)));
  for (int i = 0; i < 5; i++) {
    // rounding in the quotient must not skip a step that is meant exactly
    if (round[i] * power >= width * (1 - 1e-9)) return round[i] * power;
  }
  return 10 * power;
}

// As many decimals as tell the ticks apart.
static int count_decimals(double step) {
  int decimals = 0;
  while (decimals < 6 && !(fabs(step - round(step)) < 1e-6 * step)) {
    step *= 10;
    decimals++;
  }
  return decimals;
}

// Thousands and millions are written k and M; what is beyond either end, or would take many
// decimals, with its power of ten.
static void choose_unit(RlScale *scale, double most, double step) {
  int power = most >= 1e9 ? 9 : most >= 1e6 ? 6 : most >= 1e4 ? 3 : 0;
  const char *suffix = power == 9 ? "G" : power == 6 ? "M" : power == 3 ? "k" : "";
  snprintf(scale->suffix, sizeof scale->suffix, "%s", suffix);
  if (most >= 1e13 || (most > 0 && most < 0.1 && count_decimals(step) > 3)) {
    power = (int)floor(log10(most));
    snprintf(scale->suffix, sizeof scale->suffix, "e%d", power);
  }
  scale->unit = pow(10, power);
  scale->decimals = count_decimals(step / scale->unit);
}

void rl_scale_init(RlScale *scale, double lo, double hi, int count) {
  // a range whose width can be computed
  const double far = 1e300;
  if (!(lo <= hi)) lo = 0, hi = 1;
  lo = fmax(-far, fmin(far, lo));
  hi = fmax(-far, fmin(far, hi));
  double most = fmax(fabs(lo), fabs(hi));
  if (!(hi - lo > 1e-9 * most) || !(hi - lo > 1e-300)) {
    double room = most > 1e-290 ? 0.1 * most : 1;
    lo -= room;
    hi += room;
  }
  scale->lo = lo;
  scale->hi = hi;
  double step = round_step((hi - lo) / count);
  double first = ceil(lo / step - 1e-9);
  scale->nticks = 0;
  for (int i = 0; i < RL_SCALE_TICKS; i++) {
    double tick = (first + i) * step;
    if (!(tick <= hi + 1e-9 * step)) break;
    scale->tick[scale->nticks++] = tick;
  }
  choose_unit(scale, fmax(fabs(lo), fabs(hi)), step);
}

void rl_scale_extend(RlScale *scale, int count) {
  if (scale->nticks < 2) return;
  double last = scale->tick[scale->nticks - 1], next = 2 * last - scale->tick[scale->nticks - 2];
  if (next - scale->hi < 0.03 * (scale->hi - scale->lo)) {
    rl_scale_init(scale, scale->lo, next, count);
  }
}

double rl_scale_place(const RlScale *scale, double value) {
  return (value - scale->lo) / (scale->hi - scale->lo);
}

void rl_scale_print(const RlScale *scale, double value, char text[RL_SCALE_TEXT]) {
  RlLine line = {.text = text, .size = RL_SCALE_TEXT, .width = RL_SCALE_TEXT};
  text[0] = '\0';
  double shown = value / scale->unit;
  if (fabs(shown) < 0.5 * pow(10, -scale->decimals)) {
    rl_line_put(&line, "0");
  } else {
    rl_line_format(&line, "%.*f%s", scale->decimals, shown, scale->suffix);
  }
}
