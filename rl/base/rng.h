// Random numbers: pcg-random behind a C face. One stream for each purpose and index (environment,
// episode), its state and increment both taken from a hash of (seed, purpose, index), so that no
// draw depends on thread count, order of work, or what else is drawn.
#ifndef RL_BASE_RNG_H_
#define RL_BASE_RNG_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint64_t word[2];  // the generator's state and increment; saved and restored as they are
} RlRng;

// Purposes. The numbers are part of what a seed means: append, never renumber.
typedef enum {
  RL_STREAM_INIT = 1,        // network initialisation; index: network
  RL_STREAM_ENV = 2,         // reset noise; index: environment
  RL_STREAM_ACT = 3,         // action noise; index: environment
  RL_STREAM_SHUFFLE = 4,     // minibatch order
  RL_STREAM_WARMUP = 5,      // random actions before training; index: 0
  RL_STREAM_EVAL = 6,        // reset noise of an evaluation episode; index: hash of (step, episode)
  RL_STREAM_EVAL_ACT = 7,    // action noise of a stochastic evaluation episode; same index
  RL_STREAM_REPLAY = 8,      // replay sampling
  RL_STREAM_WARMUP_ENV = 9,  // reset noise in the warm-up; index: environment
  RL_STREAM_LEARN = 10,      // action noise in SAC's update; index: block of the minibatch
} RlStream;

// Starts a stream.
void rl_rng_init(RlRng *rng, uint64_t seed, RlStream purpose, uint64_t index);

// Mixes two numbers into an index for rl_rng_init, (step, episode) for one.
uint64_t rl_rng_index(uint64_t a, uint64_t b);

uint32_t rl_rng_u32(RlRng *rng);

// Uniform on {0, ..., bound - 1} without modulo bias; bound >= 1.
uint32_t rl_rng_bounded(RlRng *rng, uint32_t bound);

// Uniform on [0, 1), 53 bits.
double rl_rng_uniform(RlRng *rng);

// u[i] = the i-th of n calls of rl_rng_uniform.
void rl_rng_uniform_fill(RlRng *rng, double *u, size_t n);

// Uniform on [lo, hi).
double rl_rng_between(RlRng *rng, double lo, double hi);

// The standard normal that two uniform numbers on [0, 1) make (Box and Muller 1958).
double rl_rng_box_muller(double u, double v);

// Standard normal, of the stream's next two uniform numbers. Keeps no second value: the stream's
// state is all there is to save.
double rl_rng_normal(RlRng *rng);

#ifdef __cplusplus
}
#endif
#endif
