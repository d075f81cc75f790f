// Limits of control groups: every folder up to the root is asked, and the least answer counts.
#include "rl/base/cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 64, SIZE = 512 };

static char asked[MOST][SIZE];
static int nasked;
static double answer[MOST];  // of the folder asked as so manieth

static double look(const char *folder) {
  assert_in_range(nasked, 0, MOST - 1);
  snprintf(asked[nasked], SIZE, "%s", folder);
  return answer[nasked++];
}

static double least(void) {
  nasked = 0;
  return rl_cgroup_least("memory", look);
}

static bool is_root(const char *folder) {
  return strcmp(folder, "/sys/fs/cgroup") == 0 || strcmp(folder, "/sys/fs/cgroup/memory") == 0;
}

static void test_folders(void **state) {
  (void)state;
  memset(answer, 0, sizeof answer);
  assert_true(least() == 0);
  if (nasked == 0) skip();
  for (int i = 0; i < nasked; i++) assert_int_equal(strncmp(asked[i], "/sys/fs/cgroup", 14), 0);
  // each is the folder of the one before it, up to a root, behind which another hierarchy may begin
  for (int i = 1; i < nasked; i++) {
    size_t length = strlen(asked[i]);
    bool above = strncmp(asked[i], asked[i - 1], length) == 0 && asked[i - 1][length] == '/';
    assert_true(above || is_root(asked[i - 1]));
  }
  assert_true(is_root(asked[nasked - 1]));
}

static void test_least(void **state) {
  (void)state;
  memset(answer, 0, sizeof answer);
  (void)least();
  int n = nasked;
  if (n < 2) skip();
  for (int i = 0; i < n; i++) {
    // a folder without a limit takes part in nothing
    memset(answer, 0, sizeof answer);
    answer[i] = 7;
    assert_true(least() == 7);
    for (int k = 0; k < n; k++) answer[k] = 9;
    answer[i] = 7;
    assert_true(least() == 7);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_folders), cmocka_unit_test(test_least)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
