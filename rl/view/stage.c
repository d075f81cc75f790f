// A stage's life: opened, given another policy, freed. Playing is in stage_play.c, what a person
// sees and does in stage_look.c, the checkpoints of a run in stage_file.c, the state for the charts
// in stage_state.c. See stage.h.
#include "rl/view/stage.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// What the policy's critics need to be asked for one value; it is freed with the policy.
static void make_critics(RlStage *stage) {
  RlPolicy *policy = &stage->served.policy;
  RlArena *arena = &stage->served.arena;
  for (int c = 0; c < policy->ncritic; c++) {
    rl_mlp_work_init(&stage->critic_work[c], arena, &policy->critic[c], 1, 0);
  }
  stage->critic_x = RL_PUSH(arena, RlReal, policy->O + policy->A);
}

static void push_rows(RlStage *stage) {
  const RlVecEnv *env = &stage->env;
  RlArena *arena = &stage->arena;
  stage->act = RL_PUSH(arena, float, env->A);
  stage->ctrl = RL_PUSH(arena, double, env->A);
  stage->mem = RL_PUSH(arena, double, env->task->nmem);
  stage->trail = RL_PUSH(arena, double, (size_t)(env->options.frame_skip + 1) * (size_t)env->m->nq);
}

// Everything but the policy's numbers, which come before or later.
static RlStatus set_up(RlStage *stage) {
  RL_TRY(rl_served_match(&stage->served, &stage->env, stage->path));
  push_rows(stage);
  RL_TRY(rl_stage_equip(stage));
  make_critics(stage);
  stage->last_return = NAN;
  stage->speed = 1;
  rl_stage_begin(stage, 0);
  return RL_OK;
}

static RlStatus name(RlStage *stage, const char *path, uint64_t seed) {
  memset(stage, 0, sizeof *stage);
  stage->seed = seed;
  int n = snprintf(stage->path, sizeof stage->path, "%s", path);
  if (n < (int)sizeof stage->path) return RL_OK;
  return rl_error(RL_USAGE, "%.100s...: found a path of %d bytes, expected a shorter one", path, n);
}

RlStatus rl_stage_open(RlStage *stage, const char *path, uint64_t seed) {
  RL_TRY(name(stage, path, seed));
  RL_TRY(rl_served_load(&stage->served, path, 1));
  RL_TRY(rl_vecenv_init(&stage->env, &stage->arena, &stage->served.config, 1, 1));
  RL_TRY(set_up(stage));
  stage->cursor = stage->served.step;
  rl_stage_place(stage);
  return RL_OK;
}

RlStatus rl_stage_open_empty(RlStage *stage, const RlConfig *config, const char *path,
                             uint64_t seed) {
  RL_TRY(name(stage, path, seed));
  RlServed *served = &stage->served;
  served->config = *config;
  RL_TRY(rl_vecenv_init(&stage->env, &stage->arena, config, 1, 1));
  served->task = stage->env.task;
  rl_policy_init(&served->policy, &served->arena, config, stage->env.O, stage->env.A, 1, 1);
  rl_policy_refresh(&served->policy);
  return set_up(stage);
}

void rl_stage_take(RlStage *stage, RlPolicy *policy, int64_t step) {
  RlFields to = {0}, from = {0};
  rl_policy_fields(&to, &stage->served.policy);
  rl_policy_fields(&from, policy);
  rl_fields_copy(&to, &from);
  rl_policy_refresh(&stage->served.policy);
  stage->served.step = step;
}

RlStatus rl_stage_swap(RlStage *stage, RlServed *served) {
  const RlTask *task = served->task;
  if (task != stage->env.task || served->policy.O != stage->env.O ||
      served->policy.A != stage->env.A) {
    rl_served_free(served);
    return rl_error(RL_FAIL, "found a policy for %s, expected one for this %s", task->name,
                    stage->env.task->name);
  }
  rl_served_free(&stage->served);
  stage->served = *served;
  make_critics(stage);
  rl_stage_begin(stage, stage->episode);
  return RL_OK;
}

void rl_stage_free(RlStage *stage) {
  mjv_freeScene(&stage->scene);
  mj_deleteData(stage->d);
  mj_deleteModel(stage->m);
  rl_vecenv_free(&stage->env);
  rl_arena_free(&stage->arena);
  rl_served_free(&stage->served);
  memset(stage, 0, sizeof *stage);
}
