// What the programs' command lines share: options as rows of a table, exit codes, --help,
// --version. getopt_long does the rest.
#ifndef RL_BASE_CLI_H_
#define RL_BASE_CLI_H_

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "rl/base/status.h"

#ifndef RL_VERSION
#define RL_VERSION "unknown"
#endif

// What every program begins with. Descriptors 0 to 2 that its caller closed are taken, else the
// first files it opens would get what it prints; to write past a limit of sizes is an error to
// report, not its end.
void rl_cli_begin(void);

// A status, or RL_FAIL with its line if all is well but what was printed did not reach stdout.
RL_MUST_USE RlStatus rl_cli_flush(RlStatus status);

// The exit code of a status; on failure writes the error line to stderr: 0 ok, 1 run time, 2 usage.
int rl_cli_exit(RlStatus status);

// An option: its name, and one place that takes its value.
typedef struct {
  const char *name;  // without the dashes; NULL ends a table
  bool *flag;        // takes no value: true once it is given
  int64_t *number;   // a whole number in [lo, hi]
  int64_t lo, hi;
  const char **text;
  int *count, most;  // of a text that may be repeated: how many there are, and may be
  int mode;          // a program's own: what the option goes with
  char letter;       // short form; 0: none
  bool given;        // set by rl_cli_parse
} RlCliOption;

enum { RL_CLI_OPTIONS = 24 };  // rows of a table, at most
static const int64_t rl_cli_most_seed = INT64_C(1) << 53;

// Reads the options of a table, --help and --version; argv from optind on is then the other words.
// An unknown option, a missing or wrong value is an error line. done: the exit code after --help or
// --version, which are answered at once, else left alone.
RL_MUST_USE RlStatus rl_cli_parse(int argc, char **argv, const char *program, const char *help,
                                  RlCliOption *table, int *done);

#endif
