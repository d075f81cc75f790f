// The vector environment's steps. One mjb_apply runs run_one on every environment: acting, stepping
// and the reset happen inside it, for as many steps as asked, so the threads are woken once.
//
// Within a callback, all calls of MuJoCo that can raise an error come before the first write to the
// environment's own rows (random stream, memory and next_obs aside): an environment whose step
// MuJoCo gave up still holds what it held before, and is ended and reset by recover_one.
//
// mj_forward is never called between stepping and reading: derived arrays are those the last
// mj_step left, which no forward pass reproduces.
#include "envs/vecenv.h"

#include <math.h>
#include <string.h>

enum { RNG_DOUBLES = 4, RESET_TRIES = 8 };

static int finite_floats(const double *x, mjtSize n) {
  int finite = 1;
  for (int i = 0; i < n; i++) finite &= isfinite((float)x[i]) != 0;
  return finite;
}

static void copy_floats(float *out, const double *x, mjtSize n) {
  for (int i = 0; i < n; i++) out[i] = (float)x[i];
}

bool rl_vecenv_is_sound(const double *x, mjtSize n) {
  for (int i = 0; i < n; i++) {
    if (!(fabs(x[i]) <= mjMAXVAL)) return false;
  }
  return true;
}

bool rl_vecenv_control(const RlVecEnv *env, const float *act, double *ctrl) {
  for (int j = 0; j < env->A; j++) {
    double a = (double)act[j];
    if (!isfinite(a)) return false;
    // detail: action-clip
    if (env->options.clip_action) a = a < -1 ? -1 : a > 1 ? 1 : a;
    ctrl[j] = env->ctrl_mid[j] + env->ctrl_half[j] * a;
  }
  return true;
}

// mj_step resets a simulation that diverges without a word, so its counters are looked at after
// each.
bool rl_vecenv_has_diverged(const mjModel *m, const mjData *d) {
  int bad = d->warning[mjWARN_BADQPOS].number + d->warning[mjWARN_BADQVEL].number +
            d->warning[mjWARN_BADQACC].number + d->warning[mjWARN_BADCTRL].number;
  return bad != 0 || !rl_vecenv_is_sound(d->qpos, m->nq) || !rl_vecenv_is_sound(d->qvel, m->nv);
}

// The physics steps. False as soon as one diverges.
static bool advance(const RlVecEnv *env, const mjModel *m, mjData *d) {
  for (int k = 0; k < env->options.frame_skip; k++) {
    mj_step(m, d);
    if (rl_vecenv_has_diverged(m, d)) return false;
  }
  if (env->task->contact_forces) mj_rnePostConstraint(m, d);
  return true;
}

// A new episode's state in d, its observation in the scratch row.
static void begin_episode(RlVecEnv *env, const mjModel *m, mjData *d, int i) {
  RlTaskView v = {m, &env->options};
  const RlTask *task = env->task;
  mj_resetData(m, d);
  task->reset(&v, d, &env->rng[i]);
  mj_forward(m, d);
  if (task->remember != NULL) task->remember(&v, d, env->mem + (size_t)i * (size_t)task->nmem);
  task->observe(&v, d, env->scratch + (size_t)i * (size_t)env->O);
}

// What the step comes to, in outcome and next_obs; false if it diverged.
static bool play(RlVecEnv *env, const mjModel *m, mjData *d, int i, RlOutcome *outcome) {
  RlTaskView v = {m, &env->options};
  const RlTask *task = env->task;
  double *obs = env->scratch + (size_t)i * (size_t)env->O;
  const float *act = env->act + (size_t)i * (size_t)env->A;
  if (!rl_vecenv_control(env, act, d->ctrl) || !advance(env, m, d)) return false;
  task->score(&v, d, env->mem + (size_t)i * (size_t)task->nmem, d->ctrl, outcome);
  task->observe(&v, d, obs);
  if (!finite_floats(obs, env->O) || !finite_floats(&outcome->reward, 1)) return false;
  copy_floats(env->next_obs + (size_t)i * (size_t)env->O, obs, env->O);
  return true;
}

