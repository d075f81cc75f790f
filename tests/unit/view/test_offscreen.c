// Pictures without a screen. Where there is no EGL, every test that draws is skipped.
#include <turbojpeg.h>

#include "rl/view/jpeg.h"
#include "tests/unit/view/view.h"

static RlStage stage;
static RlOffscreen off;

static void open_all(const char *task) {
  TRAIN(task);
  view_open(&stage, 5);
  if (rl_offscreen_open(&off, stage.m) == RL_OK) return;
  // one line that says what is missing, and nothing to clean up but the usual
  assert_non_null(strstr(rl_error_text(), "EGL"));
  rl_offscreen_close(&off);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
  skip();
}

static void close_all(void) {
  rl_offscreen_close(&off);
  rl_stage_free(&stage);
  rl_run_free(&view_run);
}

static void draw(void) {
  if (rl_stage_draw(&stage, &off) != RL_OK) fail_msg("%s", rl_error_text());
}

// mean of each channel over a part of the picture
static void mean_of(double mean[3], double top, double bottom) {
  int first = (int)(top * off.height), last = (int)(bottom * off.height);
  mean[0] = mean[1] = mean[2] = 0;
  for (int y = first; y < last; y++) {
    for (int x = 0; x < 3 * off.width; x++) {
      mean[x % 3] += off.rgb[(size_t)y * 3 * (size_t)off.width + (size_t)x];
    }
  }
  for (int c = 0; c < 3; c++) mean[c] /= (double)(last - first) * off.width;
}

// mean difference of the picture's bytes from an earlier one of the same size
static double differs(const uint8_t *from) {
  size_t n = (size_t)3 * (size_t)off.width * (size_t)off.height;
  double sum = 0;
  for (size_t k = 0; k < n; k++) sum += abs(off.rgb[k] - from[k]);
  return sum / (double)n;
}

static uint8_t *keep(void) {
  size_t n = (size_t)3 * (size_t)off.width * (size_t)off.height;
  uint8_t *copy = malloc(n);
  assert_non_null(copy);
  memcpy(copy, off.rgb, n);
  return copy;
}

static void test_picture(void **state) {
  (void)state;
  open_all("env.id=HalfCheetah-v5");
  draw();
  assert_true(off.width == 640 && off.height == 480);
  double sky[3], ground[3];
  mean_of(sky, 0, 0.2);
  mean_of(ground, 0.8, 1);
  // the sky is blue and above
  assert_true(sky[2] > sky[0] + 20 && sky[2] > ground[2] + 40);
  // the same again gives the same picture; a moment later, another one
  uint8_t *before = keep();
  draw();
  assert_true(differs(before) == 0);
  for (int k = 0; k < 10; k++) rl_stage_step(&stage);
  draw();
  assert_true(differs(before) > 0.1);
  free(before);
  close_all();
}

// a drag turns what is seen
static void test_camera_is_seen(void **state) {
  (void)state;
  open_all("env.id=HalfCheetah-v5");
  draw();
  uint8_t *before = keep();
  OBEY(&stage, RL_COMMAND_ORBIT, .x = 0.2, .y = 0.1);
  draw();
  assert_true(differs(before) > 1);
  free(before);
  close_all();
}

static void test_sizes(void **state) {
  (void)state;
  static const int size[][2] = {{320, 240}, {320, 480},   {480, 480}, {1920, 1080}, {16, 16},
                                {333, 77},  {5000, 5000}, {-3, 0},    {640, 480}};
  static const int expected[][2] = {{320, 240}, {320, 480},   {480, 480}, {1920, 1080}, {16, 16},
                                    {332, 76},  {1920, 1080}, {16, 16},   {640, 480}};
  double sky[3], first[3];
  open_all("env.id=HalfCheetah-v5");
  draw();
  mean_of(first, 0, 0.15);
  for (int fine = 0; fine < 2; fine++) {
    for (size_t k = 0; k < sizeof size / sizeof *size; k++) {
      stage.width = size[k][0];
      stage.height = size[k][1];
      OBEY(&stage, RL_COMMAND_QUALITY, .on = fine != 0);
      draw();
      assert_true(off.width == expected[k][0] && off.height == expected[k][1]);
      // the same sky from edge to edge
      mean_of(sky, 0, 0.15);
      for (int c = 0; c < 3; c++) assert_true(fabs(sky[c] - first[c]) <= 8);
    }
  }
  close_all();
}

