// The live view of a policy in training: see watch.h.
//
// The policy passes through a slot with one atomic word: the watch asks (WANTED), the training
// thread fills and says so (READY), the watch empties it (IDLE). In each state only one of the two
// touches the slot, so neither ever waits.
//
// What the view costs is held down twice: its threads have the lowest priority, so that they run
// where training leaves a processor idle, and after each frame they rest until the frame's
// processor time is a small share of the time that went by.
#include "rl/view/watch.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "rl/base/clock.h"
#include "rl/base/pool.h"
#include "rl/view/hub.h"
#include "rl/view/jpeg.h"
#include "rl/view/server.h"
#include "rl/view/stage.h"

enum { IDLE, WANTED, READY };
enum { LOWEST_PRIORITY = 19, ERROR_SIZE = 1024, WATCH_FPS = 30 };

// Share of the processors that the view may take from training, and of those that training leaves
// alone.
static const double busy_share = 0.04, idle_share = 0.5;

static const double nap = 0.2;           // while nobody looks
static const double policy_every = 0.5;  // seconds between two copies of the policy

struct RlWatch {
  const char *path;
  const RlConfig *config;
  int port;
  double share;  // processors that it may keep busy

  // the slot
  RlArena arena;
  RlPolicy policy;
  int64_t step;
  atomic_int slot;

  // the thread, and what it owns
  pthread_t thread;
  atomic_bool stop;
  sem_t opened;  // the thread has opened everything, or failed to
  RlStatus status;
  char error[ERROR_SIZE];
  RlStage stage;
  RlOffscreen off;
  RlJpeg jpeg;
  RlHub *hub;
  RlServer *server;
  double taken;  // clock when a policy was last taken
  char json[RL_STAGE_JSON];
};

void rl_watch_prepare(void) {
  setenv("LP_NUM_THREADS", "0", 0);
}

// ---------------------------------------------------------------- the training thread's part

void rl_watch_offer(void *arg, RlPolicy *policy, int64_t step) {
  RlWatch *watch = arg;
  if (atomic_load_explicit(&watch->slot, memory_order_acquire) != WANTED) return;
  RlFields to = {0}, from = {0};
  rl_policy_fields(&to, &watch->policy);
  rl_policy_fields(&from, policy);
  rl_fields_copy(&to, &from);
  watch->step = step;
  atomic_store_explicit(&watch->slot, READY, memory_order_release);
}

// ---------------------------------------------------------------- the view's thread

static void take_policy(RlWatch *watch) {
  int slot = atomic_load_explicit(&watch->slot, memory_order_acquire);
  double now = rl_clock_seconds();
  // asked for, and training has not come by yet
  if (slot == WANTED) return;
  if (slot == READY) {
    rl_stage_take(&watch->stage, &watch->policy, watch->step);
    watch->taken = now;
    atomic_store_explicit(&watch->slot, IDLE, memory_order_relaxed);
  }
  if (now - watch->taken >= policy_every) {
    atomic_store_explicit(&watch->slot, WANTED, memory_order_release);
  }
}

static void obey_all(RlWatch *watch) {
  RlCommand command;
  while (rl_hub_pop(watch->hub, &command)) {
    // the policy shown is the one in training, and videos are rlview's
    if (command.kind == RL_COMMAND_CHECKPOINT || command.kind == RL_COMMAND_SAVE) {
      snprintf(watch->stage.note, sizeof watch->stage.note,
               "not while it trains: rlview shows and saves what a run has kept");
    } else {
      rl_stage_obey(&watch->stage, &command);
    }
  }
}

static RlStatus show(RlWatch *watch, double seconds) {
  RlOffscreen *off = &watch->off;
  take_policy(watch);
  rl_stage_advance(&watch->stage, seconds);
  RL_TRY(rl_stage_draw(&watch->stage, off));
  RL_TRY(rl_jpeg_encode(&watch->jpeg, off->rgb, off->width, off->height, RL_JPEG_QUALITY));
  size_t size = rl_stage_state(&watch->stage, watch->json, sizeof watch->json);
  rl_hub_state(watch->hub, 0, watch->json, size);
  rl_hub_picture(watch->hub, 0, watch->jpeg.data, watch->jpeg.size);
  return RL_OK;
}

