// The hub: the newest is what is had, what is held stays, commands come in order, and several
// threads at once.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "rl/base/clock.h"
#include "rl/view/hub.h"

static void picture(RlHub *hub, int panel, int number, size_t size) {
  uint8_t bytes[512];
  memset(bytes, number, sizeof bytes);
  rl_hub_picture(hub, panel, bytes, size);
}

static void test_newest(void **state) {
  (void)state;
  RlHub *hub = rl_hub_create(2);
  assert_non_null(hub);
  assert_int_equal(rl_hub_panels(hub), 2);
  assert_null(rl_hub_hold(hub, 0, RL_HUB_PICTURE, 0));
  rl_hub_state(hub, 0, "{}", 2);
  rl_hub_state(hub, 0, "{ }", 3);
  picture(hub, 0, 1, 10);
  picture(hub, 0, 2, 500);
  assert_null(rl_hub_hold(hub, 1, RL_HUB_PICTURE, 0));
  const RlHubItem *item = rl_hub_hold(hub, 0, RL_HUB_PICTURE, 0);
  assert_non_null(item);
  assert_int_equal(item->sequence, 2);
  assert_int_equal(item->state, 2);
  assert_int_equal(item->size, 500);
  assert_int_equal(item->data[0], 2);
  assert_int_equal(item->data[499], 2);
  assert_null(rl_hub_hold(hub, 0, RL_HUB_PICTURE, item->sequence));
  rl_hub_release(hub, item);
  const RlHubItem *json = rl_hub_hold(hub, 0, RL_HUB_STATE, 1);
  assert_non_null(json);
  assert_memory_equal(json->data, "{ }", 3);
  rl_hub_release(hub, json);
  rl_hub_release(hub, NULL);
  rl_hub_video(hub, 1, (const uint8_t *)"mp4", 3);
  rl_hub_video(hub, 1, (const uint8_t *)"mp41", 4);
  const RlHubItem *video = rl_hub_hold(hub, 1, RL_HUB_VIDEO, 0);
  assert_non_null(video);
  assert_int_equal(video->sequence, 2);
  rl_hub_release(hub, video);
  rl_hub_free(hub);
}

static void test_held(void **state) {
  (void)state;
  enum { HELD = 20 };
  RlHub *hub = rl_hub_create(1);
  assert_non_null(hub);
  const RlHubItem *held[HELD];
  const uint8_t *bytes[HELD];
  for (int i = 0; i < HELD; i++) {
    picture(hub, 0, i, 100 + (size_t)i);
    held[i] = rl_hub_hold(hub, 0, RL_HUB_PICTURE, 0);
    bytes[i] = held[i]->data;
  }
  for (int i = 0; i < HELD; i++) {
    assert_int_equal(held[i]->sequence, i + 1);
    assert_int_equal(held[i]->size, 100 + i);
    for (size_t k = 0; k < held[i]->size; k++) assert_int_equal(held[i]->data[k], i);
    rl_hub_release(hub, held[i]);
  }
  // what was let go is used again, all of it: no buffer comes from anywhere else
  const RlHubItem *again[HELD - 1];
  for (int n = 0; n < HELD - 1; n++) {
    picture(hub, 0, 99, 50);
    again[n] = rl_hub_hold(hub, 0, RL_HUB_PICTURE, 0);
    bool known = false;
    for (int i = 0; i < HELD; i++)
      known = known || (again[n] == held[i] && again[n]->data == bytes[i]);
    assert_true(known);
  }
  for (int n = 0; n < HELD - 1; n++) rl_hub_release(hub, again[n]);
  rl_hub_free(hub);
}

static void test_watchers(void **state) {
  (void)state;
  RlHub *hub = rl_hub_create(2);
  assert_non_null(hub);
  assert_false(rl_hub_watched(hub, 1));
  rl_hub_watch(hub, 1, 1);
  rl_hub_watch(hub, 1, 1);
  rl_hub_watch(hub, 1, -1);
  assert_true(rl_hub_watched(hub, 1));
  assert_false(rl_hub_watched(hub, 0));
  rl_hub_watch(hub, 1, -1);
  assert_false(rl_hub_watched(hub, 1));
  rl_hub_free(hub);
}

static void test_commands(void **state) {
  (void)state;
  RlHub *hub = rl_hub_create(2);
  assert_non_null(hub);
  RlCommand command;
  assert_false(rl_hub_pop(hub, &command));
  // in order, and no more than fit
  for (int i = 0; i < RL_HUB_COMMANDS + 5; i++) {
    RlCommand camera = {.kind = RL_COMMAND_CAMERA, .number = i};
    assert_int_equal(rl_hub_push(hub, &camera), i < RL_HUB_COMMANDS);
  }
  for (int i = 0; i < RL_HUB_COMMANDS; i++) {
    assert_true(rl_hub_pop(hub, &command));
    assert_int_equal(command.number, i);
  }
  assert_false(rl_hub_pop(hub, &command));
  rl_hub_free(hub);
}

