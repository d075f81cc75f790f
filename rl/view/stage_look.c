// What a person sees and does: camera, selection, push, commands, and the picture. Angles and signs
// are those of MuJoCo's simulate. See stage.h.
#include <math.h>
#include <string.h>

#include "rl/base/clock.h"
#include "rl/view/stage.h"

enum { MAX_GEOMS = 2000, DEFAULT_WIDTH = 640, DEFAULT_HEIGHT = 480 };
static const double floor_size = 10;  // half a side, in metres: smaller ones are tables

static const double slowest = 0.01, fastest = 16;

// ---------------------------------------------------------------- a stage's equipment

// The free camera where the model's first camera stands; it follows what that one tracks.
static void place_camera(RlStage *stage) {
  const mjModel *m = stage->m;
  const mjData *d = stage->d;
  mjvCamera *camera = &stage->camera;
  mjv_defaultFreeCamera(m, camera);
  stage->track = 1;
  if (m->ncam == 0) return;
  const double *pos = d->cam_xpos, *mat = d->cam_xmat;
  double forward[3] = {-mat[2], -mat[5], -mat[8]}, way[3];
  bool tracks = m->cam_mode[0] != mjCAMLIGHT_FIXED && m->cam_bodyid[0] > 0;
  if (tracks) stage->track = m->cam_bodyid[0];
  mju_sub3(way, tracks ? d->subtree_com + (size_t)3 * (size_t)stage->track : camera->lookat, pos);
  double distance = mju_dot3(way, forward);
  if (!(distance > 0)) return;
  for (int k = 0; k < 3; k++) camera->lookat[k] = pos[k] + distance * forward[k];
  camera->distance = distance;
  camera->azimuth = atan2(forward[1], forward[0]) * 180 / mjPI;
  camera->elevation = asin(mju_clip(forward[2], -1, 1)) * 180 / mjPI;
  if (!tracks) return;
  camera->type = mjCAMERA_TRACKING;
  camera->trackbodyid = stage->track;
}

static void make_scene(const mjModel *m, mjData *data, int i, void *arg) {
  (void)m, (void)data, (void)i;
  RlStage *stage = arg;
  mjv_makeScene(stage->m, &stage->scene, MAX_GEOMS);
  mj_forward(stage->m, stage->d);
}

static void set_fine(RlStage *stage, bool fine) {
  stage->fine = fine;
  stage->scene.flags[mjRND_SHADOW] = fine;
  stage->scene.flags[mjRND_REFLECTION] = fine;
}

// A floor holds a runner up however far it gets, but is drawn only as far as its size says: zero is
// drawn without end. Tables stay tables.
static void extend_floors(mjModel *m) {
  for (int i = 0; i < m->ngeom; i++) {
    mjtNum *size = m->geom_size + (size_t)3 * (size_t)i;
    if (m->geom_type[i] != mjGEOM_PLANE || !(size[0] >= floor_size)) continue;
    size[0] = size[1] = 0;
  }
}

// The world's lights go along with the body the camera follows: shadows are drawn near a light
// only.
static void carry_lights(mjModel *m, int body) {
  for (int i = 0; i < m->nlight; i++) {
    if (m->light_bodyid[i] != 0) continue;
    m->light_mode[i] = mjCAMLIGHT_TRACK;
    m->light_bodyid[i] = body;
  }
}

RlStatus rl_stage_equip(RlStage *stage) {
  mjv_defaultScene(&stage->scene);
  mjv_defaultOption(&stage->option);
  mjv_defaultPerturb(&stage->push);
  stage->m = mj_copyModel(NULL, stage->env.m);
  stage->d = stage->m ? mj_makeData(stage->m) : NULL;
  if (!stage->d || !rl_stage_guard(stage, make_scene, stage)) {
    return rl_error(RL_FAIL, "%s: found '%s', expected a scene", stage->path,
                    mjb_error(stage->env.batch, 0));
  }
  extend_floors(stage->m);
  set_fine(stage, false);
  place_camera(stage);
  carry_lights(stage->m, stage->track);
  stage->width = DEFAULT_WIDTH;
  stage->height = DEFAULT_HEIGHT;
  return RL_OK;
}

