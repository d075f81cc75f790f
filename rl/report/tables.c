// The tables of a report: see report.h.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rl/base/config_value.h"
#include "rl/base/line.h"
#include "rl/report/report.h"

static const char dash[] = "-";

static void put_heads(RlSheet *sheet, const char *const *head) {
  rl_sheet_push(sheet, false);
  for (int i = 0; i < sheet->ncolumn; i++) rl_sheet_set(sheet, i, "%s", head[i]);
}

// Mean and deviation over a group's runs, of their evaluations' means.
static void put_group_evaluation(RlSheet *sheet, const RlGroup *group) {
  double sum = 0, square = 0;
  int n = 0;
  for (int i = 0; i < group->nmember; i++) {
    if (!group->member[i]->played) continue;
    sum += group->member[i]->eval.mean;
    n++;
  }
  if (n < 2) return;
  for (int i = 0; i < group->nmember; i++) {
    if (!group->member[i]->played) continue;
    double d = group->member[i]->eval.mean - sum / n;
    square += d * d;
  }
  rl_sheet_push(sheet, true);
  rl_sheet_set(sheet, 0, "%s", group->title);
  rl_sheet_set(sheet, 1, "all %d", n);
  rl_sheet_number(sheet, 3, sum / n);
  rl_sheet_number(sheet, 4, sqrt(square / n));
}

static void put_evaluation(RlSheet *sheet, const RlGroup *group, const RlSource *source) {
  const RlEvalSummary *e = &source->eval;
  char step[32];
  rl_line_count(source->played_step, step, sizeof step);
  rl_sheet_push(sheet, false);
  rl_sheet_set(sheet, 0, "%s", group->title);
  rl_sheet_set(sheet, 1, "%" PRId64, source->seed);
  rl_sheet_set(sheet, 2, "%s", step);
  const double value[] = {e->mean, e->std, e->iqm, e->min, e->max, e->length_mean};
  for (int i = 0; i < 6; i++) rl_sheet_number(sheet, 3 + i, value[i]);
}

bool rl_report_evaluation(RlReport *report, RlSheet *sheet) {
  static const char *const head[] = {"group", "seed", "step", "mean",  "deviation",
                                     "IQM",   "min",  "max",  "length"};
  rl_sheet_init(sheet, &report->arena, "Evaluation", report->nsource + report->ngroup + 1, 9, 1);
  put_heads(sheet, head);
  int played = 0;
  for (int g = 0; g < report->ngroup; g++) {
    const RlGroup *group = &report->group[g];
    for (int i = 0; i < group->nmember; i++) {
      if (!group->member[i]->played) continue;
      put_evaluation(sheet, group, group->member[i]);
      played++;
    }
    put_group_evaluation(sheet, group);
  }
  char *note = RL_PUSH(&report->arena, char, 256);
  snprintf(
      note, 256,
      "Unscaled returns of %d episodes a run, actions without noise, the latest checkpoint. A "
      "run's deviation is over its episodes, a group's over its runs' means; both divide by n.",
      report->options.episodes);
  sheet->note = note;
  return played > 0;
}

static void put_training(RlSheet *sheet, const RlGroup *group, const RlSource *source) {
  double steps = rl_source_last(source, "step"), seconds = rl_source_last(source, "seconds");
  char count[32], time[32];
  rl_line_count(isfinite(steps) ? (int64_t)steps : 0, count, sizeof count);
  rl_line_time(seconds, time, sizeof time);
  rl_sheet_push(sheet, false);
  rl_sheet_set(sheet, 0, "%s", group->title);
  rl_sheet_set(sheet, 1, "%s", source->name);
  rl_sheet_set(sheet, 2, "%" PRId64, source->seed);
  rl_sheet_set(sheet, 3, "%s", count);
  rl_sheet_set(sheet, 4, "%s", isfinite(seconds) ? time : dash);
  rl_sheet_number(sheet, 5, steps / seconds);
  rl_sheet_number(sheet, 6, rl_source_last(source, "episode_return_mean"));
  rl_sheet_number(sheet, 7, rl_source_best(source, "episode_return_mean"));
  const char *const counter[] = {"n_updates", "skipped_updates", "diverged"};
  for (int i = 0; i < 3; i++) {
    double value = rl_source_last(source, counter[i]);
    rl_line_count(isfinite(value) ? (int64_t)value : 0, count, sizeof count);
    rl_sheet_set(sheet, 8 + i, "%s", isfinite(value) ? count : dash);
  }
}

