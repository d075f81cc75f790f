// Groups of runs: see group.h.
#include "rl/report/group.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rl/base/config_value.h"

bool rl_group_is_free(const RlOption *option) {
  // of [run] only these change more than the seed and what is watched, logged and saved
  if (strcmp(option->section, "run") != 0) return false;
  return strcmp(option->name, "algorithm") != 0 && strcmp(option->name, "total_steps") != 0;
}

bool rl_group_deviates(const RlGroup *group, int row) {
  char value[RL_VALUE_MAX], usual[RL_VALUE_MAX];
  if (group->member[0]->bare) return false;
  (void)rl_config_value_of(&group->member[0]->config, row, value);
  (void)rl_config_value_of(&group->defaults, row, usual);
  return strcmp(value, usual) != 0;
}

// The configuration of the group's algorithm and task with nothing else given.
static RlStatus make_defaults(RlGroup *group) {
  const RlSource *source = group->member[0];
  RlConfig *config = &group->defaults;
  if (source->bare) return RL_OK;
  const char *algorithm = rl_config_algorithm(&source->config);
  rl_config_default(config);
  RL_TRY(rl_config_set(config, "run.algorithm", algorithm, source->path));
  RL_TRY(rl_config_set(config, "env.id", source->task, source->path));
  const RlTask *task = rl_task_find(source->task, source->path);
  return task ? rl_task_resolve(task, config, source->path) : RL_USAGE;
}

static bool same_training(const RlSource *a, const RlSource *b) {
  int count;
  const RlOption *option = rl_config_options(&count);
  if (a->bare != b->bare || strcmp(a->task, b->task) != 0) return false;
  for (int row = 0; row < count && !a->bare; row++) {
    char left[RL_VALUE_MAX], right[RL_VALUE_MAX];
    if (rl_group_is_free(&option[row])) continue;
    (void)rl_config_value_of(&a->config, row, left);
    (void)rl_config_value_of(&b->config, row, right);
    if (strcmp(left, right) != 0) return false;
  }
  return true;
}

static RlStatus join(RlGroup *group, const RlSource *source) {
  for (int i = 0; i < group->nmember; i++) {
    if (group->member[i]->seed != source->seed) continue;
    return rl_error(RL_USAGE,
                    "%s: found seed %" PRId64
                    " again, the same training as in %s, expected each seed once",
                    source->path, source->seed, group->member[i]->path);
  }
  group->member[group->nmember++] = source;
  return RL_OK;
}

// A new group's panel is that of its task; its colour is the next one there.
static void take_panel(RlGroup *group, int at) {
  RlGroup *own = &group[at];
  int panels = 0;
  for (int i = 0; i < at; i++) {
    if (group[i].panel >= panels) panels = group[i].panel + 1;
  }
  own->panel = panels;
  for (int i = 0; i < at; i++) {
    if (strcmp(group[i].member[0]->task, own->member[0]->task) != 0) continue;
    own->panel = group[i].panel;
    own->color++;
  }
}

static const char *algorithm(const RlGroup *group) {
  if (group->member[0]->bare) return "";
  return group->member[0]->config.run.algorithm == RL_ALGO_SAC ? "SAC" : "PPO";
}

// Groups of one panel and algorithm are told apart by keys.
static bool are_kin(const RlGroup *a, const RlGroup *b) {
  return a->panel == b->panel && strcmp(algorithm(a), algorithm(b)) == 0;
}

// Whether a key tells apart two groups that have the same name so far.
static bool tells_apart(const RlGroup *a, const RlGroup *b, int row) {
  char value[RL_VALUE_MAX], other[RL_VALUE_MAX];
  if (strcmp(a->name, b->name) != 0) return false;
  (void)rl_config_value_of(&a->member[0]->config, row, value);
  (void)rl_config_value_of(&b->member[0]->config, row, other);
  return strcmp(value, other) != 0;
}

static bool is_needed(const RlGroup *group, int ngroup, const RlGroup *first, int row) {
  for (int i = 0; i < ngroup; i++) {
    for (int j = 0; j < i && are_kin(&group[i], first); j++) {
      if (are_kin(&group[j], first) && tells_apart(&group[i], &group[j], row)) return true;
    }
  }
  return false;
}