// the quality switch: shadows and smooth edges, and back
static void test_quality(void **state) {
  (void)state;
  open_all("env.id=HalfCheetah-v5");
  draw();
  uint8_t *plain = keep();
  assert_int_equal(off.gpu->offSamples, 0);
  OBEY(&stage, RL_COMMAND_QUALITY, .on = true);
  draw();
  assert_true(off.gpu->offSamples > 1);
  assert_true(differs(plain) > 0.5);
  OBEY(&stage, RL_COMMAND_QUALITY, .on = false);
  draw();
  assert_true(differs(plain) == 0);
  free(plain);
  close_all();
}

// several panels, each with a context of its own, drawn by turns
static void test_two_panels(void **state) {
  (void)state;
  static RlStage other;
  static RlOffscreen there;
  open_all("env.id=HalfCheetah-v5");
  view_open(&other, 5);
  assert_int_equal(rl_offscreen_open(&there, other.m), RL_OK);
  other.width = 200;
  other.height = 100;
  for (int k = 0; k < 3; k++) {
    draw();
    assert_int_equal(rl_stage_draw(&other, &there), RL_OK);
  }
  uint8_t *before = keep();
  rl_offscreen_close(&there);
  rl_stage_free(&other);
  draw();
  assert_true(differs(before) == 0);
  free(before);
  close_all();
}

// a pose that is no pose ends neither the process nor the pictures after it
static void test_nan(void **state) {
  (void)state;
  open_all("env.id=Humanoid-v5");
  for (int j = 0; j < (int)stage.m->nq; j++) stage.d->qpos[j] = NAN;
  mj_kinematics(stage.m, stage.d);
  mj_comPos(stage.m, stage.d);
  mj_camlight(stage.m, stage.d);
  RlStatus status = rl_stage_draw(&stage, &off);
  assert_true(status == RL_OK || status == RL_FAIL);
  OBEY(&stage, RL_COMMAND_SELECT, .x = 0.5, .y = 0.5);
  OBEY(&stage, RL_COMMAND_ORBIT, .x = 0.1, .y = 0.1);
  for (int k = 0; k < 3; k++) rl_stage_step(&stage);
  draw();
  double sky[3];
  mean_of(sky, 0, 0.15);
  assert_true(sky[2] > sky[0] + 20);
  close_all();
}

static void test_jpeg(void **state) {
  (void)state;
  RlJpeg jpeg;
  open_all("env.id=HalfCheetah-v5");
  draw();
  assert_int_equal(rl_jpeg_open(&jpeg), RL_OK);
  const uint8_t *room = jpeg.data;
  assert_int_equal(rl_jpeg_encode(&jpeg, off.rgb, off.width, off.height, 85), RL_OK);
  assert_true(jpeg.size > 2000 && jpeg.size < 200000);
  assert_true(jpeg.data[0] == 0xff && jpeg.data[1] == 0xd8);
  assert_true(jpeg.data[jpeg.size - 2] == 0xff && jpeg.data[jpeg.size - 1] == 0xd9);
  // read back, it is the picture
  uint8_t *before = keep();
  tjhandle reader = tjInitDecompress();
  assert_int_equal(
      tjDecompress2(reader, jpeg.data, jpeg.size, off.rgb, off.width, 0, off.height, TJPF_RGB, 0),
      0);
  assert_true(differs(before) > 0 && differs(before) < 3);
  tjDestroy(reader);
  free(before);
  // noise of the largest size fits into the same memory
  size_t n = (size_t)3 * RL_PICTURE_WIDTH * RL_PICTURE_HEIGHT;
  uint32_t word = 1;
  for (size_t k = 0; k < n; k++)
    off.rgb[k] = (uint8_t)((word = word * 1664525u + 1013904223u) >> 24);
  assert_int_equal(rl_jpeg_encode(&jpeg, off.rgb, RL_PICTURE_WIDTH, RL_PICTURE_HEIGHT, 100), RL_OK);
  assert_true(jpeg.data == room && jpeg.size <= jpeg.room && jpeg.size > 1000000);
  rl_jpeg_close(&jpeg);
  close_all();
}

// closing what was never opened, twice
static void test_close(void **state) {
  (void)state;
  RlOffscreen none = {0};
  RlJpeg empty = {0};
  rl_offscreen_close(&none);
  rl_offscreen_close(&none);
  rl_jpeg_close(&empty);
  rl_jpeg_close(&empty);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_picture), SCRATCH_TEST(test_camera_is_seen), SCRATCH_TEST(test_sizes),
      SCRATCH_TEST(test_quality), SCRATCH_TEST(test_two_panels),     SCRATCH_TEST(test_nan),
      SCRATCH_TEST(test_jpeg),    cmocka_unit_test(test_close),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
