// The replay buffer against a list that keeps every step of every environment for ever: what a
// window sums and leads to at every slot, seam and switch, who may be drawn and how evenly, and
// that a copy made of slices goes on as the original does.
#include "rl/data/replay.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/rl/near.h"

enum { MAX_N = 3, O = 2, A = 2, MAX_STEPS = 400 };

// ---------------------------------------------------------------- the list

typedef struct {
  float obs[O], act[A], rew, next_obs[O];
  bool terminated, truncated, lost;
} Step;

typedef struct {
  RlArena arena;
  RlRng rng;
  RlReplay replay;
  int N, limit, steps;
  int length[MAX_N];  // of the episodes under way
  double terminate, lose;
  float now[MAX_N * O];
  Step step[MAX_N][MAX_STEPS];
} World;

static void world_init(World *w, int64_t buffer_size, int N, int limit) {
  memset(w, 0, sizeof *w);
  rl_rng_init(&w->rng, 11, RL_STREAM_ENV, (uint64_t)(100 * N + limit));
  w->N = N;
  w->limit = limit;
  w->terminate = 0.15;
  w->lose = 0.2;
  draw_floats(w->now, N * O, -1, 1, &w->rng);
  rl_replay_init(&w->replay, &w->arena, buffer_size, N, O, A, limit, w->now);
}

static void world_free(World *w) {
  rl_arena_free(&w->arena);
}

// Gives the step just drawn for every environment to a buffer.
static void give(const World *w, RlReplay *replay) {
  float obs[MAX_N * O], act[MAX_N * A], rew[MAX_N], next_obs[MAX_N * O];
  uint8_t end[MAX_N];
  for (int n = 0; n < w->N; n++) {
    const Step *s = &w->step[n][w->steps - 1];
    memcpy(obs + n * O, s->obs, sizeof s->obs);
    memcpy(act + n * A, s->act, sizeof s->act);
    memcpy(next_obs + n * O, s->next_obs, sizeof s->next_obs);
    rew[n] = s->rew;
    end[n] = (uint8_t)((s->terminated ? RL_REPLAY_TERMINATED : 0) |
                       (s->truncated ? RL_REPLAY_TRUNCATED : 0) | (s->lost ? RL_REPLAY_LOST : 0));
    // the next one to be read unlike what the episode led to where it must not be
    if (!s->truncated || s->terminated) next_obs[n * O] = NAN;
    if (s->lost) act[n * A] = rew[n] = NAN;
  }
  rl_replay_push(replay, obs, act, rew, end, next_obs);
}

// One vector step, its ends given or (NULL) random: '.' goes on, 'D' terminated, 'T' truncated, 'B'
// both, 'L' lost, 'M' lost with every other bit.
static void world_step(World *w, const char *ends) {
  for (int n = 0; n < w->N; n++) {
    assert_true(w->steps < MAX_STEPS);
    Step *s = &w->step[n][w->steps];
    memcpy(s->obs, w->now + n * O, sizeof s->obs);
    draw_floats(s->act, A, -1, 1, &w->rng);
    draw_floats(&s->rew, 1, -1, 1, &w->rng);
    draw_floats(s->next_obs, O, -1, 1, &w->rng);
    char end = ends ? ends[n] : '.';
    bool full = ++w->length[n] == w->limit;
    if (!ends && full) end = rl_rng_uniform(&w->rng) < 0.3 ? 'B' : 'T';
    if (!ends && rl_rng_uniform(&w->rng) < w->terminate) end = end == 'T' ? 'B' : 'D';
    if (!ends && rl_rng_uniform(&w->rng) < w->lose) end = end == '.' ? 'L' : 'M';
    s->terminated = end == 'D' || end == 'B' || end == 'M';
    s->truncated = end == 'T' || end == 'B' || end == 'M';
    s->lost = end == 'L' || end == 'M';
    if (end != '.') {
      w->length[n] = 0;
      draw_floats(w->now + n * O, O, -1, 1, &w->rng);
    } else {
      memcpy(w->now + n * O, s->next_obs, sizeof s->next_obs);
    }
  }
  w->steps++;
  give(w, &w->replay);
}

// what the list says environment n stood before at step t
static const float *seen(const World *w, int n, int t) {
  return t < w->steps ? w->step[n][t].obs : w->now + n * O;
}

