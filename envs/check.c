// Checks of a task as it would be trained on. Each is a short rollout of random actions, looked at
// from one side; seeds are fixed, so that the same task gives the same lines, speed aside.
#include "envs/check.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "envs/vecenv.h"
#include "rl/base/clock.h"

enum { CHECK_ENVS = 8, CHECK_STEPS = 200, CHECK_SEED = 1 };

typedef struct {
  const RlConfig *config;
  FILE *out;
  int wrong;  // checks that failed
} Check;

// What a rollout leaves, to compare rollouts by.
typedef struct {
  RlArena arena;
  RlVecEnv env;
  float *act;     // (N, A)
  double *rew;    // (steps, N)
  int nonfinite;  // steps with a value that is not finite
  double seconds;
} Rollout;

static void report(Check *check, const char *what, bool ok, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void report(Check *check, const char *what, bool ok, const char *format, ...) {
  va_list args;
  fprintf(check->out, "%-28s %s: ", what, ok ? "ok" : "WRONG");
  va_start(args, format);
  vfprintf(check->out, format, args);
  va_end(args);
  fputc('\n', check->out);
  check->wrong += !ok;
}

static bool all_finite(const float *x, int n) {
  for (int i = 0; i < n; i++) {
    if (!isfinite(x[i])) return false;
  }
  return true;
}

static RlStatus rollout_init(Rollout *r, const Check *check, int threads) {
  *r = (Rollout){0};
  RL_TRY(rl_vecenv_init(&r->env, &r->arena, check->config, CHECK_ENVS, threads));
  r->act = RL_PUSH(&r->arena, float, r->env.N * r->env.A);
  r->rew = RL_PUSH(&r->arena, double, CHECK_STEPS * r->env.N);
  return RL_OK;
}

static void rollout_free(Rollout *r) {
  rl_vecenv_free(&r->env);
  rl_arena_free(&r->arena);
}

static void rollout_run(Rollout *r, uint64_t seed) {
  RlVecEnv *env = &r->env;
  RlRng rng;
  rl_rng_init(&rng, seed, RL_STREAM_ACT, 0);
  rl_vecenv_reset(env, seed, RL_STREAM_ENV);
  double start = rl_clock_seconds();
  for (int t = 0; t < CHECK_STEPS; t++) {
    for (int i = 0; i < env->N * env->A; i++) r->act[i] = (float)rl_rng_between(&rng, -1, 1);
    rl_vecenv_step(env, r->act);
    for (int i = 0; i < env->N; i++) r->rew[t * env->N + i] = (double)env->rew[i];
    bool finite = all_finite(env->rew, env->N) && all_finite(env->obs, env->N * env->O) &&
                  all_finite(env->next_obs, env->N * env->O);
    r->nonfinite += !finite;
  }
  r->seconds = rl_clock_seconds() - start;
}

static bool same(const Rollout *a, const Rollout *b) {
  size_t nobs = (size_t)a->env.N * (size_t)a->env.O, nrew = CHECK_STEPS * (size_t)a->env.N;
  return memcmp(a->env.obs, b->env.obs, nobs * sizeof(float)) == 0 &&
         memcmp(a->rew, b->rew, nrew * sizeof(double)) == 0;
}

static void check_shape(Check *check, const Rollout *r) {
  const RlVecEnv *env = &r->env;
  report(check, "dimensions", env->O > 0 && env->A == env->task->nu,
         "observation %d, action %d, nq %lld, nv %lld", env->O, env->A, (long long)env->m->nq,
         (long long)env->m->nv);
  const mjtByte *limited = (const mjtByte *)env->m->actuator_ctrllimited;
  int bounded = 0;
  for (int j = 0; j < env->A; j++) {
    const double *range = env->m->actuator_ctrlrange + 2 * j;
    bounded += limited[j] && range[0] < range[1];
  }
  report(check, "actuator ranges", bounded == env->A, "%d of %d actuators have one", bounded,
         env->A);
}

// One simulation stepped by hand: the parts of the reward must add up to it.
static void check_terms(Check *check, Rollout *r) {
  RlVecEnv *env = &r->env;
  const RlTask *task = env->task;
  RlTaskView v = {env->m, &env->options};
  mjData *d = mj_makeData(env->m);
  RlRng rng;
  rl_rng_init(&rng, CHECK_SEED, RL_STREAM_ENV, 0);
  task->reset(&v, d, &rng);
  mj_forward(env->m, d);
  if (task->remember != NULL) task->remember(&v, d, env->mem);
  double worst = 0;
  for (int t = 0; t < CHECK_STEPS; t++) {
    RlOutcome outcome;
    for (int j = 0; j < env->A; j++) {
      d->ctrl[j] = env->ctrl_mid[j] + env->ctrl_half[j] * rl_rng_between(&rng, -1, 1);
    }
    for (int k = 0; k < env->options.frame_skip; k++) mj_step(env->m, d);
    if (task->contact_forces) mj_rnePostConstraint(env->m, d);
    task->score(&v, d, env->mem, d->ctrl, &outcome);
    double sum = 0;
    for (int k = 0; k < RL_MAX_TERMS && task->term[k] != NULL; k++) sum += outcome.term[k];
    double error = fabs(sum - outcome.reward) / fmax(1, fabs(outcome.reward));
    if (!(error <= worst)) worst = error;
  }
  mj_deleteData(d);
  report(check, "reward terms sum to reward", worst <= 1e-12, "largest relative difference %.1e",
         worst);
}

static void check_rollouts(Check *check, Rollout *one, Rollout *two) {
  rollout_run(one, CHECK_SEED);
  report(check, "finite values", one->nonfinite == 0, "%d of %d steps had one that was not",
         one->nonfinite, CHECK_STEPS);
  report(check, "no divergence", one->env.ndiverged == 0, "%lld in %d steps",
         (long long)one->env.ndiverged, CHECK_STEPS * CHECK_ENVS);
  rollout_run(two, CHECK_SEED);
  report(check, "1 and 2 threads agree", same(one, two), "bit for bit");
  rollout_run(two, CHECK_SEED + 1);
  report(check, "another seed differs", !same(one, two), "in what it draws");
  rollout_run(two, CHECK_SEED);
  report(check, "same seed repeats", same(one, two), "bit for bit");
  double steps = CHECK_STEPS * CHECK_ENVS;
  report(check, "speed", true, "%.0f steps/s on 1 thread, %.0f on 2", steps / one->seconds,
         steps / two->seconds);
}

RlStatus rl_check_run(const RlConfig *config, FILE *out) {
  Check check = {.config = config, .out = out};
  Rollout one, two = {0};
  RL_TRY(rollout_init(&one, &check, 1));
  RlStatus status = rollout_init(&two, &check, 2);
  if (status == RL_OK) {
    report(&check, "model", true, "%s", one.env.task->model);
    check_shape(&check, &one);
    rl_vecenv_reset(&one.env, CHECK_SEED, RL_STREAM_ENV);
    report(&check, "finite after reset", all_finite(one.env.obs, one.env.N * one.env.O),
           "%d environments", CHECK_ENVS);
    check_terms(&check, &one);
    check_rollouts(&check, &one, &two);
    rollout_free(&two);
  }
  rollout_free(&one);
  if (status != RL_OK || check.wrong == 0) return status;
  return rl_error(RL_FAIL, "%s: %d checks wrong, expected none", config->env.id.text, check.wrong);
}
