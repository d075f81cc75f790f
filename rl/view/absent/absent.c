// In the place of rl/view in a build without the libraries it needs: says so.
#include "rl/view/live.h"
#include "rl/view/measure.h"
#include "rl/view/video.h"
#include "rl/view/watch.h"

static RlStatus refuse(void) {
  return rl_error(RL_FAIL,
                  "view: this build has no live view and no videos: install libegl-dev, "
                  "libturbojpeg0-dev and libwebsockets-dev (Debian) and build again");
}

RlStatus rl_live_run(const RlLiveRequest *request) {
  (void)request;
  return refuse();
}

RlStatus rl_video_write(const RlVideoRequest *request, RlVideoResult *result) {
  (void)request, (void)result;
  return refuse();
}

RlStatus rl_video_image(const RlVideoRequest *request) {
  (void)request;
  return refuse();
}

RlStatus rl_measure_run(RlMeasure *measure, const char *path, uint64_t seed, int width, int height,
                        bool fine) {
  (void)measure, (void)path, (void)seed, (void)width, (void)height, (void)fine;
  return refuse();
}

void rl_watch_prepare(void) {}

RlWatch *rl_watch_start(const RlConfig *config, const char *path, int port, int threads) {
  (void)config, (void)path, (void)port, (void)threads;
  (void)refuse();
  return NULL;
}

const char *rl_watch_url(const RlWatch *watch) {
  (void)watch;
  return "";
}

void rl_watch_offer(void *arg, RlPolicy *policy, int64_t step) {
  (void)arg, (void)policy, (void)step;
}

void rl_watch_stop(RlWatch *watch) {
  (void)watch;
}
