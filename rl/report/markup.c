// Text of the outside world in a page: see markup.h.
#include "rl/report/markup.h"

#include <stdbool.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd";

// Length of the character at text if it is well-formed UTF-8, printable, and allowed in XML; else
// 0. Stops at the NUL.
static size_t character(const unsigned char *text) {
  unsigned char c = text[0];
  if (c < 0x80) return c >= 0x20 && c != 0x7f;
  size_t length = c >= 0xc2 && c < 0xe0   ? 2
                  : c >= 0xe0 && c < 0xf0 ? 3
                  : c >= 0xf0 && c < 0xf5 ? 4
                                          : 0;
  for (size_t i = 1; i < length; i++) {
    if ((text[i] & 0xc0) != 0x80) return 0;
  }
  if (length == 2) return c > 0xc2 || text[1] >= 0xa0 ? 2 : 0;  // the rest are C1 controls
  if (length == 3) {
    bool overlong = c == 0xe0 && text[1] < 0xa0, surrogate = c == 0xed && text[1] >= 0xa0;
    bool none = c == 0xef && text[1] == 0xbf && text[2] >= 0xbe;
    // marks that turn the direction of writing around
    bool turns = c == 0xe2 && ((text[1] == 0x80 && text[2] >= 0xaa && text[2] <= 0xae) ||
                               (text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9));
    return overlong || surrogate || none || turns ? 0 : 3;
  }
  if (length == 4) {
    return (c == 0xf0 && text[1] < 0x90) || (c == 0xf4 && text[1] >= 0x90) ? 0 : 4;
  }
  return 0;
}

static const char *entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return NULL;
  }
}

void rl_markup_text(FILE *out, const char *text) {
  while (*text) {
    size_t length = character((const unsigned char *)text);
    const char *escaped = entity(*text);
    if (length == 0) {
      fputs(replacement, out);
      length = 1;
    } else if (escaped) {
      fputs(escaped, out);
    } else {
      fwrite(text, 1, length, out);
    }
    text += length;
  }
}

void rl_markup_clean(char *out, size_t size, const char *text) {
  size_t n = 0;
  while (*text) {
    size_t length = character((const unsigned char *)text);
    size_t width = length ? length : sizeof replacement - 1;
    if (n + width >= size) break;
    memcpy(out + n, length ? text : replacement, width);
    n += width;
    text += length ? length : 1;
  }
  out[n] = '\0';
}

int rl_markup_width(const char *text) {
  int width = 0;
  for (; *text; text++) width += ((unsigned char)*text & 0xc0) != 0x80;
  return width;
}

void rl_markup_base64(FILE *out, const uint8_t *data, size_t size) {
  static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < size; i += 3) {
    size_t left = size - i;
    uint32_t bits = (uint32_t)data[i] << 16;
    if (left > 1) bits |= (uint32_t)data[i + 1] << 8;
    if (left > 2) bits |= data[i + 2];
    char four[4] = {digit[bits >> 18], digit[bits >> 12 & 63], '=', '='};
    if (left > 1) four[2] = digit[bits >> 6 & 63];
    if (left > 2) four[3] = digit[bits & 63];
    fwrite(four, 1, 4, out);
  }
}
