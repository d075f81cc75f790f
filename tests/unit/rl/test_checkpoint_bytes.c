// Checkpoints that no library writes, put together byte by byte: addresses that leave the file or
// wrap around, headers and groups that go in circles, things described twice, extents that
// overflow. Each is refused by name, without a byte read outside the image.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "rl/run/checkpoint_walk.h"

// The image. Addresses count from the end of the
// user block; the root's header comes first.
enum { ROOM = 1 << 18, ROOT = 48 };
enum { SPACE = 1, LINK_INFO = 2, TYPE = 3, LINK = 6, LAYOUT = 8, MORE = 16 };

static struct {
  uint8_t *at;
  size_t size, header;  // header: where the one begun last has its chunk's size
} image;

static void put_bytes(const void *bytes, size_t n) {
  assert_true(image.size + n <= ROOM);
  memcpy(image.at + image.size, bytes, n);
  image.size += n;
}

static void put_number(uint64_t n, int width) {
  uint8_t bytes[8];
  for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(n >> 8 * i);
  put_bytes(bytes, (size_t)width);
}

static uint64_t here(void) {
  return image.size - RL_CHECKPOINT_BLOCK;
}

static void begin_header(void) {
  put_bytes("OHDR\2\3", 6);  // the size of its chunk takes 8 bytes
  image.header = image.size;
  put_number(0, 8);
}

static void end_header(void) {
  uint64_t size = image.size - image.header - 8;
  for (int i = 0; i < 8; i++) image.at[image.header + (size_t)i] = (uint8_t)(size >> 8 * i);
  put_number(0, 4);
}

static void put_message(int kind, size_t size) {
  put_number((uint64_t)kind, 1);
  put_number(size, 2);
  put_number(0, 1);
}

static void put_link(const char *name, uint64_t address) {
  put_message(LINK, 3 + strlen(name) + 8);
  put_number(1, 1);
  put_number(0, 1);
  put_number(strlen(name), 1);
  put_bytes(name, strlen(name));
  put_number(address, 8);
}

static void put_more(uint64_t address, uint64_t size) {
  put_message(MORE, 16);
  put_number(address, 8);
  put_number(size, 8);
}

static void put_link_info(void) {
  put_message(LINK_INFO, 18);
  put_number(0, 2);
  put_number(UINT64_MAX, 8);
  put_number(UINT64_MAX, 8);
}

static void put_space(int rank, uint64_t dim) {
  put_message(SPACE, 4 + 16 * (size_t)rank);
  put_bytes("\2", 1);
  put_number((uint64_t)rank, 1);
  put_number(1, 1);
  put_number(1, 1);
  for (int i = 0; i < 2 * rank; i++) put_number(dim, 8);
}

static void put_type_u8(void) {
  put_message(TYPE, 12);
  put_bytes("\x10\0\0\0\1\0\0\0\0\0\x8\0", 12);
}

static void put_layout(uint64_t address, uint64_t size) {
  put_message(LAYOUT, 18);
  put_number(3, 1);
  put_number(1, 1);
  put_number(address, 8);
  put_number(size, 8);
}

// the root's header, begun, of an image without anything else
static void begin_image(void) {
  image.size = 0;
  memset(image.at, 0, ROOM);
  image.size = RL_CHECKPOINT_BLOCK;
  put_bytes("\x89HDF\r\n\x1a\n\2\x8\x8\0", 12);
  put_number(RL_CHECKPOINT_BLOCK, 8);
  put_number(UINT64_MAX, 8);
  put_number(0, 8);
  put_number(ROOT, 8);
  put_number(0, 4);
  begin_header();
  put_link_info();
}

// a root with one member "a", whose header is begun behind it
static void begin_member(void) {
  begin_image();
  put_link("a", here() + 4 + 3 + 1 + 8 + 4);
  end_header();
  begin_header();
}

// what the walk says of it; "" if it is taken. In a block of its own size, for the sanitizers.
static const char *walk(RlCheckpointIndex *index) {
  size_t end = RL_CHECKPOINT_BLOCK + 28;
  for (int i = 0; i < 8; i++) image.at[end + (size_t)i] = (uint8_t)(image.size >> 8 * i);
  uint8_t *exact = malloc(image.size);
  assert_non_null(exact);
  memcpy(exact, image.at, image.size);
  rl_error_clear();
  RlStatus status = rl_checkpoint_walk(index, exact, image.size, "x");
  free(exact);
  assert_int_equal(status, *rl_error_text() ? RL_FAIL : RL_OK);
  return rl_error_text();
}

static void expect_walk(const char *words) {
  static RlCheckpointIndex index;
  const char *line = walk(&index);
  if (*words ? !strstr(line, words) : *line) fail_msg("\"%s\" lacks \"%s\"", line, words);
}

