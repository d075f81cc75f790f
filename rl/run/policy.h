// A policy: what training changes, a checkpoint holds, and evaluation, viewer and export act with.
// Place: between the algorithm and the checkpoint file.
#ifndef RL_RUN_POLICY_H_
#define RL_RUN_POLICY_H_

#include "envs/vecenv.h"
#include "rl/algo/actor.h"
#include "rl/base/file.h"
#include "rl/data/normalizer.h"
#include "rl/data/return_scale.h"
#include "rl/run/fields.h"

enum { RL_CONFIG_TEXT = 16384, RL_PROBE_ROWS = 4, RL_MAX_OBS = 16384 };

typedef struct {
  int O, A;
  RlActor actor;
  int ncritic;  // PPO: one critic of the observation; SAC: two of (observation, action)
  RlMlp critic[2];
  RlNormalizer norm;
  RlReturnScale scale;                                                  // PPO's
  int32_t actor_dim[RL_MAX_LAYERS + 1], critic_dim[RL_MAX_LAYERS + 1];  // widths, for the file
  RlReal *norm_obs;  // for rl_policy_act                (rows, O)
  float *probe_obs;  // a few observations ...           (RL_PROBE_ROWS, O)
  float *probe_act;  // ... with the actions they give   (RL_PROBE_ROWS, A)
} RlPolicy;

// Lays a policy out for O observations, A actions and N environments, to act on at most rows
// observations at once; parameters are zero.
void rl_policy_init(RlPolicy *policy, RlArena *arena, const RlConfig *config, int O, int A, int N,
                    int rows);

// Draws the networks from the configuration's seed.
void rl_policy_draw(RlPolicy *policy, const RlConfig *config);

// Actions as rl_actor_act gives them, deterministic without streams rng (rows): act (rows, A) from
// raw observations obs (rows, O).  nullable: rng
void rl_policy_act(RlPolicy *policy, float *act, const float *obs, int rows, RlRng *rng);

// Takes the probe from raw observations obs (RL_PROBE_ROWS, O).
void rl_policy_probe(RlPolicy *policy, const float *obs);

// Recomputes what is derived from the arrays: after loading or copying them.
void rl_policy_refresh(RlPolicy *policy);

// Lists the policy's arrays.
void rl_policy_fields(RlFields *fields, RlPolicy *policy);

// Refuses a checkpoint whose layers have other widths than the policy was laid out for.
RL_MUST_USE RlStatus rl_policy_check_dims(const RlPolicy *policy, RlCheckpoint *checkpoint,
                                          const char *path);

// A policy read from a checkpoint.
typedef struct {
  RlArena arena;
  RlConfig config;
  const RlTask *task;
  int64_t step;  // environment steps it was trained for
  RlPolicy policy;
} RlServed;

// The checkpoint that path, of a file or a run folder, stands for.
RL_MUST_USE RlStatus rl_served_file(const char *path, char file[RL_PATH_SIZE]);

// Loads a policy checkpoint; a run folder stands for its latest.h5. The probe is recomputed and
// compared at 1e-5. rows: the most observations it will act on at once. Free
// with rl_served_free whatever the status; *served is overwritten.
RL_MUST_USE RlStatus rl_served_load(RlServed *served, const char *path, int rows);

// The same from an open checkpoint; path stands for it in error lines.
RL_MUST_USE RlStatus rl_served_read(RlServed *served, RlCheckpoint *checkpoint, const char *path,
                                    int rows);

// Refuses a policy whose observations or actions are not as many as the task's environment has:
// the file says both, and only the task's model knows better.
RL_MUST_USE RlStatus rl_served_match(const RlServed *served, const RlVecEnv *env, const char *path);

void rl_served_free(RlServed *served);

#endif
