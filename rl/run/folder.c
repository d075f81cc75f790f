// The folder of a run: creation, lock, names, links, pruning. Place: see folder.h.
//
// Names are made here and nowhere else, so that a listing recognises exactly the files that a save
// makes: a resume file is one whose name is the canonical one of its step.
#include "rl/run/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char segments[] = "resume/replay";

// made for every run, in this order; the segments' only when there is one to write
static const char *const subfolder[] = {"checkpoints", "resume"};

void rl_folder_path(const RlFolder *folder, const char *name, char path[RL_PATH_SIZE]) {
  int n = snprintf(path, RL_PATH_SIZE, "%s/%s", folder->dir, name);
  RL_ASSERT(n > 0 && n < RL_PATH_SIZE);
}

static void name_step(const char *sub, int64_t step, char name[64]) {
  RL_ASSERT(step >= 0);
  snprintf(name, 64, "%s%s%012lld.h5", sub, *sub ? "/" : "", (long long)step);
}

void rl_folder_checkpoint(const RlFolder *folder, int64_t step, char path[RL_PATH_SIZE]) {
  char name[64];
  name_step("checkpoints", step, name);
  rl_folder_path(folder, name, path);
}

void rl_folder_resume(const RlFolder *folder, int64_t step, char path[RL_PATH_SIZE]) {
  char name[64];
  name_step("resume", step, name);
  rl_folder_path(folder, name, path);
}

void rl_folder_segment(const RlFolder *folder, int64_t vector_step, char path[RL_PATH_SIZE]) {
  char name[64];
  name_step(segments, vector_step, name);
  rl_folder_path(folder, name, path);
}

// takes the name over without trailing slashes
static RlStatus set_dir(RlFolder *folder, const char *dir) {
  folder->lock = -1;
  folder->made = false;
  size_t length = strlen(dir);
  while (length > 1 && dir[length - 1] == '/') length--;
  if (length == 0) return rl_error(RL_USAGE, "run folder: found an empty name");
  if (length >= sizeof folder->dir) {
    return rl_error(RL_USAGE, "%.100s...: run folder: the name is longer than %zu bytes", dir,
                    sizeof folder->dir - 1);
  }
  memcpy(folder->dir, dir, length);
  folder->dir[length] = '\0';
  return RL_OK;
}

// makes the folder (made: it was not there) and its parents; what exists is left alone
static RlStatus make_path(const char *dir, bool *made) {
  char part[RL_PATH_SIZE];
  *made = false;
  size_t length = strlen(dir);
  for (size_t i = 1; i <= length; i++) {
    if (dir[i] != '/' && dir[i] != '\0') continue;
    snprintf(part, sizeof part, "%.*s", (int)i, dir);
    // the last one tells
    *made = mkdir(part, 0755) == 0;
    if (!*made && errno != EEXIST) {
      return rl_file_error(dir, "cannot create the run folder", errno);
    }
  }
  struct stat info;
  if (stat(dir, &info) != 0) return rl_file_error(dir, "cannot create the run folder", errno);
  if (S_ISDIR(info.st_mode)) return RL_OK;
  return rl_error(RL_USAGE, "%s: found a file, expected a new or empty folder", dir);
}

// refuses a folder that holds anything but a lock file (nullable: allowed)
static RlStatus check_empty(const char *dir, const char *allowed) {
  DIR *list = opendir(dir);
  if (!list) return rl_file_error(dir, "cannot read the run folder", errno);
  RlStatus status = RL_OK;
  for (struct dirent *entry; status == RL_OK && (entry = readdir(list));) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    if (allowed && strcmp(name, allowed) == 0) continue;
    status = rl_error(RL_USAGE, "%s: found %s in it, expected a new or empty folder", dir, name);
  }
  closedir(list);
  return status;
}

// the holder's process id stands in the file, for the error line of others
static RlStatus refuse_lock(const char *path, int fd) {
  char holder[32] = "";
  ssize_t n = pread(fd, holder, sizeof holder - 1, 0);
  long id = n > 0 ? strtol(holder, NULL, 10) : 0;
  if (id > 0) return rl_error(RL_FAIL, "%s: process %ld writes to this folder", path, id);
  return rl_error(RL_FAIL, "%s: another process writes to this folder", path);
}

// Tries for two seconds: a killed process holds its lock until the kernel has taken it down.
static int wait_for_lock(int fd) {
  const struct timespec pause = {.tv_nsec = 20000000};
  for (int i = 0; i < 100; i++) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return 0;
    if (errno != EWOULDBLOCK && errno != EINTR) return -1;
    nanosleep(&pause, NULL);
  }
  return flock(fd, LOCK_EX | LOCK_NB);
}

