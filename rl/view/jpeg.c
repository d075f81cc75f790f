// Pictures as JPEG, by libjpeg-turbo: see jpeg.h.
#include "rl/view/jpeg.h"

#include <turbojpeg.h>

#include "rl/view/offscreen.h"

RlStatus rl_jpeg_open(RlJpeg *jpeg) {
  *jpeg = (RlJpeg){.handle = tjInitCompress()};
  jpeg->room = tjBufSize(RL_PICTURE_WIDTH, RL_PICTURE_HEIGHT, TJSAMP_420);
  jpeg->data = tjAlloc((int)jpeg->room);
  if (jpeg->handle && jpeg->data) return RL_OK;
  return rl_error(RL_FAIL, "view: found no memory for a JPEG encoder");
}

RlStatus rl_jpeg_encode(RlJpeg *jpeg, const uint8_t *rgb, int width, int height, int quality) {
  unsigned long size = jpeg->room;
  int failed = tjCompress2(jpeg->handle, rgb, width, 0, height, TJPF_RGB, &jpeg->data, &size,
                           TJSAMP_420, quality, TJFLAG_NOREALLOC | TJFLAG_FASTDCT);
  jpeg->size = failed ? 0 : size;
  if (!failed) return RL_OK;
  return rl_error(RL_FAIL, "view: found '%s', expected a %d x %d JPEG",
                  tjGetErrorStr2(jpeg->handle), width, height);
}

void rl_jpeg_close(RlJpeg *jpeg) {
  if (jpeg->handle) tjDestroy(jpeg->handle);
  tjFree(jpeg->data);
  *jpeg = (RlJpeg){0};
}
