// What a terminal can show: see screen.h.
#include "rl/base/screen.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

void rl_screen_size(FILE *out, int *width, int *rows) {
  struct winsize size;
  *width = 0;
  *rows = 24;
  if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    *width = size.ws_col;
    if (size.ws_row > 0) *rows = size.ws_row;
  }
  const char *columns = getenv("COLUMNS");
  if (*width == 0 && columns != NULL) *width = atoi(columns);
  if (*width == 0) *width = 80;
  *width -= 1;
}

bool rl_screen_has_escapes(FILE *out) {
  const char *term = getenv("TERM");
  if (term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0) return false;
  return isatty(fileno(out)) == 1;
}

bool rl_screen_has_color(void) {
  const char *no_color = getenv("NO_COLOR");
  return no_color == NULL || no_color[0] == '\0';
}

bool rl_screen_has_unicode(void) {
  const char *term = getenv("TERM");
  if (term != NULL && strcmp(term, "linux") == 0) return false;
  const char *name[] = {"LC_ALL", "LC_CTYPE", "LANG"};
  for (int i = 0; i < 3; i++) {
    const char *value = getenv(name[i]);
    if (value == NULL || value[0] == '\0') continue;
    const char *dot = strchr(value, '.');
    return dot != NULL && strncasecmp(dot, ".utf", 4) == 0;
  }
  return true;
}
