// Arena: bump allocation out of large zeroed chunks, all freed at once. Place: the allocation phase
// at the start of a run.
//
// Invariants: every block starts on a 64-byte boundary and no two share a cache line, so that
// threads writing neighbouring blocks never share one; fresh chunks come from calloc, whose pages
// are not touched before they are used.
#include "rl/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "rl/base/status.h"

enum { ALIGN = 64, CHUNK = 1 << 18 };

struct RlArenaBlock {
  RlArenaBlock *previous;
  unsigned char *base;  // first aligned byte
  size_t capacity;      // bytes from base on
  size_t used;
};

static _Noreturn void refuse(size_t count, size_t size) {
  fprintf(stderr, "arena: cannot allocate %zu x %zu bytes\n", count, size);
  exit(1);
}

static RlArenaBlock *grow(RlArena *arena, size_t need) {
  size_t capacity = need > CHUNK ? need : (size_t)CHUNK;
  RlArenaBlock *block = calloc(1, sizeof *block + ALIGN + capacity);
  if (block == NULL) refuse(1, capacity);
  uintptr_t start = (uintptr_t)(block + 1);
  size_t pad = (ALIGN - start % ALIGN) % ALIGN;
  block->base = (unsigned char *)(block + 1) + pad;
  block->capacity = capacity;
  block->previous = arena->block;
  arena->block = block;
  return block;
}

void *rl_arena_push(RlArena *arena, size_t count, size_t size) {
  RL_ASSERT(!arena->sealed);
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX - 4 * (size_t)ALIGN) {
    refuse(count, size);
  }
  // an empty block still has an address of its own
  size_t need = bytes == 0 ? (size_t)ALIGN : (bytes + ALIGN - 1) / ALIGN * ALIGN;
  RlArenaBlock *block = arena->block;
  if (block == NULL || block->capacity - block->used < need) block = grow(arena, need);
  void *memory = block->base + block->used;
  block->used += need;
  arena->used += need;
  return memory;
}

void rl_arena_seal(RlArena *arena) {
  arena->sealed = 1;
}

void rl_arena_free(RlArena *arena) {
  RlArenaBlock *block = arena->block;
  while (block != NULL) {
    RlArenaBlock *previous = block->previous;
    free(block);
    block = previous;
  }
  *arena = (RlArena){0};
}
