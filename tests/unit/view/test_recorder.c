// The recorder: what its ring holds is whole and the newest, within its seconds and bytes; a video
// comes out of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rl/base/clock.h"
#include "rl/view/jpeg.h"
#include "rl/view/recorder.h"

static const RlRecorderFrame *frame_at(const RlRecorder *r, int i) {
  return &r->frame[(r->first + i) % RL_RECORDER_FRAMES];
}

// Every frame holds its own bytes, frames stand in order, and the newest is the one pushed last.
static void expect_sound(const RlRecorder *r, int pushed) {
  for (int i = 0; i < r->count; i++) {
    const RlRecorderFrame *frame = frame_at(r, i);
    uint8_t number = (uint8_t)(pushed - (r->count - 1 - i));
    assert_true(frame->at + frame->size <= r->room);
    for (size_t k = 0; k < frame->size; k++) assert_int_equal(r->bytes[frame->at + k], number);
    if (i > 0) assert_true(frame->seconds >= frame_at(r, i - 1)->seconds);
  }
}

static void test_ring(void **state) {
  (void)state;
  for (unsigned seed = 1; seed <= 20; seed++) {
    RlRecorder r;
    unsigned draw = seed;
    assert_int_equal(rl_recorder_init(&r, 1000 + 37 * seed), RL_OK);
    uint8_t picture[800];
    for (int i = 0; i < 500; i++) {
      size_t size = 1 + (size_t)rand_r(&draw) % (seed % 2 ? 120 : 790);
      memset(picture, i & 0xff, size);
      rl_recorder_push(&r, picture, size, 0.01 * i);
      assert_true(r.count > 0);
      expect_sound(&r, i);
    }
    // most of the room is in use
    size_t held = 0;
    for (int i = 0; i < r.count; i++) held += frame_at(&r, i)->size;
    if (seed % 2) assert_true(held > r.room / 2);
    rl_recorder_free(&r);
  }
}

static void test_bounds(void **state) {
  (void)state;
  RlRecorder r;
  static const uint8_t picture[64];
  assert_int_equal(rl_recorder_init(&r, 1 << 20), RL_OK);
  rl_recorder_push(&r, picture, 64, 100);
  rl_recorder_push(&r, picture, 64, 100.25);
  // an hour's pause is half a second of the recording
  rl_recorder_push(&r, picture, 64, 3700);
  assert_true(r.shown == 0.75);
  for (int i = 0; i < 1000; i++) rl_recorder_push(&r, picture, 64, 3700 + 0.25 * i);
  double length = r.shown - frame_at(&r, 0)->seconds;
  assert_true(length <= RL_RECORDER_SECONDS && length > RL_RECORDER_SECONDS - 1);
  // more frames than there are places
  for (int i = 0; i < 2 * RL_RECORDER_FRAMES; i++)
    rl_recorder_push(&r, picture, 64, 4000 + 1e-3 * i);
  assert_int_equal(r.count, RL_RECORDER_FRAMES);
  rl_recorder_free(&r);

  // one that does not fit is left out
  assert_int_equal(rl_recorder_init(&r, 63), RL_OK);
  rl_recorder_push(&r, picture, 64, 1);
  assert_int_equal(r.count, 0);
  rl_recorder_free(&r);
}

static void await(RlRecorder *r) {
  double start = rl_clock_seconds();
  while (!rl_recorder_saved(r)) {
    assert_true(rl_clock_seconds() - start < 60);
    usleep(1000);
  }
  assert_false(rl_recorder_saved(r));
}

