// Random numbers: pcg-random's 32-bit generator with a stream of its own per (purpose, index),
// placed in the two words of RlRng. Place: the only C++ of the program, behind a C face.
//
// Invariants: the two words are all the state there is, so saving them saves the stream; nothing
// here depends on anything but the arguments and the stream. What a seed means is held by the fixed
// values in tests/unit/base/test_rng.c.
#include "rl/base/rng.h"

#include <cmath>
#include <cstring>
#include <pcg_random.hpp>
#include <type_traits>

static_assert(sizeof(pcg32) == sizeof(RlRng), "the generator fills the two words of RlRng");
static_assert(alignof(pcg32) <= alignof(RlRng), "the generator may be copied to RlRng");
static_assert(std::is_trivially_copyable<pcg32>::value, "the generator is saved as bytes");

namespace {

// Finalizer with full avalanche: each input bit flips each output bit half of the time.
uint64_t mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9u;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebu;
  x ^= x >> 31;
  return x;
}

// Takes one more word into a hash; the odd constant keeps a run of zeros from staying zero.
uint64_t absorb(uint64_t hash, uint64_t word) {
  return mix((hash ^ mix(word + 0x9e3779b97f4a7c15u)) * 0xd1342543de82ef95u + 0x9e3779b97f4a7c15u);
}

pcg32 load(const RlRng *rng) {
  pcg32 generator;
  std::memcpy(static_cast<void *>(&generator), rng, sizeof generator);
  return generator;
}

void store(RlRng *rng, const pcg32 &generator) {
  std::memcpy(static_cast<void *>(rng), &generator, sizeof generator);
}

// The compiler keeps the copy in registers: this costs what a generator in place would.
uint32_t draw(RlRng *rng) {
  pcg32 generator = load(rng);
  uint32_t value = generator();
  store(rng, generator);
  return value;
}

double uniform(pcg32 &generator) {
  uint64_t high = generator();
  return static_cast<double>(((high << 32) | generator()) >> 11) * 0x1p-53;
}

}  // namespace

extern "C" {

void rl_rng_init(RlRng *rng, uint64_t seed, RlStream purpose, uint64_t index) {
  // the increment is hashed as well: streams of neighbouring increments are correlated
  uint64_t hash = absorb(absorb(absorb(0, seed), static_cast<uint64_t>(purpose)), index);
  store(rng, pcg32(absorb(hash, 1), absorb(hash, 2)));
}

uint64_t rl_rng_index(uint64_t a, uint64_t b) {
  return absorb(absorb(0, a), b);
}

uint32_t rl_rng_u32(RlRng *rng) {
  return draw(rng);
}

uint32_t rl_rng_bounded(RlRng *rng, uint32_t bound) {
  // Lemire: the high word of draw * bound, redrawn where the low word falls in the short remainder
  uint64_t product = static_cast<uint64_t>(draw(rng)) * bound;
  uint32_t low = static_cast<uint32_t>(product);
  if (low < bound) {
    uint32_t remainder = (0u - bound) % bound;
    while (low < remainder) {
      product = static_cast<uint64_t>(draw(rng)) * bound;
      low = static_cast<uint32_t>(product);
    }
  }
  return static_cast<uint32_t>(product >> 32);
}

double rl_rng_uniform(RlRng *rng) {
  double u;
  rl_rng_uniform_fill(rng, &u, 1);
  return u;
}

void rl_rng_uniform_fill(RlRng *rng, double *u, size_t n) {
  pcg32 generator = load(rng);
  for (size_t i = 0; i < n; i++) u[i] = uniform(generator);
  store(rng, generator);
}

double rl_rng_between(RlRng *rng, double lo, double hi) {
  double value = lo + (hi - lo) * rl_rng_uniform(rng);
  // rounding may reach the open end
  return value < hi || hi <= lo ? value : std::nextafter(hi, lo);
}

double rl_rng_box_muller(double u, double v) {
  // the radius takes 1 - u, which is never 0
  return std::sqrt(-2.0 * std::log(1.0 - u)) * std::cos(6.283185307179586476925 * v);
}

double rl_rng_normal(RlRng *rng) {
  double u = rl_rng_uniform(rng), v = rl_rng_uniform(rng);
  return rl_rng_box_muller(u, v);
}

}  // extern "C"
