// Shares of a whole as bars, one above the other. Place: beside figure.h, with its style.
#ifndef RL_REPORT_BARS_H_
#define RL_REPORT_BARS_H_

#include <stdio.h>

enum { RL_BARS_KINDS = 4 };

typedef struct {
  const char *name, *note;      // above the bar, left and right
  double share[RL_BARS_KINDS];  // sum to 1; not finite or negative: nothing
} RlBar;

typedef struct {
  const char *title;
  const char *kind[RL_BARS_KINDS];
  int nbar;
  const RlBar *bar;
} RlBars;

// Writes the bars as an <svg> element inside a page. id is unique in the page.
void rl_bars_write(FILE *out, const RlBars *bars, int id);

#endif