static void update_scene(const mjModel *m, mjData *data, int i, void *arg) {
  (void)m, (void)data, (void)i;
  RlStage *stage = arg;
  mjv_updateScene(stage->m, stage->d, &stage->option, &stage->push, &stage->camera, mjCAT_ALL,
                  &stage->scene);
}

// ---------------------------------------------------------------- selecting and pushing

// A point of the picture, and what is found there.
typedef struct {
  RlStage *stage;
  double x, y;
  bool hit;
} Pick;

static void pick(const mjModel *model, mjData *data, int i, void *arg) {
  (void)model, (void)data, (void)i;
  Pick *p = arg;
  RlStage *stage = p->stage;
  const mjModel *m = stage->m;
  const mjData *d = stage->d;
  mjvPerturb *push = &stage->push;
  double point[3], arm[3];
  int geom, flex, skin;
  int body = mjv_select(m, d, &stage->option, (double)stage->width / stage->height, p->x, 1 - p->y,
                        &stage->scene, point, &geom, &flex, &skin);
  if (body <= 0) return;
  p->hit = true;
  push->select = body;
  mju_sub3(arm, point, d->xpos + (size_t)3 * (size_t)body);
  mju_mulMatTVec(push->localpos, d->xmat + (size_t)9 * (size_t)body, arm, 3, 3);
}

static void select_body(RlStage *stage, const RlCommand *command) {
  Pick p = {stage, command->x, command->y, false};
  stage->push.active = 0;
  // the ray starts from the camera of the scene
  bool aimed = rl_stage_guard(stage, update_scene, stage);
  if (aimed) (void)rl_stage_guard(stage, pick, &p);
  if (!p.hit) stage->push.select = 0;
}

static void begin_push(RlStage *stage, bool turn) {
  if (stage->push.select <= 0 || !rl_stage_guard(stage, update_scene, stage)) return;
  mjv_initPerturb(stage->m, stage->d, &stage->scene, &stage->push);
  stage->push.active = turn ? mjPERT_ROTATE : mjPERT_TRANSLATE;
}

static void move_push(RlStage *stage, const RlCommand *command) {
  int active = stage->push.active;
  if (!active) return;
  mjv_movePerturb(stage->m, stage->d, active == mjPERT_ROTATE ? mjMOUSE_ROTATE_V : mjMOUSE_MOVE_V,
                  command->x, command->y, &stage->scene, &stage->push);
}

// ---------------------------------------------------------------- commands

static void follow(RlStage *stage, bool on) {
  stage->camera.type = on ? mjCAMERA_TRACKING : mjCAMERA_FREE;
  stage->camera.trackbodyid = on ? stage->track : -1;
  stage->camera.fixedcamid = -1;
}

// A camera of the model, or the free one.
static void choose_camera(RlStage *stage, int number) {
  if (number >= stage->m->ncam) return;
  if (number < 0) {
    if (stage->camera.type == mjCAMERA_FIXED) follow(stage, stage->m->cam_mode[0] != 0);
    return;
  }
  stage->camera.type = mjCAMERA_FIXED;
  stage->camera.fixedcamid = number;
}

static void move_camera(RlStage *stage, int action, double x, double y) {
  // what follows cannot be moved aside: it stays where it looks now
  bool leave = action == mjMOUSE_MOVE_V && stage->camera.type == mjCAMERA_TRACKING;
  if (leave) follow(stage, false);
  mjv_moveCamera(stage->m, action, x, y, &stage->camera);
}

static void toggle(mjtByte *flag, int number, int count) {
  if (number >= 0 && number < count) flag[number] = !flag[number];
}

static void toggle_group(mjvOption *option, int number) {
  mjtByte *const group[] = {option->geomgroup,   option->sitegroup,     option->jointgroup,
                            option->tendongroup, option->actuatorgroup, option->skingroup};
  // those of a kind that differ from the geoms' are brought into line
  if (number < 0 || number >= mjNGROUP) return;
  mjtByte on = !option->geomgroup[number];
  for (size_t k = 0; k < sizeof group / sizeof *group; k++) group[k][number] = on;
}

