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

enum { OUT = 'o', SVG = 256, TERMINAL, FORCE, EPISODES, TITLE, X, CLIP, HELP, VERSION };

static RlStatus take_option(Request *request, int option) {
  int64_t episodes;
  switch (option) {
    case OUT:
      request->out = optarg;
      return RL_OK;
    case SVG:
      request->svg = optarg;
      return RL_OK;
    case TERMINAL:
      request->terminal = true;
      return RL_OK;
    case FORCE:
      request->force = true;
      return RL_OK;
    case EPISODES:
      RL_TRY(rl_cli_int64(&episodes, "--episodes", optarg, 0, 100000));
      request->options.episodes = (int)episodes;
      return RL_OK;
    case TITLE:
      request->options.title = optarg;
      return RL_OK;
    case X:
      request->options.by_time = strcmp(optarg, "time") == 0;
      if (request->options.by_time || strcmp(optarg, "steps") == 0) return RL_OK;
      return rl_error(RL_USAGE, "--x: found \"%s\", expected steps or time", optarg);
    default:
      request->options.clip = optarg;
      return RL_OK;
  }
}

static RlStatus parse(int argc, char **argv, Request *request, int *done) {
  static const struct option options[] = {{"out", required_argument, NULL, OUT},
                                          {"svg", required_argument, NULL, SVG},
                                          {"terminal", no_argument, NULL, TERMINAL},
                                          {"force", no_argument, NULL, FORCE},
                                          {"episodes", required_argument, NULL, EPISODES},
                                          {"title", required_argument, NULL, TITLE},
                                          {"x", required_argument, NULL, X},
                                          {"clip", required_argument, NULL, CLIP},
                                          {"help", no_argument, NULL, HELP},
                                          {"version", no_argument, NULL, VERSION},
                                          {0}};
  RlStatus status = RL_OK;
  int option;
  while (status == RL_OK && (option = rl_cli_option(argc, argv, options, &status)) != -1) {
    if (option == HELP) *done = rl_cli_help(help);
    if (option == VERSION) *done = rl_cli_version("rlreport");
    if (*done >= 0) return RL_OK;
    status = take_option(request, option);
  }
  RL_TRY(status);
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
    printf("%s: %d runs in %d groups, %zu kB\n", path, report->nsource, report->ngroup,
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
  if (status == RL_OK && (fflush(stdout) != 0 || ferror(stdout))) {
    status = rl_error(RL_FAIL, "stdout: cannot write: %s", strerror(errno));
  }
  return status;
}

int main(int argc, char **argv) {
  Request request = {.options = {.episodes = 10}};
  int done = -1;
  RlStatus status = parse(argc, argv, &request, &done);
  if (done >= 0) return done;
  request.options.threads = rl_pool_available();
  if (status == RL_OK) status = run(&request);
  return rl_cli_exit(status);
}
