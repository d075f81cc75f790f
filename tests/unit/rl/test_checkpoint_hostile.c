// Checkpoints from strangers: whole, with a sound digest, and holding what rl_checkpoint_save never
// makes. Each is refused by name; none is followed, decoded or believed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <hdf5.h>

#include "rl/run/checkpoint_format.h"
#include "rl/run/policy.h"
#include "tests/unit/rl/opened.h"
#include "tests/unit/rl/scratch.h"

// creation properties as rl_checkpoint_save's, of which one thing at a time is then changed
static hid_t ours(hid_t class) {
  hid_t properties = H5Pcreate(class);
  assert_true(H5Pset_obj_track_times(properties, false) >= 0);
  if (class == H5P_FILE_CREATE || class == H5P_GROUP_CREATE) {
    assert_true(H5Pset_link_phase_change(properties, 65535, 0) >= 0);
  }
  return properties;
}

static void make_group(hid_t file, const char *name) {
  H5Gclose(H5Gcreate2(file, name, H5P_DEFAULT, ours(H5P_GROUP_CREATE), H5P_DEFAULT));
}

// builds a file with our user block around whatever fill makes, seals it, and expects a refusal
static void expect_hostile(void (*fill)(hid_t file), const char *word) {
  size_t size;
  const char *path = scratch_path("hostile.h5");
  hid_t creation = ours(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_userblock(creation, RL_CHECKPOINT_BLOCK);
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
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
  make_group(file, "group");
  make_set(file, "group/a", H5T_IEEE_F32LE, line_space(4), ours(H5P_DATASET_CREATE), data);
}

static void fill_soft(hid_t file) {
  fill_plain(file);
  H5Lcreate_soft("/group/a", file, "b", H5P_DEFAULT, H5P_DEFAULT);
}

static void fill_external(hid_t file) {
  H5Lcreate_external("/etc/passwd", "/a", file, "b", H5P_DEFAULT, H5P_DEFAULT);
}

static void fill_deep(hid_t file) {
  const char *name = "/a/b/c/d/e/f/g/h/i";
  for (int length = 2; length <= 18; length += 2) {
    char prefix[32];
    snprintf(prefix, sizeof prefix, "%.*s", length, name);
    make_group(file, prefix);
  }
}

static void fill_cycle(hid_t file) {
  fill_plain(file);
  H5Lcreate_hard(file, "/", file, "group/again", H5P_DEFAULT, H5P_DEFAULT);
}

// nine links a level: nine times as many paths with every level
static void fill_many(hid_t file) {
  char name[64] = "";
  for (int i = 0; i < 7; i++) {
    char one[80], two[80];
    snprintf(one, sizeof one, "%s/a", name);
    make_group(file, one);
    for (int k = 0; k < 8; k++) {
      snprintf(two, sizeof two, "%s/b%d", name, k);
      H5Lcreate_hard(file, one, file, two, H5P_DEFAULT, H5P_DEFAULT);
    }
    snprintf(name, sizeof name, "%.60s", one);
  }
}

static void fill_named_type(hid_t file) {
  hid_t type = H5Tcopy(H5T_IEEE_F32LE);
  H5Tcommit2(file, "type", type, H5P_DEFAULT, ours(H5P_DATATYPE_CREATE), H5P_DEFAULT);
}

static void fill_bad_name(hid_t file) {
  make_set(file, "two words", H5T_IEEE_F32LE, H5Screate(H5S_SCALAR), ours(H5P_DATASET_CREATE),
           NULL);
}

static void fill_vlen_string(hid_t file) {
  const char *text = "text";
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  make_set(file, "a", type, H5Screate(H5S_SCALAR), ours(H5P_DATASET_CREATE), &text);
}

static void fill_vlen(hid_t file) {
  float data[2] = {1, 2};
  hvl_t item = {2, data};
  make_set(file, "a", H5Tvlen_create(H5T_IEEE_F32LE), H5Screate(H5S_SCALAR),
           ours(H5P_DATASET_CREATE), &item);
}

static void fill_big_endian(hid_t file) {
  const float data[1] = {1};
  make_set(file, "a", H5T_IEEE_F32BE, line_space(1), ours(H5P_DATASET_CREATE), data);
}

static void fill_compound(hid_t file) {
  hid_t type = H5Tcreate(H5T_COMPOUND, 4);
  H5Tinsert(type, "x", 0, H5T_IEEE_F32LE);
  const float data[1] = {1};
  make_set(file, "a", type, line_space(1), ours(H5P_DATASET_CREATE), data);
}

static void fill_reference(hid_t file) {
  make_set(file, "a", H5T_STD_REF_OBJ, line_space(1), ours(H5P_DATASET_CREATE), NULL);
}

static void fill_strings(hid_t file) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, 4);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  H5Tset_cset(type, H5T_CSET_UTF8);
  make_set(file, "a", type, line_space(2), ours(H5P_DATASET_CREATE), "abcdefgh");
}

