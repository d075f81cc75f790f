// Slices of the replay buffer: they hold what the list says, and a copy made of them goes on as the
// original does.
#include "tests/unit/rl/replay_list.h"

// Copies a buffer in slices of random lengths, which are checked against the list on the way.
static void copy(World *w, RlReplay *to, RlReplaySlice *slice) {
  const RlReplay *from = &w->replay;
  rl_replay_clear(to, from->oldest);
  assert_int_equal(rl_replay_count(to), 0);
  while (to->written < from->written) {
    int64_t left = from->written - to->written;
    int steps = (int)rl_rng_bounded(&w->rng, (uint32_t)slice->max_steps + 1);
    rl_replay_export(from, slice, to->written, steps < left ? steps : (int)left);
    int k = 0;
    for (int i = 0; i < slice->steps * w->N; i++) {
      const Step *s = &w->step[i % w->N][slice->first + i / w->N];
      assert_memory_equal(slice->obs + i * O, s->obs, sizeof s->obs);
      // what was lost may have been anything, and what is saved is finite
      const float zero[A] = {0};
      assert_memory_equal(slice->act + i * A, s->lost ? zero : s->act, sizeof s->act);
      assert_true(slice->rew[i] == (s->lost ? 0 : s->rew));
      bool seat = s->truncated && !s->terminated && !s->lost;
      if (!seat) continue;
      assert_true(k < slice->nfinal);
      assert_int_equal(slice->final_at[k], i);
      assert_memory_equal(slice->final_obs + k * O, s->next_obs, sizeof s->next_obs);
      k++;
    }
    assert_int_equal(k, slice->nfinal);
    rl_replay_import(to, slice);
  }
}

static void expect_equal_slices(const RlReplaySlice *a, const RlReplaySlice *b, int N) {
  size_t slots = (size_t)(a->steps * N);
  assert_int_equal(a->nfinal, b->nfinal);
  assert_memory_equal(a->obs, b->obs, slots * O * sizeof(float));
  assert_memory_equal(a->act, b->act, slots * A * sizeof(float));
  assert_memory_equal(a->rew, b->rew, slots * sizeof(float));
  assert_memory_equal(a->end, b->end, slots);
  assert_memory_equal(a->final_at, b->final_at, (size_t)a->nfinal * sizeof(int32_t));
  assert_memory_equal(a->final_obs, b->final_obs, (size_t)a->nfinal * O * sizeof(float));
}

// the copy is drawn from, read and exported as the original is, and stays so
static void test_copy_goes_on(void **state) {
  (void)state;
  static World w;
  static const int size[][4] = {{20, 2, 3, 7},  {20, 2, 3, 10}, {20, 2, 1, 25}, {7, 3, 4, 33},
                                {1, 1, 1, 3},   {90, 3, 7, 29}, {90, 3, 7, 31}, {90, 3, 7, 74},
                                {90, 3, 50, 0}, {90, 3, 1, 77}};
  for (size_t k = 0; k < sizeof size / sizeof *size; k++) {
    int N = size[k][1], limit = size[k][2];
    RlReplay other;
    RlReplaySlice slice, a, b;
    world_init(&w, size[k][0], N, limit);
    rl_replay_init(&other, &w.arena, size[k][0], N, O, A, limit, w.now);
    rl_replay_slice_init(&slice, &w.arena, &other, 8);
    rl_replay_slice_init(&a, &w.arena, &other, (int)other.capacity);
    rl_replay_slice_init(&b, &w.arena, &other, (int)other.capacity);
    // what was there before must not show
    for (int t = 0; t < 5; t++) {
      world_step(&w, NULL);
      give(&w, &other);
    }
    while (w.steps < 5 + size[k][3]) world_step(&w, NULL);
    copy(&w, &other, &slice);
    for (int t = 0; t < 80; t++) {
      expect_all(&w, &other);
      int held = (int)(other.written - other.oldest);
      rl_replay_export(&w.replay, &a, other.oldest, held);
      rl_replay_export(&other, &b, other.oldest, held);
      expect_equal_slices(&a, &b, N);
      RlRng one = w.rng, two = w.rng;
      int64_t first[20], second[20];
      if (rl_replay_count(&other) > 0) {
        rl_replay_draw(&w.replay, first, 20, &one);
        rl_replay_draw(&other, second, 20, &two);
        assert_memory_equal(first, second, sizeof first);
      }
      world_step(&w, NULL);
      give(&w, &other);
    }
    world_free(&w);
  }
}

// a ring that begins in the middle of its rows is drawn from evenly too
static void test_draw_after_clear(void **state) {
  (void)state;
  static World w;
  RlReplay other;
  RlReplaySlice slice;
  world_init(&w, 300, 3, 20);
  rl_replay_init(&other, &w.arena, 300, 3, O, A, 20, w.now);
  rl_replay_slice_init(&slice, &w.arena, &other, 40);
  while (w.steps < 325) world_step(&w, NULL);
  rl_replay_export(&w.replay, &slice, 285, 40);
  rl_replay_clear(&other, 285);
  rl_replay_import(&other, &slice);
  assert_int_equal(other.oldest, 285);
  expect_even(&w, &other);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_copy_goes_on),
      cmocka_unit_test(test_draw_after_clear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
