// One value of the configuration as text and as a field. Place: below config.c; shared by the
// parser and the dump so that what one writes the other reads back to the same bits.
//
// Invariant: neither direction looks at the process's locale.
#ifndef RL_BASE_CONFIG_VALUE_H_
#define RL_BASE_CONFIG_VALUE_H_

#include "rl/base/config.h"

enum { RL_VALUE_MAX = 128 };  // longest value with its terminator

// Parses text as option's kind within its bounds. field is written only if that succeeds.
bool rl_config_value_parse(const RlOption *option, const char *text, void *field);

// Writes field as text that parses back to the same bits, in at most RL_VALUE_MAX bytes.
void rl_config_value_print(const RlOption *option, const void *field, char *text);

// Writes the value of a row of the table as a dump has it, layers that follow policy.hidden as
// "hidden"; false, and "", where a dump leaves the key out: the algorithm does not read it, or the
// task does not know it.
bool rl_config_value_of(const RlConfig *config, int row, char text[RL_VALUE_MAX]);

// Writes what the option accepts, as it stands after "expected" in an error.
void rl_config_value_expected(const RlOption *option, char *text, size_t size);

#endif
