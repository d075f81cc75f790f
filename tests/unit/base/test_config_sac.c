// The configuration of SAC: its own defaults in the shared sections, keys that one algorithm alone
// reads, the checks that span keys, and what a dump of it holds.
#include <math.h>

#include "tests/unit/base/config_bench.h"

static const char sac_ini[] = "[run]\nalgorithm = sac\n";

// Keys of the shared sections that SAC does not read, said here once more.
static const char *const ppo_only[] = {"policy.log_std_init", "normalize.clip_reward",
                                       "normalize.warmup_steps", "normalize.freeze"};

static bool is_shared_ppo_key(const char *key) {
  for (size_t i = 0; i < sizeof ppo_only / sizeof ppo_only[0]; i++) {
    if (strcmp(key, ppo_only[i]) == 0) return true;
  }
  return false;
}

static void key_of(char *key, size_t size, const RlOption *option) {
  snprintf(key, size, "%s.%s", option->section, option->name);
}

static bool is_task_key(const RlOption *option) {
  return strcmp(option->def, "task") == 0;
}

static bool is_dims(const RlDims *dims, int n, int width) {
  return dims->n == n && dims->dim[0] == width && dims->dim[n - 1] == width;
}

static void expect_sac_defaults(void) {
  assert_int_equal(config.env.n_envs, 1);
  assert_true(is_dims(&config.policy.hidden, 2, 256));
  assert_true(is_dims(&config.policy.hidden_actor, 2, 256));
  assert_true(is_dims(&config.policy.hidden_critic, 2, 256));
  assert_int_equal(config.policy.activation, RL_ACTIVATION_RELU);
  assert_int_equal(config.policy.init, RL_INIT_UNIFORM);
  assert_true(config.policy.actor_gain == 1);
  assert_false(config.normalize.obs);
  assert_int_equal(config.normalize.reward, RL_REWARD_OFF);
}

// run.algorithm alone gives SAC's defaults, and takes them back.
static void test_defaults(void **state) {
  (void)state;
  static char ppo[DUMP_SIZE], text[DUMP_SIZE];
  rl_config_default(&config);
  dump(ppo, RL_DUMP_INI);
  expect_ok(set("run.algorithm", "sac"));
  expect_sac_defaults();
  expect_ok(rl_config_validate(&config, "x"));
  assert_true(config.sac.learning_rate == 1e-3);
  assert_int_equal(config.sac.buffer_size, 1000000);
  assert_int_equal(config.sac.learning_starts, 10000);
  assert_int_equal(config.sac.batch_size, 256);
  assert_true(config.sac.tau == 0.005 && config.sac.gamma == 0.99);
  assert_true(config.sac.ent_coef.is_auto && config.sac.target_entropy.is_auto);
  assert_true(isinf(config.sac.max_grad_norm));
  // a default is not given, whoever's it is
  assert_false(rl_config_is_given(&config, "policy.hidden"));
  expect_ok(set("run.algorithm", "ppo"));
  dump(text, RL_DUMP_INI);
  assert_string_equal(text, ppo);
  expect_ok(parse(sac_ini));
  expect_sac_defaults();
}

// What is given holds, whether it comes before the algorithm or after.
static void test_given(void **state) {
  (void)state;
  static const char keys[] =
      "[env]\nn_envs = 40\n[policy]\nhidden = 64,64\nactivation = tanh\n"
      "[normalize]\nobs = true\n";
  for (int first = 0; first < 2; first++) {
    char text[512];
    snprintf(text, sizeof text, "%s%s", first ? sac_ini : keys, first ? keys : sac_ini);
    expect_ok(parse(text));
    expect_ok(rl_config_validate(&config, "x"));
    assert_int_equal(config.env.n_envs, 40);
    assert_true(is_dims(&config.policy.hidden_actor, 2, 64));
    assert_true(is_dims(&config.policy.hidden_critic, 2, 64));
    assert_int_equal(config.policy.activation, RL_ACTIVATION_TANH);
    assert_true(config.normalize.obs);
    assert_int_equal(config.policy.init, RL_INIT_UNIFORM);
  }
  // a network with layers of its own keeps them, the other one follows
  expect_ok(parse("[policy]\nhidden_critic = 32\n"));
  expect_ok(set("run.algorithm", "sac"));
  assert_true(is_dims(&config.policy.hidden_actor, 2, 256));
  assert_true(is_dims(&config.policy.hidden_critic, 1, 32));
}

