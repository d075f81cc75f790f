// What the tests of the replay buffer on disk share: a buffer with its file, how it is saved and
// loaded, and whether two hold the same.
#ifndef TESTS_UNIT_RL_REPLAY_DISK_H_
#define TESTS_UNIT_RL_REPLAY_DISK_H_

#include "rl/run/replay_file.h"
#include "tests/unit/rl/near.h"
#include "tests/unit/rl/scratch.h"

enum { O = 2, A = 1 };

// A buffer with its file, fed with steps that are a function of their number alone.
typedef struct {
  RlArena arena;
  RlReplay replay;
  RlReplayFile file;
  int N, limit;
  float *now, *obs, *act, *rew, *next_obs;
  uint8_t *end;
} World;

static inline void world_init(World *w, int64_t buffer_size, int N, int limit) {
  memset(w, 0, sizeof *w);
  w->N = N;
  w->limit = limit;
  w->now = RL_PUSH(&w->arena, float, N *O);
  w->obs = RL_PUSH(&w->arena, float, N *O);
  w->act = RL_PUSH(&w->arena, float, N *A);
  w->rew = RL_PUSH(&w->arena, float, N);
  w->next_obs = RL_PUSH(&w->arena, float, N *O);
  w->end = RL_PUSH(&w->arena, uint8_t, N);
  rl_replay_init(&w->replay, &w->arena, buffer_size, N, O, A, limit, w->now);
  rl_replay_file_init(&w->file, &w->arena, &w->replay);
}

static inline void world_free(World *w) {
  rl_arena_free(&w->arena);
}

// pushes steps until so many are written
static inline void feed(World *w, int64_t written) {
  while (w->replay.written < written) {
    int64_t t = w->replay.written;
    RlRng rng;
    rl_rng_init(&rng, 1, RL_STREAM_ENV, (uint64_t)t);
    draw_floats(w->obs, w->N * O, -1, 1, &rng);
    draw_floats(w->act, w->N * A, -1, 1, &rng);
    draw_floats(w->rew, w->N, -1, 1, &rng);
    draw_floats(w->next_obs, w->N * O, -1, 1, &rng);
    for (int n = 0; n < w->N; n++) {
      double u = rl_rng_uniform(&rng);
      w->end[n] = u < 0.05 ? RL_REPLAY_LOST : u < 0.1 ? RL_REPLAY_TERMINATED : 0;
      // environments reach their limits at different times
      if ((t + n) % w->limit == 0) w->end[n] |= RL_REPLAY_TRUNCATED;
    }
    rl_replay_push(&w->replay, w->obs, w->act, w->rew, w->end, w->next_obs);
  }
}

static inline void resume_path(int64_t written, char path[RL_PATH_SIZE]) {
  snprintf(path, RL_PATH_SIZE, "%s/%06lld.h5", scratch_dir, (long long)written);
}

// the segments, then a resume file of nothing but the buffer
static inline void save(World *w, const RlFolder *folder) {
  char path[RL_PATH_SIZE];
  RlFields fields = {0};
  if (rl_replay_file_save(&w->file, folder) != RL_OK) fail_msg("%s", rl_error_text());
  rl_replay_file_fields(&w->file, &fields);
  assert_int_equal(fields.n, 16);
  resume_path(w->replay.written, path);
  if (rl_checkpoint_save(path, fields.field, fields.n) != RL_OK) fail_msg("%s", rl_error_text());
}

static inline RlStatus load_path(World *w, const RlFolder *folder, const char *path) {
  RlCheckpoint *checkpoint;
  RL_TRY(rl_checkpoint_open(&checkpoint, path));
  RlStatus status = rl_replay_file_load(&w->file, folder, checkpoint, path);
  rl_checkpoint_close(checkpoint);
  return status;
}

static inline RlStatus load(World *w, const RlFolder *folder, int64_t written) {
  char path[RL_PATH_SIZE];
  resume_path(written, path);
  return load_path(w, folder, path);
}

static inline RlFolder create(const char *name) {
  RlFolder folder;
  if (rl_folder_create(&folder, scratch_path(name)) != RL_OK) fail_msg("%s", rl_error_text());
  return folder;
}

// what both rings hold is the same, step by step
static inline void expect_equal(const World *a, const World *b) {
  const RlReplay *x = &a->replay, *y = &b->replay;
  assert_int_equal(x->written, y->written);
  assert_int_equal(x->oldest, y->oldest);
  assert_int_equal(x->nlost, y->nlost);
  assert_int_equal(x->nfinal - x->nretired, y->nfinal - y->nretired);
  for (int64_t t = x->oldest; t < x->written; t++) {
    size_t N = (size_t)x->N, at = (size_t)(t % x->capacity) * N;
    assert_memory_equal(x->obs + at * O, y->obs + at * O, N * O * sizeof(float));
    assert_memory_equal(x->act + at * A, y->act + at * A, N * A * sizeof(float));
    assert_memory_equal(x->rew + at, y->rew + at, N * sizeof(float));
    assert_memory_equal(x->end + at, y->end + at, N);
    for (size_t i = at; i < at + N; i++) {
      assert_int_equal(x->seat[i] < 0, y->seat[i] < 0);
      if (x->seat[i] < 0) continue;
      assert_memory_equal(x->final_obs + x->seat[i] * O, y->final_obs + y->seat[i] * O,
                          O * sizeof(float));
    }
  }
}

#endif