// A drag is one command until something else comes between, whatever its length.
static void test_joined(void **state) {
  (void)state;
  RlHub *hub = rl_hub_create(2);
  assert_non_null(hub);
  RlCommand drag = {.kind = RL_COMMAND_ORBIT, .x = 0.25, .y = -0.5}, command;
  for (int i = 0; i < 4; i++) assert_true(rl_hub_push(hub, &drag));
  drag.panel = 1;
  assert_true(rl_hub_push(hub, &drag));
  RlCommand step = {.kind = RL_COMMAND_STEP, .panel = 1};
  assert_true(rl_hub_push(hub, &step) && rl_hub_push(hub, &step));
  RlCommand size = {.kind = RL_COMMAND_RESIZE, .x = 100, .y = 100};
  assert_true(rl_hub_push(hub, &size));
  size.x = 200;
  assert_true(rl_hub_push(hub, &size));

  assert_true(rl_hub_pop(hub, &command));
  assert_true(command.kind == RL_COMMAND_ORBIT && command.panel == 0);
  assert_true(command.x == 1 && command.y == -2);
  assert_true(rl_hub_pop(hub, &command));
  assert_true(command.kind == RL_COMMAND_ORBIT && command.panel == 1 && command.x == 0.25);
  assert_true(rl_hub_pop(hub, &command) && command.kind == RL_COMMAND_STEP);
  assert_true(rl_hub_pop(hub, &command) && command.kind == RL_COMMAND_STEP);
  assert_true(rl_hub_pop(hub, &command));
  assert_true(command.kind == RL_COMMAND_RESIZE && command.x == 200);
  assert_false(rl_hub_pop(hub, &command));

  // a sum never leaves what a command may hold
  drag = (RlCommand){.kind = RL_COMMAND_PAN, .x = 3};
  for (int i = 0; i < 100; i++) assert_true(rl_hub_push(hub, &drag));
  double sum = 0;
  while (rl_hub_pop(hub, &command)) {
    assert_true(command.x <= 8);
    sum += command.x;
  }
  assert_true(sum == 300);
  rl_hub_free(hub);
}

static void *push_later(void *arg) {
  RlHub *hub = arg;
  const struct timespec pause = {.tv_nsec = 20000000};
  nanosleep(&pause, NULL);
  rl_hub_push(hub, &(RlCommand){.kind = RL_COMMAND_RESET});
  return NULL;
}

static void test_wait(void **state) {
  (void)state;
  RlHub *hub = rl_hub_create(1);
  assert_non_null(hub);
  double start = rl_clock_seconds();
  rl_hub_wait(hub, 0.05);
  assert_true(rl_clock_seconds() - start >= 0.045);
  // one who comes to watch, and a command, end it at once
  rl_hub_watch(hub, 0, 1);
  start = rl_clock_seconds();
  rl_hub_wait(hub, 20);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, push_later, hub), 0);
  rl_hub_wait(hub, 20);
  assert_true(rl_clock_seconds() - start < 10);
  pthread_join(thread, NULL);
  RlCommand command;
  assert_true(rl_hub_pop(hub, &command));
  rl_hub_watch(hub, 0, -1);
  rl_hub_free(hub);
}

// One draws, one serves: pictures are whole, sequences grow, no command is lost or doubled.
typedef struct {
  RlHub *hub;
  atomic_bool done;
  atomic_int wakes;
  atomic_int served;
  int sent;
} Traffic;

static void count_wake(void *arg) {
  atomic_fetch_add(&((Traffic *)arg)->wakes, 1);
}

static void *serve(void *arg) {
  Traffic *traffic = arg;
  uint64_t seen = 0;
  while (!atomic_load(&traffic->done)) {
    RlCommand command = {.kind = RL_COMMAND_CAMERA, .number = traffic->sent};
    if (rl_hub_push(traffic->hub, &command)) traffic->sent++;
    const RlHubItem *item = rl_hub_hold(traffic->hub, 0, RL_HUB_PICTURE, seen);
    if (!item) continue;
    RL_ASSERT(item->sequence > seen && item->state <= item->sequence);
    for (size_t k = 0; k < item->size; k++) RL_ASSERT(item->data[k] == item->data[0]);
    seen = item->sequence;
    atomic_fetch_add(&traffic->served, 1);
    rl_hub_release(traffic->hub, item);
  }
  return NULL;
}

static void test_threads(void **state) {
  (void)state;
  enum { PICTURES = 5000, SERVED = 50 };
  Traffic traffic = {.hub = rl_hub_create(1)};
  assert_non_null(traffic.hub);
  rl_hub_listen(traffic.hub, count_wake, &traffic);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, serve, &traffic), 0);
  int popped = 0, published = 0;
  RlCommand command;
  for (int i = 0; i < PICTURES || atomic_load(&traffic.served) < SERVED; i++) {
    picture(traffic.hub, 0, i & 0xff, 1 + (size_t)i % 500);
    if (i % 2) rl_hub_state(traffic.hub, 0, "{}", 2);
    published += 1 + i % 2;
    for (; rl_hub_pop(traffic.hub, &command); popped++) assert_int_equal(command.number, popped);
  }
  atomic_store(&traffic.done, true);
  pthread_join(thread, NULL);
  for (; rl_hub_pop(traffic.hub, &command); popped++) assert_int_equal(command.number, popped);
  assert_int_equal(popped, traffic.sent);
  assert_int_equal(atomic_load(&traffic.wakes), published);
  rl_hub_listen(traffic.hub, NULL, NULL);
  picture(traffic.hub, 0, 1, 1);
  assert_int_equal(atomic_load(&traffic.wakes), published);
  rl_hub_free(traffic.hub);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_newest),   cmocka_unit_test(test_held),
      cmocka_unit_test(test_watchers), cmocka_unit_test(test_commands),
      cmocka_unit_test(test_joined),   cmocka_unit_test(test_wait),
      cmocka_unit_test(test_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
