// How much memory a process may use: see memory.h.
#include "rl/base/memory.h"

#include <stdio.h>
#include <unistd.h>

double rl_memory_limit(void) {
  double limit = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  static const char *const files[] = {"/sys/fs/cgroup/memory.max",
                                      "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
  for (int i = 0; i < 2; i++) {
    FILE *file = fopen(files[i], "r");
    double found;
    if (!file) continue;
    if (fscanf(file, "%lf", &found) == 1 && found > 0 && found < limit) limit = found;
    fclose(file);
  }
  return limit;
}
