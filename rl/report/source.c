// Run folders and bare curve files: see source.h.
#include "rl/report/source.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rl/report/markup.h"

static const size_t max_version = 65536;

// Joins the path of a member; the source's own path is kept short enough for those there are.
static void member_path(const RlSource *source, const char *name, char path[RL_PATH_SIZE]) {
  int length = snprintf(path, RL_PATH_SIZE, "%s/%s", source->path, name);
  RL_ASSERT(length > 0 && length < RL_PATH_SIZE);
}

static RlStatus take_path(RlSource *source, const char *path) {
  size_t length = strlen(path);
  while (length > 1 && path[length - 1] == '/') length--;
  if (length == 0 || length > RL_PATH_SIZE - 64) {
    return rl_error(RL_USAGE, "%.200s: found a name of %zu bytes, expected 1 to %d", path, length,
                    RL_PATH_SIZE - 64);
  }
  snprintf(source->path, sizeof source->path, "%.*s", (int)length, path);
  const char *slash = strrchr(source->path, '/');
  rl_markup_clean(source->name, sizeof source->name, slash && slash[1] ? slash + 1 : source->path);
  return RL_OK;
}

// "hopper_sac-3.csv" is the curve of hopper_sac with seed 3.
static RlStatus read_bare(RlSource *source) {
  char *end = strrchr(source->name, '.'), *rest;
  char *dash = strrchr(source->name, '-');
  bool good = end && strcmp(end, ".csv") == 0 && dash && dash > source->name && dash + 1 < end &&
              strspn(dash + 1, "0123456789") == (size_t)(end - dash - 1);
  errno = 0;
  if (good) source->seed = strtoll(dash + 1, &rest, 10);
  if (!good || errno) {
    return rl_error(RL_USAGE, "%s: found a file, expected a run folder or curves in NAME-SEED.csv",
                    source->path);
  }
  *end = '\0';
  snprintf(source->task, sizeof source->task, "%.*s", (int)(dash - source->name), source->name);
  source->bare = true;
  RL_TRY(rl_csv_read(&source->csv, source->path));
  if (rl_csv_find(&source->csv, "episode_return_mean") >= 0) return RL_OK;
  return rl_error(RL_FAIL, "%s:1: found no column episode_return_mean, expected it", source->path);
}

static RlStatus read_config(RlSource *source) {
  char path[RL_PATH_SIZE];
  member_path(source, "config.ini", path);
  rl_config_default(&source->config);
  RL_TRY(rl_config_load(&source->config, path));
  const RlTask *task;
  RL_TRY(rl_task_complete(&source->config, path, &task));
  snprintf(source->task, sizeof source->task, "%s", task->name);
  source->seed = source->config.run.seed;
  return RL_OK;
}

// Who wrote the run, as far as version.txt tells; it is only shown.
static void read_version(RlSource *source) {
  char path[RL_PATH_SIZE];
  uint8_t *text;
  size_t size;
  member_path(source, "version.txt", path);
  if (rl_file_read(path, max_version, &text, &size) != RL_OK) {
    rl_error_clear();
    return;
  }
  static const char key[] = "rltrain: ";
  char *line = (char *)text;
  line[strcspn(line, "\n")] = '\0';
  if (strncmp(line, key, sizeof key - 1) == 0) {
    rl_markup_clean(source->program, sizeof source->program, line + sizeof key - 1);
  }
  free(text);
}

RlStatus rl_source_read(RlSource *source, const char *path) {
  struct stat info;
  char curves[RL_PATH_SIZE];
  source->csv = (RlCsv){0};
  source->bare = source->played = false;
  source->program[0] = '\0';
  RL_TRY(take_path(source, path));
  if (stat(source->path, &info) != 0) return rl_file_error(source->path, "cannot read", errno);
  if (!S_ISDIR(info.st_mode)) return read_bare(source);
  RL_TRY(read_config(source));
  read_version(source);
  member_path(source, "metrics.csv", curves);
  return rl_csv_read(&source->csv, curves);
}

RlStatus rl_source_play(RlSource *source, int episodes, int threads) {
  RlServed served;
  RlEval eval = {0};
  char path[RL_PATH_SIZE];
  if (source->bare || episodes == 0) return RL_OK;
  member_path(source, "latest.h5", path);
  if (access(path, F_OK) != 0) return RL_OK;
  RlStatus status = rl_served_load(&served, path, RL_EVAL_ENVS);
  if (status == RL_OK) {
    status = rl_eval_init_served(&eval, &served, path, episodes, threads);
  }
  if (status == RL_OK) {
    rl_eval_run(&eval, &served.policy, 0, 0, false, &source->eval, NULL, NULL);
    source->played = true;
    source->played_step = served.step;
  }
  rl_eval_free(&eval);
  rl_served_free(&served);
  return status;
}

double rl_source_last(const RlSource *source, const char *column) {
  int c = rl_csv_find(&source->csv, column);
  double value = NAN;
  for (int row = source->csv.nrow - 1; row >= 0 && isnan(value); row--) {
    value = rl_csv_cell(&source->csv, row, c);
  }
  return value;
}

double rl_source_best(const RlSource *source, const char *column) {
  int c = rl_csv_find(&source->csv, column);
  double value = NAN;
  for (int row = 0; row < source->csv.nrow; row++) {
    value = fmax(value, rl_csv_cell(&source->csv, row, c));
  }
  return value;
}

void rl_source_free(RlSource *source) {
  rl_csv_free(&source->csv);
}
