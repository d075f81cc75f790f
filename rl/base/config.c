// The configuration's table at work: defaults, setting a key, and the checks that span keys. Place:
// the programs load a config, set what the command line says, let the task fill in its own values,
// and validate; everything after only reads the struct.
//
// Invariant: every value, defaults included, came through rl_config_value_parse.
#include "rl/base/config.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rl/base/config_ini.h"
#include "rl/base/config_value.h"
#include "rl/base/nearest.h"

#define ROW(group, kind, field, def, bounds, help) \
  {#group, #field, #kind, def, bounds, help, RL_KIND_##kind, offsetof(RlConfig, group.field)},
#define RUN_ROW(kind, field, def, bounds, help)       ROW(run, kind, field, def, bounds, help)
#define ENV_ROW(kind, field, def, bounds, help)       ROW(env, kind, field, def, bounds, help)
#define POLICY_ROW(kind, field, def, bounds, help)    ROW(policy, kind, field, def, bounds, help)
#define NORMALIZE_ROW(kind, field, def, bounds, help) ROW(normalize, kind, field, def, bounds, help)
#define PPO_ROW(kind, field, def, bounds, help)       ROW(ppo, kind, field, def, bounds, help)
#define SAC_ROW(kind, field, def, bounds, help)       ROW(sac, kind, field, def, bounds, help)

static const RlOption table[] = {
    // clang-format off
    RL_RUN_OPTIONS(RUN_ROW)
    RL_ENV_OPTIONS(ENV_ROW)
    RL_POLICY_OPTIONS(POLICY_ROW)
    RL_NORMALIZE_OPTIONS(NORMALIZE_ROW)
    RL_PPO_OPTIONS(PPO_ROW)
    RL_SAC_OPTIONS(SAC_ROW)
    // clang-format on
};

enum {
  NROW = (int)(sizeof table / sizeof table[0]),
  KEY_MAX = 64,
  FILE_MAX_BYTES = 1 << 20,
  UNREAD_DISTANCE = 4  // two letters of a name: more than two sections differ by
};
_Static_assert((int)NROW <= (int)RL_MAX_OPTIONS, "RlConfig.given has a place for every row");

#define SAC_DEFAULT(key, value) {key, value},
#define KEY(key)                key,
static const struct { const char *key, *value; } sac_default[] = {RL_SAC_DEFAULTS(SAC_DEFAULT)};
static const char *const ppo_only[] = {RL_PPO_ONLY(KEY)};

enum {
  NSAC_DEFAULT = (int)(sizeof sac_default / sizeof sac_default[0]),
  NPPO_ONLY = (int)(sizeof ppo_only / sizeof ppo_only[0])
};

static void *field_of(RlConfig *config, int row) {
  return (char *)config + table[row].offset;
}

static const void *const_field(const RlConfig *config, int row) {
  return (const char *)config + table[row].offset;
}

const RlOption *rl_config_options(int *count) {
  *count = NROW;
  return table;
}

int rl_config_find(const char *key) {
  for (int row = 0; row < NROW; row++) {
    size_t length = strlen(table[row].section);
    if (strncmp(key, table[row].section, length) != 0 || key[length] != '.') continue;
    if (strcmp(key + length + 1, table[row].name) == 0) return row;
  }
  return -1;
}

static int must_find(const char *key) {
  int row = rl_config_find(key);
  RL_ASSERT(row >= 0);
  return row;
}

const char *rl_config_default_text(int row, int algorithm) {
  for (int i = 0; i < NSAC_DEFAULT && algorithm == RL_ALGO_SAC; i++) {
    if (row == must_find(sac_default[i].key)) return sac_default[i].value;
  }
  return table[row].def;
}

const char *rl_config_algorithm(const RlConfig *config) {
  return config->run.algorithm == RL_ALGO_SAC ? "sac" : "ppo";
}

bool rl_config_is_read(const RlConfig *config, int row) {
  if (config->run.algorithm == RL_ALGO_PPO) return strcmp(table[row].section, "sac") != 0;
  for (int i = 0; i < NPPO_ONLY; i++) {
    if (row == must_find(ppo_only[i])) return false;
  }
  return strcmp(table[row].section, "ppo") != 0;
}

// The known row nearest to key: section and name are compared apart, a missing section costs
// nothing. What the algorithm in use does not read is near only to who names its section.
static int nearest_row(const RlConfig *config, const char *key) {
  const char *dot = strchr(key, '.');
  const char *name = dot != NULL ? dot + 1 : key;
  char section[KEY_MAX];
  snprintf(section, sizeof section, "%.*s", dot != NULL ? (int)(dot - key) : 0, key);
  int best = 0, least = INT_MAX;
  for (int row = 0; row < NROW; row++) {
    // twice, so that of two equal names the one of the nearer section wins and not the first
    int distance = 2 * rl_nearest_distance(name, table[row].name);
    int apart = rl_nearest_distance(section, table[row].section);
    if (dot != NULL) distance += apart;
    if (apart > 0 && !rl_config_is_read(config, row)) distance += UNREAD_DISTANCE;
    if (distance >= least) continue;
    least = distance;
    best = row;
  }
  return best;
}

// Keeps what follows another key at it until it is given itself: defaults that are the algorithm's
// own at run.algorithm, the actor's and the critic's layers at policy.hidden.
static void follow(RlConfig *config) {
  for (int i = 0; i < NSAC_DEFAULT; i++) {
    int row = must_find(sac_default[i].key);
    if (config->given[row]) continue;
    const char *value = rl_config_default_text(row, config->run.algorithm);
    RL_ASSERT(rl_config_value_parse(&table[row], value, field_of(config, row)));
  }
  if (!rl_config_is_given(config, "policy.hidden_actor")) {
    config->policy.hidden_actor = config->policy.hidden;
  }
  if (!rl_config_is_given(config, "policy.hidden_critic")) {
    config->policy.hidden_critic = config->policy.hidden;
  }
}

// True for the two defaults that are words and stand for "nothing given".
static bool is_placeholder(const RlOption *option, const char *value) {
  bool task = strcmp(option->def, "task") == 0 && strcmp(value, "task") == 0;
  bool hidden = strcmp(option->def, "hidden") == 0 && strcmp(value, "hidden") == 0;
  return task || hidden;
}

static size_t field_size(RlKind type) {
  switch (type) {
    case RL_KIND_INT:
    case RL_KIND_ENUM:
      return sizeof(int);
    case RL_KIND_I64:
      return sizeof(int64_t);
    case RL_KIND_REAL:
      return sizeof(double);
    case RL_KIND_BOOL:
      return sizeof(bool);
    case RL_KIND_TEXT:
      return sizeof(RlText);
    case RL_KIND_DIMS:
      return sizeof(RlDims);
    case RL_KIND_AUTO:
      return sizeof(RlAuto);
    case RL_KIND_RANGE:
      return sizeof(RlRange);
  }
  return 0;
}

// Sets a row; false, and nothing changed, if the value is not acceptable.
static bool apply(RlConfig *config, int row, const char *value) {
  if (is_placeholder(&table[row], value)) {
    memset(field_of(config, row), 0, field_size(table[row].type));
    config->given[row] = 0;
  } else {
    if (!rl_config_value_parse(&table[row], value, field_of(config, row))) return false;
    config->given[row] = 1;
  }
  config->place[row] = RL_PLACE_UNKNOWN;
  follow(config);
  return true;
}

void rl_config_default(RlConfig *config) {
  memset(config, 0, sizeof *config);
  for (int row = 0; row < NROW; row++) {
    RL_ASSERT(apply(config, row, table[row].def));
    config->given[row] = 0;
  }
  follow(config);
}

static RlStatus unknown_key(const RlConfig *config, const char *key, const char *origin) {
  const RlOption *near = &table[nearest_row(config, key)];
  return rl_error(RL_USAGE, "%s: %s: unknown key, expected one of the known keys, nearest is %s.%s",
                  origin, key, near->section, near->name);
}

RlStatus rl_config_set(RlConfig *config, const char *key, const char *value, const char *origin) {
  int row = rl_config_find(key);
  if (row < 0) return unknown_key(config, key, origin);
  // blanks around a value mean nothing in a file, so they mean nothing here either
  value += strspn(value, " \t");
  size_t length = strlen(value);
  while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t')) length--;
  char text[RL_VALUE_MAX];
  bool fits = length < sizeof text;
  if (fits) {
    memcpy(text, value, length);
    text[length] = '\0';
    if (apply(config, row, text)) return RL_OK;
  }
  char expected[RL_TEXT];
  rl_config_value_expected(&table[row], expected, sizeof expected);
  return rl_error(RL_USAGE, "%s: %s: found \"%.*s\", expected %s", origin, key, (int)length, value,
                  expected);
}

RlStatus rl_config_parse(RlConfig *config, const char *text, size_t size, const char *name) {
  return rl_config_ini_read(config, text, size, name);
}

RlStatus rl_config_load(RlConfig *config, const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    return rl_error(RL_USAGE, "%s: cannot open: %s, expected a configuration file", path,
                    strerror(errno));
  }
  RlStatus status = RL_OK;
  char *text = malloc(FILE_MAX_BYTES + 1);
  size_t size = 0;
  if (text == NULL) {
    status = rl_error(RL_FAIL, "%s: found no memory to read it, expected 1 MiB", path);
    goto out;
  }
  errno = 0;
  size = fread(text, 1, FILE_MAX_BYTES + 1, file);
  if (ferror(file)) {
    status = rl_error(RL_USAGE, "%s: cannot read: %s, expected a configuration file", path,
                      strerror(errno));
  } else if (size > FILE_MAX_BYTES) {
    status = rl_error(RL_USAGE, "%s: found more than 1 MiB, expected a configuration file", path);
  } else {
    status = rl_config_parse(config, text, size, path);
  }
out:
  free(text);
  fclose(file);
  return status;
}

