// How much memory a process may use: see memory.h.
#include "rl/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rl/base/cgroup.h"

static double folder_limit(const char *folder) {
  static const char *const names[] = {"memory.max", "memory.limit_in_bytes"};
  char path[4352];
  double found = 0;
  for (int version = 0; version < 2; version++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[version]);
    FILE *file = fopen(path, "r");
    if (file == NULL) continue;
    // "max" is no number
    if (fscanf(file, "%lf", &found) != 1) found = 0;
    fclose(file);
  }
  return found;
}

double rl_memory_mapped(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "re");
  if (!file) return 0;
  if (fscanf(file, "%ld", &pages) != 1) pages = 0;
  fclose(file);
  return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

// What a limit of the address space (ulimit -v) leaves.
static double left_to_map(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return INFINITY;
  return fmax(0, (double)limit.rlim_cur - rl_memory_mapped());
}

double rl_memory_limit(void) {
  double all = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  double limit = rl_cgroup_least("memory", folder_limit);
  return fmin(limit > 0 && limit < all ? limit : all, left_to_map());
}
