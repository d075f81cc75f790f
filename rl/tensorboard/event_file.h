// The event files of a run folder: names, and the cut at a resume. Place: between events.c, which
// fills them, and the disk.
//
//   events.out.tfevents.NNNNNNNNNN.rltrain   of the folder's Nth process, counted from 1
//
// TensorBoard takes whatever has "tfevents" in its name, in the order of the names. Every process
// writes a file of its own and those before it are cut to what it goes on from: a TensorBoard that
// looks on never finds other bytes where it has read already.
#ifndef RL_TENSORBOARD_EVENT_FILE_H_
#define RL_TENSORBOARD_EVENT_FILE_H_

#include <stdint.h>

#include "rl/base/file.h"

// A longer record than this is none of ours.
enum { RL_EVENT_RECORD = 65536 };

// Cuts the files in dir behind the last event of step or earlier, at a record that is torn or
// damaged at the latest, and removes those that hold nothing more; -1 removes all. Whatever bears
// such a name and is no file is left alone. *next receives the number of a new file.
RL_MUST_USE RlStatus rl_event_file_cut(const char *dir, int64_t step, int64_t *next);

// Creates the file of a number in dir, writes its path and returns its descriptor in *fd.
RL_MUST_USE RlStatus rl_event_file_create(const char *dir, int64_t number, char path[RL_PATH_SIZE],
                                          int *fd);

#endif
