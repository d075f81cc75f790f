// Curves, and the mean and spread of several: see curve.h.
#include "rl/report/curve.h"

#include <math.h>
#include <stdbool.h>

// Bins of equal width over x; a bin with rows but no value is a gap, one without rows is nothing.
static int average_bins(RlCurve *curve, const double *x, const double *y, int n) {
  double width = (x[n - 1] - x[0]) / RL_CURVE_POINTS;
  int points = 0;
  for (int row = 0, bin = 0; row < n; bin++) {
    // the last takes what rounding left
    double end = bin + 1 < RL_CURVE_POINTS ? x[0] + (bin + 1) * width : INFINITY;
    double sum_x = 0, sum_y = 0;
    int rows = 0, known = 0;
    for (; row < n && x[row] < end; row++, rows++) {
      sum_x += x[row];
      if (!isfinite(y[row])) continue;
      sum_y += y[row];
      known++;
    }
    if (rows == 0) continue;
    curve->x[points] = sum_x / rows;
    curve->y[points++] = known ? sum_y / known : NAN;
  }
  return points;
}

void rl_curve_init(RlCurve *curve, RlArena *arena, const double *x, const double *y, int n) {
  int most = n < RL_CURVE_POINTS ? n : RL_CURVE_POINTS;
  curve->x = RL_PUSH(arena, double, most);
  curve->y = RL_PUSH(arena, double, most);
  curve->n = n;
  if (n > RL_CURVE_POINTS) {
    curve->n = average_bins(curve, x, y, n);
    return;
  }
  for (int i = 0; i < n; i++) {
    curve->x[i] = x[i];
    curve->y[i] = isfinite(y[i]) ? y[i] : NAN;
  }
}

double rl_curve_interpolate(const RlCurve *curve, double x) {
  int low = 0, high = curve->n - 1;
  if (high < 0 || !(x >= curve->x[0] && x <= curve->x[high])) return NAN;
  // x[low] <= x < x[high], or both are where x is
  while (high - low > 1) {
    int middle = (low + high) / 2;
    *(curve->x[middle] <= x ? &low : &high) = middle;
  }
  if (curve->x[low] == x) return curve->y[low];
  if (curve->x[high] == x) return curve->y[high];
  double share = (x - curve->x[low]) / (curve->x[high] - curve->x[low]);
  return (1 - share) * curve->y[low] + share * curve->y[high];
}

// The first and last place of a value; false if there is none.
static bool find_ends(const RlCurve *curve, double *first, double *last) {
  int a = 0, b = curve->n - 1;
  while (a <= b && isnan(curve->y[a])) a++;
  while (b >= a && isnan(curve->y[b])) b--;
  if (a > b) return false;
  *first = curve->x[a];
  *last = curve->x[b];
  return true;
}

// Points of a curve inside [first, last].
static int count_inside(const RlCurve *curve, double first, double last) {
  int count = 0;
  for (int i = 0; i < curve->n; i++) count += curve->x[i] >= first && curve->x[i] <= last;
  return count;
}

// Mean and deviation at band->x[at]; a gap in one curve is one in both.
static void merge_point(RlBand *band, int at, const RlCurve *curve, int ncurve) {
  double sum = 0, square = 0, first, last;
  for (int c = 0; c < ncurve; c++) {
    if (find_ends(&curve[c], &first, &last)) sum += rl_curve_interpolate(&curve[c], band->x[at]);
  }
  double mean = sum / band->runs;
  for (int c = 0; c < ncurve; c++) {
    if (!find_ends(&curve[c], &first, &last)) continue;
    double d = rl_curve_interpolate(&curve[c], band->x[at]) - mean;
    square += d * d;
  }
  band->mean[at] = mean;
  band->spread[at] = sqrt(square / band->runs);
}

void rl_curve_merge(RlBand *band, RlArena *arena, const RlCurve *curve, int ncurve) {
  double first = -INFINITY, last = INFINITY;
  *band = (RlBand){0};
  for (int c = 0; c < ncurve; c++) {
    double a, b;
    if (!find_ends(&curve[c], &a, &b)) continue;
    first = fmax(first, a);
    last = fmin(last, b);
    band->runs++;
  }
  const RlCurve *finest = NULL;
  for (int c = 0; c < ncurve && band->runs > 0; c++) {
    int inside = count_inside(&curve[c], first, last);
    if (inside <= band->n) continue;
    band->n = inside;
    finest = &curve[c];
  }
  band->x = RL_PUSH(arena, double, band->n);
  band->mean = RL_PUSH(arena, double, band->n);
  band->spread = RL_PUSH(arena, double, band->n);
  for (int i = 0, at = 0; finest && i < finest->n; i++) {
    if (!(finest->x[i] >= first && finest->x[i] <= last)) continue;
    band->x[at] = finest->x[i];
    merge_point(band, at++, curve, ncurve);
  }
}
