// The replay buffer: see replay.h.
//
// Invariant: what is in the ring is the vector steps [oldest, written), and the seats taken by them
// are the numbers [nretired, nfinal). Whatever else lies in the arrays is never read.
#include "rl/data/replay.h"

#include <math.h>
#include <string.h>

#include "rl/base/status.h"

// an environment can reach its time limit this often in any so many steps
static int64_t most_final(int64_t steps, int max_episode_steps) {
  return (steps + max_episode_steps - 1) / max_episode_steps;
}

static int64_t rows_of(int64_t buffer_size, int N) {
  return buffer_size / N > 1 ? buffer_size / N : 1;
}

void rl_replay_init(RlReplay *replay, RlArena *arena, int64_t buffer_size, int N, int O, int A,
                    int max_episode_steps, const float *now) {
  int64_t capacity = rows_of(buffer_size, N);
  RL_ASSERT(capacity <= RL_REPLAY_MAX_SLOTS / N);
  size_t slots = (size_t)capacity * (size_t)N;
  *replay = (RlReplay){.N = N, .O = O, .A = A, .capacity = capacity, .now = now};
  replay->max_episode_steps = max_episode_steps;
  replay->obs = RL_PUSH(arena, float, slots *(size_t)O);
  replay->act = RL_PUSH(arena, float, slots *(size_t)A);
  replay->rew = RL_PUSH(arena, float, slots);
  replay->end = RL_PUSH(arena, uint8_t, slots);
  replay->seat = RL_PUSH(arena, int32_t, slots);
  replay->max_final = (int)(N * most_final(capacity, max_episode_steps));
  replay->final_obs = RL_PUSH(arena, float, (size_t)replay->max_final *(size_t)O);
}

double rl_replay_bytes(int64_t buffer_size, int N, int O, int A, int max_episode_steps) {
  double capacity = (double)rows_of(buffer_size, N);
  double slot = sizeof(float) * (O + A + 1.0) + sizeof(uint8_t) + sizeof(int32_t);
  return N * (capacity * slot + ceil(capacity / max_episode_steps) * (double)sizeof(float) * O);
}

static int64_t slot_of(const RlReplay *replay, int64_t step) {
  return step % replay->capacity * replay->N;
}

// Takes the oldest vector step out of the ring.
static void retire(RlReplay *replay) {
  int64_t slot = slot_of(replay, replay->oldest++);
  for (int n = 0; n < replay->N; n++) {
    replay->nlost -= replay->end[slot + n] == RL_REPLAY_LOST;
    replay->nretired += replay->end[slot + n] == RL_REPLAY_TRUNCATED;
  }
}

static uint8_t keep_one(uint8_t end) {
  if (end & RL_REPLAY_LOST) return RL_REPLAY_LOST;
  return end & RL_REPLAY_TERMINATED ? RL_REPLAY_TERMINATED : end;
}

// Keeps the last observation of the episode that was truncated in a slot.
static void take_seat(RlReplay *replay, int64_t slot, const float *obs) {
  size_t O = (size_t)replay->O;
  RL_ASSERT(replay->nfinal - replay->nretired < replay->max_final);
  replay->seat[slot] = (int32_t)(replay->nfinal++ % replay->max_final);
  memcpy(replay->final_obs + (size_t)replay->seat[slot] * O, obs, O * sizeof(float));
}

// Copies a vector step's arrays into the ring, seats apart, and returns its first slot.
static int64_t append(RlReplay *replay, const float *obs, const float *act, const float *rew,
                      const uint8_t *end) {
  if (replay->written - replay->oldest == replay->capacity) retire(replay);
  int64_t first = slot_of(replay, replay->written++);
  size_t N = (size_t)replay->N, O = (size_t)replay->O, A = (size_t)replay->A, at = (size_t)first;
  memcpy(replay->obs + at * O, obs, N * O * sizeof(float));
  memcpy(replay->act + at * A, act, N * A * sizeof(float));
  memcpy(replay->rew + at, rew, N * sizeof(float));
  for (size_t n = 0; n < N; n++) {
    replay->seat[at + n] = -1;
    replay->end[at + n] = keep_one(end[n]);
    if (replay->end[at + n] != RL_REPLAY_LOST) continue;
    // the action may be what was not finite, and no array may hold such a value when it is saved
    memset(replay->act + (at + n) * A, 0, A * sizeof(float));
    replay->rew[at + n] = 0;
    replay->nlost++;
  }
  return first;
}

