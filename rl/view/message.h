// What the page says, one WebSocket text message: a flat JSON object, for example
//   {"do": "orbit", "panel": 0, "x": 0.01, "y": -0.02}
// Place: between server.c, which has the bytes from whoever connects, and the hub's commands.
//
// Strict, so that nothing later has to doubt a command: every key the kind has must be there, once,
// and no other; numbers are finite and in the kind's range. docs/view.md lists the kinds.
#ifndef RL_VIEW_MESSAGE_H_
#define RL_VIEW_MESSAGE_H_

#include <stddef.h>

#include "rl/base/status.h"
#include "rl/view/command.h"

enum { RL_MESSAGE_SIZE = 1024 };  // longest message, bytes

// Reads a message of any bytes for a view of `panels` panels. RL_USAGE with a line that begins with
// "message:" where it is refused; command is written only on RL_OK.
RL_MUST_USE RlStatus rl_message_read(RlCommand *command, int panels, const char *text, size_t size);

#endif
