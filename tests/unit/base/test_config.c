// The configuration: every default, bound and choice, the round trip through a dump, the checks
// that span keys, and docs/configuration.md (RL_UPDATE=1 in the environment writes that page anew).
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/base/config_bench.h"

static void test_defaults(void **state) {
  (void)state;
  memset(&config, 0xff, sizeof config);
  rl_config_default(&config);
  assert_int_equal(config.run.algorithm, RL_ALGO_PPO);
  assert_true(config.ppo.clip_range == 0.2);
  assert_true(config.ppo.bootstrap_truncated);
  assert_true(config.policy.hidden.n > 0);
  assert_memory_equal(&config.policy.hidden_actor, &config.policy.hidden, sizeof(RlDims));
  assert_memory_equal(&config.policy.hidden_critic, &config.policy.hidden, sizeof(RlDims));
  assert_int_equal(config.env.frame_skip, 0);
  assert_int_equal(config.env.max_episode_steps, 0);
  for (int i = 0; i < RL_MAX_OPTIONS; i++) {
    assert_int_equal(config.given[i], 0);
    assert_int_equal(config.place[i], RL_PLACE_UNKNOWN);
  }
  expect_ok(rl_config_validate(&config, "x"));
}

// Every row: its default is its own text's value, names are apart, the help is there.
static void test_table(void **state) {
  (void)state;
  int count = 0;
  const RlOption *option = rl_config_options(&count);
  assert_true(count > 60 && count <= RL_MAX_OPTIONS);
  for (int row = 0; row < count; row++) {
    char key[128];
    snprintf(key, sizeof key, "%s.%s", option[row].section, option[row].name);
    assert_int_equal(rl_config_find(key), row);
    assert_true(option[row].help[0] != '\0');
    // a line "name = longest value" stays within inih's 200 bytes
    assert_true(strlen(option[row].name) <= 49);
    rl_config_default(&config);
    expect_ok(set(key, option[row].def));
    bool word = strcmp(option[row].def, "task") == 0 || strcmp(option[row].def, "hidden") == 0;
    assert_int_equal(rl_config_is_given(&config, key), !word);
  }
  assert_int_equal(rl_config_find("ppo.gam"), -1);
  assert_int_equal(rl_config_find("ppo.gammaa"), -1);
  assert_int_equal(rl_config_find("pp.gamma"), -1);
  assert_int_equal(rl_config_find("ppo"), -1);
  assert_int_equal(rl_config_find(""), -1);
}

// Reads one end of the table's bounds, inf included.
static double bound_end(const char *text) {
  return strtod(text, NULL);
}

// Sets key to value printed in full, and says whether it was taken.
static bool takes(const char *key, RlKind type, double value) {
  char text[64];
  bool whole = type == RL_KIND_INT || type == RL_KIND_I64 || type == RL_KIND_DIMS;
  snprintf(text, sizeof text, whole ? "%.0f" : "%.17g", value);
  if (type == RL_KIND_RANGE) snprintf(text, sizeof text, "%.17g, %.17g", value, value);
  rl_config_default(&config);
  return set(key, text) == RL_OK;
}

// Both ends of every interval: the end itself (unless open), the nearest value inside and outside.
static void test_bounds(void **state) {
  (void)state;
  int count = 0, checked = 0;
  const RlOption *option = rl_config_options(&count);
  for (int row = 0; row < count; row++) {
    const char *bounds = option[row].bounds;
    if (bounds[0] != '[' && bounds[0] != '(') continue;
    char key[128];
    snprintf(key, sizeof key, "%s.%s", option[row].section, option[row].name);
    RlKind type = option[row].type;
    bool whole = type == RL_KIND_INT || type == RL_KIND_I64 || type == RL_KIND_DIMS;
    double lo = bound_end(bounds + 1), hi = bound_end(strchr(bounds, ',') + 1);
    assert_true(lo < hi);
    double below = whole ? lo - 1 : nextafter(lo, -INFINITY);
    double above = whole ? hi + 2 : nextafter(hi, INFINITY);
    double past_lo = whole ? lo + 1 : nextafter(lo, INFINITY);
    double past_hi = whole ? hi - 1 : nextafter(hi, -INFINITY);
    assert_int_equal(takes(key, type, lo), bounds[0] == '[');
    assert_int_equal(takes(key, type, hi), bounds[strlen(bounds) - 1] == ']');
    assert_true(takes(key, type, past_lo));
    assert_true(takes(key, type, past_hi));
    if (isfinite(lo)) assert_false(takes(key, type, below));
    if (isfinite(hi)) assert_false(takes(key, type, above));
    checked++;
  }
  assert_true(checked > 60);
}

