// The live view's loop: see live.h. It takes commands, lets time pass, draws what somebody looks at
// and hands it to the hub; the server's own thread does the rest.
//
// Invariant: a panel nobody looks at stands still and costs nothing.
#include "rl/view/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rl/base/clock.h"
#include "rl/view/connection.h"
#include "rl/view/jpeg.h"
#include "rl/view/recorder.h"
#include "rl/view/stage.h"

enum { MOST_FPS = 60, RECORD_BYTES = 128 << 20 };

// How long the loop sleeps when there is nothing to draw; a command or a watcher ends it.
static const double nap = 0.25;

// How often the folder of a run that may still be in training is looked through.
static const double survey_every = 1;

_Static_assert(RL_STAGE_JSON + 256 <= RL_SERVER_CHUNK, "a state fits into one message");

typedef struct {
  RlStage stage;
  RlOffscreen off;
  RlRecorder recorder;
  double advanced;  // clock when time last passed, 0: nobody looked
  double surveyed;  // clock when the run's checkpoints were last counted
} Panel;

typedef struct {
  const RlLiveRequest *request;
  RlHub *hub;
  RlServer *server;
  RlJpeg jpeg;
  Panel *panel;  // (panels)
  char json[RL_STAGE_JSON];
} Live;

static void publish_state(Live *live, int k) {
  size_t size = rl_stage_state(&live->panel[k].stage, live->json, sizeof live->json);
  rl_hub_state(live->hub, k, live->json, size);
}

static void say(Panel *panel, const char *text) {
  snprintf(panel->stage.note, sizeof panel->stage.note, "%s", text);
}

// ---- commands

static void save(Live *live, int k) {
  Panel *panel = &live->panel[k];
  RlStatus status =
      rl_recorder_save(&panel->recorder, live->hub, k, panel->off.width, panel->off.height);
  say(panel, status == RL_OK ? "" : rl_error_text());
  rl_error_clear();
}

static void obey_all(Live *live) {
  RlCommand command;
  while (rl_hub_pop(live->hub, &command)) {
    if (command.kind == RL_COMMAND_SAVE) {
      save(live, command.panel);
    } else {
      rl_stage_obey(&live->panel[command.panel].stage, &command);
    }
    // a panel that is looked at has its state published with its next picture
    if (!rl_hub_watched(live->hub, command.panel) || command.kind == RL_COMMAND_SAVE) {
      publish_state(live, command.panel);
    }
  }
}

// ---- pictures

static RlStatus show(Live *live, int k) {
  Panel *panel = &live->panel[k];
  RL_TRY(rl_stage_draw(&panel->stage, &panel->off));
  RL_TRY(rl_jpeg_encode(&live->jpeg, panel->off.rgb, panel->off.width, panel->off.height,
                        RL_JPEG_QUALITY));
  // in this order, so that a picture never shows what no state has told
  publish_state(live, k);
  rl_hub_picture(live->hub, k, live->jpeg.data, live->jpeg.size);
  rl_recorder_push(&panel->recorder, live->jpeg.data, live->jpeg.size, panel->advanced);
  return RL_OK;
}

// Counts the run's checkpoints, to which training may have added.
static void survey(Live *live, int k, double now) {
  Panel *panel = &live->panel[k];
  if (now - panel->surveyed < survey_every) return;
  int place = panel->stage.checkpoint, count = panel->stage.ncheckpoint;
  panel->surveyed = now;
  rl_stage_place(&panel->stage);
  // a paused panel has no next picture to tell it with
  if (panel->stage.checkpoint != place || panel->stage.ncheckpoint != count) publish_state(live, k);
}

// Lets a panel's time pass and draws it if it looks different from before; sets *moving then.
static RlStatus play(Live *live, int k, bool *moving) {
  Panel *panel = &live->panel[k];
  if (rl_recorder_saved(&panel->recorder)) {
    say(panel, panel->recorder.trouble);
    publish_state(live, k);
  }
  if (!rl_hub_watched(live->hub, k)) {
    panel->advanced = 0;
    return RL_OK;
  }
  double now = rl_clock_seconds();
  survey(live, k, now);
  bool first = panel->advanced == 0;
  if (!first) rl_stage_advance(&panel->stage, now - panel->advanced);
  panel->advanced = now;
  if (!first && panel->stage.paused && !panel->stage.changed) return RL_OK;
  *moving = true;
  return show(live, k);
}

static void sleep_until(double end) {
  double seconds = end - rl_clock_seconds();
  if (!(seconds > 0)) return;
  struct timespec rest = {.tv_nsec = (long)(seconds * 1e9)};
  nanosleep(&rest, NULL);
}

static RlStatus loop(Live *live) {
  while (!*live->request->stop) {
    double start = rl_clock_seconds();
    bool moving = false;
    obey_all(live);
    for (int k = 0; k < live->request->panels; k++) RL_TRY(play(live, k, &moving));
    if (moving) {
      sleep_until(start + 1.0 / MOST_FPS);
    } else {
      rl_hub_wait(live->hub, nap);
    }
  }
  return RL_OK;
}

// ---- beginning and end

static RlStatus open_panels(Live *live) {
  const RlLiveRequest *request = live->request;
  for (int k = 0; k < request->panels; k++) {
    Panel *panel = &live->panel[k];
    RL_TRY(rl_stage_open(&panel->stage, request->path[k], request->seed));
    RL_TRY(rl_offscreen_open(&panel->off, panel->stage.m));
    RL_TRY(rl_recorder_init(&panel->recorder, RECORD_BYTES / (size_t)request->panels));
    publish_state(live, k);
  }
  return RL_OK;
}

static RlStatus run(Live *live) {
  const RlLiveRequest *request = live->request;
  const RlServerOptions options = {.address = request->address, .port = request->port};
  RL_TRY(rl_server_check(&options));
  RL_TRY(rl_jpeg_open(&live->jpeg));
  RL_TRY(open_panels(live));
  live->server = rl_server_start(live->hub, &options);
  if (!live->server) return RL_FAIL;
  // a view whose address nobody learns is of no use
  if (fprintf(request->say, "%s\n", rl_server_url(live->server)) < 0 || fflush(request->say) != 0) {
    return rl_error(RL_FAIL, "stdout: cannot write: %s", strerror(errno));
  }
  return loop(live);
}

RlStatus rl_live_run(const RlLiveRequest *request) {
  RL_ASSERT(request->panels >= 1 && request->panels <= RL_LIVE_PANELS);
  Live live = {.request = request, .hub = rl_hub_create(request->panels)};
  if (!live.hub) return RL_FAIL;
  live.panel = calloc((size_t)request->panels, sizeof *live.panel);
  RlStatus status =
      live.panel ? run(&live) : rl_error(RL_FAIL, "view: found no memory, expected some");
  rl_server_stop(live.server);
  for (int k = 0; live.panel && k < request->panels; k++) {
    rl_recorder_free(&live.panel[k].recorder);
    rl_offscreen_close(&live.panel[k].off);
    rl_stage_free(&live.panel[k].stage);
  }
  rl_jpeg_close(&live.jpeg);
  free(live.panel);
  rl_hub_free(live.hub);
  return status;
}
