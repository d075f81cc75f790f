// The vector environment at its edges: time limit and termination, clipping of actions, physics
// that diverges, and fatal errors inside MuJoCo.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/envs/vecenv_bench.h"

static void test_time_limit(void **state) {
  (void)state;
  static const char *const keys[] = {"env.max_episode_steps=4", NULL};
  Bench b;
  bench_init(&b, "HalfCheetah-v5", keys, 2, 1);
  rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
  for (int s = 1; s <= 12; s++) {
    bench_step(&b, s, 0, 1);
    size_t size = (size_t)b.env.O * sizeof(float);
    for (int i = 0; i < 2; i++) {
      const float *obs = b.env.obs + i * b.env.O, *next = b.env.next_obs + i * b.env.O;
      assert_int_equal(b.env.truncated[i], s % 4 == 0);
      assert_int_equal(b.env.terminated[i], 0);
      assert_int_equal(b.env.episode_length[i], (s - 1) % 4 + 1);
      // the observation the step led to is kept apart from the next episode's first
      if (s % 4 == 0) {
        assert_memory_not_equal(obs, next, size);
        for (int k = 0; k < b.env.O; k++) assert_true(fabsf(obs[k]) < .6f);
      } else {
        assert_memory_equal(obs, next, size);
      }
    }
  }
  bench_free(&b);
}

// Ended by the task on the very step of the limit: both are set.
static void test_terminated_at_the_limit(void **state) {
  (void)state;
  Bench b;
  bench_init(&b, "InvertedPendulum-v5", NULL, 1, 1);
  rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
  int length = 0;
  do {
    bench_step(&b, length++, 0, 1);
  } while (!b.env.terminated[0]);
  assert_int_equal(b.env.truncated[0], 0);
  assert_true(length < 1000 && b.env.rew[0] == 0);
  bench_free(&b);
  for (int off = -1; off <= 1; off++) {
    char key[64];
    snprintf(key, sizeof key, "env.max_episode_steps=%d", length + off);
    const char *const keys[] = {key, NULL};
    bench_init(&b, "InvertedPendulum-v5", keys, 1, 1);
    rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
    for (int s = 0; s < length - (off < 0); s++) bench_step(&b, s, 0, 1);
    assert_int_equal(b.env.terminated[0], off >= 0);
    assert_int_equal(b.env.truncated[0], off <= 0);
    bench_free(&b);
  }
}

static const mjtNum *ctrl_of(Bench *b, int i) {
  return mjb_stateComponent(b->env.batch, mjSTATE_CTRL, NULL) + i * mjb_nstate(b->env.batch);
}

// Actions are clipped to ±1, then stretched to the actuators' range; the switch turns the clip off.
static void test_action_clip(void **state) {
  (void)state;
  static const char *const off[] = {"env.clip_action=false", NULL};
  Bench clipped, raw;
  bench_init(&clipped, "Pusher-v5", NULL, 2, 1);
  bench_init(&raw, "Pusher-v5", off, 2, 1);
  rl_vecenv_reset(&clipped.env, SEED, RL_STREAM_ENV);
  rl_vecenv_reset(&raw.env, SEED, RL_STREAM_ENV);
  int A = clipped.env.A;
  for (int j = 0; j < 2 * A; j++) clipped.act[j] = raw.act[j] = j < A ? .25f : -3;
  rl_vecenv_step(&clipped.env, clipped.act);
  rl_vecenv_step(&raw.env, raw.act);
  for (int j = 0; j < A; j++) {
    assert_true(ctrl_of(&clipped, 0)[j] == .5 && ctrl_of(&raw, 0)[j] == .5);
    assert_true(ctrl_of(&clipped, 1)[j] == -2);
    assert_true(ctrl_of(&raw, 1)[j] == -6);
  }
  // MuJoCo clamps either way, so the motion is the same; what the control costs is not
  assert_same_floats(clipped.env.next_obs, raw.env.next_obs, 2 * clipped.env.O);
  assert_true(clipped.env.rew[0] == raw.env.rew[0]);
  double gap = (double)clipped.env.rew[1] - (double)raw.env.rew[1];
  assert_true(fabs(gap - .1 * A * (36 - 4)) <= 1e-4);
  bench_free(&clipped);
  bench_free(&raw);
}

