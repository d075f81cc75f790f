// Memory in use, for tests of what is given back.
#ifndef TESTS_UNIT_RL_MEMORY_H_
#define TESTS_UNIT_RL_MEMORY_H_

#include <malloc.h>
#include <stddef.h>

// Bytes; 0 under a sanitizer, which has memory of its own and looks for what is lost itself.
static inline size_t memory_in_use(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

#endif
