// Finds models and configs, first in the tree the program was installed in, then in the sources it
// was built from. Place: used by the programs and the vector environment, before anything is read.
#include "rl/base/path.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rl/base/file.h"

#ifndef RL_SOURCE_DIR
#error "RL_SOURCE_DIR must name the top of the source tree"
#endif

// Writes the folder above the one the running program is in; "" if the system does not tell.
static void install_root(char *root, size_t size) {
  ssize_t length = readlink("/proc/self/exe", root, size - 1);
  if (length < 0) length = 0;
  root[length] = '\0';
  for (int level = 0; level < 2; level++) {
    char *slash = strrchr(root, '/');
    if (slash == NULL) {
      root[0] = '\0';
      return;
    }
    *slash = '\0';
  }
}

// True if the joined path fits and names a file that can be read.
static int readable(char *out, size_t size, const char *root, const char *folder,
                    const char *name) {
  int length = snprintf(out, size, "%s/%s/%s", root, folder, name);
  if (length < 0 || (size_t)length >= size) return 0;
  struct stat info;
  return stat(out, &info) == 0 && S_ISREG(info.st_mode) && access(out, R_OK) == 0;
}

RlStatus rl_path_find(char *out, size_t size, const char *kind, const char *name) {
  RL_ASSERT(size > 0);
  int models = strcmp(kind, "models") == 0;
  RL_ASSERT(models || strcmp(kind, "configs") == 0);
  char root[RL_PATH_SIZE];
  install_root(root, sizeof root);
  const char *installed = models ? "share/rltrain/models" : "share/rltrain/configs";
  const char *built = models ? "envs/models" : "configs";
  if (name[0] != '\0') {
    if (readable(out, size, root, installed, name)) return RL_OK;
    if (readable(out, size, RL_SOURCE_DIR, built, name)) return RL_OK;
  }
  out[0] = '\0';
  // a missing model is a broken installation; a missing config is a mistyped name
  return rl_error(models ? RL_FAIL : RL_USAGE,
                  "%s: found in neither %s/%s nor %s/%s, expected a file of %s", name, root,
                  installed, RL_SOURCE_DIR, built, kind);
}
