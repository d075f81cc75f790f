// Scratch folders for tests that touch the disk, small enough to be a header.
#ifndef TESTS_UNIT_RL_SCRATCH_H_
#define TESTS_UNIT_RL_SCRATCH_H_

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRATCH_PATH = 512 };

// makes a new folder and writes its name
static inline void scratch_make(char dir[SCRATCH_PATH]) {
  const char *parent = getenv("TMPDIR");
  snprintf(dir, SCRATCH_PATH, "%s/rltrain-test-XXXXXX", parent ? parent : "/tmp");
  if (!mkdtemp(dir)) abort();
}

// removes a folder and all in it
static inline void scratch_remove(const char *dir) {
  char path[2 * SCRATCH_PATH];
  DIR *list = opendir(dir);
  for (struct dirent *entry; list && (entry = readdir(list));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
    if (unlink(path) != 0) scratch_remove(path);
  }
  if (list) closedir(list);
  rmdir(dir);
}

// number of entries, those starting with a dot included
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
