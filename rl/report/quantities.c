// The figures of a report: which quantities are drawn, under which names and units. Place: between
// the groups' curves and rl_figure_write; see report.h.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rl/report/report.h"

// A figure alone has more room than one of several.
enum { ALONE_WIDTH = 520, ALONE_HEIGHT = 310 };
enum { PANEL_WIDTH = 380, PANEL_HEIGHT = 240, SMALL_WIDTH = 300, SMALL_HEIGHT = 190 };

// Columns of metrics.csv in the order they are read: how good, how far an update went, what was
// lost, what the step size was.
static const struct {
  const char *column, *title, *unit;
} quantity[] = {
    {"eval_return_mean", "evaluation return", "return"},
    {"episode_length_mean", "episode length", "steps"},
    {"approx_kl", "KL from the old policy", "nats"},
    {"clip_fraction", "clipped ratios", "share of rows"},
    {"explained_variance", "explained variance", "share"},
    {"policy_gradient_loss", "policy loss", "loss"},
    {"value_loss", "value loss", "loss"},
    {"entropy_loss", "entropy loss", "nats"},
    {"actor_loss", "actor loss", "loss"},
    {"critic_loss", "critic loss", "loss"},
    {"q1_mean", "Q value", "discounted return"},
    {"q_gap", "gap between the critics", "discounted return"},
    {"ent_coef", "entropy coefficient alpha", "alpha"},
    {"entropy", "entropy", "nats"},
    {"std", "deviation of actions", "sigma"},
    {"saturation", "saturated actions", "share"},
    {"actor_grad_norm", "actor's gradient", "norm"},
    {"critic_grad_norm", "critic's gradient", "norm"},
    {"learning_rate", "step size", "of Adam"},
};

int rl_report_quantities(void) {
  return (int)(sizeof quantity / sizeof *quantity);
}

// What is drawn of a group: its runs beneath the mean, and a name even if there is nothing yet.
typedef struct {
  bool runs, always;
} Style;

// A group in the legend, with how many runs its mean is of.
static const char *legend(RlReport *report, const RlGroup *group, int runs) {
  enum { SIZE = RL_GROUP_NAME + 32 };
  char *text = RL_PUSH(&report->arena, char, SIZE);
  snprintf(text, SIZE, "%s%s(n = %d)", group->name, *group->name ? " " : "", runs);
  return text;
}

static void add_lines(RlReport *report, const RlGroup *group, const char *column, Style style,
                      RlFigureLine *line, int *nline) {
  RlBand band;
  RlCurve *curve = RL_PUSH(&report->arena, RlCurve, group->nmember);
  rl_group_curves(group, &report->arena, column, report->x_column, report->x_scale, curve, &band);
  if (band.runs == 0 && !style.always) return;
  for (int i = 0; i < group->nmember && style.runs && band.runs > 1; i++) {
    line[(*nline)++] = (RlFigureLine){
        .color = group->color, .faint = true, .n = curve[i].n, .x = curve[i].x, .y = curve[i].y};
  }
  line[(*nline)++] = (RlFigureLine){.name = legend(report, group, band.runs),
                                    .color = group->color,
                                    .n = band.n,
                                    .x = band.x,
                                    .y = band.mean,
                                    .spread = band.runs > 1 ? band.spread : NULL};
}

// The lines of a column for all groups of a panel; returns how many groups those are.
static int collect(RlReport *report, int panel, const char *column, Style style, RlFigure *figure) {
  RlFigureLine *line = RL_PUSH(&report->arena, RlFigureLine, report->nsource + report->ngroup);
  int groups = 0;
  figure->nline = 0;
  figure->line = line;
  for (int g = 0; g < report->ngroup; g++) {
    if (report->group[g].panel != panel) continue;
    add_lines(report, &report->group[g], column, style, line, &figure->nline);
    groups++;
  }
  return groups;
}

void rl_report_learning(RlReport *report, int panel, RlFigure *figure) {
  enum { SIZE = RL_SOURCE_NAME + RL_GROUP_NAME + 64 };
  char *title = RL_PUSH(&report->arena, char, SIZE);
  *figure = (RlFigure){.title = title,
                       .x_label = report->x_label,
                       .y_label = "return",
                       .legend = true,
                       .width = report->npanel == 1 ? ALONE_WIDTH : PANEL_WIDTH,
                       .height = report->npanel == 1 ? ALONE_HEIGHT : PANEL_HEIGHT};
  int groups = collect(report, panel, "episode_return_mean", (Style){true, true}, figure);
  // one group's name and number stand in the title, those of several in the legend
  const char *name = groups == 1 ? figure->line[figure->nline - 1].name : "";
  const char *between = groups > 1 ? "" : *name == '(' ? " " : ", ";
  snprintf(title, SIZE, "%s%s%s", report->panel[panel], between, name);
}

// Whether the lines hold more than one value.
static bool changes(const RlFigure *figure) {
  double lo = INFINITY, hi = -INFINITY;
  for (int l = 0; l < figure->nline; l++) {
    for (int i = 0; i < figure->line[l].n; i++) {
      lo = fmin(lo, figure->line[l].y[i]);
      hi = fmax(hi, figure->line[l].y[i]);
    }
  }
  return lo < hi;
}

bool rl_report_quantity(RlReport *report, int panel, int which, RlFigure *figure) {
  bool evaluation = which == 0;
  *figure = (RlFigure){.title = quantity[which].title,
                       .x_label = report->x_label,
                       .y_label = quantity[which].unit,
                       .width = SMALL_WIDTH,
                       .height = SMALL_HEIGHT,
                       .robust = !evaluation};
  collect(report, panel, quantity[which].column, (Style){.runs = evaluation}, figure);
  return figure->nline > 0 && (evaluation || changes(figure));
}

void rl_report_time(const RlGroup *group, RlReportTime *time) {
  *time = (RlReportTime){0};
  for (int i = 0; i < group->nmember; i++) {
    const RlSource *source = group->member[i];
    double infer = rl_source_last(source, "infer_share");
    time->physics += (rl_source_last(source, "collect_share") - infer) / group->nmember;
    time->infer += infer / group->nmember;
    time->learn += rl_source_last(source, "learn_share") / group->nmember;
    time->evaluate += rl_source_last(source, "evaluate_share") / group->nmember;
    time->steps_per_second +=
        rl_source_last(source, "step") / rl_source_last(source, "seconds") / group->nmember;
  }
}
