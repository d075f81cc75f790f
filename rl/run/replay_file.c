// The replay buffer on disk: see replay_file.h.
//
// Nothing a file says is believed that can be computed: from the number of steps written follow
// what the ring holds, which segments are whole and how long head and tail are. Only the number of
// truncated episodes is the file's to state, and is held against the slots' own marks.
#include "rl/run/replay_file.h"

#include <inttypes.h>
#include <string.h>

enum { PARTS = 6 };

static const char *const head_name[PARTS] = {"replay/head/obs",      "replay/head/act",
                                             "replay/head/rew",      "replay/head/end",
                                             "replay/head/final_at", "replay/head/final_obs"};
static const char *const tail_name[PARTS] = {"replay/tail/obs",      "replay/tail/act",
                                             "replay/tail/rew",      "replay/tail/end",
                                             "replay/tail/final_at", "replay/tail/final_obs"};
static const char *const whole_name[PARTS] = {"obs", "act", "rew", "end", "final_at", "final_obs"};

// Vector steps up to here are counted exactly wherever the files are read.
#define MAX_WRITTEN ((int64_t)1 << 53)

static int64_t segment_of(int N) {
  return RL_REPLAY_SEGMENT / N > 1 ? RL_REPLAY_SEGMENT / N : 1;
}

void rl_replay_file_init(RlReplayFile *file, RlArena *arena, RlReplay *replay) {
  int segment = (int)segment_of(replay->N);
  *file = (RlReplayFile){.replay = replay, .segment = segment};
  file->digest = RL_PUSH(arena, uint64_t, 2 * (replay->capacity / segment));
  file->last_final = RL_PUSH(arena, int64_t, replay->N);
  rl_replay_slice_init(&file->head, arena, replay, segment - 1);
  rl_replay_slice_init(&file->tail, arena, replay, segment - 1);
  rl_replay_slice_init(&file->whole, arena, replay, segment);
}

double rl_replay_file_bytes(int64_t buffer_size, int N, int O, int A, int max_episode_steps) {
  int segment = (int)segment_of(N);
  double part = rl_replay_slice_bytes(segment - 1, N, O, A, max_episode_steps);
  double whole = rl_replay_slice_bytes(segment, N, O, A, max_episode_steps);
  int64_t most = buffer_size / N / segment;
  return 2 * part + whole + (double)sizeof(uint64_t) * 2 * (double)most +
         (double)sizeof(int64_t) * N;
}

void rl_replay_file_reset(RlReplayFile *file) {
  rl_replay_clear(file->replay, 0);
  file->written = file->first = file->kept = 0;
  file->count = 0;
}

// ---------------------------------------------------------------- which steps are where

// What is on disk after so many vector steps: the head [oldest, first), the segments [first, last),
// the tail [last, written).
typedef struct {
  int64_t oldest, first, last, written;
} Cut;

static Cut cut(const RlReplayFile *file, int64_t written) {
  int64_t capacity = file->replay->capacity, segment = file->segment;
  int64_t oldest = written > capacity ? written - capacity : 0;
  int64_t first = (oldest + segment - 1) / segment * segment;
  int64_t last = written / segment * segment;
  // a ring shorter than a segment may lie inside one: then all of it is head
  if (first > written) return (Cut){oldest, written, written, written};
  return (Cut){oldest, first, last, written};
}

static void push_array(RlFields *fields, const char *name, RlFieldType type, void *data, int rank,
                       const int64_t dim[3]) {
  rl_fields_push(fields, name, type, data, 0, 0);
  // not by rows and columns: any of these may have no rows, and is no scalar then
  RlField *field = &fields->field[fields->n - 1];
  field->rank = rank;
  memcpy(field->dim, dim, (size_t)rank * sizeof *dim);
}

static void push_slice(RlFields *fields, const RlReplay *replay, const RlReplaySlice *slice,
                       const char *const name[PARTS]) {
  const int64_t steps = slice->steps, final = slice->nfinal, N = replay->N, O = replay->O;
  push_array(fields, name[0], RL_F32, slice->obs, 3, (int64_t[]){steps, N, O});
  push_array(fields, name[1], RL_F32, slice->act, 3, (int64_t[]){steps, N, replay->A});
  push_array(fields, name[2], RL_F32, slice->rew, 2, (int64_t[]){steps, N, 0});
  push_array(fields, name[3], RL_U8, slice->end, 2, (int64_t[]){steps, N, 0});
  push_array(fields, name[4], RL_I32, slice->final_at, 1, (int64_t[]){final, 0, 0});
  push_array(fields, name[5], RL_F32, slice->final_obs, 2, (int64_t[]){final, O, 0});
}

void rl_replay_file_fields(RlReplayFile *file, RlFields *fields) {
  rl_fields_push_nonnegative(fields, "replay/written", RL_I64, &file->written, 0, 0);
  rl_fields_push_nonnegative(fields, "replay/segment", RL_I64, &file->segment, 0, 0);
  rl_fields_push_nonnegative(fields, "replay/first", RL_I64, &file->first, 0, 0);
  push_array(fields, "replay/digest", RL_U64, file->digest, 2, (int64_t[]){file->count, 2, 0});
  push_slice(fields, file->replay, &file->head, head_name);
  push_slice(fields, file->replay, &file->tail, tail_name);
}

