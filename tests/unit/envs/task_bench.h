// What the tests of the tasks share: one task with its model, stepped by hand.
#ifndef TESTS_UNIT_ENVS_TASK_BENCH_H_
#define TESTS_UNIT_ENVS_TASK_BENCH_H_

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include "envs/task.h"

enum { NTASK = 11 };

// One task ready to be stepped by hand.
typedef struct {
  const RlTask *task;
  RlConfig config;
  RlTaskView v;
  mjModel *m;
  mjData *d;
  double mem[4];
  RlRng rng;
} Bench;

static inline void resolve(RlConfig *config, const char *name, const char *key, const char *value) {
  rl_config_default(config);
  assert_int_equal(rl_config_set(config, "env.id", name, "test"), RL_OK);
  if (key != NULL) assert_int_equal(rl_config_set(config, key, value, "test"), RL_OK);
  const RlTask *task = rl_task_find(name, "test");
  assert_non_null(task);
  assert_int_equal(rl_task_resolve(task, config, "test"), RL_OK);
}

// key: nullable
static inline void bench_init(Bench *b, const char *name, const char *key, const char *value) {
  *b = (Bench){.task = rl_task_find(name, "test")};
  assert_non_null(b->task);
  assert_true(b->task->nmem <= 4);
  resolve(&b->config, name, key, value);
  b->m = rl_task_load(b->task);
  assert_non_null(b->m);
  b->d = mj_makeData(b->m);
  b->v = (RlTaskView){b->m, &b->config.env};
  rl_rng_init(&b->rng, 5, RL_STREAM_ENV, 0);
}

static inline void bench_free(Bench *b) {
  mj_deleteData(b->d);
  mj_deleteModel(b->m);
}

static inline void bench_reset(Bench *b) {
  mj_resetData(b->m, b->d);
  b->task->reset(&b->v, b->d, &b->rng);
  mj_forward(b->m, b->d);
  if (b->task->remember != NULL) b->task->remember(&b->v, b->d, b->mem);
}

// Random controls of up to `scale` times the actuators' range; physics only.
static inline void bench_advance(Bench *b, double scale) {
  for (int j = 0; j < b->task->nu; j++) {
    double half = b->m->actuator_ctrlrange[2 * j + 1];
    b->d->ctrl[j] = scale * rl_rng_between(&b->rng, -half, half);
  }
  for (int k = 0; k < b->config.env.frame_skip; k++) mj_step(b->m, b->d);
  if (b->task->contact_forces) mj_rnePostConstraint(b->m, b->d);
}

static inline RlOutcome bench_score(Bench *b) {
  RlOutcome outcome;
  b->task->score(&b->v, b->d, b->mem, b->d->ctrl, &outcome);
  return outcome;
}

#endif
