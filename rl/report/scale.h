// An axis: its range, its ticks at round numbers and how they are written. Place: below the figures
// of the page and of the terminal.
#ifndef RL_REPORT_SCALE_H_
#define RL_REPORT_SCALE_H_

#include <stddef.h>

enum { RL_SCALE_TICKS = 16, RL_SCALE_TEXT = 32 };

typedef struct {
  double lo, hi;  // lo < hi, both finite
  int nticks;
  double tick[RL_SCALE_TICKS];  // multiples of 1, 2, 2.5 or 5 times a power of ten in [lo, hi]
  double unit;                  // ticks are written in this ...
  char suffix[8];               // ... with this behind: "k", "M", "e-5"
  int decimals;
} RlScale;

// Lays out an axis over [lo, hi] with about count ticks. A range that is empty or not finite is
// widened to one that can be drawn.
void rl_scale_init(RlScale *scale, double lo, double hi, int count);

// Lets an axis that stops just short of a tick end with it: a run ends near a round number of
// steps.
void rl_scale_extend(RlScale *scale, int count);

// Where value lies: 0 at lo, 1 at hi.
double rl_scale_place(const RlScale *scale, double value);

// Writes a tick: "0", "250k", "-1.5M".
void rl_scale_print(const RlScale *scale, double value, char text[RL_SCALE_TEXT]);

#endif
