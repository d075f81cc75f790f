// Command lines: whole numbers inside their bounds, and what of an option is refused by name.
#include "rl/base/cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

enum { MOST = 2 };

typedef struct {
  const char *out, *set[MOST];
  int nset;
  bool quiet;
  int64_t seed;
} Request;

// Parses words, the last one NULL, with a table of every kind of option.
static RlStatus parse(Request *request, RlCliOption *table, const char *const *word) {
  RlCliOption rows[] = {{"out", .letter = 'o', .text = &request->out},
                        {"quiet", .letter = 'q', .flag = &request->quiet},
                        {"seed", .number = &request->seed, .lo = -3, .hi = 9},
                        {"set", .text = request->set, .count = &request->nset, .most = MOST},
                        {0}};
  static char text[16][32], *argv[16];
  int argc = 1, done = -1;
  strcpy(text[0], "rltrain");
  argv[0] = text[0];
  for (; word[argc - 1]; argc++) {
    snprintf(text[argc], sizeof text[argc], "%s", word[argc - 1]);
    argv[argc] = text[argc];
  }
  argv[argc] = NULL;
  RlStatus status = rl_cli_parse(argc, argv, "rltrain", "help\n", rows, &done);
  assert_int_equal(done, -1);
  if (table) memcpy(table, rows, sizeof rows);
  return status;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_numbers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t want;
    RlStatus status;
  } in[] = {
      {"7", 7, RL_OK},
      {"0", 0, RL_OK},
      {"9", 9, RL_OK},
      {"-3", -3, RL_OK},
      {"10", 0, RL_USAGE},
      {"-4", 0, RL_USAGE},
      {"", 0, RL_USAGE},
      {"x", 0, RL_USAGE},
      {"7x", 0, RL_USAGE},
      {" 7", 0, RL_USAGE},
      {"+7", 0, RL_USAGE},
      {"7.0", 0, RL_USAGE},
      {"9223372036854775808", 0, RL_USAGE},
  };
  for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
    Request request = {.seed = 1234};
    RlStatus status = parse(&request, NULL, WORDS("--seed", in[i].text));
    assert_int_equal(status, in[i].status);
    assert_int_equal(request.seed, status == RL_OK ? in[i].want : 1234);
  }
  Request request = {0};
  assert_int_equal(parse(&request, NULL, WORDS("--seed=x")), RL_USAGE);
  assert_string_equal(rl_error_text(), "--seed: found \"x\", expected a whole number from -3 to 9");
}

static void test_options(void **state) {
  (void)state;
  Request request = {0};
  RlCliOption table[5];
  assert_int_equal(parse(&request, table,
                         WORDS("word", "--quiet", "--set", "a=1", "--out", "runs/a", "--set=b")),
                   RL_OK);
  assert_true(request.quiet);
  assert_string_equal(request.out, "runs/a");
  assert_int_equal(request.nset, 2);
  assert_string_equal(request.set[0], "a=1");
  assert_string_equal(request.set[1], "b");
  assert_true(table[0].given && table[1].given && !table[2].given && table[3].given);
  // the word that is none of them stands behind
  assert_int_equal(optind, 7);

  request = (Request){0};
  assert_int_equal(parse(&request, NULL, WORDS("-qo", "runs/b")), RL_OK);
  assert_true(request.quiet);
  assert_string_equal(request.out, "runs/b");
  assert_int_equal(parse(&request, NULL, WORDS("-oruns/c")), RL_OK);
  assert_string_equal(request.out, "runs/c");
}

static void test_refused(void **state) {
  (void)state;
  const struct {
    const char *const *word;
    const char *line;
  } row[] = {
      {WORDS("--loud"), "--loud: unknown option, expected one that --help names"},
      {WORDS("-s"), "-s: unknown option, expected one that --help names"},
      {WORDS("--quiet=1"), "--quiet=1: found a value, expected none, see --help"},
      {WORDS("--out", ""), "--out: found \"\", expected a value"},
      {WORDS("--out="), "--out: found \"\", expected a value"},
      {WORDS("--out"), "--out: found no value, expected one, see --help"},
      {WORDS("--set=1", "--set=2", "--set=3"), "--set: found more than 2"},
  };
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    Request request = {0};
    rl_error_clear();
    assert_int_equal(parse(&request, NULL, row[i].word), RL_USAGE);
    assert_string_equal(rl_error_text(), row[i].line);
  }
}

// Every program has these, which end it.
static void test_told(void **state) {
  (void)state;
  static char program[] = "rltrain", word[][10] = {"--help", "-h", "--version"};
  for (int k = 0; k < 3; k++) {
    RlCliOption none[] = {{0}};
    char *argv[] = {program, word[k], NULL};
    int done = -1;
    assert_int_equal(rl_cli_parse(2, argv, "rltrain", "help\n", none, &done), RL_OK);
    assert_int_equal(done, 0);
  }
}

static void test_exit(void **state) {
  (void)state;
  assert_int_equal(rl_cli_exit(RL_OK), 0);
  assert_int_equal(rl_cli_exit(RL_FAIL), 1);
  assert_int_equal(rl_cli_exit(RL_USAGE), 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers), cmocka_unit_test(test_options),
      cmocka_unit_test(test_refused), cmocka_unit_test(test_told),
      cmocka_unit_test(test_exit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