static void fill_null(hid_t file) {
  make_set(file, "a", H5T_IEEE_F32LE, H5Screate(H5S_NULL), ours(H5P_DATASET_CREATE), NULL);
}

static void fill_rank(hid_t file) {
  const hsize_t dim[5] = {1, 1, 1, 1, 1};
  const float data[1] = {1};
  make_set(file, "a", H5T_IEEE_F32LE, H5Screate_simple(5, dim, NULL), ours(H5P_DATASET_CREATE),
           data);
}

// nothing written: HDF5 would make up as many fill values as the extent says
static void fill_unallocated(hid_t file) {
  make_set(file, "a", H5T_IEEE_F32LE, line_space(1000), ours(H5P_DATASET_CREATE), NULL);
}

static void fill_chunked(hid_t file) {
  const hsize_t chunk = 4;
  const float data[4] = {1, 2, 3, 4};
  hid_t creation = ours(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 1, &chunk);
  make_set(file, "a", H5T_IEEE_F32LE, line_space(4), creation, data);
}

static void fill_compact(hid_t file) {
  const float data[4] = {1, 2, 3, 4};
  hid_t creation = ours(H5P_DATASET_CREATE);
  H5Pset_layout(creation, H5D_COMPACT);
  make_set(file, "a", H5T_IEEE_F32LE, line_space(4), creation, data);
}

static void fill_filter(hid_t file) {
  const hsize_t chunk = 4;
  const float data[4] = {1, 2, 3, 4};
  hid_t creation = ours(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 1, &chunk);
  H5Pset_shuffle(creation);
  make_set(file, "a", H5T_IEEE_F32LE, line_space(4), creation, data);
}

static void fill_external_data(hid_t file) {
  hid_t creation = ours(H5P_DATASET_CREATE);
  H5Pset_external(creation, "/etc/passwd", 0, 16);
  make_set(file, "a", H5T_IEEE_F32LE, line_space(4), creation, NULL);
}

