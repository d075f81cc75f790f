// Tables of text cells: see sheet.h.
#include "rl/report/sheet.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rl/base/status.h"
#include "rl/report/markup.h"

enum { CELL_SIZE = 512 };

void rl_sheet_init(RlSheet *sheet, RlArena *arena, const char *title, int nrow, int ncolumn,
                   int ntext) {
  *sheet = (RlSheet){.title = title, .limit = nrow, .ncolumn = ncolumn, .ntext = ntext};
  sheet->cell = RL_PUSH(arena, const char *, (size_t)nrow *(size_t)ncolumn);
  sheet->strong = RL_PUSH(arena, bool, nrow);
  sheet->arena = arena;
}

void rl_sheet_push(RlSheet *sheet, bool strong) {
  RL_ASSERT(sheet->nrow < sheet->limit);
  sheet->strong[sheet->nrow++] = strong;
}

void rl_sheet_set(RlSheet *sheet, int column, const char *format, ...) {
  char text[CELL_SIZE], clean[CELL_SIZE];
  RL_ASSERT(sheet->nrow > 0 && column >= 0 && column < sheet->ncolumn);
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  rl_markup_clean(clean, sizeof clean, text);
  char *kept = RL_PUSH(sheet->arena, char, strlen(clean) + 1);
  snprintf(kept, strlen(clean) + 1, "%s", clean);
  sheet->cell[(size_t)(sheet->nrow - 1) * (size_t)sheet->ncolumn + (size_t)column] = kept;
}

void rl_sheet_number(RlSheet *sheet, int column, double value) {
  if (isnan(value)) {
    rl_sheet_set(sheet, column, "-");
  } else if (fabs(value) >= 1e7 || (fabs(value) < 1e-3 && fabs(value) > 0)) {
    rl_sheet_set(sheet, column, "%.4g", value);
  } else {
    int decimals = fabs(value) >= 1000 ? 0 : fabs(value) >= 100 ? 1 : fabs(value) >= 1 ? 2 : 3;
    rl_sheet_set(sheet, column, "%.*f", decimals, value);
  }
}

static const char *cell_of(const RlSheet *sheet, int row, int column) {
  const char *cell = sheet->cell[(size_t)row * (size_t)sheet->ncolumn + (size_t)column];
  return cell ? cell : "";
}

static bool repeats(const RlSheet *sheet, int row) {
  return row > 1 && strcmp(cell_of(sheet, row, 0), cell_of(sheet, row - 1, 0)) == 0;
}

const char *rl_sheet_cell(const RlSheet *sheet, int row, int column) {
  return column == 0 && repeats(sheet, row) ? "" : cell_of(sheet, row, column);
}

int rl_sheet_span(const RlSheet *sheet, int row) {
  int end = row + 1;
  if (repeats(sheet, row)) return 0;
  while (end < sheet->nrow && repeats(sheet, end)) end++;
  return end - row;
}

bool rl_sheet_begins(const RlSheet *sheet, int row) {
  bool grouped = false;
  for (int i = 0; i < sheet->nrow; i++) grouped = grouped || repeats(sheet, i);
  return grouped && row > 1 && !repeats(sheet, row);
}
