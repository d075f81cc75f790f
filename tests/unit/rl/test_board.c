// What a run shows in TensorBoard: every column under a name, and histograms that count what is
// there. The bytes are tests/unit/tensorboard's; TensorBoard's own reader is
// tests/system/test_tensorboard.sh's.
#include "rl/run/board.h"

#include "tests/unit/rl/detail_sac.h"
#include "tests/unit/rl/pieces.h"
#include "tests/unit/tensorboard/wire.h"

static RlRun run;
static uint8_t *text;
static Wire file;

// Skips the test in a build that writes no event files; reads what the run has written.
static void read_events(void) {
  size_t size;
  if (strcmp(rl_events_library(), "none") == 0) skip();
  free(text);
  text = scratch_get(run.board.events.path, &size);
  file = (Wire){text, text + size};
}

static int forget(void **state) {
  free(text);
  text = NULL;
  rl_run_free(&run);
  return scratch_remove(state);
}

// the newest value under a tag, and its step; false if there is none
static bool find(const char *tag, Wire *value, int64_t *step) {
  Wire rest = file, event, found;
  bool any = false;
  *value = (Wire){0};
  while (wire_record(&rest, &event)) {
    if (!wire_value(event, tag, &found)) continue;
    *value = found;
    *step = wire_step(event);
    any = true;
  }
  return any;
}

