// The vector environment: that its floats are those of one simulation stepped by hand, whatever the
// number of environments and threads, and the edges: time limit, reset, clipping, divergence,
// errors inside MuJoCo, saving and loading.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "envs/vecenv.h"

enum { NTASK = 11, SEED = 3, N = 5, STEPS = 80 };

// Counts allocations of the whole process, libraries included.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__GLIBC__)
#define COUNTS_ALLOCATIONS 1
static atomic_long allocations;
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **block, size_t alignment, size_t size);

void *malloc(size_t size) {
  atomic_fetch_add(&allocations, 1);
  return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  atomic_fetch_add(&allocations, 1);
  return __libc_calloc(count, size);
}
void *realloc(void *block, size_t size) {
  atomic_fetch_add(&allocations, 1);
  return __libc_realloc(block, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  atomic_fetch_add(&allocations, 1);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void **block, size_t alignment, size_t size) {
  atomic_fetch_add(&allocations, 1);
  *block = __libc_memalign(alignment, size);
  return *block == NULL ? ENOMEM : 0;
}
#endif

typedef struct {
  RlVecEnv env;
  RlArena arena;
  RlConfig config;
  float *act;  // (N, A)
} Bench;

// keys: "env.key=value" strings, NULL after the last; nullable
static void bench_init(Bench *b, const char *task, const char *const *keys, int n, int threads) {
  memset(b, 0, sizeof *b);
  rl_config_default(&b->config);
  assert_int_equal(rl_config_set(&b->config, "env.id", task, "test"), RL_OK);
  for (int k = 0; keys != NULL && keys[k] != NULL; k++) {
    char key[64];
    const char *equals = strchr(keys[k], '=');
    snprintf(key, sizeof key, "%.*s", (int)(equals - keys[k]), keys[k]);
    assert_int_equal(rl_config_set(&b->config, key, equals + 1, "test"), RL_OK);
  }
  assert_int_equal(rl_task_resolve(rl_task_find(task, "test"), &b->config, "test"), RL_OK);
  assert_int_equal(rl_vecenv_init(&b->env, &b->arena, &b->config, n, threads), RL_OK);
  b->act = RL_PUSH(&b->arena, float, n * b->env.A);
}

static void bench_free(Bench *b) {
  rl_vecenv_free(&b->env);
  rl_arena_free(&b->arena);
}

// Actions of environment i at time t do not depend on how many there are.
static float action(int i, int t, int j, double scale) {
  RlRng rng;
  rl_rng_init(&rng, SEED, RL_STREAM_ACT, (uint64_t)(i * 1000 + t));
  double a = 0;
  for (int k = 0; k <= j; k++) a = rl_rng_between(&rng, -scale, scale);
  return (float)a;
}

// first: the number of the first environment
static void bench_step(Bench *b, int t, int first, double scale) {
  RlVecEnv *env = &b->env;
  for (int i = 0; i < env->N; i++) {
    for (int j = 0; j < env->A; j++) b->act[i * env->A + j] = action(first + i, t, j, scale);
  }
  rl_vecenv_step(env, b->act);
}

static void assert_same_floats(const float *a, const float *b, int n) {
  assert_memory_equal(a, b, (size_t)n * sizeof *a);
}

// All that a step gives for environment i of a and j of b.
static void assert_same_step(const RlVecEnv *a, int i, const RlVecEnv *b, int j) {
  assert_same_floats(a->obs + i * a->O, b->obs + j * a->O, a->O);
  assert_same_floats(a->next_obs + i * a->O, b->next_obs + j * a->O, a->O);
  assert_same_floats(a->rew + i, b->rew + j, 1);
  assert_int_equal(a->terminated[i], b->terminated[j]);
  assert_int_equal(a->truncated[i], b->truncated[j]);
  assert_int_equal(a->diverged[i], b->diverged[j]);
  assert_memory_equal(&a->episode_return[i], &b->episode_return[j], sizeof(double));
  assert_int_equal(a->episode_length[i], b->episode_length[j]);
}

static void assert_finite(const RlVecEnv *env) {
  for (int i = 0; i < env->N * env->O; i++) {
    assert_true(isfinite(env->obs[i]));
    assert_true(isfinite(env->next_obs[i]));
  }
  for (int i = 0; i < env->N; i++) assert_true(isfinite(env->rew[i]));
}

// A plain simulation of one environment, written without the batch.
typedef struct {
  const RlTask *task;
  RlTaskView v;
  mjData *d;
  double mem[4];
  RlRng rng;
  double obs[400];
  double ret;
  int length;
} Plain;

static void plain_reset(Plain *p) {
  mj_resetData(p->v.m, p->d);
  p->task->reset(&p->v, p->d, &p->rng);
  mj_forward(p->v.m, p->d);
  if (p->task->remember != NULL) p->task->remember(&p->v, p->d, p->mem);
  p->task->observe(&p->v, p->d, p->obs);
  p->ret = 0;
  p->length = 0;
}

static RlOutcome plain_step(Plain *p, const float *act) {
  const mjModel *m = p->v.m;
  for (int j = 0; j < m->nu; j++) {
    double lo = m->actuator_ctrlrange[2 * j], hi = m->actuator_ctrlrange[2 * j + 1];
    double a = fmin(fmax((double)act[j], -1), 1);
    p->d->ctrl[j] = (lo + hi) / 2 + (hi - lo) / 2 * a;
  }
  for (int k = 0; k < p->v.o->frame_skip; k++) mj_step(m, p->d);
  mj_rnePostConstraint(m, p->d);
  RlOutcome outcome;
  p->task->score(&p->v, p->d, p->mem, p->d->ctrl, &outcome);
  p->task->observe(&p->v, p->d, p->obs);
  p->ret += outcome.reward;
  p->length++;
  return outcome;
}

static void assert_casts(const float *x, const double *y, int n) {
  for (int i = 0; i < n; i++) assert_true(x[i] == (float)y[i]);
}

// One environment against a plain loop, over several episodes.
static void test_against_plain_loop(void **state) {
  (void)state;
  static const char *const keys[] = {"env.max_episode_steps=23", NULL};
  for (int t = 0; t < NTASK; t++) {
    Bench b;
    bench_init(&b, rl_tasks[t]->name, keys, 1, 1);
    Plain p = {.task = rl_tasks[t], .v = {b.env.m, &b.config.env}, .d = mj_makeData(b.env.m)};
    rl_rng_init(&p.rng, SEED, RL_STREAM_ENV, 0);
    plain_reset(&p);
    rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
    assert_casts(b.env.obs, p.obs, b.env.O);
    for (int s = 0; s < STEPS; s++) {
      bench_step(&b, s, 0, 1.3);
      RlOutcome outcome = plain_step(&p, b.act);
      bool truncated = p.length == 23;
      assert_casts(b.env.next_obs, p.obs, b.env.O);
      assert_casts(b.env.rew, &outcome.reward, 1);
      assert_int_equal(b.env.terminated[0], outcome.terminated);
      assert_int_equal(b.env.truncated[0], truncated);
      assert_int_equal(b.env.diverged[0], 0);
      assert_int_equal(b.env.episode_length[0], p.length);
      assert_true(b.env.episode_return[0] == p.ret);
      if (outcome.terminated || truncated) plain_reset(&p);
      assert_casts(b.env.obs, p.obs, b.env.O);
    }
    mj_deleteData(p.d);
    bench_free(&b);
  }
}

// N environments = N single ones = N environments on more threads, bit for bit.
static void test_numbers_and_threads(void **state) {
  (void)state;
  static const char *const keys[] = {"env.max_episode_steps=31", NULL};
  for (int t = 0; t < NTASK; t++) {
    Bench one, two, three, single[N];
    bench_init(&one, rl_tasks[t]->name, keys, N, 1);
    bench_init(&two, rl_tasks[t]->name, keys, N, 2);
    bench_init(&three, rl_tasks[t]->name, keys, N, 3);
    rl_vecenv_reset(&one.env, SEED, RL_STREAM_ENV);
    rl_vecenv_reset(&two.env, SEED, RL_STREAM_ENV);
    rl_vecenv_reset(&three.env, SEED, RL_STREAM_ENV);
    for (int i = 0; i < N; i++) {
      RlRng rng;
      rl_rng_init(&rng, SEED, RL_STREAM_ENV, (uint64_t)i);
      bench_init(&single[i], rl_tasks[t]->name, keys, 1, 1);
      rl_vecenv_reset_one(&single[i].env, 0, &rng);
      assert_same_floats(one.env.obs + i * one.env.O, single[i].env.obs, one.env.O);
      size_t size = (size_t)one.env.O * sizeof(float);
      if (i > 0) assert_memory_not_equal(one.env.obs, single[i].env.obs, size);
    }
    for (int s = 0; s < STEPS; s++) {
      bench_step(&one, s, 0, 1);
      bench_step(&two, s, 0, 1);
      bench_step(&three, s, 0, 1);
      for (int i = 0; i < N; i++) {
        bench_step(&single[i], s, i, 1);
        assert_same_step(&one.env, i, &two.env, i);
        assert_same_step(&one.env, i, &three.env, i);
        assert_same_step(&one.env, i, &single[i].env, 0);
      }
    }
    for (int i = 0; i < N; i++) bench_free(&single[i]);
    bench_free(&one);
    bench_free(&two);
    bench_free(&three);
  }
}

static void test_time_limit(void **state) {
  (void)state;
  static const char *const keys[] = {"env.max_episode_steps=4", NULL};
  Bench b;
  bench_init(&b, "HalfCheetah-v5", keys, 2, 1);
  rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
  for (int s = 1; s <= 12; s++) {
    bench_step(&b, s, 0, 1);
    size_t size = (size_t)b.env.O * sizeof(float);
    for (int i = 0; i < 2; i++) {
      const float *obs = b.env.obs + i * b.env.O, *next = b.env.next_obs + i * b.env.O;
      assert_int_equal(b.env.truncated[i], s % 4 == 0);
      assert_int_equal(b.env.terminated[i], 0);
      assert_int_equal(b.env.episode_length[i], (s - 1) % 4 + 1);
      // the observation the step led to is kept apart from the next episode's first
      if (s % 4 == 0) {
        assert_memory_not_equal(obs, next, size);
        for (int k = 0; k < b.env.O; k++) assert_true(fabsf(obs[k]) < .6f);
      } else {
        assert_memory_equal(obs, next, size);
      }
    }
  }
  bench_free(&b);
}

// Ended by the task on the very step of the limit: both are set.
static void test_terminated_at_the_limit(void **state) {
  (void)state;
  Bench b;
  bench_init(&b, "InvertedPendulum-v5", NULL, 1, 1);
  rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
  int length = 0;
  do {
    bench_step(&b, length++, 0, 1);
  } while (!b.env.terminated[0]);
  assert_int_equal(b.env.truncated[0], 0);
  assert_true(length < 1000 && b.env.rew[0] == 0);
  bench_free(&b);
  for (int off = -1; off <= 1; off++) {
    char key[64];
    snprintf(key, sizeof key, "env.max_episode_steps=%d", length + off);
    const char *const keys[] = {key, NULL};
    bench_init(&b, "InvertedPendulum-v5", keys, 1, 1);
    rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
    for (int s = 0; s < length - (off < 0); s++) bench_step(&b, s, 0, 1);
    assert_int_equal(b.env.terminated[0], off >= 0);
    assert_int_equal(b.env.truncated[0], off <= 0);
    bench_free(&b);
  }
}

static const mjtNum *ctrl_of(Bench *b, int i) {
  return mjb_stateComponent(b->env.batch, mjSTATE_CTRL, NULL) + i * mjb_nstate(b->env.batch);
}

// Actions are clipped to ±1, then stretched to the actuators' range; the switch turns the clip off.
static void test_action_clip(void **state) {
  (void)state;
  static const char *const off[] = {"env.clip_action=false", NULL};
  Bench clipped, raw;
  bench_init(&clipped, "Pusher-v5", NULL, 2, 1);
  bench_init(&raw, "Pusher-v5", off, 2, 1);
  rl_vecenv_reset(&clipped.env, SEED, RL_STREAM_ENV);
  rl_vecenv_reset(&raw.env, SEED, RL_STREAM_ENV);
  int A = clipped.env.A;
  for (int j = 0; j < 2 * A; j++) clipped.act[j] = raw.act[j] = j < A ? .25f : -3;
  rl_vecenv_step(&clipped.env, clipped.act);
  rl_vecenv_step(&raw.env, raw.act);
  for (int j = 0; j < A; j++) {
    assert_true(ctrl_of(&clipped, 0)[j] == .5 && ctrl_of(&raw, 0)[j] == .5);
    assert_true(ctrl_of(&clipped, 1)[j] == -2);
    assert_true(ctrl_of(&raw, 1)[j] == -6);
  }
  // MuJoCo clamps either way, so the motion is the same; what the control costs is not
  assert_same_floats(clipped.env.next_obs, raw.env.next_obs, 2 * clipped.env.O);
  assert_true(clipped.env.rew[0] == raw.env.rew[0]);
  double gap = (double)clipped.env.rew[1] - (double)raw.env.rew[1];
  assert_true(fabs(gap - .1 * A * (36 - 4)) <= 1e-4);
  bench_free(&clipped);
  bench_free(&raw);
}

static mjtNum *state_of(Bench *b, int component, int i) {
  return mjb_stateComponent(b->env.batch, component, NULL) + i * mjb_nstate(b->env.batch);
}

// Environment 1 of 3 is broken by `breakage`; 0 and 2 must not notice.
static void diverge(const char *task, int breakage) {
  Bench b, whole;
  bench_init(&b, task, NULL, 3, 2);
  bench_init(&whole, task, NULL, 3, 2);
  rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
  rl_vecenv_reset(&whole.env, SEED, RL_STREAM_ENV);
  bench_step(&b, 0, 0, .1);
  bench_step(&whole, 0, 0, .1);
  int O = b.env.O, A = b.env.A;
  float before[400];
  memcpy(before, b.env.obs + O, (size_t)O * sizeof(float));
  double ret = b.env.episode_return[1];
  for (int j = 0; j < 3 * A; j++) whole.act[j] = b.act[j] = .1f;
  if (breakage == 0) b.act[A] = NAN;
  if (breakage == 1) b.act[2 * A - 1] = INFINITY;
  if (breakage == 2) state_of(&b, mjSTATE_QVEL, 1)[b.env.m->nv - 1] = 1e9;
  if (breakage == 3) *state_of(&b, mjSTATE_QVEL, 1) = NAN;
  if (breakage == 4) *state_of(&b, mjSTATE_QPOS, 1) = 1e300;
  rl_vecenv_step(&b.env, b.act);
  rl_vecenv_step(&whole.env, whole.act);
  assert_finite(&b.env);
  assert_int_equal(b.env.diverged[1], 1);
  assert_int_equal(b.env.terminated[1], 1);
  assert_int_equal(b.env.truncated[1], 0);
  assert_true(b.env.rew[1] == 0 && b.env.episode_return[1] == ret);
  assert_int_equal(b.env.episode_length[1], 2);
  assert_same_floats(b.env.next_obs + O, before, O);
  assert_memory_not_equal(b.env.obs + O, before, (size_t)O * sizeof(float));
  assert_int_equal(b.env.ndiverged, 1);
  assert_same_step(&b.env, 0, &whole.env, 0);
  assert_same_step(&b.env, 2, &whole.env, 2);
  // and it goes on as any other
  for (int s = 1; s < 5; s++) bench_step(&b, s, 0, .1);
  assert_finite(&b.env);
  assert_int_equal(b.env.episode_length[1], 4);
  assert_int_equal(b.env.ndiverged, 1);
  bench_free(&b);
  bench_free(&whole);
}

static void test_divergence(void **state) {
  (void)state;
  char here[4096], folder[] = "/tmp/rl_vecenv_XXXXXX";
  assert_non_null(getcwd(here, sizeof here));
  assert_non_null(mkdtemp(folder));
  assert_int_equal(chdir(folder), 0);
  static const char *const task[] = {"HalfCheetah-v5", "Humanoid-v5", "Ant-v5", "Swimmer-v5"};
  for (int breakage = 0; breakage < 5; breakage++) {
    for (int t = 0; t < 4; t++) diverge(task[t], breakage);
  }
  // MuJoCo would have written each of its warnings to a file here
  assert_int_equal(access("MUJOCO_LOG.TXT", F_OK), -1);
  assert_int_equal(chdir(here), 0);
  assert_int_equal(rmdir(folder), 0);
}

// A NaN action on the step of the time limit: both flags, still nothing that is not finite.
static void test_divergence_at_the_limit(void **state) {
  (void)state;
  static const char *const keys[] = {"env.max_episode_steps=1", NULL};
  Bench b;
  bench_init(&b, "Hopper-v5", keys, 1, 1);
  rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
  float first[11];
  memcpy(first, b.env.obs, sizeof first);
  for (int j = 0; j < b.env.A; j++) b.act[j] = NAN;
  rl_vecenv_step(&b.env, b.act);
  assert_same_floats(b.env.next_obs, first, 11);
  assert_int_equal(b.env.terminated[0], 1);
  assert_int_equal(b.env.truncated[0], 1);
  assert_int_equal(b.env.diverged[0], 1);
  assert_finite(&b.env);
  bench_free(&b);
}

// A task whose score makes MuJoCo raise a fatal error while `faulty` holds, in whichever
// environment moves left.
static _Atomic int faulty;
static RlTask faulty_task;

static void score_faulty(const RlTaskView *v, const mjData *d, double *mem, const double *act,
                         RlOutcome *out) {
  if (faulty && act[0] < 0) mj_stateSize(v->m, -1);
  rl_tasks[1]->score(v, d, mem, act, out);
}

static void test_errors_inside_mujoco(void **state) {
  (void)state;
  Bench b, whole;
  bench_init(&b, "HalfCheetah-v5", NULL, N, 2);
  bench_init(&whole, "HalfCheetah-v5", NULL, N, 1);
  faulty_task = *b.env.task;
  faulty_task.score = score_faulty;
  b.env.task = &faulty_task;
  rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
  rl_vecenv_reset(&whole.env, SEED, RL_STREAM_ENV);
  bench_step(&b, 0, 0, 1);
  bench_step(&whole, 0, 0, 1);
  float before[N * 17];
  memcpy(before, b.env.obs, sizeof before);
  faulty = 1;
  bench_step(&b, 1, 0, 1);
  bench_step(&whole, 1, 0, 1);
  faulty = 0;
  int failures = 0;
  for (int i = 0; i < N; i++) {
    bool fails = action(i, 1, 0, 1) < 0;
    failures += fails;
    assert_int_equal(b.env.diverged[i], fails);
    assert_int_equal(b.env.terminated[i], fails);
    if (fails) {
      assert_same_floats(b.env.next_obs + i * 17, before + i * 17, 17);
      assert_true(b.env.rew[i] == 0);
      assert_int_equal(b.env.episode_length[i], 2);
      for (int k = 0; k < 17; k++) assert_true(fabsf(b.env.obs[i * 17 + k]) < .6f);
    } else {
      assert_same_step(&b.env, i, &whole.env, i);
    }
  }
  assert_true(failures > 0 && failures < N);
  assert_int_equal(b.env.ndiverged, failures);
  bench_step(&b, 2, 0, 1);
  assert_finite(&b.env);
  assert_int_equal(b.env.ndiverged, failures);
  bench_free(&b);
  bench_free(&whole);
}

// Loaded elsewhere, in a fresh environment or a used one, at another thread count: the same bits as
// if it had never been saved.
static void test_save_and_load(void **state) {
  (void)state;
  static const char *const keys[] = {"env.max_episode_steps=50", NULL};
  for (int t = 0; t < NTASK; t++) {
    Bench a, fresh, used;
    bench_init(&a, rl_tasks[t]->name, keys, N, 1);
    bench_init(&fresh, rl_tasks[t]->name, keys, N, 2);
    bench_init(&used, rl_tasks[t]->name, keys, N, 3);
    rl_vecenv_reset(&a.env, SEED, RL_STREAM_ENV);
    rl_vecenv_reset(&used.env, SEED + 1, RL_STREAM_ENV);
    for (int s = 0; s < 33; s++) bench_step(&a, s, 0, 1);
    for (int s = 0; s < 5; s++) bench_step(&used, s, 7, 1);
    a.act[0] = used.act[0] = NAN;
    rl_vecenv_step(&a.env, a.act);
    rl_vecenv_step(&used.env, used.act);
    int nstate = rl_vecenv_nstate(&a.env);
    double *row = calloc((size_t)(N * nstate), sizeof *row);
    rl_vecenv_save(&a.env, row);
    for (int k = 0; k < N * nstate; k++) assert_true(isfinite(row[k]));
    rl_vecenv_load(&fresh.env, row);
    rl_vecenv_load(&used.env, row);
    free(row);
    size_t size = (size_t)(N * a.env.O) * sizeof(float);
    memcpy(fresh.env.obs, a.env.obs, size);
    memcpy(used.env.obs, a.env.obs, size);
    assert_int_equal(fresh.env.ndiverged, 1);
    assert_int_equal(used.env.ndiverged, 1);
    for (int s = 34; s < 34 + STEPS; s++) {
      bench_step(&a, s, 0, 1);
      bench_step(&fresh, s, 0, 1);
      bench_step(&used, s, 0, 1);
      for (int i = 0; i < N; i++) {
        assert_same_step(&a.env, i, &fresh.env, i);
        assert_same_step(&a.env, i, &used.env, i);
      }
    }
    bench_free(&a);
    bench_free(&fresh);
    bench_free(&used);
  }
}

// The keys reach the shipped path.
static void test_keys_reach_the_step(void **state) {
  (void)state;
  static const char *const keys[] = {"env.forward_reward_weight=2", "env.ctrl_cost_weight=0", NULL};
  static const char *const skip[] = {"env.frame_skip=10", NULL};
  Bench a, b, c;
  bench_init(&a, "Swimmer-v5", NULL, 1, 1);
  bench_init(&b, "Swimmer-v5", keys, 1, 1);
  bench_init(&c, "Swimmer-v5", skip, 1, 1);
  rl_vecenv_reset(&a.env, SEED, RL_STREAM_ENV);
  rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
  rl_vecenv_reset(&c.env, SEED, RL_STREAM_ENV);
  for (int s = 0; s < 10; s++) {
    bench_step(&a, s, 0, 1);
    bench_step(&b, s, 0, 1);
    double cost = 0;
    for (int j = 0; j < 2; j++) cost += 1e-4 * (double)a.act[j] * (double)a.act[j];
    double expected = 2 * ((double)a.env.rew[0] + cost);
    assert_true(fabs((double)b.env.rew[0] - expected) <= 1e-5);
    assert_same_floats(a.env.obs, b.env.obs, a.env.O);
  }
  bench_step(&c, 0, 0, 1);
  assert_true(fabs(*state_of(&c, mjSTATE_TIME, 0) - 10 * .01) <= 1e-12);
  bench_free(&a);
  bench_free(&b);
  bench_free(&c);
}

static void test_reset_one(void **state) {
  (void)state;
  Bench b, c;
  bench_init(&b, "Walker2d-v5", NULL, N, 2);
  bench_init(&c, "Walker2d-v5", NULL, N, 2);
  rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
  rl_vecenv_reset(&c.env, SEED, RL_STREAM_ENV);
  for (int s = 0; s < 3; s++) bench_step(&b, s, 0, 1);
  for (int s = 0; s < 3; s++) bench_step(&c, s, 0, 1);
  RlRng rng;
  rl_rng_init(&rng, 99, RL_STREAM_EVAL, 4);
  rl_vecenv_reset_one(&b.env, 3, &rng);
  for (int i = 0; i < N; i++) {
    const float *x = b.env.obs + i * b.env.O, *y = c.env.obs + i * b.env.O;
    if (i == 3) assert_memory_not_equal(x, y, sizeof(float));
    if (i != 3) assert_same_floats(x, y, b.env.O);
  }
  bench_step(&b, 3, 0, 1);
  assert_int_equal(b.env.episode_length[3], 1);
  assert_int_equal(b.env.episode_length[2], 4);
  bench_free(&b);
  bench_free(&c);
}

static void test_no_allocation(void **state) {
  (void)state;
#ifdef COUNTS_ALLOCATIONS
  static const char *const keys[] = {"env.max_episode_steps=20", NULL};
  Bench b;
  bench_init(&b, "Humanoid-v5", keys, N, 2);
  rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
  bench_step(&b, 0, 0, 1);
  long before = allocations;
  assert_true(before > 0);
  for (int s = 1; s < STEPS; s++) {
    bench_step(&b, s, 0, 1);
    if (s == 40) b.act[0] = NAN;
    if (s == 40) rl_vecenv_step(&b.env, b.act);
  }
  assert_int_equal(allocations - before, 0);
  assert_int_equal(b.env.ndiverged, 1);
  bench_free(&b);
#else
  skip();
#endif
}

static void test_unknown_task(void **state) {
  (void)state;
  RlVecEnv env;
  RlArena arena = {0};
  RlConfig config;
  rl_config_default(&config);
  strcpy(config.env.id.text, "Half-Cheetah");
  assert_int_equal(rl_vecenv_init(&env, &arena, &config, 2, 1), RL_USAGE);
  assert_non_null(strstr(rl_error_text(), "HalfCheetah-v5"));
  rl_arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_against_plain_loop),
      cmocka_unit_test(test_numbers_and_threads),
      cmocka_unit_test(test_time_limit),
      cmocka_unit_test(test_terminated_at_the_limit),
      cmocka_unit_test(test_action_clip),
      cmocka_unit_test(test_divergence),
      cmocka_unit_test(test_divergence_at_the_limit),
      cmocka_unit_test(test_errors_inside_mujoco),
      cmocka_unit_test(test_save_and_load),
      cmocka_unit_test(test_keys_reach_the_step),
      cmocka_unit_test(test_reset_one),
      cmocka_unit_test(test_no_allocation),
      cmocka_unit_test(test_unknown_task),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
