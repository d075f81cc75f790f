// Text of the outside world in a page: nothing in a name, a path or a configuration can be taken
// for markup. Place: everything the page and the figures write of that kind goes through here.
#ifndef RL_REPORT_MARKUP_H_
#define RL_REPORT_MARKUP_H_

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// Writes text as HTML or XML text, for elements and for quoted attributes alike. Bytes that are not
// UTF-8 and control characters become U+FFFD.
void rl_markup_text(FILE *out, const char *text);

// Copies text as one line of UTF-8 without control characters, cut at a character if it is too
// long: what a terminal can be given.
void rl_markup_clean(char *out, size_t size, const char *text);

// Characters (code points) of UTF-8 text.
int rl_markup_width(const char *text);

// Writes bytes in base 64.
void rl_markup_base64(FILE *out, const uint8_t *data, size_t size);

#endif
