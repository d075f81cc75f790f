// Parallel-for over fixed jobs. Jobs are cut by the shape of the work, never by the number of
// threads, and each writes its own slot: the same bits at any thread count.
//
// Workers spin for some 200 microseconds after a job, then block; the caller works too. That is
// longer than a step of one environment, which SAC's updates wait for: a thread that blocked there
// would have to be woken before every update.
#ifndef RL_BASE_POOL_H_
#define RL_BASE_POOL_H_

#include "rl/base/status.h"

typedef struct RlPool RlPool;

typedef void (*RlJob)(void *arg, int job);

// Starts threads - 1 workers; threads >= 1. NULL with an error line if the system refuses one.
RL_MUST_USE RlPool *rl_pool_init(int threads);

// Runs func(arg, 0) ... func(arg, njob - 1), each once, and returns when all are done. Allocates
// nothing. Not to be called from inside a job.
void rl_pool_run(RlPool *pool, int njob, RlJob func, void *arg);

int rl_pool_threads(const RlPool *pool);

// nullable: pool
void rl_pool_free(RlPool *pool);

// Number of threads that affinity and cgroup quota allow this process, at least 1.
int rl_pool_available(void);

#endif
