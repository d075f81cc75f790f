// Whole files, written safely and read with care, and records added to the end of one. Place: the
// only way in which a run's folder gets new contents.
//
// Invariant: a name holds the old bytes or the new bytes, whatever stops the process or the
// machine; a file that is appended to holds whole records, but for a process killed within one.
#ifndef RL_BASE_FILE_H_
#define RL_BASE_FILE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rl/base/status.h"

// longest path handled, its NUL included
enum { RL_PATH_SIZE = 4096 };

// Writes data to path: `.tmp-NAME-PID` in the same folder, fsync, rename, fsync of the folder. On
// failure nothing is left behind and whatever stood at path still stands.
RL_MUST_USE RlStatus rl_file_write(const char *path, const void *data, size_t size);

// Reads a regular file of at most limit bytes into a block for free(), NUL-terminated past its
// size.
RL_MUST_USE RlStatus rl_file_read(const char *path, size_t limit, uint8_t **data, size_t *size);

// Refuses (RL_USAGE) a name that is taken; with force only one that is not a plain file's, since
// renaming onto a device or a link would take it away. RL_FAIL: nothing can be written there.
RL_MUST_USE RlStatus rl_file_check_free(const char *path, bool force);

// Adds a record to the end of fd, opened with O_APPEND, in one write; what a full disk leaves half
// written is cut off again. path stands for the file in error lines.
RL_MUST_USE RlStatus rl_file_append(int fd, const char *path, const void *data, size_t size);

// Brings what was appended to the disk.
RL_MUST_USE RlStatus rl_file_sync(int fd, const char *path);

// Makes path a symbolic link to target, replacing what stands there in one step.
RL_MUST_USE RlStatus rl_file_link(const char *path, const char *target);

// Records "path: WHAT: REASON" for an errno and returns RL_FAIL.
RlStatus rl_file_error(const char *path, const char *what, int error);

#endif
