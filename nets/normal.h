// Standard normals for whole arrays: what rl_rng_normal gives, several times as fast.
#ifndef NETS_NORMAL_H_
#define NETS_NORMAL_H_

#include <stddef.h>

#include "nets/real.h"
#include "rl/base/rng.h"

// x[i] = the i-th of n calls of rl_rng_normal, bit for bit, on every instruction set.
void rl_normal_fill(RlReal *x, size_t n, RlRng *rng);

#endif
