// Messages from the page: every kind is read, everything else is refused with a reason and writes
// nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "rl/view/message.h"

static RlStatus read_text(RlCommand *command, const char *text) {
  return rl_message_read(command, 2, text, strlen(text));
}

static void test_every_kind(void **state) {
  (void)state;
  static const struct {
    const char *text;
    RlCommand expected;
  } row[] = {
      {"{\"do\":\"orbit\",\"panel\":1,\"x\":-0.5,\"y\":1e-2}",
       {.kind = RL_COMMAND_ORBIT, .panel = 1, .x = -0.5, .y = 0.01}},
      {" { \"x\" : 4 ,\t\"y\":-4,\r\n\"panel\":0, \"do\":\"pan\" } ",
       {.kind = RL_COMMAND_PAN, .x = 4, .y = -4}},
      {"{\"do\":\"zoom\",\"panel\":0,\"x\":0.25}", {.kind = RL_COMMAND_ZOOM, .x = 0.25}},
      {"{\"do\":\"select\",\"panel\":0,\"x\":0,\"y\":1}", {.kind = RL_COMMAND_SELECT, .y = 1}},
      {"{\"do\":\"push_begin\",\"panel\":0,\"turn\":true}",
       {.kind = RL_COMMAND_PUSH_BEGIN, .turn = true}},
      {"{\"do\":\"push_move\",\"panel\":0,\"x\":0.1,\"y\":0.2}",
       {.kind = RL_COMMAND_PUSH_MOVE, .x = 0.1, .y = 0.2}},
      {"{\"do\":\"push_end\",\"panel\":0}", {.kind = RL_COMMAND_PUSH_END}},
      {"{\"do\":\"follow\",\"panel\":0,\"on\":true}", {.kind = RL_COMMAND_FOLLOW, .on = true}},
      {"{\"do\":\"camera\",\"panel\":0,\"number\":-1}", {.kind = RL_COMMAND_CAMERA, .number = -1}},
      {"{\"do\":\"pause\",\"panel\":0,\"on\":false}", {.kind = RL_COMMAND_PAUSE}},
      {"{\"do\":\"step\",\"panel\":0}", {.kind = RL_COMMAND_STEP}},
      {"{\"do\":\"speed\",\"panel\":0,\"value\":0.25}", {.kind = RL_COMMAND_SPEED, .value = 0.25}},
      {"{\"do\":\"reset\",\"panel\":0}", {.kind = RL_COMMAND_RESET}},
      {"{\"do\":\"checkpoint\",\"panel\":0,\"number\":1}",
       {.kind = RL_COMMAND_CHECKPOINT, .number = 1}},
      {"{\"do\":\"resize\",\"panel\":0,\"x\":640,\"y\":480}",
       {.kind = RL_COMMAND_RESIZE, .x = 640, .y = 480}},
      {"{\"do\":\"quality\",\"panel\":0,\"on\":true}", {.kind = RL_COMMAND_QUALITY, .on = true}},
      {"{\"do\":\"flag\",\"panel\":0,\"number\":3}", {.kind = RL_COMMAND_FLAG, .number = 3}},
      {"{\"do\":\"render_flag\",\"panel\":0,\"number\":1}",
       {.kind = RL_COMMAND_RENDER_FLAG, .number = 1}},
      {"{\"do\":\"group\",\"panel\":0,\"number\":5}", {.kind = RL_COMMAND_GROUP, .number = 5}},
      {"{\"do\":\"save\",\"panel\":1}", {.kind = RL_COMMAND_SAVE, .panel = 1}},
  };
  int kinds = 0;
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    RlCommand c = {0};
    assert_int_equal(read_text(&c, row[i].text), RL_OK);
    const RlCommand *e = &row[i].expected;
    assert_int_equal(c.kind, e->kind);
    assert_int_equal(c.panel, e->panel);
    assert_true(c.x == e->x && c.y == e->y && c.value == e->value);
    assert_int_equal(c.number, e->number);
    assert_true(c.on == e->on && c.turn == e->turn);
    kinds |= 1 << c.kind;
  }
  assert_int_equal(kinds, (1 << (RL_COMMAND_SAVE + 1)) - 1);
}

// Refused with a line that names what is wrong; what was there stays.
static void expect_refused(const char *text, size_t size, const char *reason) {
  RlCommand command = {.kind = RL_COMMAND_SAVE, .number = 77};
  rl_error_clear();
  RlStatus status = rl_message_read(&command, 2, text, size);
  if (status != RL_USAGE || strncmp(rl_error_text(), "message: ", 9) != 0 ||
      !strstr(rl_error_text(), reason) || !strstr(rl_error_text(), ", expected ")) {
    fail_msg("%.*s: status %d, \"%s\", expected \"%s\"", (int)size, text, (int)status,
             rl_error_text(), reason);
  }
  assert_int_equal(command.kind, RL_COMMAND_SAVE);
  assert_int_equal(command.number, 77);
}

