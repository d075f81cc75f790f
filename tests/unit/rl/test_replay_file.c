// The replay buffer on disk: what is saved comes back bit for bit wherever ring and segments stand,
// files depend on the number of steps alone, a segment is written once, and whatever is damaged,
// missing or made up is refused with one line and leaves an empty buffer.
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

static void world_init(World *w, int64_t buffer_size, int N, int limit) {
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

static void world_free(World *w) {
  rl_arena_free(&w->arena);
}

// pushes steps until so many are written
static void feed(World *w, int64_t written) {
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

static void resume_path(int64_t written, char path[RL_PATH_SIZE]) {
  snprintf(path, RL_PATH_SIZE, "%s/%06lld.h5", scratch_dir, (long long)written);
}

// the segments, then a resume file of nothing but the buffer
static void save(World *w, const RlFolder *folder) {
  char path[RL_PATH_SIZE];
  RlFields fields = {0};
  if (rl_replay_file_save(&w->file, folder) != RL_OK) fail_msg("%s", rl_error_text());
  rl_replay_file_fields(&w->file, &fields);
  assert_int_equal(fields.n, 16);
  resume_path(w->replay.written, path);
  if (rl_checkpoint_save(path, fields.field, fields.n) != RL_OK) fail_msg("%s", rl_error_text());
}

static RlStatus load_path(World *w, const RlFolder *folder, const char *path) {
  RlCheckpoint *checkpoint;
  RL_TRY(rl_checkpoint_open(&checkpoint, path));
  RlStatus status = rl_replay_file_load(&w->file, folder, checkpoint, path);
  rl_checkpoint_close(checkpoint);
  return status;
}

static RlStatus load(World *w, const RlFolder *folder, int64_t written) {
  char path[RL_PATH_SIZE];
  resume_path(written, path);
  return load_path(w, folder, path);
}

static RlFolder create(const char *name) {
  RlFolder folder;
  if (rl_folder_create(&folder, scratch_path(name)) != RL_OK) fail_msg("%s", rl_error_text());
  return folder;
}

// what both rings hold is the same, step by step
static void expect_equal(const World *a, const World *b) {
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

static void expect_same_file(const char *a, const char *b) {
  size_t m, n;
  uint8_t *x = scratch_get(a, &m), *y = scratch_get(b, &n);
  assert_int_equal(m, n);
  assert_memory_equal(x, y, n);
  free(x);
  free(y);
}

// ---------------------------------------------------------------- round trips

typedef struct {
  int64_t buffer_size;
  int N, limit;
  int64_t at[14];
} Plan;

// segments: 2730 steps of 3 environments, 8192 of one, 2 of 4096, 1 of 5000
static const Plan plans[] = {
    {3 * 8000,
     3,
     500,
     {0, 1, 2729, 2730, 2731, 5460, 7999, 8000, 8001, 10729, 10730, 10731, 16380, 17001}},
    {3 * 5460, 3, 1, {1, 2730, 5460, 5461, 8189, 8190, 8191, 10920}},
    {3 * 4000, 3, 100, {2729, 2730, 4000, 4001, 5459, 5460, 5461, 6729, 6730, 6731, 9000}},
    {3 * 2730, 3, 100, {2729, 2730, 2731, 5459, 5460, 5461, 9000}},
    {3 * 50, 3, 7, {1, 49, 50, 51, 2729, 2730, 2731, 2779, 2780, 2781, 6000}},
    {1, 3, 7, {1, 2, 2730, 2731}},
    {20000, 1, 1000, {8191, 8192, 16384, 20000, 20001, 30000}},
    {4096 * 5, 4096, 3, {1, 2, 3, 4, 5, 6, 7, 12}},
    {5000 * 3, 5000, 3, {1, 2, 3, 4, 9}},
};

static void test_round_trip(void **state) {
  (void)state;
  RlFolder folder = create("a");
  World w, other;
  for (size_t k = 0; k < sizeof plans / sizeof *plans; k++) {
    const Plan *p = &plans[k];
    world_init(&w, p->buffer_size, p->N, p->limit);
    world_init(&other, p->buffer_size, p->N, p->limit);
    for (int i = 0; i == 0 || (i < 14 && p->at[i]); i++) {
      feed(&w, p->at[i]);
      save(&w, &folder);
      // into a buffer that held something else
      feed(&other, other.replay.written + 3);
      if (load(&other, &folder, p->at[i]) != RL_OK) fail_msg("%s", rl_error_text());
      expect_equal(&w, &other);
    }
    world_free(&w);
    world_free(&other);
  }
  rl_folder_close(&folder);
}

// A run that saved once, one that saved often, and one that was loaded again after every save, end
// with the same bytes.
static void test_history_does_not_show(void **state) {
  (void)state;
  World once, often, again;
  for (size_t k = 0; k < sizeof plans / sizeof *plans; k++) {
    const Plan *p = &plans[k];
    char name[3][8], path[RL_PATH_SIZE], kept[RL_PATH_SIZE];
    RlFolder folder[3];
    for (int i = 0; i < 3; i++) {
      snprintf(name[i], sizeof name[i], "%zu-%d", k, i);
      folder[i] = create(name[i]);
    }
    world_init(&once, p->buffer_size, p->N, p->limit);
    world_init(&often, p->buffer_size, p->N, p->limit);
    int last = 0;
    for (int i = 0; i == 0 || (i < 14 && p->at[i]); i++) {
      feed(&often, p->at[i]);
      save(&often, &folder[1]);
      world_init(&again, p->buffer_size, p->N, p->limit);
      if (i > 0) assert_int_equal(load(&again, &folder[2], p->at[i - 1]), RL_OK);
      feed(&again, p->at[i]);
      resume_path(p->at[i], path);
      snprintf(kept, sizeof kept, "%s/often.h5", scratch_dir);
      assert_int_equal(rename(path, kept), 0);
      save(&again, &folder[2]);
      expect_same_file(path, kept);
      world_free(&again);
      last = i;
    }
    feed(&once, p->at[last]);
    save(&once, &folder[0]);
    expect_same_file(path, kept);
    for (int i = 0; i < once.file.count; i++) {
      char a[RL_PATH_SIZE], b[RL_PATH_SIZE];
      rl_folder_segment(&folder[0], once.file.first + i * once.file.segment, a);
      for (int j = 1; j < 3; j++) {
        rl_folder_segment(&folder[j], once.file.first + i * once.file.segment, b);
        expect_same_file(a, b);
      }
    }
    for (int i = 0; i < 3; i++) rl_folder_close(&folder[i]);
    world_free(&once);
    world_free(&often);
  }
}

// ---------------------------------------------------------------- what is written, what is removed

static struct stat look(const RlFolder *folder, int64_t first) {
  char path[RL_PATH_SIZE];
  struct stat info;
  rl_folder_segment(folder, first, path);
  if (stat(path, &info) != 0) memset(&info, 0, sizeof info);
  return info;
}

static void test_written_once(void **state) {
  (void)state;
  RlFolder folder = create("a");
  World w;
  world_init(&w, 3 * 8000, 3, 500);
  // a run without a whole segment makes no folder for them
  feed(&w, 2729);
  save(&w, &folder);
  assert_int_equal(scratch_count(scratch_path("a/resume/replay")), -1);
  assert_int_equal(rl_replay_file_prune(&w.file, &folder), RL_OK);
  feed(&w, 5500);
  save(&w, &folder);
  struct stat first = look(&folder, 2730), second;
  assert_int_equal(scratch_count(scratch_path("a/resume/replay")), 2);
  feed(&w, 8192);
  save(&w, &folder);
  second = look(&folder, 2730);
  assert_true(first.st_ino != 0 && first.st_ino == second.st_ino);
  assert_memory_equal(&first.st_mtim, &second.st_mtim, sizeof first.st_mtim);
  assert_int_equal(scratch_count(scratch_path("a/resume/replay")), 3);
  // nor after a resume
  World other;
  world_init(&other, 3 * 8000, 3, 500);
  assert_int_equal(load(&other, &folder, 8192), RL_OK);
  feed(&other, 10000);
  save(&other, &folder);
  second = look(&folder, 2730);
  assert_true(first.st_ino == second.st_ino);
  assert_int_equal(other.file.first, 2730);
  assert_int_equal(other.file.count, 2);
  // one beyond the list of an older resume file is written again
  first = look(&folder, 5460);
  assert_int_equal(load(&other, &folder, 5500), RL_OK);
  feed(&other, 8200);
  save(&other, &folder);
  second = look(&folder, 5460);
  assert_true(second.st_ino != 0 && first.st_ino != second.st_ino);
  world_free(&w);
  world_free(&other);
  rl_folder_close(&folder);
}

// what either of the two newest resume files lists stays, what neither does goes
static void test_prune(void **state) {
  (void)state;
  RlFolder folder = create("a");
  World w, other;
  world_init(&w, 3 * 8000, 3, 500);
  world_init(&other, 3 * 8000, 3, 500);
  static const int64_t at[] = {8192, 12000, 20000, 30000};
  // segments left after each: from the first of the resume file before on
  static const int64_t first[] = {0, 2730, 5460, 13650};
  for (int i = 0; i < 4; i++) {
    feed(&w, at[i]);
    save(&w, &folder);
    assert_int_equal(rl_replay_file_prune(&w.file, &folder), RL_OK);
    for (int64_t s = 0; s < 30000; s += 2730) {
      if (s < first[i]) assert_int_equal(look(&folder, s).st_ino, 0);
    }
    assert_int_equal(load(&other, &folder, at[i]), RL_OK);
    if (i > 0) assert_int_equal(load(&other, &folder, at[i - 1]), RL_OK);
  }
  // a resumed run keeps what the file that it came from lists
  assert_int_equal(load(&other, &folder, 20000), RL_OK);
  feed(&other, 30000);
  save(&other, &folder);
  char path[RL_PATH_SIZE];
  rl_folder_segment(&folder, 13649, path);
  scratch_put(path, "x", 1);
  assert_int_equal(rl_replay_file_prune(&other.file, &folder), RL_OK);
  assert_int_equal(look(&folder, 13649).st_ino, 0);
  assert_int_equal(load(&other, &folder, 20000), RL_OK);
  world_free(&w);
  world_free(&other);
  rl_folder_close(&folder);
}

static void test_disk_fails(void **state) {
  (void)state;
  RlFolder folder = create("a");
  World w, other;
  world_init(&w, 3 * 8000, 3, 500);
  feed(&w, 8192);
  assert_int_equal(rmdir(scratch_path("a/resume")), 0);
  assert_int_equal(rl_replay_file_save(&w.file, &folder), RL_FAIL);
  assert_non_null(strstr(rl_error_text(), "a/resume/replay: cannot create: No such file"));
  assert_int_equal(mkdir(scratch_path("a/resume"), 0700), 0);
  scratch_put(scratch_path("a/resume/replay"), "x", 1);
  assert_int_equal(rl_replay_file_save(&w.file, &folder), RL_FAIL);
  assert_non_null(strstr(rl_error_text(), "a/resume/replay"));
  assert_int_equal(w.file.count, 0);
  assert_int_equal(unlink(scratch_path("a/resume/replay")), 0);
  save(&w, &folder);
  world_init(&other, 3 * 8000, 3, 500);
  assert_int_equal(load(&other, &folder, 8192), RL_OK);
  expect_equal(&w, &other);
  world_free(&w);
  world_free(&other);
  rl_folder_close(&folder);
}

// ---------------------------------------------------------------- what is refused

static RlFolder folder;
static World saved, loaded;
static char whole[2][RL_PATH_SIZE], resume[RL_PATH_SIZE], hostile[RL_PATH_SIZE];

// a run of 8500 steps in a ring of 7000: a head, segments at 2730 and 5460, a tail
static int make_run(void **state) {
  if (scratch_make(state) != 0) return -1;
  folder = create("a");
  world_init(&saved, 3 * 7000, 3, 500);
  world_init(&loaded, 3 * 7000, 3, 500);
  feed(&saved, 8500);
  save(&saved, &folder);
  resume_path(8500, resume);
  rl_folder_segment(&folder, 2730, whole[0]);
  rl_folder_segment(&folder, 5460, whole[1]);
  snprintf(hostile, sizeof hostile, "%s/hostile.h5", scratch_dir);
  return saved.file.count == 2 && saved.file.first == 2730 ? 0 : -1;
}

static int remove_run(void **state) {
  rl_folder_close(&folder);
  world_free(&saved);
  world_free(&loaded);
  return scratch_remove(state);
}

// one line with both words, and nothing left in the buffer
static void expect_refused(const char *path, const char *word, const char *other) {
  rl_error_clear();
  feed(&loaded, loaded.replay.written + 5);
  assert_int_equal(load_path(&loaded, &folder, path), RL_FAIL);
  const char *line = rl_error_text();
  if (!strstr(line, word) || !strstr(line, other) || strchr(line, '\n')) {
    fail_msg("\"%s\" lacks \"%s\" or \"%s\"", line, word, other);
  }
  assert_int_equal(rl_replay_count(&loaded.replay), 0);
  assert_int_equal(loaded.replay.written, 0);
  assert_int_equal(loaded.file.count, 0);
}

static void expect_loads(void) {
  if (load_path(&loaded, &folder, resume) != RL_OK) fail_msg("%s", rl_error_text());
  expect_equal(&saved, &loaded);
}

static void test_segment_damaged(void **state) {
  (void)state;
  size_t size;
  uint8_t *data = scratch_get(whole[1], &size);
  static const double at[] = {0, 0.01, 0.5, 0.999};
  for (int i = 0; i < 4; i++) {
    size_t byte = (size_t)((double)(size - 1) * at[i]);
    data[byte] ^= 4;
    scratch_put(whole[1], data, size);
    expect_refused(resume, whole[1], i ? "" : "first line");
    data[byte] ^= 4;
  }
  scratch_put(whole[1], data, size - 1);
  expect_refused(resume, whole[1], "cut short");
  scratch_put(whole[1], data, 0);
  expect_refused(resume, whole[1], "empty");
  assert_int_equal(unlink(whole[1]), 0);
  expect_refused(resume, whole[1], "No such file");
  scratch_put(whole[1], data, size);
  expect_loads();
  free(data);
}

static void test_segments_swapped(void **state) {
  (void)state;
  char aside[RL_PATH_SIZE + 8];
  snprintf(aside, sizeof aside, "%s.aside", whole[0]);
  assert_int_equal(rename(whole[0], aside), 0);
  assert_int_equal(rename(whole[1], whole[0]), 0);
  assert_int_equal(rename(aside, whole[1]), 0);
  expect_refused(resume, whole[0], "found digest");
  expect_refused(resume, resume, "replay/digest[0]");
  // a sound file of another run
  World w;
  world_init(&w, 3 * 7000, 3, 400);
  feed(&w, 8500);
  assert_int_equal(rl_replay_file_save(&w.file, &folder), RL_OK);
  expect_refused(resume, whole[0], "found digest");
  world_free(&w);
}

// The resume file again, one field of it changed.
static void forge(const char *name, RlFieldType type, const void *data, int rank, int64_t rows,
                  int64_t columns) {
  RlFields fields = {0};
  bool found = false;
  rl_replay_file_fields(&saved.file, &fields);
  for (int i = 0; i < fields.n; i++) {
    if (strcmp(fields.field[i].name, name) != 0) continue;
    fields.field[i] = (RlField){name, type, rank, {rows, columns}, (void *)(uintptr_t)data, false};
    found = true;
  }
  assert_true(found);
  if (rl_checkpoint_save(hostile, fields.field, fields.n) != RL_OK) fail_msg("%s", rl_error_text());
}

static void test_hostile_counts(void **state) {
  (void)state;
  static const int64_t written[] = {-1, INT64_MAX, ((int64_t)1 << 53) + 1};
  for (int i = 0; i < 3; i++) {
    forge("replay/written", RL_I64, &written[i], 0, 0, 0);
    expect_refused(hostile, "replay/written", i ? "expected at most" : "negative");
  }
  // sizes that do not follow from the steps written
  static const int64_t other[] = {0, 1, 2729, 8499, 8501, 11000, (int64_t)1 << 53};
  for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
    forge("replay/written", RL_I64, &other[i], 0, 0, 0);
    expect_refused(hostile, hostile, "expected");
  }
  int64_t number = 2731;
  forge("replay/segment", RL_I64, &number, 0, 0, 0);
  expect_refused(hostile, "replay/segment: found 2731", "expected 2730");
  number = 5460;
  forge("replay/first", RL_I64, &number, 0, 0, 0);
  expect_refused(hostile, "replay/first: found 5460", "expected 2730");
  static const uint64_t digest[6];
  forge("replay/digest", RL_U64, digest, 2, 3, 2);
  expect_refused(hostile, "replay/digest", "(2, 2)");
  forge("replay/digest", RL_U64, digest, 2, 1, 2);
  expect_refused(hostile, "replay/digest", "(2, 2)");
  forge("replay/digest", RL_U64, digest, 2, 2, 2);
  expect_refused(hostile, whole[0], "replay/digest[0]");
  // a list that is right but for its last number
  uint64_t list[4];
  memcpy(list, saved.file.digest, sizeof list);
  list[3]++;
  forge("replay/digest", RL_U64, list, 2, 2, 2);
  expect_refused(hostile, whole[1], "replay/digest[1]");
  expect_loads();
}

static void test_hostile_final(void **state) {
  (void)state;
  enum { MANY = 100000 };
  static int32_t at[MANY];
  static const char head[] = "replay/head/final_at";
  const RlReplaySlice *slice = &saved.file.head;
  int n = slice->nfinal;
  assert_true(n >= 3 && n < slice->max_final);
  forge(head, RL_I32, at, 1, MANY, 0);
  expect_refused(hostile, head, "expected at most");
  forge(head, RL_I32, at, 0, 0, 0);
  expect_refused(hostile, head, "scalar");
  forge(head, RL_I32, slice->final_at, 1, n - 1, 0);
  expect_refused(hostile, "replay/head/final_obs", "expected");
  // places out of range, out of order, of steps that were not truncated
  static const int32_t wrong[] = {-1, INT32_MIN, INT32_MAX, 3 * 2730};
  for (int i = 0; i < 4; i++) {
    memcpy(at, slice->final_at, (size_t)n * sizeof *at);
    at[n - 1] = wrong[i];
    forge(head, RL_I32, at, 1, n, 0);
    expect_refused(hostile, "replay/head/final_at[", "truncated step");
  }
  memcpy(at, slice->final_at, (size_t)n * sizeof *at);
  at[0] = slice->final_at[1];
  at[1] = slice->final_at[0];
  forge(head, RL_I32, at, 1, n, 0);
  expect_refused(hostile, "replay/head/final_at[0]", "truncated step");
  expect_loads();
}

static void test_hostile_ends(void **state) {
  (void)state;
  static const char name[] = "replay/tail/end";
  const RlReplaySlice *slice = &saved.file.tail;
  int rows = slice->steps, slots = rows * 3;
  assert_true(slice->nfinal > 0);
  uint8_t *end = malloc((size_t)slots);
  static const uint8_t bad[] = {3, 5, 6, 7, 8, 255};
  for (size_t i = 0; i < sizeof bad; i++) {
    memcpy(end, slice->end, (size_t)slots);
    end[17] = bad[i];
    forge(name, RL_U8, end, 2, rows, 3);
    expect_refused(hostile, "replay/tail/end[17]: found ", "expected 0, 1, 2 or 4");
  }
  // one truncated step more than there are last observations, before and after them, and one less
  static const int extra[] = {0, -1};
  for (int i = 0; i < 2; i++) {
    memcpy(end, slice->end, (size_t)slots);
    end[extra[i] < 0 ? slots - 1 : extra[i]] = RL_REPLAY_TRUNCATED;
    forge(name, RL_U8, end, 2, rows, 3);
    // what an earlier file left in the list is not read
    loaded.file.tail.final_at[slice->nfinal] = slots - 1;
    expect_refused(hostile, "replay/tail/final_at[", "found no");
  }
  memcpy(end, slice->end, (size_t)slots);
  end[slice->final_at[slice->nfinal - 1]] = 0;
  forge(name, RL_U8, end, 2, rows, 3);
  expect_refused(hostile, "replay/tail/final_at: found", "truncated ones");
  free(end);
  expect_loads();
}

// A run whose episodes were shorter marks more truncated steps than there may be seats for.
static void test_hostile_limit(void **state) {
  (void)state;
  World w, other;
  world_init(&w, 3 * 50, 3, 7);
  world_init(&other, 3 * 50, 3, 8);
  feed(&w, 49);
  save(&w, &folder);
  assert_int_equal(load(&w, &folder, 49), RL_OK);
  assert_int_equal(load(&other, &folder, 49), RL_FAIL);
  assert_non_null(strstr(rl_error_text(), "truncated after 7 steps, expected at least 8"));
  assert_int_equal(rl_replay_count(&other.replay), 0);
  world_free(&w);
  world_free(&other);
}

// Another shape of buffer, or no buffer at all.
static void test_other_run(void **state) {
  (void)state;
  static const int size[][2] = {{3 * 7001, 3}, {4 * 7000, 4}, {7000, 1}};
  for (int i = 0; i < 3; i++) {
    World w;
    world_init(&w, size[i][0], size[i][1], 500);
    assert_int_equal(load_path(&w, &folder, resume), RL_FAIL);
    assert_non_null(strstr(rl_error_text(), resume));
    assert_int_equal(w.replay.written, 0);
    world_free(&w);
  }
  expect_refused(whole[0], whole[0], "replay/written: found nothing");
}

// A segment file that is sound and listed, but is not what it must be.
static void test_hostile_segment(void **state) {
  (void)state;
  static const struct {
    int64_t first;
    int32_t at;
    uint8_t end;
    const char *word;
  } forged[] = {{5460, -1, 0, "first: found 5460, expected 2730"},
                {2730, -1, 9, "end[5]: found 9"},
                {2730, INT32_MAX, 0, "final_at[0]"}};
  for (int i = 0; i < 3; i++) {
    RlReplaySlice *slice = &saved.file.whole;
    rl_replay_export(&saved.replay, slice, 2730, 2730);
    slice->first = forged[i].first;
    if (forged[i].end) slice->end[5] = forged[i].end;
    if (forged[i].at >= 0) slice->final_at[0] = forged[i].at;
    const RlField field[] = {
        {"first", RL_I64, 0, {0}, &slice->first, false},
        {"obs", RL_F32, 3, {2730, 3, O}, slice->obs, false},
        {"act", RL_F32, 3, {2730, 3, A}, slice->act, false},
        {"rew", RL_F32, 2, {2730, 3}, slice->rew, false},
        {"end", RL_U8, 2, {2730, 3}, slice->end, false},
        {"final_at", RL_I32, 1, {slice->nfinal}, slice->final_at, false},
        {"final_obs", RL_F32, 2, {slice->nfinal, O}, slice->final_obs, false},
    };
    uint64_t list[4];
    memcpy(list, saved.file.digest, sizeof list);
    assert_int_equal(rl_checkpoint_save_listed(whole[0], field, 7, list), RL_OK);
    forge("replay/digest", RL_U64, list, 2, 2, 2);
    expect_refused(hostile, whole[0], forged[i].word);
  }
}

static void test_bytes(void **state) {
  (void)state;
  static const int size[][4] = {{30000, 3, 5, 500}, {100, 7, 3, 1}, {100000, 5000, 2, 10}};
  for (int i = 0; i < 3; i++) {
    const int *s = size[i];
    RlArena arena = {0};
    RlReplay replay;
    RlReplayFile file;
    rl_replay_init(&replay, &arena, s[0], s[1], s[2], 4, s[3], NULL);
    size_t before = arena.used;
    rl_replay_file_init(&file, &arena, &replay);
    double used = (double)(arena.used - before);
    double bytes = rl_replay_file_bytes(s[0], s[1], s[2], 4, s[3]);
    assert_true(bytes <= used && used <= bytes + 20 * 64);
    rl_arena_free(&arena);
  }
}

#define RUN_TEST(name) cmocka_unit_test_setup_teardown(name, make_run, remove_run)

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_round_trip),   SCRATCH_TEST(test_history_does_not_show),
      SCRATCH_TEST(test_written_once), SCRATCH_TEST(test_prune),
      SCRATCH_TEST(test_disk_fails),   RUN_TEST(test_segment_damaged),
      RUN_TEST(test_segments_swapped), RUN_TEST(test_hostile_counts),
      RUN_TEST(test_hostile_final),    RUN_TEST(test_hostile_ends),
      RUN_TEST(test_hostile_limit),    RUN_TEST(test_other_run),
      RUN_TEST(test_hostile_segment),  cmocka_unit_test(test_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