bool rl_report_training(RlReport *report, RlSheet *sheet) {
  static const char *const head[] = {"group",  "run",  "seed",    "steps",   "wall time", "steps/s",
                                     "return", "best", "updates", "skipped", "diverged"};
  rl_sheet_init(sheet, &report->arena, "Training", report->nsource + 1, 11, 2);
  put_heads(sheet, head);
  for (int g = 0; g < report->ngroup; g++) {
    const RlGroup *group = &report->group[g];
    for (int i = 0; i < group->nmember; i++) put_training(sheet, group, group->member[i]);
  }
  sheet->note =
      "return, best: the last and the largest mean of 100 training episodes, exploration noise "
      "included. skipped: updates left out because a number was not finite. diverged: steps lost "
      "to "
      "diverged physics.";
  return true;
}

// Whether groups that read a key have different values, and not only because their algorithms and
// tasks have different defaults.
static bool groups_differ(const RlReport *report, int row) {
  char first[RL_VALUE_MAX] = "", value[RL_VALUE_MAX];
  bool chosen = false, differ = false;
  for (int g = 0; g < report->ngroup; g++) {
    if (report->group[g].member[0]->bare) continue;
    (void)rl_config_value_of(&report->group[g].member[0]->config, row, value);
    chosen = chosen || rl_group_deviates(&report->group[g], row);
    if (!*value) continue;
    differ = differ || (*first && strcmp(first, value) != 0);
    memcpy(first, value, sizeof first);
  }
  return chosen && differ;
}

// What names a group anyway is no difference of its configuration.
static bool is_listed(const RlOption *option) {
  bool task = strcmp(option->section, "env") == 0 && strcmp(option->name, "id") == 0;
  bool algorithm = strcmp(option->section, "run") == 0 && strcmp(option->name, "algorithm") == 0;
  return !task && !algorithm && !rl_group_is_free(option);
}

bool rl_report_differences(RlReport *report, RlSheet *sheet) {
  int count;
  const RlOption *option = rl_config_options(&count);
  rl_sheet_init(sheet, &report->arena, "Differences between the groups", count + 1,
                report->ngroup + 1, report->ngroup + 1);
  rl_sheet_push(sheet, false);
  rl_sheet_set(sheet, 0, "key");
  for (int g = 0; g < report->ngroup; g++) {
    rl_sheet_set(sheet, g + 1, "%s", report->group[g].title);
  }
  for (int row = 0; row < count; row++) {
    if (!is_listed(&option[row]) || !groups_differ(report, row)) continue;
    rl_sheet_push(sheet, false);
    rl_sheet_set(sheet, 0, "%s.%s", option[row].section, option[row].name);
    for (int g = 0; g < report->ngroup; g++) {
      char value[RL_VALUE_MAX] = "";
      const RlSource *source = report->group[g].member[0];
      if (!source->bare) (void)rl_config_value_of(&source->config, row, value);
      rl_sheet_set(sheet, g + 1, "%s", *value ? value : dash);
    }
  }
  sheet->note =
      "Keys that differ, unless each group has the default of its algorithm and task. A dash: the "
      "algorithm does not read the key, or the task does not know it.";
  return sheet->nrow > 1;
}

static void put_deviations(RlSheet *sheet, const RlGroup *group) {
  int count;
  const RlOption *option = rl_config_options(&count);
  for (int row = 0; row < count; row++) {
    char value[RL_VALUE_MAX], usual[RL_VALUE_MAX];
    if (!is_listed(&option[row]) || !rl_group_deviates(group, row)) continue;
    (void)rl_config_value_of(&group->member[0]->config, row, value);
    (void)rl_config_value_of(&group->defaults, row, usual);
    rl_sheet_push(sheet, false);
    rl_sheet_set(sheet, 0, "%s", group->title);
    rl_sheet_set(sheet, 1, "%s.%s", option[row].section, option[row].name);
    rl_sheet_set(sheet, 2, "%s", usual);
    rl_sheet_set(sheet, 3, "%s", value);
  }
}

bool rl_report_deviations(RlReport *report, RlSheet *sheet) {
  static const char *const head[] = {"group", "key", "default", "here"};
  int count;
  rl_config_options(&count);
  rl_sheet_init(sheet, &report->arena, "Differences from the defaults", report->ngroup * count + 1,
                4, 4);
  put_heads(sheet, head);
  for (int g = 0; g < report->ngroup; g++) put_deviations(sheet, &report->group[g]);
  sheet->note = "The defaults are those of the algorithm and the task.";
  return sheet->nrow > 1;
}
