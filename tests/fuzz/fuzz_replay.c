// Replay buffers out of resume files of any bytes behind a sound digest: the list, the head and the
// tail. A ring shorter than a segment lists no other files, and a segment's file is read by the
// same code. What is refused leaves the buffer empty; what is taken can be gone on from.
//
// The bytes are entered as fuzz_checkpoint.c enters them.
#include <stdlib.h>

#include "rl/run/checkpoint_format.h"
#include "rl/run/replay_file.h"
#include "tests/fuzz/refused.h"
#include "tests/fuzz/standalone.h"

// InvertedPendulum-v5, whose run the first inputs come from
enum { N = 2, O = 4, A = 1, ROWS = 40, LIMIT = 20 };
enum { END_AT = RL_CHECKPOINT_BLOCK + 28, SUPERBLOCK_END = RL_CHECKPOINT_BLOCK + 48 };

static const char path[] = "fuzz.h5";

typedef struct {
  RlArena arena;
  RlReplay replay;
  RlReplayFile file;
  RlFolder folder;
  float now[N * O], step[N * O];
  uint8_t end[N];
} World;

static World *make_world(void) {
  static World world;
  World *w = &world;
  if (w->replay.capacity > 0) return w;
  snprintf(w->folder.dir, sizeof w->folder.dir, "nowhere");
  rl_replay_init(&w->replay, &w->arena, N * ROWS, N, O, A, LIMIT, w->now);
  rl_replay_file_init(&w->file, &w->arena, &w->replay);
  return w;
}

// Twice around the ring, with every kind of end.
static void go_on(World *w) {
  RlReplay *replay = &w->replay;
  int64_t before = replay->written;
  for (int t = 0; t < 2 * ROWS; t++) {
    for (int n = 0; n < N; n++) w->end[n] = (t + n) % LIMIT == LIMIT - 1 ? RL_REPLAY_TRUNCATED : 0;
    if (t % 7 == 3) w->end[0] = RL_REPLAY_TERMINATED;
    rl_replay_push(replay, w->step, w->step, w->step, w->end, w->step);
  }
  RL_ASSERT(replay->written == before + 2 * ROWS && replay->nlost == 0);
}

static void load(World *w, RlCheckpoint *checkpoint) {
  RlReplay *replay = &w->replay;
  RlStatus status = rl_replay_file_load(&w->file, &w->folder, checkpoint, path);
  if (status != RL_OK) {
    expect_refused(status, path);
    RL_ASSERT(replay->written == 0 && replay->oldest == 0);
    return;
  }
  RL_ASSERT(replay->written == w->file.written);
  RL_ASSERT(replay->oldest >= 0 && replay->written - replay->oldest <= ROWS);
  // a run that has ended an episode this very step may end none again before its limit
  if (replay->nfinal == 0) go_on(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  RlCheckpoint *checkpoint;
  uint8_t *image = malloc(size > 0 ? size : 1);
  RL_ASSERT(image);
  if (size > 0) memcpy(image, data, size);
  if (size >= SUPERBLOCK_END && image[RL_CHECKPOINT_BLOCK - 1] == 0) {
    for (int i = 0; i < 8; i++) image[END_AT + i] = (uint8_t)(size >> 8 * i);
  }
  rl_error_clear();
  if (rl_checkpoint_open_image(&checkpoint, image, size, path) == RL_OK) {
    load(make_world(), checkpoint);
  }
  rl_checkpoint_close(checkpoint);
  free(image);
  return 0;
}
