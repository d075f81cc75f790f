// The walk through a checkpoint's HDF5 part: see checkpoint_walk.h.
//
// Superblock -> the root's object header -> its links -> their object headers, depth first. Every
// address goes through take(), which keeps it inside the file and charges its bytes to a budget of
// the file's size: in a sound file each byte belongs to one object, so a walk that needs more goes
// in circles. HDF5's own checksums are not looked at: the digest has said that the bytes are whole,
// and anyone can repair either.
#include "rl/run/checkpoint_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 8, MAX_PENDING = 4096, SUPERBLOCK_SIZE = 48, MESSAGE_HEAD = 4, CHECKSUM = 4 };

// header messages
enum {
  MESSAGE_NULL = 0x00,
  MESSAGE_SPACE = 0x01,
  MESSAGE_LINK_INFO = 0x02,
  MESSAGE_TYPE = 0x03,
  MESSAGE_FILL = 0x05,
  MESSAGE_LINK = 0x06,
  MESSAGE_EXTERNAL = 0x07,
  MESSAGE_LAYOUT = 0x08,
  MESSAGE_GROUP_INFO = 0x0a,
  MESSAGE_FILTERS = 0x0b,
  MESSAGE_MORE = 0x10,
};

#define UNDEFINED UINT64_MAX  // an address of nothing

typedef struct {
  const uint8_t *at;
  size_t size;
} Span;

typedef struct {
  const uint8_t *image;
  size_t size;
  const char *path;
  size_t left;  // bytes that may still be read
  int npending;
  Span pending[MAX_PENDING];  // chunks of headers not read yet, the innermost object's last
  RlCheckpointIndex *index;
} Walk;

// What the messages of one object header say.
typedef struct {
  const char *name;  // "" for the root
  int depth;
  bool group, links;
  Span space, type, layout;  // at NULL: none
} Object;

static RlStatus walk_object(Walk *walk, const char *name, int depth, uint64_t address);

static RlStatus refuse(const Walk *walk, const char *name, const char *found) {
  return rl_error(RL_FAIL, "%s: %s: found %s, expected a plain group or data set", walk->path,
                  *name ? name : "/", found);
}

// little-endian
static uint64_t number(const uint8_t *at, int width) {
  uint64_t n = 0;
  for (int i = width - 1; i >= 0; i--) n = n << 8 | at[i];
  return n;
}

// Finds bytes by their address, which counts from the end of the user block; returns what is wrong,
// or NULL.
static const char *take(Walk *walk, uint64_t address, uint64_t bytes, const uint8_t **at) {
  uint64_t room = walk->size - RL_CHECKPOINT_BLOCK;
  if (address > room || bytes > room - address) return "bytes outside the file";
  if (bytes > walk->left) return "objects that share their bytes";
  walk->left -= bytes;
  *at = walk->image + RL_CHECKPOINT_BLOCK + address;
  return NULL;
}

// ---------------------------------------------------------------- data sets

static const char *read_type(Span type, RlCheckpointEntry *entry) {
  static const struct {
    RlFieldType type;
    uint32_t size;
    uint8_t code[20];
  } known[] = {
      {RL_F32, 20, {0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0}},
      {RL_F64, 20, {0x11, 0x20, 63, 0, 8, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0}},
      {RL_I32, 12, {0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0}},
      {RL_I64, 12, {0x10, 8, 0, 0, 8, 0, 0, 0, 0, 0, 64, 0}},
      {RL_U64, 12, {0x10, 0, 0, 0, 8, 0, 0, 0, 0, 0, 64, 0}},
      {RL_U8, 12, {0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0}},
      {RL_CHARS, 4, {0x13, 0x11, 0, 0}},  // NUL-padded UTF-8; its size follows
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    bool text = known[i].type == RL_CHARS;
    entry->type = known[i].type;
    if (type.size != known[i].size + (text ? 4 : 0)) continue;
    if (memcmp(type.at, known[i].code, known[i].size) != 0) continue;
    entry->dim[0] = text ? (int64_t)number(type.at + 4, 4) : 0;
    return text && entry->dim[0] == 0 ? "text of no bytes" : NULL;
  }
  return "a data set of an unknown type";
}

