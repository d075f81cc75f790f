// A file of learning curves in memory: metrics.csv of a run, or the reduced files of
// runs/reference. Place: the first thing the report reads; all figures come from these columns.
//
// Strict and bounded: the first column is "step" and ascends, every row has as many cells as the
// header, a cell is a number or empty. A last line without its newline is a row still being written
// and is left out.
#ifndef RL_REPORT_CSV_H_
#define RL_REPORT_CSV_H_

#include <stddef.h>

#include "rl/base/status.h"

enum { RL_CSV_COLUMNS = 128, RL_CSV_NAME = 48 };

typedef struct {
  int nrow, ncolumn;
  char name[RL_CSV_COLUMNS][RL_CSV_NAME];
  double *value;  // NaN where the cell is empty   (nrow, ncolumn)
} RlCsv;

// Reads a file. What is wrong is one line with file, line and column. Free with rl_csv_free
// whatever the status.
RL_MUST_USE RlStatus rl_csv_read(RlCsv *csv, const char *path);

// The same from text; path stands for the file in error lines.
RL_MUST_USE RlStatus rl_csv_parse(RlCsv *csv, const char *text, size_t size, const char *path);

void rl_csv_free(RlCsv *csv);

// The column of that name, -1 if there is none.
int rl_csv_find(const RlCsv *csv, const char *name);

// A cell; NaN if there is no such column (-1).
double rl_csv_cell(const RlCsv *csv, int row, int column);

#endif