// The order of the words in the table is the order of the constants in the header.
static void test_choices(void **state) {
  (void)state;
  static const struct {
    const char *key, *word;
    int value;
  } row[] = {
      {"run.algorithm", "ppo", RL_ALGO_PPO},
      {"run.algorithm", "sac", RL_ALGO_SAC},
      {"policy.activation", "tanh", RL_ACTIVATION_TANH},
      {"policy.activation", "relu", RL_ACTIVATION_RELU},
      {"policy.init", "orthogonal", RL_INIT_ORTHOGONAL},
      {"policy.init", "uniform", RL_INIT_UNIFORM},
      {"normalize.reward", "off", RL_REWARD_OFF},
      {"normalize.reward", "batch", RL_REWARD_BATCH},
      {"normalize.reward", "running", RL_REWARD_RUNNING},
      {"ppo.learning_rate_schedule", "constant", RL_SCHEDULE_CONSTANT},
      {"ppo.learning_rate_schedule", "linear", RL_SCHEDULE_LINEAR},
      {"ppo.clip_range_schedule", "constant", RL_SCHEDULE_CONSTANT},
      {"ppo.clip_range_schedule", "linear", RL_SCHEDULE_LINEAR},
      {"ppo.normalize_advantage", "off", RL_ADVANTAGE_OFF},
      {"ppo.normalize_advantage", "minibatch", RL_ADVANTAGE_MINIBATCH},
      {"ppo.normalize_advantage", "batch", RL_ADVANTAGE_BATCH},
      {"ppo.ratio", "joint", RL_RATIO_JOINT},
      {"ppo.ratio", "per_dimension", RL_RATIO_PER_DIMENSION},
      {"ppo.grad_norm", "per_network", RL_GRAD_NORM_PER_NETWORK},
      {"ppo.grad_norm", "joint", RL_GRAD_NORM_JOINT},
      {"sac.log_std_bound", "clamp", RL_BOUND_CLAMP},
      {"sac.log_std_bound", "tanh", RL_BOUND_TANH},
      {"sac.log_prob", "sum", RL_REDUCE_SUM},
      {"sac.log_prob", "mean", RL_REDUCE_MEAN},
      {"sac.tanh_correction", "sum", RL_REDUCE_SUM},
      {"sac.tanh_correction", "mean", RL_REDUCE_MEAN},
      {"sac.tanh_correction", "off", RL_REDUCE_OFF},
  };
  int count = 0, choices = 0;
  const RlOption *option = rl_config_options(&count);
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
    rl_config_default(&config);
    expect_ok(set(row[i].key, row[i].word));
    int index = rl_config_find(row[i].key);
    assert_int_equal(*(int *)((char *)&config + option[index].offset), row[i].value);
  }
  // a choice added to the table belongs in the list above
  for (int i = 0; i < count; i++) {
    if (option[i].type != RL_KIND_ENUM) continue;
    choices++;
    for (const char *c = option[i].bounds; *c != '\0'; c++) choices += *c == '|';
  }
  assert_int_equal(choices, sizeof row / sizeof row[0]);
  set_refused("run.algorithm", "PPO", "one of ppo|sac");
  set_refused("sac.log_prob", "off", "one of sum|mean");
  set_refused("run.algorithm", "pp", "one of ppo|sac");
  set_refused("run.algorithm", "ppo|sac", "one of ppo|sac");
  set_refused("run.algorithm", "", "one of ppo|sac");
}