static void test_refusals(void **state) {
  (void)state;
  static const char *const row[][2] = {
      // shape
      {"", "its end"},
      {"   ", "its end"},
      {"[]", "byte 0x5b"},
      {"{", "its end"},
      {"{}", "do: found \"\""},
      {"{\"do\":\"reset\",\"panel\":0", "its end"},
      {"{\"do\":\"reset\",\"panel\":0,}", "byte 0x7d"},
      {"{,\"do\":\"reset\",\"panel\":0}", "byte 0x2c"},
      {"{\"do\":\"reset\" \"panel\":0}", "byte 0x22"},
      {"{\"do\" \"reset\",\"panel\":0}", "byte 0x22"},
      {"{\"do\":\"reset\",\"panel\":0}}", "more behind"},
      {"{\"do\":\"reset\",\"panel\":0}{}", "more behind"},
      {"{\"do\":{\"do\":1},\"panel\":0}", "byte 0x7b"},
      {"{\"do\":\"reset\",\"panel\":[0]}", "no number"},
      {"{\"do\":null,\"panel\":0}", "byte 0x6e"},
      {"{do:\"reset\",\"panel\":0}", "byte 0x64"},
      // texts
      {"{\"do\":\"res", "not plain"},
      {"{\"d\\u006f\":\"reset\",\"panel\":0}", "not plain"},
      {"{\"do\":\"r\xc3\xa9set\",\"panel\":0}", "not plain"},
      {"{\"do\":\"resetresetresetresetresetresetreset\",\"panel\":0}", "long"},
      {"{\"do\":\"jump\",\"panel\":0}", "do: found \"jump\""},
      // keys
      {"{\"do\":\"reset\",\"panel\":0,\"path\":1}", "key \"path\""},
      {"{\"do\":\"reset\",\"panel\":0,\"panel\":1}", "twice"},
      {"{\"do\":\"reset\",\"panel\":0,\"x\":1}", "a \"x\""},
      {"{\"do\":\"zoom\",\"panel\":0}", "no \"x\""},
      {"{\"do\":\"reset\"}", "no \"panel\""},
      {"{\"panel\":0}", "do: found \"\""},
      // numbers
      {"{\"do\":\"zoom\",\"panel\":0,\"x\":}", "no number"},
      {"{\"do\":\"zoom\",\"panel\":0,\"x\":NaN}", "no number"},
      {"{\"do\":\"zoom\",\"panel\":0,\"x\":nan}", "no number"},
      {"{\"do\":\"zoom\",\"panel\":0,\"x\":Infinity}", "no number"},
      {"{\"do\":\"zoom\",\"panel\":0,\"x\":1e999}", "no number"},
      {"{\"do\":\"zoom\",\"panel\":0,\"x\":01}", "no number"},
      {"{\"do\":\"zoom\",\"panel\":0,\"x\":.5}", "no number"},
      {"{\"do\":\"zoom\",\"panel\":0,\"x\":1.}", "no number"},
      {"{\"do\":\"zoom\",\"panel\":0,\"x\":1e}", "no number"},
      {"{\"do\":\"zoom\",\"panel\":0,\"x\":+1}", "no number"},
      {"{\"do\":\"zoom\",\"panel\":0,\"x\":0x1}", "byte 0x78"},
      {"{\"do\":\"zoom\",\"panel\":0,\"x\":\"1\"}", "no number"},
      {"{\"do\":\"zoom\",\"panel\":0,\"x\":0.0000000000000000000000000000000001}", "no number"},
      // ranges
      {"{\"do\":\"zoom\",\"panel\":0,\"x\":4.1}", "found 4.1, expected -4 to 4"},
      {"{\"do\":\"orbit\",\"panel\":0,\"x\":0,\"y\":-5}", "y: found -5"},
      {"{\"do\":\"select\",\"panel\":0,\"x\":-0.1,\"y\":0}", "x: found -0.1"},
      {"{\"do\":\"speed\",\"panel\":0,\"value\":0}", "value: found 0"},
      {"{\"do\":\"speed\",\"panel\":0,\"value\":-1}", "value: found -1"},
      {"{\"do\":\"checkpoint\",\"panel\":0,\"number\":2}", "number: found 2"},
      {"{\"do\":\"checkpoint\",\"panel\":0,\"number\":0.5}", "a whole number"},
      {"{\"do\":\"camera\",\"panel\":0,\"number\":1e99}", "a whole number"},
      {"{\"do\":\"flag\",\"panel\":0,\"number\":1000}", "number: found 1000"},
      {"{\"do\":\"group\",\"panel\":0,\"number\":-1}", "number: found -1"},
      {"{\"do\":\"resize\",\"panel\":0,\"x\":1e5,\"y\":100}", "x: found 100000"},
      {"{\"do\":\"reset\",\"panel\":2}", "panel: found 2"},
      {"{\"do\":\"reset\",\"panel\":-1}", "panel: found -1"},
      // truths
      {"{\"do\":\"pause\",\"panel\":0,\"on\":1}", "true or false"},
      {"{\"do\":\"pause\",\"panel\":0,\"on\":tru}", "true or false"},
      {"{\"do\":\"pause\",\"panel\":0,\"on\":True}", "true or false"},
  };
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    expect_refused(row[i][0], strlen(row[i][0]), row[i][1]);
  }
  static const char nul[] = "{\"do\":\"reset\",\"panel\":0}\0";
  expect_refused(nul, sizeof nul, "more behind");
}

// Every cut of a good message is refused, and what is longer than a message may be.
static void test_length(void **state) {
  (void)state;
  static const char good[] = "{\"do\":\"orbit\",\"panel\":0,\"x\":0.5,\"y\":-0.5}";
  for (size_t size = 0; size < sizeof good - 1; size++) expect_refused(good, size, "found");
  char text[RL_MESSAGE_SIZE + 1];
  memset(text, ' ', sizeof text);
  memcpy(text, good, sizeof good - 1);
  RlCommand command;
  assert_int_equal(rl_message_read(&command, 2, text, RL_MESSAGE_SIZE), RL_OK);
  expect_refused(text, sizeof text, "1025 bytes");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_kind),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