RlStatus rl_config_default_key(RlConfig *config, const char *key, const char *value) {
  int row = rl_config_find(key);
  if (row >= 0 && config->given[row]) return RL_OK;
  return rl_config_set(config, key, value, "task default");
}

bool rl_config_is_given(const RlConfig *config, const char *key) {
  return config->given[must_find(key)] != 0;
}

const char *rl_config_locate(const RlConfig *config, const char *key, const char *origin,
                             char text[RL_ORIGIN_SIZE]) {
  int place = config->place[must_find(key)];
  if (place == RL_PLACE_SET) return "--set";
  if (place == RL_PLACE_UNKNOWN) return origin;
  snprintf(text, RL_ORIGIN_SIZE, "%s:%d", origin, place);
  return text;
}

// Refuses the value that key has now.
static RlStatus __attribute__((format(printf, 4, 5)))
refuse(const RlConfig *config, const char *origin, const char *key, const char *format, ...) {
  char value[RL_VALUE_MAX], expected[RL_TEXT], place[RL_ORIGIN_SIZE];
  int row = must_find(key);
  rl_config_value_print(&table[row], const_field(config, row), value);
  va_list args;
  va_start(args, format);
  vsnprintf(expected, sizeof expected, format, args);
  va_end(args);
  return rl_error(RL_USAGE, "%s: %s: found \"%s\", expected %s",
                  rl_config_locate(config, key, origin, place), key, value, expected);
}