static RlStatus take_lock(RlFolder *folder) {
  char path[RL_PATH_SIZE], id[32];
  rl_folder_path(folder, ".lock", path);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return rl_file_error(path, "cannot lock the run folder", errno);
  if (wait_for_lock(fd) != 0) {
    int error = errno;
    RlStatus status = error == EWOULDBLOCK
                          ? refuse_lock(path, fd)
                          : rl_file_error(path, "cannot lock the run folder", error);
    close(fd);
    return status;
  }
  // the lock is what counts: a full disk may leave the id out
  int n = snprintf(id, sizeof id, "%ld\n", (long)getpid());
  if (ftruncate(fd, 0) == 0 && pwrite(fd, id, (size_t)n, 0) != n) (void)!ftruncate(fd, 0);
  folder->lock = fd;
  return RL_OK;
}

// makes one subfolder; what exists is left alone
static RlStatus make_subfolder(const RlFolder *folder, const char *name) {
  char path[RL_PATH_SIZE];
  rl_folder_path(folder, name, path);
  if (mkdir(path, 0755) == 0 || errno == EEXIST) return RL_OK;
  return rl_file_error(path, "cannot create", errno);
}

static RlStatus make_subfolders(const RlFolder *folder) {
  for (size_t i = 0; i < sizeof subfolder / sizeof *subfolder; i++) {
    RL_TRY(make_subfolder(folder, subfolder[i]));
  }
  return RL_OK;
}

// The resume file that lists the segments is written next, and flushes the folder this one is in.
RlStatus rl_folder_make_segments(const RlFolder *folder) {
  return make_subfolder(folder, segments);
}

RlStatus rl_folder_create(RlFolder *folder, const char *dir) {
  RL_TRY(set_dir(folder, dir));
  RL_TRY(make_path(folder->dir, &folder->made));
  RL_TRY(check_empty(folder->dir, NULL));
  RlStatus status = take_lock(folder);
  if (status != RL_OK) {
    if (folder->made) rmdir(folder->dir);
    return status;
  }
  // again: another run may have come and gone before the lock was taken
  status = check_empty(folder->dir, ".lock");
  if (status != RL_OK) {
    rl_folder_close(folder);
    return status;
  }
  status = make_subfolders(folder);
  if (status != RL_OK) rl_folder_discard(folder);
  return status;
}

void rl_folder_discard(RlFolder *folder) {
  char path[RL_PATH_SIZE];
  rl_folder_path(folder, segments, path);
  rmdir(path);
  for (size_t i = 0; i < sizeof subfolder / sizeof *subfolder; i++) {
    rl_folder_path(folder, subfolder[i], path);
    rmdir(path);
  }
  rl_folder_path(folder, ".lock", path);
  unlink(path);
  if (folder->made) rmdir(folder->dir);
  rl_folder_close(folder);
}

// Removes a file from an open folder; returns 0 or an errno. One that is gone already is no error,
// and neither is a folder in its place: it is nobody's leftover.
static int remove_entry(DIR *list, const char *name) {
  if (unlinkat(dirfd(list), name, 0) == 0 || errno == ENOENT || errno == EISDIR) return 0;
  return errno;
}

// removes the temporary files of one folder; it may be missing
static RlStatus remove_temporary(const char *dir) {
  DIR *list = opendir(dir);
  if (!list) return errno == ENOENT ? RL_OK : rl_file_error(dir, "cannot read", errno);
  RlStatus status = RL_OK;
  for (struct dirent *entry; status == RL_OK && (entry = readdir(list));) {
    if (strncmp(entry->d_name, ".tmp-", 5) != 0) continue;
    int error = remove_entry(list, entry->d_name);
    if (error) status = rl_file_error(dir, "cannot remove a dead run's temporary file", error);
  }
  closedir(list);
  return status;
}

static RlStatus clean(const RlFolder *folder) {
  char path[RL_PATH_SIZE];
  RL_TRY(remove_temporary(folder->dir));
  for (size_t i = 0; i < sizeof subfolder / sizeof *subfolder; i++) {
    rl_folder_path(folder, subfolder[i], path);
    RL_TRY(remove_temporary(path));
  }
  rl_folder_path(folder, segments, path);
  return remove_temporary(path);
}

