// What a run saves and loads. One list of fields serves both; a resume file is complete by itself.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rl/base/config_value.h"
#include "rl/run/run.h"

// What both files of a step begin with. text is filled with the configuration.
static void push_meta(RlFields *fields, RlRun *run, RlDump what, char *text) {
  size_t length = rl_config_dump(&run->config, what, text, RL_CONFIG_TEXT);
  RL_ASSERT(length < RL_CONFIG_TEXT);
  char *algorithm = (char *)(uintptr_t)rl_config_algorithm(&run->config);
  char *task = (char *)(uintptr_t)run->task->name;
  rl_fields_push(fields, "config", RL_CHARS, text, (int64_t)length, 0);
  rl_fields_push(fields, "task", RL_CHARS, task, (int64_t)strlen(task), 0);
  rl_fields_push(fields, "algorithm", RL_CHARS, algorithm, (int64_t)strlen(algorithm), 0);
  rl_fields_push_nonnegative(fields, "step", RL_I64, &run->counters.step, 0, 0);
}

static void push_counters(RlFields *fields, RlRun *run) {
  RlCounters *c = &run->counters;
  rl_fields_push_nonnegative(fields, "counters/updates", RL_I64, &c->updates, 0, 0);
  rl_fields_push_nonnegative(fields, "counters/skipped", RL_I64, &c->skipped, 0, 0);
  rl_fields_push(fields, "counters/has_best", RL_I32, &c->has_best, 0, 0);
  rl_fields_push(fields, "counters/best", RL_F64, &c->best, 0, 0);
  rl_fields_push_nonnegative(fields, "counters/best_step", RL_I64, &c->best_step, 0, 0);
  rl_fields_push_nonnegative(fields, "episodes/count", RL_I64, &run->episodes.count, 0, 0);
  rl_fields_push(fields, "episodes/return", RL_F64, run->episodes.ret, RL_EPISODE_WINDOW, 0);
  rl_fields_push_nonnegative(fields, "episodes/length", RL_F64, run->episodes.length,
                             RL_EPISODE_WINDOW, 0);
}

static void push_adam(RlFields *fields, const char *const name[3], RlAdam *adam) {
  rl_fields_push_nonnegative(fields, name[0], RL_I64, &adam->step, 0, 0);
  rl_fields_push(fields, name[1], RL_F32, adam->m, adam->n, 0);
  rl_fields_push_nonnegative(fields, name[2], RL_F32, adam->v, adam->n, 0);
}

static void push_ppo(RlFields *fields, RlRun *run) {
  static const char *const name[][3] = {{"adam/actor/step", "adam/actor/m", "adam/actor/v"},
                                        {"adam/critic/step", "adam/critic/m", "adam/critic/v"}};
  RlPpo *ppo = &run->ppo;
  rl_fields_push_nonnegative(fields, "counters/skipped_in_a_row", RL_I32, &ppo->skipped_in_a_row, 0,
                             0);
  for (int i = 0; i < 2; i++) push_adam(fields, name[i], &ppo->net[i].adam);
  rl_fields_push(fields, "return_scale/running", RL_F64, run->policy.scale.running, run->env.N, 0);
  rl_fields_push(fields, "rng/shuffle", RL_U64, ppo->shuffle_rng.word, 2, 0);
  rl_fields_push(fields, "rng/act", RL_U64, run->collector.act_rng, run->env.N, 2);
}

static void push_sac(RlFields *fields, RlRun *run) {
  static const char *const actor[] = {"adam/actor/step", "adam/actor/m", "adam/actor/v"};
  static const char *const critic[][3] = {
      {"adam/critic_1/step", "adam/critic_1/m", "adam/critic_1/v"},
      {"adam/critic_2/step", "adam/critic_2/m", "adam/critic_2/v"}};
  static const char *const alpha[] = {"adam/alpha/step", "adam/alpha/m", "adam/alpha/v"};
  static const char *const target[] = {"target/1", "target/2"};
  RlSac *sac = &run->sac;
  rl_fields_push_nonnegative(fields, "counters/skipped_in_a_row", RL_I32, &sac->skipped_in_a_row, 0,
                             0);
  rl_fields_push_nonnegative(fields, "counters/updates_begun", RL_I64, &sac->updates, 0, 0);
  push_adam(fields, actor, &sac->actor_net.adam);
  for (int c = 0; c < RL_SAC_CRITICS; c++) {
    push_adam(fields, critic[c], &sac->critic_net[c].adam);
    rl_fields_push(fields, target[c], RL_F32, sac->target[c].param, sac->target[c].nparam, 0);
  }
  push_adam(fields, alpha, &sac->alpha_adam);
  rl_fields_push(fields, "log_alpha", RL_F32, &sac->log_alpha, 0, 0);
  rl_fields_push(fields, "rng/act", RL_U64, run->explorer.act_rng, run->env.N, 2);
  rl_fields_push(fields, "rng/replay", RL_U64, sac->draw_rng.word, 2, 0);
  rl_fields_push(fields, "rng/learn", RL_U64, sac->noise_rng, RL_SAC_MAX_BLOCKS, 2);
}

