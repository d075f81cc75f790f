// What the replay buffer's tests share: a list that keeps every step of every environment for ever,
// what it makes of a window, and whether a buffer agrees.
#ifndef TESTS_UNIT_RL_REPLAY_LIST_H_
#define TESTS_UNIT_RL_REPLAY_LIST_H_

#include <stdio.h>
#include <stdlib.h>

#include "rl/data/replay.h"
#include "tests/unit/rl/near.h"

enum { MAX_N = 3, O = 2, A = 2, MAX_STEPS = 400 };

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

static inline void world_init(World *w, int64_t buffer_size, int N, int limit) {
  memset(w, 0, sizeof *w);
  rl_rng_init(&w->rng, 11, RL_STREAM_ENV, (uint64_t)(100 * N + limit));
  w->N = N;
  w->limit = limit;
  w->terminate = 0.15;
  w->lose = 0.2;
  draw_floats(w->now, N * O, -1, 1, &w->rng);
  rl_replay_init(&w->replay, &w->arena, buffer_size, N, O, A, limit, w->now);
}

static inline void world_free(World *w) {
  rl_arena_free(&w->arena);
}

// Gives the step just drawn for every environment to a buffer.
static inline void give(const World *w, RlReplay *replay) {
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
static inline void world_step(World *w, const char *ends) {
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
static inline const float *seen(const World *w, int n, int t) {
  return t < w->steps ? w->step[n][t].obs : w->now + n * O;
}

// what the list makes of the window that begins with step t
static inline RlTransition expected(const World *w, int n, int t, const RlReplayWindow *window) {
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

static inline void expect_transition(const World *w, const RlReplay *replay, int n, int t,
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
static inline void expect_all(const World *w, const RlReplay *replay) {
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

// Pearson's statistic of how often each slot is drawn; what may not be drawn must not be
static inline double chi_square(const World *w, const RlReplay *replay, int each, int64_t *count) {
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
static inline void expect_even(const World *w, const RlReplay *replay) {
  int64_t count;
  double found = chi_square(w, replay, 200, &count), mean = (double)count - 1;
  if (!(fabs(found - mean) <= 5 * sqrt(2 * mean) + 1e-9)) fail_msg("%g, expected %g", found, mean);
}

#endif
