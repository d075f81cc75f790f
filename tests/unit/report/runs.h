// Run folders written by hand in the scratch folder: a configuration and a metrics.csv.
#ifndef TESTS_UNIT_REPORT_RUNS_H_
#define TESTS_UNIT_REPORT_RUNS_H_

#include <stdarg.h>

#include "rl/base/config.h"
#include "tests/unit/rl/scratch.h"

#define RUNS_HEADER                                                                            \
  "step,seconds,steps_per_second,episode_return_mean,episode_length_mean,approx_kl,n_updates," \
  "skipped_updates,diverged,eval_return_mean,collect_share,infer_share,learn_share,evaluate_"  \
  "share\n"

// config: sections and keys, "%d" in it stands for the seed
static inline const char *runs_put(const char *name, int seed, const char *config,
                                   const char *curves) {
  char text[1024], path[1024];
  const char *folder = scratch_path(name);
  if (mkdir(folder, 0755) != 0) abort();
  int n = snprintf(text, sizeof text, "[run]\nseed = %d\n%s", seed, config);
  snprintf(path, sizeof path, "%s/config.ini", folder);
  scratch_put(path, text, (size_t)n);
  snprintf(path, sizeof path, "%s/metrics.csv", folder);
  scratch_put(path, curves, strlen(curves));
  return folder;
}

#endif
