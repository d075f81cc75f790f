// The replay buffer against a list of all steps: what a window sums and leads to at every slot,
// seam and switch, who may be drawn and how evenly, how much room there is.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/rl/replay_list.h"

// ---------------------------------------------------------------- windows

static void test_random_histories(void **state) {
  (void)state;
  static World w;
  static const int size[][3] = {{1, 1, 4},  {1, 1, 1},  {2, 1, 3}, {7, 1, 5},   {11, 3, 4},
                                {21, 3, 1}, {12, 2, 2}, {2, 3, 3}, {30, 3, 100}};
  for (size_t k = 0; k < sizeof size / sizeof *size; k++) {
    world_init(&w, size[k][0], size[k][1], size[k][2]);
    expect_all(&w, &w.replay);
    for (int t = 0; t < 60; t++) {
      world_step(&w, NULL);
      expect_all(&w, &w.replay);
    }
    world_free(&w);
  }
}

// every seat is used as often as there are seats, and some again
static void test_every_step_truncated(void **state) {
  (void)state;
  static World w;
  world_init(&w, 15, 3, 1);
  assert_int_equal(w.replay.max_final, 15);
  for (int t = 0; t < 40; t++) {
    world_step(&w, "TTT");
    expect_all(&w, &w.replay);
  }
  assert_int_equal(w.replay.nfinal, 120);
  assert_int_equal(w.replay.nfinal - w.replay.nretired, 15);
  world_free(&w);
}

// What a window of one environment must come to, spelt out. to: 'o' the observation of step at, 'f'
// the last one of the episode that step at ended, 'n' the environments' own, '-' nothing.
typedef struct {
  const char *ends;
  int capacity, start, n_step, steps;
  char to;
  int at;
} Case;

static const Case cases[] = {
    {"....", 4, 0, 1, 1, 'o', 1},     {"....", 4, 0, 3, 3, 'o', 3},
    {"....", 4, 0, 5, 4, 'n', 0},     {"....", 4, 3, 1, 1, 'n', 0},
    {"......", 4, 2, 3, 3, 'o', 5},   {"......", 4, 3, 5, 3, 'n', 0},
    {"D...", 4, 0, 3, 1, '-', 0},     {".D..", 4, 0, 3, 2, '-', 0},
    {".T..", 4, 0, 3, 2, 'f', 1},     {".T..", 4, 0, 1, 1, 'o', 1},
    {".T..", 4, 1, 1, 1, 'f', 1},     {"...T", 4, 2, 3, 2, 'f', 3},
    {".B..", 4, 0, 3, 2, '-', 0},     {"...B", 4, 3, 1, 1, '-', 0},
    {".L..", 4, 0, 3, 1, 'o', 1},     {".L..", 4, 0, 1, 1, 'o', 1},
    {"..LL.", 5, 0, 5, 2, 'o', 2},    {"..M.", 4, 0, 5, 2, 'o', 2},
    {"...L", 4, 2, 2, 1, 'o', 3},     {"L...", 4, 1, 2, 2, 'o', 3},
    {".TL.", 4, 0, 5, 2, 'f', 1},     {".DL.", 4, 0, 5, 2, '-', 0},
    {".T.T.T.", 4, 3, 2, 1, 'f', 3},  {".T.T.T.", 4, 4, 2, 2, 'f', 5},
    {"...L..L.", 4, 4, 5, 2, 'o', 6}, {".", 1, 0, 5, 1, 'n', 0},
    {"..T", 1, 2, 5, 1, 'f', 2},      {"...", 2, 1, 1, 1, 'o', 2},
};

static void test_spelt_out(void **state) {
  (void)state;
  static World w;
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    const Case *c = &cases[k];
    const RlReplayWindow window = {c->n_step, 0.5, true, true, true};
    world_init(&w, c->capacity, 1, 2);
    for (const char *end = c->ends; *end; end++) world_step(&w, end);
    RlTransition found;
    rl_replay_read(&w.replay, &found, c->start % c->capacity, &window);
    double ret = 0;
    for (int i = 0; i < c->steps; i++) ret += ldexp((double)w.step[0][c->start + i].rew, -i);
    const float *to = c->to == 'o' ? w.step[0][c->at].obs : w.now;
    if (c->to == 'f') to = w.step[0][c->at].next_obs;
    if (found.steps != c->steps) fail_msg("case %zu: %d steps", k, found.steps);
    if (!(found.discount == (c->to == '-' ? 0 : ldexp(1, -c->steps)))) fail_msg("case %zu", k);
    if (memcmp(found.next_obs, to, sizeof(float) * O) != 0 && c->to != '-') fail_msg("case %zu", k);
    assert_near(found.ret, ret, 1e-15);
    world_free(&w);
  }
}

// ---------------------------------------------------------------- drawing

static void test_draw(void **state) {
  (void)state;
  static World w;
  static const int steps[] = {1, 37, 100, 101, 150, 399};
  for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
    for (int lost = 0; lost < 2; lost++) {
      world_init(&w, 300, 3, 20);
      w.lose = lost ? 0.3 : 0;
      while (w.steps < steps[k] || rl_replay_count(&w.replay) == 0) world_step(&w, NULL);
      expect_even(&w, &w.replay);
      world_free(&w);
    }
  }
}

