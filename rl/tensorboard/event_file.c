// The event files of a run folder: see event_file.h.
//
// Invariant: between two calls a file ends with a whole record; a process killed within one leaves
// a torn record, which readers wait behind and the next process cuts off.
#include "rl/tensorboard/event_file.h"

#include <dirent.h>
#include <errno.h>
#include <event.pb-c.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rl/tensorboard/record.h"

static const char prefix[] = "events.out.tfevents.";

static void name_file(const char *dir, int64_t number, char path[RL_PATH_SIZE]) {
  int n = snprintf(path, RL_PATH_SIZE, "%s/%s%010" PRId64 ".rltrain", dir, prefix, number);
  RL_ASSERT(n > 0 && n < RL_PATH_SIZE);
}

// the number that a file name stands for, 0 if it is none of ours
static int64_t read_number(const char *dir, const char *name) {
  char path[RL_PATH_SIZE];
  if (strncmp(name, prefix, strlen(prefix)) != 0) return 0;
  int64_t number = strtoll(name + strlen(prefix), NULL, 10);
  if (number < 1 || number == INT64_MAX) return 0;
  name_file(dir, number, path);
  return strcmp(path + strlen(dir) + 1, name) == 0 ? number : 0;
}

// the step of an event, -1 if the bytes are none
static int64_t read_step(const uint8_t *data, size_t size) {
  Rl__Event *event = rl__event__unpack(NULL, size, data);
  int64_t step = event && event->step >= 0 ? event->step : -1;
  if (event) rl__event__free_unpacked(event, NULL);
  return step;
}

// Bytes of the records to keep from the front of a file, *count of them: all up to the first that
// is past the step, torn or damaged.
static off_t measure(int fd, int64_t step, int *count) {
  uint8_t head[RL_RECORD_HEAD], data[RL_EVENT_RECORD];
  off_t kept = 0;
  for (*count = 0;; ++*count) {
    uint64_t size;
    if (pread(fd, head, sizeof head, kept) != (ssize_t)sizeof head) return kept;
    if (!rl_record_read_head(head, &size) || size > sizeof data - RL_RECORD_TAIL) return kept;
    ssize_t rest = (ssize_t)size + RL_RECORD_TAIL;
    if (pread(fd, data, (size_t)rest, kept + RL_RECORD_HEAD) != rest) return kept;
    if (!rl_record_is_sound(data, (size_t)size)) return kept;
    int64_t at = read_step(data, (size_t)size);
    if (at < 0 || at > step) return kept;
    kept += RL_RECORD_HEAD + rest;
  }
}

// The first record tells the version of the format: a file that is left with nothing else goes.
static RlStatus cut_file(const char *path, int64_t step) {
  struct stat info;
  if (lstat(path, &info) != 0 || !S_ISREG(info.st_mode)) return RL_OK;
  int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return rl_file_error(path, "cannot open", errno);
  int count, error = 0;
  off_t kept = measure(fd, step, &count);
  if (count <= 1) {
    if (unlink(path) != 0) error = errno;
  } else if (kept < info.st_size) {
    if (ftruncate(fd, kept) != 0) error = errno;
  }
  close(fd);
  return error ? rl_file_error(path, "cannot cut", error) : RL_OK;
}

RlStatus rl_event_file_cut(const char *dir, int64_t step, int64_t *next) {
  *next = 1;
  DIR *list = opendir(dir);
  if (!list) return rl_file_error(dir, "cannot read", errno);
  RlStatus status = RL_OK;
  for (struct dirent *entry; status == RL_OK && (entry = readdir(list));) {
    char path[RL_PATH_SIZE];
    int64_t number = read_number(dir, entry->d_name);
    if (number < 1) continue;
    if (number >= *next) *next = number + 1;
    name_file(dir, number, path);
    status = cut_file(path, step);
  }
  closedir(list);
  return status;
}

RlStatus rl_event_file_create(const char *dir, int64_t number, char path[RL_PATH_SIZE], int *fd) {
  name_file(dir, number, path);
  *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
  return *fd < 0 ? rl_file_error(path, "cannot open", errno) : RL_OK;
}
