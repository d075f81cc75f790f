// Free-running trajectories of all eleven tasks against Gymnasium's, in double, through the shipped
// replay (rlenv trace): tests/parity/fixtures/traj_*.h5, see make_trajectory_fixtures.py. Controls
// reach past the actuators' range and trajectories past termination.
//
// Tolerance, relative above 1: 1e-9 over 30 steps, 1e-7 over 60. RL_TOL_SCALE=0 prints the
// residuals.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rl/run/trace.h"

#define FIXTURES RL_SOURCE_DIR "/tests/parity/fixtures/"

enum { NEAR_STEPS = 30 };

typedef struct {
  double *data;
  hsize_t dim[2];
} Array;

static Array read_array(hid_t group, const char *name) {
  Array a = {.dim = {0, 1}};
  hid_t set = H5Dopen2(group, name, H5P_DEFAULT);
  assert_true(set >= 0);
  hid_t space = H5Dget_space(set);
  int rank = H5Sget_simple_extent_dims(space, a.dim, NULL);
  assert_true(rank == 1 || rank == 2);
  a.data = calloc(a.dim[0] * a.dim[1], sizeof(double));
  assert_true(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, a.data) >= 0);
  H5Sclose(space);
  H5Dclose(set);
  return a;
}

// Compares one array row by row; row `first` is the state after the first step. Returns how many of
// its values are not zero, so that a comparison of nothings is noticed.
static long compare(hid_t found_group, hid_t expected_group, const char *name, hsize_t first,
                    const char *where) {
  const char *scale = getenv("RL_TOL_SCALE");
  double factor = scale != NULL ? atof(scale) : 1;
  char expected_name[64];
  snprintf(expected_name, sizeof expected_name, "expected_%s", name);
  Array found = read_array(found_group, name), expected = read_array(expected_group, expected_name);
  assert_int_equal(found.dim[0], expected.dim[0]);
  assert_int_equal(found.dim[1], expected.dim[1]);
  double worst[2] = {0, 0};
  long nonzero = 0;
  for (hsize_t t = 0; t < found.dim[0]; t++) {
    int late = t >= NEAR_STEPS + first;
    for (hsize_t k = t * found.dim[1]; k < (t + 1) * found.dim[1]; k++) {
      double error = fabs(found.data[k] - expected.data[k]) / fmax(1, fabs(expected.data[k]));
      if (!(error <= worst[late])) worst[late] = error;
      nonzero += expected.data[k] != 0;
    }
  }
  if (factor == 0) printf("%s/%s: %.1e, %.1e\n", where, name, worst[0], worst[1]);
  if (factor != 0 && !(worst[0] <= 1e-9 * factor && worst[1] <= 1e-7 * factor)) {
    fail_msg("%s/%s: off by %g within %d steps, %g after", where, name, worst[0], NEAR_STEPS,
             worst[1]);
  }
  free(found.data);
  free(expected.data);
  return nonzero;
}

static void compare_group(hid_t found, hid_t expected, const char *task, const char *name) {
  char where[128];
  snprintf(where, sizeof where, "%s/%s", task, name);
  hid_t a = H5Gopen2(found, name, H5P_DEFAULT), b = H5Gopen2(expected, name, H5P_DEFAULT);
  assert_true(a >= 0 && b >= 0);
  assert_true(compare(a, b, "obs", 1, where) > 200);
  assert_true(compare(a, b, "qpos", 1, where) > 60);
  assert_true(compare(a, b, "qvel", 1, where) > 60);
  (void)compare(a, b, "reward", 0, where);
  (void)compare(a, b, "terminated", 0, where);
  H5Gclose(a);
  H5Gclose(b);
}

static void compare_task(const RlTask *task, const char *folder) {
  char in[512], out[512], name[64];
  snprintf(in, sizeof in, FIXTURES "traj_%.*s.h5", (int)(strchr(task->name, '-') - task->name),
           task->name);
  snprintf(out, sizeof out, "%s/out.h5", folder);
  RlConfig config;
  rl_config_default(&config);
  assert_int_equal(rl_task_resolve(task, &config, "test"), RL_OK);
  if (rl_trace_run(task, &config.env, in, out) != RL_OK) fail_msg("%s", rl_error_text());
  hid_t expected = H5Fopen(in, H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t found = H5Fopen(out, H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(expected >= 0 && found >= 0);
  H5G_info_t info;
  H5Gget_info(expected, &info);
  assert_true(info.nlinks >= 3);
  for (hsize_t i = 0; i < info.nlinks; i++) {
    H5Lget_name_by_idx(expected, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                       H5P_DEFAULT);
    compare_group(found, expected, task->name, name);
  }
  H5Fclose(expected);
  H5Fclose(found);
  unlink(out);
}

static void test_trajectories(void **state) {
  (void)state;
  char folder[] = "/tmp/rl_traj_XXXXXX";
  assert_non_null(mkdtemp(folder));
  int count = 0;
  for (; rl_tasks[count] != NULL; count++) compare_task(rl_tasks[count], folder);
  assert_int_equal(count, 11);
  assert_int_equal(rmdir(folder), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_trajectories)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
