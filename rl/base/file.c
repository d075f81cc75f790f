// Whole files: temporary name, fsync, rename, fsync of the folder. Place: see file.h.
//
// The temporary name starts with a dot and carries the process id: listings pass it over, two
// processes never share one, and a resumed run can tell a dead run's leftovers.
#include "rl/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

RlStatus rl_file_error(const char *path, const char *what, int error) {
  const char *reason = error == ENOSPC ? "no space left on device" : strerror(error);
  return rl_error(RL_FAIL, "%s: %s: %s", path, what, reason);
}

// splits path into its folder ("." if it names none) and the temporary name beside it
static RlStatus name_temporary(const char *path, char *folder, char *temporary) {
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  // the slash stays in the folder's name, which also makes "/NAME" right
  int length = slash ? (int)(slash + 1 - path) : 0;
  int n = snprintf(temporary, RL_PATH_SIZE, "%.*s.tmp-%s-%ld", length, path, name, (long)getpid());
  if (n < 0 || n >= RL_PATH_SIZE || *name == '\0') {
    return rl_error(RL_FAIL, "%.200s: cannot write: the name is empty or too long", path);
  }
  snprintf(folder, RL_PATH_SIZE, "%.*s", length ? length : 1, length ? path : ".");
  return RL_OK;
}

// opens the temporary file; one of the same name can only be left from a dead process of this id
static int open_temporary(const char *temporary) {
  int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  int fd = open(temporary, flags, 0644);
  if (fd < 0 && errno == EEXIST && unlink(temporary) == 0) fd = open(temporary, flags, 0644);
  return fd;
}

// writes all bytes; returns 0 or an errno
static int write_all(int fd, const uint8_t *data, size_t size) {
  while (size > 0) {
    // the kernel takes at most 2 GiB a call
    size_t part = size < ((size_t)1 << 30) ? size : (size_t)1 << 30;
    ssize_t n = write(fd, data, part);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    data += n;
    size -= (size_t)n;
  }
  return 0;
}

// returns 0 or an errno; file systems that cannot sync (EINVAL) are taken as they are
static int sync_folder(const char *folder) {
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = fsync(fd) != 0 && errno != EINVAL ? errno : 0;
  close(fd);
  return error;
}

RlStatus rl_file_write(const char *path, const void *data, size_t size) {
  char folder[RL_PATH_SIZE], temporary[RL_PATH_SIZE];
  RL_TRY(name_temporary(path, folder, temporary));
  int fd = open_temporary(temporary);
  if (fd < 0) return rl_file_error(path, "cannot write", errno);
  int error = write_all(fd, data, size);
  if (!error && fsync(fd) != 0 && errno != EINVAL) error = errno;
  if (close(fd) != 0 && !error) error = errno;
  if (!error && rename(temporary, path) != 0) error = errno;
  if (error) {
    unlink(temporary);
    return rl_file_error(path, "cannot write", error);
  }
  error = sync_folder(folder);
  return error ? rl_file_error(path, "cannot sync its folder", error) : RL_OK;
}

// Refuses a path in whose folder nothing can be written.
static RlStatus check_folder(const char *path) {
  char folder[RL_PATH_SIZE], temporary[RL_PATH_SIZE];
  RL_TRY(name_temporary(path, folder, temporary));
  return access(folder, W_OK | X_OK) == 0 ? RL_OK : rl_file_error(path, "cannot write", errno);
}

RlStatus rl_file_check_free(const char *path, bool force) {
  struct stat info;
  // a link that leads nowhere is in the way, too
  if (lstat(path, &info) != 0 || (force && S_ISREG(info.st_mode))) return check_folder(path);
  if (!S_ISREG(info.st_mode)) {
    return rl_error(RL_USAGE, "%s: found no plain file there, expected a new name or one", path);
  }
  return rl_error(RL_USAGE, "%s: found a file of that name, expected none (or --force)", path);
}

RlStatus rl_file_append(int fd, const char *path, const void *data, size_t size) {
  ssize_t n;
  do {
    n = write(fd, data, size);
  } while (n < 0 && errno == EINTR);
  if (n == (ssize_t)size) return RL_OK;
  int error = n < 0 ? errno : ENOSPC;
  off_t end = lseek(fd, 0, SEEK_END);
  if (n > 0 && end >= n) (void)!ftruncate(fd, end - n);
  return rl_file_error(path, "cannot write", error);
}

RlStatus rl_file_sync(int fd, const char *path) {
  if (fdatasync(fd) == 0 || errno == EINVAL) return RL_OK;
  return rl_file_error(path, "cannot sync", errno);
}

RlStatus rl_file_link(const char *path, const char *target) {
  char folder[RL_PATH_SIZE], temporary[RL_PATH_SIZE];
  RL_TRY(name_temporary(path, folder, temporary));
  int failed = symlink(target, temporary);
  if (failed && errno == EEXIST && unlink(temporary) == 0) failed = symlink(target, temporary);
  if (failed) return rl_file_error(path, "cannot link", errno);
  if (rename(temporary, path) != 0) {
    int error = errno;
    unlink(temporary);
    return rl_file_error(path, "cannot link", error);
  }
  int error = sync_folder(folder);
  return error ? rl_file_error(path, "cannot sync its folder", error) : RL_OK;
}

// reads exactly size bytes; returns 0 or an errno (EIO if the file ends early)
static int read_all(int fd, uint8_t *data, size_t size) {
  while (size > 0) {
    size_t part = size < ((size_t)1 << 30) ? size : (size_t)1 << 30;
    ssize_t n = read(fd, data, part);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return EIO;
    data += n;
    size -= (size_t)n;
  }
  return 0;
}

// checks that fd is a regular file of at most limit bytes
static RlStatus measure(const char *path, int fd, size_t limit, size_t *size) {
  struct stat info;
  if (fstat(fd, &info) != 0) return rl_file_error(path, "cannot read", errno);
  if (S_ISDIR(info.st_mode)) return rl_error(RL_FAIL, "%s: found a folder, expected a file", path);
  if (!S_ISREG(info.st_mode)) {
    return rl_error(RL_FAIL, "%s: found a device or pipe, expected a file", path);
  }
  if ((uintmax_t)info.st_size > limit) {
    return rl_error(RL_FAIL, "%s: found %jd bytes, expected at most %zu", path,
                    (intmax_t)info.st_size, limit);
  }
  *size = (size_t)info.st_size;
  return RL_OK;
}

RlStatus rl_file_read(const char *path, size_t limit, uint8_t **data, size_t *size) {
  *data = NULL;
  // not blocking: a pipe in the file's place must not hang the caller
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return rl_file_error(path, "cannot read", errno);
  RlStatus status = measure(path, fd, limit, size);
  if (status != RL_OK) goto out;
  *data = malloc(*size + 1);
  if (!*data) {
    status = rl_error(RL_FAIL, "%s: no memory for %zu bytes", path, *size);
    goto out;
  }
  int error = read_all(fd, *data, *size);
  if (error) {
    free(*data);
    *data = NULL;
    status = rl_file_error(path, "cannot read", error);
    goto out;
  }
  (*data)[*size] = '\0';
out:
  close(fd);
  return status;
}
