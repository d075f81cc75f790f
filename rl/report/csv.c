// Files of learning curves: see csv.h.
#include "rl/report/csv.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rl/base/file.h"

enum { CELL_SIZE = 64, SHOWN = 32 };

static const size_t max_file = (size_t)64 << 20;

// what is being read; line and at move on
typedef struct {
  const char *path;
  const char *at, *end;
  int line;
} Reader;

// A cell as it can stand in an error line: rl_error replaces what is no printable character.
static int shown(size_t length) {
  return length < SHOWN ? (int)length : SHOWN;
}

// The length of the cell that starts at from in a line that ends at stop.
static size_t cell_length(const char *from, const char *stop) {
  const char *comma = memchr(from, ',', (size_t)(stop - from));
  return (size_t)((comma ? comma : stop) - from);
}

static RlStatus read_name(RlCsv *csv, const Reader *r, const char *text, size_t length) {
  if (csv->ncolumn == RL_CSV_COLUMNS) {
    return rl_error(RL_FAIL, "%s:1: found more than %d columns, expected at most that many",
                    r->path, RL_CSV_COLUMNS);
  }
  bool good = length > 0 && length < RL_CSV_NAME;
  for (size_t i = 0; i < length && good; i++) {
    good = text[i] > ' ' && text[i] < 0x7f && text[i] != '"';
  }
  if (!good) {
    return rl_error(RL_FAIL, "%s:1: column %d: found \"%.*s\", expected a name of 1 to %d letters",
                    r->path, csv->ncolumn + 1, shown(length), text, RL_CSV_NAME - 1);
  }
  char *name = csv->name[csv->ncolumn];
  memcpy(name, text, length);
  name[length] = '\0';
  if (rl_csv_find(csv, name) >= 0) {
    return rl_error(RL_FAIL, "%s:1: column %d: found \"%s\" again, expected each name once",
                    r->path, csv->ncolumn + 1, name);
  }
  csv->ncolumn++;
  return RL_OK;
}

// The end of a line's text: a carriage return before the newline at stop is none of it.
static const char *text_end(const Reader *r, const char *stop) {
  return stop > r->at && stop[-1] == '\r' ? stop - 1 : stop;
}

static RlStatus read_header(RlCsv *csv, Reader *r) {
  const char *stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
  if (!stop) {
    return rl_error(RL_FAIL, "%s:1: found no whole line, expected the names of the columns",
                    r->path);
  }
  const char *end = text_end(r, stop);
  for (const char *from = r->at;; from++) {
    size_t length = cell_length(from, end);
    RL_TRY(read_name(csv, r, from, length));
    from += length;
    if (from == end) break;
  }
  if (strcmp(csv->name[0], "step") != 0) {
    return rl_error(RL_FAIL, "%s:1: column 1: found \"%s\", expected \"step\"", r->path,
                    csv->name[0]);
  }
  r->at = stop + 1;
  r->line = 2;
  return RL_OK;
}

// One number: strtod's, without its hexadecimal forms, leading blanks and payloads.
static bool parse_number(const char *text, size_t length, double *value) {
  char copy[CELL_SIZE], *end;
  if (length >= sizeof copy) return false;
  memcpy(copy, text, length);
  copy[length] = '\0';
  if (strspn(copy, "0123456789+-.eEinfa") != length) return false;
  *value = strtod(copy, &end);
  return end == copy + length;
}

static RlStatus read_cell(const RlCsv *csv, const Reader *r, int column, const char *text,
                          size_t length, double *value) {
  *value = NAN;
  if (length == 0 || parse_number(text, length, value)) return RL_OK;
  return rl_error(RL_FAIL, "%s:%d: %s: found \"%.*s\", expected a number or nothing", r->path,
                  r->line, csv->name[column], shown(length), text);
}