static bool at_limit(const RlVecEnv *env, int i) {
  return env->running_length[i] + 1 >= env->options.max_episode_steps;
}

// Writes what the step gave and counts it.
static void record(RlVecEnv *env, int i, const RlOutcome *outcome, bool diverged) {
  size_t row = (size_t)i * (size_t)env->O;
  if (diverged) memcpy(env->next_obs + row, env->obs + row, (size_t)env->O * sizeof(float));
  env->rew[i] = (float)outcome->reward;
  env->terminated[i] = outcome->terminated;
  env->truncated[i] = at_limit(env, i);
  env->diverged[i] = diverged;
  env->divergences[i] += diverged;
  env->running_return[i] += outcome->reward;
  env->running_length[i]++;
  env->episode_return[i] = env->running_return[i];
  env->episode_length[i] = env->running_length[i];
}

// The new episode's counters and observation, taken from the scratch row.
static void open_episode(RlVecEnv *env, int i) {
  size_t row = (size_t)i * (size_t)env->O;
  env->running_return[i] = 0;
  env->running_length[i] = 0;
  copy_floats(env->obs + row, env->scratch + row, env->O);
}

static const RlOutcome diverged_outcome = {.terminated = true};

static void step_one(RlVecEnv *env, const mjModel *m, mjData *d, int i) {
  RlOutcome outcome;
  bool diverged = !play(env, m, d, i, &outcome);
  if (diverged) outcome = diverged_outcome;
  bool ended = outcome.terminated || at_limit(env, i);
  if (ended) begin_episode(env, m, d, i);
  record(env, i, &outcome, diverged);
  if (ended) {
    open_episode(env, i);
  } else {
    size_t row = (size_t)i * (size_t)env->O;
    memcpy(env->obs + row, env->next_obs + row, (size_t)env->O * sizeof(float));
  }
}

static void count_step(RlVecEnv *env, int i) {
  if (env->driver) env->driver->store(env->driver->arg, i, env->at[i]);
  env->at[i]++;
}

static void run_one(const mjModel *m, mjData *d, int i, void *arg) {
  RlVecEnv *env = arg;
  while (env->at[i] < env->steps) {
    if (env->driver) env->driver->act(env->driver->arg, i, env->at[i]);
    step_one(env, m, d, i);
    count_step(env, i);
  }
}

// For an environment whose step MuJoCo gave up: diverged, a new episode, and the steps that are
// left.
static void recover_one(const mjModel *m, mjData *d, int i, void *arg) {
  RlVecEnv *env = arg;
  begin_episode(env, m, d, i);
  record(env, i, &diverged_outcome, true);
  open_episode(env, i);
  count_step(env, i);
  run_one(m, d, i, arg);
}

static void reset_one(const mjModel *m, mjData *d, int i, void *arg) {
  RlVecEnv *env = arg;
  begin_episode(env, m, d, i);
  open_episode(env, i);
}

// Lists the environments of the last call that failed, among ids (NULL: all).
static int list_failed(RlVecEnv *env, const int *ids, int nid) {
  const int *status = mjb_status(env->batch);
  int count = 0;
  for (int k = 0; k < nid; k++) {
    int i = ids == NULL ? k : ids[k];
    if (status[i] != 0) env->failed[count++] = i;
  }
  return count;
}

// Runs func on ids (NULL: all), then again on those in which it failed, which draw anew each time,
// at most tries times.
static void persist(RlVecEnv *env, const int *ids, int nid, mjfBatchFunc func, mjfBatchFunc again,
                    int tries) {
  int failed = mjb_apply(env->batch, ids, nid, func, env, 1);
  for (int try = 0; failed > 0; try++) {
    // a model in which no reset works is not one that rl_vecenv_init let through
    RL_ASSERT(try < tries);
    int count = list_failed(env, ids, nid);
    ids = env->failed;
    nid = count;
    failed = mjb_apply(env->batch, ids, nid, again, env, 1);
  }
}

