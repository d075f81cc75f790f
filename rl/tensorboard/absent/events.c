// Stands for rl/tensorboard in a build without protobuf-c: no event file is written, and none that
// another build has left is touched. See ../events.h.
#include "rl/tensorboard/events.h"

RlStatus rl_events_open(RlEvents *events, const char *dir, int64_t step, bool on) {
  (void)dir;
  (void)step;
  (void)on;
  events->fd = -1;
  return RL_OK;
}

RlStatus rl_events_write_config(RlEvents *events, int64_t step, const RlConfig *config) {
  (void)events;
  (void)step;
  (void)config;
  return RL_OK;
}

RlStatus rl_events_write_scalars(RlEvents *events, int64_t step, const RlEventScalar *scalar,
                                 int n) {
  (void)events;
  (void)step;
  (void)scalar;
  (void)n;
  return RL_OK;
}

RlStatus rl_events_write_histogram(RlEvents *events, int64_t step, const char *tag,
                                   const RlEventHistogram *histogram) {
  (void)events;
  (void)step;
  (void)tag;
  (void)histogram;
  return RL_OK;
}

RlStatus rl_events_sync(RlEvents *events) {
  (void)events;
  return RL_OK;
}

void rl_events_close(RlEvents *events) {
  events->fd = -1;
}

const char *rl_events_library(void) {
  return "none";
}
