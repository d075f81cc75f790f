// A report's runs, axis and clip: see report.h.
#include "rl/report/report.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// In base 64 a third larger; beyond this a page is no longer opened lightly.
static const size_t max_clip = (size_t)24 << 20;

static RlStatus read_sources(RlReport *report, const char *const *path, int npath) {
  if (npath > RL_REPORT_SOURCES) {
    return rl_error(RL_USAGE, "found %d runs, expected at most %d", npath, RL_REPORT_SOURCES);
  }
  report->source = RL_PUSH(&report->arena, RlSource, npath);
  for (int i = 0; i < npath; i++) {
    report->nsource = i + 1;
    RL_TRY(rl_source_read(&report->source[i], path[i]));
  }
  return RL_OK;
}

// Seconds become minutes or hours where they would be many.
static RlStatus choose_axis(RlReport *report) {
  double most = 0;
  report->x_column = report->options.by_time ? "seconds" : "step";
  report->x_label = "environment steps";
  report->x_scale = 1;
  if (!report->options.by_time) return RL_OK;
  for (int i = 0; i < report->nsource; i++) {
    const RlSource *source = &report->source[i];
    if (rl_csv_find(&source->csv, "seconds") < 0) {
      return rl_error(RL_USAGE, "%s: found no column seconds, expected one for --x time",
                      source->path);
    }
    most = fmax(most, rl_source_last(source, "seconds"));
  }
  bool minutes = most >= 180, hours = most >= 3 * 3600;
  report->x_label = hours     ? "hours of wall time"
                    : minutes ? "minutes of wall time"
                              : "seconds of wall time";
  report->x_scale = hours ? 1.0 / 3600 : minutes ? 1.0 / 60 : 1;
  return RL_OK;
}

static bool ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a > b && strcmp(text + a - b, end) == 0;
}

// The first MP4 by name in a folder; false if there is none.
static bool find_clip(const char *folder, char path[RL_PATH_SIZE]) {
  char first[256] = "";
  DIR *list = opendir(folder);
  if (!list) return false;
  for (struct dirent *entry; (entry = readdir(list));) {
    const char *name = entry->d_name;
    if (name[0] == '.' || !ends_with(name, ".mp4")) continue;
    if (!*first || strcmp(name, first) < 0) snprintf(first, sizeof first, "%s", name);
  }
  closedir(list);
  return *first && snprintf(path, RL_PATH_SIZE, "%s/%s", folder, first) < RL_PATH_SIZE;
}

static RlStatus read_clip(RlReport *report) {
  RL_TRY(rl_file_read(report->clip_path, max_clip, &report->clip, &report->clip_size));
  if (report->clip_size >= 8 && memcmp(report->clip + 4, "ftyp", 4) == 0) return RL_OK;
  free(report->clip);
  report->clip = NULL;
  return rl_error(RL_FAIL, "%s: found no MP4 file, expected one", report->clip_path);
}

// The clip that was named must be fit; one that happens to lie in a run folder is left out if it is
// not, and the page says why.
static RlStatus choose_clip(RlReport *report) {
  if (report->options.clip) {
    snprintf(report->clip_path, sizeof report->clip_path, "%s", report->options.clip);
    return read_clip(report);
  }
  bool found = false;
  for (int i = 0; i < report->nsource && !found; i++) {
    found = !report->source[i].bare && find_clip(report->source[i].path, report->clip_path);
  }
  if (found && read_clip(report) != RL_OK) {
    snprintf(report->clip_note, sizeof report->clip_note, "%s", rl_error_text());
    rl_error_clear();
  }
  return RL_OK;
}

static void list_panels(RlReport *report) {
  report->panel = RL_PUSH(&report->arena, const char *, report->ngroup);
  for (int g = 0; g < report->ngroup; g++) {
    const RlGroup *group = &report->group[g];
    report->panel[group->panel] = group->member[0]->task;
    if (group->panel >= report->npanel) report->npanel = group->panel + 1;
  }
}

RlStatus rl_report_init(RlReport *report, const RlReportOptions *options, const char *const *path,
                        int npath) {
  *report = (RlReport){.options = *options};
  RL_TRY(read_sources(report, path, npath));
  RL_TRY(choose_axis(report));
  report->group = RL_PUSH(&report->arena, RlGroup, npath);
  RL_TRY(rl_group_form(report->group, &report->ngroup, &report->arena, report->source,
                       report->nsource));
  list_panels(report);
  RL_TRY(choose_clip(report));
  for (int i = 0; i < report->nsource; i++) {
    RL_TRY(rl_source_play(&report->source[i], options->episodes, options->threads));
  }
  return RL_OK;
}

void rl_report_free(RlReport *report) {
  for (int i = 0; i < report->nsource; i++) rl_source_free(&report->source[i]);
  free(report->clip);
  rl_arena_free(&report->arena);
  *report = (RlReport){0};
}
