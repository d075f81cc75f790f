// Data files: found in the sources and beside the program's own tree, refused by name otherwise.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rl/base/path.h"

enum { PATH_SIZE = 4096 };

// Creates an empty file and the folders above it, below root.
static void plant(const char *root, const char *path) {
  char text[2 * PATH_SIZE];
  snprintf(text, sizeof text, "%s%s", root, path);
  for (char *slash = text + strlen(root); (slash = strchr(slash + 1, '/')) != NULL;) {
    *slash = '\0';
    (void)mkdir(text, 0777);
    *slash = '/';
  }
  FILE *file = fopen(text, "w");
  assert_non_null(file);
  fclose(file);
}

static void program_root(char *root) {
  ssize_t length = readlink("/proc/self/exe", root, PATH_SIZE - 1);
  assert_true(length > 0);
  root[length] = '\0';
  *strrchr(root, '/') = '\0';
  *strrchr(root, '/') = '\0';
}

// The source tree may not be written, so what is looked for must already be there: this test's own
// folder is reached through the configs folder.
static void test_source_tree(void **state) {
  (void)state;
  char path[PATH_SIZE];
  const char *name = "../tests/unit/base/test_path.c";
  assert_int_equal(rl_path_find(path, sizeof path, "configs", name), RL_OK);
  assert_string_equal(path, RL_SOURCE_DIR "/configs/../tests/unit/base/test_path.c");
  assert_int_equal(access(path, R_OK), 0);
}

static void test_installed_first(void **state) {
  (void)state;
  char root[PATH_SIZE], path[PATH_SIZE], expected[2 * PATH_SIZE];
  program_root(root);
  static const char *const kind[] = {"models", "configs"};
  for (int i = 0; i < 2; i++) {
    char planted[256];
    snprintf(planted, sizeof planted, "/share/rltrain/%s/test_path_%d.tmp", kind[i], (int)getpid());
    plant(root, planted);
    const char *name = strrchr(planted, '/') + 1;
    assert_int_equal(rl_path_find(path, sizeof path, kind[i], name), RL_OK);
    snprintf(expected, sizeof expected, "%s%s", root, planted);
    assert_string_equal(path, expected);
    unlink(path);
    assert_int_not_equal(rl_path_find(path, sizeof path, kind[i], name), RL_OK);
    // leave nothing behind: an installed folder goes before the sources
    *strrchr(expected, '/') = '\0';
    (void)rmdir(expected);
    *strrchr(expected, '/') = '\0';
    (void)rmdir(expected);
    *strrchr(expected, '/') = '\0';
    (void)rmdir(expected);
  }
}

static void test_missing(void **state) {
  (void)state;
  char path[PATH_SIZE] = "before";
  assert_int_equal(rl_path_find(path, sizeof path, "configs", "nowhere.ini"), RL_USAGE);
  assert_string_equal(path, "");
  assert_non_null(strstr(rl_error_text(), "nowhere.ini: found in neither "));
  assert_non_null(strstr(rl_error_text(), "share/rltrain/configs"));
  assert_int_equal(rl_path_find(path, sizeof path, "models", "nowhere.xml"), RL_FAIL);
  assert_non_null(strstr(rl_error_text(), "nowhere.xml"));
  // a folder and an empty name are no files
  assert_int_equal(rl_path_find(path, sizeof path, "configs", "../tests"), RL_USAGE);
  assert_int_equal(rl_path_find(path, sizeof path, "configs", ""), RL_USAGE);
}

static void test_small_buffer(void **state) {
  (void)state;
  char path[8];
  const char *name = "../tests/unit/base/test_path.c";
  assert_int_equal(rl_path_find(path, sizeof path, "configs", name), RL_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_source_tree),
      cmocka_unit_test(test_installed_first),
      cmocka_unit_test(test_missing),
      cmocka_unit_test(test_small_buffer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