static void test_numbers(void **state) {
  (void)state;
  const char *gamma = "a number in [0, 1]", *steps = "a whole number in [1, 1e7]";
  rl_config_default(&config);
  static const struct {
    const char *text;
    double value;
  } good[] = {{"0.5", 0.5},  {"+1", 1},       {".25", 0.25}, {"1e-3", 1e-3},
              {"5E-1", 0.5}, {" 0.5\t", 0.5}, {"0", 0}};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    expect_ok(set("ppo.gamma", good[i].text));
    assert_true(config.ppo.gamma == good[i].value);
  }
  static const char *const bad[] = {
      "nan", "NaN", "-nan", "inf",   "1e999", "1e-999", "",    "0.5x",  "0.5 1",  "0x1p-1",  "0,5",
      "--1", "e5",  ".",    "0.5.5", "1e",    "+",      "1.5", "-1e-9", "nan(1)", "infinity"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) set_refused("ppo.gamma", bad[i], gamma);
  expect_ok(set("ppo.n_steps", "1e6"));
  assert_int_equal(config.ppo.n_steps, 1000000);
  expect_ok(set("ppo.n_steps", "2.5e1"));
  assert_int_equal(config.ppo.n_steps, 25);
  static const char *const not_whole[] = {
      "0.5",   "2.5e0", "1e-1", "99999999999999999999", "1e30", "12a", "-5", "0", "nan", "inf",
      "1e999", "",      "0x10"};
  for (size_t i = 0; i < sizeof not_whole / sizeof not_whole[0]; i++) {
    set_refused("ppo.n_steps", not_whole[i], steps);
  }
  // beyond 2^53 a shape with an exponent could not be told from its neighbours
  expect_ok(set("run.seed", "9007199254740991"));
  assert_true(config.run.seed == 9007199254740991);
  set_refused("run.seed", "9007199254740993", "a whole number in [0, 9007199254740992]");
  set_refused("run.seed", "99999999999999999999", "a whole number in [0, 9007199254740992]");
  expect_ok(set("normalize.clip_obs", "inf"));
  assert_true(isinf(config.normalize.clip_obs));
}

static void test_other_kinds(void **state) {
  (void)state;
  rl_config_default(&config);
  expect_ok(set("policy.hidden", "256, 128 ,64"));
  assert_int_equal(config.policy.hidden.n, 3);
  assert_int_equal(config.policy.hidden.dim[1], 128);
  expect_ok(set("policy.hidden", "none"));
  assert_int_equal(config.policy.hidden.n, 0);
  const char *dims = "1 to 8 comma-separated layer widths in [1, 4096], or none";
  static const char *const bad_dims[] = {
      "", "64,", ",64", "64,,64", "0", "5000", "1,2,3,4,5,6,7,8,9", "64 64", "none,64", "64;64"};
  for (size_t i = 0; i < sizeof bad_dims / sizeof bad_dims[0]; i++) {
    set_refused("policy.hidden", bad_dims[i], dims);
  }
  expect_ok(set("env.healthy_z_range", "0.2, inf"));
  assert_true(config.env.healthy_z_range.lo == 0.2 && isinf(config.env.healthy_z_range.hi));
  const char *range = "two numbers lo, hi in [-inf, inf] with lo <= hi";
  static const char *const bad_range[] = {"1", "2, 1", "1, 2, 3", "nan, 1", "1, nan", ",", ""};
  for (size_t i = 0; i < sizeof bad_range / sizeof bad_range[0]; i++) {
    set_refused("env.healthy_z_range", bad_range[i], range);
  }
  expect_ok(set("sac.ent_coef", "0.2"));
  assert_true(!config.sac.ent_coef.is_auto && config.sac.ent_coef.value == 0.2);
  expect_ok(set("sac.ent_coef", "auto"));
  assert_true(config.sac.ent_coef.is_auto);
  static const char *const bad_auto[] = {"", "Auto", "auto_0.1", "auto 1", "-1", "nan", "inf"};
  for (size_t i = 0; i < sizeof bad_auto / sizeof bad_auto[0]; i++) {
    set_refused("sac.ent_coef", bad_auto[i], "auto or a number in [0, 1000]");
  }
  set_refused("ppo.shuffle", "yes", "true or false");
  set_refused("ppo.shuffle", "True", "true or false");
  set_refused("ppo.shuffle", "1", "true or false");
  const char *text = "1 to 127 bytes without control characters or ';'";
  set_refused("env.id", "", text);
  set_refused("env.id", "a;b", text);
  char text128[129];
  memset(text128, 'a', 128);
  text128[128] = '\0';
  set_refused("env.id", text128, text);
  expect_ok(set("env.id", text128 + 1));
  assert_int_equal(set("env.id", "a\nb"), RL_USAGE);
}

