// Pictures as JPEG. Place: between offscreen.c's pixels and the hub.
#ifndef RL_VIEW_JPEG_H_
#define RL_VIEW_JPEG_H_

#include <stddef.h>
#include <stdint.h>

#include "rl/base/status.h"

// Of the live view's pictures.
enum { RL_JPEG_QUALITY = 85 };

typedef struct {
  void *handle;
  uint8_t *data;  // the last picture                                     (size)
  size_t size;
  size_t room;  // of data: enough for any picture up to RL_PICTURE_WIDTH x RL_PICTURE_HEIGHT
} RlJpeg;

// Takes all memory that encoding will need. Close whatever the status.
RL_MUST_USE RlStatus rl_jpeg_open(RlJpeg *jpeg);

// Encodes rgb (height, width, 3) into data and size; quality in [1, 100].
RL_MUST_USE RlStatus rl_jpeg_encode(RlJpeg *jpeg, const uint8_t *rgb, int width, int height,
                                    int quality);

// Safe after a failed open.
void rl_jpeg_close(RlJpeg *jpeg);

#endif