// rl_config_default_text is what an unset key has.
static void test_default_text(void **state) {
  (void)state;
  int count = 0, differ = 0;
  const RlOption *option = rl_config_options(&count);
  for (int row = 0; row < count; row++) {
    static char unset[DUMP_SIZE], written[DUMP_SIZE];
    char key[128];
    key_of(key, sizeof key, &option[row]);
    const char *ppo = rl_config_default_text(row, RL_ALGO_PPO);
    const char *sac = rl_config_default_text(row, RL_ALGO_SAC);
    assert_string_equal(ppo, option[row].def);
    differ += strcmp(ppo, sac) != 0;
    if (strcmp(key, "run.algorithm") == 0) continue;
    expect_ok(parse(sac_ini));
    dump(unset, RL_DUMP_INI);
    expect_ok(set(key, sac));
    dump(written, RL_DUMP_INI);
    assert_string_equal(unset, written);
  }
  assert_int_equal(differ, 7);
}

// Every key under either algorithm: read, or refused with a line that names it.
static void test_unread(void **state) {
  (void)state;
  int count = 0, unread = 0;
  const RlOption *option = rl_config_options(&count);
  for (int row = 0; row < 2 * count; row++) {
    const RlOption *o = &option[row / 2];
    bool sac = row % 2;
    if (is_task_key(o) || strcmp(o->def, "hidden") == 0) continue;
    char key[128], line[256];
    key_of(key, sizeof key, o);
    expect_ok(parse(sac ? sac_ini : ""));
    const char *own = rl_config_default_text(row / 2, config.run.algorithm);
    if (strcmp(key, "run.algorithm") != 0) expect_ok(set(key, own));
    bool read = strcmp(o->section, sac ? "ppo" : "sac") != 0 && !(sac && is_shared_ppo_key(key));
    assert_int_equal(rl_config_is_read(&config, row / 2), read);
    RlStatus status = rl_config_validate(&config, "x.ini");
    assert_int_equal(status, read ? RL_OK : RL_USAGE);
    if (read) continue;
    unread++;
    snprintf(line, sizeof line, "x.ini: %s: found \"", key);
    assert_memory_equal(rl_error_text(), line, strlen(line));
    snprintf(line, sizeof line, "\", expected no key that %s alone reads, as run.algorithm is %s",
             sac ? "PPO" : "SAC", sac ? "sac" : "ppo");
    assert_non_null(strstr(rl_error_text(), line));
    // the page says so
    if (is_shared_ppo_key(key)) assert_non_null(strstr(o->help, "(PPO)"));
  }
  assert_true(unread > 50);
  validates("[sac]\nlearning_rate = 1e-3\n",
            "x.ini:2: sac.learning_rate: found \"0.001\", expected no key that SAC alone reads, as "
            "run.algorithm is ppo");
  validates(
      "[run]\nalgorithm = sac\n[normalize]\nwarmup_steps = 5\n",
      "x.ini:4: normalize.warmup_steps: found \"5\", expected no key that PPO alone reads, as "
      "run.algorithm is sac");
}