// Everything that goes on from here, the policy included; the step itself is in push_meta.
static void push_state(RlFields *fields, RlRun *run) {
  RlVecEnv *env = &run->env;
  rl_policy_fields(fields, &run->policy);
  push_counters(fields, run);
  (run->config.run.algorithm == RL_ALGO_SAC ? push_sac : push_ppo)(fields, run);
  rl_fields_push(fields, "env/state", RL_F64, run->env_state, env->N, rl_vecenv_nstate(env));
  rl_fields_push(fields, "env/obs", RL_F32, env->obs, env->N, env->O);
}

// The probe: the environments' observations of now, repeated if there are fewer than it holds.
static void take_probe(RlRun *run) {
  int O = run->env.O;
  float obs[RL_PROBE_ROWS * RL_MAX_OBS];
  for (int i = 0; i < RL_PROBE_ROWS; i++) {
    memcpy(obs + i * O, run->env.obs + (i % run->env.N) * O, (size_t)O * sizeof(float));
  }
  rl_policy_probe(&run->policy, obs);
}

RlStatus rl_run_save_policy(RlRun *run) {
  char path[RL_PATH_SIZE], text[RL_CONFIG_TEXT];
  RlFields fields = {0};
  take_probe(run);
  push_meta(&fields, run, RL_DUMP_POLICY, text);
  rl_policy_fields(&fields, &run->policy);
  rl_folder_checkpoint(&run->folder, run->counters.step, path);
  return rl_checkpoint_save(path, fields.field, fields.n);
}

// Without evaluations the best is that of the mean training return at a save. A run that ends
// without anything to go by, no episode or no evaluation, has its last policy as the best it has.
static RlStatus keep_best(RlRun *run) {
  RlCounters *c = &run->counters;
  const RlRunOptions *o = &run->config.run;
  double mean = o->eval_every > 0 ? NAN : rl_episodes_mean(&run->episodes, run->episodes.ret);
  bool best = rl_run_note_best(c, mean) || (!c->has_best && c->step >= o->total_steps);
  return best ? rl_folder_link(&run->folder, "best.h5", c->step) : RL_OK;
}

// What this checkpoint holds and how it acted last, as histograms.
static RlStatus show_policy(RlRun *run) {
  int64_t step = run->counters.step;
  RL_TRY(rl_board_policy(&run->board, step, &run->policy));
  if (run->config.run.algorithm == RL_ALGO_SAC) {
    return rl_board_replay(&run->board, step, &run->replay);
  }
  return rl_board_rollout(&run->board, step, &run->rollout);
}

RlStatus rl_run_save(RlRun *run, bool due) {
  int64_t step = run->counters.step;
  char path[RL_PATH_SIZE], text[RL_CONFIG_TEXT];
  RL_TRY(rl_run_save_policy(run));
  RL_TRY(rl_folder_link(&run->folder, "latest.h5", step));
  if (due) RL_TRY(keep_best(run));
  RL_TRY(show_policy(run));
  RL_TRY(rl_metrics_sync(&run->metrics));
  RL_TRY(rl_board_sync(&run->board));
  RlFields fields = {0};
  bool sac = run->config.run.algorithm == RL_ALGO_SAC;
  rl_vecenv_save(&run->env, run->env_state);
  push_meta(&fields, run, RL_DUMP_RESUME, text);
  push_state(&fields, run);
  if (sac) {
    RL_TRY(rl_replay_file_save(&run->replay_file, &run->folder));
    rl_replay_file_fields(&run->replay_file, &fields);
  }
  rl_folder_resume(&run->folder, step, path);
  RL_TRY(rl_checkpoint_save(path, fields.field, fields.n));
  RL_TRY(rl_folder_prune(&run->folder, step, run->saved_step == step ? -1 : run->saved_step));
  if (sac) RL_TRY(rl_replay_file_prune(&run->replay_file, &run->folder));
  if (sac && run->replay_file.mended > 0) {
    rl_progress_note(&run->progress,
                     "%s/resume/replay: %d segments were missing or damaged, written again",
                     run->folder.dir, run->replay_file.mended);
  }
  run->saved_step = step;
  return RL_OK;
}