static void push_rows(RlVecEnv *env, RlArena *arena) {
  size_t N = (size_t)env->N, O = (size_t)env->O, A = (size_t)env->A;
  env->obs = RL_PUSH(arena, float, N *O);
  env->next_obs = RL_PUSH(arena, float, N *O);
  env->rew = RL_PUSH(arena, float, N);
  env->terminated = RL_PUSH(arena, uint8_t, N);
  env->truncated = RL_PUSH(arena, uint8_t, N);
  env->diverged = RL_PUSH(arena, uint8_t, N);
  env->episode_return = RL_PUSH(arena, double, N);
  env->episode_length = RL_PUSH(arena, int, N);
  env->mem = RL_PUSH(arena, double, N *(size_t)env->task->nmem);
  env->running_return = RL_PUSH(arena, double, N);
  env->running_length = RL_PUSH(arena, int, N);
  env->divergences = RL_PUSH(arena, int64_t, N);
  env->rng = RL_PUSH(arena, RlRng, N);
  env->scratch = RL_PUSH(arena, double, N *O);
  env->ctrl_mid = RL_PUSH(arena, double, A);
  env->ctrl_half = RL_PUSH(arena, double, A);
  env->at = RL_PUSH(arena, int, N);
  env->failed = RL_PUSH(arena, int, N);
}

// An actuator without a range takes the action as it is.
static void scale_actions(RlVecEnv *env) {
  for (int j = 0; j < env->A; j++) {
    double lo = env->m->actuator_ctrlrange[2 * j], hi = env->m->actuator_ctrlrange[2 * j + 1];
    bool limited = env->m->actuator_ctrllimited[j];
    env->ctrl_mid[j] = limited ? (lo + hi) / 2 : 0;
    env->ctrl_half[j] = limited ? (hi - lo) / 2 : 1;
  }
}

static RlStatus make_batch(RlVecEnv *env, int threads) {
  mjBatchConfig config;
  char text[512] = "";
  mjb_defaultConfig(&config);
  config.nthread = threads;
  config.persistent = 0;
  env->batch = mjb_makeBatch(env->m, env->N, &config, text, sizeof text);
  if (env->batch == NULL) {
    return rl_error(RL_FAIL, "%s: found '%s', expected a batch of %d simulations", env->task->model,
                    text, env->N);
  }
  return RL_OK;
}

RlStatus rl_vecenv_init(RlVecEnv *env, RlArena *arena, const RlConfig *config, int n_envs,
                        int threads) {
  RL_ASSERT(n_envs > 0 && threads > 0);
  *env = (RlVecEnv){.N = n_envs, .options = config->env};
  env->task = rl_task_find(config->env.id.text, "config");
  if (env->task == NULL) return RL_USAGE;
  env->m = rl_task_load(env->task);
  if (env->m == NULL) return RL_FAIL;
  RlTaskView v = {env->m, &env->options};
  env->O = env->task->obs_dim(&v);
  env->A = (int)env->m->nu;
  RlStatus status = make_batch(env, threads);
  if (status != RL_OK) {
    rl_vecenv_free(env);
    return status;
  }
  push_rows(env, arena);
  scale_actions(env);
  return RL_OK;
}

void rl_vecenv_reset(RlVecEnv *env, uint64_t seed, RlStream purpose) {
  for (int i = 0; i < env->N; i++) rl_rng_init(&env->rng[i], seed, purpose, (uint64_t)i);
  persist(env, NULL, env->N, reset_one, reset_one, RESET_TRIES);
}

void rl_vecenv_reset_one(RlVecEnv *env, int i, const RlRng *rng) {
  RL_ASSERT(i >= 0 && i < env->N);
  env->rng[i] = *rng;
  persist(env, &i, 1, reset_one, reset_one, RESET_TRIES);
}

