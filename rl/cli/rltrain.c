// rltrain: trains a policy as a configuration says, and shows it while it does.
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "rl/base/cli.h"
#include "rl/run/configure.h"
#include "rl/run/train_ppo.h"
#include "rl/run/train_sac.h"
#include "rl/view/watch.h"

static const char help[] =
    "usage: rltrain --config FILE [options]\n"
    "       rltrain --resume DIR [--threads N] [--set run.total_steps=N] [--json] [--view]\n"
    "\n"
    "Trains a policy and keeps configuration, metrics, checkpoints and resume files in a run "
    "folder.\n"
    "A bare FILE name (humanoid.ini) is also looked up among the configurations that come with\n"
    "rltrain. Keys and their bounds: docs/configuration.md, or rltrain --keys.\n"
    "\n"
    "  --config FILE            the configuration\n"
    "  --set SECTION.KEY=VALUE  change one key; may be repeated\n"
    "  --seed N                 run.seed\n"
    "  --threads N              run.threads (what affinity and cgroup allow)\n"
    "  --out DIR                the run folder (runs/TASK-ALGO-SEED-TIME); must be new or empty\n"
    "  --init-from CHECKPOINT   start from another run's networks and normalisers; a run folder\n"
    "                           stands for its latest.h5\n"
    "  --resume DIR             continue a run from its newest sound resume file\n"
    "  --view                   show the policy live in a browser on this machine while it trains\n"
    "  --port N                 port of that page (0: any that is free)\n"
    "  --json                   progress as one JSON object a line\n"
    "  --keys                   print every configuration key with default and bounds\n"
    "  --help, --version\n"
    "\n"
    "SIGINT, SIGTERM and SIGHUP finish the iteration, save, and say how to go on.\n";

typedef struct {
  const char *config, *resume;
  const char *set[RL_MAX_SETS];
  int nset;
  int64_t seed, threads;  // -1, 0: not given
  int64_t port;           // -1: not given
  bool view;
  RlRunRequest run;
} Request;

static volatile sig_atomic_t stop;

static void on_signal(int signal) {
  (void)signal;
  stop = 1;
}

static int print_keys(void) {
  int count;
  const RlOption *option = rl_config_options(&count);
  for (int i = 0; i < count; i++) {
    const char *sac = rl_config_default_text(i, RL_ALGO_SAC);
    bool same = strcmp(sac, option[i].def) == 0;
    printf("%s.%s = %s%s%s%s  %s\n    %s\n", option[i].section, option[i].name, option[i].def,
           same ? "" : " (sac: ", same ? "" : sac, same ? "" : ")", option[i].bounds,
           option[i].help);
  }
  return rl_cli_exit(rl_cli_flush(RL_OK));
}

static RlStatus parse(int argc, char **argv, Request *request, int *done) {
  bool json = false, keys = false;
  RlCliOption table[] = {
      {"config", .text = &request->config},
      {"set", .text = request->set, .count = &request->nset, .most = RL_MAX_SETS},
      {"seed", .number = &request->seed, .lo = 0, .hi = rl_cli_most_seed},
      {"threads", .number = &request->threads, .lo = 1, .hi = 1024},
      {"out", .text = &request->run.out},
      {"init-from", .text = &request->run.init_from},
      {"resume", .text = &request->resume},
      {"view", .flag = &request->view},
      {"port", .number = &request->port, .lo = 0, .hi = 65535},
      {"json", .flag = &json},
      {"keys", .flag = &keys},
      {0}};
  RL_TRY(rl_cli_parse(argc, argv, "rltrain", help, table, done));
  if (*done < 0 && keys) *done = print_keys();
  if (*done >= 0) return RL_OK;
  if (json) request->run.mode = RL_PROGRESS_JSON;
  if (optind < argc) {
    return rl_error(RL_USAGE, "rltrain: found \"%s\", expected only options, see --help",
                    argv[optind]);
  }
  if (!request->config == !request->resume) {
    return rl_error(RL_USAGE, "rltrain: found %s, expected either --config FILE or --resume DIR",
                    request->config ? "both --config and --resume" : "neither");
  }
  if (request->port >= 0 && !request->view) {
    return rl_error(RL_USAGE, "--port: found it without --view, expected both");
  }
  return RL_OK;
}

static RlStatus start(const Request *request, RlRun *run) {
  RlConfig config;
  RL_TRY(rl_configure(&config, request->config, request->set, request->nset));
  if (request->seed >= 0) config.run.seed = request->seed;
  if (request->threads) config.run.threads = (int)request->threads;
  return rl_run_create(run, &config, &request->run);
}

static RlStatus resume(const Request *request, RlRun *run, bool *finished) {
  RlConfig given;
  rl_config_default(&given);
  for (int i = 0; i < request->nset; i++) {
    if (strncmp(request->set[i], "run.total_steps=", 16) != 0) {
      return rl_error(RL_USAGE, "--set: found \"%s\", expected only run.total_steps with --resume",
                      request->set[i]);
    }
    RL_TRY(rl_configure_set(&given, request->set[i]));
  }
  if (request->seed >= 0 || request->run.out || request->run.init_from) {
    return rl_error(RL_USAGE,
                    "--resume: found %s, expected none of --seed, --out, --init-from with it",
                    request->seed >= 0 ? "--seed"
                    : request->run.out ? "--out"
                                       : "--init-from");
  }
  return rl_run_resume(run, request->resume, (int)request->threads,
                       request->nset ? given.run.total_steps : 0, &request->run, finished);
}

// Opens the view, without which the run trains as well.
static RlWatch *begin_view(const Request *request, RlRun *run) {
  int port = request->port > 0 ? (int)request->port : 0;
  RlWatch *watch = rl_watch_start(&run->config, run->folder.dir, port, run->threads);
  if (watch) {
    run->onlooker = (RlOnlooker){rl_watch_offer, watch};
    rl_progress_note(&run->progress, "view: %s", rl_watch_url(watch));
  } else {
    rl_progress_note(&run->progress, "no view, training goes on: %s", rl_error_text());
    rl_error_clear();
  }
  return watch;
}

static RlStatus train(const Request *request) {
  static RlRun run;
  RlWatch *watch = NULL;
  bool finished = false;
  rl_run_clear(&run);
  RlStatus status = request->resume ? resume(request, &run, &finished) : start(request, &run);
  run.stop = &stop;
  if (status == RL_OK && !finished) {
    if (request->view) watch = begin_view(request, &run);
    status = run.config.run.algorithm == RL_ALGO_SAC ? rl_train_sac(&run) : rl_train_ppo(&run);
    if (status == RL_OK) rl_run_say_end(&run);
  }
  rl_watch_stop(watch);
  rl_run_free(&run);
  return status;
}

int main(int argc, char **argv) {
  Request request = {.seed = -1, .port = -1, .run = {.mode = RL_PROGRESS_AUTO, .show = stdout}};
  int done = -1;
  rl_cli_begin();
  RlStatus status = parse(argc, argv, &request, &done);
  if (done >= 0) return done;
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  // a terminal that goes away ends the run in order, but under nohup not at all
  if (signal(SIGHUP, SIG_IGN) != SIG_IGN) sigaction(SIGHUP, &action, NULL);
  // a closed pipe is an error to live with, not the end of a run
  signal(SIGPIPE, SIG_IGN);
  if (request.view) rl_watch_prepare();
  if (status == RL_OK) status = train(&request);
  return rl_cli_exit(status);
}
