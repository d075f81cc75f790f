// The explorer: acts in the vector environment one step at a time and fills the replay ring. Place:
// SAC's side of what the collector is for PPO.
//
// The normaliser's moments take in every step at once: SAC normalises when it reads, with the
// moments of now.
#ifndef RL_DATA_EXPLORER_H_
#define RL_DATA_EXPLORER_H_

#include "envs/vecenv.h"
#include "rl/algo/actor.h"
#include "rl/data/episodes.h"
#include "rl/data/normalizer.h"
#include "rl/data/replay.h"

typedef struct {
  RlVecEnv *env;
  RlNormalizer *norm;
  RlEpisodes *episodes;
  RlActor *actor;
  RlReplay *replay;
  RlRng *act_rng;        // action noise and random actions, one stream an environment (N)
  bool drop_diverged;    // off: diverged physics counts as termination
  bool random;           // of the step under way: uniform actions
  float *obs;            // what the step under way started from                       (N, O)
  float *act;            // what the environments get                                  (N, A)
  RlReal *norm_obs;      //                                                            (N, O)
  uint8_t *end;          // RL_REPLAY_... bits                                         (N)
  uint8_t *lost;         // diverged physics, dropped   (N)
  double *infer_each;    // seconds spent on actions                                   (N)
  double infer_seconds;  // of all threads, in the last step
} RlExplorer;

// The actor's scratch holds at least N rows.
void rl_explorer_init(RlExplorer *explorer, RlArena *arena, RlVecEnv *env, RlNormalizer *norm,
                      RlEpisodes *episodes, RlActor *actor, RlReplay *replay,
                      const RlSacOptions *options, uint64_t seed);

// One vector step with the policy's sampled actions, or with uniform random ones.
void rl_explorer_step(RlExplorer *explorer, bool random);

#endif
