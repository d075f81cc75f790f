// The parallel-for: every job once, at any number of threads, back to back and after a sleep.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "rl/base/pool.h"

enum { MAX_JOBS = 1000 };

// Plain counters: a job run twice at once would be a data race as well as a wrong count.
typedef struct {
  int count[MAX_JOBS];
  int input[MAX_JOBS];
  double slot[MAX_JOBS];
} Work;

static void count_job(void *arg, int job) {
  Work *work = arg;
  work->count[job]++;
  double x = work->input[job];
  for (int i = 0; i < 20; i++) x = x * 0.5 + job;
  work->slot[job] = x;
}

static double run_once(RlPool *pool, int njob, Work *work) {
  memset(work->count, 0, sizeof work->count);
  for (int i = 0; i < njob; i++) work->input[i] = 3 * i;
  rl_pool_run(pool, njob, count_job, work);
  double sum = 0;
  for (int i = 0; i < MAX_JOBS; i++) {
    assert_int_equal(work->count[i], i < njob);
    if (i < njob) sum += work->slot[i];
  }
  return sum;
}

static void test_each_job_once(void **state) {
  (void)state;
  static const int njob[] = {0, 1, 2, 3, 5, 17, 64, MAX_JOBS};
  static Work work;
  double expected[8];
  for (int threads = 1; threads <= 5; threads++) {
    RlPool *pool = rl_pool_init(threads);
    assert_non_null(pool);
    assert_int_equal(rl_pool_threads(pool), threads);
    for (int i = 0; i < 8; i++) {
      double sum = run_once(pool, njob[i], &work);
      if (threads == 1) expected[i] = sum;
      assert_true(sum == expected[i]);
    }
    rl_pool_free(pool);
  }
}

// Short runs of changing length, so that workers wake in the middle of a later run.
static void test_many_runs(void **state) {
  (void)state;
  static Work work;
  for (int threads = 2; threads <= 3; threads++) {
    RlPool *pool = rl_pool_init(threads);
    assert_non_null(pool);
    for (int run = 0; run < 4000; run++) (void)run_once(pool, run * 7 % 13, &work);
    rl_pool_free(pool);
  }
}

static void test_after_sleep(void **state) {
  (void)state;
  static Work work;
  RlPool *pool = rl_pool_init(3);
  assert_non_null(pool);
  const struct timespec pause = {.tv_nsec = 300000};
  for (int run = 0; run < 100; run++) {
    (void)run_once(pool, 8, &work);
    nanosleep(&pause, NULL);
  }
  rl_pool_free(pool);
}

// Two jobs that wait for each other end only if two threads work at once.
static void meet(void *arg, int job) {
  (void)job;
  atomic_int *arrived = arg;
  atomic_fetch_add(arrived, 1);
  while (atomic_load(arrived) < 2) sched_yield();
}

static void test_runs_in_parallel(void **state) {
  (void)state;
  RlPool *pool = rl_pool_init(2);
  assert_non_null(pool);
  atomic_int arrived = 0;
  rl_pool_run(pool, 2, meet, &arrived);
  assert_int_equal(atomic_load(&arrived), 2);
  rl_pool_free(pool);
}

// The worker is the last to finish, so the caller has to block for it and be woken.
typedef struct {
  atomic_int arrived, done;
  pthread_t caller;
} Uneven;

static void uneven_job(void *arg, int job) {
  Uneven *uneven = arg;
  meet(&uneven->arrived, job);
  if (!pthread_equal(pthread_self(), uneven->caller)) {
    const struct timespec pause = {.tv_nsec = 2000000};
    nanosleep(&pause, NULL);
  }
  atomic_fetch_add(&uneven->done, 1);
}

static void test_uneven(void **state) {
  (void)state;
  RlPool *pool = rl_pool_init(2);
  assert_non_null(pool);
  for (int run = 0; run < 50; run++) {
    Uneven uneven = {.caller = pthread_self()};
    rl_pool_run(pool, 2, uneven_job, &uneven);
    assert_int_equal(atomic_load(&uneven.done), 2);
  }
  rl_pool_free(pool);
}

static void test_start_and_stop(void **state) {
  (void)state;
  for (int i = 0; i < 50; i++) {
    RlPool *pool = rl_pool_init(1 + i % 4);
    assert_non_null(pool);
    rl_pool_free(pool);
  }
  rl_pool_free(NULL);
}

static void test_available(void **state) {
  (void)state;
  int all = rl_pool_available();
  assert_true(all >= 1);
  cpu_set_t before, one;
  assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
  assert_true(all <= CPU_COUNT(&before));
  CPU_ZERO(&one);
  for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &before)) continue;
    CPU_SET(cpu, &one);
    break;
  }
  assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
  assert_int_equal(rl_pool_available(), 1);
  assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
  assert_int_equal(rl_pool_available(), all);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_job_once),    cmocka_unit_test(test_many_runs),
      cmocka_unit_test(test_after_sleep),      cmocka_unit_test(test_uneven),
      cmocka_unit_test(test_runs_in_parallel), cmocka_unit_test(test_start_and_stop),
      cmocka_unit_test(test_available),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