RlStatus rl_folder_open(RlFolder *folder, const char *dir) {
  struct stat info;
  RL_TRY(set_dir(folder, dir));
  if (stat(folder->dir, &info) != 0) {
    return rl_file_error(folder->dir, "cannot open the run folder", errno);
  }
  if (!S_ISDIR(info.st_mode)) {
    return rl_error(RL_USAGE, "%s: found a file, expected a run folder", folder->dir);
  }
  // config.ini makes a folder a run; in another nothing is removed and nothing made
  char config[RL_PATH_SIZE];
  rl_folder_path(folder, "config.ini", config);
  if (access(config, F_OK) != 0) return rl_file_error(config, "cannot read", errno);
  RL_TRY(take_lock(folder));
  RlStatus status = clean(folder);
  if (status == RL_OK) status = make_subfolders(folder);
  if (status != RL_OK) rl_folder_close(folder);
  return status;
}

void rl_folder_close(RlFolder *folder) {
  if (folder->lock >= 0) close(folder->lock);
  folder->lock = -1;
}

RlStatus rl_folder_link(const RlFolder *folder, const char *name, int64_t step) {
  char path[RL_PATH_SIZE], target[64];
  rl_folder_path(folder, name, path);
  name_step("checkpoints", step, target);
  return rl_file_link(path, target);
}

RlStatus rl_folder_write(const RlFolder *folder, const char *name, const char *text) {
  char path[RL_PATH_SIZE];
  rl_folder_path(folder, name, path);
  return rl_file_write(path, text, strlen(text));
}

// the step a file name stands for, or -1 if it is not one a save gives
static int64_t read_step(const char *name) {
  char canonical[64], *end;
  if (name[0] < '0' || name[0] > '9' || strlen(name) > 32) return -1;
  errno = 0;
  long long step = strtoll(name, &end, 10);
  if (errno || strcmp(end, ".h5") != 0) return -1;
  name_step("", step, canonical);
  return strcmp(name, canonical) == 0 ? step : -1;
}

// puts a step in its place, newest first; the oldest falls out of a full list
static void insert_step(int64_t *step, int *count, int64_t found) {
  int at = *count;
  while (at > 0 && step[at - 1] < found) at--;
  if (at == RL_FOLDER_STEPS) return;
  if (*count < RL_FOLDER_STEPS) ++*count;
  for (int i = *count - 1; i > at; i--) step[i] = step[i - 1];
  step[at] = found;
}

RlStatus rl_folder_list(const RlFolder *folder, int64_t step[RL_FOLDER_STEPS], int *count) {
  char path[RL_PATH_SIZE];
  *count = 0;
  rl_folder_path(folder, "resume", path);
  DIR *list = opendir(path);
  if (!list) return rl_file_error(path, "cannot read", errno);
  for (struct dirent *entry; (entry = readdir(list));) {
    int64_t found = read_step(entry->d_name);
    if (found >= 0) insert_step(step, count, found);
  }
  closedir(list);
  return RL_OK;
}

RlStatus rl_folder_prune(const RlFolder *folder, int64_t saved, int64_t before) {
  char path[RL_PATH_SIZE];
  struct stat info;
  rl_folder_resume(folder, saved, path);
  if (stat(path, &info) != 0) return rl_file_error(path, "nothing removed before it", errno);
  rl_folder_path(folder, "resume", path);
  DIR *list = opendir(path);
  if (!list) return rl_file_error(path, "cannot read", errno);
  RlStatus status = RL_OK;
  for (struct dirent *entry; status == RL_OK && (entry = readdir(list));) {
    int64_t step = read_step(entry->d_name);
    if (step < 0 || step >= saved || step == before) continue;
    int error = remove_entry(list, entry->d_name);
    if (error) status = rl_file_error(path, "cannot remove an old resume file", error);
  }
  closedir(list);
  return status;
}

RlStatus rl_folder_prune_segments(const RlFolder *folder, int64_t vector_step) {
  char path[RL_PATH_SIZE];
  rl_folder_path(folder, segments, path);
  DIR *list = opendir(path);
  // no segment was whole yet
  if (!list) return errno == ENOENT ? RL_OK : rl_file_error(path, "cannot read", errno);
  RlStatus status = RL_OK;
  for (struct dirent *entry; status == RL_OK && (entry = readdir(list));) {
    int64_t first = read_step(entry->d_name);
    if (first < 0 || first >= vector_step) continue;
    int error = remove_entry(list, entry->d_name);
    if (error) status = rl_file_error(path, "cannot remove an old segment", error);
  }
  closedir(list);
  return status;
}