// Environment 1 of 3 is broken by `breakage`; 0 and 2 must not notice.
static void diverge(const char *task, int breakage) {
  Bench b, whole;
  bench_init(&b, task, NULL, 3, 2);
  bench_init(&whole, task, NULL, 3, 2);
  rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
  rl_vecenv_reset(&whole.env, SEED, RL_STREAM_ENV);
  bench_step(&b, 0, 0, .1);
  bench_step(&whole, 0, 0, .1);
  int O = b.env.O, A = b.env.A;
  float before[400];
  memcpy(before, b.env.obs + O, (size_t)O * sizeof(float));
  double ret = b.env.episode_return[1];
  for (int j = 0; j < 3 * A; j++) whole.act[j] = b.act[j] = .1f;
  if (breakage == 0) b.act[A] = NAN;
  if (breakage == 1) b.act[2 * A - 1] = INFINITY;
  if (breakage == 2) state_of(&b, mjSTATE_QVEL, 1)[b.env.m->nv - 1] = 1e9;
  if (breakage == 3) *state_of(&b, mjSTATE_QVEL, 1) = NAN;
  if (breakage == 4) *state_of(&b, mjSTATE_QPOS, 1) = 1e300;
  rl_vecenv_step(&b.env, b.act);
  rl_vecenv_step(&whole.env, whole.act);
  assert_finite(&b.env);
  assert_int_equal(b.env.diverged[1], 1);
  assert_int_equal(b.env.terminated[1], 1);
  assert_int_equal(b.env.truncated[1], 0);
  assert_true(b.env.rew[1] == 0 && b.env.episode_return[1] == ret);
  assert_int_equal(b.env.episode_length[1], 2);
  assert_same_floats(b.env.next_obs + O, before, O);
  assert_memory_not_equal(b.env.obs + O, before, (size_t)O * sizeof(float));
  assert_int_equal(b.env.ndiverged, 1);
  assert_same_step(&b.env, 0, &whole.env, 0);
  assert_same_step(&b.env, 2, &whole.env, 2);
  // and it goes on as any other
  for (int s = 1; s < 5; s++) bench_step(&b, s, 0, .1);
  assert_finite(&b.env);
  assert_int_equal(b.env.episode_length[1], 4);
  assert_int_equal(b.env.ndiverged, 1);
  bench_free(&b);
  bench_free(&whole);
}

static void test_divergence(void **state) {
  (void)state;
  char here[4096], folder[] = "/tmp/rl_vecenv_XXXXXX";
  assert_non_null(getcwd(here, sizeof here));
  assert_non_null(mkdtemp(folder));
  assert_int_equal(chdir(folder), 0);
  static const char *const task[] = {"HalfCheetah-v5", "Humanoid-v5", "Ant-v5", "Swimmer-v5"};
  for (int breakage = 0; breakage < 5; breakage++) {
    for (int t = 0; t < 4; t++) diverge(task[t], breakage);
  }
  // MuJoCo would have written each of its warnings to a file here
  assert_int_equal(access("MUJOCO_LOG.TXT", F_OK), -1);
  assert_int_equal(chdir(here), 0);
  assert_int_equal(rmdir(folder), 0);
}

// A NaN action on the step of the time limit: both flags, still nothing that is not finite.
static void test_divergence_at_the_limit(void **state) {
  (void)state;
  static const char *const keys[] = {"env.max_episode_steps=1", NULL};
  Bench b;
  bench_init(&b, "Hopper-v5", keys, 1, 1);
  rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
  float first[11];
  memcpy(first, b.env.obs, sizeof first);
  for (int j = 0; j < b.env.A; j++) b.act[j] = NAN;
  rl_vecenv_step(&b.env, b.act);
  assert_same_floats(b.env.next_obs, first, 11);
  assert_int_equal(b.env.terminated[0], 1);
  assert_int_equal(b.env.truncated[0], 1);
  assert_int_equal(b.env.diverged[0], 1);
  assert_finite(&b.env);
  bench_free(&b);
}

// A task whose score makes MuJoCo raise a fatal error while `faulty` holds, in whichever
// environment moves left.
static _Atomic int faulty;
static RlTask faulty_task;

static void score_faulty(const RlTaskView *v, const mjData *d, double *mem, const double *act,
                         RlOutcome *out) {
  if (faulty && act[0] < 0) mj_stateSize(v->m, -1);
  rl_tasks[1]->score(v, d, mem, act, out);
}

static void test_errors_inside_mujoco(void **state) {
  (void)state;
  Bench b, whole;
  bench_init(&b, "HalfCheetah-v5", NULL, N, 2);
  bench_init(&whole, "HalfCheetah-v5", NULL, N, 1);
  faulty_task = *b.env.task;
  faulty_task.score = score_faulty;
  b.env.task = &faulty_task;
  rl_vecenv_reset(&b.env, SEED, RL_STREAM_ENV);
  rl_vecenv_reset(&whole.env, SEED, RL_STREAM_ENV);
  bench_step(&b, 0, 0, 1);
  bench_step(&whole, 0, 0, 1);
  float before[N * 17];
  memcpy(before, b.env.obs, sizeof before);
  faulty = 1;
  bench_step(&b, 1, 0, 1);
  bench_step(&whole, 1, 0, 1);
  faulty = 0;
  int failures = 0;
  for (int i = 0; i < N; i++) {
    bool fails = action(i, 1, 0, 1) < 0;
    failures += fails;
    assert_int_equal(b.env.diverged[i], fails);
    assert_int_equal(b.env.terminated[i], fails);
    if (fails) {
      assert_same_floats(b.env.next_obs + i * 17, before + i * 17, 17);
      assert_true(b.env.rew[i] == 0);
      assert_int_equal(b.env.episode_length[i], 2);
      for (int k = 0; k < 17; k++) assert_true(fabsf(b.env.obs[i * 17 + k]) < .6f);
    } else {
      assert_same_step(&b.env, i, &whole.env, i);
    }
  }
  assert_true(failures > 0 && failures < N);
  assert_int_equal(b.env.ndiverged, failures);
  bench_step(&b, 2, 0, 1);
  assert_finite(&b.env);
  assert_int_equal(b.env.ndiverged, failures);
  bench_free(&b);
  bench_free(&whole);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_time_limit),
      cmocka_unit_test(test_terminated_at_the_limit),
      cmocka_unit_test(test_action_clip),
      cmocka_unit_test(test_divergence),
      cmocka_unit_test(test_divergence_at_the_limit),
      cmocka_unit_test(test_errors_inside_mujoco),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
