// The state of a training run: laying it out, starting, continuing, showing and ending it. See
// run.h.
#include "rl/run/run.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nets/isa.h"
#include "rl/base/cli.h"
#include "rl/base/clock.h"
#include "rl/base/memory.h"
#include "rl/run/version.h"

// ---------------------------------------------------------------- laying out

// What acting in all environments at once takes beside the networks.
static double acting_bytes(const RlRun *run) {
  const RlDims *hidden = &run->config.policy.hidden_actor;
  double width = run->env.O + 4.0 * run->env.A;
  for (int l = 0; l < hidden->n; l++) width += hidden->dim[l];
  return sizeof(RlReal) * width * run->config.env.n_envs;
}

// Refuses what cannot fit before anything large is allocated.
static RlStatus check_size_ppo(const RlRun *run) {
  const RlConfig *c = &run->config;
  double rows = (double)c->ppo.n_steps * c->env.n_envs;
  int O = run->env.O, A = run->env.A;
  double bytes = rl_rollout_bytes(c->ppo.n_steps, c->env.n_envs, O, A, c->env.max_episode_steps) +
                 rl_ppo_bytes(c, O, A, rows) + acting_bytes(run);
  double limit = rl_memory_limit();
  if (rows <= INT32_MAX && bytes <= limit) return RL_OK;
  return rl_error(RL_USAGE,
                  "%s: ppo.n_steps x env.n_envs: found a rollout of %.0f steps taking, with "
                  "minibatches of %d, %.1f GB, expected at most %.1f GB",
                  run->task->name, rows, c->ppo.batch_size, bytes / 1e9, limit / 1e9);
}

static RlStatus check_size_sac(const RlRun *run) {
  const RlConfig *c = &run->config;
  int O = run->env.O, A = run->env.A;
  int64_t size = c->sac.buffer_size;
  double bytes = rl_replay_bytes(size, c->env.n_envs, O, A, c->env.max_episode_steps) +
                 rl_sac_bytes(c, O, A) + acting_bytes(run) +
                 rl_replay_file_bytes(size, c->env.n_envs, O, A, c->env.max_episode_steps);
  double limit = rl_memory_limit();
  if (size <= RL_REPLAY_MAX_SLOTS && bytes <= limit) return RL_OK;
  return rl_error(RL_USAGE,
                  "%s: sac.buffer_size: found %" PRId64
                  " transitions taking %.1f GB, expected at "
                  "most %.1f GB",
                  run->task->name, size, bytes / 1e9, limit / 1e9);
}

static RlStatus lay_out_ppo(RlRun *run) {
  const RlConfig *c = &run->config;
  int N = run->env.N, O = run->env.O, A = run->env.A;
  RlPolicy *policy = &run->policy;
  rl_rollout_init(&run->rollout, &run->arena, c->ppo.n_steps, N, O, A, c->env.max_episode_steps);
  rl_ppo_init(&run->ppo, &run->arena, run->pool, c, &policy->actor, &policy->critic[0],
              c->ppo.n_steps * N);
  rl_collector_init(&run->collector, &run->arena, &run->env, &policy->norm, &policy->scale,
                    &run->episodes, &c->ppo, (uint64_t)c->run.seed);
  return RL_OK;
}

static RlStatus lay_out_sac(RlRun *run) {
  const RlConfig *c = &run->config;
  RlVecEnv *env = &run->env;
  RlPolicy *policy = &run->policy;
  rl_replay_init(&run->replay, &run->arena, c->sac.buffer_size, env->N, env->O, env->A,
                 c->env.max_episode_steps, env->obs);
  rl_replay_file_init(&run->replay_file, &run->arena, &run->replay);
  rl_sac_init(&run->sac, &run->arena, run->pool, c, &policy->actor, policy->critic);
  rl_explorer_init(&run->explorer, &run->arena, env, &policy->norm, &run->episodes, &policy->actor,
                   &run->replay, &c->sac, (uint64_t)c->run.seed);
  return RL_OK;
}