static void test_placeholders(void **state) {
  (void)state;
  rl_config_default(&config);
  // hidden is followed in whatever order the keys come
  expect_ok(set("policy.hidden_critic", "300"));
  expect_ok(set("policy.hidden", "32"));
  assert_int_equal(config.policy.hidden_actor.n, 1);
  assert_int_equal(config.policy.hidden_actor.dim[0], 32);
  assert_int_equal(config.policy.hidden_critic.dim[0], 300);
  expect_ok(set("policy.hidden_critic", "hidden"));
  assert_int_equal(config.policy.hidden_critic.dim[0], 32);
  assert_false(rl_config_is_given(&config, "policy.hidden_critic"));
  expect_ok(set("policy.hidden_actor", "none"));
  assert_int_equal(config.policy.hidden_actor.n, 0);
  // a task's own default yields to what was given, and fills in what was not
  expect_ok(set("env.frame_skip", "7"));
  expect_ok(rl_config_default_key(&config, "env.frame_skip", "5"));
  expect_ok(rl_config_default_key(&config, "env.healthy_reward", "2"));
  assert_int_equal(config.env.frame_skip, 7);
  assert_true(config.env.healthy_reward == 2);
  assert_true(rl_config_is_given(&config, "env.healthy_reward"));
  expect_ok(set("env.frame_skip", "task"));
  assert_false(rl_config_is_given(&config, "env.frame_skip"));
  assert_int_equal(config.env.frame_skip, 0);
  set_refused("ppo.n_steps", "task", "a whole number in [1, 1e7]");
  assert_int_equal(rl_config_default_key(&config, "env.nothing", "2"), RL_USAGE);
}

// Dump, parse, dump gives the same text, for odd values of every kind too.
static void test_round_trip(void **state) {
  (void)state;
  static char first[DUMP_SIZE], second[DUMP_SIZE];
  static const char *const algorithm[] = {"ppo", "sac"};
  for (int i = 0; i < 2; i++) {
    rl_config_default(&config);
    expect_ok(set("run.algorithm", algorithm[i]));
    expect_ok(set("run.seed", "9007199254740991"));
    expect_ok(set("env.id", "a # \"b\" = c"));
    expect_ok(set("env.healthy_reward", "0.1"));
    expect_ok(set("env.ctrl_cost_weight", "4.9e-324"));
    expect_ok(set("env.reset_noise_scale", "0.30000000000000004"));
    expect_ok(set("env.contact_cost_range", "-inf, 10"));
    expect_ok(set("env.terminate_when_unhealthy", "false"));
    expect_ok(set("policy.hidden", "256,3"));
    expect_ok(set("policy.hidden_critic", "none"));
    expect_ok(set("normalize.clip_obs", "inf"));
    RlConfig before = config;
    dump(first, RL_DUMP_INI);
    expect_ok(parse(first));
    dump(second, RL_DUMP_INI);
    assert_string_equal(first, second);
    assert_memory_equal(&before.env.reset_noise_scale, &config.env.reset_noise_scale, 8);
    assert_true(config.env.ctrl_cost_weight > 0);
    assert_string_equal(before.env.id.text, config.env.id.text);
    assert_memory_equal(&before.policy, &config.policy, sizeof config.policy);
    assert_memory_equal(&before.normalize, &config.normalize, sizeof config.normalize);
    assert_memory_equal(&before.ppo, &config.ppo, sizeof config.ppo);
    expect_ok(rl_config_validate(&config, "x"));
    // what is read from a dump goes on following policy.hidden
    expect_ok(set("policy.hidden", "5"));
    assert_int_equal(config.policy.hidden_actor.dim[0], 5);
    assert_int_equal(config.policy.hidden_critic.n, 0);
  }
}