static void resize(RlStage *stage, const RlCommand *command) {
  double width = command->x, height = command->y;
  if (!(width >= 1 && width <= 1e5 && height >= 1 && height <= 1e5)) return;
  // a picture too large is made smaller in its own shape
  double least = fmin(1, fmin(RL_PICTURE_WIDTH / width, RL_PICTURE_HEIGHT / height));
  stage->width = (int)fmax(RL_PICTURE_MIN, width * least);
  stage->height = (int)fmax(RL_PICTURE_MIN, height * least);
}

// What changes how time passes.
static void obey_time(RlStage *stage, const RlCommand *command) {
  switch (command->kind) {
    case RL_COMMAND_PAUSE:
      stage->paused = command->on;
      break;
    case RL_COMMAND_STEP:
      if (stage->paused) rl_stage_step(stage);
      break;
    case RL_COMMAND_SPEED:
      if (command->value > 0) stage->speed = mju_clip(command->value, slowest, fastest);
      break;
    case RL_COMMAND_RESET:
      rl_stage_begin(stage, stage->episode + 1);
      break;
    case RL_COMMAND_CHECKPOINT:
      rl_stage_turn(stage, command->number < 0 ? -1 : 1);
      break;
    default:
      break;
  }
}

// What changes how things look.
static void obey_look(RlStage *stage, const RlCommand *command) {
  switch (command->kind) {
    case RL_COMMAND_ORBIT:
      move_camera(stage, mjMOUSE_ROTATE_V, command->x, command->y);
      break;
    case RL_COMMAND_PAN:
      move_camera(stage, mjMOUSE_MOVE_V, command->x, command->y);
      break;
    case RL_COMMAND_ZOOM:
      move_camera(stage, mjMOUSE_ZOOM, 0, command->x);
      break;
    case RL_COMMAND_FOLLOW:
      follow(stage, command->on);
      break;
    case RL_COMMAND_CAMERA:
      choose_camera(stage, command->number);
      break;
    case RL_COMMAND_RESIZE:
      resize(stage, command);
      break;
    case RL_COMMAND_QUALITY:
      set_fine(stage, command->on);
      break;
    case RL_COMMAND_FLAG:
      toggle(stage->option.flags, command->number, mjNVISFLAG);
      break;
    case RL_COMMAND_RENDER_FLAG:
      toggle(stage->scene.flags, command->number, mjNRNDFLAG);
      break;
    case RL_COMMAND_GROUP:
      toggle_group(&stage->option, command->number);
      break;
    default:
      break;
  }
}

void rl_stage_obey(RlStage *stage, const RlCommand *command) {
  stage->changed = true;
  switch (command->kind) {
    case RL_COMMAND_SELECT:
      select_body(stage, command);
      break;
    case RL_COMMAND_PUSH_BEGIN:
      begin_push(stage, command->turn);
      break;
    case RL_COMMAND_PUSH_MOVE:
      move_push(stage, command);
      break;
    case RL_COMMAND_PUSH_END:
      stage->push.active = 0;
      break;
    default:
      obey_time(stage, command);
      obey_look(stage, command);
      break;
  }
}

// ---------------------------------------------------------------- the picture

RlStatus rl_stage_draw(RlStage *stage, RlOffscreen *off) {
  double start = rl_clock_seconds();
  if (!rl_stage_guard(stage, update_scene, stage)) {
    return rl_error(RL_FAIL, "%s: found '%s', expected a scene to draw", stage->path,
                    mjb_error(stage->env.batch, 0));
  }
  RL_TRY(rl_offscreen_draw(off, &stage->scene, stage->width, stage->height, stage->fine));
  double took = rl_clock_seconds() - start;
  stage->frame_seconds += (took - stage->frame_seconds) * (stage->frame_seconds > 0 ? 0.1 : 1);
  stage->changed = false;
  return RL_OK;
}
