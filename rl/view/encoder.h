// Pictures into a video file, by the ffmpeg program through a socket: no shell and no fork, since
// the process may have other threads. Place: below video.c, and below live.c for what is kept of a
// live view.
//
// Invariant: the file's name appears when the file is whole; before that, and after any failure,
// there is nothing.
#ifndef RL_VIEW_ENCODER_H_
#define RL_VIEW_ENCODER_H_

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rl/base/file.h"
#include "rl/base/status.h"

typedef enum {
  RL_ENCODER_NONE,
  RL_ENCODER_MP4,   // H.264, yuv420p, the index at the front
  RL_ENCODER_GIF,   // with a palette of its own
  RL_ENCODER_WEBP,  // animated
  RL_ENCODER_PNG,   // one picture
} RlEncoderFormat;

typedef struct {
  RlEncoderFormat format;
  int width, height, fps;  // width and height even
  bool jpeg;               // frames come as JPEGs, of any size; else as rgb (height, width, 3)
  bool force;              // replace a file that is there
  const volatile sig_atomic_t *stop;  // set by a signal: give up.  nullable
} RlEncoderOptions;

typedef struct {
  RlEncoderOptions options;
  char path[RL_PATH_SIZE], temporary[RL_PATH_SIZE];
  pid_t child;   // 0: none
  int in, said;  // what ffmpeg reads, and the memory that holds what it says; -1: none
} RlEncoder;

// The format that a path's ending names, RL_ENCODER_NONE if none.
RlEncoderFormat rl_encoder_format(const char *path);

// Starts ffmpeg. Call rl_encoder_abandon whatever the status.
RL_MUST_USE RlStatus rl_encoder_open(RlEncoder *encoder, const char *path,
                                     const RlEncoderOptions *options);

// Adds one frame.
RL_MUST_USE RlStatus rl_encoder_push(RlEncoder *encoder, const uint8_t *data, size_t size);

// Waits for the file to be whole and gives it its name.
RL_MUST_USE RlStatus rl_encoder_finish(RlEncoder *encoder);

// Ends what is still under way and removes it; nothing to do after a finish.
void rl_encoder_abandon(RlEncoder *encoder);

#endif
