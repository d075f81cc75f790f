// How fast pictures come: what a frame of the live view takes, piece by piece. Place: what rlview
// calls for --measure.
#ifndef RL_VIEW_MEASURE_H_
#define RL_VIEW_MEASURE_H_

#include <stdbool.h>
#include <stdint.h>

#include "rl/base/status.h"

enum { RL_MEASURE_FRAMES = 200, RL_MEASURE_WARMUP = 20 };

// Milliseconds a frame, means over RL_MEASURE_FRAMES of them unless said otherwise.
typedef struct {
  char device[128];  // what draws
  double play;       // physics and policy, at 25 frames a simulated second
  double draw;       // the scene, and OpenGL
  double read;       // the pixels
  double encode;     // JPEG
  double all;        // the whole, by the clock
  double median;     // the same, of the frame in the middle
  double cpu;        // processor time of all threads
  double bytes;      // of a JPEG
} RlMeasure;

// Plays the policy of a run folder or checkpoint and draws it at width x height.
RL_MUST_USE RlStatus rl_measure_run(RlMeasure *measure, const char *path, uint64_t seed, int width,
                                    int height, bool fine);

#endif
