// Framing: the checksum against published values and a bitwise one, a record's parts, and any bit
// that changes.
#include "rl/tensorboard/record.h"
#include "tests/unit/tensorboard/wire.h"

static uint32_t bitwise(const uint8_t *data, size_t size) {
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < size; i++) {
    for (int bit = 0; bit < 8; bit++) {
      uint32_t out = (crc ^ (uint32_t)(data[i] >> bit)) & 1;
      crc = (crc >> 1) ^ (out ? 0x82f63b78 : 0);
    }
  }
  return crc ^ 0xffffffff;
}

// RFC 3720, B.4, and the usual check value
static void test_published(void **state) {
  (void)state;
  uint8_t data[32];
  memset(data, 0, 32);
  assert_int_equal(rl_record_crc(data, 32), 0x8a9136aa);
  memset(data, 0xff, 32);
  assert_int_equal(rl_record_crc(data, 32), 0x62a8ab43);
  for (int i = 0; i < 32; i++) data[i] = (uint8_t)i;
  assert_int_equal(rl_record_crc(data, 32), 0x46dd794e);
  for (int i = 0; i < 32; i++) data[i] = (uint8_t)(31 - i);
  assert_int_equal(rl_record_crc(data, 32), 0x113fdb5c);
  assert_int_equal(rl_record_crc("123456789", 9), 0xe3069283);
  assert_int_equal(rl_record_crc("", 0), 0);
}

static void test_bitwise(void **state) {
  (void)state;
  uint8_t data[300];
  for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * i * 31 + i / 7);
  for (size_t n = 0; n < sizeof data; n++) {
    assert_int_equal(rl_record_crc(data + n / 2, n / 2), bitwise(data + n / 2, n / 2));
  }
}

static uint32_t masked(const uint8_t *data, size_t size) {
  uint32_t crc = bitwise(data, size);
  return (crc >> 15 | crc << 17) + 0xa282ead8;
}

static void test_frame(void **state) {
  (void)state;
  uint8_t record[RL_RECORD_HEAD + 300 + RL_RECORD_TAIL];
  static const size_t size[] = {0, 1, 3, 5, 17, 300};
  for (size_t k = 0; k < sizeof size / sizeof *size; k++) {
    size_t n = size[k];
    for (size_t i = 0; i < n; i++) record[RL_RECORD_HEAD + i] = (uint8_t)(i + 7 * n);
    assert_int_equal(rl_record_frame(record, n), n + 16);
    assert_int_equal(wire_little(record, 8), n);
    assert_int_equal(wire_little(record + 8, 4), masked(record, 8));
    for (size_t i = 0; i < n; i++) assert_int_equal(record[12 + i], (uint8_t)(i + 7 * n));
    assert_int_equal(wire_little(record + 12 + n, 4), masked(record + 12, n));
    uint64_t found;
    assert_true(rl_record_read_head(record, &found));
    assert_int_equal(found, n);
    assert_true(rl_record_is_sound(record + RL_RECORD_HEAD, n));
  }
}

static void test_flips(void **state) {
  (void)state;
  uint8_t record[RL_RECORD_HEAD + 5 + RL_RECORD_TAIL] = {0};
  size_t whole = rl_record_frame(record, 5);
  for (size_t bit = 0; bit < 8 * whole; bit++) {
    uint64_t size;
    record[bit / 8] ^= (uint8_t)(1 << bit % 8);
    bool head = rl_record_read_head(record, &size);
    assert_int_equal(head, bit >= 8 * RL_RECORD_HEAD);
    if (head) assert_false(rl_record_is_sound(record + RL_RECORD_HEAD, 5));
    record[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_published),
      cmocka_unit_test(test_bitwise),
      cmocka_unit_test(test_frame),
      cmocka_unit_test(test_flips),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
