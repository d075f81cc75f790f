// Trace files are written by others, so nothing in one is believed: only hard links are followed,
// no data outside the file and no filter plugin is loaded, shapes, types and sizes are compared
// with the task's before anything is allocated, and a number that is not finite ends the replay
// with an error.
//
// The HDF5 library still has files on which it crashes or never ends, so each is read, replayed and
// written in a child process (contained.c), where that becomes an error line too.
//
// The replay runs inside a batch of one simulation, because a batch turns MuJoCo's fatal errors
// into a status.
#include "rl/run/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <mujoco/mjbatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rl/base/file.h"
#include "rl/run/contained.h"

enum { NAME_SIZE = 256, ERROR_SIZE = 512 };

static const double largest_bytes = 2147483648.0;  // of one group, read and written
static const double library_bytes = 536870912.0;   // of the HDF5 library, beside a group's data
static const double library_seconds = 60;          // of processor time, for reading one group

// One group: what is read and what is computed.
typedef struct {
  const char *path;      // of the file
  char name[NAME_SIZE];  // of the group
  hsize_t T, O, A, nq, nv;
  double *qpos0, *qvel0;      // (nq), (nv)
  double *actions;            // (T, A)
  double *obs;                // (T+1, O)
  double *reward;             // (T)
  double *qpos, *qvel;        // (T+1, nq), (T+1, nv)
  unsigned char *terminated;  // (T)
} Trace;

// What a replay needs, for the batch's callback.
typedef struct {
  const RlTask *task;
  RlTaskView view;
  Trace trace;
  double *mem;
} Replay;

