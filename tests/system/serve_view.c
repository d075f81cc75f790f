// The view's server with nothing behind it: made-up pictures and states at a steady pace, commands
// counted. Place: what view_attack.py and the like connect to; no model, no graphics.
//
//   serve_view [PANELS [BYTES [FPS]]]      (2 panels, pictures of 40000 bytes, 30 a second)
//
// Prints the page's address, runs until its standard input ends.
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rl/view/server.h"

static bool input_ended(void) {
  struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
  char byte;
  return poll(&in, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

static void serve(RlHub *hub, uint8_t *picture, size_t size, double pace) {
  int64_t commands = 0;
  char state[256];
  for (int64_t number = 0; !input_ended(); number++) {
    RlCommand command = {.kind = RL_COMMAND_STEP};
    while (rl_hub_pop(hub, &command)) commands++;
    for (int panel = 0; panel < rl_hub_panels(hub); panel++) {
      int length = snprintf(state, sizeof state,
                            "{\"number\": %" PRId64 ", \"commands\": %" PRId64
                            ", \"kind\": %d, \"watched\": %d}",
                            number, commands, (int)command.kind, rl_hub_watched(hub, panel));
      rl_hub_state(hub, panel, state, (size_t)length);
      memset(picture, (int)(number & 0xff), size);
      rl_hub_picture(hub, panel, picture, size);
    }
    usleep((useconds_t)(1e6 * pace));
  }
}

int main(int argc, char **argv) {
  int panels = argc > 1 ? atoi(argv[1]) : 2;
  size_t size = argc > 2 ? (size_t)atol(argv[2]) : 40000;
  double fps = argc > 3 ? atof(argv[3]) : 30;
  RlHub *hub = rl_hub_create(panels);
  uint8_t *picture = malloc(size);
  RlServer *server = hub && picture ? rl_server_start(hub, &(RlServerOptions){0}) : NULL;
  if (!server) {
    fprintf(stderr, "%s\n", rl_error_text());
    return 1;
  }
  puts(rl_server_url(server));
  fflush(stdout);
  rl_hub_video(hub, 0, (const uint8_t *)"not a video", 11);
  serve(hub, picture, size, 1 / fps);
  rl_server_stop(server);
  free(picture);
  rl_hub_free(hub);
  return 0;
}
