// Text of a known width for the progress panel, lines and JSON objects.
#include "rl/base/line.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FORMAT_SIZE = 1024 };

void rl_line_bytes(RlLine *line, const char *text, size_t length) {
  if (line->length + length >= line->size) return;
  memcpy(line->text + line->length, text, length);
  line->length += length;
  line->text[line->length] = '\0';
}

void rl_line_style(RlLine *line, const char *escape) {
  if (line->color) rl_line_bytes(line, escape, strlen(escape));
}

void rl_line_put(RlLine *line, const char *text) {
  while (*text != '\0') {
    size_t length = 1;
    while (((unsigned char)text[length] & 0xc0) == 0x80) length++;
    if (line->column < line->width) {
      rl_line_bytes(line, text, length);
      line->column++;
    }
    text += length;
  }
}

void rl_line_format(RlLine *line, const char *format, ...) {
  char text[FORMAT_SIZE];
  // a decimal point, whatever the process's locale; the C locale is a constant of the C library
  locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  locale_t before = uselocale(locale);
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  uselocale(before);
  freelocale(locale);
  rl_line_put(line, text);
}

size_t rl_line_character(const char *text) {
  const uint8_t *c = (const uint8_t *)text;
  size_t n = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
  if (c[0] > 0xf4) return 0;
  for (size_t k = 1; k < n; k++) {
    if ((c[k] & 0xc0) != 0x80) return 0;
  }
  // no over-long forms, no surrogates, nothing beyond the last plane
  bool wrong = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
               (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f);
  return wrong ? 0 : n;
}

void rl_line_json(RlLine *line, const char *text) {
  rl_line_put(line, "\"");
  while (*text != '\0') {
    size_t n = rl_line_character(text);
    unsigned char byte = (unsigned char)*text;
    if (n == 0) {
      rl_line_put(line, "?");
    } else if (byte == '"' || byte == '\\') {
      rl_line_format(line, "\\%c", byte);
    } else if (byte < 0x20 || byte == 0x7f) {
      rl_line_format(line, "\\u%04x", byte);
    } else {
      rl_line_bytes(line, text, n);
    }
    text += n ? n : 1;
  }
  rl_line_put(line, "\"");
}

void rl_line_count(int64_t value, char *text, size_t size) {
  char digits[32];
  snprintf(digits, sizeof digits, "%" PRId64, value);
  size_t n = strlen(digits), length = 0;
  for (size_t i = 0; i < n && length + 2 < size; i++) {
    text[length++] = digits[i];
    bool group = (n - 1 - i) % 3 == 0 && i + 1 < n && digits[i] != '-';
    if (group) text[length++] = ',';
  }
  text[length] = '\0';
}

void rl_line_time(double seconds, char *text, size_t size) {
  if (!(seconds >= 0 && seconds < 1e9)) {
    snprintf(text, size, "--:--");
    return;
  }
  int64_t whole = (int64_t)seconds;
  int64_t days = whole / 86400, hours = whole / 3600 % 24, minutes = whole / 60 % 60;
  if (days > 0) {
    snprintf(text, size, "%" PRId64 "d %02" PRId64 "h", days, hours);
  } else if (hours > 0) {
    snprintf(text, size, "%" PRId64 ":%02" PRId64 ":%02" PRId64, hours, minutes, whole % 60);
  } else {
    snprintf(text, size, "%" PRId64 ":%02" PRId64, minutes, whole % 60);
  }
}

void rl_line_value(double value, char *text, size_t size) {
  RlLine line = {.text = text, .size = size, .width = (int)size};
  text[0] = '\0';
  if (isnan(value)) {
    rl_line_put(&line, "-");
  } else if (value == floor(value) && fabs(value) < 1e15) {
    rl_line_format(&line, "%.0f", value);
  } else {
    bool plain = fabs(value) >= 100 && fabs(value) < 1e6;
    rl_line_format(&line, plain ? "%.1f" : "%.4g", value);
  }
}