// The configuration in the file must be this run's, total_steps aside.
static RlStatus check_config(RlRun *run, RlCheckpoint *checkpoint, const char *path) {
  char found[RL_CONFIG_TEXT], expected[RL_CONFIG_TEXT];
  RL_TRY(rl_checkpoint_text(checkpoint, "config", found, sizeof found));
  RlConfig config;
  rl_config_default(&config);
  RL_TRY(rl_config_parse(&config, found, strlen(found), path));
  config.run.total_steps = run->config.run.total_steps;
  rl_config_dump(&config, RL_DUMP_RESUME, found, sizeof found);
  rl_config_dump(&run->config, RL_DUMP_RESUME, expected, sizeof expected);
  if (strcmp(found, expected) == 0) return RL_OK;
  size_t i = 0;
  while (found[i] == expected[i]) i++;
  while (i > 0 && found[i - 1] != '\n') i--;
  return rl_error(RL_USAGE, "%s/config.ini: found \"%.*s\", expected \"%.*s\" as in %s",
                  run->folder.dir, (int)strcspn(expected + i, "\n"), expected + i,
                  (int)strcspn(found + i, "\n"), found + i, path);
}

// The step must be the one the file's name promises, and the replay buffer's vector steps those of
// as many environments.
static RlStatus check_step(const RlRun *run, RlCheckpoint *checkpoint, const char *path,
                           int64_t expected) {
  RlFields fields = {0};
  int64_t step, written, N = run->env.N;
  bool sac = run->config.run.algorithm == RL_ALGO_SAC;
  rl_fields_push_nonnegative(&fields, "step", RL_I64, &step, 0, 0);
  if (sac) rl_fields_push_nonnegative(&fields, "replay/written", RL_I64, &written, 0, 0);
  RL_TRY(rl_checkpoint_load(checkpoint, fields.field, fields.n));
  if (step != expected) {
    return rl_error(RL_FAIL, "%s: step: found %" PRId64 ", expected %" PRId64 " as in its name",
                    path, step, expected);
  }
  if (!sac || (step % N == 0 && written == step / N)) return RL_OK;
  return rl_error(RL_FAIL,
                  "%s: replay/written: found %" PRId64 ", expected %" PRId64 " / %" PRId64
                  " as step and env.n_envs have it",
                  path, written, step, N);
}

// What no run writes and what goes on from it relies on: the networks' widths, which are saved
// again; a count that would have ended the run; with SAC episodes that began before their
// environment's last time limit, since the replay buffer has room for as many as can follow.
static RlStatus check_state(RlRun *run, RlCheckpoint *checkpoint, const char *path) {
  const RlVecEnv *env = &run->env;
  int32_t skipped;
  bool sac = run->config.run.algorithm == RL_ALGO_SAC;
  RlFields fields = {0};
  RL_TRY(rl_policy_check_dims(&run->policy, checkpoint, path));
  rl_fields_push_nonnegative(&fields, "counters/skipped_in_a_row", RL_I32, &skipped, 0, 0);
  rl_fields_push(&fields, "env/state", RL_F64, run->env_state, env->N, rl_vecenv_nstate(env));
  RL_TRY(rl_checkpoint_load(checkpoint, fields.field, fields.n));
  if (skipped >= RL_PATIENCE) {
    return rl_error(RL_FAIL, "%s: counters/skipped_in_a_row: found %d, expected less than %d", path,
                    skipped, RL_PATIENCE);
  }
  for (int n = 0; n < env->N && sac; n++) {
    int length = rl_vecenv_saved_length(env, run->env_state, n);
    int64_t most = rl_replay_since_truncated(&run->replay, n);
    if (length <= most) continue;
    return rl_error(RL_FAIL,
                    "%s: env/state: found environment %d %d steps into its episode, expected at "
                    "most the %" PRId64 " since its last time limit",
                    path, n, length, most);
  }
  return RL_OK;
}

