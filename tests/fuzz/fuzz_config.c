// Configuration files of any bytes: refused with one line that names the file, or read into values
// that a dump brings back unchanged.
#include <string.h>

#include "rl/base/config.h"
#include "tests/fuzz/refused.h"
#include "tests/fuzz/standalone.h"

enum { DUMP_SIZE = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static RlConfig fresh, config, again;
  static char first[DUMP_SIZE], second[DUMP_SIZE];
  // the defaults take longer than most inputs
  if (fresh.policy.hidden.n == 0) rl_config_default(&fresh);
  config = fresh;
  rl_error_clear();
  RlStatus status = rl_config_parse(&config, (const char *)data, size, "fuzz.ini");
  if (status == RL_OK) status = rl_config_validate(&config, "fuzz.ini");
  if (status != RL_OK) {
    RL_ASSERT(status == RL_USAGE);
    expect_refused(status, "fuzz.ini");
    return 0;
  }
  size_t length = rl_config_dump(&config, RL_DUMP_INI, first, sizeof first);
  RL_ASSERT(length < sizeof first);
  again = fresh;
  RL_ASSERT(rl_config_parse(&again, first, length, "dump.ini") == RL_OK);
  RL_ASSERT(rl_config_validate(&again, "dump.ini") == RL_OK);
  RL_ASSERT(rl_config_dump(&again, RL_DUMP_INI, second, sizeof second) == length);
  RL_ASSERT(memcmp(first, second, length) == 0);
  return 0;
}
