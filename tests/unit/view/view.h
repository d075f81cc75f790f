// What the tests of the view share: runs of a few hundred steps whose checkpoints a stage plays.
#ifndef TESTS_UNIT_VIEW_VIEW_H_
#define TESTS_UNIT_VIEW_VIEW_H_

#include "rl/view/stage.h"
#include "tests/unit/rl/detail_sac.h"

static RlRun view_run;

// Trains for 256 steps, with checkpoints at 128 and 256, on the task and with the keys of more.
static inline void view_train_set(bool sac, const char *const *more) {
  const char *set[16] = {"run.total_steps=256", "run.checkpoint_every=128",
                         "env.max_episode_steps=40"};
  int n = 3;
  while (*more) set[n++] = *more++;
  if (sac) set[n++] = "normalize.obs=true";
  set[n] = NULL;
  detail_stop = 0;
  detail_create(&view_run, sac ? detail_sac_ini : detail_ini, set);
  if ((sac ? rl_train_sac : rl_train_ppo)(&view_run) != RL_OK) fail_msg("%s", rl_error_text());
}

#define TRAIN(...)     view_train_set(false, (const char *const[]){__VA_ARGS__, NULL})
#define TRAIN_SAC(...) view_train_set(true, (const char *const[]){__VA_ARGS__, NULL})

static inline void view_open(RlStage *stage, uint64_t seed) {
  if (rl_stage_open(stage, view_run.folder.dir, seed) != RL_OK) fail_msg("%s", rl_error_text());
}

// An order without numbers, or with one.
static inline void view_obey(RlStage *stage, RlCommand command) {
  rl_stage_obey(stage, &command);
}

#define OBEY(stage, ...) view_obey((stage), (RlCommand){__VA_ARGS__})

#endif
