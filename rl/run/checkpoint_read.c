// Opening checkpoints. Place: the disk -> all bytes in memory -> length and digest -> HDF5 -> a
// list of the data sets found sound -> the state of a run.
//
// A digest says that a file is whole, not that it is kind: a stranger's file can have one too. So
// every link, type, layout and extent is looked at before anything is read; what is not exactly
// what rl_checkpoint_save makes is refused. The list keeps the very objects that were checked open,
// so no name is resolved a second time.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rl/run/checkpoint_format.h"
#include "rl/run/file.h"

enum { MAX_ENTRIES = 1024, MAX_DEPTH = 8, MAX_LINKS = 4096, SHAPE_TEXT = 128 };

typedef struct {
  char name[RL_CHECKPOINT_NAME];
  RlFieldType type;
  int rank;  // RL_CHARS: 1, and dim[0] the string's size
  int64_t dim[RL_FIELD_RANK];
  hid_t set;
} Entry;

struct RlCheckpoint {
  char *path;
  RlCheckpointImage image;  // the whole file, which HDF5 reads in place
  uint8_t *owned;           // nullable: the image's block if it is to be freed here
  hid_t file;
  int nlink;  // links walked so far
  int nentry;
  Entry entry[MAX_ENTRIES];
};

static RlStatus refuse(const RlCheckpoint *checkpoint, const char *name, const char *found) {
  return rl_error(RL_FAIL, "%s: %s: found %s, expected a plain group or data set", checkpoint->path,
                  name, found);
}

// "float32 (17, 64)"
static void describe(char text[SHAPE_TEXT], RlFieldType type, int rank, const int64_t *dim) {
  int n = snprintf(text, SHAPE_TEXT, "%s %s", rl_checkpoint_type_name(type), rank ? "(" : "scalar");
  for (int i = 0; i < rank && n < SHAPE_TEXT; i++) {
    n += snprintf(text + n, (size_t)(SHAPE_TEXT - n), "%lld%s", (long long)dim[i],
                  i + 1 < rank ? ", " : ")");
  }
}

// finds the field type that is stored as type; false if there is none
static bool match_type(hid_t type, Entry *entry) {
  size_t size = H5Tget_size(type);
  if (H5Tdetect_class(type, H5T_VLEN) != 0 || size == 0) return false;
  for (int i = RL_F32; i <= RL_CHARS; i++) {
    hid_t known = rl_checkpoint_hdf5_type((RlFieldType)i, size);
    bool equal = known >= 0 && H5Tequal(type, known) > 0;
    if (known >= 0) H5Tclose(known);
    entry->type = (RlFieldType)i;
    if (equal) return true;
  }
  return false;
}

// reads rank and dims; returns what is wrong with them, or NULL
static const char *read_extent(hid_t space, hid_t type, Entry *entry) {
  H5S_class_t class = H5Sget_simple_extent_type(space);
  hsize_t dim[RL_FIELD_RANK], max[RL_FIELD_RANK];
  if (class != H5S_SCALAR && class != H5S_SIMPLE) return "a data set without extent";
  int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || rank > RL_FIELD_RANK) return "a data set of too many dimensions";
  if (rank > 0 && H5Sget_simple_extent_dims(space, dim, max) != rank) return "an unreadable extent";
  for (int i = 0; i < rank; i++) {
    if (dim[i] != max[i] || dim[i] > RL_CHECKPOINT_LIMIT) return "an unbounded or too large extent";
    entry->dim[i] = (int64_t)dim[i];
  }
  entry->rank = rank;
  if (entry->type == RL_CHARS) {
    if (rank != 0) return "an array of strings";
    entry->rank = 1;
    entry->dim[0] = (int64_t)H5Tget_size(type);
  }
  return NULL;
}

