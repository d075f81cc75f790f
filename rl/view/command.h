// What a person at the page asks for. Place: from the server, which reads them out of messages, to
// the stage, which obeys.
#ifndef RL_VIEW_COMMAND_H_
#define RL_VIEW_COMMAND_H_

#include <stdbool.h>

typedef enum {
  RL_COMMAND_ORBIT,        // turn the camera by x, y of the picture's height
  RL_COMMAND_PAN,          // move it in its plane by x, y of the picture's height
  RL_COMMAND_ZOOM,         // towards (x > 0) or away from what it looks at
  RL_COMMAND_SELECT,       // the body under (x, y), or none
  RL_COMMAND_PUSH_BEGIN,   // pull (turn false) or twist (turn true) the selected body ...
  RL_COMMAND_PUSH_MOVE,    // ... by x, y of the picture's height ...
  RL_COMMAND_PUSH_END,     // ... until let go
  RL_COMMAND_FOLLOW,       // camera keeps the robot in view: on
  RL_COMMAND_CAMERA,       // to the model's camera number, -1: the free one
  RL_COMMAND_PAUSE,        // on, or off
  RL_COMMAND_STEP,         // one step of the environment, while paused
  RL_COMMAND_SPEED,        // value: simulated seconds per second
  RL_COMMAND_RESET,        // the next episode
  RL_COMMAND_CHECKPOINT,   // the next (number 1) or the one before (-1) of the run's checkpoints
  RL_COMMAND_RESIZE,       // to x by y pixels
  RL_COMMAND_QUALITY,      // on: shadows, reflections, multisampling
  RL_COMMAND_FLAG,         // toggles mjtVisFlag number, as the keys of simulate do
  RL_COMMAND_RENDER_FLAG,  // toggles mjtRndFlag number
  RL_COMMAND_GROUP,        // toggles geom group number
  RL_COMMAND_SAVE,         // keep what has been seen as a video
} RlCommandKind;

// x, y: shares of the picture, (0, 0) top left and (1, 1) bottom right where a place is meant.
// All are finite and in the range that message.c lets through.
typedef struct {
  RlCommandKind kind;
  int panel;
  double x, y, value;
  int number;
  bool on, turn;
} RlCommand;

#endif
