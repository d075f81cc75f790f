// Arena: memory for the life of a run, allocated in one phase at the start and freed at once.
// Blocks are zeroed and 64-byte aligned. After rl_arena_seal a push is a programmer's error, which
// is how "no allocation in the training loop" is kept.
#ifndef RL_BASE_ARENA_H_
#define RL_BASE_ARENA_H_

#include <stddef.h>

typedef struct RlArenaBlock RlArenaBlock;

typedef struct {
  RlArenaBlock *block;  // newest block first; each points at the one before
  size_t used;          // bytes handed out, padding included
  int sealed;
} RlArena;

// An empty arena needs no call: RlArena arena = {0}.

// Returns count * size zeroed bytes, 64-byte aligned; never NULL (a machine without memory ends the
// process with one line: what cannot fit is refused earlier, when the configuration is checked).
void *rl_arena_push(RlArena *arena, size_t count, size_t size);

#define RL_PUSH(arena, type, count) ((type *)rl_arena_push((arena), (size_t)(count), sizeof(type)))

// Ends the allocation phase.
void rl_arena_seal(RlArena *arena);

void rl_arena_free(RlArena *arena);

#endif
