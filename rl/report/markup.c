// Text of the outside world in a page: see markup.h.
#include "rl/report/markup.h"

#include <stdbool.h>
#include <string.h>

#include "rl/base/base64.h"
#include "rl/base/line.h"

static const char replacement[] = "\xef\xbf\xbd";

// Length of the character at text if it is well-formed UTF-8, printable, and allowed in XML; else
// 0. Stops at the NUL.
static size_t character(const char *text) {
  const uint8_t *c = (const uint8_t *)text;
  size_t length = rl_line_character(text);
  bool control = c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0);
  if (control || length != 3) return control ? 0 : length;
  bool none = c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe;
  // marks that turn the direction of writing around
  bool turns = c[0] == 0xe2 && ((c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae) ||
                                (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
  return none || turns ? 0 : length;
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
    size_t length = character(text);
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
    size_t length = character(text);
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
  for (size_t i = 0; i < size; i += 3) {
    char four[4];
    rl_base64_group(data + i, size - i < 3 ? size - i : 3, four);
    fwrite(four, 1, 4, out);
  }
}
