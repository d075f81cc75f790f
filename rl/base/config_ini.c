// Reading configuration files. Place: in front of rl_config_set; inih splits lines into sections,
// keys and values, this file feeds it line by line.
//
// inih as built keeps 200 bytes of a line, joins indented lines to the value before, ignores what
// follows a section's bracket and tells its handler no line. So the reader here counts lines and
// refuses, before inih sees it, whatever would be read as something other than what it looks like.
#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "rl/base/config_ini.h"
#include "rl/base/nearest.h"

enum { LINE_MAX_BYTES = 199 };

typedef struct {
  RlConfig *config;
  const char *name;  // the file, for errors
  const char *next, *end;
  int line;                   // the line handed out last, from 1
  int first[RL_MAX_OPTIONS];  // line that gave a row, 0 if none did
  RlStatus status;
  int error_line;
} Source;

static RlStatus stop(Source *source) {
  source->status = RL_USAGE;
  source->error_line = source->line;
  return RL_USAGE;
}

static bool is_known_section(const char *name, size_t length) {
  int count = 0;
  const RlOption *option = rl_config_options(&count);
  for (int row = 0; row < count; row++) {
    if (strlen(option[row].section) == length && memcmp(option[row].section, name, length) == 0) {
      return true;
    }
  }
  return false;
}

// The section that name begins with, or else the one of the fewest edits.
static const char *nearest_section(const char *name, size_t length) {
  int count = 0, least = INT_MAX;
  const RlOption *option = rl_config_options(&count);
  char found[LINE_MAX_BYTES + 1];
  const char *best = "";
  snprintf(found, sizeof found, "%.*s", (int)length, name);
  for (int row = 0; row < count; row++) {
    const char *known = option[row].section;
    if (rl_nearest_begins(found, known)) return known;
    int distance = rl_nearest_distance(found, known);
    if (distance >= least) continue;
    least = distance;
    best = known;
  }
  return best;
}

// A section header must be known, closed, and alone on its line.
static bool check_header(Source *source, const char *line) {
  const char *name = line + 1;
  size_t length = strcspn(name, "]");
  if (name[length] == '\0') {
    (void)rl_error(stop(source), "%s:%d: found \"%s\", expected [section]", source->name,
                   source->line, line);
    return false;
  }
  if (!is_known_section(name, length)) {
    (void)rl_error(stop(source),
                   "%s:%d: [%.*s]: unknown section, expected one of the known sections, nearest "
                   "is [%s]",
                   source->name, source->line, (int)length, name, nearest_section(name, length));
    return false;
  }
  const char *rest = name + length + 1;
  rest += strspn(rest, " \t");
  if (*rest == '\0' || *rest == ';' || *rest == '#') return true;
  (void)rl_error(stop(source), "%s:%d: found \"%s\" after [%.*s], expected the end of the line",
                 source->name, source->line, rest, (int)length, name);
  return false;
}

static bool check_line(Source *source, const char *line) {
  const char *text = line + strspn(line, " \t");
  if (*text == '\0' || *text == ';' || *text == '#') return true;
  if (text != line) {
    (void)rl_error(stop(source),
                   "%s:%d: found an indented line, expected key = value without "
                   "blanks in front",
                   source->name, source->line);
    return false;
  }
  if (*text == '[') return check_header(source, line);
  size_t key = strcspn(line, "=:;");
  if (key > 0 && (line[key] == '=' || line[key] == ':')) return true;
  (void)rl_error(stop(source), "%s:%d: found \"%s\", expected key = value", source->name,
                 source->line, line);
  return false;
}

// inih's reader: the next line without its end in at most size - 1 bytes, NULL to end the parse.
static char *read_line(char *out, int size, void *stream) {
  Source *source = stream;
  if (source->status != RL_OK || source->next == source->end) return NULL;
  const char *text = source->next;
  const char *newline = memchr(text, '\n', (size_t)(source->end - text));
  size_t length = (size_t)((newline != NULL ? newline : source->end) - text);
  source->next = newline != NULL ? newline + 1 : source->end;
  source->line++;
  if (length > 0 && text[length - 1] == '\r') length--;
  if (memchr(text, '\0', length) != NULL) {
    (void)rl_error(stop(source), "%s:%d: found a NUL byte, expected text", source->name,
                   source->line);
    return NULL;
  }
  if (length > LINE_MAX_BYTES || length >= (size_t)size) {
    (void)rl_error(stop(source), "%s:%d: found a line of %zu bytes, expected at most %d",
                   source->name, source->line, length, LINE_MAX_BYTES);
    return NULL;
  }
  memcpy(out, text, length);
  out[length] = '\0';
  return check_line(source, out) ? out : NULL;
}

// inih's handler: called once for each key, before the next line is read.
static int take_key(void *user, const char *section, const char *name, const char *value) {
  Source *source = user;
  char key[2 * LINE_MAX_BYTES], origin[RL_ORIGIN_SIZE];
  snprintf(key, sizeof key, "%s%s%s", section, section[0] != '\0' ? "." : "", name);
  snprintf(origin, sizeof origin, "%s:%d", source->name, source->line);
  int row = rl_config_find(key);
  if (row >= 0 && source->first[row] > 0) {
    (void)rl_error(stop(source), "%s: %s: found \"%s\", expected the key once (first on line %d)",
                   origin, key, value, source->first[row]);
    return 0;
  }
  if (row >= 0) source->first[row] = source->line;
  if (rl_config_set(source->config, key, value, origin) != RL_OK) {
    (void)stop(source);
    return 0;
  }
  source->config->place[row] = source->line;
  return 1;
}

RlStatus rl_config_ini_read(RlConfig *config, const char *text, size_t size, const char *name) {
  Source source = {.config = config, .name = name, .next = text, .end = text + size};
  // some editors put a byte order mark in front
  if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) source.next += 3;
  int line = ini_parse_stream(read_line, &source, take_key, &source);
  // inih goes on after a line it cannot split, so its error may be the earlier one
  if (line != 0 && (source.status == RL_OK || line < source.error_line)) {
    return rl_error(RL_USAGE, "%s:%d: found neither a section nor a key, expected key = value",
                    name, line);
  }
  return source.status;
}
