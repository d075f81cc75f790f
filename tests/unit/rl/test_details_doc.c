// docs/details.md against the code: every tag has a row; every row has its tag in the file it
// names, the function, keys of the option table with values that it takes, and tests that exist and
// are run.
#include <ctype.h>
#include <stdlib.h>

#include "rl/base/config.h"
#include "tests/unit/rl/near.h"
#include "tests/unit/rl/scratch.h"

enum { COLUMNS = 6, NAME = 128, MAX_TAGS = 200, TEXT = 1 << 22 };

static char code[TEXT], tests[TEXT], doc[1 << 18];
static char tag[MAX_TAGS][NAME];
static int ntag, nrow;

// ---------------------------------------------------------------- reading

static bool ends_with(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}

static char *sink;

static int append(const char *path, const struct stat *info, int kind, struct FTW *at) {
  (void)info;
  (void)at;
  bool source = ends_with(path, ".c") || ends_with(path, ".h") || ends_with(path, ".cpp") ||
                ends_with(path, ".inc");
  if (kind != FTW_F || !source) return 0;
  size_t size, used = strlen(sink);
  uint8_t *text = scratch_get(path, &size);
  if (used + size + 2 > TEXT) abort();
  memcpy(sink + used, text, size + 1);
  free(text);
  return 0;
}

static void read_folder(char *into, const char *folder) {
  char path[512];
  sink = into;
  snprintf(path, sizeof path, "%s/%s", RL_SOURCE_DIR, folder);
  assert_int_equal(nftw(path, append, 8, FTW_PHYS), 0);
}

// name characters from text on
static size_t name_length(const char *text) {
  return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
}

static void read_tags(void) {
  static const char mark[] = "// detail: ";
  for (const char *at = strstr(code, mark); at; at = strstr(at, mark)) {
    at += strlen(mark);
    assert_true(ntag < MAX_TAGS);
    snprintf(tag[ntag++], NAME, "%.*s", (int)name_length(at), at);
  }
}

static int setup(void **state) {
  (void)state;
  read_folder(code, "rl");
  read_folder(code, "nets");
  read_folder(code, "envs");
  read_folder(tests, "tests");
  size_t size;
  uint8_t *text = scratch_get(RL_SOURCE_DIR "/docs/details.md", &size);
  if (size >= sizeof doc) abort();
  memcpy(doc, text, size + 1);
  free(text);
  read_tags();
  return 0;
}

// ---------------------------------------------------------------- rows

// Calls use for every `quoted` name of a cell; returns how many there were.
static int each_quoted(char *cell, void (*use)(char *name, const char *detail),
                       const char *detail) {
  int count = 0;
  for (char *at = strchr(cell, '`'); at; at = strchr(at + 1, '`')) {
    char *end = strchr(at + 1, '`');
    assert_non_null(end);
    *end = '\0';
    use(at + 1, detail);
    at = end;
    count++;
  }
  return count;
}

static void check_switch(char *name, const char *detail) {
  RlConfig config;
  rl_config_default(&config);
  char *value = strchr(name, '=');
  if (!value) fail_msg("%s: %s: found no value", detail, name);
  *value++ = '\0';
  if (rl_config_find(name) < 0) fail_msg("%s: %s: no such key", detail, name);
  if (rl_config_set(&config, name, value, "docs/details.md") != RL_OK) {
    fail_msg("%s: %s", detail, rl_error_text());
  }
}

static void check_test(char *name, const char *detail) {
  char text[2 * NAME];
  snprintf(text, sizeof text, "static void %s(void **", name);
  if (!strstr(tests, text)) fail_msg("%s: %s: no such test", detail, name);
  char unit[2 * NAME], scratch[2 * NAME];
  snprintf(unit, sizeof unit, "cmocka_unit_test(%s)", name);
  snprintf(scratch, sizeof scratch, "SCRATCH_TEST(%s)", name);
  if (!strstr(tests, unit) && !strstr(tests, scratch)) fail_msg("%s: %s is not run", detail, name);
}

