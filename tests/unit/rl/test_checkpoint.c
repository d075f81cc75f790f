// Checkpoint files: what is saved comes back, equal states give equal bytes, every damaged or
// hostile file is refused with a line that says why, and a failed save leaves what was there.
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "rl/run/checkpoint_format.h"
#include "tests/unit/rl/scratch.h"

static char dir[SCRATCH_PATH];

static int make_dir(void **state) {
  (void)state;
  scratch_make(dir);
  return 0;
}

static int remove_dir(void **state) {
  (void)state;
  scratch_remove(dir);
  return 0;
}

static const char *in_dir(const char *name) {
  static char path[2][2 * SCRATCH_PATH];
  static int turn;
  turn = !turn;
  snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
  return path[turn];
}

// one of everything
typedef struct {
  float param[5], cube[2][1][3], box[1][2][1][2];
  double mean;
  int32_t ints[3];
  int64_t steps[2][3];
  uint64_t words[2];
  uint8_t bytes[4];
  char text[12];
} State;

enum { NFIELD = 12, NNUMERIC = 10 };

static const State sample = {
    .param = {1.5f, -2, 3e-40f, 3.4e38f, -0.0f},
    .cube = {{{1, 2, 3}}, {{4, 5, 6}}},
    .box = {{{{7, 8}}, {{9, 10}}}},
    .mean = 0.1,
    .ints = {-1, INT32_MIN, INT32_MAX},
    .steps = {{1, -2, 3}, {INT64_MIN, INT64_MAX, 0}},
    .words = {UINT64_MAX, 1},
    .bytes = {0, 1, 128, 255},
    .text = "[run]\nseed=1",
};

static void list_fields(State *s, RlField field[NFIELD]) {
  const RlField list[NFIELD] = {
      {"actor/param", RL_F32, 1, {5}, s->param},
      {"actor/cube", RL_F32, 3, {2, 1, 3}, s->cube},
      {"box", RL_F32, 4, {1, 2, 1, 2}, s->box},
      {"normalizer/obs/mean", RL_F64, 0, {0}, &s->mean},
      {"normalizer/obs/ints", RL_I32, 1, {3}, s->ints},
      {"steps", RL_I64, 2, {2, 3}, s->steps},
      {"rng/words", RL_U64, 1, {2}, s->words},
      {"bytes", RL_U8, 1, {4}, s->bytes},
      {"none", RL_F64, 2, {0, 4}, NULL},
      {"last", RL_I32, 0, {0}, &s->ints[2]},
      {"config", RL_CHARS, 1, {12}, s->text},
      {"empty", RL_CHARS, 1, {0}, NULL},
  };
  memcpy(field, list, sizeof list);
}

static void save_sample(const char *path) {
  State state = sample;
  RlField field[NFIELD];
  list_fields(&state, field);
  if (rl_checkpoint_save(path, field, NFIELD) != RL_OK) fail_msg("%s", rl_error_text());
}

// asserts that opening fails with a line holding the file's name and all of the given words
static void expect_refused(const char *path, const char *word, const char *other) {
  RlCheckpoint *checkpoint;
  rl_error_clear();
  assert_int_equal(rl_checkpoint_open(&checkpoint, path), RL_FAIL);
  assert_null(checkpoint);
  const char *line = rl_error_text();
  if (!strstr(line, path) || !strstr(line, word) || !strstr(line, other)) {
    fail_msg("\"%s\" lacks \"%s\" or \"%s\"", line, word, other);
  }
}

static RlCheckpoint *open_sound(const char *path) {
  RlCheckpoint *checkpoint;
  if (rl_checkpoint_open(&checkpoint, path) != RL_OK) fail_msg("%s", rl_error_text());
  return checkpoint;
}