static float scalar(const char *tag) {
  Wire value;
  int64_t step;
  float x;
  if (!find(tag, &value, &step)) fail_msg("found no %s", tag);
  uint32_t bits = (uint32_t)wire_one(value, 2, WIRE_FIXED32).value;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// ---------------------------------------------------------------- names

// SB3's names where it has one, for each algorithm's columns
static void expect_tags(const char *const *tag) {
  Wire value;
  int64_t step;
  read_events();
  for (; *tag; tag++) {
    if (!find(*tag, &value, &step)) fail_msg("found no %s", *tag);
    assert_int_equal(step, run.counters.step);
  }
}

static void test_names(void **state) {
  (void)state;
  static const char *const tag[] = {"rollout/ep_rew_mean",
                                    "rollout/ep_len_mean",
                                    "time/fps",
                                    "time/time_elapsed",
                                    "train/approx_kl",
                                    "train/clip_fraction",
                                    "train/clip_range",
                                    "train/entropy_loss",
                                    "train/explained_variance",
                                    "train/learning_rate",
                                    "train/n_updates",
                                    "train/policy_gradient_loss",
                                    "train/std",
                                    "train/value_loss",
                                    "eval/mean_reward",
                                    "eval/mean_ep_length",
                                    NULL};
  CREATE(&run, "run.total_steps=384", "run.eval_every=384", "run.eval_episodes=2");
  assert_int_equal(rl_train_ppo(&run), RL_OK);
  expect_tags(tag);
  assert_true(scalar("train/n_updates") == (float)run.counters.updates);
  assert_true(scalar("eval/mean_reward") == (float)run.eval_mean);
  assert_true(scalar("rollout/ep_len_mean") == 50);
}

static void test_names_sac(void **state) {
  (void)state;
  static const char *const tag[] = {
      "rollout/ep_rew_mean", "time/fps",          "train/actor_loss",
      "train/critic_loss",   "train/ent_coef",    "train/ent_coef_loss",
      "train/learning_rate", "train/replay_size", NULL};
  CREATE_SAC(&run, "run.total_steps=300", "sac.learning_starts=100");
  assert_int_equal(rl_train_sac(&run), RL_OK);
  expect_tags(tag);
  assert_true(scalar("train/replay_size") == 300);
}

// an evaluation is told at its step, not again in the rows behind it
static void test_evaluation_once(void **state) {
  (void)state;
  CREATE(&run, "run.total_steps=640", "run.eval_every=256", "run.eval_episodes=2");
  assert_int_equal(rl_train_ppo(&run), RL_OK);
  read_events();
  Wire rest = file, event, value;
  int count = 0;
  while (wire_record(&rest, &event)) {
    if (!wire_value(event, "eval/mean_reward", &value)) continue;
    count++;
    assert_int_equal(wire_step(event), 256 * count);
  }
  assert_int_equal(count, 2);
}

// ---------------------------------------------------------------- histograms

typedef struct {
  double min, max, num, sum, squares, bucket[RL_EVENT_BUCKETS];
} Expected;

// by sorting each number into the bucket whose edges hold it
static void add(Expected *e, double x) {
  double width = (e->max - e->min) / RL_EVENT_BUCKETS;
  int i = 0;
  while (i < RL_EVENT_BUCKETS - 1 && x >= e->min + width * (i + 1)) i++;
  e->bucket[i]++;
  e->num++;
  e->sum += x;
  e->squares += x * x;
}

static void expect_histogram(const char *tag, const Expected *e) {
  Wire value;
  int64_t step;
  if (!find(tag, &value, &step)) fail_msg("found no %s", tag);
  assert_int_equal(step, run.counters.step);
  Wire h = wire_message(value, 5), bucket = wire_message(h, 7);
  assert_true(wire_double(h, 1) == e->min && wire_double(h, 2) == e->max);
  assert_true(wire_double(h, 3) == e->num);
  assert_true(fabs(wire_double(h, 4) - e->sum) <= 1e-9 * e->num);
  assert_true(fabs(wire_double(h, 5) - e->squares) <= 1e-9 * e->num);
  double moved = 0;
  for (int i = 0; i < RL_EVENT_BUCKETS; i++) {
    double found;
    uint64_t bits = wire_little(bucket.at + 8 * i, 8);
    memcpy(&found, &bits, sizeof found);
    moved += fabs(found - e->bucket[i]);
  }
  // a number on an edge may be on either side of it
  assert_true(moved <= 4);
}

static void expect_numbers(const char *tag, const float *x, int n) {
  Expected e = {.min = INFINITY, .max = -INFINITY};
  for (int i = 0; i < n; i++) {
    e.min = fmin(e.min, (double)x[i]);
    e.max = fmax(e.max, (double)x[i]);
  }
  if (e.min == e.max) {
    double half = fabs(e.min) > 1 ? fabs(e.min) / 2 : 0.5;
    e.min -= half;
    e.max += half;
  }
  for (int i = 0; i < n; i++) add(&e, (double)x[i]);
  expect_histogram(tag, &e);
}

static void expect_network(const char *name, const RlMlp *mlp) {
  char tag[64];
  int count = 0;
  for (int l = 0; l < mlp->L; l++) {
    int weights = mlp->dim[l] * mlp->dim[l + 1];
    snprintf(tag, sizeof tag, "%s/%d/weight", name, l);
    expect_numbers(tag, mlp->W[l], weights);
    snprintf(tag, sizeof tag, "%s/%d/bias", name, l);
    expect_numbers(tag, mlp->b[l], mlp->dim[l + 1]);
    count += weights + mlp->dim[l + 1];
  }
  snprintf(tag, sizeof tag, "%s/log_std", name);
  if (mlp->nextra) expect_numbers(tag, mlp->extra, mlp->nextra);
  assert_int_equal(count + mlp->nextra, mlp->nparam);
}

static void test_ppo(void **state) {
  (void)state;
  static float act[4 * 48];
  CREATE(&run, "run.total_steps=192", "ppo.n_steps=48", "policy.hidden_critic=7");
  assert_int_equal(rl_train_ppo(&run), RL_OK);
  read_events();
  expect_network("actor", &run.policy.actor.mlp);
  expect_network("critic", &run.policy.critic[0]);
  assert_int_equal(run.rollout.T * run.rollout.N, 192);
  for (int a = 0; a < 2; a++) {
    for (int i = 0; i < 192; i++) act[i] = run.rollout.act[2 * i + a];
    expect_numbers(a ? "actions/1" : "actions/0", act, 192);
  }
}

// steps of diverged physics are none of the policy's; their action may be anything
static void test_lost(void **state) {
  (void)state;
  static float act[192];
  CREATE(&run, "run.total_steps=192", "ppo.n_steps=48");
  assert_int_equal(rl_train_ppo(&run), RL_OK);
  int n = 0;
  for (int i = 0; i < 192; i++) {
    if (i % 5 == 2) {
      run.rollout.lost[i] = 1;
      run.rollout.act[2 * i] = i % 2 ? 1000 : NAN;
    } else if (i % 5 == 3) {
      run.rollout.act[2 * i] = i % 2 ? INFINITY : NAN;
    } else {
      act[n++] = run.rollout.act[2 * i];
    }
  }
  assert_int_equal(rl_board_rollout(&run.board, 192, &run.rollout), RL_OK);
  read_events();
  expect_numbers("actions/0", act, n);
  // nothing left, nothing written
  memset(run.rollout.lost, 1, 192);
  assert_int_equal(rl_board_rollout(&run.board, 999, &run.rollout), RL_OK);
  run.rollout.T = 0;
  assert_int_equal(rl_board_rollout(&run.board, 999, &run.rollout), RL_OK);
  read_events();
  expect_numbers("actions/0", act, n);
}

static void test_sac(void **state) {
  (void)state;
  static float act[300];
  // the ring's end lies between its newest steps
  CREATE_SAC(&run, "run.total_steps=400", "sac.buffer_size=300", "env.n_envs=4",
             "sac.learning_starts=100");
  assert_int_equal(rl_train_sac(&run), RL_OK);
  RlReplay *replay = &run.replay;
  assert_true(replay->written == 100 && replay->capacity == 75);
  read_events();
  expect_network("actor", &run.policy.actor.mlp);
  expect_network("critic_1", &run.policy.critic[0]);
  expect_network("critic_2", &run.policy.critic[1]);
  for (int a = 0; a < 2; a++) {
    for (int i = 0; i < 300; i++) act[i] = replay->act[2 * i + a];
    expect_numbers(a ? "actions/1" : "actions/0", act, 300);
  }
}

// the newest transitions of a large ring, on both sides of its end, lost ones left out
static void test_newest(void **state) {
  (void)state;
  enum { N = 3, CAPACITY = 5000, WRITTEN = 6200 };
  static float mine[CAPACITY * N], act[CAPACITY * N];
  static uint8_t end[CAPACITY * N];
  RlReplay replay = {.N = N,
                     .A = 1,
                     .capacity = CAPACITY,
                     .written = WRITTEN,
                     .oldest = WRITTEN - CAPACITY,
                     .act = act,
                     .end = end};
  CREATE_SAC(&run, "run.total_steps=100", "sac.learning_starts=100");
  assert_int_equal(rl_train_sac(&run), RL_OK);
  int n = 0;
  for (int64_t t = replay.oldest; t < WRITTEN; t++) {
    for (int e = 0; e < N; e++) {
      int64_t slot = t % CAPACITY * N + e;
      bool lost = (t + e) % 7 == 0;
      act[slot] = lost ? 50 : (float)sin((double)(t * N + e));
      end[slot] = lost ? RL_REPLAY_LOST : t % 3 ? 0 : RL_REPLAY_TRUNCATED;
      bool newest = t >= WRITTEN - (RL_BOARD_TRANSITIONS + N - 1) / N;
      if (newest && !lost) mine[n++] = act[slot];
      if (!newest) act[slot] = -50;
    }
  }
  assert_int_equal(rl_board_replay(&run.board, run.counters.step, &replay), RL_OK);
  read_events();
  expect_numbers("actions/0", mine, n);
}

// a constant has buckets of some width, whatever its size
static void test_constant(void **state) {
  (void)state;
  static const float constant[] = {0, -3e-30f, 1, -70, 3e30f};
  CREATE(&run, "run.total_steps=128");
  assert_int_equal(rl_train_ppo(&run), RL_OK);
  for (size_t k = 0; k < sizeof constant / sizeof *constant; k++) {
    for (int i = 0; i < run.policy.actor.mlp.dim[1]; i++) {
      run.policy.actor.mlp.b[0][i] = constant[k];
    }
    assert_int_equal(rl_board_policy(&run.board, run.counters.step, &run.policy), RL_OK);
    read_events();
    Wire value;
    int64_t step;
    assert_true(find("actor/0/bias", &value, &step));
    Wire h = wire_message(value, 5), bucket = wire_message(h, 7);
    assert_true(wire_double(h, 1) < (double)constant[k]);
    assert_true(wire_double(h, 2) > (double)constant[k]);
    assert_true(wire_double(h, 3) == run.policy.actor.mlp.dim[1]);
    int holding = 0;
    for (int i = 0; i < RL_EVENT_BUCKETS; i++) holding += wire_little(bucket.at + 8 * i, 8) != 0;
    assert_int_equal(holding, 1);
  }
}

// ---------------------------------------------------------------- going on

// steps of all events but those that begin a file, over all of the run's files
static int read_steps(int64_t *step, int files) {
  int n = 0;
  for (int k = 1; k <= files; k++) {
    char name[64];
    snprintf(name, sizeof name, "events.out.tfevents.%010d.rltrain", k);
    rl_folder_path(&run.folder, name, run.board.events.path);
    if (!scratch_exists(run.board.events.path)) continue;
    read_events();
    Wire rest = file, event;
    WireField field;
    while (wire_record(&rest, &event)) {
      if (wire_find(event, 5, &field)) step[n++] = wire_step(event);
    }
  }
  return n;
}

// A run stopped behind its save and killed before its next: what came in between is gone, what
// comes then is in a file of its own, and no step is told twice.
static void test_resumed(void **state) {
  (void)state;
  static int64_t step[1000];
  char dir[RL_FOLDER_SIZE], path[RL_PATH_SIZE];
  stop_after(5);
  CREATE(&run, "run.total_steps=1024", "run.checkpoint_every=256");
  assert_int_equal(rl_train_ppo(&run), RL_OK);
  assert_int_equal(run.counters.step, 640);
  snprintf(dir, sizeof dir, "%s", run.folder.dir);
  rl_folder_resume(&run.folder, 640, path);
  read_events();
  rl_run_free(&run);
  // as if the stop had been a kill
  assert_int_equal(unlink(path), 0);
  detail_stop = 0;
  resume(&run, dir, 1, false);
  assert_int_equal(run.counters.step, 512);
  assert_int_equal(rl_train_ppo(&run), RL_OK);
  int n = read_steps(step, 2), rows = 0, second = -1;
  for (int i = 0; i < n; i++) {
    // the configuration is told at 0 and at 512
    assert_true(i == 0 || step[i] >= step[i - 1]);
    if (i > 0 && step[i] == 512 && second < 0) second = i;
    rows += i == 0 || step[i] != step[i - 1];
  }
  assert_int_equal(rows, 9);
  assert_true(second > 0);
  run.board.events.fd = -1;
}

#define BOARD_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, forget)

int main(void) {
  const struct CMUnitTest tests[] = {
      BOARD_TEST(test_names),  BOARD_TEST(test_names_sac), BOARD_TEST(test_evaluation_once),
      BOARD_TEST(test_ppo),    BOARD_TEST(test_lost),      BOARD_TEST(test_sac),
      BOARD_TEST(test_newest), BOARD_TEST(test_constant),  BOARD_TEST(test_resumed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