static double cpu_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// Rests until the clock says so or the view is to end.
static void rest_until(RlWatch *watch, double end) {
  while (!atomic_load(&watch->stop)) {
    double left = end - rl_clock_seconds();
    if (!(left > 0)) return;
    double part = fmin(left, nap);
    struct timespec rest = {.tv_nsec = (long)(part * 1e9)};
    nanosleep(&rest, NULL);
  }
}

static RlStatus loop(RlWatch *watch) {
  double before = 0;  // clock at the last frame, 0: nobody looked
  while (!atomic_load(&watch->stop)) {
    obey_all(watch);
    if (!rl_hub_watched(watch->hub, 0)) {
      before = 0;
      rl_hub_wait(watch->hub, nap);
      continue;
    }
    double start = rl_clock_seconds(), cpu = cpu_seconds();
    RL_TRY(show(watch, before > 0 ? start - before : 0));
    before = start;
    double least = (cpu_seconds() - cpu) / watch->share;
    rest_until(watch, start + fmax(least, 1.0 / WATCH_FPS));
  }
  return RL_OK;
}

// The pictures are opened while training waits, the rest and all that follows has the lowest
// priority; so has the server's thread, which inherits it.
static RlStatus open_all(RlWatch *watch) {
  const RlServerOptions options = {.port = watch->port};
  const RlConfig *config = watch->config;
  RL_TRY(rl_stage_open_empty(&watch->stage, config, watch->path, (uint64_t)config->run.seed));
  rl_policy_init(&watch->policy, &watch->arena, config, watch->stage.env.O, watch->stage.env.A, 1,
                 1);
  RL_TRY(rl_offscreen_open(&watch->off, watch->stage.m));
  RL_TRY(rl_jpeg_open(&watch->jpeg));
  (void)setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);
  watch->hub = rl_hub_create(1);
  if (!watch->hub) return RL_FAIL;
  size_t size = rl_stage_state(&watch->stage, watch->json, sizeof watch->json);
  rl_hub_state(watch->hub, 0, watch->json, size);
  watch->server = rl_server_start(watch->hub, &options);
  return watch->server ? RL_OK : RL_FAIL;
}

static void close_all(RlWatch *watch) {
  rl_server_stop(watch->server);
  rl_jpeg_close(&watch->jpeg);
  rl_offscreen_close(&watch->off);
  rl_stage_free(&watch->stage);
  if (watch->hub) rl_hub_free(watch->hub);
}

static void *run(void *arg) {
  RlWatch *watch = arg;
  watch->status = open_all(watch);
  if (watch->status != RL_OK) {
    snprintf(watch->error, sizeof watch->error, "%s", rl_error_text());
  }
  sem_post(&watch->opened);
  // a view that fails later ends: the page says that it is gone, and training goes on
  if (watch->status == RL_OK && loop(watch) != RL_OK) rl_error_clear();
  close_all(watch);
  return NULL;
}

// ---------------------------------------------------------------- beginning and end

RlWatch *rl_watch_start(const RlConfig *config, const char *path, int port, int threads) {
  RlWatch *watch = calloc(1, sizeof *watch);
  if (!watch) {
    (void)rl_error(RL_FAIL, "view: found no memory, expected some");
    return NULL;
  }
  int all = rl_pool_available(), idle = all > threads ? all - threads : 0;
  watch->path = path;
  watch->config = config;
  watch->port = port;
  watch->share = busy_share * all + idle_share * idle;
  sem_init(&watch->opened, 0, 0);
  // signals are the training thread's
  sigset_t every, kept;
  sigfillset(&every);
  pthread_sigmask(SIG_BLOCK, &every, &kept);
  int error = pthread_create(&watch->thread, NULL, run, watch);
  pthread_sigmask(SIG_SETMASK, &kept, NULL);
  if (error) {
    (void)rl_error(RL_FAIL, "view: found no thread for it (%s), expected one", strerror(error));
    sem_destroy(&watch->opened);
    free(watch);
    return NULL;
  }
  while (sem_wait(&watch->opened) != 0 && errno == EINTR) {
  }
  if (watch->status == RL_OK) return watch;
  (void)rl_error(watch->status, "%s", watch->error);
  rl_watch_stop(watch);
  return NULL;
}

const char *rl_watch_url(const RlWatch *watch) {
  return rl_server_url(watch->server);
}

void rl_watch_stop(RlWatch *watch) {
  if (!watch) return;
  atomic_store(&watch->stop, true);
  pthread_join(watch->thread, NULL);
  rl_arena_free(&watch->arena);
  sem_destroy(&watch->opened);
  free(watch);
}
