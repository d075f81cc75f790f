// Checkpoints of any bytes behind a sound digest: the walk, every way of reading what it found, and
// the policy as rleval loads it. Each refusal is one line that names the file.
//
// Entered behind the digest, which anyone can repair. The superblock's length is repaired here, as
// an input that grew or shrank would get no further, unless the last byte of the user block, which
// the walk does not look at, is set.
#include <stdlib.h>
#include <string.h>

#include "rl/run/checkpoint_walk.h"
#include "rl/run/policy.h"
#include "tests/fuzz/refused.h"
#include "tests/fuzz/standalone.h"

static const char path[] = "fuzz.h5";

enum { END_AT = RL_CHECKPOINT_BLOCK + 28, SUPERBLOCK_END = RL_CHECKPOINT_BLOCK + 48 };

static void repair_length(uint8_t *image, size_t size) {
  if (size < SUPERBLOCK_END || image[RL_CHECKPOINT_BLOCK - 1] != 0) return;
  for (int i = 0; i < 8; i++) image[END_AT + i] = (uint8_t)(size >> 8 * i);
}

// What the walk says of each data set is so: named, apart, inside the image.
static void check_index(const RlCheckpointIndex *index, size_t size) {
  RL_ASSERT(index->n >= 0 && index->n <= RL_CHECKPOINT_ENTRIES);
  for (int i = 0; i < index->n; i++) {
    const RlCheckpointEntry *entry = &index->entry[i];
    RL_ASSERT(rl_checkpoint_name_ok(entry->name));
    RL_ASSERT(entry->rank >= 0 && entry->rank <= RL_FIELD_RANK);
    size_t bytes = rl_checkpoint_type_size(entry->type);
    for (int k = 0; k < entry->rank; k++) bytes *= (size_t)entry->dim[k];
    RL_ASSERT(bytes == entry->bytes);
    RL_ASSERT(entry->bytes <= size && entry->at <= size - entry->bytes);
    for (int k = 0; k < i; k++) RL_ASSERT(strcmp(index->entry[k].name, entry->name) != 0);
  }
}

// Reads a data set as what it is, and as what it is not.
static void read_entry(RlCheckpoint *checkpoint, const RlCheckpointEntry *entry,
                       const uint8_t *image) {
  char text[256];
  int rank;
  int64_t dim[RL_FIELD_RANK];
  RL_ASSERT(rl_checkpoint_shape(checkpoint, entry->name, &rank, dim) == RL_OK);
  RL_ASSERT(rank == entry->rank && memcmp(dim, entry->dim, (size_t)rank * sizeof *dim) == 0);
  RlStatus status = rl_checkpoint_text(checkpoint, entry->name, text, sizeof text);
  RL_ASSERT(status != RL_OK || (entry->type == RL_CHARS && strlen(text) <= entry->bytes));
  if (status != RL_OK) expect_refused(status, path);
  // exactly as large, so that a sanitizer sees the first byte past it
  RlField field = {.name = entry->name, .type = entry->type, .rank = entry->rank};
  memcpy(field.dim, entry->dim, sizeof field.dim);
  field.data = malloc(entry->bytes > 0 ? entry->bytes : 1);
  field.nonnegative = entry->bytes % 16 == 0;
  RL_ASSERT(field.data);
  status = rl_checkpoint_load(checkpoint, &field, 1);
  if (status == RL_OK) RL_ASSERT(memcmp(field.data, image + entry->at, entry->bytes) == 0);
  if (status != RL_OK) expect_refused(status, path);
  field.type = entry->type == RL_F64 ? RL_I64 : RL_F64;
  expect_refused(rl_checkpoint_load(checkpoint, &field, 1), path);
  free(field.data);
}

static void read_policy(RlCheckpoint *checkpoint) {
  enum { ROWS = 8 };
  RlServed served;
  RlStatus status = rl_served_read(&served, checkpoint, path, ROWS);
  if (status == RL_OK) {
    RL_ASSERT(served.task && served.step >= 0);
  } else {
    expect_refused(status, path);
  }
  rl_served_free(&served);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static RlCheckpointIndex index;
  RlCheckpoint *checkpoint;
  uint8_t *image = malloc(size > 0 ? size : 1);
  RL_ASSERT(image);
  if (size > 0) memcpy(image, data, size);
  repair_length(image, size);
  rl_error_clear();
  RlStatus status = rl_checkpoint_walk(&index, image, size, path);
  RL_ASSERT(rl_checkpoint_open_image(&checkpoint, image, size, path) == status);
  RL_ASSERT((checkpoint != NULL) == (status == RL_OK));
  if (status == RL_OK) {
    check_index(&index, size);
    for (int i = 0; i < index.n; i++) read_entry(checkpoint, &index.entry[i], image);
    read_policy(checkpoint);
  } else {
    expect_refused(status, path);
  }
  rl_checkpoint_close(checkpoint);
  free(image);
  return 0;
}
