// How fast pictures come: see measure.h.
#include "rl/view/measure.h"

#include <stdio.h>
#include <stdlib.h>

#include "rl/base/clock.h"
#include "rl/base/order.h"
#include "rl/view/jpeg.h"
#include "rl/view/offscreen.h"
#include "rl/view/stage.h"

static const double frame_seconds = 1.0 / 25;

typedef struct {
  RlStage stage;
  RlOffscreen off;
  RlJpeg jpeg;
} Bench;

// One frame of the live view, as live.c makes it; its pieces are added to sum.
static RlStatus make_frame(Bench *bench, RlMeasure *sum) {
  RlOffscreen *off = &bench->off;
  double start = rl_clock_seconds();
  rl_stage_advance(&bench->stage, frame_seconds);
  double played = rl_clock_seconds();
  RL_TRY(rl_stage_draw(&bench->stage, off));
  double drawn = rl_clock_seconds();
  RL_TRY(rl_jpeg_encode(&bench->jpeg, off->rgb, off->width, off->height, RL_JPEG_QUALITY));
  double encoded = rl_clock_seconds();
  sum->play += played - start;
  sum->draw += drawn - played - off->read_seconds;
  sum->read += off->read_seconds;
  sum->encode += encoded - drawn;
  sum->all += encoded - start;
  sum->bytes += (double)bench->jpeg.size;
  return RL_OK;
}

static double cpu_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static RlStatus make_frames(Bench *bench, RlMeasure *measure) {
  RlMeasure warm = {.play = 0}, sum = {.play = 0};
  for (int k = 0; k < RL_MEASURE_WARMUP; k++) RL_TRY(make_frame(bench, &warm));
  double cpu = cpu_seconds(), frame[RL_MEASURE_FRAMES];
  for (int k = 0; k < RL_MEASURE_FRAMES; k++) {
    double before = sum.all;
    RL_TRY(make_frame(bench, &sum));
    frame[k] = sum.all - before;
  }
  cpu = cpu_seconds() - cpu;
  qsort(frame, RL_MEASURE_FRAMES, sizeof *frame, rl_ascending);
  double ms = 1e3 / RL_MEASURE_FRAMES;
  *measure = (RlMeasure){.play = sum.play * ms,
                         .draw = sum.draw * ms,
                         .read = sum.read * ms,
                         .encode = sum.encode * ms,
                         .all = sum.all * ms,
                         .median = 1e3 * frame[RL_MEASURE_FRAMES / 2],
                         .cpu = cpu * ms,
                         .bytes = sum.bytes / RL_MEASURE_FRAMES};
  rl_offscreen_device(&bench->off, measure->device, sizeof measure->device);
  return RL_OK;
}

RlStatus rl_measure_run(RlMeasure *measure, const char *path, uint64_t seed, int width, int height,
                        bool fine) {
  Bench *bench = calloc(1, sizeof *bench);
  if (!bench) return rl_error(RL_FAIL, "view: found no memory for a measurement");
  RlStatus status = rl_stage_open(&bench->stage, path, seed);
  if (status == RL_OK) status = rl_offscreen_open(&bench->off, bench->stage.m);
  if (status == RL_OK) status = rl_jpeg_open(&bench->jpeg);
  if (status == RL_OK) {
    RlCommand quality = {.kind = RL_COMMAND_QUALITY, .on = fine};
    rl_stage_obey(&bench->stage, &quality);
    bench->stage.width = width;
    bench->stage.height = height;
    status = make_frames(bench, measure);
  }
  rl_jpeg_close(&bench->jpeg);
  rl_offscreen_close(&bench->off);
  rl_stage_free(&bench->stage);
  free(bench);
  return status;
}
