// TFRecord framing: a length, its checksum, the bytes, their checksum. Place: below events.c, which
// fills the bytes.
//
// A file of records can be cut behind any of them, and what a process left half-written at its end
// is told by length and checksums.
#ifndef RL_TENSORBOARD_RECORD_H_
#define RL_TENSORBOARD_RECORD_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Bytes before and behind those of a record.
enum { RL_RECORD_HEAD = 12, RL_RECORD_TAIL = 4 };

// CRC-32C (Castagnoli) of size bytes.
uint32_t rl_record_crc(const void *data, size_t size);

// Frames the size bytes at record + RL_RECORD_HEAD; returns the bytes of the whole, which begins at
// record.
size_t rl_record_frame(uint8_t *record, size_t size);

// Whether head is that of a record; *size receives its length.
bool rl_record_read_head(const uint8_t head[RL_RECORD_HEAD], uint64_t *size);

// Whether the size bytes at data are as the checksum behind them says.
bool rl_record_is_sound(const uint8_t *data, size_t size);

#endif
