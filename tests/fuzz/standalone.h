// Runs a fuzz target over files, for builds without a fuzzing engine: the corpus is then a plain
// test. Define RL_FUZZ_ENGINE when an engine brings its own main.
#ifndef TESTS_FUZZ_STANDALONE_H_
#define TESTS_FUZZ_STANDALONE_H_

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef RL_FUZZ_ENGINE

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int run_file(const char *path) {
  FILE *file = fopen(path, "rb");
  struct stat info;
  if (file == NULL || fstat(fileno(file), &info) != 0) {
    perror(path);
    return 1;
  }
  // exactly as large as the file, so that a sanitizer sees the first byte past it
  size_t size = (size_t)info.st_size;
  uint8_t *data = malloc(size > 0 ? size : 1);
  int failed = data == NULL || fread(data, 1, size, file) != size;
  if (!failed) (void)LLVMFuzzerTestOneInput(data, size);
  free(data);
  fclose(file);
  return failed;
}

// Every argument is a file or a folder of files; none at all is a failure.
int main(int argc, char **argv) {
  int files = 0, failed = 0;
  for (int i = 1; i < argc; i++) {
    DIR *folder = opendir(argv[i]);
    if (folder == NULL) {
      failed += run_file(argv[i]);
      files++;
      continue;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
      if (entry->d_name[0] == '.') continue;
      char path[4096];
      snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
      failed += run_file(path);
      files++;
    }
    closedir(folder);
  }
  printf("%d files, %d failed\n", files, failed);
  return files == 0 || failed > 0;
}

#endif
#endif
