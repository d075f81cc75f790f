// Configuration files that somebody made to be awkward: bytes that are no text, lines and files of
// any length, numbers that are none, keys and sections given twice. Each is refused with the line
// stated here, or means what is stated here.
#include <stdlib.h>
#include <unistd.h>

#include "rl/base/config_value.h"
#include "tests/unit/base/config_bench.h"

// The bytes, NUL among them, are refused with this line.
static void refused_bytes(const char *bytes, size_t size, const char *line) {
  rl_config_default(&config);
  assert_int_equal(rl_config_parse(&config, bytes, size, "x.ini"), RL_USAGE);
  assert_string_equal(rl_error_text(), line);
}

#define REFUSED_BYTES(bytes, line) refused_bytes((bytes), sizeof(bytes) - 1, (line))

static void test_bytes(void **state) {
  (void)state;
  const char *nul = "x.ini:2: found a NUL byte, expected text";
  REFUSED_BYTES("[ppo]\ngamma = 0.9\0\n", nul);
  REFUSED_BYTES("[ppo]\n; a comment\0", nul);
  REFUSED_BYTES("[ppo]\n\0", nul);
  REFUSED_BYTES("\0", "x.ini:1: found a NUL byte, expected text");
  // control characters come out as '?': the line stays one line and moves no cursor
  refused("[ppo]\ngamma = 0.\x1b[2J9\n",
          "x.ini:2: ppo.gamma: found \"0.?[2J9\", expected a number in [0, 1]");
  refused("[ppo]\ngamma = 0.9\r0.8\n",
          "x.ini:2: ppo.gamma: found \"0.9?0.8\", expected a number in [0, 1]");
  refused("[\xff\xfe]\n",
          "x.ini:1: [\xff\xfe]: unknown section, expected one of the known sections, nearest is "
          "[run]");
}

static void test_mark_and_line_ends(void **state) {
  (void)state;
  expect_ok(parse("\xef\xbb\xbf[ppo]\r\ngamma = 0.5\r\nn_steps = 3"));
  assert_true(config.ppo.gamma == 0.5);
  assert_int_equal(config.ppo.n_steps, 3);
  expect_ok(parse("\xef\xbb\xbf"));
  // a mark is one only at the very front
  refused("\xef\xbb\xbf\xef\xbb\xbf[ppo]\n",
          "x.ini:1: found \"\xef\xbb\xbf[ppo]\", expected key = value");
  refused("[ppo]\n\xef\xbb\xbfgamma = 0.5\n",
          "x.ini:2: ppo.\xef\xbb\xbfgamma: unknown key, expected one of the known keys, nearest is "
          "ppo.gamma");
  // a carriage return alone ends no line
  refused("[ppo]\rgamma = 0.5\r",
          "x.ini:1: found \"?gamma = 0.5\" after [ppo], expected the end of the line");
}

static void test_lengths(void **state) {
  (void)state;
  enum { MEGABYTE = 1 << 20 };
  char *text = malloc(MEGABYTE + 64), line[128];
  assert_non_null(text);
  // one line, of a value, a key, a section or a comment
  static const char *const start[] = {"gamma = ", "g", "[p", ";"};
  for (int i = 0; i < 4; i++) {
    memset(text, 'm', MEGABYTE);
    memcpy(text, "[ppo]\n", 6);
    memcpy(text + 6, start[i], strlen(start[i]));
    snprintf(line, sizeof line, "x.ini:2: found a line of %d bytes, expected at most 199",
             MEGABYTE - 6);
    refused_bytes(text, MEGABYTE, line);
  }
  // as many empty lines
  memset(text, '\n', MEGABYTE);
  rl_config_default(&config);
  expect_ok(rl_config_parse(&config, text, MEGABYTE, "x.ini"));
  free(text);
}

