// Line charts as SVG. Place: between the curves and the page; knows nothing of runs.
//
// A figure is one panel: title, axes with ticks at round numbers, a legend where it is asked for
// and more than one line has a name, bands of spread behind their lines. Its colours are CSS
// variables that page/figure.css defines for light, dark and print; they can be told apart by
// colour-blind readers. Beyond RL_FIGURE_COLORS they come again, dashed.
#ifndef RL_REPORT_FIGURE_H_
#define RL_REPORT_FIGURE_H_

#include <stdbool.h>
#include <stdio.h>

enum { RL_FIGURE_COLORS = 8 };

typedef struct {
  const char *name;  // NULL: not in the legend, nor under the pointer
  int color;
  bool faint;            // thin and pale
  int n;                 // points
  const double *x, *y;   // a NaN is a gap                    (n)
  const double *spread;  // half the band's height; nullable  (n)
} RlFigureLine;

typedef struct {
  const char *title, *x_label, *y_label;
  double width, height;  // in units of which the text is 11 high
  bool legend;           // names the lines, if there are several
  bool robust;           // outliers may leave the panel: the axis covers all but one in a hundred
  int nline;
  const RlFigureLine *line;
} RlFigure;

// Writes one figure as an <svg> element inside a page. id is unique in the page.
void rl_figure_write(FILE *out, const RlFigure *figure, int id);

// Writes the legend alone, as a paragraph above several figures of the same lines.
void rl_figure_write_legend(FILE *out, const RlFigure *figure);

// Writes n figures as one SVG file, in rows of at most columns; title and description are for
// readers that cannot see it.
void rl_figure_write_file(FILE *out, const RlFigure *figure, int n, int columns, const char *title);

#endif
