// From the command line to a complete configuration: see configure.h.
#include "rl/run/configure.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rl/base/file.h"
#include "rl/base/path.h"

RlStatus rl_configure_set(RlConfig *config, const char *text) {
  char key[128];
  const char *equals = strchr(text, '=');
  size_t length = equals ? (size_t)(equals - text) : 0;
  if (!equals || length == 0 || length >= sizeof key) {
    return rl_error(RL_USAGE, "--set: found \"%s\", expected SECTION.KEY=VALUE", text);
  }
  memcpy(key, text, length);
  key[length] = '\0';
  RL_TRY(rl_config_set(config, key, equals + 1, "--set"));
  config->place[rl_config_find(key)] = RL_PLACE_SET;
  return RL_OK;
}

// The file as named if it is there, else the one of that name among those that come with rltrain.
static void find(char *path, size_t size, const char *name) {
  bool here = access(name, F_OK) == 0;
  if (here || strchr(name, '/') == name || rl_path_find(path, size, "configs", name) != RL_OK) {
    rl_error_clear();
    snprintf(path, size, "%s", name);
  }
}

RlStatus rl_configure(RlConfig *config, const char *file, const char *const *set, int nset) {
  char path[RL_PATH_SIZE];
  find(path, sizeof path, file);
  rl_config_default(config);
  RL_TRY(rl_config_load(config, path));
  for (int i = 0; i < nset; i++) RL_TRY(rl_configure_set(config, set[i]));
  const RlTask *task;
  return rl_task_complete(config, path, &task);
}
