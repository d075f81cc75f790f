// The checkpoints of the run that a stage plays: which there are, and going to the next one. A run
// under way adds to them, so the folder is read each time. See stage.h.
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rl/view/stage.h"

// Twelve digits and ".h5", as rl/run/folder.c names them.
enum { NAME_DIGITS = 12, NAME_LENGTH = 15 };

// What the folder's names say about a step.
typedef struct {
  int count, place;       // checkpoints, and how many of them are not of a later step
  bool here;              // there is one of this very step
  int64_t before, after;  // the steps of its neighbours, -1: none
} Survey;

// The folder of checkpoints that path stands for: a run's, or that of a checkpoint file.
static bool find_folder(const char *path, char folder[RL_PATH_SIZE]) {
  struct stat info;
  const char *slash = strrchr(path, '/');
  int n;
  if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
    n = snprintf(folder, RL_PATH_SIZE, "%s/checkpoints", path);
  } else if (slash) {
    n = snprintf(folder, RL_PATH_SIZE, "%.*s", (int)(slash + 1 - path), path);
  } else {
    n = snprintf(folder, RL_PATH_SIZE, ".");
  }
  return n < RL_PATH_SIZE - NAME_LENGTH - 1;
}

// The step in a checkpoint's name, -1 if it is none.
static int64_t step_of(const char *name) {
  if (strlen(name) != NAME_LENGTH || strspn(name, "0123456789") != NAME_DIGITS ||
      strcmp(name + NAME_DIGITS, ".h5") != 0) {
    return -1;
  }
  return strtoll(name, NULL, 10);
}

static Survey survey(const char *folder, int64_t step) {
  Survey s = {.before = -1, .after = -1};
  DIR *dir = opendir(folder);
  if (!dir) return s;
  for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    int64_t other = step_of(entry->d_name);
    if (other < 0) continue;
    s.count++;
    s.place += other <= step;
    s.here |= other == step;
    if (other < step && other > s.before) s.before = other;
    if (other > step && (s.after < 0 || other < s.after)) s.after = other;
  }
  closedir(dir);
  return s;
}

void rl_stage_place(RlStage *stage) {
  char folder[RL_PATH_SIZE];
  if (!find_folder(stage->path, folder)) return;
  Survey s = survey(folder, stage->cursor);
  stage->checkpoint = s.here ? s.place : 0;
  stage->ncheckpoint = s.count;
}

void rl_stage_turn(RlStage *stage, int direction) {
  char folder[RL_PATH_SIZE], path[RL_PATH_SIZE + 32];
  RlServed served;
  if (!find_folder(stage->path, folder)) return;
  Survey s = survey(folder, stage->cursor);
  int64_t step = direction < 0 ? s.before : s.after;
  stage->note[0] = '\0';
  if (step < 0) {
    snprintf(stage->note, sizeof stage->note, "no checkpoint %s this one",
             direction < 0 ? "before" : "after");
    return;
  }
  // the cursor moves over a broken one too, or there would be no way past it
  stage->cursor = step;
  rl_stage_place(stage);
  snprintf(path, sizeof path, "%s/%012" PRId64 ".h5", folder, step);
  RlStatus status = rl_served_load(&served, path, 1);
  if (status == RL_OK) {
    status = rl_stage_swap(stage, &served);
  } else {
    rl_served_free(&served);
  }
  if (status == RL_OK) return;
  snprintf(stage->note, sizeof stage->note, "%012" PRId64 ".h5: %s", step, rl_error_text());
  rl_error_clear();
}