static void test_hostile(void **state) {
  (void)state;
  expect_hostile(fill_plain, NULL);
  expect_hostile(fill_soft, "/: found a soft link");
  expect_hostile(fill_external, "/: found an external link");
  expect_hostile(fill_deep, "groups nested too deep");
  expect_hostile(fill_cycle, "groups nested too deep");
  expect_hostile(fill_many, "a: found an unreadable object header");
  expect_hostile(fill_named_type, "type: found an unreadable object header");
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
  const char *path = scratch_path("virtual.h5");
  hid_t creation = ours(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
  hid_t virtual = ours(H5P_DATASET_CREATE), space = H5Screate_simple(1, &n, NULL);
  H5Pset_userblock(creation, RL_CHECKPOINT_BLOCK);
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  assert_true(H5Pset_virtual(virtual, space, "/etc/passwd", "a", space) >= 0);
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
  make_set(file, "a", H5T_IEEE_F32LE, space, virtual, NULL);
  H5Fclose(file);
  uint8_t *data = scratch_get(path, &size);
  rl_checkpoint_seal(data, size);
  scratch_put(path, data, size);
  free(data);
  expect_refused(path, "a: found a data set that is not contiguous", "");
}

// ---------------------------------------------------------------- sound files, absurd contents

// counting on from what a file states must never overflow
static void test_counts(void **state) {
  (void)state;
  const char *path = scratch_path("counts.h5");
  int64_t wide = ((int64_t)1 << 53) + 2, found = 7;
  int32_t narrow = (1 << 30) + 1;
  RlField saved[] = {{.name = "wide", .type = RL_I64, .data = &wide},
                     {.name = "narrow", .type = RL_I32, .data = &narrow}};
  assert_int_equal(rl_checkpoint_save(path, saved, 2), RL_OK);
  RlCheckpoint *checkpoint = open_sound(path);
  for (int i = 0; i < 2; i++) {
    RlField field = saved[i];
    field.data = &found;
    field.nonnegative = true;
    assert_int_equal(rl_checkpoint_load(checkpoint, &field, 1), RL_FAIL);
    assert_non_null(strstr(rl_error_text(), i ? "narrow[0]: found 1073741825, expected at most"
                                              : "wide[0]: found 9007199254740994, expected"));
    assert_int_equal(found, 7);
    field.nonnegative = false;
    assert_int_equal(rl_checkpoint_load(checkpoint, &field, 1), RL_OK);
    found = 7;
    // and a file that nobody could go on from is not written
    saved[i].nonnegative = true;
    assert_int_equal(rl_checkpoint_save(path, &saved[i], 1), RL_FAIL);
    assert_non_null(strstr(rl_error_text(), "expected at most"));
  }
  rl_checkpoint_close(checkpoint);
}

// a few kilobytes describe networks of gigabytes: refused before any of it is taken
static void test_claimed_networks(void **state) {
  (void)state;
  const char *path = scratch_path("claim.h5");
  char config[] =
      "[env]\nid = InvertedPendulum-v5\n"
      "[policy]\nhidden = 4096,4096,4096,4096,4096,4096,4096,4096\n";
  float zero[32] = {0};
  RlServed served;
  RlField saved[] = {
      {.name = "config", .type = RL_CHARS, .rank = 1, .dim = {sizeof config - 1}, .data = config},
      {.name = "probe/obs", .type = RL_F32, .rank = 2, .dim = {4, 4}, .data = zero},
      {.name = "probe/act", .type = RL_F32, .rank = 2, .dim = {4, 1}, .data = zero},
      {.name = "actor/param", .type = RL_F32, .rank = 1, .dim = {6}, .data = zero}};
  assert_int_equal(rl_checkpoint_save(path, saved, 4), RL_OK);
  assert_int_equal(rl_served_load(&served, path, 8), RL_FAIL);
  assert_non_null(strstr(rl_error_text(), "actor/param: found 6 parameters, expected 1174"));
  assert_int_equal(served.arena.used, 0);
  rl_served_free(&served);
}

// what a checkpoint's configuration says is told of the checkpoint: it has no lines to look up
static void test_crossed_config(void **state) {
  (void)state;
  const char *path = scratch_path("crossed.h5");
  char line[1024];
  static const struct {
    char config[64];
    const char *found;
  } crossed[] = {
      {"[env]\nid = Foo\n", "env.id: found 'Foo', expected a task; the nearest is Ant-v5"},
      {"[env]\nid = Reacher-v5\nhealthy_reward = 1\n",
       "env.healthy_reward: found a value, expected none: Reacher-v5 has no such key"},
      {"[policy]\nlog_std_min = 3\n",
       "policy.log_std_min: found \"3\", expected less than policy.log_std_max = 2"}};
  for (int i = 0; i < 3; i++) {
    RlServed served;
    char config[64];
    memcpy(config, crossed[i].config, sizeof config);
    RlField saved[] = {{.name = "config",
                        .type = RL_CHARS,
                        .rank = 1,
                        .dim = {(int64_t)strlen(config)},
                        .data = config}};
    assert_int_equal(rl_checkpoint_save(path, saved, 1), RL_OK);
    assert_int_equal(rl_served_load(&served, path, 8), RL_FAIL);
    snprintf(line, sizeof line, "%s: %s", path, crossed[i].found);
    assert_string_equal(rl_error_text(), line);
    rl_served_free(&served);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_hostile),        SCRATCH_TEST(test_virtual),
      SCRATCH_TEST(test_counts),         SCRATCH_TEST(test_claimed_networks),
      SCRATCH_TEST(test_crossed_config),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
