// Run-time choice of the instruction set. The choice is one relaxed atomic: threads that race for
// the first look all store the same value.
#include "nets/isa.h"

#include <stdatomic.h>

#include "rl/base/status.h"

static atomic_int active = RL_NISA;  // RL_NISA: not looked yet

int rl_isa_has(RlIsa isa) {
#ifdef __x86_64__
  if (isa == RL_ISA_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == RL_ISA_AVX512) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
           rl_isa_has(RL_ISA_AVX2);
  }
#endif
  return isa == RL_ISA_PLAIN;
}

RlIsa rl_isa_active(void) {
  int isa = atomic_load_explicit(&active, memory_order_relaxed);
  if (isa == RL_NISA) {
    isa = RL_NISA - 1;
    while (!rl_isa_has((RlIsa)isa)) isa--;
    atomic_store_explicit(&active, isa, memory_order_relaxed);
  }
  return (RlIsa)isa;
}

void rl_isa_use(RlIsa isa) {
  RL_ASSERT(rl_isa_has(isa));
  atomic_store_explicit(&active, (int)isa, memory_order_relaxed);
}

const char *rl_isa_name(RlIsa isa) {
  static const char *const name[RL_NISA] = {"plain", "avx2", "avx512"};
  return name[isa];
}
