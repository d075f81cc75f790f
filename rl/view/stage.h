// A stage: a policy playing episodes before a camera. Place: between rl/run's policies and the
// pictures; live.c has one for each panel, video.c has one, watch.c has one beside a training run.
//
// Episode i is that of `rleval --seed SEED`, bit for bit, as long as nobody pushes. Each step of
// the environment is first rehearsed from its state row: the same physics with nothing kept, which
// gives the poses between two steps, the reward's terms and the contact forces. So what is shown is
// up to one step of the environment behind what it computed, and no faster than the physics shown.
//
// All functions of a stage are called by one thread, the one that has its OpenGL context.
#ifndef RL_VIEW_STAGE_H_
#define RL_VIEW_STAGE_H_

#include "envs/vecenv.h"
#include "rl/base/file.h"
#include "rl/run/policy.h"
#include "rl/view/command.h"
#include "rl/view/offscreen.h"

// Longest text of rl_stage_state, its NUL included.
enum { RL_STAGE_JSON = 16384, RL_STAGE_NOTE = 256 };

// What the last step of the environment came to.
typedef struct {
  double reward, term[RL_MAX_TERMS];
  double value;          // V(s) before it (PPO), min Q(s, a) (SAC), in the reward's own units
  double contact_force;  // sum of the contacts' normal forces at its end
  bool terminated, truncated, diverged;
} RlStageStep;

typedef struct {
  char path[RL_PATH_SIZE];  // as the user named it: a run folder or a checkpoint
  uint64_t seed;

  // the policy
  RlServed served;
  RlMlpWork critic_work[2];
  RlReal *critic_x;             // observation and action (O + A)
  int64_t cursor;               // step of the checkpoint last asked for
  int checkpoint, ncheckpoint;  // its place among the run's (from 1; 0: none), how many there are
  char note[RL_STAGE_NOTE];     // what went wrong last, "" if nothing

  // what it plays in
  RlArena arena;
  RlVecEnv env;   // of one environment
  float *act;     // the policy's action                            (A)
  double *ctrl;   // what the actuators got                         (A)
  double *mem;    // the task's memory, for the rehearsal           (nmem)
  double *trail;  // poses along the last step                      (frame_skip + 1, nq)
  int ntrail;     // how many of them there are, at least 1
  RlStageStep last;
  int64_t episode, steps;  // episode under way, and steps over all of them
  bool ended;              // the last step ended the episode
  double last_return;      // of the episode before, NaN before the first has ended
  int last_length;

  // where in time the picture is
  double phase;  // seconds into the last step, at most its duration
  double speed;  // simulated seconds a second
  bool paused;

  // what the picture shows
  mjModel *m;  // a copy, for its visual settings
  mjData *d;   // the pose shown
  mjvScene scene;
  mjvOption option;
  mjvCamera camera;
  mjvPerturb push;
  int track;          // body that the camera follows
  int width, height;  // of the picture
  bool fine;
  bool changed;          // the next picture would not be the one drawn last
  double frame_seconds;  // smoothed time that drawing a picture takes
} RlStage;

// Opens the run folder's latest checkpoint, or a checkpoint, ready for episode 0. Free whatever the
// status.
RL_MUST_USE RlStatus rl_stage_open(RlStage *stage, const char *path, uint64_t seed);

// The same for a policy of config (complete and resolved) that comes later: parameters are zero
// until the first rl_stage_take. path stands for it in what is shown.
RL_MUST_USE RlStatus rl_stage_open_empty(RlStage *stage, const RlConfig *config, const char *path,
                                         uint64_t seed);

// Goes on with a copy of policy, which has the stage's own dimensions, as it was after step steps.
void rl_stage_take(RlStage *stage, RlPolicy *policy, int64_t step);

// Does what a person asked for. A command that makes no sense now (a push with nothing selected, a
// camera the model does not have) does nothing.
void rl_stage_obey(RlStage *stage, const RlCommand *command);

// Lets `seconds` of wall-clock time pass, as speed and pause say. A stage that cannot keep up falls
// behind instead of trying for longer than a picture's time.
void rl_stage_advance(RlStage *stage, double seconds);

// Moves on by one step of the environment and shows its end.
void rl_stage_step(RlStage *stage);

// Shows the moment `seconds` of simulated time after the start of episode 0, all episodes end to
// end, which must not lie before the moment shown; the environment takes the steps that needs,
// without a limit. False if that is past the end of episode `episodes` - 1.
bool rl_stage_seek(RlStage *stage, double seconds, int64_t episodes);

// Draws the picture into off->rgb, off->width by off->height: a stage that is paused and was not
// asked for anything (not `changed`) need not be drawn again.
RL_MUST_USE RlStatus rl_stage_draw(RlStage *stage, RlOffscreen *off);

// Writes the state as one JSON object without line breaks, in UTF-8; returns its length, below
// RL_STAGE_JSON. size must be RL_STAGE_JSON at least. Numbers that are not finite are null.
//
//   task, algorithm, path   texts; algorithm: "ppo" or "sac"
//   step                    environment steps the policy was trained for
//   checkpoint, checkpoints its place among the run's checkpoints (from 1; 0: none), how many
//   note                    what went wrong last, else ""
//   episode, length, time   number from 0, its steps so far, simulated seconds into it
//   steps                   steps over all episodes: a new number is a new point of the charts
//   reward, terms           of the last step; terms: {"name": number, ...}
//   return                  so far
//   last_return, last_length  of the episode before; null, 0 at first
//   value, value_kind       before the last step; "V" or "Q", in the reward's own units
//   act                     the policy's actions                          [A]
//   ctrl                    what the actuators got                        [A]
//   ctrl_range              [[low, high], ...], null for an actuator without a range
//   actuators               their names, or their joints'                [A]
//   contact_force           sum of the contacts' normal forces
//   ended                   "": the episode goes on; "terminated", "truncated", "diverged"
//   paused, speed, fine, pushing
//   camera, cameras, follow number (-1: free), names, whether it follows the robot
//   selected                body's name, null: none
//   flags, render_flags, groups   indices of those that are on
//   width, height, frame_ms picture's size, smoothed time that drawing it takes
size_t rl_stage_state(const RlStage *stage, char *json, size_t size);

void rl_stage_free(RlStage *stage);

// ---- parts of the above

// stage.c: puts another policy in the place of the stage's and begins the episode again; served is
// the stage's or freed then.
RL_MUST_USE RlStatus rl_stage_swap(RlStage *stage, RlServed *served);

// stage_play.c: begins an episode, its first pose shown.
void rl_stage_begin(RlStage *stage, int64_t episode);

// stage_play.c: brings the data for the picture to the moment shown.
void rl_stage_pose(RlStage *stage);

// stage_play.c: runs func with MuJoCo's fatal errors caught; false if there was one, and stage->d
// is reset then.
bool rl_stage_guard(RlStage *stage, mjfBatchFunc func, void *arg);

// stage_look.c: the scene, the camera and what else a picture needs, for stage->env's model.
RL_MUST_USE RlStatus rl_stage_equip(RlStage *stage);

// stage_file.c: loads the next (1) or the one before (-1) of the run's checkpoints.
void rl_stage_turn(RlStage *stage, int direction);

// stage_file.c: finds the stage's checkpoint among the run's.
void rl_stage_place(RlStage *stage);

#endif
