// Opening checkpoints. Place: the disk -> all bytes in memory -> length and digest -> the walk's
// list of the data sets found sound -> the state of a run.
//
// A digest says that a file is whole, not that it is kind: a stranger's file can have one too. What
// is not exactly what rl_checkpoint_save makes is refused by the walk, and nothing here looks at
// bytes that are not in its list.
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rl/base/file.h"
#include "rl/run/checkpoint_walk.h"

enum { SHAPE_TEXT = 128 };

struct RlCheckpoint {
  char *path;
  const uint8_t *image;  // the whole file
  uint8_t *owned;        // nullable: the image if it is to be freed here
  RlCheckpointIndex index;
};

// "float32 (17, 64)"
static void describe(char text[SHAPE_TEXT], RlFieldType type, int rank, const int64_t *dim) {
  int n = snprintf(text, SHAPE_TEXT, "%s %s", rl_checkpoint_type_name(type), rank ? "(" : "scalar");
  for (int i = 0; i < rank && n < SHAPE_TEXT; i++) {
    n += snprintf(text + n, (size_t)(SHAPE_TEXT - n), "%lld%s", (long long)dim[i],
                  i + 1 < rank ? ", " : ")");
  }
}

static const RlCheckpointEntry *find(const RlCheckpoint *checkpoint, const char *name) {
  for (int i = 0; i < checkpoint->index.n; i++) {
    const RlCheckpointEntry *entry = &checkpoint->index.entry[i];
    if (strcmp(entry->name, name) == 0) return entry;
  }
  return NULL;
}

RlStatus rl_checkpoint_open_image(RlCheckpoint **checkpoint, const uint8_t *data, size_t size,
                                  const char *path) {
  RlCheckpoint *opened = calloc(1, sizeof *opened);
  *checkpoint = NULL;
  if (!opened || !(opened->path = strdup(path))) {
    free(opened);
    return rl_error(RL_FAIL, "%s: found no memory to open it, expected %zu bytes", path,
                    sizeof *opened);
  }
  opened->image = data;
  RlStatus status = rl_checkpoint_walk(&opened->index, data, size, path);
  if (status == RL_OK) {
    *checkpoint = opened;
  } else {
    rl_checkpoint_close(opened);
  }
  return status;
}

RlStatus rl_checkpoint_open(RlCheckpoint **checkpoint, const char *path) {
  uint8_t *data;
  size_t size;
  *checkpoint = NULL;
  RL_TRY(rl_file_read(path, RL_CHECKPOINT_LIMIT, &data, &size));
  RlStatus status = rl_checkpoint_verify(data, size, path);
  if (status == RL_OK) status = rl_checkpoint_open_image(checkpoint, data, size, path);
  if (*checkpoint) {
    (*checkpoint)->owned = data;
  } else {
    free(data);
  }
  return status;
}

bool rl_checkpoint_is_listed(const char *path, const uint64_t digest[2]) {
  uint8_t block[RL_CHECKPOINT_BLOCK];
  uint64_t stated[2];
  char length[RL_CHECKPOINT_LENGTH_SIZE + 1];
  struct stat info;
  // not blocking: there may be a pipe in its place
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  bool whole = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
               pread(fd, block, sizeof block, 0) == (ssize_t)sizeof block;
  close(fd);
  if (!whole) return false;
  rl_checkpoint_stated_digest(block, stated);
  snprintf(length, sizeof length, "%0*jd", RL_CHECKPOINT_LENGTH_SIZE, (intmax_t)info.st_size);
  return memcmp(stated, digest, sizeof stated) == 0 &&
         memcmp(block + RL_CHECKPOINT_LENGTH_AT, length, RL_CHECKPOINT_LENGTH_SIZE) == 0;
}

void rl_checkpoint_close(RlCheckpoint *checkpoint) {
  if (!checkpoint) return;
  free(checkpoint->path);
  free(checkpoint->owned);
  free(checkpoint);
}

void rl_checkpoint_digest(const RlCheckpoint *checkpoint, uint64_t digest[2]) {
  rl_checkpoint_stated_digest(checkpoint->image, digest);
}

// the error line for a data set that is not there
static RlStatus miss(const RlCheckpoint *checkpoint, const char *name, const char *expected) {
  return rl_error(RL_FAIL, "%s: %s: found nothing, expected %s", checkpoint->path, name, expected);
}