static bool is_hard_link(hid_t group, const char *name) {
  H5L_info_t info;
  return H5Lget_info(group, name, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
}

// Refuses what could make reading leave the file or grow without bound.
static RlStatus check_storage(const Trace *trace, const char *name, hid_t set) {
  hid_t plist = H5Dget_create_plist(set);
  if (plist < 0)
    return rl_error(RL_FAIL, "%s: %s/%s: found something unreadable, expected a data set",
                    trace->path, trace->name, name);
  H5D_layout_t layout = H5Pget_layout(plist);
  int external = H5Pget_external_count(plist);
  hsize_t chunk[H5S_MAX_RANK];
  double bytes = (double)sizeof(double);
  int rank = layout == H5D_CHUNKED ? H5Pget_chunk(plist, H5S_MAX_RANK, chunk) : 0;
  for (int i = 0; i < rank && i < H5S_MAX_RANK; i++) bytes *= (double)chunk[i];
  H5Pclose(plist);
  bool plain = layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED || layout == H5D_COMPACT;
  if (!plain || external != 0) {
    return rl_error(RL_FAIL, "%s: %s/%s: found data outside the file, expected data in it",
                    trace->path, trace->name, name);
  }
  if (bytes > largest_bytes) {
    return rl_error(RL_FAIL, "%s: %s/%s: found chunks of %.0f bytes, expected at most %.0f",
                    trace->path, trace->name, name, bytes, largest_bytes);
  }
  return RL_OK;
}

static RlStatus check_type(const Trace *trace, const char *name, hid_t set) {
  hid_t type = H5Dget_type(set);
  H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
  size_t size = type < 0 ? 0 : H5Tget_size(type);
  if (type >= 0) H5Tclose(type);
  if ((class == H5T_FLOAT || class == H5T_INTEGER) && size <= 16) return RL_OK;
  return rl_error(RL_FAIL, "%s: %s/%s: found data that are not plain numbers, expected float64",
                  trace->path, trace->name, name);
}

// Writes "(3, 8)"; any_length: "(T, 8)".
static void print_shape(char *text, size_t size, int rank, const hsize_t *dim, bool any_length) {
  size_t used = (size_t)snprintf(text, size, any_length ? "(T" : "(");
  for (int i = any_length; i < rank && used < size; i++) {
    used += (size_t)snprintf(text + used, size - used, "%s%llu", i == 0 ? "" : ", ",
                             (unsigned long long)dim[i]);
  }
  if (used < size) (void)snprintf(text + used, size - used, ")");
}

// Compares the data set's shape with (dim[0], ...); where dim[0] is 0 any length is good and is
// written there.
static RlStatus check_shape(const Trace *trace, const char *name, hid_t set, int rank,
                            hsize_t *dim) {
  hsize_t found[H5S_MAX_RANK] = {0};
  hid_t space = H5Dget_space(set);
  int found_rank = space < 0 ? -1 : H5Sget_simple_extent_dims(space, found, NULL);
  bool simple = space >= 0 && H5Sget_simple_extent_type(space) == H5S_SIMPLE;
  if (space >= 0) H5Sclose(space);
  bool any_length = dim[0] == 0;
  bool same = simple && found_rank == rank;
  for (int i = any_length; same && i < rank; i++) same = found[i] == dim[i];
  if (same) {
    dim[0] = found[0];
    return RL_OK;
  }
  char is[ERROR_SIZE] = "()", expected[64];
  if (simple && found_rank > 0) print_shape(is, sizeof is, found_rank, found, false);
  print_shape(expected, sizeof expected, rank, dim, any_length);
  return rl_error(RL_FAIL, "%s: %s/%s: found shape %.200s, expected %s", trace->path, trace->name,
                  name, is, expected);
}

// Opens a data set and checks it; the caller closes it.
static RlStatus open_set(const Trace *trace, hid_t group, const char *name, int rank, hsize_t *dim,
                         hid_t *set) {
  *set = -1;
  if (!is_hard_link(group, name)) {
    return rl_error(RL_FAIL, "%s: %s/%s: found a link elsewhere, expected a data set", trace->path,
                    trace->name, name);
  }
  *set = H5Dopen2(group, name, H5P_DEFAULT);
  if (*set < 0) {
    return rl_error(RL_FAIL, "%s: %s/%s: found something else, expected a data set", trace->path,
                    trace->name, name);
  }
  RlStatus status = check_storage(trace, name, *set);
  if (status == RL_OK) status = check_type(trace, name, *set);
  if (status == RL_OK) status = check_shape(trace, name, *set, rank, dim);
  if (status != RL_OK) {
    H5Dclose(*set);
    *set = -1;
  }
  return status;
}

static RlStatus read_set(const Trace *trace, const char *name, hid_t set, double *data,
                         hsize_t count) {
  if (count > 0 && H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
    return rl_error(RL_FAIL, "%s: %s/%s: found damaged data, expected %llu numbers", trace->path,
                    trace->name, name, (unsigned long long)count);
  }
  for (hsize_t i = 0; i < count; i++) {
    if (!isfinite(data[i])) {
      return rl_error(RL_FAIL, "%s: %s/%s: found %g at place %llu, expected a finite number",
                      trace->path, trace->name, name, data[i], (unsigned long long)i);
    }
  }
  return RL_OK;
}

static double *reserve(hsize_t rows, hsize_t columns) {
  return calloc(rows * columns > 0 ? rows * columns : 1, sizeof(double));
}

// All of a group's arrays, refused when too large before any is allocated.
static RlStatus reserve_arrays(Trace *t) {
  double bytes =
      (double)sizeof(double) * ((double)t->T + 1) * (double)(t->A + t->O + t->nq + t->nv + 2);
  if (bytes > largest_bytes) {
    return rl_error(RL_FAIL, "%s: %s: found %llu steps, %.0f bytes, expected at most %.0f bytes",
                    t->path, t->name, (unsigned long long)t->T, bytes, largest_bytes);
  }
  // the arrays, and a chunk as large as they may be
  rl_contained_memory(library_bytes + bytes + largest_bytes);
  t->qpos0 = reserve(1, t->nq);
  t->qvel0 = reserve(1, t->nv);
  t->actions = reserve(t->T, t->A);
  t->obs = reserve(t->T + 1, t->O);
  t->reward = reserve(t->T, 1);
  t->qpos = reserve(t->T + 1, t->nq);
  t->qvel = reserve(t->T + 1, t->nv);
  t->terminated = calloc(t->T + 1, 1);
  bool all = t->qpos0 && t->qvel0 && t->actions && t->obs && t->reward && t->qpos && t->qvel &&
             t->terminated;
  if (all) return RL_OK;
  return rl_error(RL_FAIL, "%s: %s: found too little memory, expected %.0f bytes", t->path, t->name,
                  bytes);
}

static void free_arrays(Trace *t) {
  free(t->qpos0);
  free(t->qvel0);
  free(t->actions);
  free(t->obs);
  free(t->reward);
  free(t->qpos);
  free(t->qvel);
  free(t->terminated);
}

static RlStatus read_group(Trace *t, hid_t group) {
  hsize_t qpos_dim[1] = {t->nq}, qvel_dim[1] = {t->nv}, actions_dim[2] = {0, t->A};
  hid_t qpos0 = -1, qvel0 = -1, actions = -1;
  RlStatus status = open_set(t, group, "qpos0", 1, qpos_dim, &qpos0);
  if (status == RL_OK) status = open_set(t, group, "qvel0", 1, qvel_dim, &qvel0);
  if (status == RL_OK) status = open_set(t, group, "actions", 2, actions_dim, &actions);
  if (status == RL_OK) {
    t->T = actions_dim[0];
    status = reserve_arrays(t);
  }
  if (status == RL_OK) status = read_set(t, "qpos0", qpos0, t->qpos0, t->nq);
  if (status == RL_OK) status = read_set(t, "qvel0", qvel0, t->qvel0, t->nv);
  if (status == RL_OK) status = read_set(t, "actions", actions, t->actions, t->T * t->A);
  if (qpos0 >= 0) H5Dclose(qpos0);
  if (qvel0 >= 0) H5Dclose(qvel0);
  if (actions >= 0) H5Dclose(actions);
  return status;
}

// Writes the row of observation and state that time t sees.
static void note(Replay *r, const mjData *d, hsize_t t) {
  Trace *trace = &r->trace;
  r->task->observe(&r->view, d, trace->obs + t * trace->O);
  mju_copy(trace->qpos + t * trace->nq, d->qpos, (int)trace->nq);
  mju_copy(trace->qvel + t * trace->nv, d->qvel, (int)trace->nv);
}

static const int bad[] = {mjWARN_BADQPOS, mjWARN_BADQVEL, mjWARN_BADQACC, mjWARN_BADCTRL};
enum { NBAD = sizeof bad / sizeof *bad };

static void replay(const mjModel *m, mjData *d, int sim, void *arg) {
  (void)sim;
  Replay *r = arg;
  Trace *trace = &r->trace;
  r->view.m = m;
  mj_resetData(m, d);
  mju_copy(d->qpos, trace->qpos0, (int)trace->nq);
  mju_copy(d->qvel, trace->qvel0, (int)trace->nv);
  mj_forward(m, d);
  if (r->task->remember != NULL) r->task->remember(&r->view, d, r->mem);
  note(r, d, 0);
  for (hsize_t t = 0; t < trace->T; t++) {
    const double *action = trace->actions + t * trace->A;
    for (int k = 0; k < NBAD; k++) d->warning[bad[k]].number = 0;
    mju_copy(d->ctrl, action, (int)trace->A);
    for (int k = 0; k < r->view.o->frame_skip; k++) mj_step(m, d);
    if (r->task->contact_forces) mj_rnePostConstraint(m, d);
    RlOutcome outcome;
    r->task->score(&r->view, d, r->mem, action, &outcome);
    for (int k = 0; k < NBAD; k++) outcome.terminated |= d->warning[bad[k]].number != 0;
    trace->reward[t] = outcome.reward;
    trace->terminated[t] = outcome.terminated;
    note(r, d, t + 1);
  }
}

// What the HDF5 library could not write, with the reason the system gave it if that is still known.
static RlStatus unwritten(const char *path) {
  return rl_file_error(path, "cannot write", errno ? errno : EIO);
}

static RlStatus write_set(hid_t group, const char *name, int rank, hsize_t rows, hsize_t columns,
                          hid_t type, const void *data) {
  hsize_t dim[2] = {rows, columns};
  hid_t space = H5Screate_simple(rank, dim, NULL);
  hid_t file_type = type == H5T_NATIVE_UCHAR ? H5T_STD_U8LE : H5T_IEEE_F64LE;
  hid_t set = H5Dcreate2(group, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  herr_t written = set < 0 ? -1 : H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
  if (set >= 0 && H5Dclose(set) < 0) written = -1;
  if (space >= 0) H5Sclose(space);
  return written < 0 ? RL_FAIL : RL_OK;
}

static RlStatus write_sets(hid_t group, const Trace *t) {
  hid_t real = H5T_NATIVE_DOUBLE;
  RL_TRY(write_set(group, "obs", 2, t->T + 1, t->O, real, t->obs));
  RL_TRY(write_set(group, "reward", 1, t->T, 1, real, t->reward));
  RL_TRY(write_set(group, "terminated", 1, t->T, 1, H5T_NATIVE_UCHAR, t->terminated));
  RL_TRY(write_set(group, "qpos", 2, t->T + 1, t->nq, real, t->qpos));
  return write_set(group, "qvel", 2, t->T + 1, t->nv, real, t->qvel);
}

static RlStatus write_group(hid_t file, const Trace *t, const char *path) {
  errno = 0;
  hid_t group = H5Gcreate2(file, t->name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  RlStatus status = group < 0 ? RL_FAIL : write_sets(group, t);
  if (group >= 0) H5Gclose(group);
  return status == RL_OK ? RL_OK : unwritten(path);
}

static RlStatus run_batch(mjBatch *batch, Replay *r) {
  // only the library is held to a time: a replay is as long as its file says
  rl_contained_clock(0);
  int failed = mjb_apply(batch, NULL, 1, replay, r, 0);
  rl_contained_clock(library_seconds);
  if (failed == 0) return RL_OK;
  return rl_error(RL_FAIL, "%s: %s: found '%s', expected a replay without errors", r->trace.path,
                  r->trace.name, mjb_error(batch, 0));
}

static bool holds_trace(hid_t group) {
  return H5Lexists(group, "qpos0", H5P_DEFAULT) > 0 && H5Lexists(group, "qvel0", H5P_DEFAULT) > 0 &&
         H5Lexists(group, "actions", H5P_DEFAULT) > 0;
}

// One member of the file: adds 1 to *count if it is a trace.
static RlStatus run_member(hid_t in, hid_t out, const char *out_path, mjBatch *batch, Replay *r,
                           int *count) {
  if (!is_hard_link(in, r->trace.name)) return RL_OK;
  hid_t group = H5Oopen(in, r->trace.name, H5P_DEFAULT);
  RlStatus status = RL_OK;
  if (group >= 0 && H5Iget_type(group) == H5I_GROUP && holds_trace(group)) {
    status = read_group(&r->trace, group);
    if (status == RL_OK) status = run_batch(batch, r);
    if (status == RL_OK) status = write_group(out, &r->trace, out_path);
    free_arrays(&r->trace);
    rl_contained_memory(library_bytes);
    (*count)++;
  }
  if (group >= 0) H5Oclose(group);
  return status;
}

static RlStatus run_members(hid_t in, const char *in_path, hid_t out, const char *out_path,
                            const mjModel *m, mjBatch *batch, Replay *r) {
  H5G_info_t info;
  if (H5Gget_info(in, &info) < 0)
    return rl_error(RL_FAIL, "%s: found an unreadable list of members, expected groups", in_path);
  int count = 0;
  for (hsize_t i = 0; i < info.nlinks; i++) {
    r->trace = (Trace){.path = in_path,
                       .A = (hsize_t)m->nu,
                       .O = (hsize_t)r->task->obs_dim(&r->view),
                       .nq = (hsize_t)m->nq,
                       .nv = (hsize_t)m->nv};
    ssize_t length = H5Lget_name_by_idx(in, ".", H5_INDEX_NAME, H5_ITER_INC, i, r->trace.name,
                                        NAME_SIZE, H5P_DEFAULT);
    if (length < 0) {
      return rl_error(RL_FAIL, "%s: found an unreadable name of a member, expected one", in_path);
    }
    if (length == 0 || length >= NAME_SIZE) {
      return rl_error(RL_FAIL, "%s: found a member's name of %lld bytes, expected 1 to %d", in_path,
                      (long long)length, NAME_SIZE - 1);
    }
    RL_TRY(run_member(in, out, out_path, batch, r, &count));
  }
  if (count > 0) return RL_OK;
  return rl_error(RL_FAIL, "%s: found no group with qpos0, qvel0 and actions, expected one",
                  in_path);
}

// A file's replay.
typedef struct {
  Replay *replay;
  mjBatch *batch;
  const char *in, *out;
  const char *temporary;  // what out is called until it is whole
} Job;

// As the child process does it.
static RlStatus run_job(void *arg) {
  const Job *job = arg;
  hid_t in = H5Fopen(job->in, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (in < 0) return rl_error(RL_FAIL, "%s: cannot be read, expected an HDF5 file", job->in);
  errno = 0;
  hid_t out = H5Fcreate(job->temporary, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  RlStatus status = out < 0 ? unwritten(job->out)
                            : run_members(in, job->in, out, job->out, job->replay->view.m,
                                          job->batch, job->replay);
  if (status == RL_OK) errno = 0;
  if (out >= 0 && H5Fclose(out) < 0 && status == RL_OK) status = unwritten(job->out);
  H5Fclose(in);
  return status;
}

// Refuses what is no file to read, and to replace what is no plain file or the one to be read.
static RlStatus check_paths(const char *in, const char *out) {
  struct stat from, to;
  if (stat(in, &from) != 0 || access(in, R_OK) != 0) return rl_file_error(in, "cannot read", errno);
  RL_TRY(rl_file_check_free(out, true));
  if (stat(out, &to) != 0 || to.st_dev != from.st_dev || to.st_ino != from.st_ino) return RL_OK;
  return rl_error(RL_USAGE, "%s: found the file to be read, expected another one to write", out);
}

// Takes the temporary name, which shows at once whether anything can be written there.
static RlStatus make_temporary(const char *temporary, const char *out) {
  int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) return rl_file_error(out, "cannot write", errno);
  close(file);
  return RL_OK;
}

// Makes the finished file durable, then visible.
static RlStatus publish(const char *temporary, const char *path) {
  int file = open(temporary, O_RDONLY | O_CLOEXEC);
  bool synced = file >= 0 && fsync(file) == 0;
  if (file >= 0) close(file);
  if (synced && rename(temporary, path) == 0) return RL_OK;
  return rl_file_error(path, "cannot write", errno);
}

RlStatus rl_trace_replay(const RlTask *task, const RlEnvOptions *options, const mjModel *m,
                         mjBatch *batch, const char *in, const char *out) {
  char temporary[RL_PATH_SIZE];
  int length = snprintf(temporary, sizeof temporary, "%s.%ld.tmp", out, (long)getpid());
  if (length < 0 || length >= RL_PATH_SIZE) {
    return rl_error(RL_FAIL, "%.200s...: found a path of %d bytes, expected at most %d", out,
                    length, RL_PATH_SIZE - 1);
  }
  RL_TRY(check_paths(in, out));
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  H5PLset_loading_state(0);
  double *mem = calloc((size_t)task->nmem + 1, sizeof *mem);
  if (mem == NULL) return rl_error(RL_FAIL, "%s: found no memory, expected some", in);
  Replay r = {.task = task, .view = {m, options}, .mem = mem};
  Job job = {&r, batch, in, out, temporary};
  RlStatus status = make_temporary(temporary, out);
  if (status == RL_OK) {
    status = rl_contained_run(in, library_seconds, library_bytes, run_job, &job);
    if (status == RL_OK) status = publish(temporary, out);
    if (status != RL_OK) unlink(temporary);
  }
  free(mem);
  return status;
}

RlStatus rl_trace_run(const RlTask *task, const RlEnvOptions *options, const char *in,
                      const char *out) {
  char text[ERROR_SIZE] = "";
  mjModel *m = rl_task_load(task);
  if (m == NULL) return RL_FAIL;
  mjBatchConfig config;
  mjb_defaultConfig(&config);
  config.nthread = 1;
  config.persistent = 0;
  mjBatch *batch = mjb_makeBatch(m, 1, &config, text, sizeof text);
  RlStatus status =
      batch == NULL ? rl_error(RL_FAIL, "%s: found '%s', expected a simulation", task->model, text)
                    : rl_trace_replay(task, options, m, batch, in, out);
  mjb_deleteBatch(batch);
  mj_deleteModel(m);
  return status;
}