static RlStatus lay_out(RlRun *run) {
  const RlConfig *c = &run->config;
  bool sac = c->run.algorithm == RL_ALGO_SAC;
  int N = c->env.n_envs;
  run->threads = c->run.threads ? c->run.threads : rl_pool_available();
  run->eval_mean = NAN;
  run->saved_step = -1;
  run->pool = rl_pool_init(run->threads);
  if (!run->pool) return RL_FAIL;
  RL_TRY(rl_vecenv_init(&run->env, &run->arena, c, N, run->threads));
  RL_TRY(sac ? check_size_sac(run) : check_size_ppo(run));
  int rows = N > RL_EVAL_ENVS ? N : RL_EVAL_ENVS;
  rl_policy_init(&run->policy, &run->arena, c, run->env.O, run->env.A, N, rows);
  RL_TRY(sac ? lay_out_sac(run) : lay_out_ppo(run));
  run->env_state = RL_PUSH(&run->arena, double, (size_t)N *(size_t)rl_vecenv_nstate(&run->env));
  if (c->run.eval_every > 0) {
    RL_TRY(rl_eval_init(&run->eval, &run->arena, c, c->run.eval_episodes, run->threads));
  }
  rl_arena_seal(&run->arena);
  return RL_OK;
}

// ---------------------------------------------------------------- starting and continuing

static RlStatus write_config(RlRun *run) {
  char text[RL_CONFIG_TEXT];
  size_t length = rl_config_dump(&run->config, RL_DUMP_INI, text, sizeof text);
  RL_ASSERT(length < sizeof text);
  return rl_folder_write(&run->folder, "config.ini", text);
}

static RlStatus write_version(RlRun *run) {
  char text[4096];
  rl_version_compose(RL_VERSION, mj_versionString(), rl_isa_name(rl_isa_active()), text,
                     sizeof text);
  return rl_folder_write(&run->folder, "version.txt", text);
}

RlStatus rl_run_open_metrics(RlRun *run, const char *const *column, int n) {
  char path[RL_PATH_SIZE];
  int64_t step = run->counters.step;
  rl_folder_path(&run->folder, "metrics.csv", path);
  RL_TRY(rl_metrics_truncate(path, step ? step : -1, &run->seconds_before));
  run->start = run->reported_at = rl_clock_seconds();
  run->reported_step = step;
  RL_TRY(rl_metrics_open(&run->metrics, path, column, n));
  return rl_board_open(&run->board, run->folder.dir, step ? step : -1, &run->config, column, n);
}

static void show_start(RlRun *run, const RlRunRequest *request) {
  char title[128];
  snprintf(title, sizeof title, "%s %s seed %" PRId64, run->task->name,
           rl_config_algorithm(&run->config), run->config.run.seed);
  rl_progress_init(&run->progress, request->show, request->mode, run->counters.step,
                   run->config.run.total_steps, title);
}

// Keeps a copy of the checkpoint a run starts from: the run's folder is complete by itself, and a
// run killed before its first save starts again from the same place.
static RlStatus keep_init(RlRun *run, const char *init_from) {
  char path[RL_PATH_SIZE];
  uint8_t *data;
  size_t size;
  rl_folder_path(&run->folder, "init.h5", path);
  RL_TRY(rl_file_read(init_from, (size_t)1 << 32, &data, &size));
  RlStatus status = rl_file_write(path, data, size);
  free(data);
  return status;
}

// What a run begins with. Once config.ini stands it can be resumed, so what it starts from stands
// before; version.txt a resume can still add.  nullable: init_from
static RlStatus write_beginning(RlRun *run, const char *init_from) {
  bool sac = run->config.run.algorithm == RL_ALGO_SAC;
  char init[RL_PATH_SIZE];
  RlStatus status = sac ? rl_folder_make_segments(&run->folder) : RL_OK;
  if (status == RL_OK && init_from) status = keep_init(run, init_from);
  if (status == RL_OK) status = write_config(run);
  if (status == RL_OK) return write_version(run);
  rl_folder_path(&run->folder, "init.h5", init);
  if (init_from) unlink(init);
  rl_folder_discard(&run->folder);
  return status;
}

