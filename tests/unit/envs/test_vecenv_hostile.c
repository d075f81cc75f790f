// States that somebody made: finite doubles, as a resume file is checked to hold, but none that a
// run saves. Loading one casts nothing out of range, and stepping on from it goes on counting.
#include "tests/unit/envs/vecenv_bench.h"

enum { TAIL = 6 };  // of a row: length, divergences, and the stream's four halves of words

static const double odd[] = {1e300, -1e300, -1, 0x1p31, 0x1p63, 0x1p32, -0.0, 5e-324};

static void test_any_finite_state(void **state) {
  (void)state;
  Bench b;
  bench_init(&b, "Hopper-v5", NULL, 2, 1);
  int n = rl_vecenv_nstate(&b.env);
  double *sound = RL_PUSH(&b.arena, double, 2 * n), *row = RL_PUSH(&b.arena, double, 2 * n);
  rl_vecenv_save(&b.env, sound);
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    for (int k = 0; k < TAIL; k++) {
      memcpy(row, sound, 2 * (size_t)n * sizeof *row);
      row[n - TAIL + k] = odd[i];
      rl_vecenv_load(&b.env, row);
      // what fits is kept, what does not is 0
      bool fits = k == 0 ? false : odd[i] == 0x1p31 || (k == 1 && odd[i] == 0x1p32);
      rl_vecenv_save(&b.env, row);
      assert_true(row[n - TAIL + k] == (fits ? odd[i] : 0));
      bench_step(&b, 0, 0, 1);
      assert_true(b.env.running_length[0] >= 0 && b.env.running_length[0] <= 1);
    }
  }
  bench_free(&b);
}

// the physics' own part of a row may be anything finite too: it diverges, is reset and counted
static void test_any_physics(void **state) {
  (void)state;
  Bench b;
  bench_init(&b, "Hopper-v5", NULL, 1, 1);
  int n = rl_vecenv_nstate(&b.env);
  double *sound = RL_PUSH(&b.arena, double, n), *row = RL_PUSH(&b.arena, double, n);
  rl_vecenv_save(&b.env, sound);
  for (int k = 0; k < n - TAIL; k++) {
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
      memcpy(row, sound, (size_t)n * sizeof *row);
      row[k] = odd[i];
      rl_vecenv_load(&b.env, row);
      for (int t = 0; t < 3; t++) bench_step(&b, t, 0, 1);
      for (int j = 0; j < b.env.O; j++) assert_true(isfinite(b.env.obs[j]));
    }
  }
  bench_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_any_finite_state),
      cmocka_unit_test(test_any_physics),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
