// What the tests of whole runs share: comparing files, and a run that is stopped and resumed.
#ifndef TESTS_UNIT_RL_PIECES_H_
#define TESTS_UNIT_RL_PIECES_H_

#include "tests/unit/rl/detail.h"

static inline void assert_same_file(const char *a, const char *b, bool same) {
  size_t na, nb;
  uint8_t *x = scratch_get(a, &na), *y = scratch_get(b, &nb);
  bool equal = na == nb && memcmp(x, y, na) == 0;
  free(x);
  free(y);
  if (equal != same) fail_msg("%s and %s: %s", a, b, same ? "differ" : "are the same");
}

// the last checkpoint and the last resume file of two runs
static inline void compare_files(const RlRun *a, const RlRun *b, bool same) {
  char x[RL_PATH_SIZE], y[RL_PATH_SIZE];
  rl_folder_checkpoint(&a->folder, a->counters.step, x);
  rl_folder_checkpoint(&b->folder, b->counters.step, y);
  assert_same_file(x, y, same);
  rl_folder_resume(&a->folder, a->counters.step, x);
  rl_folder_resume(&b->folder, b->counters.step, y);
  assert_same_file(x, y, same);
}

// A stream that asks the run to stop when so many rows of progress have been written.
static int lines_left;

static ssize_t take_line(void *cookie, const char *text, size_t size) {
  (void)cookie;
  bool row = size > 5 && memcmp(text, "step ", 5) == 0;
  if (row && --lines_left == 0) detail_stop = 1;
  return (ssize_t)size;
}

static inline void stop_after(int lines) {
  cookie_io_functions_t take = {.write = take_line};
  detail_stop = 0;
  lines_left = lines;
  if (detail_show) fclose(detail_show);
  detail_show = fopencookie(NULL, "w", take);
  assert_non_null(detail_show);
  setvbuf(detail_show, NULL, _IONBF, 0);
}

static inline void resume(RlRun *r, const char *dir, int threads, bool want_finished) {
  RlRunRequest request = {.mode = RL_PROGRESS_PLAIN, .show = detail_show};
  bool finished;
  if (rl_run_resume(r, dir, threads, 0, &request, &finished) != RL_OK) {
    fail_msg("%s", rl_error_text());
  }
  assert_int_equal(finished, want_finished);
  r->stop = &detail_stop;
}

#endif