// The state of a run that has done no step; init_from: nullable.
static RlStatus begin(RlRun *run, const char *init_from) {
  rl_policy_draw(&run->policy, &run->config);
  return init_from ? rl_run_init_from(run, init_from) : RL_OK;
}

void rl_run_clear(RlRun *run) {
  memset(run, 0, sizeof *run);
  run->folder.lock = -1;
  run->metrics.fd = run->board.events.fd = -1;
}

// Creates the folder of a run whose caller named none: runs/TASK-ALGO-SEED-TIME, and -2, -3, ...
// behind it while another run of the same second has that name.
static RlStatus create_named(RlRun *run) {
  char name[256], stamp[32];
  time_t now = time(NULL);
  struct tm local;
  strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", localtime_r(&now, &local));
  int length = snprintf(name, sizeof name, "runs/%s-%s-%" PRId64 "-%s", run->task->name,
                        rl_config_algorithm(&run->config), run->config.run.seed, stamp);
  for (int n = 2; access(name, F_OK) == 0 && n < 1000; n++) {
    snprintf(name + length, sizeof name - (size_t)length, "-%d", n);
  }
  return rl_folder_create(&run->folder, name);
}

RlStatus rl_run_create(RlRun *run, const RlConfig *config, const RlRunRequest *request) {
  rl_run_clear(run);
  run->config = *config;
  run->task = rl_task_find(config->env.id.text, "env.id");
  if (!run->task) return RL_USAGE;
  char init[RL_PATH_SIZE];
  const char *init_from = request->init_from ? init : NULL;
  if (init_from) RL_TRY(rl_served_file(request->init_from, init));
  RL_TRY(lay_out(run));
  RL_TRY(begin(run, init_from));
  RL_TRY(request->out ? rl_folder_create(&run->folder, request->out) : create_named(run));
  RL_TRY(write_beginning(run, init_from));
  show_start(run, request);
  rl_progress_note(&run->progress, "run folder: %s", run->folder.dir);
  return RL_OK;
}

static RlStatus load_config(RlRun *run, int threads, int64_t total_steps) {
  char path[RL_PATH_SIZE];
  uint8_t *text;
  size_t size;
  rl_folder_path(&run->folder, "config.ini", path);
  rl_config_default(&run->config);
  RL_TRY(rl_file_read(path, (size_t)1 << 20, &text, &size));
  RlStatus status = rl_config_parse(&run->config, (char *)text, size, path);
  free(text);
  RL_TRY(status);
  if (threads) run->config.run.threads = threads;
  if (total_steps) run->config.run.total_steps = total_steps;
  return rl_task_complete(&run->config, path, &run->task);
}

// Writes what --resume was told to change, once it is known that the run can be continued.
static RlStatus change_config(RlRun *run, const char *dir, int threads, int64_t total_steps) {
  if (!threads && !total_steps) return RL_OK;
  bool ppo = run->config.run.algorithm == RL_ALGO_PPO;
  bool linear = run->config.ppo.learning_rate_schedule == RL_SCHEDULE_LINEAR ||
                run->config.ppo.clip_range_schedule == RL_SCHEDULE_LINEAR;
  rl_progress_note(&run->progress,
                   "%s: config.ini now says run.threads = %d, run.total_steps = %" PRId64 "%s", dir,
                   run->config.run.threads, run->config.run.total_steps,
                   total_steps && ppo && linear ? "; linear schedules now end there" : "");
  return write_config(run);
}

// Names the resume file of a step and what is wrong with it, or with a segment it needs.
static void say_skipped(RlRun *run, int64_t step) {
  char path[RL_PATH_SIZE];
  const char *text = rl_error_text();
  rl_folder_resume(&run->folder, step, path);
  if (strncmp(text, path, strlen(path)) == 0) {
    rl_progress_note(&run->progress, "skipped %s", text);
  } else {
    rl_progress_note(&run->progress, "skipped %s, which needs %s", path, text);
  }
  rl_error_clear();
}