static const char *read_space(Span space, RlCheckpointEntry *entry) {
  enum { SCALAR, SIMPLE, NOTHING };
  if (space.size < 4 || space.at[0] != 2) return "an unreadable extent";
  int rank = space.at[1], flags = space.at[2], kind = space.at[3];
  if (kind == NOTHING) return "a data set without extent";
  if (rank > RL_FIELD_RANK) return "a data set of too many dimensions";
  if (kind == SCALAR && rank == 0 && flags == 0 && space.size == 4) {
    entry->rank = entry->type == RL_CHARS;
    return NULL;
  }
  // a simple extent states its dimensions and then their maxima
  if (kind != SIMPLE || rank == 0 || flags != 1 || space.size != 4 + 16 * (size_t)rank) {
    return "an unreadable extent";
  }
  if (entry->type == RL_CHARS) return "an array of strings";
  for (int i = 0; i < rank; i++) {
    uint64_t dim = number(space.at + 4 + 8 * i, 8);
    if (dim != number(space.at + 4 + 8 * (rank + i), 8) || dim > RL_CHECKPOINT_LIMIT) {
      return "an unbounded or too large extent";
    }
    entry->dim[i] = (int64_t)dim;
  }
  entry->rank = rank;
  return NULL;
}

// finds the data: inside the file, as many bytes as type and extent say
static const char *read_layout(Walk *walk, Span layout, RlCheckpointEntry *entry) {
  enum { VERSION = 3, CONTIGUOUS = 1 };
  const uint8_t *data = walk->image;
  if (layout.size != 18 || layout.at[0] != VERSION || layout.at[1] != CONTIGUOUS) {
    return "a data set that is not contiguous";
  }
  uint64_t bytes = rl_checkpoint_type_size(entry->type);
  for (int i = 0; i < entry->rank; i++) {
    if (__builtin_mul_overflow(bytes, (uint64_t)entry->dim[i], &bytes)) {
      return "an unbounded or too large extent";
    }
  }
  uint64_t address = number(layout.at + 2, 8);
  if (number(layout.at + 10, 8) != bytes) return "a data set of another size than its extent";
  if (bytes > 0) {
    if (address == UNDEFINED) return "a data set without data";
    const char *wrong = take(walk, address, bytes, &data);
    if (wrong) return wrong;
  }
  entry->at = (size_t)(data - walk->image);
  entry->bytes = bytes;
  return NULL;
}

static RlStatus add_set(Walk *walk, const Object *object) {
  RlCheckpointIndex *index = walk->index;
  if (index->n == RL_CHECKPOINT_ENTRIES) return refuse(walk, object->name, "one data set too many");
  for (int i = 0; i < index->n; i++) {
    if (strcmp(index->entry[i].name, object->name) == 0) {
      return refuse(walk, object->name, "two of that name");
    }
  }
  RlCheckpointEntry *entry = &index->entry[index->n];
  memset(entry, 0, sizeof *entry);
  snprintf(entry->name, sizeof entry->name, "%s", object->name);
  const char *wrong = read_type(object->type, entry);
  if (!wrong) wrong = read_space(object->space, entry);
  if (!wrong) wrong = read_layout(walk, object->layout, entry);
  if (wrong) return refuse(walk, object->name, wrong);
  index->n++;
  return RL_OK;
}

// ---------------------------------------------------------------- links

// what kind of link it is if not one of ours; NULL for a plain hard one
static const char *judge_link(Span body) {
  enum { VERSION = 1, WITH_KIND = 8, SOFT = 1, EXTERNAL = 64 };
  if (body.size < 3 || body.at[0] != VERSION) return "an unreadable link";
  if (body.at[1] & WITH_KIND) {
    if (body.at[2] == SOFT) return "a soft link";
    if (body.at[2] == EXTERNAL) return "an external link";
  }
  if (body.at[1] != 0) return "a link of an unknown kind";
  return body.size == 3 + (size_t)body.at[2] + 8 ? NULL : "an unreadable link";
}

