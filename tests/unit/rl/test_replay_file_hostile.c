// A replay buffer on disk that is damaged, missing or made up is refused with one line and leaves
// an empty buffer behind.
#include "tests/unit/rl/replay_disk.h"

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

#define RUN_TEST(name) cmocka_unit_test_setup_teardown(name, make_run, remove_run)

int main(void) {
  const struct CMUnitTest tests[] = {
      RUN_TEST(test_segment_damaged), RUN_TEST(test_segments_swapped),
      RUN_TEST(test_hostile_counts),  RUN_TEST(test_hostile_final),
      RUN_TEST(test_hostile_ends),    RUN_TEST(test_hostile_limit),
      RUN_TEST(test_other_run),       RUN_TEST(test_hostile_segment),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
