// rlreport: shows what runs did, as one HTML page, as an SVG of their learning curves, or on a
// terminal.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rl/base/cli.h"
#include "rl/base/pool.h"
#include "rl/report/page.h"
#include "rl/report/terminal.h"

static const char help[] =
    "usage: rlreport RUN... [options]\n"
    "\n"
    "Shows what runs did: learning curves with mean and spread over seeds, evaluations, losses,\n"
    "time, configurations. Runs that differ in their seed alone form a group, groups of one task\n"
    "share a panel. RUN is a run folder, also one still in training, or a curve alone in a file\n"
    "NAME-SEED.csv. At least one of --out, --svg and --terminal says where to.\n"
    "\n"
    "  -o, --out FILE  one self-contained HTML page\n"
    "  --svg FILE      the learning curves alone\n"
    "  --terminal      curves and tables as text on stdout\n"
    "  --force         replace FILEs that exist\n"
    "  --episodes N    episodes to play with each run's latest checkpoint (10; 0: none)\n"
    "  --title TEXT    title of the page\n"
    "  --x steps|time  what the curves are drawn over (steps)\n"
    "  --clip FILE     an MP4 to hold inside (the first one found in a run folder)\n"
    "  --help, --version\n";

typedef struct {
  RlReportOptions options;
  const char *out, *svg;  // nullable
  bool terminal, force;
  char **path;
  int npath;
} Request;

static RlStatus parse(int argc, char **argv, Request *request, int *done) {
  RlReportOptions *options = &request->options;
  int64_t episodes = options->episodes;
  const char *x = "steps";
  RlCliOption table[] = {{"out", .letter = 'o', .text = &request->out},
                         {"svg", .text = &request->svg},
                         {"terminal", .flag = &request->terminal},
                         {"force", .flag = &request->force},
                         {"episodes", .number = &episodes, .lo = 0, .hi = 100000},
                         {"title", .text = &options->title},
                         {"x", .text = &x},
                         {"clip", .text = &options->clip},
                         {0}};
  RL_TRY(rl_cli_parse(argc, argv, "rlreport", help, table, done));
  if (*done >= 0) return RL_OK;
  options->episodes = (int)episodes;
  options->by_time = strcmp(x, "time") == 0;
  if (!options->by_time && strcmp(x, "steps") != 0) {
    return rl_error(RL_USAGE, "--x: found \"%s\", expected steps or time", x);
  }
  request->path = argv + optind;
  request->npath = argc - optind;
  if (request->npath == 0) {
    return rl_error(RL_USAGE, "rlreport: found no path, expected a RUN or several");
  }
  if (!request->out && !request->svg && !request->terminal) {
    return rl_error(RL_USAGE,
                    "rlreport: found nowhere to write to, expected --out, --svg or --terminal");
  }
  return RL_OK;
}

// Composes a file in memory and writes it in one step.
static RlStatus write_file(RlReport *report, const char *path, bool page) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  if (!out) return rl_file_error(path, "cannot compose", errno);
  if (page) {
    rl_page_write(out, report, (long long)time(NULL));
  } else {
    rl_page_write_svg(out, report);
  }
  bool failed = ferror(out) != 0;
  failed = fclose(out) != 0 || failed;
  RlStatus status =
      failed ? rl_file_error(path, "cannot compose", ENOMEM) : rl_file_write(path, text, size);
  free(text);
  if (status == RL_OK) {
    printf("%s: %d run%s in %d group%s, %zu kB\n", path, report->nsource,
           report->nsource == 1 ? "" : "s", report->ngroup, report->ngroup == 1 ? "" : "s",
           (size + 1023) / 1024);
  }
  return status;
}

static RlStatus run(const Request *request) {
  RlReport report = {0};
  // before anything is computed
  if (request->out) RL_TRY(rl_file_check_free(request->out, request->force));
  if (request->svg) RL_TRY(rl_file_check_free(request->svg, request->force));
  if (request->out && request->svg && strcmp(request->out, request->svg) == 0) {
    return rl_error(RL_USAGE, "--svg: found %s, which --out writes, expected another file",
                    request->svg);
  }
  RlStatus status = rl_report_init(&report, &request->options, (const char *const *)request->path,
                                   request->npath);
  if (status == RL_OK && request->terminal) rl_terminal_write(stdout, &report);
  if (status == RL_OK && request->out) status = write_file(&report, request->out, true);
  if (status == RL_OK && request->svg) status = write_file(&report, request->svg, false);
  rl_report_free(&report);
  return rl_cli_flush(status);
}

int main(int argc, char **argv) {
  Request request = {.options = {.episodes = 10}};
  int done = -1;
  rl_cli_begin();
  RlStatus status = parse(argc, argv, &request, &done);
  if (done >= 0) return done;
  request.options.threads = rl_pool_available();
  if (status == RL_OK) status = run(&request);
  return rl_cli_exit(status);
}