static void test_addresses(void **state) {
  (void)state;
  image.at = malloc(ROOM);
  assert_non_null(image.at);
  begin_image();
  end_header();
  expect_walk("");
  // neither may an address leave the file, nor may it and a length together wrap around
  static const uint64_t far[] = {UINT64_MAX, UINT64_MAX - 8, (uint64_t)1 << 63, ROOM};
  for (int i = 0; i < 4; i++) {
    begin_image();
    put_link("a", far[i]);
    end_header();
    expect_walk("bytes outside the file");
    begin_image();
    put_more(far[i], 16);
    end_header();
    expect_walk("bytes outside the file");
    begin_image();
    put_more(ROOT, far[i]);
    end_header();
    expect_walk("bytes outside the file");
    begin_image();
    end_header();
    memset(image.at + image.header, 0xff, 8);  // the chunk's own size
    expect_walk("bytes outside the file");
    begin_member();
    put_space(1, 8);
    put_type_u8();
    put_layout(far[i], 8);
    end_header();
    expect_walk(far[i] == UINT64_MAX ? "without data" : "bytes outside the file");
  }
  // any length of what is no more than a superblock
  for (size_t size = 0; size <= RL_CHECKPOINT_BLOCK + ROOT; size++) {
    begin_image();
    image.size = size;
    expect_walk(size < RL_CHECKPOINT_BLOCK + ROOT ? "another kind of HDF5" : "outside the file");
  }
  free(image.at);
}

static void test_circles(void **state) {
  (void)state;
  image.at = malloc(ROOM);
  assert_non_null(image.at);
  // a group that is its own member
  begin_image();
  put_link("a", ROOT);
  end_header();
  expect_walk("groups nested too deep");
  // a header that goes on in itself, and one that says so more often than is kept in mind
  begin_image();
  put_more(here() + 20 + 4, 4 + 20 + 4);
  end_header();
  put_bytes("OCHK", 4);
  put_more(here() - 4, 4 + 20 + 4);
  put_number(0, 4);
  expect_walk("objects that share their bytes");
  begin_image();
  for (int i = 0; i < 5000; i++) put_more(ROOT + 6, 8);
  end_header();
  image.size = ROOM;
  expect_walk("an unreadable object header");
  begin_image();
  for (int i = 0; i < 5000; i++) put_more(ROOM - RL_CHECKPOINT_BLOCK - 8, 8);
  end_header();
  image.size = ROOM - 8;
  put_bytes("OCHK\0\0\0\0", 8);
  expect_walk("an object in too many pieces");
  free(image.at);
}

static void test_descriptions(void **state) {
  (void)state;
  image.at = malloc(ROOM);
  assert_non_null(image.at);
  // described twice, by the very same words
  for (int twice = SPACE; twice <= LAYOUT; twice++) {
    begin_member();
    for (int i = 0; i < (twice == SPACE ? 2 : 1); i++) put_space(1, 1);
    for (int i = 0; i < (twice == TYPE ? 2 : 1); i++) put_type_u8();
    for (int i = 0; i < (twice == LAYOUT ? 2 : 1); i++) put_layout(ROOT, 1);
    end_header();
    bool kept = twice == SPACE || twice == TYPE || twice == LAYOUT;
    expect_walk(kept ? "an object described twice" : "");
  }
  // extents whose product is beyond 64 bits, and comes round to the size stated
  static const uint64_t dim[] = {(uint64_t)1 << 32, (uint64_t)1 << 33, UINT64_MAX, 0};
  for (int i = 0; i < 4; i++) {
    begin_member();
    put_space(4, dim[i]);
    put_type_u8();
    put_layout(ROOT, 0);
    end_header();
    expect_walk(i < 3 ? "an unbounded or too large extent" : "");
  }
  // nothing is in it, yet its first length is beyond what a length may be
  begin_member();
  put_space(2, 0);
  size_t first = image.size - 32;
  memset(image.at + first, 0xff, 8);
  memset(image.at + first + 16, 0xff, 8);
  put_type_u8();
  put_layout(ROOT, 0);
  end_header();
  expect_walk("an unbounded or too large extent");
  // messages and names that end behind the chunk
  begin_image();
  put_message(LINK, 60000);
  end_header();
  expect_walk("an unreadable object header");
  begin_image();
  put_message(0, 1);  // by one byte; what follows reads as a message of another kind
  end_header();
  put_bytes("\0\x7f\0\0\0", 5);
  expect_walk("an unreadable object header");
  begin_image();
  put_link("abc", ROOT);
  end_header();
  image.at[image.size - 4 - 8 - 3 - 1] = 255;
  expect_walk("an unreadable link");
  free(image.at);
}

// data at an odd address, as this one reader allows it, come out as they are
static void test_unaligned(void **state) {
  (void)state;
  RlCheckpoint *checkpoint;
  double value = 0;
  const double stored = -0.1;
  RlField field = {.name = "a", .type = RL_F64, .data = &value};
  image.at = malloc(ROOM);
  assert_non_null(image.at);
  begin_member();
  put_message(SPACE, 4);
  put_bytes("\2\0\0\0", 4);
  put_message(TYPE, 20);
  put_bytes("\x11\x20\x3f\0\x8\0\0\0\0\0\x40\0\x34\xb\0\x34\xff\3\0\0", 20);
  put_layout(1000 | 1, 8);
  end_header();
  image.size = RL_CHECKPOINT_BLOCK + 1001;
  put_bytes(&stored, sizeof stored);
  expect_walk("");
  assert_int_equal(rl_checkpoint_open_image(&checkpoint, image.at, image.size, "x"), RL_OK);
  assert_int_equal(rl_checkpoint_load(checkpoint, &field, 1), RL_OK);
  assert_true(value == stored);
  rl_checkpoint_close(checkpoint);
  free(image.at);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_addresses),
      cmocka_unit_test(test_circles),
      cmocka_unit_test(test_descriptions),
      cmocka_unit_test(test_unaligned),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
