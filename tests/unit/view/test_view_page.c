// The page that the server hands out: its keys are those of MuJoCo's simulate, it loads nothing
// from elsewhere, and its commands are ones that messages know.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <mujoco/mujoco.h>
#include <stdio.h>
#include <string.h>

#include "rl/view/message.h"
#include "rl/view/page.h"

// Each row of FLAGS in input.js: ['C', 'flag', 14, 'Contact Point'].
static void test_flags(void **state) {
  (void)state;
  int flags = 0, render = 0, groups = 0, shifted = 0;
  const char *row = strstr(rl_page_file_input, "export const FLAGS");
  assert_non_null(row);
  const char *end = strstr(row, "];");
  assert_non_null(end);
  while ((row = strchr(row, '\'')) != NULL && row < end) {
    char key[16], kind[16], name[32];
    int number;
    int length;
    assert_int_equal(
        sscanf(row, "'%15[^']', '%15[^']', %d, '%31[^']'],%n", key, kind, &number, name, &length),
        4);
    row += length;
    bool with_shift = strncmp(key, "shift+", 6) == 0;
    const char *plain = with_shift ? key + 6 : key;
    shifted += with_shift;
    if (strcmp(kind, "group") == 0) {
      assert_int_equal(plain[0], '0' + number);
      groups++;
      continue;
    }
    bool is_flag = strcmp(kind, "flag") == 0;
    assert_true(is_flag || strcmp(kind, "render_flag") == 0);
    assert_true(number >= 0 && number < (is_flag ? mjNVISFLAG : mjNRNDFLAG));
    const char **known = is_flag ? mjVISSTRING[number] : mjRNDSTRING[number];
    assert_string_equal(name, known[0]);
    assert_string_equal(plain, known[2]);
    flags += is_flag;
    render += !is_flag;
  }
  // every flag whose key is a letter
  int letters = 0;
  for (int i = 0; i < mjNVISFLAG; i++)
    letters += mjVISSTRING[i][2][0] >= 'A' && mjVISSTRING[i][2][0] <= 'Z';
  assert_int_equal(flags, letters);
  letters = 0;
  for (int i = 0; i < mjNRNDFLAG; i++)
    letters += mjRNDSTRING[i][2][0] >= 'A' && mjRNDSTRING[i][2][0] <= 'Z';
  assert_int_equal(render, letters);
  assert_int_equal(groups, mjNGROUP);
  assert_int_equal(shifted, 4);
}

static void test_nothing_from_elsewhere(void **state) {
  (void)state;
  for (int i = 0; i < RL_PAGE_FILES; i++) {
    const char *text = rl_page_files[i].text;
    assert_null(strstr(text, "https:"));
    assert_null(strstr(text, "url("));
    assert_null(strstr(text, "eval("));
    // the only address is the name of SVG's namespace
    const char *address = strstr(text, "http:");
    if (address && strncmp(address, "http://www.w3.org/2000/svg", 26) != 0) {
      fail_msg("%s: %.60s", rl_page_files[i].name, address);
    }
  }
  // what the policy forbids would only fail in a browser
  assert_null(strstr(rl_page_file_index, " style=\""));
  assert_null(strstr(rl_page_file_index, "<style"));
  assert_null(strstr(rl_page_file_index, " onclick"));
}

static void test_commands(void **state) {
  (void)state;
  static const char *const known[] = {
      "orbit", "pan",  "zoom",  "select", "push_begin", "push_move", "push_end", "follow", "camera",
      "pause", "step", "speed", "reset",  "checkpoint", "resize",    "quality",  "save"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    char quoted[32], message[64];
    snprintf(quoted, sizeof quoted, "'%s'", known[i]);
    if (!strstr(rl_page_file_view, quoted) && !strstr(rl_page_file_input, quoted)) {
      fail_msg("%s is nowhere on the page", quoted);
    }
    // known by name: what is missed is a key
    RlCommand command;
    int length = snprintf(message, sizeof message, "{\"do\":\"%s\"}", known[i]);
    assert_int_equal(rl_message_read(&command, 1, message, (size_t)length), RL_USAGE);
    assert_non_null(strstr(rl_error_text(), "found no \"panel\""));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_flags),
      cmocka_unit_test(test_nothing_from_elsewhere),
      cmocka_unit_test(test_commands),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