// ---------------------------------------------------------------- saving

// Takes segments that have begun to retire off the list.
static void drop_before(RlReplayFile *file, int64_t first) {
  int64_t gone = (first - file->first) / file->segment;
  RL_ASSERT(gone >= 0);
  if (gone > file->count) gone = file->count;
  file->count -= (int)gone;
  memmove(file->digest, file->digest + 2 * gone, 2 * sizeof(uint64_t) * (size_t)file->count);
  file->first = first;
}

// Writes segment k of the list, and its digest.
static RlStatus save_segment(RlReplayFile *file, const RlFolder *folder, int k) {
  char path[RL_PATH_SIZE];
  RlFields fields = {0};
  RlReplaySlice *whole = &file->whole;
  rl_replay_export(file->replay, whole, file->first + k * file->segment, (int)file->segment);
  rl_fields_push_nonnegative(&fields, "first", RL_I64, &whole->first, 0, 0);
  push_slice(&fields, file->replay, whole, whole_name);
  rl_folder_segment(folder, whole->first, path);
  return rl_checkpoint_save_listed(path, fields.field, fields.n, file->digest + 2 * k);
}

// Looks after the segments listed: every resume file to come would be worth nothing without them.
static RlStatus mend_segments(RlReplayFile *file, const RlFolder *folder) {
  char path[RL_PATH_SIZE];
  file->mended = 0;
  for (int k = 0; k < file->count; k++) {
    rl_folder_segment(folder, file->first + k * file->segment, path);
    if (rl_checkpoint_is_listed(path, file->digest + 2 * k)) continue;
    if (file->mended == 0) RL_TRY(rl_folder_make_segments(folder));
    RL_TRY(save_segment(file, folder, k));
    file->mended++;
  }
  return RL_OK;
}

RlStatus rl_replay_file_save(RlReplayFile *file, const RlFolder *folder) {
  const RlReplay *replay = file->replay;
  Cut c = cut(file, replay->written);
  RL_ASSERT(c.oldest == replay->oldest);
  drop_before(file, c.first);
  RL_TRY(mend_segments(file, folder));
  int count = (int)((c.last - c.first) / file->segment);
  if (file->count < count) RL_TRY(rl_folder_make_segments(folder));
  for (; file->count < count; file->count++) RL_TRY(save_segment(file, folder, file->count));
  file->written = c.written;
  rl_replay_export(replay, &file->head, c.oldest, (int)(c.first - c.oldest));
  rl_replay_export(replay, &file->tail, c.last, (int)(c.written - c.last));
  return RL_OK;
}

RlStatus rl_replay_file_prune(RlReplayFile *file, const RlFolder *folder) {
  RL_TRY(rl_folder_prune_segments(folder, file->kept));
  file->kept = file->first;
  return RL_OK;
}

// ---------------------------------------------------------------- loading

// Learns how many last observations a slice holds, of which there is only so much room for.
static RlStatus measure_final(RlCheckpoint *checkpoint, const char *path, RlReplaySlice *slice,
                              const char *const name[PARTS]) {
  int rank;
  int64_t dim[RL_FIELD_RANK] = {0};
  RL_TRY(rl_checkpoint_shape(checkpoint, name[4], &rank, dim));
  if (dim[0] > slice->max_final) {
    return rl_error(RL_FAIL, "%s: %s: found %" PRId64 " truncated steps, expected at most %d", path,
                    name[4], dim[0], slice->max_final);
  }
  slice->nfinal = (int)dim[0];
  return RL_OK;
}

// Compares a loaded slice's truncated steps with the list of their last observations.
static RlStatus check_final(RlReplayFile *file, const RlReplaySlice *slice, const char *path,
                            const char *const name[PARTS]) {
  int N = file->replay->N, found = 0;
  for (int i = 0; i < slice->steps * N; i++) {
    if (slice->end[i] != RL_REPLAY_TRUNCATED) continue;
    if (found == slice->nfinal || slice->final_at[found] != i) {
      return rl_error(RL_FAIL, "%s: %s[%d]: found no %d, expected the truncated step of %s", path,
                      name[4], found, i, name[3]);
    }
    // seats are as many as this allows
    int64_t step = slice->first + i / N, *last = &file->last_final[i % N];
    if (*last >= 0 && step - *last < file->replay->max_episode_steps) {
      return rl_error(RL_FAIL,
                      "%s: %s[%d]: found an episode truncated after %" PRId64
                      " steps, expected at least %d",
                      path, name[3], i, step - *last, file->replay->max_episode_steps);
    }
    *last = step;
    found++;
  }
  if (found == slice->nfinal) return RL_OK;
  return rl_error(RL_FAIL, "%s: %s: found %d steps, expected the %d truncated ones of %s", path,
                  name[4], slice->nfinal, found, name[3]);
}