RlStatus rl_run_load_state(RlRun *run, int64_t step) {
  char path[RL_PATH_SIZE];
  RlCheckpoint *checkpoint = NULL;
  rl_folder_resume(&run->folder, step, path);
  RL_TRY(rl_checkpoint_open(&checkpoint, path));
  RlFields fields = {0};
  rl_fields_push_nonnegative(&fields, "step", RL_I64, &run->counters.step, 0, 0);
  push_state(&fields, run);
  RlStatus status = check_config(run, checkpoint, path);
  if (status == RL_OK) status = check_step(run, checkpoint, path, step);
  bool sac = run->config.run.algorithm == RL_ALGO_SAC;
  if (status == RL_OK && sac) {
    status = rl_replay_file_load(&run->replay_file, &run->folder, checkpoint, path);
  }
  if (status == RL_OK) status = check_state(run, checkpoint, path);
  if (status == RL_OK) status = rl_checkpoint_load(checkpoint, fields.field, fields.n);
  rl_checkpoint_close(checkpoint);
  RL_TRY(status);
  rl_vecenv_load(&run->env, run->env_state);
  rl_policy_refresh(&run->policy);
  if (sac) rl_sac_refresh(&run->sac);
  run->counters.diverged = run->env.ndiverged;
  return RL_OK;
}

// Whether a network's weights mean something else under another value of an option.
static bool means_otherwise(const RlOption *option) {
  static const char *const name[] = {"activation", "obs", "log_std_bound"};
  for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
    if (strcmp(option->name, name[i]) == 0) return true;
  }
  return strstr(option->name, "_observation") != NULL;
}

// Arrays of the same shape are not enough: the networks must have been trained to read and to
// answer as they will have to.
static RlStatus check_meaning(const RlRun *run, const RlServed *served, const char *path) {
  int count;
  const RlOption *option = rl_config_options(&count);
  for (int i = 0; i < count; i++) {
    char found[RL_VALUE_MAX], expected[RL_VALUE_MAX];
    if (!means_otherwise(&option[i])) continue;
    rl_config_value_of(&served->config, i, found);
    rl_config_value_of(&run->config, i, expected);
    if (strcmp(found, expected) == 0) continue;
    return rl_error(RL_FAIL, "%s: %s.%s: found %s, expected %s as the configuration has it", path,
                    option[i].section, option[i].name, found, expected);
  }
  return RL_OK;
}

RlStatus rl_run_init_from(RlRun *run, const char *path) {
  RlServed served;
  RlStatus status = rl_served_load(&served, path, RL_PROBE_ROWS);
  RlFields to = {0}, from = {0};
  if (status == RL_OK && served.task != run->task) {
    status = rl_error(RL_FAIL, "%s: task: found \"%s\", expected \"%s\"", path, served.task->name,
                      run->task->name);
  }
  if (status == RL_OK && served.config.run.algorithm != run->config.run.algorithm) {
    status = rl_error(RL_FAIL, "%s: algorithm: found \"%s\", expected \"%s\"", path,
                      rl_config_algorithm(&served.config), rl_config_algorithm(&run->config));
  }
  if (status == RL_OK) status = check_meaning(run, &served, path);
  if (status == RL_OK) {
    rl_policy_fields(&to, &run->policy);
    rl_policy_fields(&from, &served.policy);
  }
  for (int i = 0; i < to.n && status == RL_OK; i++) {
    const RlField *a = &to.field[i], *b = &from.field[i];
    if (a->rank != b->rank || memcmp(a->dim, b->dim, sizeof a->dim) != 0) {
      status = rl_error(RL_FAIL,
                        "%s: %s: found shape (%" PRId64 "), expected (%" PRId64
                        ") as the "
                        "configuration has it",
                        path, a->name, b->dim[0], a->dim[0]);
    }
  }
  if (status == RL_OK) {
    rl_fields_copy(&to, &from);
    rl_policy_refresh(&run->policy);
  }
  rl_served_free(&served);
  return status;
}
