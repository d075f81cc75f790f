// The folder of a run. Place: between the training loops and the disk; it owns every name in there.
//
//   config.ini  version.txt  metrics.csv  latest.h5  best.h5
//   events.out.tfevents.NNNNNNNNNN.rltrain   the same for TensorBoard (rl/tensorboard/event_file.h)
//   checkpoints/NNNNNNNNNNNN.h5   the policy at that step, all kept
//   resume/NNNNNNNNNNNN.h5        all that goes on from that step, the newest two kept
//   resume/replay/NNNNNNNNNNNN.h5 what those two share of the replay buffer (replay_file.h)
//   .lock                         held (flock) by the process that writes here
//
// Invariant: only the holder of the lock changes anything, so what is found half-made at a resume
// belongs to a dead process.
#ifndef RL_RUN_FOLDER_H_
#define RL_RUN_FOLDER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rl/base/file.h"
#include "rl/base/status.h"

// A folder's own name is kept short enough for every name inside to fit into RL_PATH_SIZE.
enum { RL_FOLDER_SIZE = RL_PATH_SIZE - 256, RL_FOLDER_STEPS = 64 };

typedef struct {
  char dir[RL_FOLDER_SIZE];  // as the user named it
  int lock;                  // descriptor of .lock
  bool made;                 // by rl_folder_create: there was no such folder before
} RlFolder;

// Creates the folder of a new run, its parents and its subfolders, and locks it. A folder that
// exists and holds anything is refused (RL_USAGE).
RL_MUST_USE RlStatus rl_folder_create(RlFolder *folder, const char *dir);

// Locks the folder of an earlier run and removes temporary files left by a dead process; makes the
// subfolders if that process was stopped before it could.
RL_MUST_USE RlStatus rl_folder_open(RlFolder *folder, const char *dir);

// Undoes rl_folder_create and gives the lock back: for a run that could not be begun, so that the
// same command works once the reason is gone. Nothing that holds a file is removed, and the folder
// itself only if it was made here.
void rl_folder_discard(RlFolder *folder);

// Gives the lock back. Safe after a failed create or open, and twice.
void rl_folder_close(RlFolder *folder);

// Paths of a member ("metrics.csv"), of a checkpoint and of a resume file.
void rl_folder_path(const RlFolder *folder, const char *name, char path[RL_PATH_SIZE]);
void rl_folder_checkpoint(const RlFolder *folder, int64_t step, char path[RL_PATH_SIZE]);
void rl_folder_resume(const RlFolder *folder, int64_t step, char path[RL_PATH_SIZE]);

// Path of the segment of the replay buffer whose first vector step is given.
void rl_folder_segment(const RlFolder *folder, int64_t vector_step, char path[RL_PATH_SIZE]);

// Makes the folder of the segments where there is none: only runs that have segments get it.
RL_MUST_USE RlStatus rl_folder_make_segments(const RlFolder *folder);

// Makes name ("latest.h5") a relative link to the checkpoint of a step, in one step.
RL_MUST_USE RlStatus rl_folder_link(const RlFolder *folder, const char *name, int64_t step);

// Writes a text member (config.ini, version.txt) safely.
RL_MUST_USE RlStatus rl_folder_write(const RlFolder *folder, const char *name, const char *text);

// Steps of the resume files, newest first, at most RL_FOLDER_STEPS of them.
RL_MUST_USE RlStatus rl_folder_list(const RlFolder *folder, int64_t step[RL_FOLDER_STEPS],
                                    int *count);

// Removes the resume files older than the one just saved (which must be there: nothing is removed
// otherwise), but for the sound one before it, -1 for none. Going by these and not by the newest
// names, a damaged file never takes a sound one's place. Files of later steps, which a run has that
// went on from an older one, stay until it has passed them: what made them unsound may be mended. A
// folder in the place of a file is no reason to stop: it stays.
RL_MUST_USE RlStatus rl_folder_prune(const RlFolder *folder, int64_t saved, int64_t before);

// Removes the segments whose first vector step is below the given one.
RL_MUST_USE RlStatus rl_folder_prune_segments(const RlFolder *folder, int64_t vector_step);

#endif