static void test_round_trip(void **state) {
  (void)state;
  State loaded;
  RlField field[NFIELD], reversed[NFIELD];
  char text[13];
  memset(&loaded, 0xee, sizeof loaded);
  list_fields(&loaded, field);
  for (int i = 0; i < NFIELD; i++) reversed[i] = field[NFIELD - 1 - i];
  const char *path = in_dir("a.h5");
  save_sample(path);
  RlCheckpoint *checkpoint = open_sound(path);
  assert_int_equal(rl_checkpoint_load(checkpoint, reversed, NFIELD), RL_OK);
  assert_memory_equal(loaded.param, sample.param, sizeof sample.param);
  assert_memory_equal(loaded.cube, sample.cube, sizeof sample.cube);
  assert_memory_equal(loaded.box, sample.box, sizeof sample.box);
  assert_memory_equal(&loaded.mean, &sample.mean, sizeof sample.mean);
  assert_memory_equal(loaded.ints, sample.ints, sizeof sample.ints);
  assert_memory_equal(loaded.steps, sample.steps, sizeof sample.steps);
  assert_memory_equal(loaded.words, sample.words, sizeof sample.words);
  assert_memory_equal(loaded.bytes, sample.bytes, sizeof sample.bytes);
  assert_memory_equal(loaded.text, sample.text, sizeof sample.text);
  assert_int_equal(rl_checkpoint_text(checkpoint, "config", text, sizeof text), RL_OK);
  assert_string_equal(text, "[run]\nseed=1");
  assert_int_equal(rl_checkpoint_text(checkpoint, "empty", text, sizeof text), RL_OK);
  assert_string_equal(text, "");
  assert_int_equal(rl_checkpoint_text(checkpoint, "config", text, 12), RL_FAIL);
  assert_int_equal(rl_checkpoint_text(checkpoint, "steps", text, 12), RL_FAIL);
  rl_checkpoint_close(checkpoint);
  rl_checkpoint_close(NULL);
}

static void test_shape(void **state) {
  (void)state;
  int rank;
  int64_t dim[RL_FIELD_RANK];
  const char *path = in_dir("a.h5");
  save_sample(path);
  RlCheckpoint *checkpoint = open_sound(path);
  assert_int_equal(rl_checkpoint_shape(checkpoint, "actor/cube", &rank, dim), RL_OK);
  assert_int_equal(rank, 3);
  assert_true(dim[0] == 2 && dim[1] == 1 && dim[2] == 3);
  assert_int_equal(rl_checkpoint_shape(checkpoint, "last", &rank, dim), RL_OK);
  assert_int_equal(rank, 0);
  assert_int_equal(rl_checkpoint_shape(checkpoint, "config", &rank, dim), RL_OK);
  assert_true(rank == 1 && dim[0] == 12);
  assert_int_equal(rl_checkpoint_shape(checkpoint, "actor", &rank, dim), RL_FAIL);
  rl_checkpoint_close(checkpoint);
}

// two files open at once do not mix
static void test_two_open(void **state) {
  (void)state;
  float one[2] = {1, 2}, two[2] = {3, 4}, read[2];
  RlField field = {"param", RL_F32, 1, {2}, one};
  assert_int_equal(rl_checkpoint_save(in_dir("1.h5"), &field, 1), RL_OK);
  field.data = two;
  assert_int_equal(rl_checkpoint_save(in_dir("2.h5"), &field, 1), RL_OK);
  RlCheckpoint *a = open_sound(in_dir("1.h5")), *b = open_sound(in_dir("2.h5"));
  field.data = read;
  assert_int_equal(rl_checkpoint_load(a, &field, 1), RL_OK);
  assert_memory_equal(read, one, sizeof read);
  assert_int_equal(rl_checkpoint_load(b, &field, 1), RL_OK);
  assert_memory_equal(read, two, sizeof read);
  rl_checkpoint_close(a);
  assert_int_equal(rl_checkpoint_load(b, &field, 1), RL_OK);
  assert_memory_equal(read, two, sizeof read);
  rl_checkpoint_close(b);
}

// fills the heap with one byte, so that memory nobody has written to differs between two saves
static void dirty_heap(int byte) {
  void *block[64];
  for (size_t i = 0; i < 64; i++) {
    block[i] = malloc(16 << (i % 14));
    memset(block[i], byte, (size_t)16 << (i % 14));
  }
  for (int i = 0; i < 64; i++) free(block[i]);
}

