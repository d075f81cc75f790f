// The state of a stage is one JSON object, whatever is in it, and says what the stage does.
#include <ctype.h>

#include "tests/unit/view/view.h"

static RlStage stage;
static char json[RL_STAGE_JSON];

// ---------------------------------------------------------------- a reader that accepts JSON only

static const char *read_value(const char *c);

static const char *spaces(const char *c) {
  while (*c == ' ') c++;
  return c;
}

static const char *read_word(const char *c, const char *word) {
  size_t n = strlen(word);
  return strncmp(c, word, n) == 0 ? c + n : NULL;
}

static const char *read_string(const char *c) {
  for (c++; *c != '"'; c++) {
    if ((unsigned char)*c < 0x20) return NULL;
    if (*c == '\\' && strchr("\"\\u", *++c) == NULL) return NULL;
  }
  return c + 1;
}

static const char *read_number(const char *c) {
  char *end;
  if (*c != '-' && !isdigit((unsigned char)*c)) return NULL;
  (void)strtod(c, &end);
  return end;
}

// the members of an object or an array, up to its closing mark
static const char *read_members(const char *c, char close) {
  c = spaces(c + 1);
  if (*c == close) return c + 1;
  for (;;) {
    if (close == '}') {
      if (*c != '"' || !(c = read_string(c)) || *(c = spaces(c)) != ':') return NULL;
      c = spaces(c + 1);
    }
    if (!(c = read_value(c))) return NULL;
    c = spaces(c);
    if (*c == close) return c + 1;
    if (*c != ',') return NULL;
    c = spaces(c + 1);
  }
}

static const char *read_value(const char *c) {
  switch (*c) {
    case '{':
      return read_members(c, '}');
    case '[':
      return read_members(c, ']');
    case '"':
      return read_string(c);
    case 't':
      return read_word(c, "true");
    case 'f':
      return read_word(c, "false");
    case 'n':
      return read_word(c, "null");
    default:
      return read_number(c);
  }
}

static bool is_json(const char *text) {
  const char *end = *text == '{' ? read_value(text) : NULL;
  return end && *end == '\0';
}

// bytes of UTF-8 only: every lead byte has its followers
static bool is_utf8(const char *text) {
  for (const unsigned char *c = (const unsigned char *)text; *c;) {
    int more = *c < 0x80 ? 0 : *c < 0xc2 ? -1 : *c < 0xe0 ? 1 : *c < 0xf0 ? 2 : *c < 0xf5 ? 3 : -1;
    if (more < 0) return false;
    for (c++; more > 0; more--, c++) {
      if ((*c & 0xc0) != 0x80) return false;
    }
  }
  return true;
}

static void write_state(void) {
  memset(json, 'x', sizeof json);
  size_t length = rl_stage_state(&stage, json, sizeof json);
  assert_true(length < RL_STAGE_JSON);
  assert_int_equal(strlen(json), length);
  if (!is_json(json)) fail_msg("no JSON: %s", json);
  assert_true(is_utf8(json));
  assert_null(strchr(json, '\n'));
}

static void assert_holds(const char *text) {
  if (!strstr(json, text)) fail_msg("not found: %s\nin: %s", text, json);
}

// what follows a key
static double number(const char *key) {
  char text[64];
  snprintf(text, sizeof text, "\"%s\": ", key);
  const char *at = strstr(json, text);
  if (!at) fail_msg("no %s", key);
  return strtod(at + strlen(text), NULL);
}

// ---------------------------------------------------------------- tests

static void test_reader(void **state) {
  (void)state;
  assert_true(is_json("{\"a\": [1, -2.5e3, null], \"b\": {}}"));
  static const char *const wrong[] = {
      "",    "{",         "{\"a\": nan}",     "{\"a\": 1,}", "{\"a\": 1}}",
      "[1]", "{\"a\" 1}", "{\"a\": \"\\x\"}", "{a: 1}",      "{\"a\": [1 2]}"};
  for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) assert_false(is_json(wrong[k]));
  assert_false(is_utf8("\xff") || is_utf8("\xc3(") || is_utf8("\xe2\x82"));
}