// checks that the data lie inside the file, as many bytes as the extent says
static const char *check_storage(const RlCheckpoint *checkpoint, const Entry *entry) {
  uint64_t bytes = rl_checkpoint_type_size(entry->type);
  for (int i = 0; i < entry->rank; i++) {
    if (__builtin_mul_overflow(bytes, (uint64_t)entry->dim[i], &bytes))
      return "too large an extent";
  }
  if (H5Dget_storage_size(entry->set) != bytes) return "a data set of another size than its extent";
  if (bytes == 0) return NULL;
  haddr_t at = H5Dget_offset(entry->set);
  if (at == HADDR_UNDEF) return "a data set without data";
  if (at > checkpoint->image.size || bytes > checkpoint->image.size - at)
    return "data outside the file";
  return NULL;
}

// layout first: nothing else is asked of a data set whose bytes may come from elsewhere
static const char *check_layout(hid_t set) {
  hid_t list = H5Dget_create_plist(set);
  if (list < 0) return "an unreadable data set";
  const char *wrong = NULL;
  H5D_layout_t layout = H5Pget_layout(list);
  if (layout == H5D_VIRTUAL) {
    wrong = "a virtual data set";
  } else if (H5Pget_nfilters(list) != 0) {
    wrong = "a filtered data set";
  } else if (H5Pget_external_count(list) != 0) {
    wrong = "a data set in an external file";
  } else if (layout != H5D_CONTIGUOUS) {
    wrong = "a data set that is not contiguous";
  }
  H5Pclose(list);
  return wrong;
}

static const char *check_set(const RlCheckpoint *checkpoint, Entry *entry) {
  const char *wrong = check_layout(entry->set);
  if (wrong) return wrong;
  hid_t type = H5Dget_type(entry->set);
  hid_t space = H5Dget_space(entry->set);
  if (type < 0 || space < 0) {
    wrong = "an unreadable data set";
  } else if (!match_type(type, entry)) {
    wrong = "a data set of an unknown type";
  } else {
    wrong = read_extent(space, type, entry);
  }
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  return wrong ? wrong : check_storage(checkpoint, entry);
}

static const Entry *find(const RlCheckpoint *checkpoint, const char *name) {
  for (int i = 0; i < checkpoint->nentry; i++) {
    if (strcmp(checkpoint->entry[i].name, name) == 0) return &checkpoint->entry[i];
  }
  return NULL;
}

// takes a data set over into the list, or refuses it
static RlStatus add_set(RlCheckpoint *checkpoint, const char *name, hid_t set) {
  const char *wrong = "one data set too many";
  if (find(checkpoint, name)) {
    wrong = "two of that name";
  } else if (checkpoint->nentry < MAX_ENTRIES) {
    Entry *entry = &checkpoint->entry[checkpoint->nentry];
    snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->set = set;
    wrong = check_set(checkpoint, entry);
  }
  if (wrong) {
    H5Dclose(set);
    return refuse(checkpoint, name, wrong);
  }
  checkpoint->nentry++;
  return RL_OK;
}

typedef struct {
  RlCheckpoint *checkpoint;
  const char *prefix;  // of the group walked, "" or ending in a slash
  int depth;
  RlStatus status;
} Walk;

static RlStatus walk_group(RlCheckpoint *checkpoint, hid_t group, const char *prefix, int depth);

// checks the object behind a hard link and goes on inside a group
static RlStatus visit_object(const Walk *walk, const char *name, hid_t object) {
  char prefix[RL_CHECKPOINT_NAME + 1];
  switch (H5Iget_type(object)) {
    case H5I_DATASET:
      return add_set(walk->checkpoint, name, object);
    case H5I_GROUP:
      snprintf(prefix, sizeof prefix, "%s/", name);
      RlStatus status = walk_group(walk->checkpoint, object, prefix, walk->depth + 1);
      H5Gclose(object);
      return status;
    default:
      H5Oclose(object);
      return refuse(walk->checkpoint, name, "a named type");
  }
}

