// Event files taken apart by a decoder of the tests' own, which knows the wire format and nothing
// of the schema: what it finds under a number was written under that number.
#ifndef TESTS_UNIT_TENSORBOARD_WIRE_H_
#define TESTS_UNIT_TENSORBOARD_WIRE_H_

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rl/scratch.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

typedef struct {
  const uint8_t *at, *end;
} Wire;

typedef struct {
  int number, type;
  uint64_t value;  // varint or fixed
  Wire bytes;
} WireField;

static inline uint64_t wire_little(const uint8_t *at, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++) value |= (uint64_t)at[i] << (8 * i);
  return value;
}

static inline uint64_t wire_varint(Wire *w) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    assert_true(w->at < w->end && shift < 64);
    value |= (uint64_t)(*w->at & 127) << shift;
    if (!(*w->at++ & 128)) return value;
  }
}

// the next field of a message; false at its end
static inline bool wire_next(Wire *w, WireField *field) {
  *field = (WireField){0};
  if (w->at == w->end) return false;
  uint64_t key = wire_varint(w);
  *field = (WireField){.number = (int)(key >> 3), .type = (int)(key & 7)};
  size_t size = 0;
  if (field->type == WIRE_VARINT) {
    field->value = wire_varint(w);
  } else {
    size = field->type == WIRE_FIXED64   ? 8
           : field->type == WIRE_FIXED32 ? 4
                                         : (size_t)wire_varint(w);
    assert_true(size <= (size_t)(w->end - w->at));
    if (field->type != WIRE_BYTES) field->value = wire_little(w->at, (int)size);
    field->bytes = (Wire){w->at, w->at + size};
  }
  w->at += size;
  return true;
}

// how many fields of a number a message has; the last one in *field
static inline int wire_find(Wire w, int number, WireField *field) {
  WireField f;
  int count = 0;
  while (wire_next(&w, &f)) {
    if (f.number != number) continue;
    *field = f;
    count++;
  }
  return count;
}

// the one field of a number and type
static inline WireField wire_one(Wire w, int number, int type) {
  WireField field = {0};
  assert_int_equal(wire_find(w, number, &field), 1);
  assert_int_equal(field.type, type);
  return field;
}

static inline Wire wire_message(Wire w, int number) {
  return wire_one(w, number, WIRE_BYTES).bytes;
}

static inline double wire_double(Wire w, int number) {
  uint64_t bits = wire_one(w, number, WIRE_FIXED64).value;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline void wire_expect_text(Wire w, int number, const char *expected) {
  Wire text = wire_message(w, number);
  assert_int_equal(text.end - text.at, strlen(expected));
  assert_memory_equal(text.at, expected, strlen(expected));
}

static inline bool wire_is_text(Wire text, const char *expected) {
  size_t size = (size_t)(text.end - text.at);
  return size == strlen(expected) && memcmp(text.at, expected, size) == 0;
}

// the next record of a file, checksums aside; false at its end or at a torn one
static inline bool wire_record(Wire *file, Wire *record) {
  size_t left = (size_t)(file->end - file->at);
  if (left < 16) return false;
  uint64_t size = wire_little(file->at, 8);
  if (size > left - 16) return false;
  *record = (Wire){file->at + 12, file->at + 12 + size};
  file->at += 16 + size;
  return true;
}

// the step of an event; a zero is not written
static inline int64_t wire_step(Wire event) {
  WireField field = {0};
  assert_true(wire_find(event, 2, &field) <= 1);
  return (int64_t)field.value;
}

// the value of an event's summary that bears the tag
static inline bool wire_value(Wire event, const char *tag, Wire *value) {
  WireField summary, field;
  if (wire_find(event, 5, &summary) != 1) return false;
  Wire rest = summary.bytes;
  while (wire_next(&rest, &field)) {
    if (field.number != 1 || !wire_is_text(wire_message(field.bytes, 1), tag)) continue;
    *value = field.bytes;
    return true;
  }
  return false;
}

#endif
