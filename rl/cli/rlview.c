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

enum {
  PORT,
  ADDRESS,
  SEED,
  VIDEO,
  IMAGE,
  EPISODES,
  SECONDS,
  AT,
  FPS,
  SIZE,
  CAMERA,
  PLAIN,
  FORCE,
  MEASURE,
  JSON,
  HELP,
  VERSION,
  NOPTIONS
};

static const struct option options[] = {{"port", required_argument, NULL, PORT},
                                        {"address", required_argument, NULL, ADDRESS},
                                        {"seed", required_argument, NULL, SEED},
                                        {"video", required_argument, NULL, VIDEO},
                                        {"image", required_argument, NULL, IMAGE},
                                        {"episodes", required_argument, NULL, EPISODES},
                                        {"seconds", required_argument, NULL, SECONDS},
                                        {"at", required_argument, NULL, AT},
                                        {"fps", required_argument, NULL, FPS},
                                        {"size", required_argument, NULL, SIZE},
                                        {"camera", required_argument, NULL, CAMERA},
                                        {"plain", no_argument, NULL, PLAIN},
                                        {"force", no_argument, NULL, FORCE},
                                        {"measure", no_argument, NULL, MEASURE},
                                        {"json", no_argument, NULL, JSON},
                                        {"help", no_argument, NULL, HELP},
                                        {"version", no_argument, NULL, VERSION},
                                        {0}};

typedef struct {
  RlLiveRequest live;
  RlVideoRequest video;
  const char *image;
  int64_t port, seed, episodes, fps;
  double at;
  bool plain, measure, json;
  bool given[NOPTIONS];
} Request;

static volatile sig_atomic_t stop;

static void on_signal(int signal) {
  (void)signal;
  stop = 1;
}

// ---------------------------------------------------------------- options

static RlStatus take_seconds(double *out, const char *option, const char *text) {
  char *end;
  double value = strtod(text, &end);
  if (end != text && *end == '\0' && value >= 0 && value <= 1e6) {
    *out = value;
    return RL_OK;
  }
  return rl_error(RL_USAGE, "%s: found \"%s\", expected seconds from 0 to 1e6", option, text);
}

static RlStatus take_size(RlVideoRequest *video, const char *text) {
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

static RlStatus take(Request *request, int option, int *done) {
  request->given[option] = true;
  switch (option) {
    case PORT:
      return rl_cli_int64(&request->port, "--port", optarg, 0, 65535);
    case SEED:
      return rl_cli_int64(&request->seed, "--seed", optarg, 0, INT64_C(1) << 53);
    case EPISODES:
      return rl_cli_int64(&request->episodes, "--episodes", optarg, 1, 1000000);
    case FPS:
      return rl_cli_int64(&request->fps, "--fps", optarg, 1, 240);
    case SECONDS:
      return take_seconds(&request->video.seconds, "--seconds", optarg);
    case AT:
      return take_seconds(&request->at, "--at", optarg);
    case SIZE:
      return take_size(&request->video, optarg);
    case ADDRESS:
      request->live.address = optarg;
      break;
    case VIDEO:
      request->video.out = optarg;
      break;
    case IMAGE:
      request->image = optarg;
      break;
    case CAMERA:
      request->video.camera = optarg;
      break;
    case PLAIN:
      request->plain = true;
      break;
    case FORCE:
      request->video.force = true;
      break;
    case MEASURE:
      request->measure = true;
      break;
    case JSON:
      request->json = true;
      break;
    case HELP:
      *done = rl_cli_help(help);
      break;
    default:
      *done = rl_cli_version("rlview");
      break;
  }
  return RL_OK;
}

// Which of the things rlview does each option belongs to, beside --seed.
enum { DO_LIVE = 1, DO_VIDEO = 2, DO_IMAGE = 4, DO_MEASURE = 8 };

static RlStatus check(const Request *request, int doing) {
  static const int belongs[NOPTIONS] = {
      [PORT] = DO_LIVE,
      [ADDRESS] = DO_LIVE,
      [SEED] = DO_LIVE | DO_VIDEO | DO_IMAGE | DO_MEASURE,
      [VIDEO] = DO_VIDEO,
      [IMAGE] = DO_IMAGE,
      [EPISODES] = DO_VIDEO,
      [SECONDS] = DO_VIDEO,
      [AT] = DO_IMAGE,
      [FPS] = DO_VIDEO,
      [SIZE] = DO_VIDEO | DO_IMAGE | DO_MEASURE,
      [CAMERA] = DO_VIDEO | DO_IMAGE,
      [PLAIN] = DO_VIDEO | DO_IMAGE,
      [FORCE] = DO_VIDEO | DO_IMAGE,
      [MEASURE] = DO_MEASURE,
      [JSON] = DO_MEASURE,
  };
  for (int k = 0; k < NOPTIONS; k++) {
    if (request->given[k] && !(belongs[k] & doing)) {
      return rl_error(RL_USAGE, "--%s: found with %s, expected without it", options[k].name,
                      doing == DO_VIDEO     ? "--video"
                      : doing == DO_IMAGE   ? "--image"
                      : doing == DO_MEASURE ? "--measure"
                                            : "the live view");
    }
  }
  return RL_OK;
}

static int doing(const Request *request) {
  if (request->measure) return DO_MEASURE;
  if (request->video.out) return DO_VIDEO;
  return request->image ? DO_IMAGE : DO_LIVE;
}

static RlStatus parse(int argc, char **argv, Request *request, int *done) {
  RlStatus status = RL_OK;
  int option;
  while (status == RL_OK && *done < 0 &&
         (option = rl_cli_option(argc, argv, options, &status)) != -1) {
    status = take(request, option, done);
  }
  if (status != RL_OK || *done >= 0) return status;
  int paths = argc - optind, most = doing(request) == DO_LIVE ? RL_LIVE_PANELS : 1;
  if (paths < 1 || paths > most) {
    return rl_error(RL_USAGE, "rlview: found %d paths, expected %s RUN_DIR or CHECKPOINT.h5", paths,
                    most == 1 ? "one" : "one to eight times a");
  }
  for (int k = 0; k < paths; k++) request->live.path[k] = argv[optind + k];
  request->live.panels = paths;
  return check(request, doing(request));
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
  if (status == RL_OK && (fflush(stdout) != 0 || ferror(stdout))) {
    status = rl_error(RL_FAIL, "stdout: cannot write: %s", strerror(errno));
  }
  return rl_cli_exit(status);
}