static void test_equal_bytes(void **state) {
  (void)state;
  size_t a_size, b_size;
  // a large one too: its image grows while it is written
  static double large[3][50000];
  RlField field = {"large", RL_F64, 2, {3, 50000}, large};
  dirty_heap(0x55);
  save_sample(in_dir("a.h5"));
  assert_int_equal(rl_checkpoint_save(in_dir("c.h5"), &field, 1), RL_OK);
  dirty_heap(0xaa);
  save_sample(in_dir("b.h5"));
  uint8_t *a = scratch_get(in_dir("a.h5"), &a_size), *b = scratch_get(in_dir("b.h5"), &b_size);
  assert_int_equal(a_size, b_size);
  assert_memory_equal(a, b, a_size);
  free(a);
  free(b);
  dirty_heap(0x33);
  assert_int_equal(rl_checkpoint_save(in_dir("d.h5"), &field, 1), RL_OK);
  a = scratch_get(in_dir("c.h5"), &a_size);
  b = scratch_get(in_dir("d.h5"), &b_size);
  assert_int_equal(a_size, b_size);
  assert_true(a_size < sizeof large + 20000);
  assert_memory_equal(a, b, a_size);
  free(a);
  free(b);
}

// and a different value gives different bytes, digest included
static void test_unequal_bytes(void **state) {
  (void)state;
  size_t size;
  State changed = sample;
  RlField field[NFIELD];
  changed.bytes[3] ^= 1;
  list_fields(&changed, field);
  save_sample(in_dir("a.h5"));
  assert_int_equal(rl_checkpoint_save(in_dir("b.h5"), field, NFIELD), RL_OK);
  uint8_t *a = scratch_get(in_dir("a.h5"), &size), *b = scratch_get(in_dir("b.h5"), &size);
  assert_memory_not_equal(a + RL_CHECKPOINT_DIGEST_AT, b + RL_CHECKPOINT_DIGEST_AT,
                          RL_CHECKPOINT_DIGEST_SIZE);
  free(a);
  free(b);
}

static void test_torn_at_every_length(void **state) {
  (void)state;
  size_t size;
  save_sample(in_dir("a.h5"));
  uint8_t *data = scratch_get(in_dir("a.h5"), &size);
  assert_int_equal(rl_checkpoint_verify(data, size, "a"), RL_OK);
  for (size_t n = 0; n < size; n++) {
    // a block of exactly n bytes lets a sanitizer see a read past its end
    uint8_t *torn = malloc(n ? n : 1);
    memcpy(torn, data, n);
    assert_int_equal(rl_checkpoint_verify(torn, n, "a"), RL_FAIL);
    free(torn);
  }
  scratch_put(in_dir("t.h5"), data, size / 2);
  expect_refused(in_dir("t.h5"), "cut short", "found");
  scratch_put(in_dir("t.h5"), data, 100);
  expect_refused(in_dir("t.h5"), "cut short", "found 100 bytes");
  scratch_put(in_dir("t.h5"), data, 5);
  expect_refused(in_dir("t.h5"), "cut short", "found 5 bytes");
  free(data);
}

static void test_every_flipped_bit(void **state) {
  (void)state;
  size_t size;
  save_sample(in_dir("a.h5"));
  uint8_t *data = scratch_get(in_dir("a.h5"), &size);
  for (size_t i = 0; i < size; i++) {
    for (int bit = 0; bit < 8; bit++) {
      data[i] ^= (uint8_t)(1 << bit);
      if (rl_checkpoint_verify(data, size, "a") != RL_FAIL) fail_msg("byte %zu bit %d", i, bit);
      data[i] ^= (uint8_t)(1 << bit);
    }
  }
  data[size - 40] ^= 1;
  scratch_put(in_dir("t.h5"), data, size);
  expect_refused(in_dir("t.h5"), "damaged", "digest");
  free(data);
}

static void test_appended_byte(void **state) {
  (void)state;
  size_t size;
  save_sample(in_dir("a.h5"));
  uint8_t *data = scratch_get(in_dir("a.h5"), &size);
  scratch_put(in_dir("t.h5"), data, size + 1);  // the NUL behind it
  expect_refused(in_dir("t.h5"), "bytes were appended", "found");
  free(data);
}

