// Messages of any bytes from the page: refused with one line, or read into a command whose every
// field is in range.
#include <math.h>

#include "rl/view/message.h"
#include "tests/fuzz/refused.h"
#include "tests/fuzz/standalone.h"

enum { PANELS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  RlCommand command;
  rl_error_clear();
  RlStatus status = rl_message_read(&command, PANELS, (const char *)data, size);
  if (status != RL_OK) {
    RL_ASSERT(status == RL_USAGE);
    expect_refused(status, "message");
    return 0;
  }
  RL_ASSERT(command.kind >= RL_COMMAND_ORBIT && command.kind <= RL_COMMAND_SAVE);
  RL_ASSERT(command.panel >= 0 && command.panel < PANELS);
  RL_ASSERT(fabs(command.x) <= 4096 && fabs(command.y) <= 4096 && fabs(command.value) <= 100);
  RL_ASSERT(command.number >= -1 && command.number <= 9999);
  return 0;
}
