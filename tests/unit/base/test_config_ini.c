// Configuration files: what inih is fed, line by line, the line that each mistake is told in, and
// the files that come with rltrain.
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/base/config_bench.h"

static void test_file(void **state) {
  (void)state;
  expect_ok(
      parse("\xef\xbb\xbf; a comment\r\n[run]\r\nseed = 7 ; why\r\n\r\n# other\r\n"
            "[ppo] ; section\ngamma=0.5\nclip_range : 0.3\n  ; indented comment\n[run]\n"
            "threads = 2"));
  assert_int_equal(config.run.seed, 7);
  assert_int_equal(config.run.threads, 2);
  assert_true(config.ppo.gamma == 0.5);
  assert_true(config.ppo.clip_range == 0.3);
  assert_true(rl_config_is_given(&config, "ppo.gamma"));
  assert_false(rl_config_is_given(&config, "ppo.gae_lambda"));
  expect_ok(parse(""));
}

static void test_unknown(void **state) {
  (void)state;
  refused("[ppo]\ngamma = 0.5\nclip_rang = 1\n",
          "x.ini:3: ppo.clip_rang: unknown key, expected one of the known keys, nearest is "
          "ppo.clip_range");
  refused("[run]\ngamma = 1\n",
          "x.ini:2: run.gamma: unknown key, expected one of the known keys, nearest is ppo.gamma");
  refused("seed = 1\n",
          "x.ini:1: seed: unknown key, expected one of the known keys, nearest is run.seed");
  // letters left out cost one each
  refused("[normalize]\ncp_obs = 1\n",
          "x.ini:2: normalize.cp_obs: unknown key, expected one of the known keys, nearest is "
          "normalize.clip_obs");
  refused("[pppo]\n",
          "x.ini:1: [pppo]: unknown section, expected one of the known sections, nearest is [ppo]");
  refused("[normalise]\nobs = true\n",
          "x.ini:1: [normalise]: unknown section, expected one of the known sections, nearest is "
          "[normalize]");
  // letter case is no edit, and a section written out is the one it begins with
  static const char *const section[][2] = {{"PPO", "ppo"},          {"Sac", "sac"},
                                           {"environment", "env"},  {"Environment", "env"},
                                           {"ppo_options", "ppo"},  {"policies", "policy"},
                                           {"normal", "normalize"}, {"en", "env"}};
  for (size_t i = 0; i < sizeof section / sizeof section[0]; i++) {
    char text[64], line[128];
    snprintf(text, sizeof text, "[%s]\n", section[i][0]);
    snprintf(line, sizeof line,
             "x.ini:1: [%s]: unknown section, expected one of the known sections, nearest is [%s]",
             section[i][0], section[i][1]);
    refused(text, line);
  }
  refused("[]\n",
          "x.ini:1: []: unknown section, expected one of the known sections, nearest is [run]");
  assert_int_equal(set("ppo.n_epoch", "3"), RL_USAGE);
  assert_string_equal(rl_error_text(),
                      "--set: ppo.n_epoch: unknown key, expected one of the known keys, nearest is "
                      "ppo.n_epochs");
}

