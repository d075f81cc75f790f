// The table of tasks: finding one by name, completing its [env] keys, loading its model. Place: the
// only file that names them all; callers go through a task's function pointers.
#include <limits.h>
#include <math.h>
#include <mujoco/mjxmacro.h>
#include <stdio.h>
#include <string.h>

#include "envs/task.h"
#include "rl/base/file.h"
#include "rl/base/nearest.h"
#include "rl/base/path.h"

extern const RlTask rl_task_ant, rl_task_half_cheetah, rl_task_hopper, rl_task_humanoid,
    rl_task_humanoid_standup, rl_task_inverted_double_pendulum, rl_task_inverted_pendulum,
    rl_task_pusher, rl_task_reacher, rl_task_swimmer, rl_task_walker2d;

const RlTask *const rl_tasks[] = {
    &rl_task_ant,
    &rl_task_half_cheetah,
    &rl_task_hopper,
    &rl_task_humanoid,
    &rl_task_humanoid_standup,
    &rl_task_inverted_double_pendulum,
    &rl_task_inverted_pendulum,
    &rl_task_pusher,
    &rl_task_reacher,
    &rl_task_swimmer,
    &rl_task_walker2d,
    NULL,
};

enum { KEY_SIZE = 96, VALUE_SIZE = 64 };

const RlTask *rl_task_find(const char *name, const char *origin) {
  const RlTask *nearest = &rl_task_ant;
  int least = INT_MAX;
  for (int i = 0; rl_tasks[i] != NULL; i++) {
    if (strcmp(name, rl_tasks[i]->name) == 0) return rl_tasks[i];
    int distance = rl_nearest_distance(name, rl_tasks[i]->name);
    if (distance >= least) continue;
    least = distance;
    nearest = rl_tasks[i];
  }
  (void)rl_error(RL_USAGE, "%s: env.id: found '%.200s', expected a task; the nearest is %s", origin,
                 name, nearest->name);
  return NULL;
}

// Copies the text in [begin, end) without the spaces around it.
static void copy_trimmed(char *out, size_t size, const char *begin, const char *end) {
  while (begin < end && *begin == ' ') begin++;
  while (end > begin && end[-1] == ' ') end--;
  size_t length = (size_t)(end - begin);
  RL_ASSERT(length < size);
  memcpy(out, begin, length);
  out[length] = '\0';
}

// Takes one "key=value" off the task's defaults; returns what follows it, NULL at the end.
static const char *next_default(const char *text, char key[KEY_SIZE], char value[VALUE_SIZE]) {
  if (text == NULL || *text == '\0') return NULL;
  const char *end = text + strcspn(text, ";");
  const char *equals = memchr(text, '=', (size_t)(end - text));
  RL_ASSERT(equals != NULL);
  memcpy(key, "env.", 4);
  copy_trimmed(key + 4, KEY_SIZE - 4, text, equals);
  copy_trimmed(value, VALUE_SIZE, equals + 1, end);
  return *end == ';' ? end + 1 : end;
}

static bool knows(const RlTask *task, const char *name) {
  char key[KEY_SIZE], value[VALUE_SIZE];
  const char *text = task->defaults;
  while ((text = next_default(text, key, value)) != NULL) {
    if (strcmp(key + 4, name) == 0) return true;
  }
  return false;
}

// Refuses a key that is none of the task's, naming the nearest of those if it may be meant: less
// than a third of it is other letters.
static RlStatus refuse_key(const RlTask *task, const RlConfig *config, const char *unknown,
                           const char *origin) {
  char key[KEY_SIZE], value[VALUE_SIZE], near[KEY_SIZE + 32] = "", place[RL_ORIGIN_SIZE];
  const char *text = task->defaults;
  int least = ((int)strlen(unknown + 4) + 2) / 3;
  while ((text = next_default(text, key, value)) != NULL) {
    int distance = rl_nearest_distance(unknown + 4, key + 4);
    if (distance >= least) continue;
    least = distance;
    snprintf(near, sizeof near, "; the nearest is %s", key);
  }
  return rl_error(RL_USAGE, "%s: %s: found a value, expected none: %s has no such key%s",
                  rl_config_locate(config, unknown, origin, place), unknown, task->name, near);
}

