// What the tests of documented details share: a real run made from configuration text, and the
// pieces of its iteration. Each test asserts its property with the switch as shipped and its
// opposite with the switch turned, both through the keys a user has.
#ifndef TESTS_UNIT_RL_DETAIL_H_
#define TESTS_UNIT_RL_DETAIL_H_

#include "rl/data/gae.h"
#include "rl/run/train_ppo.h"
#include "tests/unit/rl/near.h"
#include "tests/unit/rl/scratch.h"

static const char detail_ini[] =
    "[run]\n"
    "total_steps = 1000000\n"
    "seed = 3\n"
    "threads = 2\n"
    "[env]\n"
    "id = Reacher-v5\n"
    "n_envs = 4\n"
    "[policy]\n"
    "hidden = 64,64\n"
    "log_std_init = -0.5\n"
    "[normalize]\n"
    "reward = batch\n"
    "clip_obs = 10\n"
    "clip_reward = 10\n"
    "warmup_steps = 400\n"
    "[ppo]\n"
    "learning_rate = 3e-4\n"
    "gamma = 0.99\n"
    "gae_lambda = 0.95\n"
    "clip_range = 0.2\n"
    "max_grad_norm = 0.5\n"
    "normalize_advantage = minibatch\n"
    "n_steps = 32\n"
    "batch_size = 128\n"
    "n_epochs = 1\n";

static volatile sig_atomic_t detail_stop;
static FILE *detail_show;  // where progress goes

// ini changed by "section.key=value" texts, the last one NULL
static inline void detail_configure(RlConfig *config, const char *ini, const char *const *set) {
  rl_config_default(config);
  assert_int_equal(rl_config_parse(config, ini, strlen(ini), "test"), RL_OK);
  for (; set && *set; set++) {
    char key[128];
    const char *value = strchr(*set, '=');
    assert_non_null(value);
    snprintf(key, sizeof key, "%.*s", (int)(value - *set), *set);
    if (rl_config_set(config, key, value + 1, "test") != RL_OK) fail_msg("%s", rl_error_text());
  }
  const RlTask *task = rl_task_find(config->env.id.text, "test");
  assert_non_null(task);
  assert_int_equal(rl_task_resolve(task, config, "test"), RL_OK);
  if (rl_config_validate(config, "test") != RL_OK) fail_msg("%s", rl_error_text());
}

// A run in a folder of its own, as rltrain starts it.
static inline void detail_create(RlRun *run, const char *ini, const char *const *set) {
  static int count;
  char name[32];
  RlConfig config;
  detail_configure(&config, ini, set);
  snprintf(name, sizeof name, "run%d", count++);
  if (!detail_show) detail_show = fopen("/dev/null", "w");
  RlRunRequest request = {
      .out = scratch_path(name), .mode = RL_PROGRESS_PLAIN, .show = detail_show};
  if (rl_run_create(run, &config, &request) != RL_OK) fail_msg("%s", rl_error_text());
  run->stop = &detail_stop;
}

// The same, warmed up and reset: where rl_train_ppo's first iteration begins.
static inline void detail_start(RlRun *run, const char *const *set) {
  detail_create(run, detail_ini, set);
  rl_train_ppo_warmup(run);
}

#define CREATE(run, ...) detail_create((run), detail_ini, (const char *const[]){__VA_ARGS__, NULL})
#define START(run, ...)  detail_start((run), (const char *const[]){__VA_ARGS__, NULL})

// The first half of an iteration: a rollout with its values. With tick the environments are stepped
// in segments of one step, so that it is called behind each.  nullable: tick
static inline void detail_collect(RlRun *run, void (*tick)(void *arg, int t)) {
  if (tick) run->collector.segment.capacity = 1;
  rl_ppo_schedule(&run->ppo, 0);
  rl_rollout_reset(&run->rollout, run->config.ppo.n_steps);
  rl_collector_run(&run->collector, &run->policy.actor, &run->rollout, tick, run);
  rl_ppo_evaluate(&run->ppo, &run->rollout);
}

static inline int detail_rows(const RlRun *run) {
  return run->rollout.T * run->rollout.N;
}

// V of raw observations obs (rows, O) by the critic as it stands
static inline void detail_value(RlRun *run, RlReal *value, const float *obs, int rows) {
  RlArena arena = {0};
  RlMlpWork work;
  rl_mlp_work_init(&work, &arena, &run->policy.critic[0], rows, 0);
  RlReal *x = RL_PUSH(&arena, RlReal, rows * run->policy.O);
  rl_normalizer_forward(&run->policy.norm, x, obs, rows);
  rl_mlp_forward(&run->policy.critic[0], &work, x, rows);
  memcpy(value, work.y[run->policy.critic[0].L], (size_t)rows * sizeof(RlReal));
  rl_arena_free(&arena);
}

// Population deviation of every stride-th number from x[0] on.
static inline double detail_deviation(const RlReal *x, int n, int stride) {
  double sum = 0, square = 0;
  for (int i = 0; i < n; i++) sum += (double)x[i * stride];
  for (int i = 0; i < n; i++) square += pow((double)x[i * stride] - sum / n, 2);
  return sqrt(square / n);
}

// the controls that environment 0 got in its last step
static inline void detail_read_ctrl(const RlVecEnv *env, double *ctrl) {
  mjData *d = mj_makeData(env->m);
  mj_setState(env->m, d, mjb_state(env->batch), mjSTATE_INTEGRATION);
  for (int i = 0; i < env->A; i++) ctrl[i] = d->ctrl[i];
  mj_deleteData(d);
}

#endif
