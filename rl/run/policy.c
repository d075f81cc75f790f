// A policy and its file: see policy.h.
#include "rl/run/policy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void rl_policy_init(RlPolicy *policy, RlArena *arena, const RlConfig *config, int O, int A, int N,
                    int rows) {
  RL_ASSERT(O >= 1 && O <= RL_MAX_OBS);
  if (rows < RL_PROBE_ROWS) rows = RL_PROBE_ROWS;
  const RlPolicyOptions *o = &config->policy;
  policy->O = O;
  policy->A = A;
  bool sac = config->run.algorithm == RL_ALGO_SAC;
  policy->ncritic = sac ? 2 : 1;
  // detail: separate-networks
  rl_actor_init(&policy->actor, arena, config, O, A, rows);
  for (int c = 0; c < policy->ncritic; c++) {
    rl_mlp_init(&policy->critic[c], arena, sac ? O + A : O, &o->hidden_critic, 1, o->activation, 0);
  }
  rl_normalizer_init(&policy->norm, arena, O, &config->normalize);
  rl_return_scale_init(&policy->scale, arena, N, &config->normalize, config->ppo.gamma);
  policy->norm_obs = RL_PUSH(arena, RlReal, rows * O);
  policy->probe_obs = RL_PUSH(arena, float, RL_PROBE_ROWS *O);
  policy->probe_act = RL_PUSH(arena, float, RL_PROBE_ROWS *A);
  for (int l = 0; l <= policy->actor.mlp.L; l++) policy->actor_dim[l] = policy->actor.mlp.dim[l];
  const RlMlp *critic = &policy->critic[0];
  for (int l = 0; l <= critic->L; l++) policy->critic_dim[l] = critic->dim[l];
}

void rl_policy_draw(RlPolicy *policy, const RlConfig *config) {
  uint64_t seed = (uint64_t)config->run.seed;
  RlRng rng;
  rl_rng_init(&rng, seed, RL_STREAM_INIT, 0);
  rl_actor_draw(&policy->actor, &config->policy, &rng);
  for (int c = 0; c < policy->ncritic; c++) {
    rl_rng_init(&rng, seed, RL_STREAM_INIT, 1 + (uint64_t)c);
    rl_mlp_draw(&policy->critic[c], config->policy.init, 1, &rng);
  }
}

void rl_policy_act(RlPolicy *policy, float *act, const float *obs, int rows, RlRng *rng) {
  rl_normalizer_forward(&policy->norm, policy->norm_obs, obs, rows);
  rl_actor_act(&policy->actor, act, policy->norm_obs, rows, rng);
}

void rl_policy_probe(RlPolicy *policy, const float *obs) {
  memcpy(policy->probe_obs, obs, (size_t)(RL_PROBE_ROWS * policy->O) * sizeof(float));
  rl_policy_act(policy, policy->probe_act, policy->probe_obs, RL_PROBE_ROWS, NULL);
}

void rl_policy_refresh(RlPolicy *policy) {
  rl_normalizer_refresh(&policy->norm);
  rl_mlp_pack(&policy->actor.mlp);
  for (int c = 0; c < policy->ncritic; c++) rl_mlp_pack(&policy->critic[c]);
}

