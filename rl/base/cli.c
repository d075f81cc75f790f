// Command lines: see cli.h.
#include "rl/base/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int rl_cli_exit(RlStatus status) {
  if (status == RL_OK) return 0;
  fprintf(stderr, "%s\n", rl_error_text());
  return status == RL_USAGE ? 2 : 1;
}

static int flushed(void) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
  return rl_cli_exit(rl_error(RL_FAIL, "stdout: cannot write: %s", strerror(errno)));
}

int rl_cli_version(const char *program) {
  printf("%s %s\n", program, RL_VERSION);
  return flushed();
}

int rl_cli_help(const char *text) {
  fputs(text, stdout);
  return flushed();
}

// Appends the short forms, in getopt's notation.
static void list_letters(const struct option *options, char *letters, size_t size) {
  size_t n = strlen(letters);
  for (; options->name != NULL && n + 3 < size; options++) {
    if (options->val < 'a' || options->val > 'z') continue;
    letters[n++] = (char)options->val;
    if (options->has_arg == required_argument) letters[n++] = ':';
  }
  letters[n] = '\0';
}

int rl_cli_option(int argc, char **argv, const struct option *options, RlStatus *status) {
  char letters[64] = ":";
  list_letters(options, letters, sizeof letters);
  opterr = 0;
  int option = getopt_long(argc, argv, letters, options, NULL);
  if (option != '?' && option != ':') return option;
  // getopt_long stands behind the word it stopped at, but inside a cluster of letters still on it
  const char *found = argv[optind - 1];
  if (found[0] != '-' && optind < argc) found = argv[optind];
  *status = option == ':'
                ? rl_error(RL_USAGE, "%s: found no value, expected one, see --help", found)
                : rl_error(RL_USAGE, "%s: unknown option, expected one of --help", found);
  return -1;
}

RlStatus rl_cli_int64(int64_t *out, const char *option, const char *text, int64_t lo, int64_t hi) {
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  if (errno || end == text || *end || value < lo || value > hi) {
    return rl_error(RL_USAGE,
                    "%s: found \"%s\", expected a whole number from %" PRId64 " to %" PRId64,
                    option, text, lo, hi);
  }
  *out = value;
  return RL_OK;
}
