// A scratch folder for tests that touch the disk: one a test, removed with all in it afterwards.
#ifndef TESTS_UNIT_RL_SCRATCH_H_
#define TESTS_UNIT_RL_SCRATCH_H_

#include <dirent.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_dir[512];

// setup and teardown for cmocka
static inline int scratch_make(void **state) {
  (void)state;
  const char *parent = getenv("TMPDIR");
  snprintf(scratch_dir, sizeof scratch_dir, "%s/rltrain-test-XXXXXX", parent ? parent : "/tmp");
  return mkdtemp(scratch_dir) ? 0 : -1;
}

static inline int scratch_remove_one(const char *path, const struct stat *info, int kind,
                                     struct FTW *at) {
  (void)info;
  (void)kind;
  (void)at;
  return remove(path);
}

static inline int scratch_remove(void **state) {
  (void)state;
  return nftw(scratch_dir, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

// the path of a name in the folder; the last four stay valid
static inline const char *scratch_path(const char *name) {
  static char path[4][1024];
  static int turn;
  turn = (turn + 1) % 4;
  snprintf(path[turn], sizeof path[turn], "%s/%s", scratch_dir, name);
  return path[turn];
}

// number of entries of a folder, those starting with a dot included; -1 if there is none
static inline int scratch_count(const char *dir) {
  int count = -2;
  DIR *list = opendir(dir);
  if (!list) return -1;
  while (readdir(list)) count++;
  closedir(list);
  return count;
}

static inline bool scratch_exists(const char *path) {
  struct stat info;
  return lstat(path, &info) == 0;
}

// writes bytes as they are
static inline void scratch_put(const char *path, const void *data, size_t size) {
  FILE *file = fopen(path, "wb");
  if (!file || (size && fwrite(data, size, 1, file) != 1) || fclose(file)) abort();
}

// reads a file into a block for free(), NUL-terminated
static inline uint8_t *scratch_get(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) abort();
  *size = (size_t)ftell(file);
  uint8_t *data = malloc(*size + 1);
  rewind(file);
  if (!data || (*size && fread(data, *size, 1, file) != 1)) abort();
  data[*size] = 0;
  fclose(file);
  return data;
}

#endif