void rl_policy_fields(RlFields *fields, RlPolicy *policy) {
  static const char *const critic_param[][2] = {{"critic/param"}, {"critic/1", "critic/2"}};
  RlNormalizer *norm = &policy->norm;
  RlReturnScale *scale = &policy->scale;
  RlMlp *actor = &policy->actor.mlp;
  rl_fields_push(fields, "actor/dim", RL_I32, policy->actor_dim, actor->L + 1, 0);
  rl_fields_push(fields, "actor/param", RL_F32, actor->param, actor->nparam, 0);
  rl_fields_push(fields, "critic/dim", RL_I32, policy->critic_dim, policy->critic[0].L + 1, 0);
  for (int c = 0; c < policy->ncritic; c++) {
    RlMlp *critic = &policy->critic[c];
    rl_fields_push(fields, critic_param[policy->ncritic - 1][c], RL_F32, critic->param,
                   critic->nparam, 0);
  }
  rl_fields_push_nonnegative(fields, "normalizer/count", RL_F64, &norm->count, 0, 0);
  rl_fields_push(fields, "normalizer/mean", RL_F64, norm->mean, norm->O, 0);
  rl_fields_push_nonnegative(fields, "normalizer/m2", RL_F64, norm->m2, norm->O, 0);
  if (!policy->actor.squashed) {
    rl_fields_push_nonnegative(fields, "return_scale/count", RL_F64, &scale->moments.count, 0, 0);
    rl_fields_push(fields, "return_scale/mean", RL_F64, &scale->moments.mean, 0, 0);
    rl_fields_push_nonnegative(fields, "return_scale/m2", RL_F64, &scale->moments.m2, 0, 0);
  }
  rl_fields_push(fields, "probe/obs", RL_F32, policy->probe_obs, RL_PROBE_ROWS, policy->O);
  rl_fields_push(fields, "probe/act", RL_F32, policy->probe_act, RL_PROBE_ROWS, policy->A);
}

// ---------------------------------------------------------------- loading

static RlStatus check_probe(RlPolicy *policy, const char *path) {
  float act[RL_PROBE_ROWS * RL_MAX_ACTION];
  rl_policy_act(policy, act, policy->probe_obs, RL_PROBE_ROWS, NULL);
  for (int i = 0; i < RL_PROBE_ROWS * policy->A; i++) {
    double error = fabs((double)act[i] - (double)policy->probe_act[i]);
    if (!(error <= 1e-5 * fmax(1, fabs((double)policy->probe_act[i])))) {
      return rl_error(RL_FAIL, "%s: probe/act: found %.9g, expected %.9g as this build computes it",
                      path, (double)policy->probe_act[i], (double)act[i]);
    }
  }
  return RL_OK;
}

// The networks that the configuration describes must be as large as those in the file before any
// memory is taken: a small file may describe any.
static RlStatus check_widths(const RlServed *served, RlCheckpoint *checkpoint, const char *path,
                             int O, int A) {
  const RlPolicyOptions *o = &served->config.policy;
  bool sac = served->config.run.algorithm == RL_ALGO_SAC;
  const struct {
    const char *name;
    int nparam;
  } net[] = {
      {"actor/param", rl_mlp_nparam(O, &o->hidden_actor, sac ? 2 * A : A) + (sac ? 0 : A)},
      {sac ? "critic/1" : "critic/param", rl_mlp_nparam(sac ? O + A : O, &o->hidden_critic, 1)}};
  for (int i = 0; i < 2; i++) {
    int rank;
    int64_t dim[RL_FIELD_RANK];
    RL_TRY(rl_checkpoint_shape(checkpoint, net[i].name, &rank, dim));
    int64_t found = rank == 1 ? dim[0] : 0;
    if (found == net[i].nparam) continue;
    return rl_error(RL_FAIL, "%s: %s: found %lld parameters, expected %d as its config has it",
                    path, net[i].name, (long long)found, net[i].nparam);
  }
  return RL_OK;
}

// Reads configuration, task and step, and lays the policy out for them.
static RlStatus read_meta(RlServed *served, RlCheckpoint *checkpoint, const char *path, int rows) {
  char text[RL_CONFIG_TEXT];
  RL_TRY(rl_checkpoint_text(checkpoint, "config", text, sizeof text));
  rl_config_default(&served->config);
  if (rl_config_parse(&served->config, text, strlen(text), path) != RL_OK) return RL_FAIL;
  // these are lines of a text within the file, which nobody can look up
  memset(served->config.place, 0, sizeof served->config.place);
  if (rl_task_complete(&served->config, path, &served->task) != RL_OK) return RL_FAIL;
  int rank;
  int64_t dim[RL_FIELD_RANK];
  RL_TRY(rl_checkpoint_shape(checkpoint, "probe/obs", &rank, dim));
  int64_t O = rank == 2 ? dim[1] : 0;
  RL_TRY(rl_checkpoint_shape(checkpoint, "probe/act", &rank, dim));
  int64_t A = rank == 2 ? dim[1] : 0;
  if (O < 1 || O > RL_MAX_OBS || A < 1 || A > RL_MAX_ACTION) {
    return rl_error(RL_FAIL,
                    "%s: probe: found %lld observations and %lld actions, expected at most "
                    "%d and %d",
                    path, (long long)O, (long long)A, RL_MAX_OBS, RL_MAX_ACTION);
  }
  RL_TRY(check_widths(served, checkpoint, path, (int)O, (int)A));
  rl_policy_init(&served->policy, &served->arena, &served->config, (int)O, (int)A, 1, rows);
  return RL_OK;
}