static void test_dump(void **state) {
  (void)state;
  static char text[DUMP_SIZE];
  expect_ok(parse("[run]\nthreads = 3\n[ppo]\nn_steps = 16\n[normalize]\nclip_obs = 1e1\n"));
  dump(text, RL_DUMP_INI);
  assert_non_null(strstr(text, "[run]\nalgorithm = ppo\n"));
  assert_non_null(strstr(text, "\nthreads = 3\n"));
  assert_non_null(strstr(text, "\n\n[ppo]\nn_steps = 16\n"));
  assert_non_null(strstr(text, "\nclip_obs = 10\n"));
  assert_null(strstr(text, "[sac]"));
  assert_null(strstr(text, "frame_skip"));
  dump(text, RL_DUMP_RESUME);
  assert_null(strstr(text, "threads"));
  assert_null(strstr(text, "log_every"));
  assert_null(strstr(text, "tensorboard"));
  assert_non_null(strstr(text, "\nseed = "));
  assert_non_null(strstr(text, "\ncheckpoint_every = "));
  assert_non_null(strstr(text, "\neval_every = "));
  // what is saved, and evaluated, changes nothing of a policy
  dump(text, RL_DUMP_POLICY);
  assert_null(strstr(text, "threads"));
  assert_null(strstr(text, "checkpoint_every"));
  assert_null(strstr(text, "eval_e"));
  assert_non_null(strstr(text, "\ntotal_steps = "));
  // a buffer too small is told, filled and closed
  size_t full = rl_config_dump(&config, RL_DUMP_RESUME, text, DUMP_SIZE);
  char small[32];
  memset(small, 'x', sizeof small);
  assert_int_equal(rl_config_dump(&config, RL_DUMP_RESUME, small, 16), full);
  assert_int_equal(strlen(small), 15);
  assert_int_equal(small[16], 'x');
  assert_memory_equal(small, text, 15);
  assert_int_equal(rl_config_dump(&config, RL_DUMP_RESUME, NULL, 0), full);
}

static void test_validate(void **state) {
  (void)state;
  validates("[env]\nn_envs = 8\n[ppo]\nn_steps = 16\nbatch_size = 128\n", "");
  validates(
      "[env]\nn_envs = 8\n[ppo]\nn_steps = 16\nbatch_size = 129\n",
      "x.ini:5: ppo.batch_size: found \"129\", expected at most n_steps x env.n_envs = 16 x 8 "
      "= 128");
  validates(
      "[env]\nn_envs = 65536\n[ppo]\nn_steps = 1e6\n",
      "x.ini:4: ppo.n_steps: found \"1000000\", expected at most 2147483647 rows of n_steps x "
      "env.n_envs = 1000000 x 65536");
  validates("[policy]\nlog_std_min = 2\nlog_std_max = 2\n",
            "x.ini:2: policy.log_std_min: found \"2\", expected less than policy.log_std_max = 2");
  validates(
      "[policy]\nlog_std_min = -0.4\nlog_std_max = 2\nlog_std_init = -0.5\n",
      "x.ini:4: policy.log_std_init: found \"-0.5\", expected a number in [policy.log_std_min, "
      "policy.log_std_max] = [-0.4, 2]");
}

static void crossed(const char *line) {
  assert_int_equal(rl_config_validate(&config, "x.ini"), RL_USAGE);
  assert_string_equal(rl_error_text(), line);
}