// one byte more than a megabyte is not read at all
static void test_file_length(void **state) {
  (void)state;
  enum { MOST = 1 << 20 };
  char path[] = "/tmp/test_config_XXXXXX", line[128];
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  char *text = malloc(MOST + 1);
  assert_non_null(text);
  memset(text, '\n', MOST + 1);
  assert_int_equal(write(fd, text, MOST), MOST);
  rl_config_default(&config);
  RlStatus whole = rl_config_load(&config, path);
  assert_int_equal(write(fd, text, 1), 1);
  RlStatus longer = rl_config_load(&config, path);
  close(fd);
  unlink(path);
  free(text);
  assert_int_equal(whole, RL_OK);
  assert_int_equal(longer, RL_USAGE);
  snprintf(line, sizeof line, "%s: found more than 1 MiB, expected a configuration file", path);
  assert_string_equal(rl_error_text(), line);
}

static void test_twice(void **state) {
  (void)state;
  // a section may be taken up again, a key of it may not
  expect_ok(parse("[ppo]\ngamma = 0.5\n[run]\nseed = 2\n[ppo]\nn_steps = 4\n"));
  assert_true(config.ppo.gamma == 0.5);
  assert_int_equal(config.ppo.n_steps, 4);
  refused("[ppo]\ngamma = 0.5\n[run]\nseed = 2\n[ppo]\ngamma = 0.6\n",
          "x.ini:6: ppo.gamma: found \"0.6\", expected the key once (first on line 2)");
  // not even as the placeholder, which leaves no trace in the values
  refused("[env]\nframe_skip = task\nframe_skip = 3\n",
          "x.ini:3: env.frame_skip: found \"3\", expected the key once (first on line 2)");
}

static void test_numbers(void **state) {
  (void)state;
  // in [0, inf]: what is refused is refused for being no number, not for being out of bounds
  static const char *const none[] = {"nan",  "-nan",  "NAN",      "nan(0x1)", "1e999", "-1e999",
                                     "0x10", "0x1p4", "infinity", "INF",      "1,5",   "1_000",
                                     "1e",   "١",     "1.0f",     "1d0",      "1e-999"};
  char text[512], line[512];
  for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
    snprintf(text, sizeof text, "[normalize]\nclip_obs = %s\n", none[i]);
    snprintf(line, sizeof line,
             "x.ini:2: normalize.clip_obs: found \"%s\", expected a number in (0, inf]", none[i]);
    refused(text, line);
  }
  expect_ok(parse("[normalize]\nclip_obs = inf\n"));
  // a value is read to its end, or refused when it is longer than any need be
  for (int digits = RL_VALUE_MAX - 2; digits <= RL_VALUE_MAX; digits++) {
    char number[256];
    snprintf(number, sizeof number, "1.%0*d", digits - 4, 0);
    strcat(number, "e1");
    snprintf(text, sizeof text, "[normalize]\nclip_obs = %s\n", number);
    if (digits < RL_VALUE_MAX) {
      expect_ok(parse(text));
      assert_true(config.normalize.clip_obs == 10);
      continue;
    }
    snprintf(line, sizeof line,
             "x.ini:2: normalize.clip_obs: found \"%s\", expected a number in (0, inf]", number);
    refused(text, line);
  }
  static const char *const no_int[] = {"nan", "inf", "1e999", "0x10", "9223372036854775808",
                                       "1.5", "1e",  "-1"};
  for (size_t i = 0; i < sizeof no_int / sizeof no_int[0]; i++) {
    snprintf(text, sizeof text, "[ppo]\nn_steps = %s\n", no_int[i]);
    snprintf(line, sizeof line,
             "x.ini:2: ppo.n_steps: found \"%s\", expected a whole number in [1, 1e7]", no_int[i]);
    refused(text, line);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bytes),   cmocka_unit_test(test_mark_and_line_ends),
      cmocka_unit_test(test_lengths), cmocka_unit_test(test_file_length),
      cmocka_unit_test(test_twice),   cmocka_unit_test(test_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