void rl_replay_push(RlReplay *replay, const float *obs, const float *act, const float *rew,
                    const uint8_t *end, const float *next_obs) {
  int64_t first = append(replay, obs, act, rew, end);
  for (int n = 0; n < replay->N; n++) {
    if (replay->end[first + n] != RL_REPLAY_TRUNCATED) continue;
    take_seat(replay, first + n, next_obs + (size_t)n * (size_t)replay->O);
  }
}

int64_t rl_replay_count(const RlReplay *replay) {
  return (replay->written - replay->oldest) * replay->N - replay->nlost;
}

int64_t rl_replay_since_truncated(const RlReplay *replay, int n) {
  int64_t held = replay->written - replay->oldest;
  for (int64_t k = 0; k < held && k < replay->max_episode_steps; k++) {
    int64_t slot = slot_of(replay, replay->written - 1 - k) + n;
    if (replay->end[slot] == RL_REPLAY_TRUNCATED) return k;
  }
  return INT64_MAX;
}

void rl_replay_draw(const RlReplay *replay, int64_t *slot, int n, RlRng *rng) {
  int64_t first = slot_of(replay, replay->oldest), slots = replay->capacity * replay->N;
  uint32_t held = (uint32_t)((replay->written - replay->oldest) * replay->N);
  RL_ASSERT(rl_replay_count(replay) > 0);
  for (int i = 0; i < n; i++) {
    do {
      slot[i] = first + (int64_t)rl_rng_bounded(rng, held);
      if (slot[i] >= slots) slot[i] -= slots;
    } while (replay->end[slot[i]] == RL_REPLAY_LOST);
  }
}

void rl_replay_read(const RlReplay *replay, RlTransition *out, int64_t slot,
                    const RlReplayWindow *window) {
  size_t O = (size_t)replay->O;
  int64_t slots = replay->capacity * replay->N;
  int64_t newest = slot_of(replay, replay->written - 1), at = slot, next;
  double discount = 1;
  RL_ASSERT(slot >= 0 && slot < slots && replay->end[slot] != RL_REPLAY_LOST);
  out->obs = replay->obs + (size_t)slot * O;
  out->act = replay->act + (size_t)slot * (size_t)replay->A;
  out->ret = 0;
  for (out->steps = 1;; out->steps++, at = next) {
    bool last = at >= newest && at < newest + replay->N;
    next = at + replay->N < slots ? at + replay->N : at + replay->N - slots;
    out->ret += discount * (double)replay->rew[at];
    discount *= window->gamma;
    // detail: write-head: what follows the newest step is the environments' own, not the oldest
    out->next_obs = last ? replay->now + (size_t)(at - newest) * O : replay->obs + (size_t)next * O;
    // detail: n-step-window
    if (last || replay->end[at] || out->steps == window->n_step) break;
    // an observation before the physics diverged is sound, the step taken from it is not
    if (replay->end[next] == RL_REPLAY_LOST) break;
  }
  // detail: discount-steps-taken
  for (int k = out->steps; !window->discount_steps_taken && k < window->n_step; k++) {
    discount *= window->gamma;
  }
  bool truncated = replay->end[at] == RL_REPLAY_TRUNCATED;
  // detail: replay-bootstrap-truncated
  bool ended = replay->end[at] && !(truncated && window->bootstrap_truncated);
  out->discount = ended ? 0 : discount;
  // detail: replay-final-observation
  if (truncated && window->final_observation) {
    out->next_obs = replay->final_obs + (size_t)replay->seat[at] * O;
  }
}

