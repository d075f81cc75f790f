// Trace files of any bytes, as rlenv trace reads them: replayed, or refused with one line that
// names the file. The HDF5 library parses them, in a child process, so what is tried
// here is that whatever it does there ends in one line; the engine sees no edges of the child's.
#include <mujoco/mujoco.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rl/run/trace.h"
#include "tests/fuzz/refused.h"
#include "tests/fuzz/standalone.h"

#ifdef RL_FUZZ_ENGINE
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#endif

enum { MAX_CALLS = 1000 };

static int calls;

// A small file may ask for millions of steps: ends them as a diverging simulation would.
static void end_long_replays(const mjModel *m, mjData *d) {
  (void)m;
  (void)d;
  if (++calls > MAX_CALLS) mju_error("too many steps to try");
}

static mjModel *model;
static mjBatch *batch;
static char folder[256], in[300], out[300];

static void remove_folder(void) {
  unlink(in);
  unlink(out);
  rmdir(folder);
  mjb_deleteBatch(batch);
  mj_deleteModel(model);
}

#ifdef RL_FUZZ_ENGINE
// What crashes in a child process is contained there, and no finding of the engine's.
static void forget_engine(void) {
  __sanitizer_set_death_callback(NULL);
}
#endif

static const RlTask *prepare(RlConfig *config) {
  const RlTask *task = rl_task_find("InvertedPendulum-v5", "fuzz");
  const char *parent = getenv("TMPDIR");
  rl_config_default(config);
  RL_ASSERT(task && rl_task_resolve(task, config, "fuzz") == RL_OK);
  snprintf(folder, sizeof folder, "%.200s/rltrain-fuzz-XXXXXX", parent ? parent : "/tmp");
  RL_ASSERT(mkdtemp(folder));
  snprintf(in, sizeof in, "%s/in.h5", folder);
  snprintf(out, sizeof out, "%s/out.h5", folder);
  RL_ASSERT(atexit(remove_folder) == 0);
  model = rl_task_load(task);
  RL_ASSERT(model);
  char text[256];
  mjBatchConfig one;
  mjb_defaultConfig(&one);
  one.nthread = 1;
  one.persistent = 0;
  batch = mjb_makeBatch(model, 1, &one, text, sizeof text);
  RL_ASSERT(batch);
  mjcb_control = end_long_replays;
#ifdef RL_FUZZ_ENGINE
  RL_ASSERT(pthread_atfork(NULL, NULL, forget_engine) == 0);
#endif
  return task;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static RlConfig config;
  static const RlTask *task;
  if (!task) task = prepare(&config);
  calls = 0;
  FILE *file = fopen(in, "wb");
  RL_ASSERT(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
  rl_error_clear();
  RlStatus status = rl_trace_replay(task, &config.env, model, batch, in, out);
  RL_ASSERT((access(out, F_OK) == 0) == (status == RL_OK));
  if (status == RL_OK) {
    RL_ASSERT(unlink(out) == 0);
  } else {
    expect_refused(status, in);
  }
  return 0;
}
