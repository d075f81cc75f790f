// rlview: shows a policy live in a browser, or writes it as a video or a picture.
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rl/base/cli.h"
#include "rl/view/live.h"
#include "rl/view/measure.h"
#include "rl/view/video.h"

static const char help[] =
    "usage: rlview RUN_DIR|CHECKPOINT.h5... [--port N] [--address A]\n"
    "       rlview RUN_DIR|CHECKPOINT.h5 --video FILE.mp4|.gif|.webp [options]\n"
    "       rlview RUN_DIR|CHECKPOINT.h5 --image FILE.png|.jpg [--at SECONDS] [options]\n"
    "\n"
    "Shows trained policies playing, in a browser on this machine; several stand side by side. Or\n"
    "writes a video, paced by simulated time, or one picture. A run folder stands for its\n"
    "latest.h5. Episode i is that of rleval with the same seed.\n"
    "\n"
    "  --port N         port of the page (0: any that is free)\n"
    "  --address A      address to listen at (127.0.0.1)\n"
    "  --seed N         seed of the episodes' own random streams (0)\n"
    "  --video FILE     write a video of whole episodes\n"
    "  --image FILE     write the picture of one moment\n"
    "  --episodes N     episodes in the video (1)\n"
    "  --seconds S      cut the video after S simulated seconds\n"
    "  --at S           simulated seconds before the picture (1)\n"
    "  --fps N          frames a second (30; .gif and .webp: 25, at most 50)\n"
    "  --size WxH       size of the picture, even numbers from 16x16 to 1920x1080 (640x480)\n"
    "  --camera NAME    a camera of the model (the one the live view begins with)\n"
    "  --plain          without shadows, reflections and smoothed edges\n"
    "  --force          replace FILE if it is there\n"
    "  --measure        print what a frame of the live view takes\n"
    "  --json           with --measure: one JSON object alone on stdout\n"
    "  --help, --version\n";

typedef struct {
  RlLiveRequest live;
  RlVideoRequest video;
  const char *image;
  int64_t port, seed, episodes, fps;
  double at;
  bool plain, measure, json;
} Request;

static volatile sig_atomic_t stop;

static void on_signal(int signal) {
  (void)signal;
  stop = 1;
}

// ---------------------------------------------------------------- options

// The two below leave alone what was not given.
static RlStatus take_seconds(double *out, const char *option, const char *text) {
  if (!text) return RL_OK;
  char *end;
  double value = strtod(text, &end);
  if (end != text && *end == '\0' && value >= 0 && value <= 1e6) {
    *out = value;
    return RL_OK;
  }
  return rl_error(RL_USAGE, "%s: found \"%s\", expected seconds from 0 to 1e6", option, text);
}

static RlStatus take_size(RlVideoRequest *video, const char *text) {
  if (!text) return RL_OK;
  int width, height, used = 0;
  bool read = sscanf(text, "%5dx%5d%n", &width, &height, &used) == 2 && text[used] == '\0';
  if (read && width >= 16 && width <= 1920 && width % 2 == 0 && height >= 16 && height <= 1080 &&
      height % 2 == 0) {
    video->width = width;
    video->height = height;
    return RL_OK;
  }
  return rl_error(RL_USAGE,
                  "--size: found \"%s\", expected even numbers from 16x16 to 1920x1080, such as "
                  "640x480",
                  text);
}

// What rlview does, of which each option belongs to some.
enum { DO_LIVE = 1, DO_VIDEO = 2, DO_IMAGE = 4, DO_MEASURE = 8, DO_ALL = 15 };

static int doing(const Request *request) {
  if (request->measure) return DO_MEASURE;
  if (request->video.out) return DO_VIDEO;
  return request->image ? DO_IMAGE : DO_LIVE;
}

static RlStatus check(const RlCliOption *table, int doing) {
  for (; table->name; table++) {
    if (table->given && !(table->mode & doing)) {
      return rl_error(RL_USAGE, "--%s: found with %s, expected without it", table->name,
                      doing == DO_VIDEO     ? "--video"
                      : doing == DO_IMAGE   ? "--image"
                      : doing == DO_MEASURE ? "--measure"
                                            : "the live view");
    }
  }
  return RL_OK;
}