static void test_says_what_is_so(void **state) {
  (void)state;
  TRAIN("env.id=Humanoid-v5");
  view_open(&stage, 5);
  write_state();
  assert_holds("{\"task\": \"Humanoid-v5\", \"algorithm\": \"ppo\"");
  assert_holds("\"last_return\": null");
  assert_true(number("length") == 0 && number("time") == 0);
  rl_stage_step(&stage);
  write_state();
  assert_true(number("length") == 1 && fabs(number("time") - 0.015) <= 1e-6);
  for (int k = 1; k < 7; k++) rl_stage_step(&stage);
  write_state();
  assert_true(number("step") == 256 && number("checkpoints") == 2 && number("episode") == 0);
  assert_true(number("length") == 7 && number("steps") == 7);
  assert_true(fabs(number("time") - 7 * 0.015) <= 1e-6);
  assert_true(fabs(number("return") - stage.env.running_return[0]) <= 1e-4);
  assert_true(fabs(number("reward") - stage.last.reward) <= 1e-5);
  assert_true(fabs(number("value") - stage.last.value) <= 1e-4 * fabs(stage.last.value));
  assert_holds("\"ctrl_range\": [[-0.4, 0.4], ");
  assert_holds("\"cameras\": [\"view\"]");
  assert_holds("\"selected\": null");
  assert_holds("\"ended\": \"\"");
  for (int t = 0; t < RL_MAX_TERMS && stage.env.task->term[t]; t++) {
    assert_holds(stage.env.task->term[t]);
  }
  stage.push.select = 1;
  OBEY(&stage, RL_COMMAND_SPEED, .value = 0.25);
  while (!stage.ended) rl_stage_step(&stage);
  write_state();
  assert_holds("\"selected\": \"torso\"");
  assert_holds("\"speed\": 0.25");
  assert_true(strstr(json, "\"ended\": \"terminated\"") ||
              strstr(json, "\"ended\": \"truncated\""));
  assert_true(number("length") == stage.last_length);
  assert_true(fabs(number("return") - stage.last_return) <= 1e-4);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
  TRAIN_SAC("env.id=Reacher-v5");
  view_open(&stage, 5);
  rl_stage_step(&stage);
  write_state();
  assert_holds("\"algorithm\": \"sac\"");
  assert_holds("\"value_kind\": \"Q\"");
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

static void test_bounded_and_valid(void **state) {
  (void)state;
  TRAIN("env.id=Humanoid-v5");
  view_open(&stage, 5);
  rl_stage_step(&stage);
  // bytes that no text should have, and every length of what is cut
  for (int length = 0; length < 600; length += 7) {
    for (int k = 0; k < length; k++) stage.path[k] = (char)(k * 37 + length + 1);
    stage.path[length] = '\0';
    for (int k = 0; k < RL_STAGE_NOTE - 1; k++) stage.note[k] = (char)(k % 3 ? '"' : 1 + k % 250);
    write_state();
  }
  // a whole character is kept, half of one is not
  snprintf(stage.path, sizeof stage.path, "gr\xc3\xb6\xc3\x9f\x65\xe2\x82");
  write_state();
  assert_holds("\"gr\xc3\xb6\xc3\x9f\x65??\"");
  // numbers that are none
  stage.last.value = NAN;
  stage.last.reward = -INFINITY;
  stage.act[0] = NAN;
  for (int j = 0; j < stage.env.A; j++) stage.ctrl[j] = -1.2345678e-200;
  memset(stage.option.flags, 1, sizeof stage.option.flags);
  write_state();
  assert_holds("\"value\": null");
  assert_holds("\"reward\": null");
  assert_holds("\"act\": [null, ");
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_reader),
      SCRATCH_TEST(test_says_what_is_so),
      SCRATCH_TEST(test_bounded_and_valid),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