RlStatus rl_checkpoint_text(RlCheckpoint *checkpoint, const char *name, char *text, size_t size) {
  const RlCheckpointEntry *entry = find(checkpoint, name);
  char found[SHAPE_TEXT];
  RL_ASSERT(size > 0);
  text[0] = '\0';
  if (!entry) return miss(checkpoint, name, "text");
  if (entry->type != RL_CHARS) {
    describe(found, entry->type, entry->rank, entry->dim);
    return rl_error(RL_FAIL, "%s: %s: found %s, expected text", checkpoint->path, name, found);
  }
  size_t length = (size_t)entry->dim[0];
  if (length >= size) {
    return rl_error(RL_FAIL, "%s: %s: found text of %zu bytes, expected at most %zu",
                    checkpoint->path, name, length, size - 1);
  }
  const uint8_t *stored = checkpoint->image + entry->at;
  // only the empty text is stored with a NUL
  if (memchr(stored, '\0', length) && !(length == 1 && stored[0] == '\0')) {
    return rl_error(RL_FAIL, "%s: %s: found a NUL byte, expected text", checkpoint->path, name);
  }
  memcpy(text, stored, length);
  text[length] = '\0';
  return RL_OK;
}

RlStatus rl_checkpoint_shape(RlCheckpoint *checkpoint, const char *name, int *rank, int64_t *dim) {
  const RlCheckpointEntry *entry = find(checkpoint, name);
  if (!entry) return miss(checkpoint, name, "a data set");
  *rank = entry->rank;
  for (int i = 0; i < entry->rank; i++) dim[i] = entry->dim[i];
  return RL_OK;
}

// compares a field with what the file holds
static RlStatus match_field(const RlCheckpoint *checkpoint, const RlField *field,
                            const RlCheckpointEntry **entry) {
  char expected[SHAPE_TEXT], found[SHAPE_TEXT];
  int64_t dim[RL_FIELD_RANK] = {0};
  for (int i = 0; i < field->rank; i++) dim[i] = field->dim[i];
  if (field->type == RL_CHARS && dim[0] == 0) dim[0] = 1;  // the empty text's one NUL
  describe(expected, field->type, field->rank, dim);
  *entry = find(checkpoint, field->name);
  if (!*entry) return miss(checkpoint, field->name, expected);
  bool equal = (*entry)->type == field->type && (*entry)->rank == field->rank &&
               memcmp((*entry)->dim, dim, sizeof dim) == 0;
  if (equal) return RL_OK;
  describe(found, (*entry)->type, (*entry)->rank, (*entry)->dim);
  return rl_error(RL_FAIL, "%s: %s: found %s, expected %s", checkpoint->path, field->name, found,
                  expected);
}

// bytes a field takes in the block it is read into; a multiple of 64 keeps each one aligned
static size_t padded_size(const RlField *field) {
  size_t bytes = rl_checkpoint_count(field) * rl_checkpoint_type_size(field->type);
  return (bytes + 64) / 64 * 64;
}

// reads the fields one after the other into block
static RlStatus read_fields(RlCheckpoint *checkpoint, const RlField *field, int nfield,
                            uint8_t *block) {
  for (int i = 0; i < nfield; i++) {
    const RlCheckpointEntry *entry;
    size_t count = rl_checkpoint_count(&field[i]);
    RL_TRY(match_field(checkpoint, &field[i], &entry));
    memcpy(block, checkpoint->image + entry->at, entry->bytes);
    int64_t bad = rl_checkpoint_find_bad(field[i].type, block, count);
    if (bad >= 0) {
      return rl_error(RL_FAIL,
                      "%s: %s[%lld]: found a value that is not finite, expected one that is",
                      checkpoint->path, field[i].name, (long long)bad);
    }
    if (field[i].nonnegative)
      RL_TRY(rl_checkpoint_check_counts(checkpoint->path, &field[i], block));
    block += padded_size(&field[i]);
  }
  return RL_OK;
}

RlStatus rl_checkpoint_load(RlCheckpoint *checkpoint, const RlField *field, int nfield) {
  size_t total = 1;
  // every shape is compared before any memory is taken
  for (int i = 0; i < nfield; i++) {
    const RlCheckpointEntry *entry;
    RL_TRY(match_field(checkpoint, &field[i], &entry));
    total += padded_size(&field[i]);
  }
  uint8_t *block = aligned_alloc(64, (total + 63) / 64 * 64);
  if (!block)
    return rl_error(RL_FAIL, "%s: found too little memory, expected %zu bytes", checkpoint->path,
                    total);
  RlStatus status = read_fields(checkpoint, field, nfield, block);
  // all sound: now, and only now, the caller's arrays change
  const uint8_t *from = block;
  for (int i = 0; status == RL_OK && i < nfield; i++) {
    size_t bytes = rl_checkpoint_count(&field[i]) * rl_checkpoint_type_size(field[i].type);
    if (bytes > 0) memcpy(field[i].data, from, bytes);
    from += padded_size(&field[i]);
  }
  free(block);
  return status;
}