static void test_not_a_checkpoint(void **state) {
  (void)state;
  const char *path = in_dir("x");
  expect_refused(path, "cannot read", "No such file");
  scratch_put(path, "", 0);
  expect_refused(path, "empty", "expected a checkpoint");
  scratch_put(path, "hello\n", 6);
  expect_refused(path, "not a checkpoint", "");
  scratch_put(path, "rltrain checkpoint 2\n", 21);
  expect_refused(path, "another version", "version 1");
  expect_refused(dir, "folder", "expected a file");
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
  expect_refused(path, "HDF5 file without", "digest");
  unlink(path);
  assert_int_equal(mkfifo(path, 0600), 0);
  expect_refused(path, "pipe", "expected a file");
}

// asserts that loading one field fails, names what was found and expected, and changes nothing
static void expect_mismatch(RlCheckpoint *checkpoint, RlField field, const char *line) {
  State loaded;
  memset(&loaded, 0x77, sizeof loaded);
  const State before = loaded;
  RlField both[2] = {{"actor/param", RL_F32, 1, {5}, loaded.param}, field};
  both[1].data = loaded.steps;
  rl_error_clear();
  assert_int_equal(rl_checkpoint_load(checkpoint, both, 2), RL_FAIL);
  if (!strstr(rl_error_text(), line)) fail_msg("\"%s\" lacks \"%s\"", rl_error_text(), line);
  assert_memory_equal(&loaded, &before, sizeof loaded);
}

static void test_wrong_fields(void **state) {
  (void)state;
  save_sample(in_dir("a.h5"));
  RlCheckpoint *checkpoint = open_sound(in_dir("a.h5"));
  expect_mismatch(checkpoint, (RlField){"critic/param", RL_F32, 1, {5702}, NULL},
                  "a.h5: critic/param: found nothing, expected float32 (5702)");
  expect_mismatch(checkpoint, (RlField){"actor/cube", RL_F32, 1, {6}, NULL},
                  "a.h5: actor/cube: found float32 (2, 1, 3), expected float32 (6)");
  expect_mismatch(checkpoint, (RlField){"actor/cube", RL_F32, 3, {2, 1, 4}, NULL},
                  "found float32 (2, 1, 3), expected float32 (2, 1, 4)");
  expect_mismatch(checkpoint, (RlField){"steps", RL_U64, 2, {2, 3}, NULL},
                  "found int64 (2, 3), expected uint64 (2, 3)");
  expect_mismatch(checkpoint, (RlField){"normalizer/obs/mean", RL_F64, 1, {1}, NULL},
                  "found float64 scalar, expected float64 (1)");
  expect_mismatch(checkpoint, (RlField){"config", RL_CHARS, 1, {11}, NULL},
                  "found text (12), expected text (11)");
  expect_mismatch(checkpoint, (RlField){"actor", RL_F32, 0, {0}, NULL}, "found nothing");
  rl_checkpoint_close(checkpoint);
}

static void test_not_finite(void **state) {
  (void)state;
  const float bad[] = {NAN, INFINITY, -INFINITY};
  const char *path = in_dir("a.h5");
  size_t size, again;
  for (int i = 0; i < 3; i++) {
    float param[3] = {1, 2, 3};
    RlField field = {"param", RL_F32, 1, {3}, param};
    assert_int_equal(rl_checkpoint_save(path, &field, 1), RL_OK);
    // a save is refused and keeps the sound file
    uint8_t *data = scratch_get(path, &size);
    param[1] = bad[i];
    rl_error_clear();
    assert_int_equal(rl_checkpoint_save(path, &field, 1), RL_FAIL);
    assert_non_null(strstr(rl_error_text(), "param[1]"));
    uint8_t *kept = scratch_get(path, &again);
    assert_int_equal(size, again);
    assert_memory_equal(data, kept, size);
    free(kept);
    // a file with one is refused on loading, and nothing is loaded
    const float sound[3] = {1, 2, 3};
    uint8_t *at = memmem(data, size, sound, sizeof sound);
    assert_non_null(at);
    memcpy(at + 4, &bad[i], 4);
    rl_checkpoint_seal(data, size);
    scratch_put(path, data, size);
    free(data);
    RlCheckpoint *checkpoint = open_sound(path);
    param[0] = 9;
    assert_int_equal(rl_checkpoint_load(checkpoint, &field, 1), RL_FAIL);
    assert_non_null(strstr(rl_error_text(), "param[1]"));
    assert_true(param[0] == 9);
    rl_checkpoint_close(checkpoint);
  }
}

