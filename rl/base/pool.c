// Parallel-for. Place: under the collector, the networks and the updates; a few calls per vector
// step, so a call costs no lock and no system call while the workers still spin.
//
// A run is published as one word, the ticket: its number and how many jobs nobody has taken. A job
// is taken by counting the ticket down with compare-and-swap, which fails for a worker that slept
// through a run, so the caller need not wait for workers that took nothing.
// Invariant: func, arg and njob change only while every job of the last run is done.
#include "rl/base/pool.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rl/base/cgroup.h"

enum { CACHE_LINE = 64, SPIN_NS = 200000, SPIN_CHECK = 32 };

struct RlPool {
  alignas(CACHE_LINE) _Atomic uint64_t ticket;  // run number << 32 | jobs left to take
  _Atomic(RlJob) func;
  _Atomic(void *) arg;
  atomic_int njob;
  atomic_int stop;
  alignas(CACHE_LINE) atomic_int done;  // jobs finished in this run
  alignas(CACHE_LINE) atomic_int sleepers;
  atomic_int caller_waits;
  pthread_mutex_t mutex;
  pthread_cond_t work;      // a run was published, or stop
  pthread_cond_t finished;  // the last job of a run is done
  int threads;
  int started;        // workers that run
  pthread_t *worker;  // (threads - 1)
};

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void pause_cpu(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  atomic_signal_fence(memory_order_seq_cst);
#endif
}

static void finish_job(RlPool *pool, int njob) {
  if (atomic_fetch_add(&pool->done, 1) + 1 < njob) return;
  // the flag is raised before the caller looks at done a last time: one of the two sees the other
  if (!atomic_load(&pool->caller_waits)) return;
  pthread_mutex_lock(&pool->mutex);
  pthread_cond_signal(&pool->finished);
  pthread_mutex_unlock(&pool->mutex);
}

// Takes jobs until the run has none left.
static void work_off(RlPool *pool) {
  uint64_t ticket = atomic_load(&pool->ticket);
  while ((uint32_t)ticket > 0) {
    RlJob func = atomic_load_explicit(&pool->func, memory_order_relaxed);
    void *arg = atomic_load_explicit(&pool->arg, memory_order_relaxed);
    int njob = atomic_load_explicit(&pool->njob, memory_order_relaxed);
    // success means that a job was still untaken, so the three are those of the ticket's run
    if (!atomic_compare_exchange_weak(&pool->ticket, &ticket, ticket - 1)) continue;
    func(arg, njob - (int)(uint32_t)ticket);
    finish_job(pool, njob);
    ticket = atomic_load(&pool->ticket);
  }
}

// Waits for a run later than the one seen; returns its number.
static uint32_t await_run(RlPool *pool, uint32_t seen) {
  uint64_t start = now_ns();
  for (unsigned spin = 1;; spin++) {
    uint32_t run = (uint32_t)(atomic_load(&pool->ticket) >> 32);
    if (run != seen) return run;
    if (spin % SPIN_CHECK == 0 && now_ns() - start > SPIN_NS) break;
    pause_cpu();
  }
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->sleepers, 1);
  uint32_t run = (uint32_t)(atomic_load(&pool->ticket) >> 32);
  while (run == seen) {
    pthread_cond_wait(&pool->work, &pool->mutex);
    run = (uint32_t)(atomic_load(&pool->ticket) >> 32);
  }
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->mutex);
  return run;
}

static void *worker_main(void *arg) {
  RlPool *pool = arg;
  uint32_t seen = 0;
  for (;;) {
    seen = await_run(pool, seen);
    if (atomic_load(&pool->stop)) return NULL;
    work_off(pool);
  }
}

// Publishes a run and wakes the workers that sleep.
static void publish(RlPool *pool, int njob, RlJob func, void *arg) {
  atomic_store_explicit(&pool->func, func, memory_order_relaxed);
  atomic_store_explicit(&pool->arg, arg, memory_order_relaxed);
  atomic_store_explicit(&pool->njob, njob, memory_order_relaxed);
  atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
  uint32_t run = (uint32_t)(atomic_load_explicit(&pool->ticket, memory_order_relaxed) >> 32) + 1u;
  atomic_store(&pool->ticket, (uint64_t)run << 32 | (uint32_t)njob);
  // a worker counts itself as a sleeper before it looks at the ticket a last time
  if (atomic_load(&pool->sleepers) == 0) return;
  pthread_mutex_lock(&pool->mutex);
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->mutex);
}

