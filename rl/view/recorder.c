// What a panel showed, and a video of it: see recorder.h.
#include "rl/view/recorder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rl/view/encoder.h"

// A pause longer than this is cut down to it.
static const double longest_pause = 0.5;

static const size_t max_video = (size_t)1 << 30;

// ---- the ring

RlStatus rl_recorder_init(RlRecorder *recorder, size_t room) {
  memset(recorder, 0, sizeof *recorder);
  // untouched pages cost nothing, so a short view takes no more than it shows
  recorder->bytes = malloc(room);
  recorder->frame = malloc(RL_RECORDER_FRAMES * sizeof *recorder->frame);
  recorder->room = room;
  atomic_init(&recorder->over, false);
  if (recorder->bytes && recorder->frame) return RL_OK;
  return rl_error(RL_FAIL, "view: found no memory, expected %zu bytes to record pictures in", room);
}

static const RlRecorderFrame *frame_at(const RlRecorder *r, int i) {
  return &r->frame[(r->first + i) % RL_RECORDER_FRAMES];
}

static void drop_oldest(RlRecorder *r) {
  r->first = (r->first + 1) % RL_RECORDER_FRAMES;
  r->count--;
}

// Makes room for size bytes in one piece; their place.
static size_t place(RlRecorder *r, size_t size) {
  bool wraps = r->tail + size > r->room;
  size_t at = wraps ? 0 : r->tail;
  while (r->count > 0) {
    size_t oldest = frame_at(r, 0)->at;
    // what lies between the tail and the end is passed over with a wrap
    bool passed = wraps && oldest >= r->tail;
    bool covered = oldest >= at && oldest < at + size;
    if (!passed && !covered) break;
    drop_oldest(r);
  }
  r->tail = at + size;
  return at;
}

void rl_recorder_push(RlRecorder *r, const uint8_t *jpeg, size_t size, double now) {
  if (r->saving || size > r->room) return;
  double passed = now - r->pushed;
  if (r->count > 0) r->shown += passed < longest_pause ? passed : longest_pause;
  r->pushed = now;
  if (r->count == RL_RECORDER_FRAMES) drop_oldest(r);
  size_t at = place(r, size);
  memcpy(r->bytes + at, jpeg, size);
  r->frame[(r->first + r->count++) % RL_RECORDER_FRAMES] =
      (RlRecorderFrame){.at = at, .size = size, .seconds = r->shown};
  while (r->shown - frame_at(r, 0)->seconds > RL_RECORDER_SECONDS) drop_oldest(r);
}

// ---- the video

// Feeds the frames at a steady rate: each moment shows the newest picture of then.
static RlStatus feed(RlRecorder *r, RlEncoder *encoder) {
  double start = frame_at(r, 0)->seconds, length = r->shown - start;
  int newest = 0;
  for (int k = 0; k <= (int)(length * RL_RECORDER_FPS); k++) {
    double moment = start + (double)k / RL_RECORDER_FPS;
    while (newest + 1 < r->count && frame_at(r, newest + 1)->seconds <= moment) newest++;
    const RlRecorderFrame *frame = frame_at(r, newest);
    RL_TRY(rl_encoder_push(encoder, r->bytes + frame->at, frame->size));
  }
  return RL_OK;
}

static RlStatus encode(RlRecorder *r, const char *path) {
  const RlEncoderOptions options = {.format = RL_ENCODER_MP4,
                                    .width = r->width,
                                    .height = r->height,
                                    .fps = RL_RECORDER_FPS,
                                    .jpeg = true,
                                    .stop = &r->stop};
  RlEncoder encoder;
  RlStatus status = rl_encoder_open(&encoder, path, &options);
  if (status == RL_OK) status = feed(r, &encoder);
  if (status == RL_OK) status = rl_encoder_finish(&encoder);
  rl_encoder_abandon(&encoder);
  return status;
}

static RlStatus deliver(RlRecorder *r, const char *path) {
  uint8_t *data;
  size_t size;
  RL_TRY(rl_file_read(path, max_video, &data, &size));
  if (size > 0) rl_hub_video(r->hub, r->panel, data, size);
  free(data);
  return size > 0 ? RL_OK : rl_error(RL_FAIL, "%s: found an empty file, expected a video", path);
}

// By way of a file in a folder of our own, since an MP4 is not written front to back.
static RlStatus make_video(RlRecorder *r) {
  char folder[512], path[600];
  const char *parent = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%.400s/rlview-XXXXXX", parent && *parent ? parent : "/tmp");
  if (!mkdtemp(folder)) return rl_file_error(folder, "cannot make a folder", errno);
  snprintf(path, sizeof path, "%s/video.mp4", folder);
  RlStatus status = encode(r, path);
  if (status == RL_OK) status = deliver(r, path);
  (void)unlink(path);
  (void)rmdir(folder);
  return status;
}

static void *run(void *arg) {
  RlRecorder *r = arg;
  r->trouble[0] = '\0';
  if (make_video(r) != RL_OK) snprintf(r->trouble, sizeof r->trouble, "%s", rl_error_text());
  atomic_store(&r->over, true);
  return NULL;
}

RlStatus rl_recorder_save(RlRecorder *r, RlHub *hub, int panel, int width, int height) {
  if (r->saving) return rl_error(RL_FAIL, "view: a video is already being made");
  if (r->count == 0) return rl_error(RL_FAIL, "view: nothing is recorded yet");
  r->hub = hub;
  r->panel = panel;
  r->width = width;
  r->height = height;
  r->stop = 0;
  atomic_store(&r->over, false);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int code = pthread_create(&r->thread, NULL, run, r);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (code != 0) return rl_error(RL_FAIL, "view: found %s starting a thread", strerror(code));
  r->saving = true;
  return RL_OK;
}

bool rl_recorder_saved(RlRecorder *r) {
  if (!r->saving || !atomic_load(&r->over)) return false;
  pthread_join(r->thread, NULL);
  r->saving = false;
  return true;
}

void rl_recorder_free(RlRecorder *r) {
  if (r->saving) {
    r->stop = 1;
    pthread_join(r->thread, NULL);
  }
  free(r->bytes);
  free(r->frame);
  memset(r, 0, sizeof *r);
}
