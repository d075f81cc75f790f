// Bytes as text, for videos inside a page.
#ifndef RL_BASE_BASE64_H_
#define RL_BASE_BASE64_H_

#include <stddef.h>
#include <stdint.h>

// Four characters for count bytes, 1 to 3, padded with '='.
static inline void rl_base64_group(const uint8_t *data, size_t count, char out[4]) {
  static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  unsigned bits = 0;
  for (size_t i = 0; i < 3; i++) bits = bits << 8 | (i < count ? data[i] : 0u);
  for (size_t i = 0; i < 4; i++) out[i] = i <= count ? digit[bits >> (18 - 6 * i) & 63] : '=';
}

#endif
