// The error line and the programmer's assertion. Place: below everything; nothing here allocates,
// so an error can always be reported.
//
// Invariant: the line is one line. Whatever a file or an option held, no control character of it
// reaches the terminal.
#include "rl/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_SIZE = 1024 };

static _Thread_local char line_text[LINE_SIZE];

RlStatus rl_error(RlStatus status, const char *format, ...) {
  // formatted apart, since the arguments may be the line itself
  char text[LINE_SIZE];
  va_list args;
  va_start(args, format);
  int length = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (length < 0) text[0] = '\0';
  size_t i = 0;
  for (; text[i] != '\0'; i++) {
    unsigned char byte = (unsigned char)text[i];
    line_text[i] = (char)(byte < 0x20 || byte == 0x7f ? '?' : byte);
  }
  line_text[i] = '\0';
  return status;
}

const char *rl_error_text(void) {
  return line_text;
}

void rl_error_clear(void) {
  line_text[0] = '\0';
}

void rl_assert_failed(const char *file, int line, const char *condition) {
  fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
  abort();
}
