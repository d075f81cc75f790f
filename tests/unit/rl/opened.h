// Opening a checkpoint that has to be refused, and one that has to be sound.
#ifndef TESTS_UNIT_RL_OPENED_H_
#define TESTS_UNIT_RL_OPENED_H_

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// cmocka wants them first
#include <cmocka.h>

#include "rl/run/checkpoint_format.h"

// asserts that opening fails with a line holding the file's name and all of the given words
static inline void expect_refused(const char *path, const char *word, const char *other) {
  RlCheckpoint *checkpoint;
  rl_error_clear();
  assert_int_equal(rl_checkpoint_open(&checkpoint, path), RL_FAIL);
  assert_null(checkpoint);
  const char *line = rl_error_text();
  if (!strstr(line, path) || !strstr(line, word) || !strstr(line, other)) {
    fail_msg("\"%s\" lacks \"%s\" or \"%s\"", line, word, other);
  }
}

static inline RlCheckpoint *open_sound(const char *path) {
  RlCheckpoint *checkpoint;
  if (rl_checkpoint_open(&checkpoint, path) != RL_OK) fail_msg("%s", rl_error_text());
  return checkpoint;
}

#endif
