// The parts of a checkpoint file that writing and reading share. Place: below checkpoint.c and
// checkpoint_read.c.
//
// Invariant: nothing here looks past the user block and the digest, so these functions are safe on
// any bytes.
#include "rl/run/checkpoint_format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_STATIC_LINKING_ONLY  // the state on the stack: a digest cannot run out of memory
#include <xxhash.h>

static void write_digest(const uint8_t *image, size_t size,
                         char hex[RL_CHECKPOINT_DIGEST_SIZE + 1]) {
  const size_t after = RL_CHECKPOINT_DIGEST_AT + RL_CHECKPOINT_DIGEST_SIZE;
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_128bits_reset(&state);
  XXH3_128bits_update(&state, image, RL_CHECKPOINT_DIGEST_AT);
  XXH3_128bits_update(&state, image + after, size - after);
  XXH128_hash_t hash = XXH3_128bits_digest(&state);
  snprintf(hex, RL_CHECKPOINT_DIGEST_SIZE + 1, "%016llx%016llx", (unsigned long long)hash.high64,
           (unsigned long long)hash.low64);
}

void rl_checkpoint_seal(uint8_t *image, size_t size) {
  RL_ASSERT(size >= RL_CHECKPOINT_BLOCK);
  char hex[RL_CHECKPOINT_DIGEST_SIZE + 1];
  memset(image, 0, RL_CHECKPOINT_BLOCK);
  snprintf((char *)image, RL_CHECKPOINT_BLOCK, "%s%020llu\n%032d\n", RL_CHECKPOINT_MAGIC,
           (unsigned long long)size, 0);
  write_digest(image, size, hex);
  memcpy(image + RL_CHECKPOINT_DIGEST_AT, hex, RL_CHECKPOINT_DIGEST_SIZE);
}

