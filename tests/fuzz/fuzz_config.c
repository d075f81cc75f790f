// Configuration files of any bytes: refused with one line that names the file, or read into values
// that a dump brings back unchanged.
#include <string.h>

#include "rl/base/config.h"
#include "rl/base/status.h"
#include "tests/fuzz/standalone.h"

enum { DUMP_SIZE = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static RlConfig config, again;
  static char first[DUMP_SIZE], second[DUMP_SIZE];
  rl_config_default(&config);
  rl_error_clear();
  RlStatus status = rl_config_parse(&config, (const char *)data, size, "fuzz.ini");
  if (status == RL_OK) status = rl_config_validate(&config, "fuzz.ini");
  if (status != RL_OK) {
    const char *line = rl_error_text();
    RL_ASSERT(status == RL_USAGE);
    RL_ASSERT(strncmp(line, "fuzz.ini:", 9) == 0);
    RL_ASSERT(strchr(line, '\n') == NULL);
    RL_ASSERT(strstr(line, ", expected ") != NULL);
    return 0;
  }
  size_t length = rl_config_dump(&config, false, first, sizeof first);
  RL_ASSERT(length < sizeof first);
  rl_config_default(&again);
  RL_ASSERT(rl_config_parse(&again, first, length, "dump.ini") == RL_OK);
  RL_ASSERT(rl_config_validate(&again, "dump.ini") == RL_OK);
  RL_ASSERT(rl_config_dump(&again, false, second, sizeof second) == length);
  RL_ASSERT(memcmp(first, second, length) == 0);
  return 0;
}
