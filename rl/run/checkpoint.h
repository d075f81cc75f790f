// Checkpoint files: named arrays in HDF5, written whole or not at all, trusted only after their
// digest. Place: between the state of a run (run_state.c lists what it holds) and the disk.
//
// File: a 512-byte HDF5 user block holding a magic line, the file's length and the XXH3-128 of
// every byte but the digest's own; then a plain HDF5 file (contiguous data sets, no filters, no
// links but hard ones, no time stamps, no paths, no host), so that h5py reads it and equal states
// give equal bytes. docs/checkpoint-format.md is the specification.
#ifndef RL_RUN_CHECKPOINT_H_
#define RL_RUN_CHECKPOINT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rl/base/file.h"  // rl_file_write
#include "rl/base/status.h"

typedef enum { RL_F32, RL_F64, RL_I32, RL_I64, RL_U64, RL_U8, RL_CHARS } RlFieldType;

enum { RL_FIELD_RANK = 4 };

// One data set. name may hold groups: "actor/param". RL_CHARS is a fixed-length string: rank 1,
// dim[0] its length; it is read with rl_checkpoint_text.
typedef struct {
  const char *name;
  RlFieldType type;
  int rank;  // 0: a scalar
  int64_t dim[RL_FIELD_RANK];
  void *data;        // dense, row-major
  bool nonnegative;  // saving and reading refuse values below zero (counts, sums of squares) and
                     // whole numbers above 2^53, or 2^30 if int32: counting on never overflows
} RlField;

// Writes the fields to path: temporary name in the same folder, fsync, rename, fsync of the folder.
// On failure nothing is left behind and whatever stood at path still stands. Field order does not
// matter for reading; the same fields give the same bytes.
RL_MUST_USE RlStatus rl_checkpoint_save(const char *path, const RlField *field, int nfield);

// The same; digest becomes the file's, for a list that is to recognise it.
RL_MUST_USE RlStatus rl_checkpoint_save_listed(const char *path, const RlField *field, int nfield,
                                               uint64_t digest[2]);

// Whether path is a file of the length it states, and states this digest: what can be told of a
// large file without reading it. A change inside it shows only when it is opened.
bool rl_checkpoint_is_listed(const char *path, const uint64_t digest[2]);

typedef struct RlCheckpoint RlCheckpoint;

// Reads the whole file into memory and checks length and digest before the HDF5 library sees a
// byte; then walks it: only groups and data sets behind hard links, fixed-size types, contiguous
// layout. Error lines name the file, what was found and what was expected.
RL_MUST_USE RlStatus rl_checkpoint_open(RlCheckpoint **checkpoint, const char *path);

// The digest the file was found to have, as rl_checkpoint_save_listed gave it.
void rl_checkpoint_digest(const RlCheckpoint *checkpoint, uint64_t digest[2]);

// Copies an RL_CHARS data set into text, NUL-terminated; an error if it is missing or does not fit.
RL_MUST_USE RlStatus rl_checkpoint_text(RlCheckpoint *checkpoint, const char *name, char *text,
                                        size_t size);

// Writes the dims of a data set to dim (at most RL_FIELD_RANK) and its rank; error if missing.
RL_MUST_USE RlStatus rl_checkpoint_shape(RlCheckpoint *checkpoint, const char *name, int *rank,
                                         int64_t *dim);

// Reads every field, or none: type and shape are compared with the file's first, floating-point
// values must be finite, and data is written only after all have been read.
RL_MUST_USE RlStatus rl_checkpoint_load(RlCheckpoint *checkpoint, const RlField *field, int nfield);

// nullable: checkpoint
void rl_checkpoint_close(RlCheckpoint *checkpoint);

#endif