// One row into value (ncolumn).
static RlStatus read_row(const RlCsv *csv, const Reader *r, const char *stop, double *value) {
  int column = 0;
  for (const char *from = r->at;; from++) {
    size_t length = cell_length(from, stop);
    if (column < csv->ncolumn) {
      RL_TRY(read_cell(csv, r, column, from, length, &value[column]));
    }
    column++;
    from += length;
    if (from == stop) break;
  }
  if (column == csv->ncolumn) return RL_OK;
  return rl_error(RL_FAIL, "%s:%d: found %d cells, expected %d as in the header", r->path, r->line,
                  column, csv->ncolumn);
}

// What the curves are drawn over goes one way.
static RlStatus check_ascends(const RlCsv *csv, const Reader *r, int row, int column, bool equal) {
  if (column < 0) return RL_OK;
  double now = rl_csv_cell(csv, row, column);
  double before = row > 0 ? rl_csv_cell(csv, row - 1, column) : 0;
  bool good = isfinite(now) && (now > before || (now >= before && (equal || row == 0)));
  if (good) return RL_OK;
  return rl_error(RL_FAIL, "%s:%d: %s: found %.10g, expected a number %s %.10g", r->path, r->line,
                  csv->name[column], now, equal || row == 0 ? "not below" : "above", before);
}

static RlStatus read_rows(RlCsv *csv, Reader *r) {
  int seconds = rl_csv_find(csv, "seconds");
  for (const char *stop; (stop = memchr(r->at, '\n', (size_t)(r->end - r->at)));) {
    RL_TRY(
        read_row(csv, r, text_end(r, stop), csv->value + (size_t)csv->nrow * (size_t)csv->ncolumn));
    RL_TRY(check_ascends(csv, r, csv->nrow, 0, false));
    RL_TRY(check_ascends(csv, r, csv->nrow, seconds, true));
    csv->nrow++;
    r->line++;
    r->at = stop + 1;
  }
  return RL_OK;
}

static size_t count_lines(const char *text, size_t size) {
  size_t count = 0;
  for (size_t i = 0; i < size; i++) count += text[i] == '\n';
  return count;
}

RlStatus rl_csv_parse(RlCsv *csv, const char *text, size_t size, const char *path) {
  Reader r = {.path = path, .at = text, .end = text + size, .line = 1};
  csv->nrow = csv->ncolumn = 0;
  csv->value = NULL;
  if (size > max_file) {
    return rl_error(RL_FAIL, "%s: found %zu bytes, expected at most %zu", path, size, max_file);
  }
  RL_TRY(read_header(csv, &r));
  size_t rows = count_lines(r.at, (size_t)(r.end - r.at));
  // a row has at least its commas and its end, unless it is found too short
  size_t cells = rows * (size_t)csv->ncolumn;
  if (cells > (size_t)(r.end - r.at)) {
    return rl_error(RL_FAIL, "%s: found %zu lines in %zu bytes, expected rows of %d cells", path,
                    rows, (size_t)(r.end - r.at), csv->ncolumn);
  }
  csv->value = calloc(cells + 1, sizeof(double));
  if (!csv->value) {
    return rl_error(RL_FAIL, "%s: found no memory for %zu numbers, expected it", path, cells);
  }
  return read_rows(csv, &r);
}

RlStatus rl_csv_read(RlCsv *csv, const char *path) {
  uint8_t *text;
  size_t size;
  csv->value = NULL;
  RL_TRY(rl_file_read(path, max_file, &text, &size));
  RlStatus status = rl_csv_parse(csv, (const char *)text, size, path);
  free(text);
  return status;
}

void rl_csv_free(RlCsv *csv) {
  free(csv->value);
  csv->value = NULL;
  csv->nrow = 0;
}

int rl_csv_find(const RlCsv *csv, const char *name) {
  for (int i = 0; i < csv->ncolumn; i++) {
    if (strcmp(csv->name[i], name) == 0) return i;
  }
  return -1;
}

double rl_csv_cell(const RlCsv *csv, int row, int column) {
  if (column < 0) return NAN;
  return csv->value[(size_t)row * (size_t)csv->ncolumn + (size_t)column];
}