// ---------------------------------------------------------------- slices

void rl_replay_slice_init(RlReplaySlice *slice, RlArena *arena, const RlReplay *replay, int steps) {
  size_t slots = (size_t)steps * (size_t)replay->N, O = (size_t)replay->O;
  *slice = (RlReplaySlice){.max_steps = steps};
  slice->max_final = (int)(replay->N * most_final(steps, replay->max_episode_steps));
  slice->obs = RL_PUSH(arena, float, slots *O);
  slice->act = RL_PUSH(arena, float, slots *(size_t)replay->A);
  slice->rew = RL_PUSH(arena, float, slots);
  slice->end = RL_PUSH(arena, uint8_t, slots);
  slice->final_at = RL_PUSH(arena, int32_t, slice->max_final);
  slice->final_obs = RL_PUSH(arena, float, (size_t)slice->max_final *O);
}

double rl_replay_slice_bytes(int steps, int N, int O, int A, int max_episode_steps) {
  double slot = sizeof(float) * (O + A + 1.0) + sizeof(uint8_t);
  double final = sizeof(float) * (double)O + sizeof(int32_t);
  return (double)N * (steps * slot + (double)most_final(steps, max_episode_steps) * final);
}

// Copies the last observations of the slice's truncated steps.
static void export_final(const RlReplay *replay, RlReplaySlice *slice) {
  size_t O = (size_t)replay->O;
  slice->nfinal = 0;
  for (int i = 0; i < slice->steps * replay->N; i++) {
    if (slice->end[i] != RL_REPLAY_TRUNCATED) continue;
    RL_ASSERT(slice->nfinal < slice->max_final);
    int64_t slot = slot_of(replay, slice->first + i / replay->N) + i % replay->N;
    const float *obs = replay->final_obs + (size_t)replay->seat[slot] * O;
    memcpy(slice->final_obs + (size_t)slice->nfinal * O, obs, O * sizeof(float));
    slice->final_at[slice->nfinal++] = i;
  }
}

void rl_replay_export(const RlReplay *replay, RlReplaySlice *slice, int64_t first, int steps) {
  size_t N = (size_t)replay->N, O = (size_t)replay->O, A = (size_t)replay->A;
  RL_ASSERT(steps >= 0 && steps <= slice->max_steps);
  RL_ASSERT(first >= replay->oldest && first <= replay->written - steps);
  slice->first = first;
  slice->steps = steps;
  for (int t = 0; t < steps; t++) {
    size_t to = (size_t)t * N, from = (size_t)slot_of(replay, first + t);
    memcpy(slice->obs + to * O, replay->obs + from * O, N * O * sizeof(float));
    memcpy(slice->act + to * A, replay->act + from * A, N * A * sizeof(float));
    memcpy(slice->rew + to, replay->rew + from, N * sizeof(float));
    memcpy(slice->end + to, replay->end + from, N);
  }
  export_final(replay, slice);
}

void rl_replay_clear(RlReplay *replay, int64_t first) {
  replay->written = replay->oldest = first;
  replay->nlost = replay->nfinal = replay->nretired = 0;
}

void rl_replay_import(RlReplay *replay, const RlReplaySlice *slice) {
  size_t N = (size_t)replay->N, O = (size_t)replay->O, A = (size_t)replay->A;
  int k = 0;
  RL_ASSERT(slice->first == replay->written);
  for (int t = 0; t < slice->steps; t++) {
    size_t at = (size_t)t * N;
    int64_t first =
        append(replay, slice->obs + at * O, slice->act + at * A, slice->rew + at, slice->end + at);
    for (int n = 0; n < replay->N; n++) {
      if (replay->end[first + n] != RL_REPLAY_TRUNCATED) continue;
      RL_ASSERT(k < slice->nfinal);
      take_seat(replay, first + n, slice->final_obs + (size_t)k++ * O);
    }
  }
}
