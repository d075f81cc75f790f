// Whole files, written safely and read with care. Place: the only way in which a run's folder gets
// new contents (checkpoints, config.ini, version.txt, a shortened metrics.csv).
//
// Invariant: a name holds the old bytes or the new bytes, whatever stops the process or the
// machine.
#ifndef RL_RUN_FILE_H_
#define RL_RUN_FILE_H_

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

// Makes path a symbolic link to target, replacing what stands there in one step.
RL_MUST_USE RlStatus rl_file_link(const char *path, const char *target);

// Records "path: WHAT: REASON" for an errno and returns RL_FAIL.
RlStatus rl_file_error(const char *path, const char *what, int error);

#endif
