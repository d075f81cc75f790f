// A table of text cells. Place: made once by tables.c, written by the page and by the terminal.
#ifndef RL_REPORT_SHEET_H_
#define RL_REPORT_SHEET_H_

#include <stdbool.h>

#include "rl/base/arena.h"

typedef struct {
  const char *title, *note;  // note: what the columns mean; nullable
  int nrow, ncolumn;         // row 0 holds the heads
  int limit;                 // rows there is room for
  int ntext;                 // columns from the left that hold text; the others hold numbers
  const char **cell;         // NULL: empty                          (limit, ncolumn)
  bool *strong;              // rows that sum up those before them   (limit)
  RlArena *arena;
} RlSheet;

// Makes a table of at most nrow rows, the heads among them.
void rl_sheet_init(RlSheet *sheet, RlArena *arena, const char *title, int nrow, int ncolumn,
                   int ntext);

// Begins the next row.
void rl_sheet_push(RlSheet *sheet, bool strong);

// Sets a cell of the last row; the text passes rl_markup_clean.
void rl_sheet_set(RlSheet *sheet, int column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Sets a cell to a number in few digits, a dash for NaN.
void rl_sheet_number(RlSheet *sheet, int column, double value);

// A cell as it is shown, "" where it is empty: a group's name in the first column stands once.
const char *rl_sheet_cell(const RlSheet *sheet, int row, int column);

// How many rows share the first column's cell that begins in this row; 0 if it began above.
int rl_sheet_span(const RlSheet *sheet, int row);

// Whether a row begins another group than that of the row above.
bool rl_sheet_begins(const RlSheet *sheet, int row);

#endif
