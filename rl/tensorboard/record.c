// TFRecord framing: see record.h. Numbers are little-endian; checksums are masked, because records
// may lie in records.
#include "rl/tensorboard/record.h"

// CRC-32C of one half-byte: rows are a few thousand bytes twice a second at most, and sixteen
// numbers are easier to check than 256.
static const uint32_t table[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};

uint32_t rl_record_crc(const void *data, size_t size) {
  const uint8_t *byte = data;
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < size; i++) {
    crc ^= byte[i];
    crc = (crc >> 4) ^ table[crc & 15];
    crc = (crc >> 4) ^ table[crc & 15];
  }
  return ~crc;
}

static uint32_t mask(uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

static void put(uint8_t *to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t take(const uint8_t *from, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++) value |= (uint64_t)from[i] << (8 * i);
  return value;
}

size_t rl_record_frame(uint8_t *record, size_t size) {
  uint8_t *data = record + RL_RECORD_HEAD;
  put(record, size, 8);
  put(record + 8, mask(rl_record_crc(record, 8)), 4);
  put(data + size, mask(rl_record_crc(data, size)), RL_RECORD_TAIL);
  return RL_RECORD_HEAD + size + RL_RECORD_TAIL;
}

bool rl_record_read_head(const uint8_t head[RL_RECORD_HEAD], uint64_t *size) {
  *size = take(head, 8);
  return take(head + 8, 4) == mask(rl_record_crc(head, 8));
}

bool rl_record_is_sound(const uint8_t *data, size_t size) {
  return take(data + size, RL_RECORD_TAIL) == mask(rl_record_crc(data, size));
}
