// Videos and single pictures: see video.h.
#include "rl/view/video.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rl/view/encoder.h"
#include "rl/view/jpeg.h"
#include "rl/view/offscreen.h"
#include "rl/view/stage.h"

// Browsers take 0.1 s for the time of a frame of .gif or .webp that is shorter than 0.02 s.
enum { IMAGE_QUALITY = 95, MOST_ANIMATED_FPS = 50 };

// Everything a video is made with.
typedef struct {
  RlStage stage;
  RlOffscreen off;
  RlEncoder encoder;
} Studio;

// ---------------------------------------------------------------- setting up

static RlStatus choose_camera(RlStage *stage, const char *name) {
  const mjModel *m = stage->m;
  int number = name ? mj_name2id(m, mjOBJ_CAMERA, name) : -1;
  if (name && number < 0) {
    const char *first = m->ncam > 0 ? mj_id2name(m, mjOBJ_CAMERA, 0) : NULL;
    return rl_error(RL_USAGE, "--camera: found \"%s\", expected a camera of %s%s%s%s", name,
                    stage->env.task->model, first ? ", such as \"" : ", which has none",
                    first ? first : "", first ? "\"" : "");
  }
  RlCommand command = {.kind = RL_COMMAND_CAMERA, .number = number};
  if (name) rl_stage_obey(stage, &command);
  return RL_OK;
}

static RlStatus open_studio(Studio *studio, const RlVideoRequest *request) {
  RlStage *stage = &studio->stage;
  RL_TRY(rl_stage_open(stage, request->path, request->seed));
  RL_TRY(choose_camera(stage, request->camera));
  RlCommand quality = {.kind = RL_COMMAND_QUALITY, .on = request->fine};
  rl_stage_obey(stage, &quality);
  stage->width = request->width;
  stage->height = request->height;
  return rl_offscreen_open(&studio->off, stage->m);
}

static Studio *make_studio(void) {
  Studio *studio = calloc(1, sizeof *studio);
  if (studio) {
    studio->encoder.in = studio->encoder.said = -1;
  } else {
    (void)rl_error(RL_FAIL, "view: found no memory for a video");
  }
  return studio;
}

static void close_studio(Studio *studio) {
  rl_encoder_abandon(&studio->encoder);
  rl_offscreen_close(&studio->off);
  rl_stage_free(&studio->stage);
  free(studio);
}

static RlEncoderOptions encoder_options(const Studio *studio, const RlVideoRequest *request) {
  return (RlEncoderOptions){.format = rl_encoder_format(request->out),
                            .width = studio->off.width,
                            .height = studio->off.height,
                            .fps = request->fps,
                            .force = request->force,
                            .stop = request->stop};
}

static size_t picture_size(const RlOffscreen *off) {
  return (size_t)3 * (size_t)off->width * (size_t)off->height;
}

// ---------------------------------------------------------------- a video

// The frames from the second on; the first has fixed the size.
static RlStatus film(Studio *studio, const RlVideoRequest *request, RlVideoResult *result) {
  for (;;) {
    double at = (double)result->frames / request->fps;
    if (at > request->seconds) return RL_OK;
    if (!rl_stage_seek(&studio->stage, at, request->episodes)) return RL_OK;
    RL_TRY(rl_stage_draw(&studio->stage, &studio->off));
    RL_TRY(rl_encoder_push(&studio->encoder, studio->off.rgb, picture_size(&studio->off)));
    result->frames++;
    result->seconds = at;
  }
}

static RlStatus write_video(Studio *studio, const RlVideoRequest *request, RlVideoResult *result) {
  RL_TRY(open_studio(studio, request));
  (void)rl_stage_seek(&studio->stage, 0, request->episodes);
  RL_TRY(rl_stage_draw(&studio->stage, &studio->off));
  RlEncoderOptions options = encoder_options(studio, request);
  RL_TRY(rl_encoder_open(&studio->encoder, request->out, &options));
  RL_TRY(film(studio, request, result));
  return rl_encoder_finish(&studio->encoder);
}

RlStatus rl_video_write(const RlVideoRequest *request, RlVideoResult *result) {
  *result = (RlVideoResult){0};
  RlEncoderFormat format = rl_encoder_format(request->out);
  if (format == RL_ENCODER_NONE || format == RL_ENCODER_PNG) {
    return rl_error(RL_USAGE, "--video: found \"%s\", expected a name in .mp4, .gif or .webp",
                    request->out);
  }
  if (format != RL_ENCODER_MP4 && request->fps > MOST_ANIMATED_FPS) {
    return rl_error(RL_USAGE, "--fps: found %d, expected at most %d for .gif and .webp",
                    request->fps, MOST_ANIMATED_FPS);
  }
  RL_TRY(rl_file_check_free(request->out, request->force));
  Studio *studio = make_studio();
  if (!studio) return RL_FAIL;
  RlStatus status = write_video(studio, request, result);
  close_studio(studio);
  return status;
}

// ---------------------------------------------------------------- one picture

static RlStatus write_jpeg(const RlOffscreen *off, const char *path) {
  RlJpeg jpeg;
  RlStatus status = rl_jpeg_open(&jpeg);
  if (status == RL_OK) {
    status = rl_jpeg_encode(&jpeg, off->rgb, off->width, off->height, IMAGE_QUALITY);
  }
  if (status == RL_OK) status = rl_file_write(path, jpeg.data, jpeg.size);
  rl_jpeg_close(&jpeg);
  return status;
}

// Goes to the moment a simulated second at a time, so that a signal ends a long way there.
static RlStatus go_to(RlStage *stage, const RlVideoRequest *request) {
  for (int64_t second = 0;; second++) {
    double at = fmin((double)second, request->seconds);
    if (*request->stop) {
      return rl_error(RL_FAIL, "%s: found a signal to stop, expected to finish", request->out);
    }
    if (!rl_stage_seek(stage, at, request->episodes)) {
      return rl_error(RL_USAGE, "--at: found %g s, expected a moment within %d episodes",
                      request->seconds, request->episodes);
    }
    if (at >= request->seconds) return RL_OK;
  }
}

static RlStatus write_image(Studio *studio, const RlVideoRequest *request) {
  RL_TRY(open_studio(studio, request));
  RL_TRY(go_to(&studio->stage, request));
  RL_TRY(rl_stage_draw(&studio->stage, &studio->off));
  RlEncoderOptions options = encoder_options(studio, request);
  if (options.format == RL_ENCODER_NONE) return write_jpeg(&studio->off, request->out);
  RL_TRY(rl_encoder_open(&studio->encoder, request->out, &options));
  RL_TRY(rl_encoder_push(&studio->encoder, studio->off.rgb, picture_size(&studio->off)));
  return rl_encoder_finish(&studio->encoder);
}

RlStatus rl_video_image(const RlVideoRequest *request) {
  const char *dot = strrchr(request->out, '.');
  bool jpeg = dot && (strcmp(dot, ".jpg") == 0 || strcmp(dot, ".jpeg") == 0);
  if (!jpeg && rl_encoder_format(request->out) != RL_ENCODER_PNG) {
    return rl_error(RL_USAGE, "--image: found \"%s\", expected a name in .png or .jpg",
                    request->out);
  }
  RL_TRY(rl_file_check_free(request->out, request->force));
  Studio *studio = make_studio();
  if (!studio) return RL_FAIL;
  RlStatus status = write_image(studio, request);
  close_studio(studio);
  return status;
}
