// The vector environment: that its floats are those of one simulation stepped by hand, whatever the
// number of environments and threads, saved and loaded or not, and that stepping allocates nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tests/unit/envs/vecenv_bench.h"

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
      cmocka_unit_test(test_against_plain_loop), cmocka_unit_test(test_numbers_and_threads),
      cmocka_unit_test(test_save_and_load),      cmocka_unit_test(test_keys_reach_the_step),
      cmocka_unit_test(test_reset_one),          cmocka_unit_test(test_no_allocation),
      cmocka_unit_test(test_unknown_task),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