static RlStatus visit_link(const Walk *walk, hid_t group, const char *link, H5L_type_t type) {
  RlCheckpoint *checkpoint = walk->checkpoint;
  char name[RL_CHECKPOINT_NAME];
  int length = snprintf(name, sizeof name, "%s%s", walk->prefix, link);
  if (strchr(link, '/') || length >= RL_CHECKPOINT_NAME || !rl_checkpoint_name_ok(link)) {
    return refuse(checkpoint, *walk->prefix ? walk->prefix : "/", "a member of a bad name");
  }
  // a hard link can lead back to its own group: the walk must end all the same
  if (++checkpoint->nlink > MAX_LINKS) return refuse(checkpoint, name, "too many links");
  if (type == H5L_TYPE_SOFT) return refuse(checkpoint, name, "a soft link");
  if (type == H5L_TYPE_EXTERNAL) return refuse(checkpoint, name, "an external link");
  if (type != H5L_TYPE_HARD) return refuse(checkpoint, name, "a link of an unknown kind");
  hid_t object = H5Oopen(group, link, H5P_DEFAULT);
  if (object < 0) return refuse(checkpoint, name, "an object that cannot be opened");
  return visit_object(walk, name, object);
}

static herr_t visit(hid_t group, const char *link, const H5L_info_t *info, void *arg) {
  Walk *walk = arg;
  walk->status = visit_link(walk, group, link, info->type);
  return walk->status == RL_OK ? 0 : -1;
}

static RlStatus walk_group(RlCheckpoint *checkpoint, hid_t group, const char *prefix, int depth) {
  if (depth > MAX_DEPTH) return refuse(checkpoint, prefix, "groups nested too deep");
  Walk walk = {checkpoint, prefix, depth, RL_OK};
  herr_t failed = H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, visit, &walk);
  if (walk.status != RL_OK) return walk.status;
  if (failed < 0) return refuse(checkpoint, *prefix ? prefix : "/", "an unreadable group");
  return RL_OK;
}

static hid_t open_hdf5(RlCheckpointImage *image) {
  char name[32];
  rl_checkpoint_image_name(name, sizeof name);
  hid_t access = rl_checkpoint_access(image, 65536);
  if (access < 0) return access;
  hid_t file = H5Fopen(name, H5F_ACC_RDONLY, access);
  H5Pclose(access);
  return file;
}

