// What must not change a run: the instruction set of the kernels, how often it is looked at, saved
// and evaluated. And what must: its seed, its place among the environments, what a stream is for.
// docs/determinism.md lists the claims; tests/system/test_determinism.sh has those that concern
// processes.
#include <hdf5.h>

#include "nets/isa.h"
#include "tests/unit/rl/detail_sac.h"
#include "tests/unit/rl/pieces.h"

static RlRun run, twin;

static const char *const ppo[] = {
    "run.total_steps=900", "run.checkpoint_every=400", "env.n_envs=3",        "ppo.n_steps=40",
    "ppo.n_epochs=2",      "ppo.batch_size=50",        "policy.hidden=24,17", NULL};
static const char *const sac[] = {
    "run.total_steps=900", "run.checkpoint_every=400", "env.n_envs=3",        "sac.buffer_size=300",
    "sac.train_freq=2",    "normalize.obs=true",       "policy.hidden=24,17", NULL};

// Trains with the settings of its algorithm and these besides.  nullable: more
static void train(RlRun *r, bool is_sac, const char *const *more) {
  const char *set[24];
  int n = 0;
  for (const char *const *s = is_sac ? sac : ppo; *s; s++) set[n++] = *s;
  for (; more && *more; more++) set[n++] = *more;
  set[n] = NULL;
  detail_stop = 0;
  detail_create(r, is_sac ? detail_sac_ini : detail_ini, set);
  if ((is_sac ? rl_train_sac : rl_train_ppo)(r) != RL_OK) fail_msg("%s", rl_error_text());
}

// ---------------------------------------------------------------- array by array

typedef struct {
  hid_t other;
  int count, differ;       // arrays compared; those that differ, and may
  const char *const *may;  // names of those, NULL-terminated
} Comparison;

static void *read_array(hid_t file, const char *name, size_t *size) {
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  if (set < 0) fail_msg("%s: found in one file only", name);
  hid_t type = H5Dget_type(set), space = H5Dget_space(set);
  *size = H5Tget_size(type) * (size_t)H5Sget_simple_extent_npoints(space);
  void *data = malloc(*size ? *size : 1);
  assert_non_null(data);
  if (*size) assert_true(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
  H5Sclose(space);
  H5Tclose(type);
  H5Dclose(set);
  return data;
}

static herr_t compare_array(hid_t file, const char *name, const H5L_info_t *info, void *arg) {
  (void)info;
  Comparison *c = arg;
  hid_t object = H5Oopen(file, name, H5P_DEFAULT);
  bool group = H5Iget_type(object) == H5I_GROUP;
  H5Oclose(object);
  if (group) return 0;
  size_t na, nb;
  void *a = read_array(file, name, &na), *b = read_array(c->other, name, &nb);
  bool same = na == nb && memcmp(a, b, na) == 0;
  free(a);
  free(b);
  c->count++;
  if (same) return 0;
  for (const char *const *may = c->may; *may; may++) {
    if (strcmp(name, *may) == 0) {
      c->differ++;
      return 0;
    }
  }
  fail_msg("%s differs", name);
  return -1;
}

static hid_t open_file(const char *path) {
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) fail_msg("%s: cannot open", path);
  return file;
}

// Every array of the last resume files of run and twin, but for the configuration's text and what
// says which policy was the best so far. Returns how many differ.
static int compare_arrays(int least) {
  static const char *const may[] = {"config", "counters/has_best", "counters/best",
                                    "counters/best_step", NULL};
  char x[RL_PATH_SIZE], y[RL_PATH_SIZE];
  assert_int_equal(run.counters.step, twin.counters.step);
  rl_folder_resume(&run.folder, run.counters.step, x);
  rl_folder_resume(&twin.folder, twin.counters.step, y);
  hid_t file = open_file(x);
  Comparison c = {.other = open_file(y), .may = may};
  assert_true(H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, compare_array, &c) >= 0);
  H5Fclose(file);
  H5Fclose(c.other);
  if (c.count < least) fail_msg("found %d arrays, expected %d or more", c.count, least);
  return c.differ;
}

// ---------------------------------------------------------------- what must not matter

// evaluations, checkpoints and rows of metrics.csv at another rate, or none
static void test_looking(void **state) {
  (void)state;
  static const char *const other[][3] = {{"run.eval_every=130", "run.eval_episodes=3"},
                                         {"run.checkpoint_every=0"},
                                         {"run.checkpoint_every=60"},
                                         {"run.checkpoint_every=60", "run.eval_every=60"}};
  for (int algorithm = 0; algorithm < 2; algorithm++) {
    train(&run, algorithm, NULL);
    for (size_t k = 0; k < sizeof other / sizeof *other; k++) {
      train(&twin, algorithm, other[k]);
      int differ = compare_arrays(algorithm ? 45 : 30);
      // the text of the configuration at least, or nothing was compared
      assert_true(differ >= 1 && differ <= 4);
      rl_run_free(&twin);
    }
    rl_run_free(&run);
  }
}