// A refusal after reading names the place that gave the key its value last, where it is known.
static void test_place(void **state) {
  (void)state;
  // a default is in no line, whichever line it is at odds with
  validates(
      "[env]\nn_envs = 1\n[ppo]\nn_steps = 8\n",
      "x.ini: ppo.batch_size: found \"64\", expected at most n_steps x env.n_envs = 8 x 1 = 8");
  validates("\xef\xbb\xbf; a mark\r\n\r\n[policy]\r\n# why\r\nlog_std_min = 3 ; what\r\n",
            "x.ini:5: policy.log_std_min: found \"3\", expected less than policy.log_std_max = 2");
  // --set wins over the file
  config.place[rl_config_find("policy.log_std_min")] = RL_PLACE_SET;
  crossed("--set: policy.log_std_min: found \"3\", expected less than policy.log_std_max = 2");
  // what is set anew is no longer where it was
  expect_ok(rl_config_set(&config, "policy.log_std_min", "4", "elsewhere"));
  crossed("x.ini: policy.log_std_min: found \"4\", expected less than policy.log_std_max = 2");
  char text[RL_ORIGIN_SIZE], name[2 * RL_ORIGIN_SIZE];
  expect_ok(parse("[env]\nframe_skip = 3\n"));
  assert_string_equal(rl_config_locate(&config, "env.frame_skip", "x.ini", text), "x.ini:2");
  assert_string_equal(rl_config_locate(&config, "env.n_envs", "x.ini", text), "x.ini");
  expect_ok(rl_config_set(&config, "env.frame_skip", "task", "elsewhere"));
  assert_string_equal(rl_config_locate(&config, "env.frame_skip", "x.ini", text), "x.ini");
  // a file of any name
  memset(name, 'a', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  config.place[rl_config_find("env.frame_skip")] = 2;
  assert_int_equal(strlen(rl_config_locate(&config, "env.frame_skip", name, text)),
                   RL_ORIGIN_SIZE - 1);
}

// Switches to a locale with a decimal comma, made in folder where the system has none.
static bool comma_locale(char *folder) {
  if (mkdtemp(folder) == NULL) return false;
  char command[256];
  snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/xx >/dev/null 2>&1", folder);
  if (system(command) == -1) return false;
  setenv("LOCPATH", folder, 1);
  bool found = setlocale(LC_ALL, "xx") != NULL;
  unsetenv("LOCPATH");
  return found || setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
}

// Numbers are read and written with a point wherever the program runs.
static void test_locale(void **state) {
  (void)state;
  static char text[DUMP_SIZE];
  char folder[] = "/tmp/test_config_XXXXXX", command[128], number[16];
  bool found = comma_locale(folder);
  snprintf(command, sizeof command, "rm -r %s", folder);
  snprintf(number, sizeof number, "%.1f", 0.5);
  RlStatus status = parse("[ppo]\ngamma = 0.25\n");
  dump(text, RL_DUMP_INI);
  setlocale(LC_ALL, "C");
  if (system(command) != 0) print_message("%s is left behind\n", folder);
  expect_ok(status);
  assert_true(config.ppo.gamma == 0.25);
  assert_non_null(strstr(text, "\ngamma = 0.25\n"));
  if (!found) {
    print_message("no locale with a decimal comma can be had\n");
    skip();
  }
  assert_string_equal(number, "0,5");
}

static void test_docs(void **state) {
  (void)state;
  static char page[DUMP_SIZE], file_text[DUMP_SIZE];
  const char *path = "docs/configuration.md";
  size_t length = rl_config_dump_docs(page, sizeof page);
  assert_true(length < sizeof page);
  const char *update = getenv("RL_UPDATE");
  if (update != NULL && strcmp(update, "1") == 0) {
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(page, 1, length, out), length);
    assert_int_equal(fclose(out), 0);
  }
  FILE *file = fopen(path, "r");
  if (file == NULL) fail_msg("%s is missing (run at the top of the tree, RL_UPDATE=1)", path);
  size_t size = fread(file_text, 1, sizeof file_text - 1, file);
  fclose(file);
  file_text[size] = '\0';
  if (strcmp(page, file_text) != 0) {
    fail_msg("%s does not match the table: run this test with RL_UPDATE=1 to write it anew", path);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_defaults),     cmocka_unit_test(test_table),
      cmocka_unit_test(test_bounds),       cmocka_unit_test(test_choices),
      cmocka_unit_test(test_numbers),      cmocka_unit_test(test_other_kinds),
      cmocka_unit_test(test_placeholders), cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_dump),         cmocka_unit_test(test_validate),
      cmocka_unit_test(test_place),        cmocka_unit_test(test_locale),
      cmocka_unit_test(test_docs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