static void test_validate(void **state) {
  (void)state;
  validates("[run]\nalgorithm = sac\n[normalize]\nreward = running\n",
            "x.ini:4: normalize.reward: found \"running\", expected off where run.algorithm is sac "
            "(sac.reward_scale is its coefficient)");
  validates("[run]\nalgorithm = sac\n[normalize]\nreward = off\n", "");
  validates("[run]\nalgorithm = sac\n[sac]\nbuffer_size = 256\nbatch_size = 256\n", "");
  validates("[run]\nalgorithm = sac\n[sac]\nbuffer_size = 255\n",
            "x.ini: sac.batch_size: found \"256\", expected at most sac.buffer_size = 255");
  validates("[run]\nalgorithm = sac\n[env]\nn_envs = 300\n[sac]\nbuffer_size = 299\n",
            "x.ini:6: sac.buffer_size: found \"299\", expected at least env.n_envs = 300");
  validates("[run]\nalgorithm = sac\n[env]\nn_envs = 300\n[sac]\nbuffer_size = 300\n", "");
  validates("[run]\nalgorithm = sac\n[env]\nn_envs = 64\n[sac]\nbuffer_size = 319\nn_step = 4\n",
            "");
  validates("[run]\nalgorithm = sac\n[env]\nn_envs = 64\n[sac]\nbuffer_size = 319\nn_step = 5\n",
            "x.ini:7: sac.n_step: found \"5\", expected at most sac.buffer_size / env.n_envs = 4");
  validates("[run]\nalgorithm = sac\n[policy]\nlog_std_min = 2\n",
            "x.ini:4: policy.log_std_min: found \"2\", expected less than policy.log_std_max = 2");
  // PPO's start of log sigma is not looked at
  validates("[run]\nalgorithm = sac\n[policy]\nlog_std_min = -0.4\n", "");
  validates("[run]\nalgorithm = sac\n[sac]\nlearning_starts = 0\nbatch_size = 1\n", "");
}

static void test_ranges(void **state) {
  (void)state;
  static const char *const zero_or_less[] = {"0", "-1"};
  for (int i = 0; i < 2; i++) {
    const char *value = zero_or_less[i];
    set_refused("sac.n_step", value, "a whole number in [1, 1000]");
    set_refused("sac.gradient_steps", value, "a whole number in [1, 1000]");
    set_refused("sac.train_freq", value, "a whole number in [1, 1e9]");
    set_refused("sac.policy_delay", value, "a whole number in [1, 1000]");
    set_refused("sac.target_update_interval", value, "a whole number in [1, 1e6]");
    set_refused("sac.batch_size", value, "a whole number in [1, 65536]");
    set_refused("sac.buffer_size", value, "a whole number in [1, 1e12]");
    set_refused("sac.tau", value, "a number in (0, 1]");
    set_refused("sac.ent_coef_init", value, "a number in (0, 1000]");
    set_refused("sac.max_grad_norm", value, "a number in (0, inf]");
  }
  set_refused("sac.n_step", "1.5", "a whole number in [1, 1000]");
  set_refused("sac.gradient_steps", "1001", "a whole number in [1, 1000]");
  set_refused("sac.reward_scale", "-1", "a number in [0, 1e6]");
  set_refused("sac.buffer_size", "1e13", "a whole number in [1, 1e12]");
}

// The nearest key to found is expected, under the algorithm.
static void nearest(const char *algorithm, const char *found, const char *expected) {
  char line[256];
  rl_config_default(&config);
  expect_ok(set("run.algorithm", algorithm));
  assert_int_equal(set(found, "1"), RL_USAGE);
  snprintf(line, sizeof line,
           "--set: %s: unknown key, expected one of the known keys, nearest is %s", found,
           expected);
  assert_string_equal(rl_error_text(), line);
}

static void test_nearest(void **state) {
  (void)state;
  nearest("sac", "learning_rat", "sac.learning_rate");
  nearest("ppo", "learning_rat", "ppo.learning_rate");
  nearest("sac", "policy.gamma", "sac.gamma");
  nearest("ppo", "policy.gamma", "ppo.gamma");
  nearest("sac", "pppo.learning_rate", "sac.learning_rate");
  nearest("sac", "n_steps", "sac.n_step");
  nearest("ppo", "n_steps", "ppo.n_steps");
  nearest("sac", "warmup_step", "normalize.warmup_steps");
  // who names a section means it: the algorithm may be named further down
  nearest("ppo", "sac.learning_rat", "sac.learning_rate");
  nearest("sac", "ppo.learning_rat", "ppo.learning_rate");
  // in whatever case
  nearest("ppo", "SAC.learning_rate", "sac.learning_rate");
  nearest("ppo", "POLICY.LOG_STD_MIN", "policy.log_std_min");
}

