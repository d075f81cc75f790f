// The rollout buffer: sizes, and what is refused before anything is allocated.
#include "rl/data/rollout.h"
#include "tests/unit/rl/near.h"

static void test_bytes(void **state) {
  (void)state;
  static const int size[][5] = {
      {1, 1, 1, 1, 1}, {32, 8, 17, 6, 1000}, {100, 3, 5, 2, 7}, {2000, 4, 1, 1, 5}};
  for (int k = 0; k < 4; k++) {
    const int *s = size[k];
    RlArena arena = {0};
    RlRollout rollout;
    rl_rollout_init(&rollout, &arena, s[0], s[1], s[2], s[3], s[4]);
    double bytes = rl_rollout_bytes(s[0], s[1], s[2], s[3], s[4]);
    // an array's share of alignment apart
    assert_true(bytes <= (double)arena.used && (double)arena.used <= bytes + 18 * 64);
    rl_arena_free(&arena);
  }
}

// the side table holds as many time limits as T steps can bring, wherever the episodes stand
static void test_room_for_final(void **state) {
  (void)state;
  for (int T = 1; T <= 12; T++) {
    for (int limit = 1; limit <= 13; limit++) {
      RlArena arena = {0};
      RlRollout rollout;
      rl_rollout_init(&rollout, &arena, T, 3, 1, 1, limit);
      for (int length = 0; length < limit; length++) {
        int count = 0, now = length;
        for (int t = 0; t < T; t++) {
          if (++now == limit) count++, now = 0;
        }
        assert_true(3 * count <= rollout.max_final);
      }
      rl_arena_free(&arena);
    }
  }
}

static void test_reset(void **state) {
  (void)state;
  RlArena arena = {0};
  RlRollout rollout;
  rl_rollout_init(&rollout, &arena, 10, 2, 3, 1, 5);
  rollout.nfinal = 2;
  rl_rollout_reset(&rollout, 4);
  assert_int_equal(rollout.T, 4);
  assert_int_equal(rollout.nfinal, 0);
  assert_int_equal(rollout.capacity, 10);
  rl_arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bytes),
      cmocka_unit_test(test_room_for_final),
      cmocka_unit_test(test_reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
