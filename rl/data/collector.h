// The collector: acts in the vector environment and fills the rollout. Place: the loop in which
// observations are normalised, the actor samples, and the environments step.
//
// A rollout is collected in segments of many steps. Within one, every environment goes on by
// itself, its actions computed on the thread that steps it; what needs an order (moments, running
// reward scale, episode window, last observations) is done behind each segment, step by step and
// environment by environment. So the bits are those of stepping all environments in turn.
#ifndef RL_DATA_COLLECTOR_H_
#define RL_DATA_COLLECTOR_H_

#include "envs/vecenv.h"
#include "rl/algo/actor.h"
#include "rl/data/episodes.h"
#include "rl/data/normalizer.h"
#include "rl/data/return_scale.h"
#include "rl/data/rollout.h"

// What the environments left behind in a segment, K steps long.
typedef struct {
  int capacity;            // most steps
  int first;               // the rollout's step it began at
  float *obs;              // raw, what each step started from             (K, N, O)
  uint8_t *terminated;     //                                              (K, N)
  uint8_t *truncated;      //                                              (K, N)
  uint8_t *diverged;       //                                              (K, N)
  double *episode_return;  // of the episode so far                        (K, N)
  int *episode_length;     //                                              (K, N)
  float *final_obs;        // where the time limit was reached, at most once a segment (N, O)
  double *infer_seconds;   // spent on actions                             (N)
} RlSegment;

typedef struct {
  RlVecEnv *env;
  RlNormalizer *norm;
  RlReturnScale *scale;
  RlEpisodes *episodes;
  RlRng *act_rng;            // action noise, one stream an environment (N)
  bool bootstrap_truncated;  // off: truncation counts as termination
  bool store_clipped_action;
  bool drop_diverged;  // off: diverged physics counts as termination
  RlActor *actor;      // of the run under way, as are the next two
  RlRollout *rollout;
  RlGaussian g;
  RlSegment segment;
  float *act;            // what the environments get               (N, A)
  uint8_t *ended;        // terminated or truncated                 (N)
  double infer_seconds;  // of all threads, spent on actions in the last run
} RlCollector;

void rl_collector_init(RlCollector *collector, RlArena *arena, RlVecEnv *env, RlNormalizer *norm,
                       RlReturnScale *scale, RlEpisodes *episodes, const RlPpoOptions *options,
                       uint64_t seed);

// Fills the rollout with rollout->T vector steps of the actor's policy, whose scratch holds at
// least N rows. tick, if there is one, is called behind every segment with its last step. nullable:
// tick
void rl_collector_run(RlCollector *collector, RlActor *actor, RlRollout *rollout,
                      void (*tick)(void *arg, int t), void *arg);

// Steps the environments steps times with uniform random actions and gathers only the normaliser's
// moments; the environments are to be reset afterwards.
void rl_collector_warmup(RlCollector *collector, int steps, uint64_t seed);

#endif
