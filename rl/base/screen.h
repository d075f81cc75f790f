// What a terminal can show. Place: asked by the progress panel and by the report before they draw.
#ifndef RL_BASE_SCREEN_H_
#define RL_BASE_SCREEN_H_

#include <stdbool.h>
#include <stdio.h>

// Columns that can be used and rows as they are now: the terminal's, else $COLUMNS, else 80 by 24.
// The last column is left free: some terminals wrap as soon as it is written.
void rl_screen_size(FILE *out, int *width, int *rows);

// Whether out is a terminal that knows escapes.
bool rl_screen_has_escapes(FILE *out);

// Whether colours are wanted: unless NO_COLOR is set.
bool rl_screen_has_color(void);

// The character set of the terminal is only known by what the environment says against UTF-8.
bool rl_screen_has_unicode(void);

#endif
