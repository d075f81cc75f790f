// Evaluation: raw returns of whole episodes on environments of its own, the normaliser frozen.
// Place: behind rleval and the periodic evaluation of a run, of which it changes no bit.
//
// Episode i draws its reset (and, if stochastic, its action noise) from streams of (seed, step, i),
// and every episode that is started is counted: the first E to finish would favour short ones.
#ifndef RL_RUN_EVAL_H_
#define RL_RUN_EVAL_H_

#include "envs/vecenv.h"
#include "rl/run/policy.h"

typedef struct {
  int episodes;
  double mean, std, iqm, min, max, length_mean;  // std: population; iqm: interquartile mean
  int64_t diverged;
} RlEvalSummary;

typedef struct {
  RlVecEnv env;
  int episodes;
  int started;     // episodes started in the run under way
  int *episode;    // which episode environment n plays, -1: none left   (N)
  RlRng *act_rng;  // its action noise                                   (N)
  float *act;      //                                                    (N, A)
  double *ret;     // returns, by episode                                (episodes)
  double *sorted;  // the same, ascending                                (episodes)
  int *length;     // steps, by episode                                  (episodes)
} RlEval;

// Environments that evaluate side by side; a policy must act on this many rows at once.
enum { RL_EVAL_ENVS = 16 };

RL_MUST_USE RlStatus rl_eval_init(RlEval *eval, RlArena *arena, const RlConfig *config,
                                  int episodes, int threads);

// The same for a policy that was read from a file, path, which must fit its task.
RL_MUST_USE RlStatus rl_eval_init_served(RlEval *eval, RlServed *served, const char *path,
                                         int episodes, int threads);

// Runs all episodes. tick, if there is one, is called after every vector step.  nullable: tick
void rl_eval_run(RlEval *eval, RlPolicy *policy, uint64_t seed, int64_t step, bool stochastic,
                 RlEvalSummary *summary, void (*tick)(void *arg), void *arg);

void rl_eval_free(RlEval *eval);

#endif
