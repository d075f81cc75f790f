// version.txt. Place: see version.h. Everything is asked of the libraries that run, not of the
// headers they were compiled against, but for the compiler.
#include "rl/run/version.h"

#include <gnu/libc-version.h>
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "rl/base/file.h"
#include "rl/base/status.h"
#include "rl/tensorboard/events.h"

#ifdef __clang__
static const char compiler[] = __VERSION__;  // names itself
#else
static const char compiler[] = "gcc " __VERSION__;
#endif

// the value of a key of /proc/cpuinfo, "unknown" if there is none
static void read_cpu(const char *key, char *value, size_t size) {
  char line[512];
  snprintf(value, size, "unknown");
  FILE *file = fopen("/proc/cpuinfo", "re");
  if (!file) return;
  while (fgets(line, sizeof line, file)) {
    const char *colon = strchr(line, ':');
    if (strncmp(line, key, strlen(key)) != 0 || !colon) continue;
    snprintf(value, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
    value[strcspn(value, "\n")] = '\0';
    break;
  }
  fclose(file);
}

// the vector extensions that numerical kernels choose by
static void list_features(char *text, size_t size) {
  text[0] = '\0';
#if defined(__x86_64__)
  size_t n = 0;
#define FEATURE(name) \
  if (__builtin_cpu_supports(name) && n < size) n += (size_t)snprintf(text + n, size - n, " " name)
  __builtin_cpu_init();
  FEATURE("sse4.2");
  FEATURE("avx");
  FEATURE("avx2");
  FEATURE("fma");
  FEATURE("avx512f");
  FEATURE("avx512dq");
  FEATURE("avx512bw");
  FEATURE("avx512vl");
  FEATURE("avx512vnni");
#undef FEATURE
#endif
}

// A digest of what the C library's mathematics gives for the same arguments. The physics calls it,
// and it chooses its code by the processor: two machines that differ here give different runs.
static XXH64_hash_t digest_mathematics(void) {
  enum { ARGUMENTS = 1024, FUNCTIONS = 6 };
  double y[ARGUMENTS][FUNCTIONS];
  for (int i = 0; i < ARGUMENTS; i++) {
    double x = 0.0123 * (i + 1);
    y[i][0] = sin(x);
    y[i][1] = cos(x);
    y[i][2] = exp(-x);
    y[i][3] = log(x);
    y[i][4] = pow(x, 0.7);
    y[i][5] = atan2(x, 1.7);
  }
  return XXH3_64bits(y, sizeof y);
}

// Of the running program's file; 0 if it cannot be read.
static XXH64_hash_t digest_program(void) {
  uint8_t *data;
  size_t size;
  if (rl_file_read("/proc/self/exe", (size_t)1 << 30, &data, &size) != RL_OK) {
    rl_error_clear();
    return 0;
  }
  XXH64_hash_t digest = XXH3_64bits(data, size);
  free(data);
  return digest;
}

size_t rl_version_compose(const char *program, const char *mujoco, const char *kernels, char *text,
                          size_t size) {
  unsigned major = 0, minor = 0, release = 0;
  char cpu[128], features[128];
  read_cpu("model name", cpu, sizeof cpu);
  list_features(features, sizeof features);
  if (H5get_libversion(&major, &minor, &release) < 0) major = 0;
  int n = snprintf(text, size,
                   "rltrain: %s\nprogram: %016llx\ncompiler: %s\nc library: glibc %s\n"
                   "mathematics: %016llx\nmujoco: %s\nkernels: %s\n"
                   "hdf5: %u.%u.%u\nxxhash: %u\nprotobuf-c: %s\ncpu: %s\ncpu features:%s\n",
                   program, (unsigned long long)digest_program(), compiler, gnu_get_libc_version(),
                   (unsigned long long)digest_mathematics(), mujoco, kernels, major, minor, release,
                   XXH_versionNumber(), rl_events_library(), cpu, features);
  return n < 0 ? 0 : (size_t)n;
}
