// A stage plays what rleval plays, bit for bit, whatever is looked at and asked for, unless it is
// pushed; what it shows between two steps, its orders, and what goes wrong.
#include "tests/unit/rl/memory.h"
#include "tests/unit/view/view.h"

static RlStage stage, twin;

enum { EPISODES = 3 };

// ---------------------------------------------------------------- what is played

// Everything a person can do that must not change what is played.
static void fidget(int k) {
  double t = k % 7 / 7.0 - 0.4;
  OBEY(&stage, RL_COMMAND_ORBIT, .x = t, .y = -t);
  OBEY(&stage, RL_COMMAND_PAN, .x = t, .y = t);
  OBEY(&stage, RL_COMMAND_ZOOM, .x = t / 10);
  OBEY(&stage, RL_COMMAND_SELECT, .x = 0.5, .y = 0.5);
  OBEY(&stage, RL_COMMAND_PUSH_MOVE, .x = 1);
  OBEY(&stage, RL_COMMAND_FOLLOW, .on = k % 2);
  OBEY(&stage, RL_COMMAND_QUALITY, .on = k % 3 == 0);
  OBEY(&stage, RL_COMMAND_FLAG, .number = k % mjNVISFLAG);
  OBEY(&stage, RL_COMMAND_PAUSE, .on = true);
  rl_stage_advance(&stage, 1);
  OBEY(&stage, RL_COMMAND_PAUSE, .on = false);
  OBEY(&stage, RL_COMMAND_SPEED, .value = 0.2 + k % 5);
}

// one way to come to the next step's end, by turns
static void go_on(int k) {
  int64_t before = stage.steps;
  if (k % 3 == 0) fidget(k);
  if (k % 2) {
    rl_stage_step(&stage);
  } else {
    while (stage.steps == before) rl_stage_advance(&stage, 0.013);
  }
}

static void check_same_as_eval(void) {
  RlArena arena = {0};
  RlEval eval;
  RlEvalSummary summary;
  RlServed served;
  int k = 0;
  assert_int_equal(rl_served_load(&served, view_run.folder.dir, RL_EVAL_ENVS), RL_OK);
  assert_int_equal(rl_eval_init(&eval, &arena, &served.config, EPISODES, 2), RL_OK);
  rl_eval_run(&eval, &served.policy, 11, 0, false, &summary, NULL, NULL);
  view_open(&stage, 11);
  assert_true(isnan(stage.last_return));
  for (int i = 0; i < EPISODES; i++) {
    assert_int_equal(stage.episode, i);
    do {
      go_on(k++);
      // an advance may already have taken the next episode's first step
    } while (stage.episode == i && !stage.ended);
    assert_true(stage.last_return == eval.ret[i]);
    assert_int_equal(stage.last_length, eval.length[i]);
    if (stage.ended) rl_stage_step(&stage);
  }
  assert_int_equal(stage.episode, EPISODES);
  rl_stage_free(&stage);
  rl_eval_free(&eval);
  rl_arena_free(&arena);
  rl_served_free(&served);
  rl_run_free(&view_run);
}

static void test_returns_are_those_of_rleval(void **state) {
  (void)state;
  static const char *const tasks[] = {"env.id=Reacher-v5", "env.id=InvertedPendulum-v5",
                                      "env.id=Hopper-v5", "env.id=HalfCheetah-v5",
                                      "env.id=Humanoid-v5"};
  for (size_t t = 0; t < sizeof tasks / sizeof *tasks; t++) {
    TRAIN(tasks[t]);
    check_same_as_eval();
  }
  TRAIN_SAC("env.id=Walker2d-v5");
  check_same_as_eval();
}

