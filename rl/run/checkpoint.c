// Saving checkpoints. Place: the state of a run -> named arrays -> one HDF5 image in memory -> its
// user block with length and digest -> the disk, in one rename.
//
// Invariant: the image is a function of the fields alone. Object times are off, every group and
// data set is created with our own properties, links stay in the group's own header (no B-trees or
// heaps to depend on the order of insertion), and data sets are contiguous, allocated when created.
//
// The HDF5 library only ever writes here: what it made is read back by the walk before it is
// sealed, as every reader will (checkpoint_walk.h).
#include <hdf5.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rl/base/file.h"
#include "rl/run/checkpoint_walk.h"

enum { MAX_LINKS = 65535 };  // of a group: the most HDF5 keeps in its header

// The file in memory. HDF5 works on this very block, without copies of its own, and grows it.
typedef struct {
  uint8_t *data;  // NULL at first; freed by who made the image
  size_t size;    // of the block
} Image;

// ---------------------------------------------------------------- HDF5's view of the image

static void *image_realloc(void *data, size_t size, H5FD_file_image_op_t op, void *arg) {
  Image *image = arg;
  (void)op;
  if (data != image->data) return NULL;
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

// file access properties for an image, which grows by increment; negative on failure
static hid_t create_access_properties(Image *image, size_t increment) {
  H5FD_file_image_callbacks_t callbacks = {.image_realloc = image_realloc,
                                           .image_free = image_free,
                                           .udata_copy = image_share,
                                           .udata_free = image_release,
                                           .udata = image};
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (access < 0) return access;
  // one fixed version of the format, whatever the library's own default is
  if (H5Pset_fapl_core(access, increment, false) < 0 ||
      H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) < 0 ||
      H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0 ||
      H5Pset_file_image_callbacks(access, &callbacks) < 0) {
    H5Pclose(access);
    return H5I_INVALID_HID;
  }
  return access;
}

// a name HDF5 has not seen yet: it takes two open images of one name for the same file
static void name_image(char *name, size_t size) {
  static atomic_uint count;
  snprintf(name, size, "image-%u", atomic_fetch_add(&count, 1u));
}

// the HDF5 type a field is stored with, for H5Tclose; negative without memory. length: of text
static hid_t create_type(RlFieldType type, size_t length) {
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

// ---------------------------------------------------------------- fields

static RlStatus check_fields(const char *path, const RlField *field, int nfield) {
  for (int i = 0; i < nfield; i++) {
    RL_ASSERT(rl_checkpoint_name_ok(field[i].name));
    size_t count = rl_checkpoint_count(&field[i]);
    RL_ASSERT(field[i].data || count == 0);
    // a file that no reader would accept must not replace one that is sound
    int64_t bad = rl_checkpoint_find_bad(field[i].type, field[i].data, count);
    if (bad >= 0) {
      return rl_error(RL_FAIL, "%s: not saved: %s[%lld] is not finite", path, field[i].name,
                      (long long)bad);
    }
    if (field[i].nonnegative) {
      RL_TRY(rl_checkpoint_check_counts(path, &field[i], field[i].data));
    }
    if (field[i].type == RL_CHARS && count && memchr(field[i].data, '\0', count)) {
      return rl_error(RL_FAIL, "%s: not saved: the text %s holds a NUL byte", path, field[i].name);
    }
  }
  return RL_OK;
}

// bytes of all data, refused when no reader would take the file
static RlStatus measure(const char *path, const RlField *field, int nfield, size_t *size) {
  *size = 0;
  for (int i = 0; i < nfield; i++) {
    size_t count = rl_checkpoint_count(&field[i]);
    size_t left = RL_CHECKPOINT_LIMIT - *size;
    if (count > left / rl_checkpoint_type_size(field[i].type)) {
      return rl_error(RL_FAIL, "%s: not saved: more than %zu bytes of data", path,
                      RL_CHECKPOINT_LIMIT);
    }
    *size += count * rl_checkpoint_type_size(field[i].type);
  }
  return RL_OK;
}

// properties of the groups made below, and of the root group with the file
static hid_t create_group_properties(hid_t class) {
  hid_t list = H5Pcreate(class);
  if (list < 0) return list;
  if (H5Pset_obj_track_times(list, false) < 0 || H5Pset_link_phase_change(list, MAX_LINKS, 0) < 0 ||
      (class == H5P_FILE_CREATE && H5Pset_userblock(list, RL_CHECKPOINT_BLOCK) < 0)) {
    H5Pclose(list);
    return H5I_INVALID_HID;
  }
  return list;
}

static hid_t create_data_properties(void) {
  hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  if (list < 0) return list;
  if (H5Pset_obj_track_times(list, false) < 0 || H5Pset_layout(list, H5D_CONTIGUOUS) < 0 ||
      H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY) < 0 ||
      H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) < 0) {
    H5Pclose(list);
    return H5I_INVALID_HID;
  }
  return list;
}