// builds a file with our user block around whatever fill makes, seals it, and expects a refusal
static void expect_hostile(void (*fill)(hid_t file), const char *word) {
  size_t size;
  const char *path = in_dir("hostile.h5");
  hid_t creation = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_userblock(creation, RL_CHECKPOINT_BLOCK);
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
  assert_true(file >= 0);
  fill(file);
  H5Fclose(file);
  H5Pclose(access);
  H5Pclose(creation);
  uint8_t *data = scratch_get(path, &size);
  rl_checkpoint_seal(data, size);
  scratch_put(path, data, size);
  free(data);
  if (word) {
    expect_refused(path, word, "expected a plain group or data set");
  } else {
    rl_checkpoint_close(open_sound(path));
  }
}

static void make_set(hid_t file, const char *name, hid_t type, hid_t space, hid_t creation,
                     const void *data) {
  hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  assert_true(set >= 0);
  if (data) assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
  H5Dclose(set);
}

static hid_t line_space(hsize_t n) {
  return H5Screate_simple(1, &n, NULL);
}

// the control: this way of making files is accepted when nothing is wrong
static void fill_plain(hid_t file) {
  const float data[4] = {1, 2, 3, 4};
  H5Gclose(H5Gcreate2(file, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  make_set(file, "group/a", H5T_IEEE_F32LE, line_space(4), H5P_DEFAULT, data);
}

static void fill_soft(hid_t file) {
  fill_plain(file);
  H5Lcreate_soft("/group/a", file, "b", H5P_DEFAULT, H5P_DEFAULT);
}

static void fill_external(hid_t file) {
  H5Lcreate_external("/etc/passwd", "/a", file, "b", H5P_DEFAULT, H5P_DEFAULT);
}

static void fill_cycle(hid_t file) {
  fill_plain(file);
  H5Lcreate_hard(file, "/", file, "group/again", H5P_DEFAULT, H5P_DEFAULT);
}

// two links a level: twice as many paths with every level
static void fill_many(hid_t file) {
  char name[64] = "";
  for (int i = 0; i < 7; i++) {
    char one[80], two[80];
    snprintf(one, sizeof one, "%s/a", name);
    H5Gclose(H5Gcreate2(file, one, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    for (int k = 0; k < 8; k++) {
      snprintf(two, sizeof two, "%s/b%d", name, k);
      H5Lcreate_hard(file, one, file, two, H5P_DEFAULT, H5P_DEFAULT);
    }
    snprintf(name, sizeof name, "%.60s", one);
  }
}

static void fill_named_type(hid_t file) {
  hid_t type = H5Tcopy(H5T_IEEE_F32LE);
  H5Tcommit2(file, "type", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
}

static void fill_bad_name(hid_t file) {
  make_set(file, "two words", H5T_IEEE_F32LE, H5Screate(H5S_SCALAR), H5P_DEFAULT, NULL);
}

static void fill_vlen_string(hid_t file) {
  const char *text = "text";
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  make_set(file, "a", type, H5Screate(H5S_SCALAR), H5P_DEFAULT, &text);
}

static void fill_vlen(hid_t file) {
  float data[2] = {1, 2};
  hvl_t item = {2, data};
  make_set(file, "a", H5Tvlen_create(H5T_IEEE_F32LE), H5Screate(H5S_SCALAR), H5P_DEFAULT, &item);
}

static void fill_big_endian(hid_t file) {
  const float data[1] = {1};
  make_set(file, "a", H5T_IEEE_F32BE, line_space(1), H5P_DEFAULT, data);
}

static void fill_compound(hid_t file) {
  hid_t type = H5Tcreate(H5T_COMPOUND, 4);
  H5Tinsert(type, "x", 0, H5T_IEEE_F32LE);
  const float data[1] = {1};
  make_set(file, "a", type, line_space(1), H5P_DEFAULT, data);
}

static void fill_reference(hid_t file) {
  make_set(file, "a", H5T_STD_REF_OBJ, line_space(1), H5P_DEFAULT, NULL);
}

static void fill_strings(hid_t file) {
  hid_t type = rl_checkpoint_hdf5_type(RL_CHARS, 4);
  make_set(file, "a", type, line_space(2), H5P_DEFAULT, "abcdefgh");
}

static void fill_null(hid_t file) {
  make_set(file, "a", H5T_IEEE_F32LE, H5Screate(H5S_NULL), H5P_DEFAULT, NULL);
}

static void fill_rank(hid_t file) {
  const hsize_t dim[5] = {1, 1, 1, 1, 1};
  const float data[1] = {1};
  make_set(file, "a", H5T_IEEE_F32LE, H5Screate_simple(5, dim, NULL), H5P_DEFAULT, data);
}

// nothing written: HDF5 would make up as many fill values as the extent says
static void fill_unallocated(hid_t file) {
  make_set(file, "a", H5T_IEEE_F32LE, line_space(1000), H5P_DEFAULT, NULL);
}

static void fill_chunked(hid_t file) {
  const hsize_t chunk = 4;
  const float data[4] = {1, 2, 3, 4};
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 1, &chunk);
  make_set(file, "a", H5T_IEEE_F32LE, line_space(4), creation, data);
}

static void fill_compact(hid_t file) {
  const float data[4] = {1, 2, 3, 4};
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_layout(creation, H5D_COMPACT);
  make_set(file, "a", H5T_IEEE_F32LE, line_space(4), creation, data);
}

static void fill_filter(hid_t file) {
  const hsize_t chunk = 4;
  const float data[4] = {1, 2, 3, 4};
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 1, &chunk);
  H5Pset_shuffle(creation);
  make_set(file, "a", H5T_IEEE_F32LE, line_space(4), creation, data);
}

static void fill_external_data(hid_t file) {
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(creation, "/etc/passwd", 0, 16);
  make_set(file, "a", H5T_IEEE_F32LE, line_space(4), creation, NULL);
}

static void test_hostile(void **state) {
  (void)state;
  rl_checkpoint_quiet_hdf5();
  expect_hostile(fill_plain, NULL);
  expect_hostile(fill_soft, "b: found a soft link");
  expect_hostile(fill_external, "b: found an external link");
  expect_hostile(fill_cycle, "found");
  expect_hostile(fill_many, "found");
  expect_hostile(fill_named_type, "found a named type");
  expect_hostile(fill_bad_name, "bad name");
  expect_hostile(fill_vlen_string, "a: found a data set of an unknown type");
  expect_hostile(fill_vlen, "a: found a data set of an unknown type");
  expect_hostile(fill_big_endian, "a: found a data set of an unknown type");
  expect_hostile(fill_compound, "a: found a data set of an unknown type");
  expect_hostile(fill_reference, "a: found a data set of an unknown type");
  expect_hostile(fill_strings, "a: found an array of strings");
  expect_hostile(fill_null, "a: found a data set without extent");
  expect_hostile(fill_rank, "a: found a data set of too many dimensions");
  expect_hostile(fill_unallocated, "a: found a data set");
  expect_hostile(fill_chunked, "a: found a data set that is not contiguous");
  expect_hostile(fill_compact, "a: found a data set that is not contiguous");
  expect_hostile(fill_filter, "a: found a filtered data set");
  expect_hostile(fill_external_data, "a: found a data set in an external file");
}

// virtual data sets need a newer format than ours: both are refused
static void test_virtual(void **state) {
  (void)state;
  size_t size;
  const hsize_t n = 4;
  const char *path = in_dir("virtual.h5");
  hid_t creation = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
  hid_t virtual = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &n, NULL);
  H5Pset_userblock(creation, RL_CHECKPOINT_BLOCK);
  assert_true(H5Pset_virtual(virtual, space, "/etc/passwd", "a", space) >= 0);
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
  make_set(file, "a", H5T_IEEE_F32LE, space, virtual, NULL);
  H5Fclose(file);
  uint8_t *data = scratch_get(path, &size);
  rl_checkpoint_seal(data, size);
  scratch_put(path, data, size);
  free(data);
  expect_refused(path, "a: found a virtual data set", "");
}

// damage behind a repaired digest: whatever HDF5 makes of it, the answer is a status
static void test_repaired_digest(void **state) {
  (void)state;
  size_t size;
  save_sample(in_dir("a.h5"));
  uint8_t *data = scratch_get(in_dir("a.h5"), &size);
  uint8_t *copy = malloc(size);
  int refused = 0;
  for (size_t i = RL_CHECKPOINT_BLOCK; i < size; i += 3) {
    RlCheckpoint *checkpoint;
    State loaded;
    RlField field[NFIELD];
    list_fields(&loaded, field);
    memcpy(copy, data, size);
    copy[i] ^= 0xff;
    rl_checkpoint_seal(copy, size);
    if (rl_checkpoint_open_image(&checkpoint, copy, size, "a.h5") != RL_OK) {
      refused++;
      continue;
    }
    if (rl_checkpoint_load(checkpoint, field, NFIELD) != RL_OK) refused++;
    rl_checkpoint_close(checkpoint);
  }
  assert_true(refused > 100);
  free(copy);
  free(data);
}

static void test_names(void **state) {
  (void)state;
  assert_true(rl_checkpoint_name_ok("a"));
  assert_true(rl_checkpoint_name_ok("actor/W0.x_y-z"));
  const char *bad[] = {"", "/a", "a/", "a//b", ".", "a/..", "../a", "a b", "a\n", "\xc3\xa9"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(rl_checkpoint_name_ok(bad[i]));
  char longest[RL_CHECKPOINT_NAME + 1];
  memset(longest, 'a', sizeof longest);
  longest[RL_CHECKPOINT_NAME - 1] = '\0';
  assert_true(rl_checkpoint_name_ok(longest));
  longest[RL_CHECKPOINT_NAME - 1] = 'a';
  longest[RL_CHECKPOINT_NAME] = '\0';
  assert_false(rl_checkpoint_name_ok(longest));
}

static void test_duplicate_field(void **state) {
  (void)state;
  float data = 1;
  RlField field[2] = {{"a", RL_F32, 0, {0}, &data}, {"a", RL_F32, 0, {0}, &data}};
  assert_int_equal(rl_checkpoint_save(in_dir("a.h5"), field, 2), RL_FAIL);
  assert_int_equal(scratch_count(dir), 0);
}

// asserts that a save to path fails with word, changing nothing in its folder
static void expect_save_fails(const char *path, const char *word) {
  static float large[100000];
  RlField field = {"large", RL_F32, 1, {100000}, large};
  rl_error_clear();
  assert_int_equal(rl_checkpoint_save(path, &field, 1), RL_FAIL);
  if (!strstr(rl_error_text(), word) || !strstr(rl_error_text(), path)) {
    fail_msg("\"%s\" lacks \"%s\"", rl_error_text(), word);
  }
}

static void test_folder_missing(void **state) {
  (void)state;
  expect_save_fails(in_dir("missing/a.h5"), "No such file");
  scratch_put(in_dir("file"), "x", 1);
  expect_save_fails(in_dir("file/a.h5"), "Not a directory");
  // a folder stands where the file would go: the rename is what fails
  assert_int_equal(mkdir(in_dir("a.h5"), 0700), 0);
  expect_save_fails(in_dir("a.h5"), "cannot write");
  assert_int_equal(scratch_count(dir), 2);
}

// a write that stops half-way (a limit on file size stands in for the disk)
static void test_write_stops(void **state) {
  (void)state;
  size_t size, again;
  struct rlimit limit, low = {100000, 100000};
  const char *path = in_dir("a.h5");
  save_sample(path);
  uint8_t *before = scratch_get(path, &size);
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  low.rlim_max = limit.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
  expect_save_fails(path, "File too large");
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  assert_int_equal(scratch_count(dir), 1);
  uint8_t *after = scratch_get(path, &again);
  assert_int_equal(size, again);
  assert_memory_equal(before, after, size);
  free(before);
  free(after);
}

// a file system of 64 KiB, where this process may mount one
static void test_disk_full(void **state) {
  (void)state;
  const char *disk = in_dir("disk");
  char path[SCRATCH_PATH + 32];
  assert_int_equal(mkdir(disk, 0700), 0);
  if (mount("tmpfs", disk, "tmpfs", 0, "size=64k") != 0) skip();
  snprintf(path, sizeof path, "%s/disk/a.h5", dir);
  save_sample(path);
  static float large[100000];
  RlField field = {"large", RL_F32, 1, {100000}, large};
  rl_error_clear();
  RlStatus status = rl_checkpoint_save(path, &field, 1);
  int count = scratch_count(in_dir("disk"));
  RlCheckpoint *checkpoint = NULL;
  RlStatus kept = rl_checkpoint_open(&checkpoint, path);
  rl_checkpoint_close(checkpoint);
  bool named = strstr(rl_error_text(), "no space left") && strstr(rl_error_text(), path);
  // and one that cannot be written to at all
  int readonly = mount("tmpfs", in_dir("disk"), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=64k");
  RlStatus refused = rl_checkpoint_save(path, &field, 0);
  bool said = strstr(rl_error_text(), "Read-only") != NULL;
  umount(in_dir("disk"));
  assert_int_equal(status, RL_FAIL);
  assert_true(named);
  assert_int_equal(kept, RL_OK);
  assert_int_equal(count, 1);
  assert_int_equal(readonly, 0);
  assert_int_equal(refused, RL_FAIL);
  assert_true(said);
}

// killed at any moment, the name holds one of the states saved under it
static void test_killed(void **state) {
  (void)state;
  static int64_t data[20000];
  RlField field = {"data", RL_I64, 1, {20000}, data};
  const char *path = in_dir("a.h5");
  assert_int_equal(rl_checkpoint_save(path, &field, 1), RL_OK);
  for (int i = 0; i < 20; i++) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      for (int64_t turn = 1;; turn++) {
        for (int k = 0; k < 20000; k++) data[k] = turn;
        if (rl_checkpoint_save(path, &field, 1) != RL_OK) _exit(1);
      }
    }
    usleep((useconds_t)(1000 + 1700 * i));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    RlCheckpoint *checkpoint = open_sound(path);
    assert_int_equal(rl_checkpoint_load(checkpoint, &field, 1), RL_OK);
    for (int k = 0; k < 20000; k++) assert_true(data[k] == data[0]);
    rl_checkpoint_close(checkpoint);
  }
}

// a temporary file left by a dead process of our own id is no obstacle
static void test_stale_temporary(void **state) {
  (void)state;
  char name[64];
  snprintf(name, sizeof name, ".tmp-a.h5-%ld", (long)getpid());
  scratch_put(in_dir(name), "stale", 5);
  save_sample(in_dir("a.h5"));
  rl_checkpoint_close(open_sound(in_dir("a.h5")));
  assert_int_equal(scratch_count(dir), 1);
}

static void test_file_write(void **state) {
  (void)state;
  size_t size;
  assert_int_equal(rl_file_write(in_dir("a.txt"), "one", 3), RL_OK);
  assert_int_equal(rl_file_write(in_dir("a.txt"), "", 0), RL_OK);
  assert_int_equal(rl_file_write(in_dir("a.txt"), "three", 5), RL_OK);
  uint8_t *data = scratch_get(in_dir("a.txt"), &size);
  assert_string_equal((char *)data, "three");
  free(data);
  uint8_t *read;
  assert_int_equal(rl_file_read(in_dir("a.txt"), 5, &read, &size), RL_OK);
  assert_int_equal(size, 5);
  free(read);
  assert_int_equal(rl_file_read(in_dir("a.txt"), 4, &read, &size), RL_FAIL);
  assert_null(read);
  assert_int_equal(rl_file_write(in_dir(""), "x", 1), RL_FAIL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_round_trip),        TEST(test_shape),           TEST(test_two_open),
      TEST(test_equal_bytes),       TEST(test_unequal_bytes),   TEST(test_torn_at_every_length),
      TEST(test_every_flipped_bit), TEST(test_appended_byte),   TEST(test_not_a_checkpoint),
      TEST(test_wrong_fields),      TEST(test_not_finite),      TEST(test_hostile),
      TEST(test_virtual),           TEST(test_repaired_digest), TEST(test_names),
      TEST(test_duplicate_field),   TEST(test_folder_missing),  TEST(test_write_stops),
      TEST(test_disk_full),         TEST(test_killed),          TEST(test_stale_temporary),
      TEST(test_file_write),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
