// The replay buffer: a ring of the last transitions of N environments, each observation stored
// once. Storage only: filled by the explorer, read by SAC's update; no mathematics beyond the sum
// of discounted rewards.
//
// Vector step t lies in ring row t % capacity, environment n beside its neighbours: slot = row * N
// + n. What a step led to is the observation N slots further on; for the newest step that is the
// environments' current observation, which the caller keeps (`now`), never the oldest row. Only an
// episode that reached its time limit needs its last observation kept apart: a ring of seats, as
// many as can lie in the buffer at once, so a seat is taken again only when its row has retired.
//
// Steps of diverged physics are marked lost: they are in the ring, since the step before them ends
// in their observation, but are never drawn, and a window that reaches one ends before it as if
// truncated.
#ifndef RL_DATA_REPLAY_H_
#define RL_DATA_REPLAY_H_

#include <stdbool.h>
#include <stdint.h>

#include "rl/base/arena.h"
#include "rl/base/rng.h"

// A step has one of these at most: the ring drops TRUNCATED beside TERMINATED, and both beside
// LOST.
enum { RL_REPLAY_TERMINATED = 1, RL_REPLAY_TRUNCATED = 2, RL_REPLAY_LOST = 4 };

// Most slots of a ring: one draw is 32 bits wide.
#define RL_REPLAY_MAX_SLOTS INT32_MAX

typedef struct {
  int N, O, A;
  int max_episode_steps;
  int64_t capacity;  // vector steps the ring holds
  int64_t written;   // vector steps pushed since the start
  int64_t oldest;    // vector step still in the ring; written if it is empty
  int64_t nlost;     // slots in the ring that are no transitions
  float *obs;        // raw, what each step started from                  (capacity, N, O)
  float *act;        // what the environment got; 0 where lost            (capacity, N, A)
  float *rew;        // unscaled; 0 where lost                            (capacity, N)
  uint8_t *end;      // RL_REPLAY_..., 0: the episode went on             (capacity, N)
  int32_t *seat;     // of the last observation in final_obs, else -1     (capacity, N)
  int64_t nfinal;    // seats taken since the start; number k is k % max_final
  int64_t nretired;  // of them, those whose step has left the ring
  int max_final;
  float *final_obs;  // last observations of truncated episodes           (max_final, O)
  const float *now;  // the caller's: the environments' observations now  (N, O)
} RlReplay;

// How a drawn slot becomes a transition.
typedef struct {
  int n_step;  // most rewards summed
  double gamma;
  bool bootstrap_truncated;  // off: truncation counts as termination
  bool final_observation;    // off: a truncated window ends in the next episode's first observation
  bool discount_steps_taken;  // off: a cut-off window is discounted as a whole one
} RlReplayWindow;

// One drawn transition. Pointers are into the buffer.
typedef struct {
  const float *obs;       // (O)
  const float *act;       // (A)
  const float *next_obs;  // what the window led to (O)
  double ret;             // sum of gamma^k r_k over the window's steps
  double discount;        // of the bootstrap, gamma^(steps taken); 0 after termination
  int steps;              // the window took
} RlTransition;

// Room for buffer_size transitions, rounded down to whole vector steps (at least one) and at most
// RL_REPLAY_MAX_SLOTS. now (N, O) must outlive the buffer.
void rl_replay_init(RlReplay *replay, RlArena *arena, int64_t buffer_size, int N, int O, int A,
                    int max_episode_steps, const float *now);

// Bytes that rl_replay_init would take.
double rl_replay_bytes(int64_t buffer_size, int N, int O, int A, int max_episode_steps);

// Appends one vector step: obs (N, O), what it started from; act (N, A), rew (N), end (N); next_obs
// (N, O), what it led to, read where truncated and neither terminated nor lost. The oldest step
// retires when the ring is full. Call it when `now` already holds what follows. An environment may
// not be truncated more often than every max_episode_steps.
void rl_replay_push(RlReplay *replay, const float *obs, const float *act, const float *rew,
                    const uint8_t *end, const float *next_obs);

// Transitions that can be drawn.
int64_t rl_replay_count(const RlReplay *replay);

// Vector steps since environment n's last truncated one; INT64_MAX if the ring holds none that an
// episode of the time limit could reach back to.
int64_t rl_replay_since_truncated(const RlReplay *replay, int n);

// Draws n slots uniformly, with replacement; rl_replay_count must not be 0.
void rl_replay_draw(const RlReplay *replay, int64_t *slot, int n, RlRng *rng);

// The transition that starts at a slot which is in the ring and not lost: rewards are summed until
// n_step, termination, truncation, a lost step or the newest one.
void rl_replay_read(const RlReplay *replay, RlTransition *out, int64_t slot,
                    const RlReplayWindow *window);

// ---- for saving: vector steps [first, first + steps) as dense arrays

typedef struct {
  int max_steps, max_final;  // what there is room for
  int64_t first;
  int steps;
  float *obs;         // (steps, N, O)
  float *act;         // (steps, N, A)
  float *rew;         // (steps, N)
  uint8_t *end;       // (steps, N)
  int nfinal;         // slots among them with a seat, in order
  int32_t *final_at;  // step * N + n, counted from first     (nfinal)
  float *final_obs;   // (nfinal, O)
} RlReplaySlice;

// Room for slices of at most steps vector steps, and the bytes that takes.
void rl_replay_slice_init(RlReplaySlice *slice, RlArena *arena, const RlReplay *replay, int steps);
double rl_replay_slice_bytes(int steps, int N, int O, int A, int max_episode_steps);

// Copies steps [first, first + steps), all in the ring, into the slice; steps may be 0.
void rl_replay_export(const RlReplay *replay, RlReplaySlice *slice, int64_t first, int steps);

// Empties the ring, to be filled by imports from vector step first on.
void rl_replay_clear(RlReplay *replay, int64_t first);

// Appends a slice that starts at replay->written.
void rl_replay_import(RlReplay *replay, const RlReplaySlice *slice);

#endif
