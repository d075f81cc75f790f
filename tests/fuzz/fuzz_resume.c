// Resume files in which values are others than a run writes, behind a sound digest and in a sound
// structure: the run goes on from one, ends with one line, or takes it for damaged and starts
// again; what it saves then can be read.
//
// An input is an algorithm (one byte) and edits of twelve: data set, element (two bytes), kind of
// value, value (eight).
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rl/base/file.h"
#include "rl/run/checkpoint_walk.h"
#include "rl/run/configure.h"
#include "rl/run/train_ppo.h"
#include "rl/run/train_sac.h"
#include "tests/fuzz/standalone.h"

enum { EDIT = 12, MAX_EDITS = 8 };

// Small: a run of 40 steps in two environments, saved at 20 and at its end.
static const char *const common[] = {"env.id=InvertedPendulum-v5",
                                     "env.n_envs=2",
                                     "env.max_episode_steps=3",
                                     "policy.hidden=4",
                                     "run.total_steps=40",
                                     "run.checkpoint_every=20",
                                     "run.threads=1",
                                     "run.tensorboard=false",
                                     NULL};
static const char *const own[][6] = {
    {"run.algorithm=ppo", "ppo.n_steps=10", "ppo.batch_size=8", "ppo.n_epochs=2", NULL},
    {"run.algorithm=sac", "sac.buffer_size=16", "sac.learning_starts=8", "sac.batch_size=4", NULL}};

// What stands before each input is tried.
typedef struct {
  uint8_t *image, *config;
  size_t size, config_size;
  RlCheckpointIndex index;
} Base;

static Base bases[2];
static char folder[256], dir[300];
static FILE *nowhere;
static volatile sig_atomic_t stop;

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at) {
  (void)info, (void)kind, (void)at;
  return remove(path);
}

static void remove_folder(void) {
  nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
  fclose(nowhere);
  for (int k = 0; k < 2; k++) free(bases[k].image), free(bases[k].config);
}

static void set_all(RlConfig *config, const char *const *set) {
  for (; *set; set++) RL_ASSERT(rl_configure_set(config, *set) == RL_OK);
}

static RlStatus train(RlRun *run) {
  run->stop = &stop;
  return run->config.run.algorithm == RL_ALGO_SAC ? rl_train_sac(run) : rl_train_ppo(run);
}

static void member(char path[RL_PATH_SIZE], const char *name) {
  snprintf(path, RL_PATH_SIZE, "%s/%s", dir, name);
}