// an error line for bytes that do not start with the magic line
static RlStatus refuse_magic(const uint8_t *image, size_t size, const char *path) {
  static const char family[] = "rltrain checkpoint ";
  static const uint8_t hdf5[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  if (size == 0) return rl_error(RL_FAIL, "%s: found an empty file, expected a checkpoint", path);
  if (size >= sizeof hdf5 && memcmp(image, hdf5, sizeof hdf5) == 0) {
    return rl_error(RL_FAIL,
                    "%s: found an HDF5 file without rltrain's digest, expected a checkpoint", path);
  }
  if (size >= sizeof family && memcmp(image, family, sizeof family - 1) == 0) {
    return rl_error(RL_FAIL,
                    "%s: found a checkpoint of another version or a damaged one, expected "
                    "version 1",
                    path);
  }
  return rl_error(RL_FAIL,
                  "%s: found a file that is not a checkpoint, expected rltrain's first line", path);
}

// the length the user block states, or -1 if it is not 20 digits and a newline
static int64_t read_length(const uint8_t *image) {
  int64_t length = 0;
  for (int i = 0; i < RL_CHECKPOINT_LENGTH_SIZE; i++) {
    int digit = image[RL_CHECKPOINT_LENGTH_AT + i] - '0';
    if (digit < 0 || digit > 9 || length > (INT64_MAX - 9) / 10) return -1;
    length = 10 * length + digit;
  }
  return image[RL_CHECKPOINT_LENGTH_AT + RL_CHECKPOINT_LENGTH_SIZE] == '\n' ? length : -1;
}

RlStatus rl_checkpoint_verify(const uint8_t *image, size_t size, const char *path) {
  const size_t magic = sizeof RL_CHECKPOINT_MAGIC - 1;
  size_t common = size < magic ? size : magic;
  if (size == 0 || memcmp(image, RL_CHECKPOINT_MAGIC, common) != 0) {
    return refuse_magic(image, size, path);
  }
  if (size < RL_CHECKPOINT_BLOCK) {
    return rl_error(RL_FAIL, "%s: found %zu bytes, expected at least %d: the file was cut short",
                    path, size, RL_CHECKPOINT_BLOCK);
  }
  int64_t length = read_length(image);
  if (length < 0)
    return rl_error(RL_FAIL, "%s: damaged: found no length in its first lines, expected 20 digits",
                    path);
  if ((uint64_t)length != size) {
    return rl_error(RL_FAIL, "%s: found %zu bytes, expected %lld: %s", path, size,
                    (long long)length,
                    size < (uint64_t)length ? "the file was cut short" : "bytes were appended");
  }
  char hex[RL_CHECKPOINT_DIGEST_SIZE + 1];
  write_digest(image, size, hex);
  const char *stated = (const char *)image + RL_CHECKPOINT_DIGEST_AT;
  if (memcmp(stated, hex, RL_CHECKPOINT_DIGEST_SIZE) != 0) {
    return rl_error(RL_FAIL, "%s: damaged: found digest %s, expected %.32s", path, hex, stated);
  }
  return RL_OK;
}

void rl_checkpoint_stated_digest(const uint8_t *image, uint64_t digest[2]) {
  digest[0] = digest[1] = 0;
  for (int i = 0; i < RL_CHECKPOINT_DIGEST_SIZE; i++) {
    static const char digits[] = "0123456789abcdef";
    int c = image[RL_CHECKPOINT_DIGEST_AT + i];
    const char *digit = c ? strchr(digits, c) : NULL;
    uint64_t *half = &digest[i / (RL_CHECKPOINT_DIGEST_SIZE / 2)];
    *half = *half << 4 | (uint64_t)(digit ? digit - digits : 0);
  }
}

bool rl_checkpoint_name_ok(const char *name) {
  if (strlen(name) >= RL_CHECKPOINT_NAME) return false;
  bool start = true;
  for (const char *c = name; *c; c++) {
    if (*c == '/') {
      if (start) return false;
      start = true;
      continue;
    }
    bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
                 *c == '_' || *c == '-' || (*c == '.' && !start);
    if (!plain) return false;
    start = false;
  }
  return !start;
}

size_t rl_checkpoint_type_size(RlFieldType type) {
  switch (type) {
    case RL_F32:
    case RL_I32:
      return 4;
    case RL_F64:
    case RL_I64:
    case RL_U64:
      return 8;
    case RL_U8:
    case RL_CHARS:
      return 1;
  }
  RL_ASSERT(!"a field type");
  return 0;
}

const char *rl_checkpoint_type_name(RlFieldType type) {
  static const char *const name[] = {"float32", "float64", "int32", "int64",
                                     "uint64",  "uint8",   "text"};
  return name[type];
}

size_t rl_checkpoint_count(const RlField *field) {
  RL_ASSERT(field->rank >= 0 && field->rank <= RL_FIELD_RANK);
  RL_ASSERT(field->type != RL_CHARS || field->rank == 1);
  size_t count = 1;
  for (int i = 0; i < field->rank; i++) {
    RL_ASSERT(field->dim[i] >= 0);
    RL_ASSERT(!__builtin_mul_overflow(count, (size_t)field->dim[i], &count));
  }
  return count;
}

int64_t rl_checkpoint_find_bad(RlFieldType type, const void *data, size_t count) {
  const float *single = data;
  const double *wide = data;
  for (size_t i = 0; i < count; i++) {
    if (type == RL_F32 && !isfinite(single[i])) return (int64_t)i;
    if (type == RL_F64 && !isfinite(wide[i])) return (int64_t)i;
  }
  return -1;
}

RlStatus rl_checkpoint_check_counts(const char *path, const RlField *field, const void *data) {
  size_t count = rl_checkpoint_count(field);
  double most = INFINITY;
  if (field->type == RL_I32) most = 0x1p30;
  if (field->type == RL_I64) most = 0x1p53;
  for (size_t i = 0; i < count; i++) {
    double value = 0;
    if (field->type == RL_F32) value = (double)((const float *)data)[i];
    if (field->type == RL_F64) value = ((const double *)data)[i];
    if (field->type == RL_I32) value = ((const int32_t *)data)[i];
    if (field->type == RL_I64) value = (double)((const int64_t *)data)[i];
    if (value < 0) {
      return rl_error(RL_FAIL, "%s: %s[%zu]: found a negative value, expected none", path,
                      field->name, i);
    }
    if (value > most) {
      return rl_error(RL_FAIL, "%s: %s[%zu]: found %.0f, expected at most %.0f", path, field->name,
                      i, value, most);
    }
  }
  return RL_OK;
}
