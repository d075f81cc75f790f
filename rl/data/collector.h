// The collector: acts in the vector environment and fills the rollout. Place: the loop in which
// observations are normalised, the actor samples, and the environments step.
#ifndef RL_DATA_COLLECTOR_H_
#define RL_DATA_COLLECTOR_H_

#include "envs/vecenv.h"
#include "rl/algo/actor.h"
#include "rl/data/normalizer.h"
#include "rl/data/return_scale.h"
#include "rl/data/rollout.h"

enum { RL_EPISODE_WINDOW = 100 };

// The last episodes' raw returns and lengths.
typedef struct {
  int64_t count;                  // episodes ended since the start
  double ret[RL_EPISODE_WINDOW];  // a ring: episode e is at e % RL_EPISODE_WINDOW
  double length[RL_EPISODE_WINDOW];
} RlEpisodes;

// Means over the window; NaN before the first episode ended.
double rl_episodes_mean(const RlEpisodes *episodes, const double *ring);

typedef struct {
  RlVecEnv *env;
  RlNormalizer *norm;
  RlReturnScale *scale;
  RlEpisodes *episodes;
  RlRng *act_rng;            // action noise, one stream an environment (N)
  bool bootstrap_truncated;  // off: truncation counts as termination
  bool store_clipped_action;
  bool drop_diverged;    // off: diverged physics counts as termination
  RlReal *norm_obs;      // of the step under way                   (N, O)
  float *obs;            // raw, what the step started from         (N, O)
  float *act;            // what the environment gets               (N, A)
  uint8_t *ended;        // terminated or truncated                 (N)
  double infer_seconds;  // spent outside the physics in the last run
} RlCollector;

void rl_collector_init(RlCollector *collector, RlArena *arena, RlVecEnv *env, RlNormalizer *norm,
                       RlReturnScale *scale, RlEpisodes *episodes, const RlPpoOptions *options,
                       uint64_t seed);

// Fills the rollout with rollout->T vector steps of the actor's policy. tick, if there is one, is
// called after every vector step.  nullable: tick
void rl_collector_run(RlCollector *collector, RlActor *actor, RlRollout *rollout,
                      void (*tick)(void *arg, int t), void *arg);

// Steps the environments steps times with uniform random actions and gathers only the normaliser's
// moments; the environments are to be reset afterwards.
void rl_collector_warmup(RlCollector *collector, int steps, uint64_t seed);

#endif
