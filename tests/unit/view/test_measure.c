// How fast pictures come, as `rlview --measure` tells it: the pieces are those of the whole, and
// nothing is kept. The figures themselves are the machine's.
#include "rl/view/measure.h"

#include "tests/unit/rl/memory.h"
#include "tests/unit/view/view.h"

static RlMeasure measure(void) {
  RlMeasure m = {.all = 0};
  RlStatus status = rl_measure_run(&m, view_run.folder.dir, 5, 64, 48, false);
  if (status == RL_OK) return m;
  if (!strstr(rl_error_text(), "EGL")) fail_msg("%s", rl_error_text());
  rl_run_free(&view_run);
  skip();
  return m;
}

static void test_pieces(void **state) {
  (void)state;
  TRAIN("env.id=InvertedPendulum-v5");
  RlMeasure m = measure();
  assert_true(m.play > 0 && m.draw > 0 && m.read > 0 && m.encode > 0);
  assert_true(fabs(m.play + m.draw + m.read + m.encode - m.all) <= 1e-9 * m.all);
  assert_true(m.median > 0 && m.median <= 2 * m.all);
  assert_true(m.cpu > 0);
  // a small picture, and more than a head
  assert_true(m.bytes > 300 && m.bytes < 64 * 48 * 3);
  assert_string_not_equal(m.device, "");
  rl_run_free(&view_run);
}

static void test_memory(void **state) {
  (void)state;
  TRAIN("env.id=InvertedPendulum-v5");
  // the first one makes what the graphics driver keeps
  (void)measure();
  size_t before = memory_in_use();
  (void)measure();
  assert_true(memory_in_use() <= before + 65536);
  rl_run_free(&view_run);
}

static void test_refused(void **state) {
  (void)state;
  RlMeasure m;
  assert_int_equal(rl_measure_run(&m, scratch_path("absent"), 5, 64, 48, false), RL_FAIL);
  assert_non_null(strstr(rl_error_text(), "absent: cannot read"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_pieces),
      SCRATCH_TEST(test_memory),
      SCRATCH_TEST(test_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