// what the list makes of the window that begins with step t
static RlTransition expected(const World *w, int n, int t, const RlReplayWindow *window) {
  RlTransition out = {.obs = w->step[n][t].obs, .act = w->step[n][t].act};
  const Step *s = NULL;
  for (int k = 0; k < window->n_step && t + k < w->steps && !w->step[n][t + k].lost; k++) {
    s = &w->step[n][t + k];
    out.ret += pow(window->gamma, k) * (double)s->rew;
    out.steps = k + 1;
    if (s->terminated || s->truncated) break;
  }
  out.discount = pow(window->gamma, window->discount_steps_taken ? out.steps : window->n_step);
  out.next_obs = seen(w, n, t + out.steps);
  if (s->terminated || (s->truncated && !window->bootstrap_truncated)) {
    out.discount = 0;
  } else if (s->truncated && window->final_observation) {
    out.next_obs = s->next_obs;
  }
  return out;
}

static void expect_transition(const World *w, const RlReplay *replay, int n, int t,
                              const RlReplayWindow *window) {
  int64_t slot = t % replay->capacity * w->N + n;
  RlTransition found, e = expected(w, n, t, window);
  rl_replay_read(replay, &found, slot, window);
  assert_int_equal(found.steps, e.steps);
  assert_near(found.ret, e.ret, 1e-12);
  assert_near(found.discount, e.discount, 1e-12);
  assert_memory_equal(found.obs, e.obs, sizeof(float) * O);
  assert_memory_equal(found.act, e.act, sizeof(float) * A);
  if (e.discount != 0) assert_memory_equal(found.next_obs, e.next_obs, sizeof(float) * O);
  for (int i = 0; i < O; i++) assert_true(isfinite(found.next_obs[i]));
}

// every transition in the ring, with every switch
static void expect_all(const World *w, const RlReplay *replay) {
  int first = w->steps > replay->capacity ? w->steps - (int)replay->capacity : 0;
  int64_t count = 0;
  assert_int_equal(replay->oldest, first);
  assert_int_equal(replay->written, w->steps);
  for (int t = first; t < w->steps; t++) {
    for (int n = 0; n < w->N; n++) {
      if (w->step[n][t].lost) continue;
      count++;
      for (int k = 0; k < 5 * 8; k++) {
        RlReplayWindow window = {1 + k / 8, 0.9, k & 1, k & 2, k & 4};
        expect_transition(w, replay, n, t, &window);
      }
    }
  }
  assert_int_equal(rl_replay_count(replay), count);
}

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

// Pearson's statistic of how often each slot is drawn; what may not be drawn must not be
static double chi_square(const World *w, const RlReplay *replay, int each, int64_t *count) {
  int64_t slots = replay->capacity * replay->N;
  int64_t *drawn = malloc(1000 * sizeof *drawn);
  int *times = calloc((size_t)slots, sizeof *times);
  RlRng rng;
  rl_rng_init(&rng, 5, RL_STREAM_REPLAY, 0);
  *count = rl_replay_count(replay);
  int n = each * (int)*count;
  for (int left = n; left > 0;) {
    int now = left < 1000 ? left : 1000;
    rl_replay_draw(replay, drawn, now, &rng);
    for (int i = 0; i < now; i++) times[drawn[i]]++;
    left -= now;
  }
  double sum = 0;
  for (int64_t slot = 0; slot < slots; slot++) {
    int64_t t = slot / w->N;
    while (t + replay->capacity < w->steps) t += replay->capacity;
    bool held = t >= replay->oldest && t < w->steps && !w->step[slot % w->N][t].lost;
    if (!held) assert_int_equal(times[slot], 0);
    if (held) sum += pow(times[slot] - each, 2) / each;
  }
  free(times);
  free(drawn);
  return sum;
}

// within five deviations of its mean on both sides: too even is wrong too
static void expect_even(const World *w, const RlReplay *replay) {
  int64_t count;
  double found = chi_square(w, replay, 200, &count), mean = (double)count - 1;
  if (!(fabs(found - mean) <= 5 * sqrt(2 * mean) + 1e-9)) fail_msg("%g, expected %g", found, mean);
}

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

// ---------------------------------------------------------------- slices

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
      cmocka_unit_test(test_random_histories),
      cmocka_unit_test(test_every_step_truncated),
      cmocka_unit_test(test_spelt_out),
      cmocka_unit_test(test_draw),
      cmocka_unit_test(test_draw_one),
      cmocka_unit_test(test_draw_is_bounded),
      cmocka_unit_test(test_bytes),
      cmocka_unit_test(test_seats),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_copy_goes_on),
      cmocka_unit_test(test_draw_after_clear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