static void test_video(void **state) {
  (void)state;
  if (system("command -v ffmpeg >/dev/null") != 0) skip();
  RlRecorder r;
  RlJpeg jpeg;
  RlHub *hub = rl_hub_create(1);
  uint8_t rgb[64 * 48 * 3];
  assert_non_null(hub);
  assert_int_equal(rl_jpeg_open(&jpeg), RL_OK);
  assert_int_equal(rl_recorder_init(&r, 1 << 20), RL_OK);
  assert_int_equal(rl_recorder_save(&r, hub, 0, 64, 48), RL_FAIL);
  for (int i = 0; i < 30; i++) {
    memset(rgb, 8 * i, sizeof rgb);
    assert_int_equal(rl_jpeg_encode(&jpeg, rgb, 64, 48, 80), RL_OK);
    rl_recorder_push(&r, jpeg.data, jpeg.size, 0.05 * i);
  }
  assert_int_equal(rl_recorder_save(&r, hub, 0, 64, 48), RL_OK);
  assert_int_equal(rl_recorder_save(&r, hub, 0, 64, 48), RL_FAIL);
  int before = r.count;
  rl_recorder_push(&r, jpeg.data, jpeg.size, 100);
  assert_int_equal(r.count, before);
  await(&r);
  assert_string_equal(r.trouble, "");
  const RlHubItem *video = rl_hub_hold(hub, 0, RL_HUB_VIDEO, 0);
  assert_non_null(video);
  assert_memory_equal(video->data + 4, "ftyp", 4);
  rl_hub_release(hub, video);

  // what cannot be decoded is a reason, not a video
  for (int i = 0; i < 300; i++) rl_recorder_push(&r, rgb, 4000, 200 + i);
  assert_int_equal(rl_recorder_save(&r, hub, 0, 64, 48), RL_OK);
  await(&r);
  assert_null(rl_hub_hold(hub, 0, RL_HUB_VIDEO, 1));
  assert_string_not_equal(r.trouble, "");

  // the reason is gone with the next video, which has nothing of that left
  rl_recorder_free(&r);
  assert_int_equal(rl_recorder_init(&r, 4000), RL_OK);
  memset(rgb, 0, 4000);
  rl_recorder_push(&r, rgb, 4000, 0);
  assert_int_equal(rl_recorder_save(&r, hub, 0, 64, 48), RL_OK);
  await(&r);
  assert_string_not_equal(r.trouble, "");
  rl_recorder_push(&r, jpeg.data, jpeg.size, 1);
  assert_int_equal(rl_recorder_save(&r, hub, 0, 64, 48), RL_OK);
  await(&r);
  assert_string_equal(r.trouble, "");

  // one under way is given up
  rl_recorder_push(&r, jpeg.data, jpeg.size, 1000);
  assert_int_equal(rl_recorder_save(&r, hub, 0, 64, 48), RL_OK);
  rl_recorder_free(&r);
  rl_jpeg_close(&jpeg);
  rl_hub_free(hub);
}

// An ffmpeg that takes everything and does not end: it is given up at once.
static void test_stuck(void **state) {
  (void)state;
  char folder[] = "/tmp/recorder-XXXXXX", path[4096], program[64];
  assert_non_null(mkdtemp(folder));
  snprintf(program, sizeof program, "%s/ffmpeg", folder);
  FILE *file = fopen(program, "w");
  assert_non_null(file);
  fputs("#!/bin/sh\ncat >/dev/null\nexec sleep 60\n", file);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(chmod(program, 0755), 0);
  const char *before = getenv("PATH");
  snprintf(path, sizeof path, "%s:%s", folder, before ? before : "");
  assert_int_equal(setenv("PATH", path, 1), 0);
  RlRecorder r;
  RlHub *hub = rl_hub_create(1);
  static const uint8_t picture[64];
  assert_non_null(hub);
  assert_int_equal(rl_recorder_init(&r, 1 << 20), RL_OK);
  rl_recorder_push(&r, picture, sizeof picture, 1);
  assert_int_equal(rl_recorder_save(&r, hub, 0, 64, 48), RL_OK);
  usleep(300000);
  assert_false(rl_recorder_saved(&r));
  double start = rl_clock_seconds();
  rl_recorder_free(&r);
  assert_true(rl_clock_seconds() - start < 10);
  rl_hub_free(hub);
  assert_int_equal(setenv("PATH", before ? before : "", 1), 0);
  unlink(program);
  rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ring),
      cmocka_unit_test(test_bounds),
      cmocka_unit_test(test_video),
      cmocka_unit_test(test_stuck),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
