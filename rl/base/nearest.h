// How near two names are: which known name an error line suggests for one that is unknown. Place:
// below the configuration, whose sections, keys and tasks are such names.
#ifndef RL_BASE_NEAREST_H_
#define RL_BASE_NEAREST_H_

#include <stdbool.h>

// bytes of a name that are looked at: a longer one is nobody's neighbour
enum { RL_NEAREST_MAX = 64 };

// Letters to insert, delete or replace until one name is the other; A to Z count as a to z.
int rl_nearest_distance(const char *a, const char *b);

// Whether name begins with known, likewise.
bool rl_nearest_begins(const char *name, const char *known);

#endif
