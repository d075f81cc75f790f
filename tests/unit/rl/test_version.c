// version.txt: one line for each thing that can change a run's bits, and whether there are event
// files.
#include "rl/run/version.h"

#include <gnu/libc-version.h>
#include <hdf5.h>
#include <mujoco/mujoco.h>
#include <xxhash.h>

#include "rl/tensorboard/events.h"
#include "tests/unit/rl/near.h"
#include "tests/unit/rl/scratch.h"

static const char *const key[] = {"rltrain",     "program",    "compiler", "c library",
                                  "mathematics", "mujoco",     "kernels",  "hdf5",
                                  "xxhash",      "protobuf-c", "cpu",      "cpu features"};

enum { KEYS = sizeof key / sizeof *key, SIZE = 4096 };

static char text[SIZE];

static void compose(void) {
  size_t n = rl_version_compose("1.2.3", mj_versionString(), "avx2", text, sizeof text);
  assert_int_equal(n, strlen(text));
}

// the value of a key, in a buffer that the next call uses again
static const char *value_of(const char *name) {
  static char value[SIZE];
  char line[64];
  snprintf(line, sizeof line, "\n%s:", name);
  const char *at = strstr(text, line);
  assert_non_null(at);
  at += strlen(line);
  snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\n"), at);
  return value[0] == ' ' ? value + 1 : value;
}

// every key once, in this order, and no other line
static void test_keys(void **state) {
  (void)state;
  compose();
  char copy[SIZE], *rest = copy;
  memcpy(copy, text, sizeof copy);
  for (int k = 0; k < KEYS; k++) {
    char *line = strsep(&rest, "\n");
    assert_non_null(rest);
    size_t length = strlen(key[k]);
    assert_memory_equal(line, key[k], length);
    assert_true(line[length] == ':');
    if (k < KEYS - 1) assert_true(line[length + 1] == ' ' && line[length + 2] > ' ');
  }
  assert_string_equal(rest, "");
}

static void test_libraries(void **state) {
  (void)state;
  char expected[64];
  unsigned major, minor, release;
  compose();
  assert_memory_equal(text, "rltrain: 1.2.3\n", 15);
  assert_string_equal(value_of("kernels"), "avx2");
  assert_string_equal(value_of("mujoco"), mj_versionString());
  snprintf(expected, sizeof expected, "glibc %s", gnu_get_libc_version());
  assert_string_equal(value_of("c library"), expected);
  assert_true(H5get_libversion(&major, &minor, &release) >= 0);
  snprintf(expected, sizeof expected, "%u.%u.%u", major, minor, release);
  assert_string_equal(value_of("hdf5"), expected);
  snprintf(expected, sizeof expected, "%u", XXH_versionNumber());
  assert_string_equal(value_of("xxhash"), expected);
  assert_string_equal(value_of("protobuf-c"), rl_events_library());
  assert_non_null(strstr(value_of("compiler"), __VERSION__));
}

// this very program: the digest of the file it was started from
static void test_program(void **state) {
  (void)state;
  char path[1024], expected[32];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  assert_true(n > 0);
  path[n] = '\0';
  size_t size;
  uint8_t *data = scratch_get(path, &size);
  snprintf(expected, sizeof expected, "%016llx", (unsigned long long)XXH3_64bits(data, size));
  free(data);
  compose();
  assert_string_equal(value_of("program"), expected);
}

// The same at every call, and of all bits of the results: one that differs in its last place in one
// function would show. tests/system/test_determinism.sh sees it change with the functions chosen.
static void test_mathematics(void **state) {
  (void)state;
  char first[32];
  compose();
  snprintf(first, sizeof first, "%.16s", value_of("mathematics"));
  assert_int_equal(strlen(value_of("mathematics")), 16);
  assert_int_equal(strspn(first, "0123456789abcdef"), 16);
  memset(text, 0, sizeof text);
  compose();
  assert_string_equal(value_of("mathematics"), first);
}

// listed if and only if /proc/cpuinfo has the flag
static void test_features(void **state) {
  (void)state;
  static const char *const feature[][2] = {{" sse4.2 ", " sse4_2 "},
                                           {" avx ", " avx "},
                                           {" avx2 ", " avx2 "},
                                           {" fma ", " fma "},
                                           {" avx512f ", " avx512f "}};
  static char flags[16384], listed[SIZE + 2];
  FILE *file = fopen("/proc/cpuinfo", "r");
  assert_non_null(file);
  while (fgets(flags, sizeof flags, file) && strncmp(flags, "flags", 5) != 0) continue;
  fclose(file);
  if (strncmp(flags, "flags", 5) != 0) skip();  // another kind of processor
  flags[strcspn(flags, "\n")] = ' ';
  compose();
  snprintf(listed, sizeof listed, " %s ", value_of("cpu features"));
  for (size_t k = 0; k < sizeof feature / sizeof *feature; k++) {
    bool has = strstr(flags, feature[k][1]), says = strstr(listed, feature[k][0]);
    if (has != says) fail_msg("%s: found %d, expected %d", feature[k][0], says, has);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_keys),     cmocka_unit_test(test_libraries),
      cmocka_unit_test(test_program),  cmocka_unit_test(test_mathematics),
      cmocka_unit_test(test_features),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