// A key that the algorithm does not read: whoever gave it expected something of it.
static RlStatus validate_read(const RlConfig *config, const char *origin) {
  bool ppo = config->run.algorithm == RL_ALGO_PPO;
  for (int row = 0; row < NROW; row++) {
    if (!config->given[row] || rl_config_is_read(config, row)) continue;
    char key[KEY_MAX];
    snprintf(key, sizeof key, "%s.%s", table[row].section, table[row].name);
    return refuse(config, origin, key, "no key that %s alone reads, as run.algorithm is %s",
                  ppo ? "SAC" : "PPO", ppo ? "ppo" : "sac");
  }
  return RL_OK;
}

static RlStatus validate_policy(const RlConfig *config, const char *origin) {
  const RlPolicyOptions *policy = &config->policy;
  if (!(policy->log_std_min < policy->log_std_max)) {
    return refuse(config, origin, "policy.log_std_min", "less than policy.log_std_max = %g",
                  policy->log_std_max);
  }
  bool inside =
      policy->log_std_init >= policy->log_std_min && policy->log_std_init <= policy->log_std_max;
  if (config->run.algorithm == RL_ALGO_PPO && !inside) {
    return refuse(config, origin, "policy.log_std_init",
                  "a number in [policy.log_std_min, policy.log_std_max] = [%g, %g]",
                  policy->log_std_min, policy->log_std_max);
  }
  return RL_OK;
}

static RlStatus validate_ppo(const RlConfig *config, const char *origin) {
  const RlPpoOptions *ppo = &config->ppo;
  int64_t rows = (int64_t)ppo->n_steps * config->env.n_envs;
  if (rows > INT_MAX) {
    return refuse(config, origin, "ppo.n_steps",
                  "at most %d rows of n_steps x env.n_envs = %d x %d", INT_MAX, ppo->n_steps,
                  config->env.n_envs);
  }
  if (ppo->batch_size > rows) {
    return refuse(config, origin, "ppo.batch_size", "at most n_steps x env.n_envs = %d x %d = %lld",
                  ppo->n_steps, config->env.n_envs, (long long)rows);
  }
  return RL_OK;
}

static RlStatus validate_sac(const RlConfig *config, const char *origin) {
  const RlSacOptions *sac = &config->sac;
  int N = config->env.n_envs;
  if (config->normalize.reward != RL_REWARD_OFF) {
    return refuse(config, origin, "normalize.reward",
                  "off where run.algorithm is sac (sac.reward_scale is its coefficient)");
  }
  if (sac->buffer_size < N) {
    return refuse(config, origin, "sac.buffer_size", "at least env.n_envs = %d", N);
  }
  if (sac->batch_size > sac->buffer_size) {
    return refuse(config, origin, "sac.batch_size", "at most sac.buffer_size = %lld",
                  (long long)sac->buffer_size);
  }
  if (sac->n_step > sac->buffer_size / N) {
    return refuse(config, origin, "sac.n_step", "at most sac.buffer_size / env.n_envs = %lld",
                  (long long)(sac->buffer_size / N));
  }
  return RL_OK;
}

RlStatus rl_config_validate(const RlConfig *config, const char *origin) {
  RL_TRY(validate_read(config, origin));
  RL_TRY(validate_policy(config, origin));
  return config->run.algorithm == RL_ALGO_PPO ? validate_ppo(config, origin)
                                              : validate_sac(config, origin);
}