// a single transition among lost ones is found, and nothing is drawn from a buffer of none
static void test_draw_one(void **state) {
  (void)state;
  static World w;
  int64_t slot[64];
  world_init(&w, 9, 1, 20);
  for (int t = 0; t < 40; t++) {
    world_step(&w, t == 35 ? "." : "L");
    assert_int_equal(rl_replay_count(&w.replay), t >= 35);
  }
  rl_replay_draw(&w.replay, slot, 64, &w.rng);
  for (int i = 0; i < 64; i++) assert_int_equal(slot[i], 35 % 9);
  for (int t = 0; t < 9; t++) world_step(&w, "L");
  assert_int_equal(rl_replay_count(&w.replay), 0);
  world_free(&w);
}

// the draw is rl_rng_bounded's, which has no modulo bias, one number a slot
static void test_draw_is_bounded(void **state) {
  (void)state;
  static World w;
  int64_t slot[500];
  RlRng a, b;
  world_init(&w, 90, 3, 20);
  w.lose = 0;
  for (int t = 0; t < 71; t++) world_step(&w, NULL);
  rl_rng_init(&a, 9, RL_STREAM_REPLAY, 0);
  b = a;
  rl_replay_draw(&w.replay, slot, 500, &a);
  for (int i = 0; i < 500; i++) {
    int64_t nth = 41 % 30 * 3 + (int64_t)rl_rng_bounded(&b, 90);
    assert_int_equal(slot[i], nth % 90);
  }
  assert_memory_equal(&a, &b, sizeof a);
  world_free(&w);
}

// ---------------------------------------------------------------- sizes

static void test_bytes(void **state) {
  (void)state;
  static const int size[][5] = {
      {1, 1, 1, 1, 1}, {1000, 8, 17, 6, 1000}, {999, 100, 5, 2, 7}, {5, 9, 3, 1, 4}};
  for (int k = 0; k < 4; k++) {
    const int *s = size[k];
    RlArena arena = {0};
    RlReplay replay;
    RlReplaySlice slice;
    rl_replay_init(&replay, &arena, s[0], s[1], s[2], s[3], s[4], NULL);
    double bytes = rl_replay_bytes(s[0], s[1], s[2], s[3], s[4]);
    // an array's share of alignment apart
    assert_true(bytes <= (double)arena.used && (double)arena.used <= bytes + 6 * 64);
    assert_int_equal(replay.capacity, s[0] < s[1] ? 1 : s[0] / s[1]);
    size_t before = arena.used;
    rl_replay_slice_init(&slice, &arena, &replay, 13);
    double used = (double)(arena.used - before);
    bytes = rl_replay_slice_bytes(13, s[1], s[2], s[3], s[4]);
    assert_true(bytes <= used && used <= bytes + 6 * 64);
    rl_arena_free(&arena);
  }
  // sizes that no machine has are still numbers to refuse them by
  double most = rl_replay_bytes(10000000000, 1, 348, 17, 1000);
  assert_near(most / 1e10, 4 * (348 + 17 + 1) + 5 + 4 * 0.348, 1e-9);
}

// there are as many seats as time limits that can lie in the ring, wherever the episodes stand
static void test_seats(void **state) {
  (void)state;
  for (int capacity = 1; capacity <= 12; capacity++) {
    for (int limit = 1; limit <= 13; limit++) {
      RlArena arena = {0};
      RlReplay replay;
      rl_replay_init(&replay, &arena, 3 * capacity, 3, 1, 1, limit, NULL);
      int most = 0;
      for (int length = 0; length < limit; length++) {
        int count = 0, now = length;
        for (int t = 0; t < capacity; t++) {
          if (++now == limit) count++, now = 0;
        }
        if (count > most) most = count;
      }
      assert_int_equal(replay.max_final, 3 * most);
      rl_arena_free(&arena);
    }
  }
}

// how a child process that does the work ends
static bool aborts(void (*work)(void)) {
  int status;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    if (!freopen("/dev/null", "w", stderr)) _exit(2);
    signal(SIGABRT, SIG_DFL);
    work();
    _exit(0);
  }
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void too_many_slots(void) {
  RlArena arena = {0};
  RlReplay replay;
  rl_replay_init(&replay, &arena, (int64_t)RL_REPLAY_MAX_SLOTS + 1, 1, 1, 1, 1, NULL);
}

static void too_many_seats(void) {
  static World w;
  world_init(&w, 10, 1, 5);
  for (int t = 0; t < 3; t++) world_step(&w, "T");
}

static void draw_from_none(void) {
  static World w;
  int64_t slot;
  world_init(&w, 10, 1, 5);
  world_step(&w, "L");
  rl_replay_draw(&w.replay, &slot, 1, &w.rng);
}

static void read_lost(void) {
  static World w;
  const RlReplayWindow window = {1, 0.9, true, true, true};
  RlTransition out;
  world_init(&w, 10, 1, 5);
  world_step(&w, "L");
  rl_replay_read(&w.replay, &out, 0, &window);
}

static void do_nothing(void) {}

static void test_refused(void **state) {
  (void)state;
  assert_true(aborts(too_many_slots));
  assert_true(aborts(too_many_seats));
  assert_true(aborts(draw_from_none));
  assert_true(aborts(read_lost));
  assert_false(aborts(do_nothing));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_histories),
      cmocka_unit_test(test_every_step_truncated),
      cmocka_unit_test(test_spelt_out),
      cmocka_unit_test(test_draw),
      cmocka_unit_test(test_draw_one),
      cmocka_unit_test(test_draw_is_bounded),
      cmocka_unit_test(test_bytes),
      cmocka_unit_test(test_seats),
      cmocka_unit_test(test_refused),

  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