// A key left at "task" by the table that this task has no default for is none of its keys.
static RlStatus refuse_unknown(const RlTask *task, const RlConfig *config, const char *origin) {
  int count;
  const RlOption *option = rl_config_options(&count);
  for (int i = 0; i < count; i++) {
    if (strcmp(option[i].section, "env") != 0 || strcmp(option[i].def, "task") != 0) continue;
    char key[KEY_SIZE] = "env.";
    copy_trimmed(key + 4, sizeof key - 4, option[i].name, option[i].name + strlen(option[i].name));
    if (rl_config_is_given(config, key) && !knows(task, option[i].name)) {
      return refuse_key(task, config, key, origin);
    }
  }
  return RL_OK;
}

RlStatus rl_task_resolve(const RlTask *task, RlConfig *config, const char *origin) {
  RL_TRY(refuse_unknown(task, config, origin));
  char key[KEY_SIZE], value[VALUE_SIZE];
  const char *text = task->defaults;
  while ((text = next_default(text, key, value)) != NULL) {
    RL_TRY(rl_config_default_key(config, key, value));
  }
  return RL_OK;
}

RlStatus rl_task_complete(RlConfig *config, const char *origin, const RlTask **task) {
  char place[RL_ORIGIN_SIZE];
  *task = rl_task_find(config->env.id.text, rl_config_locate(config, "env.id", origin, place));
  if (!*task) return RL_USAGE;
  RL_TRY(rl_task_resolve(*task, config, origin));
  return rl_config_validate(config, origin);
}

// The counters say what matters; a line on the terminal or in a log file would not.
static void ignore_warning(const char *text) {
  (void)text;
}

// Names the first size that is not what the task's code relies on.
static RlStatus check_sizes(const RlTask *task, const mjModel *m, const char *path) {
  const struct {
    const char *name;
    mjtSize found, expected;
  } size[] = {
      {"nq", m->nq, task->nq},          {"nv", m->nv, task->nv}, {"nu", m->nu, task->nu},
      {"nbody", m->nbody, task->nbody}, {"na", m->na, 0},
  };
  for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
    if (size[i].found != size[i].expected) {
      return rl_error(RL_FAIL, "%s: %s: found %lld, expected %lld for %s", path, size[i].name,
                      (long long)size[i].found, (long long)size[i].expected, task->name);
    }
  }
  return RL_OK;
}

// Name of an array of numbers that are none, else NULL: MuJoCo takes "nan" in most attributes.
static const char *find_nan(const mjModel *m) {
#undef MJ_M
#define MJ_M(n)                      m->n
#define X(type, name, rows, columns) {#name, #type, m->name, (int64_t)m->rows * (int64_t)(columns)},
  const struct {
    const char *name, *type;
    const void *data;
    int64_t n;
  } array[] = {{"gravity", "mjtNum", m->opt.gravity, 3}, MJMODEL_POINTERS};
#undef X
  for (size_t i = 0; i < sizeof array / sizeof *array; i++) {
    if (strcmp(array[i].type, "mjtNum") != 0) continue;
    const mjtNum *number = array[i].data;
    for (int64_t k = 0; k < array[i].n; k++) {
      if (isnan(number[k])) return array[i].name;
    }
  }
  return NULL;
}

static RlStatus check_numbers(const mjModel *m, const char *path) {
  const char *bad = find_nan(m);
  if (bad) return rl_error(RL_FAIL, "%s: %s: found nan, expected a number", path, bad);
  double timestep = m->opt.timestep;
  if (timestep > 0 && timestep <= 1) return RL_OK;
  return rl_error(RL_FAIL, "%s: timestep: found %g, expected a number in (0, 1]", path, timestep);
}

mjModel *rl_task_load(const RlTask *task) {
  mju_user_warning = ignore_warning;
  char path[RL_PATH_SIZE], text[512] = "";
  if (rl_path_find(path, sizeof path, "models", task->model) != RL_OK) return NULL;
  mjModel *m = mj_loadXML(path, NULL, text, sizeof text);
  if (m == NULL) {
    (void)rl_error(RL_FAIL, "%s: found '%s', expected a model MuJoCo can load", path, text);
    return NULL;
  }
  if (check_sizes(task, m, path) != RL_OK || check_numbers(m, path) != RL_OK) {
    mj_deleteModel(m);
    return NULL;
  }
  return m;
}
