// What the programs' command lines share: exit codes, --version, numbers. getopt_long does the
// rest.
#ifndef RL_BASE_CLI_H_
#define RL_BASE_CLI_H_

#include <getopt.h>
#include <stdint.h>

#include "rl/base/status.h"

#ifndef RL_VERSION
#define RL_VERSION "unknown"
#endif

// The exit code of a status; on failure writes the error line to stderr: 0 ok, 1 run time, 2 usage.
int rl_cli_exit(RlStatus status);

// Prints "PROGRAM VERSION" to stdout; returns the exit code (1 if stdout cannot be written).
int rl_cli_version(const char *program);

// Prints a help text to stdout; returns the exit code.
int rl_cli_help(const char *text);

// Like getopt_long, but an option whose value is a letter has that as its short form, and an
// unknown option or a missing argument is an RL_USAGE error line and sets *status; returns -1 at
// the end of options and on errors.
int rl_cli_option(int argc, char **argv, const struct option *options, RlStatus *status);

// A whole number in [lo, hi] given to an option ("--seed").
RL_MUST_USE RlStatus rl_cli_int64(int64_t *out, const char *option, const char *text, int64_t lo,
                                  int64_t hi);

#endif
