// What the two halves of the checkpoint code share: the user block, the type table.
// Place: private to checkpoint.c (save), checkpoint_walk.c, checkpoint_read.c (open, load) and
// their tests.
#ifndef RL_RUN_CHECKPOINT_FORMAT_H_
#define RL_RUN_CHECKPOINT_FORMAT_H_

#include <stdbool.h>

#include "rl/run/checkpoint.h"

// The user block: the magic line, 20 decimal digits and a newline, 32 hexadecimal digits and a
// newline, then zeros.
#define RL_CHECKPOINT_MAGIC "rltrain checkpoint 1\n"
enum {
  RL_CHECKPOINT_BLOCK = 512,
  RL_CHECKPOINT_LENGTH_AT = 21,
  RL_CHECKPOINT_LENGTH_SIZE = 20,
  RL_CHECKPOINT_DIGEST_AT = 42,
  RL_CHECKPOINT_DIGEST_SIZE = 32,
};

// Larger files are refused on both sides: what is bigger belongs into files of its own.
#define RL_CHECKPOINT_LIMIT ((size_t)4 << 30)

// Longest data set name, its NUL included: components of [A-Za-z0-9_.-], none starting with a dot.
enum { RL_CHECKPOINT_NAME = 128 };

// Fills in the user block of an image: magic, length, digest.
void rl_checkpoint_seal(uint8_t *image, size_t size);

// Checks an image's user block, length and digest; path stands for it in error lines.
RL_MUST_USE RlStatus rl_checkpoint_verify(const uint8_t *image, size_t size, const char *path);

// The digest an image's user block states: its 32 digits as two numbers, zeros if they are none.
void rl_checkpoint_stated_digest(const uint8_t *image, uint64_t digest[2]);

// Opens an image whose digest has been checked; the bytes must outlive the checkpoint.
RL_MUST_USE RlStatus rl_checkpoint_open_image(RlCheckpoint **checkpoint, const uint8_t *data,
                                              size_t size, const char *path);

// Whether name can be stored: nonempty components of plain characters.
bool rl_checkpoint_name_ok(const char *name);

// Bytes of one element, and the type's name in error lines.
size_t rl_checkpoint_type_size(RlFieldType type);
const char *rl_checkpoint_type_name(RlFieldType type);

// Number of elements of a field; its dims are a programmer's to get right.
size_t rl_checkpoint_count(const RlField *field);

// Index of the first element that is not finite, or -1.
int64_t rl_checkpoint_find_bad(RlFieldType type, const void *data, size_t count);

// Refuses what no count or sum of squares can be: a negative value, or a whole number so large that
// counting on from it could overflow. data: the field's elements.
RL_MUST_USE RlStatus rl_checkpoint_check_counts(const char *path, const RlField *field,
                                                const void *data);

#endif
