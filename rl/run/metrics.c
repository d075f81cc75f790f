// metrics.csv: header, rows, and the cut at a resume. Place: see metrics.h.
//
// Invariant: between two calls the file ends with a newline.
#include "rl/run/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIXED_HEADER "step,seconds,steps_per_second,episode_return_mean,episode_length_mean"

static const size_t max_file = (size_t)4 << 30;

// composes the header line into metrics->row and returns its length
static size_t compose_header(RlMetrics *metrics, const char *const *column) {
  size_t n = (size_t)snprintf(metrics->row, sizeof metrics->row, "%s", FIXED_HEADER);
  for (int i = 0; i < metrics->ncolumn; i++) {
    RL_ASSERT(*column[i] && !strpbrk(column[i], ",\n\r\""));
    n += (size_t)snprintf(metrics->row + n, sizeof metrics->row - n, ",%s", column[i]);
    RL_ASSERT(n + 1 < sizeof metrics->row);
  }
  metrics->row[n++] = '\n';
  return n;
}

// names the first column in which two header lines differ; found is not NUL-terminated
static RlStatus refuse_header(const RlMetrics *metrics, const char *found, size_t size) {
  const char *expected = metrics->row;
  for (int i = 1;; i++) {
    size_t a = 0, b = strcspn(expected, ",\n");
    while (a < size && found[a] != ',' && found[a] != '\n') a++;
    if (a != b || memcmp(found, expected, a) != 0) {
      return rl_error(RL_FAIL, "%s: column %d: found \"%.*s\", expected \"%.*s\"", metrics->path, i,
                      (int)(a < 64 ? a : 64), found, (int)b, expected);
    }
    if (a == size || found[a] == '\n' || expected[b] == '\n') break;
    found += a + 1;
    size -= a + 1;
    expected += b + 1;
  }
  return rl_error(RL_FAIL, "%s: found another number of columns, expected %d", metrics->path,
                  RL_METRICS_FIXED + metrics->ncolumn);
}

// compares the header on disk with the one in metrics->row
static RlStatus check_header(RlMetrics *metrics, size_t size) {
  char found[RL_METRICS_ROW];
  ssize_t n = pread(metrics->fd, found, size, 0);
  if (n < 0) return rl_file_error(metrics->path, "cannot read", errno);
  if ((size_t)n != size || memcmp(found, metrics->row, size) != 0) {
    return refuse_header(metrics, found, (size_t)n);
  }
  char last = 0;
  off_t end = lseek(metrics->fd, 0, SEEK_END);
  if (end < 1 || pread(metrics->fd, &last, 1, end - 1) != 1 || last != '\n') {
    return rl_error(RL_FAIL, "%s: its last row is torn", metrics->path);
  }
  return RL_OK;
}

RlStatus rl_metrics_open(RlMetrics *metrics, const char *path, const char *const *column,
                         int ncolumn) {
  struct stat info;
  RL_ASSERT(ncolumn >= 0 && ncolumn <= RL_METRICS_COLUMNS - RL_METRICS_FIXED);
  metrics->fd = -1;
  metrics->ncolumn = ncolumn;
  if (snprintf(metrics->path, sizeof metrics->path, "%s", path) >= RL_PATH_SIZE) {
    return rl_error(RL_FAIL, "%.200s: cannot open: the name is too long", path);
  }
  metrics->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (metrics->fd < 0) return rl_file_error(path, "cannot open", errno);
  size_t size = compose_header(metrics, column);
  RlStatus status;
  if (fstat(metrics->fd, &info) != 0) {
    status = rl_file_error(path, "cannot read", errno);
  } else {
    status = info.st_size == 0 ? rl_file_append(metrics->fd, metrics->path, metrics->row, size)
                               : check_header(metrics, size);
  }
  if (status != RL_OK) rl_metrics_close(metrics);
  return status;
}

// adds a cell: empty for what is no finite number; nine digits tell every float apart
static size_t add_cell(RlMetrics *metrics, size_t at, double value) {
  int n = isfinite(value) ? snprintf(metrics->row + at, sizeof metrics->row - at, ",%.9g", value)
                          : snprintf(metrics->row + at, sizeof metrics->row - at, ",");
  return at + (size_t)n;
}

RlStatus rl_metrics_write(RlMetrics *metrics, const RlMetricsRow *row, const double *value) {
  size_t n = (size_t)snprintf(metrics->row, sizeof metrics->row, "%" PRId64, row->step);
  n = add_cell(metrics, n, row->seconds);
  n = add_cell(metrics, n, row->steps_per_second);
  n = add_cell(metrics, n, row->episode_return_mean);
  n = add_cell(metrics, n, row->episode_length_mean);
  for (int i = 0; i < metrics->ncolumn; i++) n = add_cell(metrics, n, value[i]);
  metrics->row[n++] = '\n';
  return rl_file_append(metrics->fd, metrics->path, metrics->row, n);
}

RlStatus rl_metrics_sync(RlMetrics *metrics) {
  return rl_file_sync(metrics->fd, metrics->path);
}

void rl_metrics_close(RlMetrics *metrics) {
  if (metrics->fd >= 0) close(metrics->fd);
  metrics->fd = -1;
}

static int count_commas(const char *line, const char *end) {
  int count = 0;
  for (; line < end; line++) count += *line == ',';
  return count;
}

// reads the step and seconds of a row that ends at end (a newline); false if it is malformed
static int read_row(const char *line, const char *end, int ncomma, int64_t *step, double *seconds) {
  char *stop;
  if (*line < '0' || *line > '9' || count_commas(line, end) != ncomma) return 0;
  if (memchr(line, '\0', (size_t)(end - line))) return 0;
  errno = 0;
  *step = strtoll(line, &stop, 10);
  if (errno || *stop != ',') return 0;
  *seconds = strtod(stop + 1, &stop);
  return *stop == ',' || stop == end;
}

// moves the lines to keep to the front and returns how many bytes they are
static size_t keep_rows(char *text, size_t size, int64_t limit, double *seconds) {
  char *end = memchr(text, '\n', size);
  if (!end) return 0;  // the header itself is torn
  int ncomma = count_commas(text, end);
  char *to = end + 1;
  const char *stop = text + size;
  for (char *line = end + 1; line < stop; line = end + 1) {
    int64_t step;
    double at;
    end = memchr(line, '\n', (size_t)(stop - line));
    if (!end) break;
    if (!read_row(line, end, ncomma, &step, &at) || step > limit) continue;
    memmove(to, line, (size_t)(end + 1 - line));
    to += end + 1 - line;
    *seconds = at;
  }
  return (size_t)(to - text);
}

RlStatus rl_metrics_truncate(const char *path, int64_t step, double *seconds) {
  uint8_t *text;
  size_t size;
  struct stat info;
  double last = 0;
  if (seconds) *seconds = 0;
  if (stat(path, &info) != 0 && errno == ENOENT) return RL_OK;
  RL_TRY(rl_file_read(path, max_file, &text, &size));
  size_t kept = keep_rows((char *)text, size, step, &last);
  RlStatus status = kept < size ? rl_file_write(path, text, kept) : RL_OK;
  free(text);
  if (seconds && status == RL_OK) *seconds = last;
  return status;
}