void rl_vecenv_step(RlVecEnv *env, const float *act) {
  rl_vecenv_run(env, act, 1, NULL);
}

void rl_vecenv_run(RlVecEnv *env, const float *act, int steps, const RlVecEnvDriver *driver) {
  env->act = act;
  env->driver = driver;
  env->steps = steps;
  memset(env->at, 0, (size_t)env->N * sizeof *env->at);
  // each of its steps may be one that MuJoCo gives up
  persist(env, NULL, env->N, run_one, recover_one, steps + RESET_TRIES);
  env->ndiverged = 0;
  for (int i = 0; i < env->N; i++) env->ndiverged += env->divergences[i];
}

int rl_vecenv_nstate(const RlVecEnv *env) {
  return mjb_nstate(env->batch) + env->task->nmem + 3 + RNG_DOUBLES;
}

// A stream's words as whole numbers below 2^32, which doubles hold exactly and finitely.
static void save_rng(double *row, const RlRng *rng) {
  for (int k = 0; k < 2; k++) {
    row[2 * k] = (double)(rng->word[k] >> 32);
    row[2 * k + 1] = (double)(rng->word[k] & 0xffffffffu);
  }
}

// A double out of a file, where it may be anything: what the cast to come cannot hold becomes 0.
static double in_range(double x, double most) {
  return x >= 0 && x <= most ? x : 0;
}

static void load_rng(RlRng *rng, const double *row) {
  for (int k = 0; k < 2; k++) {
    rng->word[k] = (uint64_t)in_range(row[2 * k], 0xffffffffu) << 32 |
                   (uint64_t)in_range(row[2 * k + 1], 0xffffffffu);
  }
}

void rl_vecenv_save(const RlVecEnv *env, double *state) {
  size_t nsim = (size_t)mjb_nstate(env->batch), nmem = (size_t)env->task->nmem;
  const double *sim = mjb_state(env->batch);
  for (int i = 0; i < env->N; i++) {
    memcpy(state, sim + (size_t)i * nsim, nsim * sizeof *state);
    state += nsim;
    memcpy(state, env->mem + (size_t)i * nmem, nmem * sizeof *state);
    state += nmem;
    *state++ = env->running_return[i];
    *state++ = env->running_length[i];
    *state++ = (double)env->divergences[i];
    save_rng(state, &env->rng[i]);
    state += RNG_DOUBLES;
  }
}

int rl_vecenv_saved_length(const RlVecEnv *env, const double *state, int n) {
  const double *row = state + (size_t)n * (size_t)rl_vecenv_nstate(env);
  return (int)in_range(row[mjb_nstate(env->batch) + env->task->nmem + 1], 0x1p30);
}

void rl_vecenv_load(RlVecEnv *env, const double *state) {
  size_t nsim = (size_t)mjb_nstate(env->batch), nmem = (size_t)env->task->nmem;
  double *sim = mjb_state(env->batch);
  env->ndiverged = 0;
  for (int i = 0; i < env->N; i++) {
    memcpy(sim + (size_t)i * nsim, state, nsim * sizeof *state);
    state += nsim;
    memcpy(env->mem + (size_t)i * nmem, state, nmem * sizeof *state);
    state += nmem;
    env->running_return[i] = *state++;
    env->running_length[i] = (int)in_range(*state++, 0x1p30);
    env->divergences[i] = (int64_t)in_range(*state++, 0x1p40);
    env->ndiverged += env->divergences[i];
    load_rng(&env->rng[i], state);
    state += RNG_DOUBLES;
  }
  // the counters belong to the simulations that were here before; a sound one's are zero
  memset(mjb_warning(env->batch), 0, (size_t)env->N * mjNWARNING * sizeof(mjWarningStat));
}

void rl_vecenv_free(RlVecEnv *env) {
  mjb_deleteBatch(env->batch);
  mj_deleteModel(env->m);
  env->batch = NULL;
  env->m = NULL;
}
