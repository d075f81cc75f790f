// Centred differences, shared by the gradient checks of the losses.
#ifndef TESTS_GRAD_GRAD_H_
#define TESTS_GRAD_GRAD_H_

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nets/real.h"

_Static_assert(sizeof(RlReal) == sizeof(double), "needs the double build");

// Compares n derivatives of loss(arg) by x with got, small ones by the size of the large: the
// difference's own error is absolute. Of what is compared some must be non-zero, and must not be
// the difference itself.
static inline void check_gradient(double *x, const double *got, int n, double (*loss)(void *arg),
                                  void *arg) {
  double scale = 0;
  int equal = 0;
  for (int i = 0; i < n; i++) scale = fmax(scale, fabs(got[i]));
  assert_true(scale > 1e-4);
  for (int i = 0; i < n; i++) {
    double step = 1e-5, keep = x[i];
    x[i] = keep + step;
    double up = loss(arg);
    x[i] = keep - step;
    double down = loss(arg);
    x[i] = keep;
    double want = (up - down) / (2 * step);
    double error = fabs(got[i] - want) / fmax(fabs(want), 1e-3 * scale);
    if (!(error <= 1e-6)) {
      fail_msg("derivative %d: %.12g, expected %.12g, error %g", i, got[i], want, error);
    }
    equal += got[i] != 0 && got[i] == want;
  }
  assert_true(equal <= n / 4);
}

#endif
