// A report: the runs it is made from, their groups, and what was asked for. Place: the programs
// fill one, the page and the terminal are written from it.
#ifndef RL_REPORT_REPORT_H_
#define RL_REPORT_REPORT_H_

#include "rl/report/figure.h"
#include "rl/report/group.h"
#include "rl/report/sheet.h"

enum { RL_REPORT_SOURCES = 1024 };

typedef struct {
  const char *title;  // nullable
  bool by_time;       // curves over wall time instead of steps
  int episodes;       // to play with each run's latest checkpoint
  int threads;
  const char *clip;  // an MP4 file to hold inside; NULL: the first one found in a run folder
} RlReportOptions;

typedef struct {
  RlArena arena;
  RlReportOptions options;
  int nsource, ngroup, npanel;
  RlSource *source;    // in the order they were named   (nsource)
  RlGroup *group;      //                                (ngroup)
  const char **panel;  // the tasks                      (npanel)
  const char *x_column, *x_label;
  double x_scale;  // from the column to the axis
  uint8_t *clip;   // nullable
  size_t clip_size;
  char clip_path[RL_PATH_SIZE];
  char clip_note[1024];  // why the clip of a run folder was left out, ""
} RlReport;

// Reads the runs and plays the episodes. Free with rl_report_free whatever the status.
RL_MUST_USE RlStatus rl_report_init(RlReport *report, const RlReportOptions *options,
                                    const char *const *path, int npath);

void rl_report_free(RlReport *report);

// The learning curves of a task: each run faint, the mean over seeds above them, the spread behind.
void rl_report_learning(RlReport *report, int panel, RlFigure *figure);

// The means over seeds of one quantity of a task; false if no run has it or it never changes. which
// counts from 0, rl_report_quantities() is how many there are; the first is the return of the
// evaluations.
bool rl_report_quantity(RlReport *report, int panel, int which, RlFigure *figure);
int rl_report_quantities(void);

// Shares of the wall time that a group's runs spent, on average; NaN where they do not say.
typedef struct {
  double physics, infer, learn, evaluate;
  double steps_per_second;
} RlReportTime;
void rl_report_time(const RlGroup *group, RlReportTime *time);

// Tables; each returns false if there is nothing to put into it.
bool rl_report_evaluation(RlReport *report, RlSheet *sheet);
bool rl_report_training(RlReport *report, RlSheet *sheet);
bool rl_report_differences(RlReport *report, RlSheet *sheet);  // between groups
bool rl_report_deviations(RlReport *report, RlSheet *sheet);   // from the defaults

#endif
