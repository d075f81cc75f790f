// Limits that control groups set: see cgroup.h.
#include "rl/base/cgroup.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static double lesser(double a, double b) {
  return b > 0 && (!(a > 0) || b < a) ? b : a;
}

// group is cut down to the root's empty name.
static double least_upwards(const char *mount, char *group, double (*look)(const char *folder)) {
  double least = 0;
  for (;;) {
    char folder[4224];
    snprintf(folder, sizeof folder, "%s%s", mount, group);
    least = lesser(least, look(folder));
    char *slash = strrchr(group, '/');
    if (slash == NULL) return least;
    *slash = '\0';
  }
}

// Whether a list of names between commas holds name.
static bool lists(const char *names, const char *name) {
  size_t length = strlen(name);
  for (const char *at = names; at != NULL; at = strchr(at, ',')) {
    if (*at == ',') at++;
    if (strncmp(at, name, length) == 0 && (at[length] == '\0' || at[length] == ',')) return true;
  }
  return false;
}

double rl_cgroup_least(const char *controller, double (*look)(const char *folder)) {
  FILE *file = fopen("/proc/self/cgroup", "r");
  char line[4096], mount[64];
  double least = 0;
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    // hierarchy:controllers:/group
    char *controllers = strchr(line, ':');
    char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL) continue;
    *group++ = '\0';
    controllers++;
    // version 2 names no controller, version 1 has a hierarchy for each
    bool one = controllers[0] == '\0';
    if (!one && !lists(controllers, controller)) continue;
    snprintf(mount, sizeof mount, "/sys/fs/cgroup%s%s", one ? "" : "/", one ? "" : controller);
    least = lesser(least, least_upwards(mount, group, look));
  }
  if (file != NULL) fclose(file);
  return least;
}
