// Events under the field numbers that TensorBoard reads: each is taken apart by a decoder that does
// not know the schema.
#include "rl/tensorboard/events.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "rl/tensorboard/record.h"
#include "tests/unit/tensorboard/wire.h"

static RlEvents events;
static uint8_t *text;  // the file as it was read last
static Wire rest;      // what of it has not been taken yet

static int forget(void **state) {
  free(text);
  text = NULL;
  rl_events_close(&events);
  return scratch_remove(state);
}

static void start(int64_t step) {
  if (rl_events_open(&events, scratch_dir, step, true) != RL_OK) fail_msg("%s", rl_error_text());
}

static void expect_ok(RlStatus status) {
  if (status != RL_OK) fail_msg("%s", rl_error_text());
}

// reads the file anew, up to behind the two records that every file begins with
static void read_file(void) {
  size_t size;
  Wire record;
  free(text);
  text = scratch_get(events.path, &size);
  rest = (Wire){text, text + size};
  assert_true(wire_record(&rest, &record) && wire_record(&rest, &record));
}

// the next event, which has this step and was written just now
static Wire take(int64_t step) {
  Wire record;
  uint64_t size;
  const uint8_t *head = rest.at;
  assert_true(wire_record(&rest, &record));
  assert_true(rl_record_read_head(head, &size));
  assert_true(rl_record_is_sound(record.at, (size_t)size));
  assert_int_equal(wire_step(record), step);
  double age = (double)time(NULL) - wire_double(record, 1);
  assert_true(age > -2 && age < 60);
  return record;
}

static void test_beginning(void **state) {
  (void)state;
  size_t size;
  start(-1);
  text = scratch_get(events.path, &size);
  rest = (Wire){text, text + size};
  wire_expect_text(take(0), 3, "brain.Event:2");
  Wire log = wire_message(take(0), 7);
  assert_int_equal(wire_one(log, 1, WIRE_VARINT).value, 1);
  assert_true(rest.at == rest.end);
  rl_events_close(&events);
  // the next process goes on behind step 300, in another file
  start(300);
  assert_non_null(strstr(events.path, "/events.out.tfevents.0000000002.rltrain"));
  free(text);
  text = scratch_get(events.path, &size);
  rest = (Wire){text, text + size};
  wire_expect_text(take(0), 3, "brain.Event:2");
  log = wire_message(take(301), 7);
  assert_int_equal(wire_one(log, 1, WIRE_VARINT).value, 1);
}

static void expect_scalar(Wire value, const char *tag, float expected) {
  uint32_t bits;
  memcpy(&bits, &expected, sizeof bits);
  wire_expect_text(value, 1, tag);
  assert_int_equal(wire_one(value, 2, WIRE_FIXED32).value, bits);
}

static void test_scalars(void **state) {
  (void)state;
  const RlEventScalar scalar[] = {{"train/a", 0.1},     {"train/b", NAN}, {"time/c", -INFINITY},
                                  {"rollout/d", 3e-39}, {"e", 0},         {"f", 16777217}};
  start(-1);
  expect_ok(rl_events_write_scalars(&events, 1000000000000, scalar, 6));
  expect_ok(rl_events_write_scalars(&events, 7, scalar + 1, 1));
  expect_ok(rl_events_write_scalars(&events, 7, NULL, 0));
  expect_ok(rl_events_write_scalars(&events, 8, scalar, 1));
  expect_ok(rl_events_sync(&events));
  read_file();
  static const struct {
    const char *tag;
    float value;
  } expected[] = {{"train/a", 0.1f}, {"rollout/d", 3e-39f}, {"e", 0}, {"f", 16777216}};
  Wire summary = wire_message(take(1000000000000), 5);
  WireField field;
  for (int i = 0; i < 4; i++) {
    assert_true(wire_next(&summary, &field));
    assert_int_equal(field.number, 1);
    expect_scalar(field.bytes, expected[i].tag, expected[i].value);
  }
  assert_true(summary.at == summary.end);
  // nothing to say, no event
  expect_scalar(wire_message(wire_message(take(8), 5), 1), "train/a", 0.1f);
  assert_true(rest.at == rest.end);
}

static void expect_doubles(Wire message, int number, const double *expected, int n) {
  Wire packed = wire_message(message, number);
  assert_int_equal(packed.end - packed.at, 8 * n);
  for (int i = 0; i < n; i++) {
    double found;
    uint64_t bits = wire_little(packed.at + 8 * i, 8);
    memcpy(&found, &bits, sizeof found);
    assert_true(fabs(found - expected[i]) <= 1e-12);
  }
}

