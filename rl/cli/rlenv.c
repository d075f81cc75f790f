// rlenv: the tasks, their checks, and replays of trace files. Options and exit codes only; the work
// is in envs/check.c and rl/run/trace.c.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "envs/check.h"
#include "rl/base/path.h"
#include "rl/base/pool.h"
#include "rl/run/trace.h"

#ifndef RL_VERSION
#define RL_VERSION "0.1.0"
#endif

enum { PATH_SIZE = 4096 };

static const char usage[] =
    "usage: rlenv list\n"
    "       rlenv check (TASK | --config FILE)\n"
    "       rlenv trace --task NAME --in IN.h5 --out OUT.h5\n"
    "       rlenv --help | --version\n"
    "\n"
    "list   names every task: observation, action, time limit, what it is\n"
    "check  tries a task and prints one line a check; exit 1 if any is wrong\n"
    "trace  replays the starts and actions of IN.h5 and writes what the task computes\n";

typedef struct {
  const char *config, *task, *in, *out;
} Options;

static int finish(RlStatus status) {
  if (status == RL_OK) return EXIT_SUCCESS;
  fprintf(stderr, "rlenv: %s\n", rl_error_text());
  return status == RL_USAGE ? 2 : EXIT_FAILURE;
}

// A configuration that holds nothing but the task's own values.
static RlStatus resolve(const RlTask *task, RlConfig *config) {
  rl_config_default(config);
  RL_TRY(rl_config_set(config, "env.id", task->name, "rlenv"));
  return rl_task_resolve(task, config, "rlenv");
}

static RlStatus list_task(const RlTask *task) {
  RlConfig config;
  RL_TRY(resolve(task, &config));
  mjModel *m = rl_task_load(task);
  if (m == NULL) return RL_FAIL;
  RlTaskView v = {m, &config.env};
  printf("%-26s O %3d  A %2d  limit %4d  skip %d  %s\n", task->name, task->obs_dim(&v), task->nu,
         config.env.max_episode_steps, config.env.frame_skip, task->summary);
  mj_deleteModel(m);
  return RL_OK;
}

static RlStatus run_list(void) {
  for (int i = 0; rl_tasks[i] != NULL; i++) RL_TRY(list_task(rl_tasks[i]));
  return RL_OK;
}

// A bare name is looked for in the folder of configs too.
static RlStatus load_config(RlConfig *config, const char *name) {
  char path[PATH_SIZE];
  FILE *file = fopen(name, "r");
  if (file != NULL) {
    fclose(file);
    return rl_config_load(config, name);
  }
  if (strchr(name, '/') != NULL) return rl_config_load(config, name);
  RL_TRY(rl_path_find(path, sizeof path, "configs", name));
  return rl_config_load(config, path);
}

static RlStatus run_check(const Options *options, const char *name) {
  if ((name == NULL) == (options->config == NULL)) {
    return rl_error(RL_USAGE, "check: expected either TASK or --config FILE, see rlenv --help");
  }
  RlConfig config;
  rl_config_default(&config);
  const char *origin = options->config != NULL ? options->config : "rlenv check";
  if (options->config != NULL) {
    RL_TRY(load_config(&config, options->config));
  } else {
    RL_TRY(rl_config_set(&config, "env.id", name, origin));
  }
  const RlTask *task = rl_task_find(config.env.id.text, origin);
  if (task == NULL) return RL_USAGE;
  RL_TRY(rl_task_resolve(task, &config, origin));
  return rl_check_run(&config, stdout);
}

static RlStatus run_trace(const Options *options) {
  if (options->task == NULL || options->in == NULL || options->out == NULL) {
    return rl_error(RL_USAGE, "trace: expected --task NAME --in IN.h5 --out OUT.h5");
  }
  const RlTask *task = rl_task_find(options->task, "--task");
  if (task == NULL) return RL_USAGE;
  RlConfig config;
  RL_TRY(resolve(task, &config));
  return rl_trace_run(task, &config.env, options->in, options->out);
}

// Which options a command takes: none but its own.
static RlStatus check_options(const char *command, const Options *options) {
  bool check = strcmp(command, "check") == 0, trace = strcmp(command, "trace") == 0;
  if (options->config != NULL && !check) {
    return rl_error(RL_USAGE, "%s: found --config, which only check takes", command);
  }
  if ((options->task != NULL || options->in != NULL || options->out != NULL) && !trace) {
    return rl_error(RL_USAGE, "%s: found an option that only trace takes", command);
  }
  return RL_OK;
}

static RlStatus run_command(int count, char **word, const Options *options) {
  if (count == 0) return rl_error(RL_USAGE, "found no command, expected list, check or trace");
  const char *command = word[0];
  bool check = strcmp(command, "check") == 0;
  RL_TRY(check_options(command, options));
  if (count > (check ? 2 : 1)) {
    return rl_error(RL_USAGE, "%s: found '%s', expected no further word", command,
                    word[check ? 2 : 1]);
  }
  if (strcmp(command, "list") == 0) return run_list();
  if (check) return run_check(options, count == 2 ? word[1] : NULL);
  if (strcmp(command, "trace") == 0) return run_trace(options);
  return rl_error(RL_USAGE, "found '%s', expected list, check or trace", command);
}

int main(int argc, char **argv) {
  static const struct option known[] = {
      {"help", no_argument, NULL, 'h'},
      {"version", no_argument, NULL, 'v'},
      {"config", required_argument, NULL, 'c'},
      {"task", required_argument, NULL, 't'},
      {"in", required_argument, NULL, 'i'},
      {"out", required_argument, NULL, 'o'},
      {NULL, 0, NULL, 0},
  };
  Options options = {0};
  opterr = 0;
  int letter;
  while ((letter = getopt_long(argc, argv, ":", known, NULL)) != -1) {
    switch (letter) {
      case 'h':
        fputs(usage, stdout);
        return EXIT_SUCCESS;
      case 'v':
        puts("rlenv " RL_VERSION);
        return EXIT_SUCCESS;
      case 'c':
        options.config = optarg;
        break;
      case 't':
        options.task = optarg;
        break;
      case 'i':
        options.in = optarg;
        break;
      case 'o':
        options.out = optarg;
        break;
      default:
        return finish(rl_error(RL_USAGE, "%s '%s', see rlenv --help",
                               letter == ':' ? "found no value for" : "found an unknown option",
                               argv[optind - 1]));
    }
  }
  return finish(run_command(argc - optind, argv + optind, &options));
}
