// Videos and single pictures of a policy, paced by simulated time. Place: what rlview calls for
// --video and --image; it joins a stage, pictures and the ffmpeg program.
#ifndef RL_VIEW_VIDEO_H_
#define RL_VIEW_VIDEO_H_

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "rl/base/status.h"

typedef struct {
  const char *path;    // a run folder or a checkpoint
  const char *out;     // video: .mp4, .gif or .webp; image: .png or .jpg
  const char *camera;  // a camera of the model; NULL: the one the live view begins with
  uint64_t seed;
  int episodes;  // whole episodes, from 0
  int width, height, fps;
  double seconds;                     // video: no longer than this (INFINITY: as long as it is);
                                      // image: when; simulated time
  bool fine;                          // shadows, reflections and multisampling
  bool force;                         // replace a file that is there
  const volatile sig_atomic_t *stop;  // set by a signal: give up
} RlVideoRequest;

typedef struct {
  int64_t frames;
  double seconds;  // of simulated time
} RlVideoResult;

// Writes a video. The moments shown are k / fps for k = 0, 1, ... up to the end of the last episode
// or request->seconds, so the frames are floor(duration x fps) + 1. The file appears whole or not
// at all.
RL_MUST_USE RlStatus rl_video_write(const RlVideoRequest *request, RlVideoResult *result);

// Writes the picture of one moment; RL_FAIL if the episodes end before it.
RL_MUST_USE RlStatus rl_video_image(const RlVideoRequest *request);

#endif