// The line that at is in, or the nearest before it that a function's head may be: it begins with a
// letter in the first column.
static const char *head_of(const char *source, const char *at) {
  while (at > source && !(at[-1] == '\n' && isalpha((unsigned char)*at))) at--;
  return at;
}

// Whether at stands in the function.
static bool stands_in(const char *source, const char *at, const char *function) {
  char head[512], call[NAME + 2];
  const char *line = head_of(source, at);
  snprintf(head, sizeof head, "%.*s", (int)strcspn(line, "\n"), line);
  snprintf(call, sizeof call, "%s(", function);
  return strstr(head, call) != NULL;
}

// "`function` (file)": the file holds the function, and the tag in it
static void check_place(char *cell, const char *detail) {
  char path[512], function[NAME], file[256], text[2 * NAME];
  if (sscanf(cell, " `%127[^`]` (%255[^)])", function, file) != 2) {
    fail_msg("%s: %s: expected `function` (file)", detail, cell);
  }
  snprintf(path, sizeof path, "%s/%s", RL_SOURCE_DIR, file);
  if (!scratch_exists(path)) fail_msg("%s: %s: no such file", detail, file);
  size_t size;
  char *source = (char *)scratch_get(path, &size);
  snprintf(text, sizeof text, "%s(", function);
  if (!strstr(source, text)) fail_msg("%s: %s: not in %s", detail, function, file);
  snprintf(text, sizeof text, "// detail: %s", detail);
  const char *at = strstr(source, text);
  while (at && name_length(at + strlen(text)) > 0) at = strstr(at + 1, text);
  if (!at) fail_msg("%s: no such tag in %s", detail, file);
  if (!stands_in(source, at, function)) fail_msg("%s: not in %s, %s", detail, function, file);
  free(source);
}

static void check_row(char *cell[COLUMNS]) {
  char detail[NAME];
  if (sscanf(cell[0], " `%127[^`]`", detail) != 1) fail_msg("%s: expected `detail`", cell[0]);
  for (int i = 1; i < COLUMNS; i++) {
    if (strspn(cell[i], " ") == strlen(cell[i])) fail_msg("%s: column %d is empty", detail, i);
  }
  check_place(cell[3], detail);
  if (strncmp(cell[4], " none: ", 7) != 0 && each_quoted(cell[4], check_switch, detail) == 0) {
    fail_msg("%s: no switch", detail);
  }
  if (each_quoted(cell[5], check_test, detail) == 0) fail_msg("%s: no test", detail);
}

static void test_rows(void **state) {
  (void)state;
  static char copy[sizeof doc];
  memcpy(copy, doc, sizeof copy);
  char *rest = copy;
  for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
    if (strncmp(line, "| `", 3) != 0) continue;
    char *cell[COLUMNS], *at = line + 1;
    for (int i = 0; i < COLUMNS; i++) {
      cell[i] = strsep(&at, "|");
      if (!at) fail_msg("%s: expected %d columns", cell[0], COLUMNS);
    }
    assert_string_equal(at, "");
    check_row(cell);
    nrow++;
  }
  assert_true(nrow > 30);
}

// every tag of the code is a row, and only one
static void test_tags(void **state) {
  (void)state;
  assert_true(ntag > 30);
  for (int i = 0; i < ntag; i++) {
    char row[2 * NAME];
    snprintf(row, sizeof row, "\n| `%.100s` |", tag[i]);
    const char *first = strstr(doc, row);
    if (!first) fail_msg("docs/details.md: found no row `%s`, which is a tag in the code", tag[i]);
    if (strstr(first + 1, row)) fail_msg("docs/details.md: found two rows `%s`", tag[i]);
  }
}

int main(void) {
  const struct CMUnitTest list[] = {
      cmocka_unit_test(test_rows),
      cmocka_unit_test(test_tags),
  };
  return cmocka_run_group_tests(list, setup, NULL);
}
