// Which instruction set the array kernels run on, picked once from what the processor has. All give
// the same bits, so the choice is one of speed alone.
#ifndef NETS_ISA_H_
#define NETS_ISA_H_

typedef enum { RL_ISA_PLAIN, RL_ISA_AVX2, RL_ISA_AVX512, RL_NISA } RlIsa;

// The set in use: the best this processor has, unless rl_isa_use said otherwise.
RlIsa rl_isa_active(void);

// Whether this processor has the set.
int rl_isa_has(RlIsa isa);

// For tests and benchmarks: runs on this set from now on; the processor must have it.
void rl_isa_use(RlIsa isa);

const char *rl_isa_name(RlIsa isa);

#endif
