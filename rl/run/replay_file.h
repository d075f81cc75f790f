// The replay buffer on disk. Place: between the ring and a run's folder, beside the resume files.
//
// A buffer of a million steps is not written again at each save. Vector steps are cut into segments
// of equal length, [k * segment, (k + 1) * segment), and one that lies wholly in the ring at a save
// is written once, to resume/replay/NNNNNNNNNNNN.h5 (its first vector step). The resume file lists
// those with their digests, and holds what is in no whole segment itself: the head, whose segment
// has begun to retire, and the tail, whose segment is not full yet.
//
// Invariant: which steps are in which file follows from their number alone, not from when saves
// happened, so a run that was interrupted writes the bytes of one that was not.
#ifndef RL_RUN_REPLAY_FILE_H_
#define RL_RUN_REPLAY_FILE_H_

#include "rl/data/replay.h"
#include "rl/run/checkpoint.h"
#include "rl/run/fields.h"
#include "rl/run/folder.h"

// Slots of a segment; it is a vector step if that has more.
enum { RL_REPLAY_SEGMENT = 8192 };

typedef struct {
  RlReplay *replay;
  int64_t segment;   // vector steps of one
  int64_t written;   // vector steps of the run at the last save or load
  int64_t first;     // vector step at which the list begins
  int64_t kept;      // the same of the resume file before, which is kept too
  int count;         // segments listed, all of them on disk
  int mended;        // of those, written again at the last save: they were not as they should be
  uint64_t *digest;  // theirs                                              (count, 2)
  RlReplaySlice head, tail;
  RlReplaySlice whole;  // scratch for a segment
  int64_t *last_final;  // step of each environment's last truncation, while loading (N)
} RlReplayFile;

// An empty list for a buffer, which must outlive it; nothing is allocated later.
void rl_replay_file_init(RlReplayFile *file, RlArena *arena, RlReplay *replay);

// Bytes that rl_replay_file_init would take.
double rl_replay_file_bytes(int64_t buffer_size, int N, int O, int A, int max_episode_steps);

// Empties the buffer and the list: a run that starts again.
void rl_replay_file_reset(RlReplayFile *file);

// Writes the segments that are not on disk yet and fills what rl_replay_file_fields lists: before
// the resume file, which must never list what is not there. A segment listed before that has since
// been removed, cut short or replaced is written again: the ring still holds all of it.
RL_MUST_USE RlStatus rl_replay_file_save(RlReplayFile *file, const RlFolder *folder);

// Adds the list, the head and the tail, 16 data sets "replay/...", to the fields of a resume file
// about to be saved.
void rl_replay_file_fields(RlReplayFile *file, RlFields *fields);

// Removes the segments that neither the resume file just saved nor the one before it lists: after
// rl_folder_prune.
RL_MUST_USE RlStatus rl_replay_file_prune(RlReplayFile *file, const RlFolder *folder);

// Fills the buffer from an open resume file, whose path is for the error line, and the segments it
// lists. Whatever fails (a segment missing, damaged, or not the one that was listed), the buffer is
// left as rl_replay_file_reset leaves it, and an earlier resume file can be tried. To be called
// before the rest of the run's state is loaded.
RL_MUST_USE RlStatus rl_replay_file_load(RlReplayFile *file, const RlFolder *folder,
                                         RlCheckpoint *checkpoint, const char *path);

#endif