// The section goes without saying where it is the algorithm's own.
static void append_key(RlGroup *own, const RlOption *option, int row) {
  char value[RL_VALUE_MAX];
  bool shared = strcmp(option->section, "ppo") != 0 && strcmp(option->section, "sac") != 0;
  size_t n = strlen(own->name);
  (void)rl_config_value_of(&own->member[0]->config, row, value);
  if (!*value) return;
  snprintf(own->name + n, sizeof own->name - n, ", %s%s%s %.24s", shared ? option->section : "",
           shared ? "." : "", option->name, value);
}

// Adds to the names of first's kin the keys that it takes to tell them apart.
static void name_kin(RlGroup *group, int ngroup, const RlGroup *first) {
  int count;
  const RlOption *option = rl_config_options(&count);
  for (int row = 0; row < count && !first->member[0]->bare; row++) {
    if (rl_group_is_free(&option[row]) || !is_needed(group, ngroup, first, row)) continue;
    for (int i = 0; i < ngroup; i++) {
      if (are_kin(&group[i], first)) append_key(&group[i], &option[row], row);
    }
  }
}

static void name_all(RlGroup *group, int ngroup) {
  for (int g = 0; g < ngroup; g++) {
    snprintf(group[g].name, sizeof group[g].name, "%s", algorithm(&group[g]));
  }
  for (int g = 0; g < ngroup; g++) {
    bool named = false;
    for (int i = 0; i < g; i++) named = named || are_kin(&group[i], &group[g]);
    if (!named) name_kin(group, ngroup, &group[g]);
  }
  for (int g = 0; g < ngroup; g++) {
    bool bare = group[g].member[0]->bare;
    snprintf(group[g].title, sizeof group[g].title, "%s%s%s", group[g].member[0]->task,
             bare ? "" : ", ", bare ? "" : group[g].name);
  }
}

// Brings the groups of a panel together, both in the order they came.
static void sort_by_panel(RlGroup *group, int ngroup) {
  for (int i = 1; i < ngroup; i++) {
    RlGroup moved = group[i];
    int at = i;
    for (; at > 0 && group[at - 1].panel > moved.panel; at--) group[at] = group[at - 1];
    group[at] = moved;
  }
}

RlStatus rl_group_form(RlGroup *group, int *ngroup, RlArena *arena, const RlSource *source,
                       int nsource) {
  *ngroup = 0;
  for (int i = 0; i < nsource; i++) {
    int g = 0;
    while (g < *ngroup && !same_training(group[g].member[0], &source[i])) g++;
    if (g == *ngroup) {
      group[g] = (RlGroup){.member = RL_PUSH(arena, const RlSource *, nsource)};
      group[g].member[0] = &source[i];
      take_panel(group, g);
      RL_TRY(make_defaults(&group[g]));
      ++*ngroup;
    }
    RL_TRY(join(&group[g], &source[i]));
  }
  sort_by_panel(group, *ngroup);
  name_all(group, *ngroup);
  return RL_OK;
}

// Whether a row is the first behind an evaluation, whose result later rows repeat.
static bool is_evaluation(const RlSource *source, int row) {
  int64_t every = source->config.run.eval_every;
  if (source->bare || every <= 0) return true;
  double now = rl_csv_cell(&source->csv, row, 0);
  double before = row > 0 ? rl_csv_cell(&source->csv, row - 1, 0) : 0;
  return floor(now / (double)every) > floor(before / (double)every);
}

static void take_curve(const RlSource *source, RlArena *arena, const char *column, const char *x,
                       double scale, RlCurve *curve) {
  const RlCsv *csv = &source->csv;
  int from = rl_csv_find(csv, x), what = rl_csv_find(csv, column), n = 0;
  bool evaluations = strcmp(column, "eval_return_mean") == 0;
  double *xy = malloc((2 * (size_t)csv->nrow + 1) * sizeof *xy);
  for (int row = 0; row < csv->nrow && xy && from >= 0 && what >= 0; row++) {
    if (evaluations && !is_evaluation(source, row)) continue;
    xy[n] = scale * rl_csv_cell(csv, row, from);
    xy[csv->nrow + n++] = rl_csv_cell(csv, row, what);
  }
  *curve = (RlCurve){0};
  if (xy) rl_curve_init(curve, arena, xy, xy + csv->nrow, n);
  free(xy);
}

void rl_group_curves(const RlGroup *group, RlArena *arena, const char *column, const char *x,
                     double scale, RlCurve *curve, RlBand *band) {
  for (int i = 0; i < group->nmember; i++) {
    take_curve(group->member[i], arena, column, x, scale, &curve[i]);
  }
  rl_curve_merge(band, arena, curve, group->nmember);
}