// The keys of a section of a dump, in its own spelling.
static const char odd[] =
    "[sac]\n"
    "learning_rate = 0.30000000000000004\n"
    "buffer_size = 9999999999\n"
    "learning_starts = 0\n"
    "batch_size = 17\n"
    "tau = 1\n"
    "target_update_interval = 3\n"
    "gamma = 0.9999\n"
    "train_freq = 64\n"
    "gradient_steps = 5\n"
    "policy_delay = 2\n"
    "ent_coef = 0.2\n"
    "ent_coef_init = 0.1\n"
    "target_entropy = -0.5\n"
    "n_step = 4\n"
    "reward_scale = 10\n"
    "log_std_bound = tanh\n"
    "log_prob = mean\n"
    "tanh_correction = off\n"
    "twin_critics = false\n"
    "entropy_bootstrap = false\n"
    "discount_steps_taken = false\n"
    "bootstrap_truncated = false\n"
    "final_observation = false\n"
    "drop_diverged = false\n"
    "max_grad_norm = 0.1\n"
    "adam_epsilon = 4.94065645841247e-324\n";

// A complete dump is read back to the same dump, of the defaults and with every key changed.
static void test_round_trip(void **state) {
  (void)state;
  static char first[DUMP_SIZE], second[DUMP_SIZE], text[4096];
  for (int changed = 0; changed < 2; changed++) {
    snprintf(text, sizeof text, "%s%s", sac_ini, changed ? odd : "");
    expect_ok(parse(text));
    if (changed) expect_ok(set("policy.hidden_critic", "none"));
    expect_ok(rl_config_validate(&config, "x"));
    dump(first, RL_DUMP_INI);
    expect_ok(parse(first));
    expect_ok(rl_config_validate(&config, "x"));
    dump(second, RL_DUMP_INI);
    assert_string_equal(first, second);
    assert_int_equal(strstr(first, odd) != NULL, changed);
  }
}

// Whether a dump holds a row, looked for in its section.
static bool holds(const char *text, const RlOption *option) {
  char header[64], line[128];
  snprintf(header, sizeof header, "[%s]\n", option->section);
  snprintf(line, sizeof line, "\n%s = ", option->name);
  const char *start = strstr(text, header);
  if (start == NULL) return false;
  const char *end = strstr(start, "\n\n"), *found = strstr(start, line);
  return found != NULL && (end == NULL || found < end);
}

// A dump holds every key that SAC reads; a resume file's all but the three that cannot change a bit
// of it.
static void test_dump(void **state) {
  (void)state;
  static char all[DUMP_SIZE], checkpoint[DUMP_SIZE];
  int count = 0;
  const RlOption *option = rl_config_options(&count);
  expect_ok(parse(sac_ini));
  dump(all, RL_DUMP_INI);
  dump(checkpoint, RL_DUMP_RESUME);
  for (int row = 0; row < count; row++) {
    char key[128];
    key_of(key, sizeof key, &option[row]);
    bool read = strcmp(option[row].section, "ppo") != 0 && !is_shared_ppo_key(key);
    bool runs = strcmp(key, "run.threads") == 0 || strcmp(key, "run.log_every") == 0 ||
                strcmp(key, "run.tensorboard") == 0;
    assert_int_equal(holds(all, &option[row]), read && !is_task_key(&option[row]));
    assert_int_equal(holds(checkpoint, &option[row]), read && !is_task_key(&option[row]) && !runs);
  }
  assert_null(strstr(all, "[ppo]"));
  // a task's own value is in as soon as the task has given it
  expect_ok(rl_config_default_key(&config, "env.healthy_reward", "5"));
  dump(checkpoint, RL_DUMP_RESUME);
  assert_non_null(strstr(checkpoint, "\nhealthy_reward = 5\n"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_defaults),     cmocka_unit_test(test_given),
      cmocka_unit_test(test_default_text), cmocka_unit_test(test_unread),
      cmocka_unit_test(test_validate),     cmocka_unit_test(test_ranges),
      cmocka_unit_test(test_nearest),      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_dump),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
