// The parts of a checkpoint file that writing and reading share. Place: below checkpoint.c and
// checkpoint_read.c.
//
// Invariant: nothing here looks past the user block and the digest, so these functions are safe on
// any bytes.
#include "rl/run/checkpoint_format.h"

#include <math.h>
#include <stdatomic.h>
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
  return rl_error(RL_FAIL, "%s: not a checkpoint: its first line is not rltrain's", path);
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
  if (length < 0) return rl_error(RL_FAIL, "%s: damaged: its length is unreadable", path);
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

hid_t rl_checkpoint_hdf5_type(RlFieldType type, size_t length) {
  switch (type) {
    case RL_F32:
      return H5Tcopy(H5T_IEEE_F32LE);
    case RL_F64:
      return H5Tcopy(H5T_IEEE_F64LE);
    case RL_I32:
      return H5Tcopy(H5T_STD_I32LE);
    case RL_I64:
      return H5Tcopy(H5T_STD_I64LE);
    case RL_U64:
      return H5Tcopy(H5T_STD_U64LE);
    case RL_U8:
      return H5Tcopy(H5T_STD_U8LE);
    case RL_CHARS:
      break;
  }
  // HDF5 has no string of no bytes: the empty text is one NUL
  hid_t string = H5Tcopy(H5T_C_S1);
  if (string >= 0 &&
      (H5Tset_size(string, length ? length : 1) < 0 || H5Tset_strpad(string, H5T_STR_NULLPAD) < 0 ||
       H5Tset_cset(string, H5T_CSET_UTF8) < 0)) {
    H5Tclose(string);
    return H5I_INVALID_HID;
  }
  return string;
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

void rl_checkpoint_quiet_hdf5(void) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  H5PLset_loading_state(0);
}

// HDF5 asks for a block of its own to copy the image to: it gets the image itself
static void *image_malloc(size_t size, H5FD_file_image_op_t op, void *arg) {
  RlCheckpointImage *image = arg;
  (void)op;
  return image->data && size <= image->size ? image->data : NULL;
}

static void *image_memcpy(void *to, const void *from, size_t size, H5FD_file_image_op_t op,
                          void *arg) {
  (void)op;
  (void)arg;
  return to == from ? to : memmove(to, from, size);
}

static void *image_realloc(void *data, size_t size, H5FD_file_image_op_t op, void *arg) {
  RlCheckpointImage *image = arg;
  (void)op;
  if (!image->writable || data != image->data) return NULL;
  uint8_t *grown = realloc(image->data, size);
  if (!grown) return NULL;
  image->data = grown;
  image->size = size;
  return grown;
}

// the block is not HDF5's to free
static herr_t image_free(void *data, H5FD_file_image_op_t op, void *arg) {
  (void)data;
  (void)op;
  (void)arg;
  return 0;
}

static void *image_share(void *arg) {
  return arg;
}

static herr_t image_release(void *arg) {
  (void)arg;
  return 0;
}

hid_t rl_checkpoint_access(RlCheckpointImage *image, size_t increment) {
  H5FD_file_image_callbacks_t callbacks = {image_malloc, image_memcpy,  image_realloc, image_free,
                                           image_share,  image_release, image};
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (access < 0) return access;
  // one fixed version of the format, whatever the library's own default is
  if (H5Pset_fapl_core(access, increment, false) < 0 ||
      H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) < 0 ||
      H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0 ||
      H5Pset_file_image_callbacks(access, &callbacks) < 0 ||
      (image->data && H5Pset_file_image(access, image->data, image->size) < 0)) {
    H5Pclose(access);
    return H5I_INVALID_HID;
  }
  return access;
}

void rl_checkpoint_image_name(char *name, size_t size) {
  static atomic_uint count;
  snprintf(name, size, "image-%u", atomic_fetch_add(&count, 1u));
}
