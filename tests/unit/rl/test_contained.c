// Work in a child process: its answer, its crash, its endless loop and its greed each become the
// caller's status and line.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rl/base/clock.h"
#include "rl/run/contained.h"

enum { MEGABYTE = 1 << 20 };

static volatile int spins;

static void spin_for(double seconds) {
  for (double start = rl_clock_seconds(); rl_clock_seconds() - start < seconds;) spins++;
}

static RlStatus succeed(void *arg) {
  *(int *)arg = 7;
  return RL_OK;
}

static RlStatus refuse(void *arg) {
  return rl_error(RL_USAGE, "refused: %s", (const char *)arg);
}

static RlStatus crash(void *arg) {
  (void)arg;
  raise(SIGSEGV);
  return RL_OK;
}

static RlStatus spin(void *arg) {
  spin_for(*(double *)arg);
  return RL_OK;
}

static RlStatus spin_uncounted(void *arg) {
  rl_contained_clock(0);
  spin_for(*(double *)arg);
  rl_contained_clock(0.05);
  return RL_OK;
}

static RlStatus spin_counted_again(void *arg) {
  rl_contained_clock(0);
  rl_contained_clock(0.05);
  return spin(arg);
}

// takes memory by the megabyte, up to *arg of it
static RlStatus take(void *arg) {
  for (int i = 0; i < *(int *)arg; i++) {
    volatile char *block = malloc(MEGABYTE);
    if (!block) return rl_error(RL_FAIL, "no memory left");
    block[0] = 1;
  }
  return RL_OK;
}

static void expect(RlStatus status, const char *text, double bytes, RlStatus (*work)(void *),
                   void *arg) {
  rl_error_clear();
  RlStatus found = rl_contained_run("file.h5", 0.05, bytes, work, arg);
  if (found != status || strcmp(rl_error_text(), text) != 0) {
    fail_msg("found %d \"%s\", expected %d \"%s\"", found, rl_error_text(), status, text);
  }
}

static void test_answer(void **state) {
  (void)state;
  int here = 0;
  expect(RL_OK, "", MEGABYTE, succeed, &here);
  assert_int_equal(here, 0);  // what the child changes is the child's
  expect(RL_USAGE, "refused: this", MEGABYTE, refuse, "this");
}

static void test_crash(void **state) {
  (void)state;
  expect(RL_FAIL, "file.h5: found bytes that crash its library (signal 11), expected a sound file",
         MEGABYTE, crash, NULL);
}

static void test_time(void **state) {
  (void)state;
  double shorter = 0.001, longer = 0.4, endless = 1e9;
  const char *text =
      "file.h5: found bytes over which its library spends more than 0.05 s, expected a sound file";
  expect(RL_OK, "", MEGABYTE, spin, &shorter);
  expect(RL_FAIL, text, MEGABYTE, spin, &endless);
  expect(RL_OK, "", MEGABYTE, spin_uncounted, &longer);
  expect(RL_FAIL, text, MEGABYTE, spin_counted_again, &endless);
}

static void test_memory(void **state) {
  (void)state;
  int little = 8, much = 4096;
  expect(RL_OK, "", 512.0 * MEGABYTE, take, &little);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)  // theirs ends the process
  expect(RL_FAIL, "no memory left", 512.0 * MEGABYTE, take, &much);
#else
  (void)much;
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_answer),
      cmocka_unit_test(test_crash),
      cmocka_unit_test(test_time),
      cmocka_unit_test(test_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