RlStatus rl_policy_check_dims(const RlPolicy *policy, RlCheckpoint *checkpoint, const char *path) {
  RlFields fields = {0};
  int32_t actor[RL_MAX_LAYERS + 1], critic[RL_MAX_LAYERS + 1];
  size_t nactor = (size_t)policy->actor.mlp.L + 1, ncritic = (size_t)policy->critic[0].L + 1;
  rl_fields_push(&fields, "actor/dim", RL_I32, actor, (int64_t)nactor, 0);
  rl_fields_push(&fields, "critic/dim", RL_I32, critic, (int64_t)ncritic, 0);
  RL_TRY(rl_checkpoint_load(checkpoint, fields.field, fields.n));
  if (memcmp(actor, policy->actor_dim, nactor * sizeof *actor) == 0 &&
      memcmp(critic, policy->critic_dim, ncritic * sizeof *critic) == 0) {
    return RL_OK;
  }
  return rl_error(
      RL_FAIL, "%s: actor/dim, critic/dim: found other widths, expected those of its config", path);
}

static RlStatus read_policy(RlServed *served, RlCheckpoint *checkpoint, const char *path) {
  RlFields fields = {0};
  RlPolicy *policy = &served->policy;
  RL_TRY(rl_policy_check_dims(policy, checkpoint, path));
  rl_policy_fields(&fields, policy);
  rl_fields_push_nonnegative(&fields, "step", RL_I64, &served->step, 0, 0);
  RL_TRY(rl_checkpoint_load(checkpoint, fields.field, fields.n));
  rl_policy_refresh(policy);
  return check_probe(policy, path);
}

RlStatus rl_served_read(RlServed *served, RlCheckpoint *checkpoint, const char *path, int rows) {
  memset(served, 0, sizeof *served);
  RL_TRY(read_meta(served, checkpoint, path, rows));
  return read_policy(served, checkpoint, path);
}

RlStatus rl_served_file(const char *path, char file[RL_PATH_SIZE]) {
  struct stat info;
  bool folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
  if (snprintf(file, RL_PATH_SIZE, "%s%s", path, folder ? "/latest.h5" : "") < RL_PATH_SIZE) {
    return RL_OK;
  }
  return rl_error(RL_USAGE, "%.100s...: found a path of %zu bytes, expected a shorter one", path,
                  strlen(path));
}

RlStatus rl_served_load(RlServed *served, const char *path, int rows) {
  memset(served, 0, sizeof *served);
  char file[RL_PATH_SIZE];
  RL_TRY(rl_served_file(path, file));
  RlCheckpoint *checkpoint = NULL;
  RL_TRY(rl_checkpoint_open(&checkpoint, file));
  RlStatus status = rl_served_read(served, checkpoint, file, rows);
  rl_checkpoint_close(checkpoint);
  return status;
}

RlStatus rl_served_match(const RlServed *served, const RlVecEnv *env, const char *path) {
  const RlPolicy *policy = &served->policy;
  if (env->O == policy->O && env->A == policy->A) return RL_OK;
  return rl_error(RL_FAIL,
                  "%s: found a policy of %d observations and %d actions, expected %d and %d for %s",
                  path, policy->O, policy->A, env->O, env->A, served->task->name);
}

void rl_served_free(RlServed *served) {
  rl_arena_free(&served->arena);
}
