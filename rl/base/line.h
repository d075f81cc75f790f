// Pieces of a progress line: text of a known width in columns, and numbers as people read them.
// Place: below progress.c and panel.c, and what else writes lines.
#ifndef RL_BASE_LINE_H_
#define RL_BASE_LINE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Text being put together; characters past the width and bytes past the buffer are dropped.
typedef struct {
  char *text;
  size_t size, length;
  int column, width;
  bool color;  // whether styles are written
} RlLine;

// Appends bytes that take no column (escapes, ends of lines).
void rl_line_bytes(RlLine *line, const char *text, size_t length);

// Appends UTF-8 text, one column a character.
void rl_line_put(RlLine *line, const char *text);

// Appends an escape that changes the style, where the line has colour.
void rl_line_style(RlLine *line, const char *escape);

void rl_line_format(RlLine *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Length of the well-formed UTF-8 character at text, 0 if there is none.
size_t rl_line_character(const char *text);

// Appends text of any bytes as a JSON string in UTF-8, quotes included.
void rl_line_json(RlLine *line, const char *text);

// 1234567 as 1,234,567.
void rl_line_count(int64_t value, char *text, size_t size);

// Seconds as 1:02:03; dashes for NaN.
void rl_line_time(double seconds, char *text, size_t size);

// A number in few columns; a dash for NaN.
void rl_line_value(double value, char *text, size_t size);

#endif
