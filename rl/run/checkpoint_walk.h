// The HDF5 part of a checkpoint, read without the HDF5 library. Place: private to checkpoint.c
// (what it wrote must pass here) and checkpoint_read.c; between the digest and the arrays.
//
// rl_checkpoint_save makes one kind of file, a small part of what HDF5 allows, and this is a reader
// of that part alone. A stranger's file therefore never meets a parser of the whole format: what is
// not exactly what rl_checkpoint_save makes is refused by name. docs/checkpoint-format.md lists the
// structures.
#ifndef RL_RUN_CHECKPOINT_WALK_H_
#define RL_RUN_CHECKPOINT_WALK_H_

#include "rl/run/checkpoint_format.h"

enum { RL_CHECKPOINT_ENTRIES = 1024 };  // most data sets of a file

// A data set found sound: its bytes lie in the image.
typedef struct {
  char name[RL_CHECKPOINT_NAME];
  RlFieldType type;
  int rank;  // RL_CHARS: 1, and dim[0] the string's size
  int64_t dim[RL_FIELD_RANK];
  size_t at, bytes;  // at: from the image's first byte; no alignment
} RlCheckpointEntry;

typedef struct {
  int n;
  RlCheckpointEntry entry[RL_CHECKPOINT_ENTRIES];
} RlCheckpointIndex;

// Lists every data set of an image of any bytes; path stands for it in error lines.
RL_MUST_USE RlStatus rl_checkpoint_walk(RlCheckpointIndex *index, const uint8_t *image, size_t size,
                                        const char *path);

#endif