static void test_histogram(void **state) {
  (void)state;
  RlEventHistogram h = {.min = -1.5, .max = 1.5, .num = 435, .sum = 12.25, .sum_squares = 99.5};
  double limit[RL_EVENT_BUCKETS];
  assert_int_equal(RL_EVENT_BUCKETS, 30);
  for (int i = 0; i < RL_EVENT_BUCKETS; i++) {
    h.bucket[i] = i;
    limit[i] = -1.4 + 0.1 * i;
  }
  start(-1);
  expect_ok(rl_events_write_histogram(&events, 12, "actor/0/weight", &h));
  read_file();
  Wire value = wire_message(wire_message(take(12), 5), 1);
  wire_expect_text(value, 1, "actor/0/weight");
  Wire histo = wire_message(value, 5);
  assert_true(wire_double(histo, 1) == -1.5 && wire_double(histo, 2) == 1.5);
  assert_true(wire_double(histo, 3) == 435 && wire_double(histo, 4) == 12.25);
  assert_true(wire_double(histo, 5) == 99.5);
  expect_doubles(histo, 6, limit, RL_EVENT_BUCKETS);
  expect_doubles(histo, 7, h.bucket, RL_EVENT_BUCKETS);
  assert_true(rest.at == rest.end);
}

// ---------------------------------------------------------------- the configuration

static const char ini[] =
    "[run]\nalgorithm = sac\nseed = 9007199254740991\ntensorboard = true\n"
    "[env]\nid = Hopper-v5\nhealthy_z_range = 0.7, inf\n"
    "exclude_current_positions_from_observation = false\n"
    "[policy]\nhidden = 64,32\n[normalize]\nclip_obs = inf\n"
    "[sac]\ngamma = 0.98\nent_coef = auto\ntarget_entropy = -3\n";

static RlConfig config;

static void configure(const char *source) {
  rl_config_default(&config);
  expect_ok(rl_config_parse(&config, source, strlen(source), "test"));
}

// the metadata of a plugin's value, and its content
static Wire expect_plugin(Wire event, const char *tag, const char *plugin, Wire *value) {
  assert_true(wire_value(event, tag, value));
  Wire data = wire_message(wire_message(*value, 9), 1);
  wire_expect_text(data, 1, plugin);
  WireField content = {0};
  assert_true(wire_find(data, 2, &content) <= 1);
  return content.bytes;
}

// the value under a key in the content of the hparams plugin
static Wire find_hparam(Wire content, const char *key) {
  Wire entries = wire_message(content, 3);
  WireField field;
  while (wire_next(&entries, &field)) {
    if (field.number == 1 && wire_is_text(wire_message(field.bytes, 1), key)) {
      return wire_message(field.bytes, 2);
    }
  }
  fail_msg("found no %s", key);
  return content;
}

static void test_hparams(void **state) {
  (void)state;
  static char dump[1 << 14];
  WireField field;
  Wire value;
  configure(ini);
  start(-1);
  expect_ok(rl_events_write_config(&events, 40, &config));
  read_file();
  Wire content = expect_plugin(take(40), "_hparams_/session_start_info", "hparams", &value);
  assert_int_equal(wire_find(content, 1, &field), 0);  // version 0
  // an empty tensor of numbers, or TensorBoard takes it for no value at all
  Wire tensor = wire_message(value, 8), shape = wire_message(tensor, 2),
       dim = wire_message(shape, 2);
  assert_int_equal(wire_one(tensor, 1, WIRE_VARINT).value, 1);
  assert_true(dim.at == dim.end);
  assert_true(wire_double(find_hparam(content, "sac.gamma"), 2) == 0.98);
  assert_true(wire_double(find_hparam(content, "run.seed"), 2) == 9007199254740991);
  assert_true(wire_double(find_hparam(content, "env.n_envs"), 2) == config.env.n_envs);
  assert_true(wire_double(find_hparam(content, "sac.target_entropy"), 2) == -3);
  wire_expect_text(find_hparam(content, "sac.ent_coef"), 3, "auto");
  wire_expect_text(find_hparam(content, "run.algorithm"), 3, "sac");
  wire_expect_text(find_hparam(content, "env.id"), 3, "Hopper-v5");
  wire_expect_text(find_hparam(content, "policy.hidden"), 3, "64,32");
  wire_expect_text(find_hparam(content, "env.healthy_z_range"), 3, "0.7, inf");
  // no number that JSON does not have
  wire_expect_text(find_hparam(content, "normalize.clip_obs"), 3, "inf");
  assert_int_equal(wire_one(find_hparam(content, "run.tensorboard"), 4, WIRE_VARINT).value, 1);
  Wire no = find_hparam(content, "env.exclude_current_positions_from_observation");
  assert_int_equal(wire_one(no, 4, WIRE_VARINT).value, 0);
  // every key of the dump, once
  assert_true(rl_config_dump(&config, RL_DUMP_INI, dump, sizeof dump) < sizeof dump);
  int keys = 0;
  for (const char *at = dump; (at = strstr(at, " = ")); at++) keys++;
  Wire entries = wire_message(content, 3);
  assert_int_equal(wire_find(entries, 1, &field), keys);
  double age = (double)time(NULL) - wire_double(entries, 5);
  assert_true(age > -2 && age < 60);
}