// the rehearsal is the step itself: its last pose, and the terms that make the reward
static void check_rehearsal(const char *task) {
  TRAIN(task);
  view_open(&stage, 5);
  RlVecEnv *env = &stage.env;
  size_t nq = (size_t)env->m->nq;
  RlMlp *actor = &stage.served.policy.actor.mlp;
  for (int k = 0; k < 30; k++) {
    // an action beyond its bound, which the actuators do not get
    if (k == 15) actor->b[actor->L - 1][0] = 3;
    rl_stage_step(&stage);
    if (k >= 15)
      assert_true(stage.act[0] > 1 && stage.ctrl[0] == env->ctrl_mid[0] + env->ctrl_half[0]);
    double sum = 0;
    for (int t = 0; t < RL_MAX_TERMS && env->task->term[t]; t++) sum += stage.last.term[t];
    assert_true(fabs(sum - (double)env->rew[0]) <= 1e-5 * fmax(1, fabs(sum)));
    assert_true(stage.last.reward == (double)env->rew[0]);
    if (stage.ended) continue;
    assert_int_equal(stage.ntrail, env->options.frame_skip + 1);
    const double *end = stage.trail + (size_t)env->options.frame_skip * nq;
    const double *qpos = mjb_stateComponent(env->batch, mjSTATE_QPOS, NULL);
    assert_memory_equal(end, qpos, nq * sizeof *end);
    // a step's end is what is shown behind it
    for (size_t j = 0; j < nq; j++) assert_true(fabs(stage.d->qpos[j] - qpos[j]) <= 1e-9);
  }
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

static void test_rehearsal_is_the_step(void **state) {
  (void)state;
  check_rehearsal("env.id=Humanoid-v5");
  check_rehearsal("env.id=Ant-v5");
  check_rehearsal("env.id=InvertedDoublePendulum-v5");
}

// contact forces hold the robot up: their sum over a second is about its weight
static void test_contact_force(void **state) {
  (void)state;
  TRAIN("env.id=HalfCheetah-v5", "env.max_episode_steps=1000");
  view_open(&stage, 5);
  double sum = 0, weight = mj_getTotalmass(stage.m) * 9.81;
  for (int k = 0; k < 20; k++) rl_stage_step(&stage);
  for (int k = 0; k < 60; k++) {
    rl_stage_step(&stage);
    sum += stage.last.contact_force;
  }
  assert_true(sum / 60 > 0.5 * weight && sum / 60 < 2 * weight);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

// V in the reward's units, and the smaller Q of the action taken
static void test_value(void **state) {
  (void)state;
  float obs[64];
  RlReal value[1], q[2], in[64];
  TRAIN("env.id=Reacher-v5");
  view_open(&stage, 5);
  size_t O = (size_t)stage.env.O, A = (size_t)stage.env.A;
  double unit = rl_return_scale_deviation(&view_run.policy.scale);
  assert_true(fabs(unit - 1) > 0.01);
  for (int k = 0; k < 3; k++) {
    memcpy(obs, stage.env.obs, O * sizeof *obs);
    rl_stage_step(&stage);
    detail_value(&view_run, value, obs, 1);
    assert_true(fabs(stage.last.value - (double)value[0] * unit) <= 1e-6 * fabs(unit));
  }
  rl_stage_free(&stage);
  rl_run_free(&view_run);
  TRAIN_SAC("env.id=Reacher-v5", "sac.reward_scale=4");
  view_open(&stage, 5);
  rl_stage_step(&stage);
  memcpy(obs, stage.env.obs, O * sizeof *obs);
  rl_stage_step(&stage);
  rl_normalizer_forward(&view_run.policy.norm, in, obs, 1);
  for (size_t j = 0; j < A; j++) in[O + j] = (RlReal)stage.act[j];
  for (int c = 0; c < 2; c++) detail_forward(&view_run.policy.critic[c], &q[c], in, 1);
  assert_true(q[0] != q[1]);
  assert_true(fabs(stage.last.value - fmin((double)q[0], (double)q[1]) / 4) <= 1e-6);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

// ---------------------------------------------------------------- orders

// A runner leaves neither the floor nor the light behind; a table keeps its size.
static void test_far_from_the_start(void **state) {
  (void)state;
  TRAIN("env.id=HalfCheetah-v5");
  view_open(&stage, 1);
  assert_true(stage.env.m->geom_size[0] == 40 && stage.m->geom_size[0] == 0);
  double before[3], after[3], way = fabs(stage.d->qpos[0]);
  const double *light = stage.d->light_xpos;
  const double *body = stage.d->xpos + (size_t)3 * (size_t)stage.track;
  mju_sub3(before, light, body);
  while (fabs(stage.d->qpos[0]) < way + 0.05) rl_stage_step(&stage);
  mju_sub3(after, light, body);
  assert_true(mju_dist3(before, after) < 1e-9);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
  TRAIN("env.id=Reacher-v5");
  view_open(&stage, 1);
  assert_true(stage.env.m->geom_size[0] == 1 && stage.m->geom_size[0] == 1);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

static void test_time(void **state) {
  (void)state;
  TRAIN("env.id=HalfCheetah-v5", "env.max_episode_steps=1000");
  view_open(&stage, 5);
  double whole = 0.05;  // five steps of 0.01 s
  for (int k = 0; k < 100; k++) rl_stage_advance(&stage, 0.01);
  assert_true(llabs((long long)stage.steps - 20) <= 1);
  OBEY(&stage, RL_COMMAND_PAUSE, .on = true);
  int64_t steps = stage.steps;
  rl_stage_advance(&stage, 10);
  assert_int_equal(stage.steps, steps);
  OBEY(&stage, RL_COMMAND_STEP);
  assert_int_equal(stage.steps, steps + 1);
  OBEY(&stage, RL_COMMAND_PAUSE, .on = false);
  OBEY(&stage, RL_COMMAND_STEP);  // only while paused
  assert_int_equal(stage.steps, steps + 1);
  OBEY(&stage, RL_COMMAND_SPEED, .value = 0.1);
  for (int k = 0; k < 100; k++) rl_stage_advance(&stage, 0.01);
  assert_true(llabs((long long)stage.steps - steps - 3) <= 1);
  OBEY(&stage, RL_COMMAND_SPEED, .value = 1e9);
  assert_true(stage.speed == 16);
  // an hour is not caught up with
  rl_stage_advance(&stage, 3600);
  assert_true(stage.steps < steps + 5000 && stage.phase <= whole);
  OBEY(&stage, RL_COMMAND_RESET);
  assert_int_equal(stage.episode, 1);
  assert_int_equal(stage.env.running_length[0], 0);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

// between two steps the poses of the physics are passed through
static void test_poses_between_steps(void **state) {
  (void)state;
  TRAIN("env.id=HalfCheetah-v5", "env.max_episode_steps=1000");
  view_open(&stage, 5);
  size_t nq = (size_t)stage.m->nq;
  for (int k = 0; k < 12; k++) rl_stage_step(&stage);
  stage.phase = 0;
  for (int k = 0; k <= 10; k++) {
    stage.phase = 0.005 * k;
    rl_stage_pose(&stage);
    const double *a = stage.trail + (size_t)(k / 2) * nq;
    for (size_t j = 0; j < nq; j++) {
      double expected = k % 2 ? (a[j] + a[j + nq]) / 2 : a[j];
      assert_true(fabs(stage.d->qpos[j] - expected) <= 1e-9);
    }
  }
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

static void test_seek(void **state) {
  (void)state;
  TRAIN("env.id=HalfCheetah-v5");
  view_open(&stage, 5);
  int frames = 0;
  // three episodes of 40 steps of 0.05 s, at 30 frames a second: 0 ... 6 s
  while (rl_stage_seek(&stage, frames / 30.0, 3)) frames++;
  assert_int_equal(frames, 181);
  assert_int_equal(stage.steps, 120);
  assert_int_equal(stage.episode, 2);
  rl_stage_free(&stage);
  // within a step, a part of it is shown
  view_open(&stage, 5);
  assert_true(rl_stage_seek(&stage, 0.12, 1));
  assert_int_equal(stage.steps, 3);
  assert_true(fabs(stage.phase - 0.02) <= 1e-9);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
  // the end of step k takes k steps, however its time is rounded
  TRAIN("env.id=Humanoid-v5");
  view_open(&stage, 5);
  for (int k = 0; k < 300; k++) {
    assert_true(rl_stage_seek(&stage, k * 15 / 1000.0, 100));
    assert_int_equal(stage.steps, k);
  }
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

static void test_look(void **state) {
  (void)state;
  TRAIN("env.id=HalfCheetah-v5");
  view_open(&stage, 5);
  OBEY(&stage, RL_COMMAND_FLAG, .number = mjVIS_CONTACTFORCE);
  assert_true(stage.option.flags[mjVIS_CONTACTFORCE]);
  OBEY(&stage, RL_COMMAND_FLAG, .number = mjNVISFLAG);
  OBEY(&stage, RL_COMMAND_FLAG, .number = -1);
  OBEY(&stage, RL_COMMAND_RENDER_FLAG, .number = mjRND_WIREFRAME);
  assert_true(stage.scene.flags[mjRND_WIREFRAME]);
  OBEY(&stage, RL_COMMAND_RENDER_FLAG, .number = mjNRNDFLAG);
  OBEY(&stage, RL_COMMAND_GROUP, .number = 1);
  assert_false(stage.option.geomgroup[1]);
  OBEY(&stage, RL_COMMAND_GROUP, .number = mjNGROUP);
  assert_false(stage.fine);
  OBEY(&stage, RL_COMMAND_QUALITY, .on = true);
  assert_true(stage.fine && stage.scene.flags[mjRND_SHADOW] && stage.scene.flags[mjRND_REFLECTION]);
  OBEY(&stage, RL_COMMAND_RESIZE, .x = 300, .y = 200);
  assert_true(stage.width == 300 && stage.height == 200);
  OBEY(&stage, RL_COMMAND_RESIZE, .x = 3840, .y = 1080);
  assert_true(stage.width == 1920 && stage.height == 540);
  OBEY(&stage, RL_COMMAND_RESIZE, .x = 1, .y = 5000);
  assert_true(stage.width == 16 && stage.height == 1080);
  OBEY(&stage, RL_COMMAND_SAVE);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

// ---------------------------------------------------------------- checkpoints

static void test_checkpoints(void **state) {
  (void)state;
  char path[RL_PATH_SIZE];
  TRAIN("env.id=Reacher-v5", "run.total_steps=384");
  view_open(&stage, 5);
  assert_int_equal(stage.served.step, 384);
  assert_true(stage.checkpoint == 3 && stage.ncheckpoint == 3);
  OBEY(&stage, RL_COMMAND_CHECKPOINT, .number = 1);
  assert_int_equal(stage.served.step, 384);
  assert_string_not_equal(stage.note, "");
  for (int k = 0; k < 5; k++) rl_stage_step(&stage);
  OBEY(&stage, RL_COMMAND_CHECKPOINT, .number = -1);
  assert_int_equal(stage.served.step, 256);
  assert_string_equal(stage.note, "");
  // the same episode, from its beginning
  assert_int_equal(stage.env.running_length[0], 0);
  assert_int_equal(stage.episode, 0);
  rl_stage_step(&stage);
  float first = stage.act[0];
  // a broken one is named and passed over; the policy stays
  rl_folder_checkpoint(&view_run.folder, 128, path);
  scratch_put(path, "broken", 6);
  OBEY(&stage, RL_COMMAND_CHECKPOINT, .number = -1);
  assert_int_equal(stage.served.step, 256);
  assert_non_null(strstr(stage.note, "000000000128.h5"));
  assert_int_equal(stage.checkpoint, 1);
  OBEY(&stage, RL_COMMAND_RESET);
  rl_stage_step(&stage);
  OBEY(&stage, RL_COMMAND_CHECKPOINT, .number = 1);
  assert_int_equal(stage.served.step, 256);
  assert_string_equal(stage.note, "");
  OBEY(&stage, RL_COMMAND_CHECKPOINT, .number = 1);
  assert_int_equal(stage.served.step, 384);
  rl_stage_free(&stage);
  // the policy of a checkpoint's own file is that of the checkpoint gone to
  rl_folder_checkpoint(&view_run.folder, 256, path);
  assert_int_equal(rl_stage_open(&stage, path, 5), RL_OK);
  assert_true(stage.checkpoint == 2 && stage.ncheckpoint == 3);
  rl_stage_step(&stage);
  assert_true(stage.act[0] == first);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

// a checkpoint of another task among them, even one of the same size, is refused like a broken one
static void test_foreign_checkpoint(void **state) {
  (void)state;
  char from[RL_PATH_SIZE], to[RL_PATH_SIZE];
  size_t size;
  TRAIN("env.id=Humanoid-v5");
  rl_folder_checkpoint(&view_run.folder, 256, from);
  uint8_t *data = scratch_get(from, &size);
  rl_run_free(&view_run);
  TRAIN("env.id=HumanoidStandup-v5");
  rl_folder_checkpoint(&view_run.folder, 300, to);
  scratch_put(to, data, size);
  free(data);
  view_open(&stage, 5);
  OBEY(&stage, RL_COMMAND_CHECKPOINT, .number = 1);
  assert_non_null(strstr(stage.note, "Humanoid-v5"));
  assert_int_equal(stage.served.step, 256);
  rl_stage_step(&stage);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

static void test_open_refuses(void **state) {
  (void)state;
  assert_int_equal(rl_stage_open(&stage, scratch_path("nothing"), 5), RL_FAIL);
  rl_stage_free(&stage);
  scratch_put(scratch_path("junk.h5"), "junk", 4);
  assert_int_equal(rl_stage_open(&stage, scratch_path("junk.h5"), 5), RL_FAIL);
  rl_stage_free(&stage);
}

// a policy handed over: what it does from then on is what that policy does
static void test_take(void **state) {
  (void)state;
  TRAIN("env.id=Hopper-v5");
  view_open(&stage, 5);
  assert_int_equal(rl_stage_open_empty(&twin, &stage.served.config, "training", 5), RL_OK);
  rl_stage_step(&twin);
  assert_true(twin.act[0] == 0);
  rl_stage_take(&twin, &stage.served.policy, 77);
  assert_int_equal(twin.served.step, 77);
  OBEY(&stage, RL_COMMAND_RESET);
  OBEY(&twin, RL_COMMAND_RESET);
  for (int k = 0; k < 10; k++) {
    rl_stage_step(&stage);
    rl_stage_step(&twin);
    assert_memory_equal(stage.act, twin.act, (size_t)stage.env.A * sizeof(float));
    assert_true(stage.last.value == twin.last.value);
  }
  rl_stage_free(&stage);
  rl_stage_free(&twin);
  rl_run_free(&view_run);
}

// ---------------------------------------------------------------- trouble

// physics that cannot go on ends the episode and never the process
static void test_diverged(void **state) {
  (void)state;
  TRAIN("env.id=HalfCheetah-v5", "env.max_episode_steps=1000");
  view_open(&stage, 5);
  for (int k = 0; k < 5; k++) rl_stage_step(&stage);
  mjb_stateComponent(stage.env.batch, mjSTATE_QVEL, NULL)[0] = 1e11;
  rl_stage_step(&stage);
  assert_true(stage.ended && stage.last.diverged && stage.last.terminated);
  // MuJoCo begins again from its reset, which is not shown
  assert_int_equal(stage.ntrail, 1);
  for (int j = 0; j < (int)stage.m->nq; j++) assert_true(isfinite(stage.d->qpos[j]));
  rl_stage_step(&stage);
  assert_int_equal(stage.episode, 1);
  assert_false(stage.ended);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

// A reset behind an episode's end begins the next episode, not the one after it.
static void test_reset_behind_the_end(void **state) {
  (void)state;
  TRAIN("env.id=Reacher-v5");
  view_open(&stage, 5);
  while (!stage.ended) rl_stage_step(&stage);
  OBEY(&stage, RL_COMMAND_RESET);
  assert_false(stage.ended);
  assert_int_equal(stage.episode, 1);
  rl_stage_step(&stage);
  assert_int_equal(stage.episode, 1);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

// What a stage took it gives back.
static void test_memory(void **state) {
  (void)state;
  TRAIN("env.id=Reacher-v5");
  size_t before = 0;
  for (int k = 0; k < 3; k++) {
    view_open(&stage, 5);
    rl_stage_step(&stage);
    rl_stage_free(&stage);
    if (k == 0) before = memory_in_use();
  }
  assert_true(memory_in_use() <= before + 16384);
  rl_run_free(&view_run);
}

// MuJoCo out of memory for the pose shown: no end of the process, and a whole pose afterwards
static void test_fatal_error_is_caught(void **state) {
  (void)state;
  TRAIN("env.id=HalfCheetah-v5");
  view_open(&stage, 5);
  mjtSize narena = stage.d->narena;
  stage.d->narena = 64;
  rl_stage_step(&stage);
  OBEY(&stage, RL_COMMAND_SELECT, .x = 0.5, .y = 0.5);
  assert_int_equal(stage.d->pstack, 0);
  stage.d->narena = narena;
  rl_stage_step(&stage);
  const double *qpos = mjb_stateComponent(stage.env.batch, mjSTATE_QPOS, NULL);
  for (int j = 0; j < (int)stage.m->nq; j++) {
    assert_true(fabs(stage.d->qpos[j] - qpos[j]) <= 1e-9);
  }
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_returns_are_those_of_rleval),
      SCRATCH_TEST(test_rehearsal_is_the_step),
      SCRATCH_TEST(test_contact_force),
      SCRATCH_TEST(test_value),
      SCRATCH_TEST(test_far_from_the_start),
      SCRATCH_TEST(test_time),
      SCRATCH_TEST(test_poses_between_steps),
      SCRATCH_TEST(test_seek),
      SCRATCH_TEST(test_look),
      SCRATCH_TEST(test_checkpoints),
      SCRATCH_TEST(test_foreign_checkpoint),
      SCRATCH_TEST(test_open_refuses),
      SCRATCH_TEST(test_take),
      SCRATCH_TEST(test_diverged),
      SCRATCH_TEST(test_reset_behind_the_end),
      SCRATCH_TEST(test_memory),
      SCRATCH_TEST(test_fatal_error_is_caught),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
