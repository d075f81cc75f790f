// The report as one HTML page: see page.h.
//
// Invariant: every text that is not a constant of the program passes rl_markup_text.
#include "rl/report/page.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "rl/base/cli.h"
#include "rl/report/bars.h"
#include "rl/report/markup.h"

typedef struct {
  FILE *out;
  RlReport *report;
  int figures, tables;  // numbered so far
  int ids;
} Page;

static const char *title_of(const RlReport *report) {
  return report->options.title ? report->options.title : "Training report";
}

static void put(const Page *p, const char *text) {
  fputs(text, p->out);
}

static void put_text(const Page *p, const char *text) {
  rl_markup_text(p->out, text);
}

static void put_head(const Page *p, long long made) {
  put(p,
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'; media-src data:\">\n<title>");
  put_text(p, title_of(p->report));
  put(p, "</title>\n<style>\n");
  put(p, rl_page_style);
  put(p, rl_page_figure);
  put(p, "</style>\n</head>\n<body>\n<header>\n<h1>");
  put_text(p, title_of(p->report));
  put(p, "</h1>\n");
  char day[64] = "";
  time_t seconds = (time_t)made;
  struct tm utc;
  if (gmtime_r(&seconds, &utc)) strftime(day, sizeof day, "%Y-%m-%d %H:%M UTC", &utc);
  fprintf(p->out, "<p class=\"about\">%d run%s in %d group%s, by rlreport %s on %s.</p>\n",
          p->report->nsource, p->report->nsource == 1 ? "" : "s", p->report->ngroup,
          p->report->ngroup == 1 ? "" : "s", RL_VERSION, day);
}

// What the page is made from: each path, and the program that trained it.
static void put_sources(const Page *p) {
  const RlReport *report = p->report;
  put(p, "<details><summary>Made from these files</summary>\n");
  for (int i = 0; i < report->nsource; i++) {
    const RlSource *source = &report->source[i];
    put(p, "<p class=\"about\"><code>");
    put_text(p, source->path);
    put(p, "</code>");
    if (*source->program) {
      put(p, ", trained by rltrain ");
      put_text(p, source->program);
    }
    put(p, "</p>\n");
  }
  put(p, "</details>\n</header>\n<main>\n");
}

static void open_figure(Page *p, const char *grid) {
  fprintf(p->out, "<figure>\n<div class=\"%s\">\n", grid);
  p->figures++;
}

static void close_figure(const Page *p, const char *caption) {
  fprintf(p->out, "</div>\n<figcaption><b>Figure %d.</b> ", p->figures);
  put_text(p, caption);
  put(p, "</figcaption>\n</figure>\n");
}

static void put_cell(const Page *p, const RlSheet *sheet, int row, int column) {
  const char *kind = row == 0 ? "th" : "td";
  int span = column == 0 ? rl_sheet_span(sheet, row) : 1;
  if (span == 0) return;
  fprintf(p->out, "<%s%s", kind, column >= sheet->ntext ? " class=\"num\"" : "");
  if (span > 1) fprintf(p->out, " rowspan=\"%d\"", span);
  fputc('>', p->out);
  put_text(p, rl_sheet_cell(sheet, row, column));
  fprintf(p->out, "</%s>", kind);
}

static void put_sheet(Page *p, const RlSheet *sheet) {
  fprintf(p->out, "<figure>\n<figcaption><b>Table %d.</b> ", ++p->tables);
  put_text(p, sheet->title);
  put(p, ". ");
  if (sheet->note) put_text(p, sheet->note);
  put(p, "</figcaption>\n<div class=\"scroll\"><table>\n");
  for (int row = 0; row < sheet->nrow; row++) {
    const char *class = sheet->strong[row]            ? " class=\"sum\""
                        : rl_sheet_begins(sheet, row) ? " class=\"first\""
                                                      : "";
    fprintf(p->out, "<tr%s>", class);
    for (int c = 0; c < sheet->ncolumn; c++) put_cell(p, sheet, row, c);
    put(p, "</tr>\n");
  }
  put(p, "</table></div>\n</figure>\n");
}

static void put_learning(Page *p) {
  put(p, "<h2>Learning curves</h2>\n");
  int n = p->report->npanel;
  open_figure(p, n == 1 ? "panels one" : n == 2 || n == 4 ? "panels two" : "panels");
  for (int i = 0; i < p->report->npanel; i++) {
    RlFigure figure;
    rl_report_learning(p->report, i, &figure);
    rl_figure_write(p->out, &figure, p->ids++);
  }
  close_figure(p,
               "Training return (unscaled, exploration included, mean of the last 100 episodes). "
               "Line: mean over the n runs of a group, which differ in their seed alone; band: one "
               "standard deviation over them to either side; thin lines: the runs. The mean ends "
               "where the first run does.");
}

static void put_clip(Page *p) {
  const RlReport *report = p->report;
  if (*report->clip_note) {
    put(p, "<p class=\"about\">Left out: ");
    put_text(p, report->clip_note);
    put(p, ".</p>\n");
  }
  if (!report->clip) return;
  const char *slash = strrchr(report->clip_path, '/');
  put(p, "<figure>\n<video controls loop muted playsinline src=\"data:video/mp4;base64,");
  rl_markup_base64(p->out, report->clip, report->clip_size);
  fprintf(p->out, "\"></video>\n<figcaption><b>Figure %d.</b> ", ++p->figures);
  put_text(p, slash ? slash + 1 : report->clip_path);
  put(p, "</figcaption>\n</figure>\n");
}

static void put_tables(Page *p, const char *head,
                       bool (*const make[2])(RlReport *report, RlSheet *sheet)) {
  bool any = false;
  for (int i = 0; i < 2 && make[i]; i++) {
    RlSheet sheet;
    if (!make[i](p->report, &sheet)) continue;
    if (!any) fprintf(p->out, "<h2>%s</h2>\n", head);
    put_sheet(p, &sheet);
    any = true;
  }
}

// The bars of one group: what its time went into, and how fast it was.
static bool set_bar(RlReport *report, const RlGroup *group, RlBar *bar) {
  enum { SIZE = 64 };
  RlReportTime time;
  rl_report_time(group, &time);
  if (!isfinite(time.physics + time.learn)) return false;
  char *note = RL_PUSH(&report->arena, char, SIZE);
  snprintf(note, SIZE, "%.0f steps/s", time.steps_per_second);
  *bar = (RlBar){group->title, note, {time.physics, time.infer, time.learn, time.evaluate}};
  return true;
}

static void put_time(Page *p) {
  RlReport *report = p->report;
  RlBar *bar = RL_PUSH(&report->arena, RlBar, report->ngroup);
  RlBars bars = {.title = "Where the time went",
                 .kind = {"physics", "acting", "learning", "evaluating"},
                 .bar = bar};
  for (int g = 0; g < report->ngroup; g++) {
    bars.nbar += set_bar(report, &report->group[g], &bar[bars.nbar]);
  }
  if (bars.nbar == 0) return;
  put(p, "<h2>Where the time went</h2>\n");
  open_figure(p, "bars");
  rl_bars_write(p->out, &bars, p->ids++);
  close_figure(p,
               "Shares of the wall time of collecting (physics and task, the policy acting), "
               "learning and evaluating over the whole run, and environment steps per second of "
               "wall time; means over a group's runs.");
}

// The small figures of a task under one legend, that of its learning curves.
static void put_quantities(Page *p, int panel) {
  bool any = false;
  RlFigure figure;
  rl_report_learning(p->report, panel, &figure);
  for (int which = 0; which < rl_report_quantities(); which++) {
    RlFigure small;
    if (!rl_report_quantity(p->report, panel, which, &small)) continue;
    if (!any) {
      put(p, "<h3>");
      put_text(p, p->report->panel[panel]);
      put(p, "</h3>\n");
      rl_figure_write_legend(p->out, &figure);
      open_figure(p, "panels small");
    }
    rl_figure_write(p->out, &small, p->ids++);
    any = true;
  }
  if (!any) return;
  close_figure(p,
               "Mean over seeds and one standard deviation, of what each update reports. Outliers "
               "beyond the middle 99 % of the values may leave a panel; what never changes is not "
               "drawn.");
}

void rl_page_write(FILE *out, RlReport *report, long long made) {
  Page page = {.out = out, .report = report}, *p = &page;
  put_head(p, made);
  put_sources(p);
  put_learning(p);
  put_clip(p);
  put_tables(p, "Evaluation", (bool (*const[])(RlReport *, RlSheet *)){rl_report_evaluation, NULL});
  put_tables(p, "Training", (bool (*const[])(RlReport *, RlSheet *)){rl_report_training, NULL});
  put_time(p);
  bool any = false;
  for (int g = 0; g < report->ngroup; g++) any = any || !report->group[g].member[0]->bare;
  if (any) put(p, "<h2>How the training went</h2>\n");
  for (int i = 0; i < report->npanel && any; i++) put_quantities(p, i);
  put_tables(p, "Configuration",
             (bool (*const[])(RlReport *, RlSheet *)){rl_report_differences, rl_report_deviations});
  put(p, "</main>\n<script>\n");
  put(p, rl_page_script);
  put(p, "</script>\n</body>\n</html>\n");
}

void rl_page_write_svg(FILE *out, RlReport *report) {
  enum { COLUMNS = 3 };
  RlFigure *figure = RL_PUSH(&report->arena, RlFigure, report->npanel);
  for (int i = 0; i < report->npanel; i++) rl_report_learning(report, i, &figure[i]);
  rl_figure_write_file(out, figure, report->npanel, COLUMNS,
                       report->options.title ? report->options.title : "Learning curves");
}