// checks the link of a group and goes on behind it
static RlStatus follow(Walk *walk, const Object *object, Span body) {
  char name[RL_CHECKPOINT_NAME];
  const char *wrong = judge_link(body);
  if (wrong) return refuse(walk, object->name, wrong);
  int width = body.at[2];
  int length = snprintf(name, sizeof name, "%s%s%.*s", object->name, *object->name ? "/" : "",
                        width, (const char *)body.at + 3);
  // a NUL would have ended the link's own name early, a slash would pose as a group
  int prefix = (int)strlen(object->name) + (*object->name != 0);
  bool plain = length == prefix + width && length < RL_CHECKPOINT_NAME &&
               rl_checkpoint_name_ok(name) && !strchr(name + prefix, '/');
  if (!plain) return refuse(walk, object->name, "a member of a bad name");
  return walk_object(walk, name, object->depth + 1, number(body.at + 3 + width, 8));
}

// ---------------------------------------------------------------- object headers

static RlStatus push_chunk(Walk *walk, const char *name, const uint8_t *at, size_t size) {
  if (walk->npending == MAX_PENDING) return refuse(walk, name, "an object in too many pieces");
  walk->pending[walk->npending++] = (Span){at, size};
  return RL_OK;
}

// a further chunk of the header: signature, messages, checksum
static RlStatus push_more(Walk *walk, const Object *object, Span body) {
  const uint8_t *at;
  if (body.size != 16) return refuse(walk, object->name, "an unreadable object header");
  uint64_t bytes = number(body.at + 8, 8);
  const char *wrong = take(walk, number(body.at, 8), bytes, &at);
  if (wrong) return refuse(walk, object->name, wrong);
  if (bytes < 4 + CHECKSUM || memcmp(at, "OCHK", 4) != 0) {
    return refuse(walk, object->name, "an unreadable object header");
  }
  return push_chunk(walk, object->name, at + 4, bytes - 4 - CHECKSUM);
}