static void make_base(int k) {
  static RlRun run;
  RlConfig config;
  char path[RL_PATH_SIZE];
  rl_config_default(&config);
  set_all(&config, own[k]);
  set_all(&config, common);
  const RlTask *task = rl_task_find("InvertedPendulum-v5", "fuzz");
  RL_ASSERT(rl_task_resolve(task, &config, "fuzz") == RL_OK);
  RL_ASSERT(rl_config_validate(&config, "fuzz") == RL_OK);
  RlRunRequest request = {.out = dir, .mode = RL_PROGRESS_PLAIN, .show = nowhere};
  RL_ASSERT(rl_run_create(&run, &config, &request) == RL_OK && train(&run) == RL_OK);
  rl_run_free(&run);
  Base *base = &bases[k];
  member(path, "config.ini");
  RL_ASSERT(rl_file_read(path, 1 << 20, &base->config, &base->config_size) == RL_OK);
  member(path, "resume/000000000020.h5");
  RL_ASSERT(rl_file_read(path, 1 << 24, &base->image, &base->size) == RL_OK);
  RL_ASSERT(rl_checkpoint_walk(&base->index, base->image, base->size, path) == RL_OK);
  RL_ASSERT(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

static void prepare(void) {
  const char *parent = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%.200s/rltrain-fuzz-XXXXXX", parent ? parent : "/tmp");
  RL_ASSERT(mkdtemp(folder));
  snprintf(dir, sizeof dir, "%s/run", folder);
  nowhere = fopen("/dev/null", "w");
  RL_ASSERT(nowhere && atexit(remove_folder) == 0);
  for (int k = 0; k < 2; k++) make_base(k);
}

// The value of an edit: any bits, a small number, a large one, or one more than there is.
static void change(uint8_t *at, RlFieldType type, int kind, uint64_t value) {
  size_t size = rl_checkpoint_type_size(type);
  bool is_float = type == RL_F32, is_double = type == RL_F64;
  int64_t whole = (int8_t)value;
  if (kind == 3 && !is_float && !is_double) {
    memcpy(&whole, at, size);
    whole++;
  }
  double real = kind == 2 ? (double)whole * 1e30 : kind == 3 ? (double)whole * 1e-3 : (double)whole;
  float single = (float)real;
  const void *bits = kind == 0 ? &value : is_float ? &single : is_double ? (void *)&real : &whole;
  memcpy(at, bits, size);
}

// image becomes the base's with an edit.
static void apply(const Base *base, uint8_t *image, const uint8_t *edit) {
  const RlCheckpointEntry *entry = &base->index.entry[edit[0] % base->index.n];
  size_t size = rl_checkpoint_type_size(entry->type), count = entry->bytes / size;
  uint64_t value;
  memcpy(&value, edit + 4, sizeof value);
  if (count == 0) return;
  if (getenv("RL_FUZZ_SHOW")) fprintf(stderr, "edit of %s\n", entry->name);
  size_t element = (size_t)(edit[1] | edit[2] << 8) % count;
  change(image + entry->at + element * size, entry->type, edit[3] % 4, value);
}

static void write_run(const Base *base, const uint8_t *image, bool sac) {
  static const char *const folders[] = {"", "checkpoints", "resume", "resume/replay"};
  char path[RL_PATH_SIZE];
  for (int i = 0; i < (sac ? 4 : 3); i++) {
    member(path, folders[i]);
    RL_ASSERT(mkdir(path, 0777) == 0);
  }
  member(path, "config.ini");
  RL_ASSERT(rl_file_write(path, base->config, base->config_size) == RL_OK);
  member(path, "resume/000000000020.h5");
  RL_ASSERT(rl_file_write(path, image, base->size) == RL_OK);
}

static RlStatus resume(RlRun *run, bool *finished) {
  RlRunRequest request = {.mode = RL_PROGRESS_PLAIN, .show = nowhere};
  return rl_run_resume(run, dir, 0, 0, &request, finished);
}

// A run that goes on, or says why not, and what it left behind.
static void go_on(void) {
  static RlRun run;
  RlServed served;
  bool finished = false;
  RlStatus status = resume(&run, &finished);
  if (status == RL_OK && !finished) status = train(&run);
  rl_run_free(&run);
  if (status != RL_OK) {
    const char *line = rl_error_text();
    if (getenv("RL_FUZZ_SHOW")) fprintf(stderr, "%s\n", line);
    RL_ASSERT(line[0] != '\0' && !strchr(line, '\n') && !strstr(line, "(null)"));
    rl_error_clear();
    return;
  }
  RL_ASSERT(rl_served_load(&served, dir, 1) == RL_OK);
  rl_served_free(&served);
  status = resume(&run, &finished);
  RL_ASSERT(status == RL_OK && finished);
  rl_run_free(&run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (nowhere == NULL) prepare();
  if (size < 1) return 0;
  const Base *base = &bases[data[0] % 2];
  uint8_t *image = malloc(base->size);
  RL_ASSERT(image);
  memcpy(image, base->image, base->size);
  size_t edits = (size - 1) / EDIT;
  for (size_t i = 0; i < edits && i < MAX_EDITS; i++) apply(base, image, data + 1 + i * EDIT);
  rl_checkpoint_seal(image, base->size);
  write_run(base, image, data[0] % 2 == 1);
  free(image);
  rl_error_clear();
  go_on();
  RL_ASSERT(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
  return 0;
}
