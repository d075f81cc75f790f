// Normals in bulk are those drawn one by one: the same bits, on every instruction set this
// processor has, and the stream stands where it would.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nets/isa.h"
#include "nets/normal.h"

enum { MOST = 1000, MANY = 1 << 16, ROUNDS = 64 };

static RlReal bulk[MANY], single[MANY];

static void check(RlRng *rng, size_t n) {
  RlRng copy = *rng;
  for (size_t i = 0; i < n; i++) single[i] = (RlReal)rl_rng_normal(&copy);
  rl_normal_fill(bulk, n, rng);
  assert_memory_equal(bulk, single, n * sizeof(RlReal));
  assert_memory_equal(rng, &copy, sizeof copy);
}

static void on_every_set(void (*test)(RlRng *rng)) {
  for (int isa = 0; isa < RL_NISA; isa++) {
    if (!rl_isa_has((RlIsa)isa)) continue;
    rl_isa_use((RlIsa)isa);
    RlRng rng;
    rl_rng_init(&rng, 7, RL_STREAM_LEARN, 3);
    test(&rng);
  }
}

static void every_length(RlRng *rng) {
  for (size_t n = 0; n <= 200; n++) check(rng, n);
  check(rng, MOST);
}

static void test_every_length(void **state) {
  (void)state;
  on_every_set(every_length);
}

// Enough for some that vectors cannot decide: about one in a million.
static void many(RlRng *rng) {
  for (int round = 0; round < ROUNDS; round++) check(rng, MANY);
}

static void test_many(void **state) {
  (void)state;
  on_every_set(many);
}

// Nothing behind the last is written.
static void test_bounds(void **state) {
  (void)state;
  RlRng rng;
  rl_rng_init(&rng, 1, RL_STREAM_LEARN, 0);
  memset(bulk, 0, sizeof bulk);
  rl_normal_fill(bulk, 130, &rng);
  for (int i = 130; i < MOST; i++) assert_true(bulk[i] == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_length),
      cmocka_unit_test(test_many),
      cmocka_unit_test(test_bounds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