RlStatus rl_checkpoint_open_image(RlCheckpoint **checkpoint, uint8_t *data, size_t size,
                                  const char *path) {
  RlCheckpoint *opened = calloc(1, sizeof *opened);
  *checkpoint = NULL;
  if (!opened) return rl_error(RL_FAIL, "%s: no memory to open it", path);
  rl_checkpoint_quiet_hdf5();
  opened->image = (RlCheckpointImage){.data = data, .size = size};
  opened->path = strdup(path);
  opened->file = opened->path ? open_hdf5(&opened->image) : H5I_INVALID_HID;
  if (opened->file < 0) {
    rl_checkpoint_close(opened);
    return rl_error(RL_FAIL, "%s: HDF5 cannot open what follows the digest", path);
  }
  hid_t root = H5Gopen2(opened->file, "/", H5P_DEFAULT);
  RlStatus status =
      root >= 0 ? walk_group(opened, root, "", 0) : refuse(opened, "/", "an unreadable group");
  if (root >= 0) H5Gclose(root);
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

void rl_checkpoint_close(RlCheckpoint *checkpoint) {
  if (!checkpoint) return;
  for (int i = 0; i < checkpoint->nentry; i++) H5Dclose(checkpoint->entry[i].set);
  if (checkpoint->file >= 0) H5Fclose(checkpoint->file);
  free(checkpoint->path);
  free(checkpoint->owned);
  free(checkpoint);
}

void rl_checkpoint_digest(const RlCheckpoint *checkpoint, uint64_t digest[2]) {
  rl_checkpoint_stated_digest(checkpoint->image.data, digest);
}

// the error line for a data set that is not there
static RlStatus miss(const RlCheckpoint *checkpoint, const char *name, const char *expected) {
  return rl_error(RL_FAIL, "%s: %s: found nothing, expected %s", checkpoint->path, name, expected);
}

// reads an entry's elements as they are stored
static RlStatus read_entry(const RlCheckpoint *checkpoint, const Entry *entry, void *data) {
  hid_t type = rl_checkpoint_hdf5_type(entry->type, (size_t)entry->dim[0]);
  herr_t failed = type < 0 ? -1 : H5Dread(entry->set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
  if (type >= 0) H5Tclose(type);
  if (failed >= 0) return RL_OK;
  return rl_error(RL_FAIL, "%s: %s: HDF5 cannot read it", checkpoint->path, entry->name);
}

RlStatus rl_checkpoint_text(RlCheckpoint *checkpoint, const char *name, char *text, size_t size) {
  const Entry *entry = find(checkpoint, name);
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
  RlStatus status = read_entry(checkpoint, entry, text);
  text[status == RL_OK ? length : 0] = '\0';
  // only the empty text is stored with a NUL
  if (status == RL_OK && strlen(text) != length && !(length == 1 && text[0] == '\0')) {
    text[0] = '\0';
    return rl_error(RL_FAIL, "%s: %s: found a NUL byte inside text", checkpoint->path, name);
  }
  return status;
}

RlStatus rl_checkpoint_shape(RlCheckpoint *checkpoint, const char *name, int *rank, int64_t *dim) {
  const Entry *entry = find(checkpoint, name);
  if (!entry) return miss(checkpoint, name, "a data set");
  *rank = entry->rank;
  for (int i = 0; i < entry->rank; i++) dim[i] = entry->dim[i];
  return RL_OK;
}

// compares a field with what the file holds
static RlStatus match_field(const RlCheckpoint *checkpoint, const RlField *field,
                            const Entry **entry) {
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

// index of the first negative element, else -1
static int64_t find_negative(RlFieldType type, const void *data, size_t count) {
  for (size_t i = 0; i < count; i++) {
    bool negative = (type == RL_F32 && ((const float *)data)[i] < 0) ||
                    (type == RL_F64 && ((const double *)data)[i] < 0) ||
                    (type == RL_I32 && ((const int32_t *)data)[i] < 0) ||
                    (type == RL_I64 && ((const int64_t *)data)[i] < 0);
    if (negative) return (int64_t)i;
  }
  return -1;
}

// reads the fields one after the other into block
static RlStatus read_fields(RlCheckpoint *checkpoint, const RlField *field, int nfield,
                            uint8_t *block) {
  for (int i = 0; i < nfield; i++) {
    const Entry *entry;
    size_t count = rl_checkpoint_count(&field[i]);
    RL_TRY(match_field(checkpoint, &field[i], &entry));
    if (count > 0) RL_TRY(read_entry(checkpoint, entry, block));
    int64_t bad = rl_checkpoint_find_bad(field[i].type, block, count);
    if (bad >= 0) {
      return rl_error(RL_FAIL, "%s: %s[%lld]: found a value that is not finite", checkpoint->path,
                      field[i].name, (long long)bad);
    }
    bad = field[i].nonnegative ? find_negative(field[i].type, block, count) : -1;
    if (bad >= 0) {
      return rl_error(RL_FAIL, "%s: %s[%lld]: found a negative value, expected none",
                      checkpoint->path, field[i].name, (long long)bad);
    }
    block += padded_size(&field[i]);
  }
  return RL_OK;
}

RlStatus rl_checkpoint_load(RlCheckpoint *checkpoint, const RlField *field, int nfield) {
  size_t total = 1;
  // every shape is compared before any memory is taken
  for (int i = 0; i < nfield; i++) {
    const Entry *entry;
    RL_TRY(match_field(checkpoint, &field[i], &entry));
    total += padded_size(&field[i]);
  }
  uint8_t *block = aligned_alloc(64, (total + 63) / 64 * 64);
  if (!block) return rl_error(RL_FAIL, "%s: no memory for %zu bytes", checkpoint->path, total);
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
