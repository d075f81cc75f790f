// A curve, and the mean and spread of several. Place: between the columns of a file (csv.h) and the
// figures.
//
// A run's rows are averaged in RL_CURVE_POINTS bins of equal width where there are more rows than
// that. Several runs are compared at the places of the one with the most points, the others
// interpolated linearly, over the range that all of them have reached: with one configuration that
// is each row as it stands. A NaN is a gap in all of it.
#ifndef RL_REPORT_CURVE_H_
#define RL_REPORT_CURVE_H_

#include "rl/base/arena.h"

enum { RL_CURVE_POINTS = 256 };

typedef struct {
  int n;
  double *x;  // ascending              (n)
  double *y;  // finite, or NaN: a gap  (n)
} RlCurve;

typedef struct {
  int n, runs;     // places; curves that have a value at all
  double *x;       //                                        (n)
  double *mean;    // over the runs                          (n)
  double *spread;  // standard deviation over them, by n     (n)
} RlBand;

// Makes a curve of n points x, y, thinned; not finite y are gaps. Memory comes from the arena.
void rl_curve_init(RlCurve *curve, RlArena *arena, const double *x, const double *y, int n);

// The curve at x, NaN in a gap and outside.
double rl_curve_interpolate(const RlCurve *curve, double x);

// Mean and spread of the curves that have any value.
void rl_curve_merge(RlBand *band, RlArena *arena, const RlCurve *curve, int ncurve);

#endif
