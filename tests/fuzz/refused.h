// What every fuzz target asks of a refusal: one line on what was found and expected, naming the
// file. RL_FUZZ_SHOW=1 in the environment shows the lines.
#ifndef TESTS_FUZZ_REFUSED_H_
#define TESTS_FUZZ_REFUSED_H_

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rl/base/status.h"

static inline void expect_refused(RlStatus status, const char *path) {
  const char *line = rl_error_text();
  bool good = (status == RL_FAIL || status == RL_USAGE) && strncmp(line, path, strlen(path)) == 0 &&
              line[strlen(path)] == ':' && !strchr(line, '\n') && strstr(line, ", expected ");
  if (!good || getenv("RL_FUZZ_SHOW")) fprintf(stderr, "status %d, line: %s\n", (int)status, line);
  RL_ASSERT(good);
  rl_error_clear();
}

#endif