// a group's links are in its own header: no heap, no index
static RlStatus take_link_info(const Walk *walk, Object *object, Span body) {
  static const uint8_t plain[18] = {0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  if (body.size != sizeof plain || memcmp(body.at, plain, sizeof plain) != 0) {
    return refuse(walk, object->name, "a group whose links are elsewhere");
  }
  object->group = true;
  return RL_OK;
}

static RlStatus keep_once(const Walk *walk, const Object *object, Span *kept, Span body) {
  if (kept->at) return refuse(walk, object->name, "an object described twice");
  *kept = body;
  return RL_OK;
}

static RlStatus read_message(Walk *walk, Object *object, int kind, Span body) {
  char found[48];
  switch (kind) {
    case MESSAGE_NULL:
    case MESSAGE_FILL:  // nothing is filled: a data set without its data is refused
    case MESSAGE_GROUP_INFO:
      return RL_OK;
    case MESSAGE_SPACE:
      return keep_once(walk, object, &object->space, body);
    case MESSAGE_TYPE:
      return keep_once(walk, object, &object->type, body);
    case MESSAGE_LAYOUT:
      return keep_once(walk, object, &object->layout, body);
    case MESSAGE_LINK_INFO:
      return take_link_info(walk, object, body);
    case MESSAGE_LINK:
      // the message that makes it a group may still come: HDF5 moves messages to make room
      object->links = true;
      return follow(walk, object, body);
    case MESSAGE_MORE:
      return push_more(walk, object, body);
    case MESSAGE_EXTERNAL:
      return refuse(walk, object->name, "a data set in an external file");
    case MESSAGE_FILTERS:
      return refuse(walk, object->name, "a filtered data set");
    default:
      snprintf(found, sizeof found, "a header message of kind 0x%02x", (unsigned)kind);
      return refuse(walk, object->name, found);
  }
}

static RlStatus read_chunk(Walk *walk, Object *object, Span chunk) {
  // fewer bytes than a message's head are a gap
  while (chunk.size >= MESSAGE_HEAD) {
    int kind = chunk.at[0], flags = chunk.at[3];
    size_t size = (size_t)number(chunk.at + 1, 2);
    if (size > chunk.size - MESSAGE_HEAD || flags > 1) {
      return refuse(walk, object->name, "an unreadable object header");
    }
    RL_TRY(read_message(walk, object, kind, (Span){chunk.at + MESSAGE_HEAD, size}));
    chunk.at += MESSAGE_HEAD + size;
    chunk.size -= MESSAGE_HEAD + size;
  }
  return RL_OK;
}

// finds an object header's first chunk: signature, version, flags, the chunk's size; a checksum
static const char *open_header(Walk *walk, uint64_t address, Span *chunk) {
  const uint8_t *at;
  const char *wrong = take(walk, address, 6, &at);
  if (wrong) return wrong;
  int flags = at[5], width = 1 << (flags & 3);
  // other flags: times, order of creation
  if (memcmp(at, "OHDR\2", 5) != 0 || flags > 3) return "an object header of another kind";
  wrong = take(walk, address + 6, (uint64_t)width, &at);
  if (wrong) return wrong;
  chunk->size = number(at, width);
  if (chunk->size > walk->size) return "bytes outside the file";
  wrong = take(walk, address + 6 + (uint64_t)width, chunk->size + CHECKSUM, &chunk->at);
  return wrong;
}

static RlStatus walk_object(Walk *walk, const char *name, int depth, uint64_t address) {
  Object object = {.name = name, .depth = depth};
  Span chunk;
  const int outer = walk->npending;
  const char *wrong =
      depth > MAX_DEPTH ? "groups nested too deep" : open_header(walk, address, &chunk);
  if (wrong) return refuse(walk, name, wrong);
  RL_TRY(push_chunk(walk, name, chunk.at, chunk.size));
  while (walk->npending > outer) {
    RL_TRY(read_chunk(walk, &object, walk->pending[--walk->npending]));
  }
  bool any = object.space.at || object.type.at || object.layout.at;
  bool set = object.space.at && object.type.at && object.layout.at;
  if (object.group && !any) return RL_OK;
  if (!object.group && !object.links && set && depth > 0) return add_set(walk, &object);
  return refuse(walk, name, "an object of another kind");
}

static RlStatus walk_file(Walk *walk) {
  // signature, version 2, addresses and lengths of 8 bytes, no flags
  static const uint8_t head[12] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n', 2, 8, 8, 0};
  bool whole = walk->size >= RL_CHECKPOINT_BLOCK + SUPERBLOCK_SIZE;
  const uint8_t *at = walk->image + (whole ? RL_CHECKPOINT_BLOCK : 0);
  bool ours = whole && memcmp(at, head, sizeof head) == 0 &&
              number(at + 12, 8) == RL_CHECKPOINT_BLOCK && number(at + 20, 8) == UNDEFINED &&
              number(at + 28, 8) == walk->size;
  if (!ours) {
    return rl_error(RL_FAIL, "%s: found another kind of HDF5 behind the digest, expected rltrain's",
                    walk->path);
  }
  return walk_object(walk, "", 0, number(at + 36, 8));
}

RlStatus rl_checkpoint_walk(RlCheckpointIndex *index, const uint8_t *image, size_t size,
                            const char *path) {
  Walk *walk = malloc(sizeof *walk);
  if (!walk)
    return rl_error(RL_FAIL, "%s: found no memory to read it, expected %zu bytes", path,
                    sizeof *walk);
  walk->image = image;
  walk->size = walk->left = size;
  walk->path = path;
  walk->npending = 0;
  walk->index = index;
  index->n = 0;
  RlStatus status = walk_file(walk);
  free(walk);
  return status;
}
