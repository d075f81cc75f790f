// The live view of rlview from its first line to its end, with clients in this process: what is
// told of each panel, what orders do to one that is looked at and to one that is not, how it ends.
// The page itself is tests/system/alone_view_browser.sh.
#include "rl/view/live.h"

#include <pthread.h>

#include "tests/unit/view/client.h"
#include "tests/unit/view/view.h"

typedef struct {
  RlLiveRequest request;
  volatile sig_atomic_t stop;
  RlStatus status;
  char error[512];
  pthread_t thread;
  Site site;
} View;

static void *live(void *arg) {
  View *view = arg;
  view->status = rl_live_run(&view->request);
  snprintf(view->error, sizeof view->error, "%s", rl_error_text());
  fclose(view->request.say);
  return NULL;
}

// A view with two panels of a run that stands at its end, and the address it says.
static void begin(View *view) {
  char url[128] = "";
  int end[2];
  TRAIN("env.id=InvertedPendulum-v5");
  *view = (View){.request = {.panels = 2, .seed = 5}};
  view->request.path[0] = view->request.path[1] = view_run.folder.dir;
  view->request.stop = &view->stop;
  assert_int_equal(pipe(end), 0);
  view->request.say = fdopen(end[1], "w");
  FILE *said = fdopen(end[0], "r");
  assert_true(said && view->request.say);
  assert_int_equal(pthread_create(&view->thread, NULL, live, view), 0);
  bool began = fgets(url, sizeof url, said) != NULL;
  fclose(said);
  if (began) {
    view->site = site_of(url);
    return;
  }
  pthread_join(view->thread, NULL);
  rl_run_free(&view_run);
  if (!strstr(view->error, "EGL")) fail_msg("%s", view->error);
  skip();
}

static void end(View *view) {
  double start = rl_clock_seconds();
  view->stop = 1;
  pthread_join(view->thread, NULL);
  assert_true(rl_clock_seconds() - start < 10);
  if (view->status != RL_OK) fail_msg("%s", view->error);
  rl_run_free(&view_run);
}

static int open_states(const View *view) {
  int fd = connect_client(&view->site);
  ask_socket(&view->site, fd);
  return fd;
}

static int open_pictures(const View *view, const char *stream) {
  int fd = connect_client(&view->site);
  ask(&view->site, fd, stream, "");
  await(fd, "\r\n\r\n\xff\xd8");
  return fd;
}

// Every panel has a state before anybody looks; one that nobody looks at answers an order all the
// same and stands still.
static void test_panels(void **state) {
  (void)state;
  View view;
  begin(&view);
  int first = open_states(&view), second = open_states(&view);
  await(first, "{\"panel\": 0, \"panels\": 2, \"sequence\": 1, \"video\": 0, \"state\": {\"task\"");
  await(second,
        "{\"panel\": 1, \"panels\": 2, \"sequence\": 1, \"video\": 0, \"state\": {\"task\"");
  // so slowly that a step takes most of a second; a jump to the present would take thousands
  order(second, "{\"do\":\"speed\",\"panel\":1,\"value\":0.05}");
  await(second, "\"speed\": 0.05,");
  int pictures = open_pictures(&view, "stream/1");
  assert_true(await_steps(second, 1) < 20);
  order(first, "{\"do\":\"speed\",\"panel\":0,\"value\":3}");
  await(first, "\"speed\": 3,");
  // nothing was drawn of it
  order(first, "{\"do\":\"save\",\"panel\":0}");
  await(first, "\"note\": \"view: nothing is recorded yet\"");
  close(pictures);
  close(second);
  close(first);
  end(&view);
}

// A panel that is paused is drawn again for an order alone, and tells of a new checkpoint.
static void test_paused(void **state) {
  (void)state;
  View view;
  size_t size;
  begin(&view);
  int states = open_states(&view), pictures = open_pictures(&view, "stream/0");
  order(states, "{\"do\":\"pause\",\"panel\":0,\"on\":true}");
  await(states, "\"paused\": true");
  char path[RL_PATH_SIZE];
  rl_folder_checkpoint(&view_run.folder, 256, path);
  uint8_t *checkpoint = scratch_get(path, &size);
  rl_folder_checkpoint(&view_run.folder, 300, path);
  scratch_put(path, checkpoint, size);
  free(checkpoint);
  await(states, "\"checkpoints\": 3,");
  order(states, "{\"do\":\"quality\",\"panel\":0,\"on\":true}");
  await(states, "\"fine\": true");
  await(pictures, "\r\n\r\n\xff\xd8");
  close(pictures);
  close(states);
  end(&view);
}

// What was looked at can be had as a video.
static void test_save(void **state) {
  (void)state;
  if (system("command -v ffmpeg >/dev/null") != 0) skip();
  View view;
  begin(&view);
  int states = open_states(&view), pictures = open_pictures(&view, "stream/1");
  order(states, "{\"do\":\"save\",\"panel\":1}");
  await(states, "\"panels\": 2, \"sequence\": ");
  await(states, "\"video\": 1,");
  int video = connect_client(&view.site);
  ask(&view.site, video, "video/1.mp4", "");
  await(video, "ftyp");
  close(video);
  close(pictures);
  close(states);
  end(&view);
}

// What cannot be begun, and a view whose address nobody learns.
static void test_refused(void **state) {
  (void)state;
  const volatile sig_atomic_t stop = 1;
  FILE *full = fopen("/dev/full", "w");
  assert_non_null(full);
  TRAIN("env.id=InvertedPendulum-v5");
  RlLiveRequest request = {
      .path = {view_run.folder.dir}, .panels = 1, .say = full, .stop = &stop, .address = "nowhere"};
  assert_int_equal(rl_live_run(&request), RL_USAGE);
  assert_non_null(strstr(rl_error_text(), "--address: found \"nowhere\""));
  request.address = NULL;
  rl_error_clear();
  assert_int_equal(rl_live_run(&request), RL_FAIL);
  if (!strstr(rl_error_text(), "EGL")) {
    assert_string_equal(rl_error_text(), "stdout: cannot write: No space left on device");
  }
  request.path[0] = scratch_path("absent");
  rl_error_clear();
  assert_int_equal(rl_live_run(&request), RL_FAIL);
  assert_non_null(strstr(rl_error_text(), "absent: cannot read"));
  fclose(full);
  rl_run_free(&view_run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_panels),
      SCRATCH_TEST(test_paused),
      SCRATCH_TEST(test_save),
      SCRATCH_TEST(test_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
