// A training step allocates nothing after the first updates: every allocation of the process,
// MuJoCo's threads and the C++ library included, comes through the functions below and is counted.
#include <errno.h>
#include <stdatomic.h>

#include "tests/unit/rl/detail_sac.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTING 0  // a sanitizer has allocation functions of its own
#else
#define COUNTING 1

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t align, size_t size);

static atomic_bool counting;
static atomic_long allocations;

static void count_one(void) {
  if (atomic_load(&counting)) atomic_fetch_add(&allocations, 1);
}

void *malloc(size_t size) {
  count_one();
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  count_one();
  return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
  count_one();
  return __libc_realloc(block, size);
}

void *aligned_alloc(size_t align, size_t size) {
  count_one();
  return __libc_memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size) {
  count_one();
  *out = __libc_memalign(align, size);
  return *out ? 0 : ENOMEM;
}

static RlRun run;
static int lines;

// the stream of the progress: counting begins with the second row, ends with the sixth
static ssize_t take_line(void *cookie, const char *text, size_t size) {
  (void)cookie;
  (void)text;
  lines++;
  if (lines == 2) atomic_store(&counting, true);
  if (lines == 6) atomic_store(&counting, false);
  return (ssize_t)size;
}

static void show_on_counter(void) {
  cookie_io_functions_t take = {.write = take_line};
  lines = 0;
  detail_show = fopencookie(NULL, "w", take);
  assert_non_null(detail_show);
  setvbuf(detail_show, NULL, _IONBF, 0);
}

static void check(const char *task, const char *steps) {
  show_on_counter();
  START(&run, task, steps, "ppo.n_epochs=2", "run.total_steps=1024", "ppo.batch_size=64",
        "ppo.target_kl=0.5", "ppo.clip_range_vf=0.2");
  atomic_store(&allocations, 0);
  if (rl_train_ppo(&run) != RL_OK) fail_msg("%s", rl_error_text());
  assert_true(lines >= 6);
  assert_false(atomic_load(&counting));
  assert_int_equal(atomic_load(&allocations), 0);
  rl_run_free(&run);
}

static void test_iterations(void **state) {
  (void)state;
  check("env.id=Reacher-v5", "ppo.n_steps=32");
  check("env.id=Ant-v5", "ppo.n_steps=32");
  check("env.id=InvertedPendulum-v5", "normalize.reward=running");
}

static void check_sac(const char *task, const char *set) {
  show_on_counter();
  CREATE_SAC(&run, task, set, "run.total_steps=700", "run.log_every=100", "sac.learning_starts=100",
             "normalize.obs=true", "sac.buffer_size=300", "sac.n_step=2");
  atomic_store(&allocations, 0);
  if (rl_train_sac(&run) != RL_OK) fail_msg("%s", rl_error_text());
  assert_true(lines >= 6);
  assert_true(run.counters.updates >= 500 && run.counters.step == 700);
  assert_false(atomic_load(&counting));
  assert_int_equal(atomic_load(&allocations), 0);
  rl_run_free(&run);
}

// the buffer wraps while it is counted
static void test_steps_of_sac(void **state) {
  (void)state;
  check_sac("env.id=Reacher-v5", "sac.batch_size=64");
  check_sac("env.id=Ant-v5", "sac.batch_size=256");
  check_sac("env.id=InvertedPendulum-v5", "env.n_envs=1");
}

// the counter does count
static void test_counter(void **state) {
  (void)state;
  atomic_store(&allocations, 0);
  atomic_store(&counting, true);
  void *volatile block = malloc(10);
  free(block);
  double *volatile more = calloc(3, 8);
  more = realloc(more, 100);
  free(more);
  int *of_mujoco = mju_malloc(64);
  mju_free(of_mujoco);
  atomic_store(&counting, false);
  assert_true(atomic_load(&allocations) >= 4);
}
#endif

int main(void) {
#if COUNTING
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_counter),
      SCRATCH_TEST(test_iterations),
      SCRATCH_TEST(test_steps_of_sac),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
#else
  return 0;
#endif
}
