// The replay buffer on disk: what is saved comes back bit for bit wherever ring and segments stand,
// files depend on the number of steps alone, and a segment is written once.
#include "tests/unit/rl/replay_disk.h"

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
    char name[3][32], path[RL_PATH_SIZE], kept[RL_PATH_SIZE];
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

// A segment that was listed and has since gone, been cut short, or been replaced is written again
// with the same bytes at the next save, and the resume file before is sound again too.
static void test_mended(void **state) {
  (void)state;
  char path[RL_PATH_SIZE];
  size_t size, again;
  RlFolder folder = create("a");
  World w, other;
  world_init(&w, 3 * 8000, 3, 500);
  world_init(&other, 3 * 8000, 3, 500);
  feed(&w, 8192);
  save(&w, &folder);
  rl_folder_segment(&folder, 2730, path);
  uint8_t *data = scratch_get(path, &size), *found;
  for (int damage = 0; damage < 6; damage++) {
    assert_int_equal(unlink(path), 0);
    if (damage == 1) scratch_put(path, data, size - 1);
    if (damage == 2) scratch_put(path, data, 100);
    if (damage == 3) assert_int_equal(mkfifo(path, 0600), 0);
    if (damage == 4) assert_int_equal(symlink("/dev/zero", path), 0);
    if (damage == 5) {
      rl_folder_segment(&folder, 5460, path);
      found = scratch_get(path, &again);
      rl_folder_segment(&folder, 2730, path);
      scratch_put(path, found, again);
      free(found);
    }
    assert_int_equal(load(&other, &folder, 8192), RL_FAIL);
    feed(&w, 8200 + damage);
    save(&w, &folder);
    assert_int_equal(w.file.mended, 1);
    found = scratch_get(path, &again);
    assert_true(again == size && memcmp(found, data, size) == 0);
    free(found);
    assert_int_equal(load(&other, &folder, 8192), RL_OK);
    assert_int_equal(load(&other, &folder, 8200 + damage), RL_OK);
    expect_equal(&w, &other);
  }
  save(&w, &folder);
  assert_int_equal(w.file.mended, 0);
  // the folder of all of them
  for (int64_t first = 2730; first < 8190; first += 2730) {
    rl_folder_segment(&folder, first, path);
    assert_int_equal(unlink(path), 0);
  }
  assert_int_equal(rmdir(scratch_path("a/resume/replay")), 0);
  save(&w, &folder);
  assert_int_equal(w.file.mended, 2);
  free(data);
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

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_round_trip),   SCRATCH_TEST(test_history_does_not_show),
      SCRATCH_TEST(test_written_once), SCRATCH_TEST(test_prune),
      SCRATCH_TEST(test_mended),       SCRATCH_TEST(test_disk_fails),
      cmocka_unit_test(test_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
