// What a test writes to a stream, as text; and whether it is well-formed markup.
#ifndef TESTS_UNIT_REPORT_DRAWN_H_
#define TESTS_UNIT_REPORT_DRAWN_H_

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *drawn_stream;
static char *drawn_text;
static size_t drawn_size;

static inline FILE *drawn_open(void) {
  drawn_stream = open_memstream(&drawn_text, &drawn_size);
  if (!drawn_stream) abort();
  return drawn_stream;
}

// the text so far, to be given back with drawn_free
static inline char *drawn_close(void) {
  if (fclose(drawn_stream) != 0) abort();
  return drawn_text;
}

static inline void drawn_free(void) {
  free(drawn_text);
  drawn_text = NULL;
}

static inline int drawn_count(const char *text, const char *what) {
  int count = 0;
  for (; (text = strstr(text, what)); text += strlen(what)) count++;
  return count;
}

// Elements nest and close, attributes are quoted, no "<" or bare "&" is left in text. Void elements
// of HTML are not known here: for SVG.
static inline bool drawn_is_well_formed(const char *text) {
  enum { DEEP = 32, NAME = 24 };
  char open[DEEP][NAME];
  int depth = 0;
  while (*text) {
    if (*text == '&') {
      size_t n = strcspn(text, ";");
      if (n > 6 || text[n] != ';') return false;
    }
    if (*text++ != '<') continue;
    bool closing = *text == '/';
    text += closing;
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    if (n == 0 || n >= NAME) return false;
    const char *name = text;
    for (text += n; *text && *text != '>' && *text != '/'; text++) {
      if (*text == '<') return false;
      if (*text != '"') continue;
      text = strchr(text + 1, '"');
      if (!text) return false;
    }
    bool empty = *text == '/';
    text += empty;
    if (*text != '>') return false;
    if (closing) {
      if (depth == 0 || strlen(open[depth - 1]) != n || memcmp(open[--depth], name, n))
        return false;
    } else if (!empty) {
      if (depth == DEEP) return false;
      memcpy(open[depth], name, n);
      open[depth++][n] = '\0';
    }
  }
  return depth == 0;
}

#endif
