// The live panel of a run, redrawn in place. Place: between progress.c and the terminal.
#ifndef RL_BASE_PANEL_H_
#define RL_BASE_PANEL_H_

#include "rl/base/progress.h"

// Draws the panel over the one before. nullable: note, a line left above it.
void rl_panel_draw(RlProgress *p, const char *note);

// Share of the total steps done, in [0, 1].
double rl_panel_fraction(const RlProgress *p);

// Seconds left at this process's own average rate; NaN before there is one.
double rl_panel_left(const RlProgress *p, double now);

#endif