static void await_done(RlPool *pool, int njob) {
  uint64_t start = now_ns();
  for (unsigned spin = 1;; spin++) {
    if (atomic_load(&pool->done) == njob) return;
    if (spin % SPIN_CHECK == 0 && now_ns() - start > SPIN_NS) break;
    pause_cpu();
  }
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->caller_waits, 1);
  while (atomic_load(&pool->done) != njob) pthread_cond_wait(&pool->finished, &pool->mutex);
  atomic_store(&pool->caller_waits, 0);
  pthread_mutex_unlock(&pool->mutex);
}

void rl_pool_run(RlPool *pool, int njob, RlJob func, void *arg) {
  if (njob <= 1 || pool->threads == 1) {
    for (int job = 0; job < njob; job++) func(arg, job);
    return;
  }
  publish(pool, njob, func, arg);
  work_off(pool);
  await_done(pool, njob);
}

RlPool *rl_pool_init(int threads) {
  RL_ASSERT(threads >= 1);
  RlPool *pool = aligned_alloc(CACHE_LINE, sizeof *pool);
  pthread_t *worker = calloc((size_t)threads, sizeof *worker);
  if (pool == NULL || worker == NULL) {
    free(pool);
    free(worker);
    (void)rl_error(RL_FAIL, "pool: found no memory for %d threads, expected some", threads);
    return NULL;
  }
  memset(pool, 0, sizeof *pool);
  pool->threads = threads;
  pool->worker = worker;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->work, NULL);
  pthread_cond_init(&pool->finished, NULL);
  for (; pool->started < threads - 1; pool->started++) {
    int code = pthread_create(&worker[pool->started], NULL, worker_main, pool);
    if (code == 0) continue;
    (void)rl_error(RL_FAIL, "pool: found %s starting thread %d, expected %d threads",
                   strerror(code), pool->started + 2, threads);
    rl_pool_free(pool);
    return NULL;
  }
  return pool;
}

int rl_pool_threads(const RlPool *pool) {
  return pool->threads;
}

void rl_pool_free(RlPool *pool) {
  if (pool == NULL) return;
  atomic_store(&pool->stop, 1);
  publish(pool, 0, NULL, NULL);
  for (int i = 0; i < pool->started; i++) pthread_join(pool->worker[i], NULL);
  pthread_cond_destroy(&pool->finished);
  pthread_cond_destroy(&pool->work);
  pthread_mutex_destroy(&pool->mutex);
  free(pool->worker);
  free(pool);
}

static int affinity_count(void) {
  // the kernel refuses a set smaller than its own, so a large machine needs a larger one
  for (int bits = 1024; bits <= 1 << 20; bits *= 4) {
    cpu_set_t *set = CPU_ALLOC((size_t)bits);
    if (set == NULL) break;
    size_t size = CPU_ALLOC_SIZE((size_t)bits);
    int code = sched_getaffinity(0, size, set);
    int count = code == 0 ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (code == 0) return count > 0 ? count : 1;
    if (errno != EINVAL) break;
  }
  return 1;
}

// CPUs that the quota of a control group's folder allows; 0 if it sets none.
static double folder_quota(const char *folder) {
  char path[4352], text[64] = "";
  double quota = 0, period = 0;
  snprintf(path, sizeof path, "%s/cpu.max", folder);  // version 2
  FILE *file = fopen(path, "r");
  if (file != NULL) {
    if (fscanf(file, "%63s %lf", text, &period) != 2) period = 0;
    quota = strtod(text, NULL);  // "max" reads as 0
    fclose(file);
  } else {
    const char *name[2] = {"cpu.cfs_quota_us", "cpu.cfs_period_us"};  // version 1
    double *value[2] = {&quota, &period};
    for (int i = 0; i < 2; i++) {
      snprintf(path, sizeof path, "%s/%s", folder, name[i]);
      file = fopen(path, "r");
      if (file == NULL) return 0;
      if (fscanf(file, "%lf", value[i]) != 1) *value[i] = 0;
      fclose(file);
    }
  }
  return quota > 0 && period > 0 ? quota / period : 0;
}

int rl_pool_available(void) {
  int cpus = affinity_count();
  double quota = ceil(rl_cgroup_least("cpu", folder_quota));
  return quota > 0 && quota < cpus ? (int)quota : cpus;
}
