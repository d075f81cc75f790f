// The INI reader below rl_config_parse and rl_config_load.
#ifndef RL_BASE_CONFIG_INI_H_
#define RL_BASE_CONFIG_INI_H_

#include "rl/base/config.h"

// Reads text as INI over config; name stands for the file in errors.
RL_MUST_USE RlStatus rl_config_ini_read(RlConfig *config, const char *text, size_t size,
                                        const char *name);

#endif
