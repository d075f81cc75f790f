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

static int print_version(const char *program) {
  printf("%s %s\n", program, RL_VERSION);
  return flushed();
}

static int print_help(const char *text) {
  fputs(text, stdout);
  return flushed();
}

// ---------------------------------------------------------------- options

// What getopt_long answers: a row's place from ROWS on, or its letter.
enum { ROWS = 256, HELP = ROWS + RL_CLI_OPTIONS, VERSION };

typedef struct {
  struct option name[RL_CLI_OPTIONS + 3];
  char letters[2 * RL_CLI_OPTIONS + 2];
} Known;

static void list(Known *known, const RlCliOption *table) {
  int n = 0;
  char *letter = known->letters;
  // a first colon tells a missing value from an unknown option
  *letter++ = ':';
  for (; table[n].name != NULL; n++) {
    RL_ASSERT(n < RL_CLI_OPTIONS);
    const int takes = table[n].flag ? no_argument : required_argument;
    known->name[n] = (struct option){table[n].name, takes, NULL, ROWS + n};
    if (!table[n].letter) continue;
    *letter++ = table[n].letter;
    if (takes) *letter++ = ':';
  }
  *letter = '\0';
  known->name[n++] = (struct option){"help", no_argument, NULL, HELP};
  known->name[n++] = (struct option){"version", no_argument, NULL, VERSION};
  known->name[n] = (struct option){0};
}

static RlCliOption *find(RlCliOption *table, int answer) {
  if (answer >= ROWS) return &table[answer - ROWS];
  while (table->letter != answer) table++;
  return table;
}

static RlStatus take_number(const RlCliOption *option, const char *text) {
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  if (errno || end == text || *end || value < option->lo || value > option->hi) {
    return rl_error(RL_USAGE,
                    "--%s: found \"%s\", expected a whole number from %" PRId64 " to %" PRId64,
                    option->name, text, option->lo, option->hi);
  }
  *option->number = value;
  return RL_OK;
}

static RlStatus take(RlCliOption *option) {
  option->given = true;
  if (option->flag) {
    *option->flag = true;
  } else if (option->number) {
    return take_number(option, optarg);
  } else if (option->count) {
    if (*option->count == option->most) {
      return rl_error(RL_USAGE, "--%s: found more than %d", option->name, option->most);
    }
    option->text[(*option->count)++] = optarg;
  } else {
    *option->text = optarg;
  }
  return RL_OK;
}

static RlStatus refuse(int argc, char **argv, int answer) {
  // getopt_long stands behind the word it stopped at, but inside a cluster of letters still on it
  const char *found = argv[optind - 1];
  if (found[0] != '-' && optind < argc) found = argv[optind];
  return answer == ':' ? rl_error(RL_USAGE, "%s: found no value, expected one, see --help", found)
                       : rl_error(RL_USAGE, "%s: unknown option, expected one of --help", found);
}

RlStatus rl_cli_parse(int argc, char **argv, const char *program, const char *help,
                      RlCliOption *table, int *done) {
  Known known;
  list(&known, table);
  opterr = optind = 0;
  int answer;
  while ((answer = getopt_long(argc, argv, known.letters, known.name, NULL)) != -1) {
    if (answer == '?' || answer == ':') return refuse(argc, argv, answer);
    if (answer == HELP || answer == VERSION) {
      *done = answer == HELP ? print_help(help) : print_version(program);
      return RL_OK;
    }
    RL_TRY(take(find(table, answer)));
  }
  return RL_OK;
}
