// Trace files that are not what they should be: each is refused with one line, a previous output is
// kept, and no temporary file is left. And the one good file's shapes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <dirent.h>
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rl/run/trace.h"

enum { NQ = 5, NV = 5, A = 2, O = 8, T = 6 };  // Swimmer-v5

typedef struct {
  char folder[64], in[128], out[128];
  hid_t file, group;
  double zeros[64];
} Bench;

static void bench_init(Bench *b) {
  memset(b, 0, sizeof *b);
  strcpy(b->folder, "/tmp/rl_trace_XXXXXX");
  assert_non_null(mkdtemp(b->folder));
  snprintf(b->in, sizeof b->in, "%s/in.h5", b->folder);
  snprintf(b->out, sizeof b->out, "%s/out.h5", b->folder);
  b->file = H5Fcreate(b->in, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  b->group = H5Gcreate2(b->file, "one", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(b->group >= 0);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static void close_file(Bench *b) {
  if (b->group >= 0) H5Gclose(b->group);
  if (b->file >= 0) H5Fclose(b->file);
  b->group = b->file = -1;
}

static int count_files(const char *folder) {
  DIR *dir = opendir(folder);
  assert_non_null(dir);
  int count = 0;
  while (readdir(dir) != NULL) count++;
  closedir(dir);
  return count - 2;
}

static void bench_free(Bench *b) {
  close_file(b);
  unlink(b->in);
  unlink(b->out);
  assert_int_equal(rmdir(b->folder), 0);
}

static void put(Bench *b, const char *name, int rank, hsize_t rows, hsize_t columns) {
  hsize_t dim[2] = {rows, columns};
  hid_t space = H5Screate_simple(rank, dim, NULL);
  hid_t set =
      H5Dcreate2(b->group, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(set >= 0);
  assert_true(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, b->zeros) >= 0);
  H5Dclose(set);
  H5Sclose(space);
}

static RlStatus run(Bench *b) {
  close_file(b);
  const RlTask *task = rl_task_find("Swimmer-v5", "test");
  RlConfig config;
  rl_config_default(&config);
  assert_int_equal(rl_task_resolve(task, &config, "test"), RL_OK);
  rl_error_clear();
  return rl_trace_run(task, &config.env, b->in, b->out);
}

// words: all must be in the error line; NULL after the last
static void refuse(Bench *b, const char *const *words) {
  FILE *old = fopen(b->out, "w");
  fputs("old", old);
  fclose(old);
  RlStatus status = run(b);
  assert_int_equal(status, RL_FAIL);
  for (int i = 0; words[i] != NULL; i++) {
    if (strstr(rl_error_text(), words[i]) == NULL) {
      fail_msg("no '%s' in: %s", words[i], rl_error_text());
    }
  }
  char text[8] = "";
  old = fopen(b->out, "r");
  assert_non_null(old);
  assert_non_null(fgets(text, sizeof text, old));
  fclose(old);
  assert_string_equal(text, "old");
  assert_int_equal(count_files(b->folder), 1 + (access(b->in, F_OK) == 0));
  bench_free(b);
}

#define REFUSE(b, ...) refuse((b), (const char *const[]){__VA_ARGS__, NULL})

static void expect_shape(hid_t file, const char *name, int rank, hsize_t rows, hsize_t columns) {
  hsize_t dim[2] = {0, 0};
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  assert_true(set >= 0);
  hid_t space = H5Dget_space(set);
  assert_int_equal(H5Sget_simple_extent_ndims(space), rank);
  H5Sget_simple_extent_dims(space, dim, NULL);
  assert_int_equal(dim[0], rows);
  if (rank == 2) assert_int_equal(dim[1], columns);
  H5Sclose(space);
  H5Dclose(set);
}

static void put_all(Bench *b) {
  put(b, "qpos0", 1, NQ, 1);
  put(b, "qvel0", 1, NV, 1);
  put(b, "actions", 2, T, A);
}

static void test_shapes(void **state) {
  (void)state;
  Bench b;
  bench_init(&b);
  put_all(&b);
  put(&b, "something", 1, 3, 1);
  H5Gclose(b.group);
  b.group = H5Gcreate2(b.file, "no_steps", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  put(&b, "qpos0", 1, NQ, 1);
  put(&b, "qvel0", 1, NV, 1);
  put(&b, "actions", 2, 0, A);
  H5Gclose(b.group);
  b.group = H5Gcreate2(b.file, "not_a_trace", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  put(&b, "qpos0", 1, NQ, 1);
  H5Gclose(b.group);
  b.group = b.file;
  put(&b, "loose", 1, 3, 1);
  b.group = -1;
  H5Lcreate_soft("/one", b.file, "elsewhere", H5P_DEFAULT, H5P_DEFAULT);
  if (run(&b) != RL_OK) fail_msg("%s", rl_error_text());
  hid_t out = H5Fopen(b.out, H5F_ACC_RDONLY, H5P_DEFAULT);
  H5G_info_t info;
  H5Gget_info(out, &info);
  assert_int_equal(info.nlinks, 2);
  expect_shape(out, "one/obs", 2, T + 1, O);
  expect_shape(out, "one/reward", 1, T, 0);
  expect_shape(out, "one/terminated", 1, T, 0);
  expect_shape(out, "one/qpos", 2, T + 1, NQ);
  expect_shape(out, "one/qvel", 2, T + 1, NV);
  expect_shape(out, "no_steps/obs", 2, 1, O);
  expect_shape(out, "no_steps/reward", 1, 0, 0);
  H5Fclose(out);
  assert_int_equal(count_files(b.folder), 2);
  bench_free(&b);
}

static void test_wrong_shapes(void **state) {
  (void)state;
  Bench b;
  bench_init(&b);
  put(&b, "qpos0", 1, NQ + 1, 1);
  put(&b, "qvel0", 1, NV, 1);
  put(&b, "actions", 2, T, A);
  REFUSE(&b, b.in, "one/qpos0", "(6)", "(5)");

  bench_init(&b);
  put(&b, "qpos0", 1, NQ, 1);
  put(&b, "qvel0", 2, NV, 1);
  put(&b, "actions", 2, T, A);
  REFUSE(&b, b.in, "one/qvel0", "(5, 1)", "(5)");

  bench_init(&b);
  put(&b, "qpos0", 1, NQ, 1);
  put(&b, "qvel0", 1, NV, 1);
  put(&b, "actions", 2, T, A + 1);
  REFUSE(&b, b.in, "one/actions", "(6, 3)", "(T, 2)");

  bench_init(&b);
  put(&b, "qpos0", 1, NQ, 1);
  put(&b, "qvel0", 1, NV, 1);
  put(&b, "actions", 1, T, 1);
  REFUSE(&b, b.in, "one/actions", "(6)", "(T, 2)");
}

static void test_not_finite(void **state) {
  (void)state;
  static const char *const name[] = {"qpos0", "qvel0", "actions"};
  for (int i = 0; i < 3; i++) {
    Bench b;
    bench_init(&b);
    for (int k = 0; k < 3; k++) {
      b.zeros[1] = k == i ? (i == 2 ? INFINITY : NAN) : 0;
      put(&b, name[k], k == 2 ? 2 : 1, k == 2 ? T : NQ, A);
    }
    REFUSE(&b, b.in, name[i], "place 1", "finite");
  }
}

static void test_no_trace(void **state) {
  (void)state;
  Bench b;
  bench_init(&b);
  put(&b, "qpos0", 1, NQ, 1);
  REFUSE(&b, b.in, "no group");
}

static void test_no_file(void **state) {
  (void)state;
  Bench b;
  bench_init(&b);
  close_file(&b);
  unlink(b.in);
  REFUSE(&b, b.in, "No such file");

  bench_init(&b);
  close_file(&b);
  FILE *file = fopen(b.in, "w");
  fputs("not HDF5", file);
  fclose(file);
  REFUSE(&b, b.in, "HDF5");

  bench_init(&b);
  put_all(&b);
  close_file(&b);
  assert_int_equal(truncate(b.in, 1500), 0);
  REFUSE(&b, b.in);
}

// Makes the free list of the file's which-th local heap a circle, which libhdf5 1.10 follows for as
// long as it gets memory.
static void make_circle(Bench *b, int which) {
  enum { MOST = 65536 };
  enum { FREE = 16, ADDRESS = 24 };  // offsets within a heap's header
  static unsigned char bytes[MOST];
  close_file(b);
  FILE *file = fopen(b->in, "r+");
  assert_non_null(file);
  size_t n = fread(bytes, 1, MOST, file), at = 0;
  assert_true(n > 0 && n < MOST);
  for (; at + 32 < n; at++) {
    if (memcmp(bytes + at, "HEAP", 4) == 0 && which-- == 0) break;
  }
  uint64_t first, address;
  assert_true(at + 32 < n);
  memcpy(&first, bytes + at + FREE, sizeof first);
  memcpy(&address, bytes + at + ADDRESS, sizeof address);
  assert_true(address + first + sizeof first <= n);
  assert_int_equal(fseek(file, (long)(address + first), SEEK_SET), 0);
  assert_int_equal(fwrite(&first, sizeof first, 1, file), 1);
  assert_int_equal(fclose(file), 0);
}

static void test_endless_list(void **state) {
  (void)state;
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  skip();  // their memory is not held to a limit, so it is the clock that ends it, a minute later
#endif
  static const char *const word[] = {"unreadable", "no group"};
  for (int which = 0; which < 2; which++) {
    Bench b;
    bench_init(&b);
    put_all(&b);
    make_circle(&b, which);
    REFUSE(&b, b.in, word[which]);
  }
}

// Links and data elsewhere are not followed: the file they name may be anybody's.
static void test_elsewhere(void **state) {
  (void)state;
  Bench b;
  bench_init(&b);
  put_all(&b);
  H5Lmove(b.group, "qpos0", b.group, "real", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("real", b.group, "qpos0", H5P_DEFAULT, H5P_DEFAULT);
  REFUSE(&b, b.in, "one/qpos0", "link");

  bench_init(&b);
  put_all(&b);
  H5Ldelete(b.group, "qvel0", H5P_DEFAULT);
  H5Lcreate_external("/etc/passwd", "/x", b.group, "qvel0", H5P_DEFAULT, H5P_DEFAULT);
  REFUSE(&b, b.in, "one/qvel0", "link");

  bench_init(&b);
  put(&b, "qpos0", 1, NQ, 1);
  put(&b, "qvel0", 1, NV, 1);
  hsize_t dim[2] = {T, A};
  hid_t space = H5Screate_simple(2, dim, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(plist, "/etc/passwd", 0, T * A * sizeof(double));
  hid_t set =
      H5Dcreate2(b.group, "actions", H5T_IEEE_F64LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  assert_true(set >= 0);
  H5Dclose(set);
  H5Pclose(plist);
  H5Sclose(space);
  REFUSE(&b, b.in, "one/actions", "outside");

  // a group where a data set is expected
  bench_init(&b);
  put_all(&b);
  H5Ldelete(b.group, "qvel0", H5P_DEFAULT);
  H5Gclose(H5Gcreate2(b.group, "qvel0", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  REFUSE(&b, b.in, "one/qvel0", "data set");
}

// chunk_rows 0: contiguous, never written
static void put_actions(Bench *b, hid_t type, hsize_t rows, hsize_t chunk_rows) {
  hsize_t dim[2] = {rows, A}, most[2] = {H5S_UNLIMITED, A}, chunk[2] = {chunk_rows, A};
  hid_t space = H5Screate_simple(2, dim, chunk_rows > 0 ? most : NULL);
  hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
  if (chunk_rows > 0) H5Pset_chunk(plist, 2, chunk);
  if (chunk_rows > 0) H5Pset_deflate(plist, 9);
  hid_t set = H5Dcreate2(b->group, "actions", type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  assert_true(set >= 0);
  H5Dclose(set);
  H5Pclose(plist);
  H5Sclose(space);
}

static void put_start(Bench *b) {
  put(b, "qpos0", 1, NQ, 1);
  put(b, "qvel0", 1, NV, 1);
}

// A small file may claim any size.
static void test_absurd_sizes(void **state) {
  (void)state;
  Bench b;
  bench_init(&b);
  put_start(&b);
  put_actions(&b, H5T_IEEE_F64LE, (hsize_t)1 << 60, 4);
  REFUSE(&b, b.in, "one", "steps", "at most");

  bench_init(&b);
  put_start(&b);
  put_actions(&b, H5T_IEEE_F64LE, 100000000, 4);
  REFUSE(&b, b.in, "one", "steps", "at most");

  bench_init(&b);
  put_start(&b);
  put_actions(&b, H5T_IEEE_F64LE, 4, 250000000);
  REFUSE(&b, b.in, "one/actions", "chunks", "at most");
}

static void test_types(void **state) {
  (void)state;
  Bench b;
  hid_t text = H5Tcopy(H5T_C_S1), compound = H5Tcreate(H5T_COMPOUND, 8);
  H5Tset_size(text, H5T_VARIABLE);
  H5Tinsert(compound, "x", 0, H5T_IEEE_F64LE);
  const hid_t wrong[] = {text, compound, H5T_STD_REF_OBJ};
  for (int i = 0; i < 3; i++) {
    bench_init(&b);
    put_start(&b);
    put_actions(&b, wrong[i], T, 4);
    REFUSE(&b, b.in, "one/actions", "float64");
  }
  H5Tclose(text);
  H5Tclose(compound);
  // what converts is taken: whole numbers and floats, chunked and gzip
  const hid_t good[] = {H5T_STD_I32BE, H5T_IEEE_F32LE, H5T_IEEE_F64BE};
  for (int i = 0; i < 3; i++) {
    bench_init(&b);
    put_start(&b);
    put_actions(&b, good[i], T, 4);
    if (run(&b) != RL_OK) fail_msg("%s", rl_error_text());
    bench_free(&b);
  }
}

// Physics that diverges is marked, and what is written stays finite.
static void test_divergence(void **state) {
  (void)state;
  Bench b;
  bench_init(&b);
  put(&b, "qpos0", 1, NQ, 1);
  b.zeros[4] = 1e11;
  put(&b, "qvel0", 1, NV, 1);
  b.zeros[4] = 0;
  put(&b, "actions", 2, T, A);
  if (run(&b) != RL_OK) fail_msg("%s", rl_error_text());
  hid_t out = H5Fopen(b.out, H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t set = H5Dopen2(out, "one/terminated", H5P_DEFAULT);
  unsigned char terminated[T];
  H5Dread(set, H5T_NATIVE_UCHAR, H5S_ALL, H5S_ALL, H5P_DEFAULT, terminated);
  H5Dclose(set);
  assert_int_equal(terminated[0], 1);
  assert_int_equal(terminated[1], 0);
  double obs[(T + 1) * O];
  set = H5Dopen2(out, "one/obs", H5P_DEFAULT);
  H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, obs);
  H5Dclose(set);
  for (int i = 0; i < (T + 1) * O; i++) assert_true(isfinite(obs[i]));
  H5Fclose(out);
  bench_free(&b);
}

static void test_output_that_cannot_be_written(void **state) {
  (void)state;
  Bench b;
  bench_init(&b);
  put_all(&b);
  snprintf(b.out, sizeof b.out, "%s/nowhere/out.h5", b.folder);
  assert_int_equal(run(&b), RL_FAIL);
  // under the name that was asked for
  assert_non_null(strstr(rl_error_text(), "nowhere/out.h5: cannot write: No such file"));
  assert_int_equal(count_files(b.folder), 1);
  bench_free(&b);
}

// A plain file is replaced; what else has the name stays, and so does the file that is read.
static void test_output_that_is_there(void **state) {
  (void)state;
  Bench b;
  struct stat before, after;
  char link[128], pipe[128];
  bench_init(&b);
  put_all(&b);
  assert_int_equal(run(&b), RL_OK);
  assert_int_equal(stat(b.out, &before), 0);
  assert_int_equal(run(&b), RL_OK);
  assert_int_equal(stat(b.out, &after), 0);
  assert_true(before.st_ino != after.st_ino);

  snprintf(link, sizeof link, "%s/link.h5", b.folder);
  assert_int_equal(symlink("out.h5", link), 0);
  snprintf(pipe, sizeof pipe, "%s/pipe.h5", b.folder);
  assert_int_equal(mkfifo(pipe, 0600), 0);
  const char *const taken[] = {link, pipe, b.folder};
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
    snprintf(b.out, sizeof b.out, "%s", taken[i]);
    assert_int_equal(run(&b), RL_USAGE);
    assert_non_null(strstr(rl_error_text(), "found no plain file"));
  }
  assert_int_equal(lstat(link, &after), 0);
  assert_true(S_ISLNK(after.st_mode));
  assert_int_equal(stat(pipe, &after), 0);
  assert_true(S_ISFIFO(after.st_mode));
  unlink(link);
  unlink(pipe);

  // the file to be read, by another spelling
  assert_int_equal(stat(b.in, &before), 0);
  snprintf(b.out, sizeof b.out, "%s/./in.h5", b.folder);
  assert_int_equal(run(&b), RL_USAGE);
  assert_non_null(strstr(rl_error_text(), "found the file to be read"));
  assert_int_equal(stat(b.in, &after), 0);
  assert_true(before.st_ino == after.st_ino && before.st_size == after.st_size);
  snprintf(b.out, sizeof b.out, "%s/out.h5", b.folder);
  bench_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shapes),
      cmocka_unit_test(test_wrong_shapes),
      cmocka_unit_test(test_not_finite),
      cmocka_unit_test(test_no_trace),
      cmocka_unit_test(test_no_file),
      cmocka_unit_test(test_endless_list),
      cmocka_unit_test(test_elsewhere),
      cmocka_unit_test(test_absurd_sizes),
      cmocka_unit_test(test_types),
      cmocka_unit_test(test_divergence),
      cmocka_unit_test(test_output_that_cannot_be_written),
      cmocka_unit_test(test_output_that_is_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