static void test_text(void **state) {
  (void)state;
  static char dump[1 << 14];
  Wire value;
  configure("[run]\nalgorithm = ppo\n");
  start(-1);
  expect_ok(rl_events_write_config(&events, 0, &config));
  read_file();
  Wire content = expect_plugin(take(0), "config", "text", &value);
  assert_true(content.at == content.end);
  Wire tensor = wire_message(value, 8), shape = wire_message(tensor, 2);
  assert_int_equal(wire_one(tensor, 1, WIRE_VARINT).value, 7);
  assert_true(shape.at == shape.end);
  // the dump, each line four blanks in
  Wire found = wire_message(tensor, 8);
  rl_config_dump(&config, RL_DUMP_INI, dump, sizeof dump);
  for (const char *line = dump; *line; line += strcspn(line, "\n") + 1) {
    size_t length = strcspn(line, "\n") + 1;
    assert_true((size_t)(found.end - found.at) >= 4 + length);
    assert_memory_equal(found.at, "    ", 4);
    assert_memory_equal(found.at + 4, line, length);
    found.at += 4 + length;
  }
  assert_true(found.at == found.end);
}

// ---------------------------------------------------------------- off, and disks

static void test_off(void **state) {
  (void)state;
  const RlEventScalar scalar = {"a", 1};
  const RlEventHistogram h = {0};
  configure(ini);
  start(-1);
  expect_ok(rl_events_write_scalars(&events, 50, &scalar, 1));
  int fd = events.fd;
  rl_events_close(&events);
  assert_int_equal(fcntl(fd, F_GETFD), -1);
  rl_events_close(&events);
  // switched off by the next process, which goes on behind step 20 all the same
  expect_ok(rl_events_open(&events, scratch_dir, 20, false));
  assert_int_equal(events.fd, -1);
  expect_ok(rl_events_write_config(&events, 30, &config));
  expect_ok(rl_events_write_scalars(&events, 30, &scalar, 1));
  expect_ok(rl_events_write_histogram(&events, 30, "b", &h));
  expect_ok(rl_events_sync(&events));
  assert_int_equal(scratch_count(scratch_dir), 1);
  snprintf(events.path, sizeof events.path, "%s",
           scratch_path("events.out.tfevents.0000000001.rltrain"));
  read_file();
  assert_true(rest.at == rest.end);
  expect_ok(rl_events_open(&events, scratch_dir, -1, false));
  assert_int_equal(scratch_count(scratch_dir), 0);
}

static void test_full(void **state) {
  (void)state;
  struct rlimit limit, low;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  for (rlim_t room = 0; room < 70; room++) {
    low = limit;
    low.rlim_cur = room;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    RlStatus status = rl_events_open(&events, scratch_dir, -1, true);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    if (status == RL_OK) {
      assert_true(room > 30);
      return;
    }
    // nothing half begun is left behind
    assert_int_equal(events.fd, -1);
    assert_int_equal(scratch_count(scratch_dir), 0);
    assert_non_null(strstr(rl_error_text(), "0000000001.rltrain: cannot write"));
  }
  // the two records are some 70 bytes
  fail_msg("never had room");
}

#define EVENTS_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, forget)

int main(void) {
  const struct CMUnitTest tests[] = {
      EVENTS_TEST(test_beginning), EVENTS_TEST(test_scalars), EVENTS_TEST(test_histogram),
      EVENTS_TEST(test_hparams),   EVENTS_TEST(test_text),    EVENTS_TEST(test_off),
      EVENTS_TEST(test_full),
  };
  events.fd = -1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