// The line is told behind a name of any length that an error line has room for.
static void test_long_name(void **state) {
  (void)state;
  char name[601], line[1024];
  memset(name, 'a', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  const char *text = "[ppo]\ngamma = 2\n";
  rl_config_default(&config);
  assert_int_equal(rl_config_parse(&config, text, strlen(text), name), RL_USAGE);
  snprintf(line, sizeof line, "%s:2: ppo.gamma: found \"2\", expected a number in [0, 1]", name);
  assert_string_equal(rl_error_text(), line);
}

static void test_bad_lines(void **state) {
  (void)state;
  refused("[ppo]\ngamma = nan\n", "x.ini:2: ppo.gamma: found \"nan\", expected a number in [0, 1]");
  refused("[ppo]\ngamma = 0.9 x\n",
          "x.ini:2: ppo.gamma: found \"0.9 x\", expected a number in [0, 1]");
  refused("[ppo]\ngamma =\n", "x.ini:2: ppo.gamma: found \"\", expected a number in [0, 1]");
  refused("[ppo]\ngamma = 0.9\nn_steps = 5\ngamma = 0.9\n",
          "x.ini:4: ppo.gamma: found \"0.9\", expected the key once (first on line 2)");
  refused("[ppo]\ngamma = 0.9\n 0.8\n",
          "x.ini:3: found an indented line, expected key = value without blanks in front");
  refused("[ppo]\ngamma\n", "x.ini:2: found \"gamma\", expected key = value");
  refused("[ppo]\n= 3\n", "x.ini:2: found \"= 3\", expected key = value");
  refused("[ppo\ngamma = 0.9\n", "x.ini:1: found \"[ppo\", expected [section]");
  refused("[ppo] gamma = 0.9\n",
          "x.ini:1: found \"gamma = 0.9\" after [ppo], expected the end of the line");
  rl_config_default(&config);
  assert_int_equal(rl_config_parse(&config, "[ppo]\nga\0mma = 1\n", 18, "x.ini"), RL_USAGE);
  assert_string_equal(rl_error_text(), "x.ini:2: found a NUL byte, expected text");
}

static void test_long_lines(void **state) {
  (void)state;
  char text[512];
  // 199 bytes in a comment and in front of a value are read whole, 200 refused
  for (int length = 198; length <= 201; length++) {
    snprintf(text, sizeof text, "[ppo]\ngamma = %*s\r\nn_steps = 3\n", length - 8, "0.5");
    RlStatus status = parse(text);
    if (length <= 199) {
      expect_ok(status);
      assert_true(config.ppo.gamma == 0.5);
      assert_int_equal(config.ppo.n_steps, 3);
    } else {
      assert_int_equal(status, RL_USAGE);
      char line[128];
      snprintf(line, sizeof line, "x.ini:2: found a line of %d bytes, expected at most 199",
               length);
      assert_string_equal(rl_error_text(), line);
    }
  }
}

static void test_load(void **state) {
  (void)state;
  rl_config_default(&config);
  assert_int_equal(rl_config_load(&config, "nowhere.ini"), RL_USAGE);
  assert_string_equal(rl_error_text(),
                      "nowhere.ini: cannot open: No such file or directory, expected a "
                      "configuration file");
  assert_int_equal(rl_config_load(&config, "/"), RL_USAGE);
  assert_string_equal(rl_error_text(),
                      "/: cannot read: Is a directory, expected a configuration file");
  assert_int_equal(rl_config_load(&config, "/dev/zero"), RL_USAGE);
  char path[] = "/tmp/test_config_XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, "[run]\nseed = 12\n", 16), 16);
  close(fd);
  RlStatus status = rl_config_load(&config, path);
  unlink(path);
  expect_ok(status);
  assert_int_equal(config.run.seed, 12);
}

// One file a task and algorithm, each complete by itself.
static void test_shipped(void **state) {
  (void)state;
  static const char *const task[][2] = {{"ant", "Ant-v5"},
                                        {"half_cheetah", "HalfCheetah-v5"},
                                        {"hopper", "Hopper-v5"},
                                        {"humanoid", "Humanoid-v5"},
                                        {"humanoid_standup", "HumanoidStandup-v5"},
                                        {"inverted_double_pendulum", "InvertedDoublePendulum-v5"},
                                        {"inverted_pendulum", "InvertedPendulum-v5"},
                                        {"pusher", "Pusher-v5"},
                                        {"reacher", "Reacher-v5"},
                                        {"swimmer", "Swimmer-v5"},
                                        {"walker2d", "Walker2d-v5"}};
  static const char *const suffix[] = {"", "_sac"};
  for (size_t i = 0; i < sizeof task / sizeof task[0]; i++) {
    for (int algorithm = RL_ALGO_PPO; algorithm <= RL_ALGO_SAC; algorithm++) {
      char path[128];
      snprintf(path, sizeof path, "configs/%s%s.ini", task[i][0], suffix[algorithm]);
      rl_config_default(&config);
      expect_ok(rl_config_load(&config, path));
      expect_ok(rl_config_validate(&config, path));
      assert_int_equal(config.run.algorithm, algorithm);
      assert_true(rl_config_is_given(&config, "env.id"));
      assert_string_equal(config.env.id.text, task[i][1]);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_file),      cmocka_unit_test(test_unknown),
      cmocka_unit_test(test_bad_lines), cmocka_unit_test(test_long_lines),
      cmocka_unit_test(test_long_name), cmocka_unit_test(test_load),
      cmocka_unit_test(test_shipped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
