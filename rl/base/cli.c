// Command lines: see cli.h.
#include "rl/base/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rl/base/file.h"

void rl_cli_begin(void) {
  // not writable: what is printed to a closed descriptor stays an error
  int fd;
  while ((fd = open("/dev/null", O_RDONLY)) >= 0 && fd <= STDERR_FILENO) {
  }
  if (fd >= 0) close(fd);
  signal(SIGXFSZ, SIG_IGN);
}

RlStatus rl_cli_flush(RlStatus status) {
  if (status != RL_OK || (fflush(stdout) == 0 && !ferror(stdout))) return status;
  return rl_file_error("stdout", "cannot write", errno);
}

int rl_cli_exit(RlStatus status) {
  if (status == RL_OK) return 0;
  fprintf(stderr, "%s\n", rl_error_text());
  return status == RL_USAGE ? 2 : 1;
}

static int print_version(const char *program) {
  printf("%s %s\n", program, RL_VERSION);
  return rl_cli_exit(rl_cli_flush(RL_OK));
}

static int print_help(const char *text) {
  fputs(text, stdout);
  return rl_cli_exit(rl_cli_flush(RL_OK));
}

// ---------------------------------------------------------------- options

// What getopt_long answers: a row's place from ROWS on, or its letter.
enum { ROWS = 256, HELP = ROWS + RL_CLI_OPTIONS, VERSION };

typedef struct {
  struct option name[RL_CLI_OPTIONS + 3];
  char letters[2 * RL_CLI_OPTIONS + 3];
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
  *letter++ = 'h';
  known->name[n++] = (struct option){"help", no_argument, NULL, HELP};
  known->name[n++] = (struct option){"version", no_argument, NULL, VERSION};
  known->name[n] = (struct option){0};
  *letter = '\0';
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
  if (errno || end == text || strchr(" \t\n\v\f\r+", text[0]) || *end || value < option->lo ||
      value > option->hi) {
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
  } else if (*optarg == '\0') {
    return rl_error(RL_USAGE, "--%s: found \"\", expected a value", option->name);
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
  if (answer == ':') {
    return rl_error(RL_USAGE, "%s: found no value, expected one, see --help", found);
  }
  // of a known option that was refused, getopt_long leaves the number in optopt
  if (optopt >= ROWS) {
    return rl_error(RL_USAGE, "%s: found a value, expected none, see --help", found);
  }
  return rl_error(RL_USAGE, "%s: unknown option, expected one that --help names", found);
}

RlStatus rl_cli_parse(int argc, char **argv, const char *program, const char *help,
                      RlCliOption *table, int *done) {
  Known known = {0};
  list(&known, table);
  opterr = optind = 0;
  int answer;
  while ((answer = getopt_long(argc, argv, known.letters, known.name, NULL)) != -1) {
    if (answer == '?' || answer == ':') return refuse(argc, argv, answer);
    if (answer == 'h' || answer == HELP || answer == VERSION) {
      *done = answer == VERSION ? print_version(program) : print_help(help);
      return RL_OK;
    }
    RL_TRY(take(find(table, answer)));
  }
  return RL_OK;
}
