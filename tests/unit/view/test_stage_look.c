// What a hand does to a stage: bodies are selected and pushed, the camera is led.
#include "tests/unit/view/view.h"

static RlStage stage, twin;

// ---------------------------------------------------------------- pushing

static const double *force_row(int *n) {
  return mjb_stateComponent(stage.env.batch, mjSTATE_XFRC_APPLIED, n);
}

// the body that lies in the middle of the picture, wherever the robot's parts just are
static double select_robot(void) {
  double y;
  stage.push.select = 0;
  for (y = 0.3; y < 0.6 && stage.push.select == 0; y += 0.01) {
    OBEY(&stage, RL_COMMAND_SELECT, .x = 0.5, .y = y);
  }
  assert_true(stage.push.select > 0);
  return y;
}

// where the torso is, after a second of both stages
static void compare_after_push(bool turn, double *moved) {
  view_open(&stage, 5);
  view_open(&twin, 5);
  int n;
  OBEY(&stage, RL_COMMAND_PUSH_BEGIN, .turn = turn);  // nothing is selected
  assert_int_equal(stage.push.active, 0);
  (void)select_robot();
  OBEY(&stage, RL_COMMAND_PUSH_BEGIN, .turn = turn);
  OBEY(&stage, RL_COMMAND_PUSH_MOVE, .x = 0.3, .y = -0.2);
  for (int k = 0; k < 8; k++) {
    rl_stage_step(&stage);
    rl_stage_step(&twin);
  }
  const double *q = stage.d->qpos, *p = twin.d->qpos;
  *moved = fmax(fabs(q[0] - p[0]), turn ? fabs(q[2] - p[2]) : 0);
  OBEY(&stage, RL_COMMAND_PUSH_END);
  rl_stage_step(&stage);
  const double *force = force_row(&n);
  for (int k = 0; k < n; k++) assert_true(force[k] == 0);
  rl_stage_free(&stage);
  rl_stage_free(&twin);
}

static void test_push_moves_the_body(void **state) {
  (void)state;
  double moved;
  TRAIN("env.id=HalfCheetah-v5", "env.max_episode_steps=1000");
  compare_after_push(false, &moved);
  assert_true(moved > 0.05);
  compare_after_push(true, &moved);
  assert_true(moved > 0.01);
  rl_run_free(&view_run);
}

// the force is that on the state the step starts from, whatever moment is shown
static void test_push_acts_on_the_state(void **state) {
  (void)state;
  TRAIN("env.id=HalfCheetah-v5", "env.max_episode_steps=1000");
  view_open(&stage, 5);
  view_open(&twin, 5);
  (void)select_robot();
  twin.push = stage.push;
  OBEY(&stage, RL_COMMAND_PUSH_BEGIN);
  OBEY(&stage, RL_COMMAND_PUSH_MOVE, .x = 0.3);
  twin.push = stage.push;
  for (int k = 0; k < 6; k++) {
    rl_stage_step(&stage);
    rl_stage_step(&twin);
    stage.phase = 0;
    rl_stage_pose(&stage);
    const double *q = mjb_stateComponent(stage.env.batch, mjSTATE_QPOS, NULL);
    const double *p = mjb_stateComponent(twin.env.batch, mjSTATE_QPOS, NULL);
    assert_memory_equal(q, p, (size_t)stage.m->nq * sizeof *q);
  }
  rl_stage_free(&stage);
  rl_stage_free(&twin);
  rl_run_free(&view_run);
}

// the world cannot be selected, a body can be let go, and a new episode lets go by itself
static void test_select(void **state) {
  (void)state;
  TRAIN("env.id=HalfCheetah-v5");
  view_open(&stage, 5);
  // from above, the first to be met is the torso, in the picture's upper half
  assert_true(select_robot() < 0.5);
  assert_string_equal(mj_id2name(stage.m, mjOBJ_BODY, stage.push.select), "torso");
  OBEY(&stage, RL_COMMAND_SELECT, .x = 0.02, .y = 0.02);  // sky
  assert_int_equal(stage.push.select, 0);
  OBEY(&stage, RL_COMMAND_SELECT, .x = 0.02, .y = 0.98);  // ground
  assert_int_equal(stage.push.select, 0);
  (void)select_robot();
  OBEY(&stage, RL_COMMAND_PUSH_BEGIN);
  assert_true(stage.push.active != 0);
  OBEY(&stage, RL_COMMAND_RESET);
  assert_int_equal(stage.push.active, 0);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

// ---------------------------------------------------------------- the camera

static void test_camera(void **state) {
  (void)state;
  TRAIN("env.id=HalfCheetah-v5");
  view_open(&stage, 5);
  mjvCamera *camera = &stage.camera, before = *camera;
  assert_int_equal(camera->type, mjCAMERA_TRACKING);
  assert_true(fabs(camera->azimuth - 90) < 1 && camera->elevation < 0);
  OBEY(&stage, RL_COMMAND_ORBIT, .x = 0.1, .y = 0.05);
  assert_true(camera->azimuth != before.azimuth && camera->elevation != before.elevation);
  OBEY(&stage, RL_COMMAND_ZOOM, .x = 0.05);
  assert_true(camera->distance < before.distance);
  OBEY(&stage, RL_COMMAND_ZOOM, .x = -0.2);
  assert_true(camera->distance > before.distance);
  OBEY(&stage, RL_COMMAND_CAMERA, .number = 0);
  assert_int_equal(camera->type, mjCAMERA_FIXED);
  OBEY(&stage, RL_COMMAND_CAMERA, .number = 1000);  // there is none
  assert_int_equal(camera->fixedcamid, 0);
  OBEY(&stage, RL_COMMAND_CAMERA, .number = -1);
  assert_int_equal(camera->type, mjCAMERA_TRACKING);
  before = *camera;
  OBEY(&stage, RL_COMMAND_PAN, .x = 0.1, .y = 0.1);
  assert_int_equal(camera->type, mjCAMERA_FREE);
  assert_true(camera->lookat[0] != before.lookat[0] || camera->lookat[1] != before.lookat[1]);
  OBEY(&stage, RL_COMMAND_FOLLOW, .on = true);
  assert_int_equal(camera->type, mjCAMERA_TRACKING);
  assert_int_equal(camera->trackbodyid, stage.track);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

// a model whose camera stands still: the free camera begins there, and sees the same
static void check_standing_camera(const char *task) {
  TRAIN(task);
  view_open(&stage, 5);
  mjvGLCamera eye[2];
  for (int k = 0; k < 2; k++) {
    if (k == 1) OBEY(&stage, RL_COMMAND_CAMERA, .number = 0);
    mjv_updateScene(stage.m, stage.d, &stage.option, NULL, &stage.camera, mjCAT_ALL, &stage.scene);
    eye[k] = mjv_averageCamera(&stage.scene.camera[0], &stage.scene.camera[1]);
  }
  for (int k = 0; k < 3; k++) {
    assert_true(fabs((double)eye[0].pos[k] - (double)eye[1].pos[k]) <= 0.05);
    assert_true(fabs((double)eye[0].forward[k] - (double)eye[1].forward[k]) <= 1e-4);
  }
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

static void test_standing_camera(void **state) {
  (void)state;
  check_standing_camera("env.id=Reacher-v5");
  // not straight before the middle of its model
  check_standing_camera("env.id=Pusher-v5");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_push_moves_the_body),
      SCRATCH_TEST(test_push_acts_on_the_state),
      SCRATCH_TEST(test_select),
      SCRATCH_TEST(test_camera),
      SCRATCH_TEST(test_standing_camera),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
