// How much memory a process may use.
#ifndef RL_BASE_MEMORY_H_
#define RL_BASE_MEMORY_H_

// Bytes: the machine's memory or, if smaller, what its control groups allow.
double rl_memory_limit(void);

#endif
