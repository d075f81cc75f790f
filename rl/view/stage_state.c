// The state of a stage as JSON, for the charts beside its picture. See stage.h.
//
// Invariant: whatever bytes a path or an error line holds, the text is valid JSON in UTF-8, and it
// fits: what may be long is cut.
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "rl/base/line.h"
#include "rl/view/stage.h"

enum { PATH_SHOWN = 200, MAX_CAMERAS = 32 };

static void put_number(RlLine *line, double value) {
  if (isfinite(value)) {
    rl_line_format(line, "%.7g", value);
  } else {
    rl_line_put(line, "null");
  }
}

static void text_field(RlLine *line, const char *name, const char *text) {
  rl_line_format(line, ", \"%s\": ", name);
  rl_line_json(line, text);
}

static void number_field(RlLine *line, const char *name, double value) {
  rl_line_format(line, ", \"%s\": ", name);
  put_number(line, value);
}

static void count_field(RlLine *line, const char *name, int64_t value) {
  rl_line_format(line, ", \"%s\": %" PRId64, name, value);
}

static void bool_field(RlLine *line, const char *name, bool value) {
  rl_line_format(line, ", \"%s\": %s", name, value ? "true" : "false");
}

// Indices of the flags that are on.
static void flags_field(RlLine *line, const char *name, const mjtByte *flag, int n) {
  bool first = true;
  rl_line_format(line, ", \"%s\": [", name);
  for (int k = 0; k < n; k++) {
    if (!flag[k]) continue;
    rl_line_format(line, first ? "%d" : ", %d", k);
    first = false;
  }
  rl_line_put(line, "]");
}

// Names of the model's first n objects of a type, "" where there is none; an actuator without a
// name goes by its joint's.
static void names_field(RlLine *line, const char *field, const mjModel *m, mjtObj type, int n) {
  rl_line_format(line, ", \"%s\": [", field);
  for (int k = 0; k < n; k++) {
    const char *name = mj_id2name(m, (int)type, k);
    if (!name && type == mjOBJ_ACTUATOR && m->actuator_trntype[k] == mjTRN_JOINT) {
      name = mj_id2name(m, mjOBJ_JOINT, m->actuator_trnid[2 * k]);
    }
    if (k > 0) rl_line_put(line, ", ");
    rl_line_json(line, name ? name : "");
  }
  rl_line_put(line, "]");
}

static void put_policy(RlLine *line, const RlStage *stage) {
  const RlServed *served = &stage->served;
  size_t length = strlen(stage->path);
  bool sac = served->policy.actor.squashed;
  rl_line_put(line, "{\"task\": ");
  rl_line_json(line, stage->env.task->name);
  text_field(line, "algorithm", rl_config_algorithm(&served->config));
  text_field(line, "path", stage->path + (length > PATH_SHOWN ? length - PATH_SHOWN : 0));
  count_field(line, "step", served->step);
  count_field(line, "checkpoint", stage->checkpoint);
  count_field(line, "checkpoints", stage->ncheckpoint);
  text_field(line, "note", stage->note);
  text_field(line, "value_kind", sac ? "Q" : "V");
}

static void put_episode(RlLine *line, const RlStage *stage) {
  const RlVecEnv *env = &stage->env;
  const RlStageStep *last = &stage->last;
  double timestep = env->m->opt.timestep, whole = env->options.frame_skip * timestep;
  int length = stage->ended ? stage->last_length : env->running_length[0];
  double start = length > 0 ? (length - 1) * whole : 0;
  count_field(line, "episode", stage->episode);
  count_field(line, "length", length);
  number_field(line, "time", length > 0 ? start + stage->phase : 0);
  count_field(line, "steps", stage->steps);
  number_field(line, "return", stage->ended ? stage->last_return : env->running_return[0]);
  number_field(line, "last_return", stage->last_return);
  count_field(line, "last_length", stage->last_length);
  number_field(line, "reward", last->reward);
  rl_line_put(line, ", \"terms\": {");
  for (int k = 0; k < RL_MAX_TERMS && env->task->term[k]; k++) {
    if (k > 0) rl_line_put(line, ", ");
    rl_line_json(line, env->task->term[k]);
    rl_line_put(line, ": ");
    put_number(line, last->term[k]);
  }
  rl_line_put(line, "}");
  number_field(line, "value", last->value);
  number_field(line, "contact_force", last->contact_force);
  text_field(line, "ended",
             last->diverged     ? "diverged"
             : last->terminated ? "terminated"
             : last->truncated  ? "truncated"
                                : "");
}

static void put_actions(RlLine *line, const RlStage *stage) {
  const mjModel *m = stage->m;
  int A = stage->env.A;
  rl_line_put(line, ", \"act\": [");
  for (int j = 0; j < A; j++) {
    if (j > 0) rl_line_put(line, ", ");
    put_number(line, (double)stage->act[j]);
  }
  rl_line_put(line, "], \"ctrl\": [");
  for (int j = 0; j < A; j++) {
    if (j > 0) rl_line_put(line, ", ");
    put_number(line, stage->ctrl[j]);
  }
  rl_line_put(line, "], \"ctrl_range\": [");
  for (int j = 0; j < A; j++) {
    const double *range = m->actuator_ctrlrange + (size_t)2 * (size_t)j;
    if (j > 0) rl_line_put(line, ", ");
    if (m->actuator_ctrllimited[j]) {
      rl_line_format(line, "[%.7g, %.7g]", range[0], range[1]);
    } else {
      rl_line_put(line, "null");
    }
  }
  rl_line_put(line, "]");
  names_field(line, "actuators", m, mjOBJ_ACTUATOR, A);
}

static void put_view(RlLine *line, const RlStage *stage) {
  const mjModel *m = stage->m;
  int ncam = (int)m->ncam < MAX_CAMERAS ? (int)m->ncam : MAX_CAMERAS;
  int selected = stage->push.select;
  bool fixed = stage->camera.type == mjCAMERA_FIXED;
  bool_field(line, "paused", stage->paused);
  number_field(line, "speed", stage->speed);
  bool_field(line, "fine", stage->fine);
  bool_field(line, "pushing", stage->push.active != 0);
  count_field(line, "camera", fixed ? stage->camera.fixedcamid : -1);
  names_field(line, "cameras", m, mjOBJ_CAMERA, ncam);
  bool_field(line, "follow", stage->camera.type == mjCAMERA_TRACKING);
  rl_line_put(line, ", \"selected\": ");
  if (selected > 0) {
    const char *name = mj_id2name(m, mjOBJ_BODY, selected);
    rl_line_json(line, name ? name : "");
  } else {
    rl_line_put(line, "null");
  }
  flags_field(line, "flags", stage->option.flags, mjNVISFLAG);
  flags_field(line, "render_flags", stage->scene.flags, mjNRNDFLAG);
  flags_field(line, "groups", stage->option.geomgroup, mjNGROUP);
  count_field(line, "width", stage->width);
  count_field(line, "height", stage->height);
  number_field(line, "frame_ms", 1e3 * stage->frame_seconds);
}

size_t rl_stage_state(const RlStage *stage, char *json, size_t size) {
  RL_ASSERT(size >= RL_STAGE_JSON);
  RlLine line = {.text = json, .size = size, .width = INT_MAX};
  json[0] = '\0';
  put_policy(&line, stage);
  put_episode(&line, stage);
  put_actions(&line, stage);
  put_view(&line, stage);
  rl_line_put(&line, "}");
  return line.length;
}
