// The last minutes of what a panel showed, in memory, and a video of them on demand. Place: fed by
// live.c beside the hub, which gets the video.
//
// Invariants: bounded in seconds and bytes, the oldest pictures give way; nothing is written to a
// name that a client chose, and nothing stays on the disk.
#ifndef RL_VIEW_RECORDER_H_
#define RL_VIEW_RECORDER_H_

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "rl/base/status.h"
#include "rl/view/hub.h"

enum { RL_RECORDER_SECONDS = 120, RL_RECORDER_FPS = 30, RL_RECORDER_FRAMES = 8192 };

typedef struct {
  size_t at, size;  // in bytes of the ring
  double seconds;   // since the first, pauses left out
} RlRecorderFrame;

typedef struct {
  uint8_t *bytes;  // the ring                                             (room)
  size_t room, tail;
  RlRecorderFrame *frame;  // (RL_RECORDER_FRAMES), a ring too
  int first, count;
  double shown, pushed;  // time of the newest: by the recording, by the clock

  // the video under way, during which nothing is recorded
  pthread_t thread;
  bool saving;
  atomic_bool over;
  RlHub *hub;
  int panel, width, height;
  volatile sig_atomic_t stop;
  char trouble[256];  // why there is no video, "": there is one
} RlRecorder;

// Keeps up to room bytes of pictures. Free whatever the status.
RL_MUST_USE RlStatus rl_recorder_init(RlRecorder *recorder, size_t room);

// Adds a picture shown at clock time `now`; one larger than the ring is left out.
void rl_recorder_push(RlRecorder *recorder, const uint8_t *jpeg, size_t size, double now);

// Begins to make a video of width x height and gives it to the hub when it is there. RL_FAIL when
// nothing is recorded or one is under way.
RL_MUST_USE RlStatus rl_recorder_save(RlRecorder *recorder, RlHub *hub, int panel, int width,
                                      int height);

// True once after a video has come to its end; trouble says how.
bool rl_recorder_saved(RlRecorder *recorder);

// Gives up a video under way.
void rl_recorder_free(RlRecorder *recorder);

#endif
