// How much memory a process may use.
#ifndef RL_BASE_MEMORY_H_
#define RL_BASE_MEMORY_H_

// Bytes: the machine's memory or, if smaller, what its control groups allow, or what a limit of the
// address space (ulimit -v) leaves.
double rl_memory_limit(void);

// The address space of this process, in bytes; 0 if it cannot be told.
double rl_memory_mapped(void);

#endif