// Loads the newest sound resume file and names those it skips; with none the run starts again.
static RlStatus find_state(RlRun *run) {
  int64_t step[RL_FOLDER_STEPS];
  int count;
  RL_TRY(rl_folder_list(&run->folder, step, &count));
  for (int i = 0; i < count; i++) {
    RlStatus status = rl_run_load_state(run, step[i]);
    if (status == RL_OK) run->saved_step = step[i];
    if (status == RL_OK || status == RL_USAGE) return status;
    say_skipped(run, step[i]);
  }
  if (run->config.run.algorithm == RL_ALGO_SAC) rl_replay_file_reset(&run->replay_file);
  rl_progress_note(&run->progress,
                   "%s: no sound resume file among %d, starting again from config.ini at step 0",
                   run->folder.dir, count);
  char init[RL_PATH_SIZE];
  rl_folder_path(&run->folder, "init.h5", init);
  return begin(run, access(init, F_OK) == 0 ? init : NULL);
}

// Looks at a checkpoint that the run's links lead to. Of the step just loaded it is written again
// if it is not sound; of an earlier one it can only be named. Neither keeps a sound run from going
// on.
static void mend_checkpoint(RlRun *run, int64_t step) {
  char path[RL_PATH_SIZE];
  RlCheckpoint *checkpoint;
  rl_folder_checkpoint(&run->folder, step, path);
  bool sound = rl_checkpoint_open(&checkpoint, path) == RL_OK;
  rl_checkpoint_close(checkpoint);
  if (sound) return;
  rl_progress_note(&run->progress, "%s", rl_error_text());
  bool here = step == run->counters.step;
  if (here && rl_run_save_policy(run) == RL_OK) {
    rl_progress_note(&run->progress, "%s: written again", path);
  } else if (here) {
    rl_progress_note(&run->progress, "%s", rl_error_text());
  }
  rl_error_clear();
}

static RlStatus mend_link(RlRun *run, const char *name, int64_t step) {
  char path[RL_PATH_SIZE], target[RL_PATH_SIZE];
  rl_folder_path(&run->folder, name, path);
  rl_folder_checkpoint(&run->folder, step, target);
  if (access(path, F_OK) == 0 || access(target, F_OK) != 0) return RL_OK;
  rl_progress_note(&run->progress, "%s: found no file behind it, leads to step %" PRId64 " again",
                   path, step);
  return rl_folder_link(&run->folder, name, step);
}

// Puts back what has gone from the folder since and the state just loaded still tells.
static RlStatus mend(RlRun *run) {
  const RlCounters *c = &run->counters;
  char path[RL_PATH_SIZE];
  rl_folder_path(&run->folder, "version.txt", path);
  if (access(path, F_OK) != 0) RL_TRY(write_version(run));
  if (run->saved_step < 0) return RL_OK;
  mend_checkpoint(run, c->step);
  RL_TRY(mend_link(run, "latest.h5", c->step));
  if (!c->has_best) return RL_OK;
  if (c->best_step != c->step) mend_checkpoint(run, c->best_step);
  return mend_link(run, "best.h5", c->best_step);
}

RlStatus rl_run_resume(RlRun *run, const char *dir, int threads, int64_t total_steps,
                       const RlRunRequest *request, bool *finished) {
  rl_run_clear(run);
  // what is said before the panel stands is plain lines
  bool json = request->mode == RL_PROGRESS_JSON;
  rl_progress_init(&run->progress, request->show, json ? RL_PROGRESS_JSON : RL_PROGRESS_PLAIN, 0, 0,
                   dir);
  RL_TRY(rl_folder_open(&run->folder, dir));
  RL_TRY(load_config(run, threads, total_steps));
  RL_TRY(lay_out(run));
  RL_TRY(find_state(run));
  if (total_steps && total_steps < run->counters.step) {
    return rl_error(RL_USAGE,
                    "run.total_steps: found %" PRId64 ", expected at least the %" PRId64
                    " steps that %s has",
                    total_steps, run->counters.step, dir);
  }
  *finished = run->counters.step >= run->config.run.total_steps;
  if (!*finished) RL_TRY(change_config(run, dir, threads, total_steps));
  RL_TRY(mend(run));
  if (*finished) {
    rl_progress_note(&run->progress, "%s: finished at step %" PRId64 ", nothing to do", dir,
                     run->counters.step);
  } else {
    show_start(run, request);
  }
  return RL_OK;
}