// Checks a loaded slice and appends it to the buffer.
static RlStatus take_slice(RlReplayFile *file, const RlReplaySlice *slice, const char *path,
                           const char *const name[PARTS]) {
  for (int i = 0; i < slice->steps * file->replay->N; i++) {
    int end = slice->end[i];
    if (end && end != RL_REPLAY_TERMINATED && end != RL_REPLAY_TRUNCATED && end != RL_REPLAY_LOST) {
      return rl_error(RL_FAIL, "%s: %s[%d]: found %d, expected 0, %d, %d or %d", path, name[3], i,
                      end, RL_REPLAY_TERMINATED, RL_REPLAY_TRUNCATED, RL_REPLAY_LOST);
    }
  }
  RL_TRY(check_final(file, slice, path, name));
  rl_replay_import(file->replay, slice);
  return RL_OK;
}

static RlStatus expect(const char *path, const char *name, int64_t found, int64_t expected) {
  if (found == expected) return RL_OK;
  return rl_error(RL_FAIL, "%s: %s: found %" PRId64 ", expected %" PRId64, path, name, found,
                  expected);
}

// Reads list, head and tail, whose sizes follow from the number of steps written.
static RlStatus load_list(RlReplayFile *file, RlCheckpoint *checkpoint, const char *path) {
  RlFields fields = {0};
  rl_fields_push_nonnegative(&fields, "replay/written", RL_I64, &file->written, 0, 0);
  RL_TRY(rl_checkpoint_load(checkpoint, fields.field, fields.n));
  if (file->written > MAX_WRITTEN) {
    return rl_error(RL_FAIL, "%s: replay/written: found %" PRId64 ", expected at most %" PRId64,
                    path, file->written, MAX_WRITTEN);
  }
  Cut c = cut(file, file->written);
  file->count = (int)((c.last - c.first) / file->segment);
  file->head.first = c.oldest;
  file->head.steps = (int)(c.first - c.oldest);
  file->tail.first = c.last;
  file->tail.steps = (int)(c.written - c.last);
  RL_TRY(measure_final(checkpoint, path, &file->head, head_name));
  RL_TRY(measure_final(checkpoint, path, &file->tail, tail_name));
  // the same arrays, but numbers that are only to be compared
  RlReplayFile found = *file;
  fields.n = 0;
  rl_replay_file_fields(&found, &fields);
  RL_TRY(rl_checkpoint_load(checkpoint, fields.field, fields.n));
  RL_TRY(expect(path, "replay/segment", found.segment, file->segment));
  file->first = file->kept = c.first;
  return expect(path, "replay/first", found.first, file->first);
}

// Reads an open segment file whose digest has been found to be the one listed.
static RlStatus read_segment(RlReplayFile *file, RlCheckpoint *checkpoint, const char *path,
                             int64_t first) {
  RlFields fields = {0};
  RlReplaySlice *whole = &file->whole;
  whole->steps = (int)file->segment;
  RL_TRY(measure_final(checkpoint, path, whole, whole_name));
  rl_fields_push_nonnegative(&fields, "first", RL_I64, &whole->first, 0, 0);
  push_slice(&fields, file->replay, whole, whole_name);
  RL_TRY(rl_checkpoint_load(checkpoint, fields.field, fields.n));
  RL_TRY(expect(path, "first", whole->first, first));
  return take_slice(file, whole, path, whole_name);
}

static RlStatus load_segment(RlReplayFile *file, const RlFolder *folder, int k, const char *list) {
  char path[RL_PATH_SIZE];
  uint64_t digest[2];
  const uint64_t *expected = file->digest + 2 * k;
  int64_t first = file->first + k * file->segment;
  RlCheckpoint *checkpoint;
  rl_folder_segment(folder, first, path);
  RL_TRY(rl_checkpoint_open(&checkpoint, path));
  rl_checkpoint_digest(checkpoint, digest);
  RlStatus status = RL_OK;
  if (memcmp(digest, expected, sizeof digest) != 0) {
    status = rl_error(RL_FAIL,
                      "%s: found digest %016" PRIx64 "%016" PRIx64 ", expected %016" PRIx64
                      "%016" PRIx64 " as in %s: replay/digest[%d]",
                      path, digest[0], digest[1], expected[0], expected[1], list, k);
  }
  if (status == RL_OK) status = read_segment(file, checkpoint, path, first);
  rl_checkpoint_close(checkpoint);
  return status;
}

// Fills the buffer in the order of the steps.
static RlStatus load_slices(RlReplayFile *file, const RlFolder *folder, const char *path) {
  rl_replay_clear(file->replay, file->head.first);
  for (int n = 0; n < file->replay->N; n++) file->last_final[n] = -1;
  RL_TRY(take_slice(file, &file->head, path, head_name));
  for (int k = 0; k < file->count; k++) RL_TRY(load_segment(file, folder, k, path));
  return take_slice(file, &file->tail, path, tail_name);
}

RlStatus rl_replay_file_load(RlReplayFile *file, const RlFolder *folder, RlCheckpoint *checkpoint,
                             const char *path) {
  RlStatus status = load_list(file, checkpoint, path);
  if (status == RL_OK) status = load_slices(file, folder, path);
  if (status != RL_OK) rl_replay_file_reset(file);
  return status;
}