// makes the groups a name goes through; returns a negative number on failure
static int make_groups(hid_t file, const char *name, hid_t properties) {
  char prefix[RL_CHECKPOINT_NAME];
  for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
    snprintf(prefix, sizeof prefix, "%.*s", (int)(slash - name), name);
    htri_t exists = H5Lexists(file, prefix, H5P_DEFAULT);
    if (exists < 0) return -1;
    if (exists) continue;
    hid_t group = H5Gcreate2(file, prefix, H5P_DEFAULT, properties, H5P_DEFAULT);
    if (group < 0 || H5Gclose(group) < 0) return -1;
  }
  return 0;
}

// writes one data set; returns a negative number on failure
static int write_field(hid_t file, const RlField *field, hid_t properties) {
  hsize_t dim[RL_FIELD_RANK] = {0};
  for (int i = 0; i < field->rank; i++) dim[i] = (hsize_t)field->dim[i];
  size_t count = rl_checkpoint_count(field);
  bool scalar = field->rank == 0 || field->type == RL_CHARS;
  const void *data = field->type == RL_CHARS && count == 0 ? "" : field->data;
  hid_t type = create_type(field->type, count);
  hid_t space = scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(field->rank, dim, NULL);
  hid_t set = H5I_INVALID_HID;
  int failed = -1;
  if (type < 0 || space < 0) goto out;
  set = H5Dcreate2(file, field->name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  if (set < 0) goto out;
  if ((count > 0 || scalar) && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
    goto out;
  }
  failed = 0;
out:
  if (set >= 0 && H5Dclose(set) < 0) failed = -1;
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  return failed;
}

// the file's length, which its superblock states once it is closed; 0 if it is not as expected
static size_t read_end(const Image *image) {
  static const uint8_t signature[9] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n', 2};
  const size_t end_at = RL_CHECKPOINT_BLOCK + 28;
  if (!image->data || image->size < end_at + 8) return 0;
  if (memcmp(image->data + RL_CHECKPOINT_BLOCK, signature, sizeof signature) != 0) return 0;
  uint64_t end = 0;
  for (int i = 7; i >= 0; i--) end = end << 8 | image->data[end_at + (size_t)i];
  return end <= image->size ? end : 0;
}

// writes the fields to a new file in image; returns what failed, or NULL
static const char *write_fields(Image *image, const RlField *field, int nfield, size_t bytes) {
  char name[32];
  name_image(name, sizeof name);
  hid_t root = create_group_properties(H5P_FILE_CREATE);
  hid_t group = create_group_properties(H5P_GROUP_CREATE);
  hid_t data = create_data_properties();
  hid_t access = create_access_properties(image, bytes + 65536 + (size_t)nfield * 1024);
  hid_t file = H5I_INVALID_HID;
  if (root >= 0 && group >= 0 && data >= 0 && access >= 0) {
    file = H5Fcreate(name, H5F_ACC_TRUNC, root, access);
  }
  const char *failed = file >= 0 ? NULL : "the file";
  for (int i = 0; !failed && i < nfield; i++) {
    bool ok =
        make_groups(file, field[i].name, group) == 0 && write_field(file, &field[i], data) == 0;
    if (!ok) failed = field[i].name;
  }
  if (file >= 0 && H5Fclose(file) < 0 && !failed) failed = "the file's end";
  if (access >= 0) H5Pclose(access);
  if (data >= 0) H5Pclose(data);
  if (group >= 0) H5Pclose(group);
  if (root >= 0) H5Pclose(root);
  return failed;
}

// a file that no reader would accept must not replace one that is sound
static RlStatus read_back(const char *path, const Image *image, size_t size) {
  RlCheckpointIndex *index = malloc(sizeof *index);
  if (!index) return rl_error(RL_FAIL, "%s: not saved: no memory to read it back", path);
  RlStatus status = rl_checkpoint_walk(index, image->data, size, path);
  free(index);
  return status;
}

// seals and writes an image whose HDF5 part is complete
static RlStatus write_image(const char *path, Image *image, uint64_t digest[2]) {
  size_t size = read_end(image);
  if (size == 0) return rl_error(RL_FAIL, "%s: not saved: HDF5 left no usable image", path);
  if (size > RL_CHECKPOINT_LIMIT) {
    return rl_error(RL_FAIL, "%s: not saved: found %zu bytes, expected at most %zu", path, size,
                    RL_CHECKPOINT_LIMIT);
  }
  RL_TRY(read_back(path, image, size));
  rl_checkpoint_seal(image->data, size);
  rl_checkpoint_stated_digest(image->data, digest);
  return rl_file_write(path, image->data, size);
}

RlStatus rl_checkpoint_save_listed(const char *path, const RlField *field, int nfield,
                                   uint64_t digest[2]) {
  size_t bytes;
  RL_TRY(check_fields(path, field, nfield));
  RL_TRY(measure(path, field, nfield, &bytes));
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  Image image = {0};
  const char *failed = write_fields(&image, field, nfield, bytes);
  RlStatus status = failed ? rl_error(RL_FAIL, "%s: not saved: HDF5 cannot build %s", path, failed)
                           : write_image(path, &image, digest);
  free(image.data);
  return status;
}

RlStatus rl_checkpoint_save(const char *path, const RlField *field, int nfield) {
  uint64_t digest[2];
  return rl_checkpoint_save_listed(path, field, nfield, digest);
}