// whether the run's folder holds an event file
static bool has_events(const RlRun *r) {
  char path[RL_PATH_SIZE];
  rl_folder_path(&r->folder, "events.out.tfevents.0000000001.rltrain", path);
  return scratch_exists(path);
}

// neither rows of metrics.csv nor event files are in the configuration's text: every byte is the
// same
static void test_logging(void **state) {
  (void)state;
  static const char *const other[][2] = {{"run.log_every=3"}, {"run.tensorboard=false"}};
  for (int algorithm = 0; algorithm < 2; algorithm++) {
    train(&run, algorithm, NULL);
    for (int k = 0; k < 2; k++) {
      train(&twin, algorithm, other[k]);
      compare_files(&run, &twin, true);
      assert_int_equal(compare_arrays(algorithm ? 45 : 30), 0);
      assert_int_equal(has_events(&twin), k == 0 && has_events(&run));
      rl_run_free(&twin);
    }
    rl_run_free(&run);
  }
}

// the kernels' instruction sets, as many as this processor has
static void test_kernels(void **state) {
  (void)state;
  RlIsa active = rl_isa_active();
  for (int algorithm = 0; algorithm < 2; algorithm++) {
    rl_isa_use(RL_ISA_PLAIN);
    train(&run, algorithm, NULL);
    for (int isa = RL_ISA_PLAIN + 1; isa < RL_NISA; isa++) {
      if (!rl_isa_has((RlIsa)isa)) continue;
      rl_isa_use((RlIsa)isa);
      train(&twin, algorithm, NULL);
      compare_files(&run, &twin, true);
      rl_run_free(&twin);
    }
    rl_run_free(&run);
  }
  rl_isa_use(active);
}

// ---------------------------------------------------------------- what must

static void test_seeds(void **state) {
  (void)state;
  static const char *const other[] = {"run.seed=4", NULL};
  for (int algorithm = 0; algorithm < 2; algorithm++) {
    train(&run, algorithm, NULL);
    train(&twin, algorithm, other);
    compare_files(&run, &twin, false);
    const RlMlp *a = &run.policy.actor.mlp, *b = &twin.policy.actor.mlp;
    int same = 0;
    for (int i = 0; i < a->nparam; i++) same += a->param[i] == b->param[i];
    assert_true(same < a->nparam / 100);
    rl_run_free(&run);
    rl_run_free(&twin);
  }
}

// no two environments start, act or go on alike
static void test_environments(void **state) {
  (void)state;
  START(&run, "env.n_envs=8", "env.id=HalfCheetah-v5");
  int N = run.env.N, O = run.env.O, A = run.env.A;
  size_t row = (size_t)O * sizeof(float), act = (size_t)A * sizeof(RlReal);
  for (int turn = 0; turn < 2; turn++) {
    for (int i = 0; i < N; i++) {
      for (int j = 0; j < i; j++) {
        assert_memory_not_equal(run.env.obs + i * O, run.env.obs + j * O, row);
        assert_memory_not_equal(&run.env.rng[i], &run.env.rng[j], sizeof(RlRng));
        assert_memory_not_equal(&run.collector.act_rng[i], &run.collector.act_rng[j],
                                sizeof(RlRng));
        if (turn == 0) continue;
        assert_memory_not_equal(run.rollout.act + i * A, run.rollout.act + j * A, act);
      }
    }
    if (turn == 0) detail_collect(&run, NULL);
  }
  rl_run_free(&run);
}

// An evaluation's episodes follow from (seed, step, episode): the same when asked again, others at
// another step, and none that training starts with.
static void test_evaluation_streams(void **state) {
  (void)state;
  RlEvalSummary summary;
  double first[6], again[6], later[6];
  START(&run, "env.n_envs=6", "env.id=HalfCheetah-v5", "run.eval_every=100", "run.eval_episodes=6",
        "env.max_episode_steps=20");
  RlEval *eval = &run.eval;
  rl_eval_run(eval, &run.policy, 3, 128, false, &summary, NULL, NULL);
  memcpy(first, eval->ret, sizeof first);
  rl_eval_run(eval, &run.policy, 3, 128, false, &summary, NULL, NULL);
  memcpy(again, eval->ret, sizeof again);
  rl_eval_run(eval, &run.policy, 3, 256, false, &summary, NULL, NULL);
  memcpy(later, eval->ret, sizeof later);
  assert_memory_equal(first, again, sizeof first);
  for (int i = 0; i < 6; i++) {
    for (int j = 0; j < 6; j++) {
      assert_true(first[i] != later[j] && (i == j || first[i] != first[j]));
      assert_memory_not_equal(&eval->env.rng[i], &run.env.rng[j], sizeof(RlRng));
      assert_memory_not_equal(eval->env.obs + i * 17, run.env.obs + j * 17, 17 * sizeof(float));
    }
  }
  rl_run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_looking),      SCRATCH_TEST(test_logging),
      SCRATCH_TEST(test_kernels),      SCRATCH_TEST(test_seeds),
      SCRATCH_TEST(test_environments), SCRATCH_TEST(test_evaluation_streams),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
