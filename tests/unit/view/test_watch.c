// The live view of a training: what passes between the training thread and the view's while both
// go on, and how the view begins and ends.
#include "rl/view/watch.h"

#include <pthread.h>
#include <stdatomic.h>

#include "rl/base/pool.h"
#include "tests/unit/view/client.h"
#include "tests/unit/view/view.h"

// The view of a run that stands at its end; rl_run_free is the caller's.
static RlWatch *started(void) {
  TRAIN("env.id=InvertedPendulum-v5");
  RlWatch *watch = rl_watch_start(&view_run.config, view_run.folder.dir, 0, 1);
  if (!watch) fail_msg("%s", rl_error_text());
  return watch;
}

// A thread that trains: it changes every parameter between two offers.
typedef struct {
  RlWatch *watch;
  RlPolicy *policy;
  atomic_llong step;  // 0: it ends
  pthread_t thread;
} Trainer;

static void *train(void *arg) {
  Trainer *trainer = arg;
  RlMlp *mlp = &trainer->policy->actor.mlp;
  for (long long step; (step = atomic_load(&trainer->step)) > 0;) {
    for (int i = 0; i < mlp->nparam; i++) mlp->param[i] = (RlReal)(1e-6 * (double)(step + i));
    rl_watch_offer(trainer->watch, trainer->policy, step);
  }
  return NULL;
}

static void trainer_start(Trainer *trainer, RlWatch *watch) {
  trainer->watch = watch;
  trainer->policy = &view_run.policy;
  atomic_store(&trainer->step, 1);
  assert_int_equal(pthread_create(&trainer->thread, NULL, train, trainer), 0);
}

static void trainer_stop(Trainer *trainer) {
  atomic_store(&trainer->step, 0);
  assert_int_equal(pthread_join(trainer->thread, NULL), 0);
}

// Somebody looks: pictures at one end, states at the other.
typedef struct {
  int pictures, states;
} Looker;

static Looker look(RlWatch *watch) {
  const Site site = site_of(rl_watch_url(watch));
  Looker looker = {connect_client(&site), connect_client(&site)};
  ask(&site, looker.pictures, "stream/0", "");
  await(looker.pictures, "multipart/x-mixed-replace");
  ask_socket(&site, looker.states);
  await(looker.states, "\"panels\": 1");
  return looker;
}

static void look_away(const Looker *looker) {
  close(looker->pictures);
  close(looker->states);
}

// What is shown is what training has offered last, and training's own is left as it was.
static void test_newest_policy(void **state) {
  (void)state;
  Trainer trainer;
  RlWatch *watch = started();
  trainer_start(&trainer, watch);
  Looker looker = look(watch);
  for (int step = 1000; step <= 3000; step += 1000) {
    char text[40];
    snprintf(text, sizeof text, "\"step\": %d,", step);
    atomic_store(&trainer.step, step);
    await(looker.states, text);
  }
  trainer_stop(&trainer);
  RlMlp *mlp = &view_run.policy.actor.mlp;
  for (int i = 0; i < mlp->nparam; i++) {
    assert_true(mlp->param[i] == (RlReal)(1e-6 * (double)(3000 + i)));
  }
  await(looker.pictures, "\r\n\r\n\xff\xd8");
  look_away(&looker);
  rl_watch_stop(watch);
  rl_run_free(&view_run);
}

// A policy that nobody asked for is not taken: without a look, nothing is.
static void test_nobody_looks(void **state) {
  (void)state;
  Trainer trainer;
  RlWatch *watch = started();
  trainer_start(&trainer, watch);
  atomic_store(&trainer.step, 500);
  usleep(1200000);
  trainer_stop(&trainer);
  Looker looker = look(watch);
  await(looker.states, "\"step\": 0,");
  look_away(&looker);
  rl_watch_stop(watch);
  rl_run_free(&view_run);
}

static void test_refusals(void **state) {
  (void)state;
  RlWatch *watch = started();
  Looker looker = look(watch);
  order(looker.states, "{\"do\":\"save\",\"panel\":0}");
  await(looker.states, "not while it trains: rlview shows and saves what a run has kept");
  const Site site = site_of(rl_watch_url(watch));
  rl_error_clear();
  assert_null(rl_watch_start(&view_run.config, view_run.folder.dir, site.port, 1));
  assert_non_null(strstr(rl_error_text(), "Address already in use"));
  look_away(&looker);
  rl_watch_stop(watch);
  rl_run_free(&view_run);
}

// Time begins to pass with the first look. Slowed down to a twentieth, a step of 0.04 s takes most
// of a second, and however busy the machine is no more steps are shown than have had the time.
static void test_first_look(void **state) {
  (void)state;
  RlWatch *watch = started();
  const Site site = site_of(rl_watch_url(watch));
  Looker looker = {connect_client(&site), connect_client(&site)};
  ask_socket(&site, looker.states);
  await(looker.states, "\"steps\": 0,");
  order(looker.states, "{\"do\":\"speed\",\"panel\":0,\"value\":0.05}");
  usleep(300000);
  double start = rl_clock_seconds();
  ask(&site, looker.pictures, "stream/0", "");
  long steps = await_steps(looker.states, 0);
  assert_in_range(steps, 0, (long)((rl_clock_seconds() - start) * 0.05 / 0.04));
  look_away(&looker);
  rl_watch_stop(watch);
  rl_run_free(&view_run);
}

static double cpu_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// Beside a training that has every processor the view takes a small share, and rests between.
static void test_rests(void **state) {
  (void)state;
  TRAIN("env.id=InvertedPendulum-v5");
  RlWatch *watch = rl_watch_start(&view_run.config, view_run.folder.dir, 0, 1000);
  if (!watch) fail_msg("%s", rl_error_text());
  Looker looker = look(watch);
  await(looker.pictures, "\r\n\r\n\xff\xd8");
  double cpu = cpu_seconds();
  usleep(1500000);
  double took = cpu_seconds() - cpu;
  // 4 % of the processors, and what a few frames more or less make of it
  double most = 1.5 * 0.04 * rl_pool_available() + 0.15;
  if (!(took < most)) fail_msg("found %g s of processor time in 1.5 s, expected %g", took, most);
  look_away(&looker);
  rl_watch_stop(watch);
  rl_run_free(&view_run);
}

// It ends whatever it is doing: opening, drawing for somebody, waiting.
static void test_ends(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    RlWatch *watch = started();
    Looker looker = {-1, -1};
    if (i > 0) looker = look(watch);
    if (i > 1) look_away(&looker);
    double start = rl_clock_seconds();
    rl_watch_stop(watch);
    assert_true(rl_clock_seconds() - start < 10);
    if (i == 1) look_away(&looker);
    rl_run_free(&view_run);
  }
  rl_watch_stop(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_newest_policy), SCRATCH_TEST(test_nobody_looks),
      SCRATCH_TEST(test_refusals),      SCRATCH_TEST(test_first_look),
      SCRATCH_TEST(test_rests),         SCRATCH_TEST(test_ends),
  };
  rl_watch_prepare();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
