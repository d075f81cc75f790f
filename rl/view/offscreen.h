// Pictures without a screen: an OpenGL context by EGL, MuJoCo's renderer in it, and the pixels of
// the last picture. Place: below stage.c, which has the scene.
//
// An OpenGL context belongs to one thread at a time: whoever opens it draws with it and closes it.
// MuJoCo's fatal errors, which would end the process, become a status here.
#ifndef RL_VIEW_OFFSCREEN_H_
#define RL_VIEW_OFFSCREEN_H_

#include <mujoco/mjbatch.h>
#include <mujoco/mujoco.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rl/base/status.h"

enum { RL_PICTURE_MIN = 16, RL_PICTURE_WIDTH = 1920, RL_PICTURE_HEIGHT = 1080 };

typedef struct {
  void *display, *surface, *context;  // EGL's; surface: NULL where none is needed
  mjModel *m;                         // the caller's
  mjBatch *guard;                     // owned: what runs in it survives MuJoCo's errors
  mjrContext *gpu;                    // owned: MuJoCo's part of the OpenGL context
  bool fine;                          // multisampling, and shadows of high resolution
  int width, height;                  // of the picture in rgb
  uint8_t *rgb;                       // the last picture, top row first    (height, width, 3)
  double read_seconds;                // what reading the last picture back took
} RlOffscreen;

// Opens a context for pictures of model m, whose visual settings it changes: of a copy that nobody
// else uses. RL_FAIL with one line where there is no EGL. Close whatever the status.
RL_MUST_USE RlStatus rl_offscreen_open(RlOffscreen *off, mjModel *m);

// Draws scene at width x height, held within the bounds above and even, into rgb. What fine changes
// is changed before the picture, which takes some milliseconds more then.
RL_MUST_USE RlStatus rl_offscreen_draw(RlOffscreen *off, mjvScene *scene, int width, int height,
                                       bool fine);

// What draws: OpenGL's own name for it.
void rl_offscreen_device(const RlOffscreen *off, char *name, size_t size);

// Safe after a failed open.
void rl_offscreen_close(RlOffscreen *off);

#endif
