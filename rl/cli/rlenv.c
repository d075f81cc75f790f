// rlenv: the tasks, their checks, and replays of trace files. Options and exit codes only; the work
// is in envs/check.c and rl/run/trace.c.
#include <stdio.h>
#include <string.h>

#include "envs/check.h"
#include "rl/base/cli.h"
#include "rl/run/configure.h"
#include "rl/run/trace.h"

static const char help[] =
    "usage: rlenv list\n"
    "       rlenv check (TASK | --config FILE)\n"
    "       rlenv trace --task NAME --in IN.h5 --out OUT.h5\n"
    "       rlenv --help | --version\n"
    "\n"
    "list   names every task: observation, action, time limit, what it is\n"
    "check  tries a task and prints one line a check; exit 1 if any is wrong\n"
    "trace  replays the starts and actions of IN.h5 and writes what the task computes; a plain "
    "file\n"
    "       OUT.h5 is replaced, in one step\n";

typedef struct {
  const char *config, *task, *in, *out;
} Options;

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

static RlStatus run_check(const Options *options, const char *name) {
  if ((name == NULL) == (options->config == NULL)) {
    return rl_error(
        RL_USAGE,
        "check: found neither or both, expected either TASK or --config FILE, see rlenv --help");
  }
  RlConfig config;
  if (options->config != NULL) {
    RL_TRY(rl_configure(&config, options->config, NULL, 0));
  } else {
    const RlTask *task = rl_task_find(name, "check");
    if (task == NULL) return RL_USAGE;
    RL_TRY(resolve(task, &config));
  }
  return rl_check_run(&config, stdout);
}

static RlStatus run_trace(const Options *options) {
  const char *missing = options->task == NULL  ? "--task"
                        : options->in == NULL  ? "--in"
                        : options->out == NULL ? "--out"
                                               : NULL;
  if (missing != NULL) {
    return rl_error(RL_USAGE, "trace: found no %s, expected --task NAME --in IN.h5 --out OUT.h5",
                    missing);
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
  const char *found = options->task != NULL  ? "--task"
                      : options->in != NULL  ? "--in"
                      : options->out != NULL ? "--out"
                                             : NULL;
  if (found != NULL && !trace) {
    return rl_error(RL_USAGE, "%s: found %s, which only trace takes", command, found);
  }
  return RL_OK;
}

static RlStatus run_command(int count, char **word, const Options *options) {
  if (count == 0)
    return rl_error(RL_USAGE, "rlenv: found no command, expected list, check or trace");
  const char *command = word[0];
  bool check = strcmp(command, "check") == 0;
  RL_TRY(check_options(command, options));
  if (count > (check ? 2 : 1)) {
    return rl_error(RL_USAGE, "%s: found \"%s\", expected no further word", command,
                    word[check ? 2 : 1]);
  }
  if (strcmp(command, "list") == 0) return run_list();
  if (check) return run_check(options, count == 2 ? word[1] : NULL);
  if (strcmp(command, "trace") == 0) return run_trace(options);
  return rl_error(RL_USAGE, "rlenv: found \"%s\", expected list, check or trace", command);
}

int main(int argc, char **argv) {
  Options options = {0};
  RlCliOption table[] = {{"config", .text = &options.config},
                         {"task", .text = &options.task},
                         {"in", .text = &options.in},
                         {"out", .text = &options.out},
                         {0}};
  int done = -1;
  rl_cli_begin();
  RlStatus status = rl_cli_parse(argc, argv, "rlenv", help, table, &done);
  if (done >= 0) return done;
  if (status == RL_OK) status = run_command(argc - optind, argv + optind, &options);
  return rl_cli_exit(rl_cli_flush(status));
}
