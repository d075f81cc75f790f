// Text of the outside world: escaped, made UTF-8, one line; and base 64.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rl/report/markup.h"
#include "tests/unit/report/drawn.h"

#define BAD "\xef\xbf\xbd"

static void expect_text(const char *text, const char *expected) {
  rl_markup_text(drawn_open(), text);
  assert_string_equal(drawn_close(), expected);
  drawn_free();
}

static void test_escapes(void **state) {
  (void)state;
  expect_text("a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;");
  expect_text("", "");
  expect_text("\xc3\xa9 \xe2\x82\xac \xf0\x9f\xa6\xbf", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\xa6\xbf");
}

static void test_bad_bytes(void **state) {
  (void)state;
  expect_text("a\nb\tc\x1b\x7f", "a" BAD "b" BAD "c" BAD BAD);
  expect_text("\xff\x80", BAD BAD);
  expect_text("\xc3", BAD);                  // cut off
  expect_text("\xc0\xbc", BAD BAD);          // "<", longer than it needs to be
  expect_text("\xe0\x80\xbc", BAD BAD BAD);  // the same
  expect_text("\xf0\x80\x80\xbc", BAD BAD BAD BAD);
  expect_text("\xed\xa0\x80", BAD BAD BAD);          // half a pair
  expect_text("\xf4\x90\x80\x80", BAD BAD BAD BAD);  // past the last
  expect_text("\xef\xbf\xbf", BAD BAD BAD);          // not a character
  expect_text("\xc2\x9b", BAD BAD);                  // a terminal's escape in one character
  expect_text("\xe2\x80\xae", BAD BAD BAD);          // turns the writing around
}

static void test_clean(void **state) {
  (void)state;
  char text[9];
  rl_markup_clean(text, sizeof text, "a\x1b[1mb");
  assert_string_equal(text, "a" BAD "[1mb");
  // cut between characters
  rl_markup_clean(text, sizeof text, "1234567\xc3\xa9");
  assert_string_equal(text, "1234567");
  rl_markup_clean(text, sizeof text, "123456\xc3\xa9");
  assert_string_equal(text, "123456\xc3\xa9");
  assert_int_equal(rl_markup_width("123456\xc3\xa9"), 7);
}

static void test_base64(void **state) {
  (void)state;
  const struct {
    const char *plain, *coded;
  } pair[] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
              {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xff\xfe", "///+"}};
  for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
    rl_markup_base64(drawn_open(), (const uint8_t *)pair[i].plain, strlen(pair[i].plain));
    assert_string_equal(drawn_close(), pair[i].coded);
    drawn_free();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_escapes),
      cmocka_unit_test(test_bad_bytes),
      cmocka_unit_test(test_clean),
      cmocka_unit_test(test_base64),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