// ---------------------------------------------------------------- training

void rl_run_offer(RlRun *run) {
  if (run->onlooker.offer) run->onlooker.offer(run->onlooker.arg, &run->policy, run->counters.step);
}

bool rl_run_is_due(int64_t every, int64_t before, int64_t after) {
  return every > 0 && after / every > before / every;
}

double rl_run_seconds(const RlRun *run) {
  return run->seconds_before + (rl_clock_seconds() - run->start);
}

RlStatus rl_run_report(RlRun *run, const char *const *column, const double *value, int n) {
  RlProgressScalar scalar[RL_PROGRESS_SCALARS];
  RL_ASSERT(n <= RL_PROGRESS_SCALARS);
  for (int i = 0; i < n; i++) scalar[i] = (RlProgressScalar){column[i], value[i]};
  double now = rl_clock_seconds();
  const RlTimeSplit *a = &run->reported, *b = &run->split;
  double collect = b->collect - a->collect, learn = b->learn - a->learn;
  double evaluate = b->evaluate - a->evaluate, all = collect + learn + evaluate;
  RlMetricsRow row = {
      .step = run->counters.step,
      .seconds = rl_run_seconds(run),
      .steps_per_second =
          (double)(run->counters.step - run->reported_step) / (now - run->reported_at),
      .episode_return_mean = rl_episodes_mean(&run->episodes, run->episodes.ret),
      .episode_length_mean = rl_episodes_mean(&run->episodes, run->episodes.length)};
  RlProgressRow shown = {.step = row.step,
                         .seconds = row.seconds,
                         .steps_per_second = row.steps_per_second,
                         .ep_return = row.episode_return_mean,
                         .ep_length = row.episode_length_mean,
                         .collect = collect / all,
                         .learn = learn / all,
                         .eval = evaluate / all,
                         .scalar = scalar,
                         .nscalar = n};
  rl_progress_update(&run->progress, &shown);
  run->reported = run->split;
  run->reported_step = run->counters.step;
  run->reported_at = now;
  RL_TRY(rl_metrics_write(&run->metrics, &row, value));
  return rl_board_row(&run->board, &row, value);
}

static void tick(void *arg) {
  RlRun *run = arg;
  rl_progress_tick(&run->progress, run->counters.step);
}

RlStatus rl_run_evaluate(RlRun *run) {
  double start = rl_clock_seconds();
  RlCounters *c = &run->counters;
  RlEvalSummary summary;
  rl_eval_run(&run->eval, &run->policy, (uint64_t)run->config.run.seed, c->step, false, &summary,
              tick, run);
  run->eval_mean = summary.mean;
  run->split.evaluate += rl_clock_seconds() - start;
  rl_progress_note(&run->progress, "evaluation at step %" PRId64 ": %.2f +- %.2f over %d episodes",
                   c->step, summary.mean, summary.std, summary.episodes);
  RL_TRY(rl_board_evaluation(&run->board, c->step, &summary));
  if (!rl_run_note_best(c, summary.mean)) return RL_OK;
  RL_TRY(rl_run_save_policy(run));
  return rl_folder_link(&run->folder, "best.h5", c->step);
}

void rl_run_say_end(RlRun *run) {
  rl_progress_finish(&run->progress);
  if (run->counters.step < run->config.run.total_steps) {
    rl_progress_note(&run->progress, "stopped at step %" PRId64 "; go on with: rltrain --resume %s",
                     run->counters.step, run->folder.dir);
  } else {
    rl_progress_note(&run->progress,
                     "done: %s at step %" PRId64 "; see how it does with: rleval %s",
                     run->folder.dir, run->counters.step, run->folder.dir);
  }
}

void rl_run_free(RlRun *run) {
  rl_metrics_close(&run->metrics);
  rl_board_close(&run->board);
  rl_folder_close(&run->folder);
  rl_eval_free(&run->eval);
  rl_vecenv_free(&run->env);
  rl_pool_free(run->pool);
  rl_arena_free(&run->arena);
}