static RlStatus parse(int argc, char **argv, Request *request, int *done) {
  RlVideoRequest *video = &request->video;
  const char *seconds = NULL, *at = NULL, *size = NULL;
  enum { FILES = DO_VIDEO | DO_IMAGE };
  RlCliOption table[] = {
      {"port", .number = &request->port, .lo = 0, .hi = 65535, .mode = DO_LIVE},
      {"address", .text = &request->live.address, .mode = DO_LIVE},
      {"seed", .number = &request->seed, .lo = 0, .hi = rl_cli_most_seed, .mode = DO_ALL},
      {"video", .text = &video->out, .mode = DO_VIDEO},
      {"image", .text = &request->image, .mode = DO_IMAGE},
      {"episodes", .number = &request->episodes, .lo = 1, .hi = 1000000, .mode = DO_VIDEO},
      {"seconds", .text = &seconds, .mode = DO_VIDEO},
      {"at", .text = &at, .mode = DO_IMAGE},
      {"fps", .number = &request->fps, .lo = 1, .hi = 240, .mode = DO_VIDEO},
      {"size", .text = &size, .mode = FILES | DO_MEASURE},
      {"camera", .text = &video->camera, .mode = FILES},
      {"plain", .flag = &request->plain, .mode = FILES},
      {"force", .flag = &video->force, .mode = FILES},
      {"measure", .flag = &request->measure, .mode = DO_MEASURE},
      {"json", .flag = &request->json, .mode = DO_MEASURE},
      {0}};
  RL_TRY(rl_cli_parse(argc, argv, "rlview", help, table, done));
  if (*done >= 0) return RL_OK;
  RL_TRY(take_seconds(&video->seconds, "--seconds", seconds));
  RL_TRY(take_seconds(&request->at, "--at", at));
  RL_TRY(take_size(video, size));
  int paths = argc - optind, most = doing(request) == DO_LIVE ? RL_LIVE_PANELS : 1;
  if (paths < 1 || paths > most) {
    return rl_error(RL_USAGE, "rlview: found %d paths, expected %s RUN_DIR or CHECKPOINT.h5", paths,
                    most == 1 ? "one" : "one to eight times a");
  }
  for (int k = 0; k < paths; k++) request->live.path[k] = argv[optind + k];
  request->live.panels = paths;
  return check(table, doing(request));
}

// ---------------------------------------------------------------- what is asked for

static RlStatus write_video(Request *request) {
  RlVideoRequest *video = &request->video;
  RlVideoResult result;
  const char *dot = strrchr(video->out, '.');
  // the frames of a GIF last whole hundredths of a second
  int usual = dot && strcmp(dot, ".mp4") == 0 ? 30 : 25;
  video->fps = request->fps ? (int)request->fps : usual;
  video->episodes = (int)request->episodes;
  RL_TRY(rl_video_write(video, &result));
  printf("%s: %" PRId64 " frames, %d a second, up to %.3f simulated seconds\n", video->out,
         result.frames, video->fps, result.seconds);
  return RL_OK;
}

static RlStatus write_image(Request *request) {
  RlVideoRequest *video = &request->video;
  video->out = request->image;
  video->seconds = request->at;
  video->fps = 1;
  video->episodes = 1000000;
  RL_TRY(rl_video_image(video));
  printf("%s: after %g simulated seconds\n", video->out, video->seconds);
  return RL_OK;
}

static RlStatus measure_one(const Request *request, bool fine) {
  RlMeasure m;
  const RlVideoRequest *video = &request->video;
  RL_TRY(rl_measure_run(&m, video->path, video->seed, video->width, video->height, fine));
  if (request->json) {
    printf(
        "%s{\"quality\": \"%s\", \"width\": %d, \"height\": %d, \"device\": \"%s\", "
        "\"frames_per_second\": %.4g, \"ms\": %.4g, \"median_ms\": %.4g, \"cpu_ms\": %.4g, "
        "\"play_ms\": %.4g, \"draw_ms\": %.4g, "
        "\"read_ms\": %.4g, \"encode_ms\": %.4g, \"bytes\": %.0f}",
        fine ? ", " : "[", fine ? "fine" : "plain", video->width, video->height, m.device,
        1e3 / m.all, m.all, m.median, m.cpu, m.play, m.draw, m.read, m.encode, m.bytes);
    if (fine) printf("]\n");
    return RL_OK;
  }
  if (!fine) printf("%d x %d, drawn by %s\n", video->width, video->height, m.device);
  printf(
      "%-6s %6.1f frames/s  %6.2f ms a frame (median %.2f, processor %.2f): play %.2f, "
      "draw %.2f, read %.2f, encode %.2f; JPEG %.1f kB\n",
      fine ? "fine" : "plain", 1e3 / m.all, m.all, m.median, m.cpu, m.play, m.draw, m.read,
      m.encode, m.bytes / 1e3);
  return RL_OK;
}

static RlStatus run(Request *request) {
  request->live.port = (int)request->port;
  request->live.seed = request->video.seed = (uint64_t)request->seed;
  request->live.stop = request->video.stop = &stop;
  request->video.path = request->live.path[0];
  request->video.fine = !request->plain;
  switch (doing(request)) {
    case DO_MEASURE:
      RL_TRY(measure_one(request, false));
      return measure_one(request, true);
    case DO_VIDEO:
      return write_video(request);
    case DO_IMAGE:
      return write_image(request);
    default:
      return rl_live_run(&request->live);
  }
}

int main(int argc, char **argv) {
  Request request = {.live = {.say = stdout},
                     .video = {.width = 640, .height = 480, .seconds = INFINITY},
                     .episodes = 1,
                     .at = 1};
  int done = -1;
  rl_cli_begin();
  RlStatus status = parse(argc, argv, &request, &done);
  if (done >= 0) return done;
  struct sigaction action = {.sa_handler = on_signal};
  // a measurement leaves nothing behind: a signal may simply end it
  if (!request.measure) {
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
  }
  // a browser that goes away is an error to live with
  signal(SIGPIPE, SIG_IGN);
  if (status == RL_OK) status = run(&request);
  return rl_cli_exit(rl_cli_flush(status));
}
