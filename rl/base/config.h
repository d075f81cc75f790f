// Configuration: one table makes the struct, the defaults, the bounds, the parser, the dump, --keys
// and docs/configuration.md.
//
// A row is X(KIND, name, default, bounds, help). Defaults are text and pass through the same parser
// as a file's values. Bounds are text too: an interval "[1, 1e7]", "(0, 1]" (a round bracket
// excludes the end), or the choices "off|batch|running", whose index is the value.
//
// SAC has other defaults in a few shared keys: RL_SAC_DEFAULTS lists them, and they hold wherever
// nothing is given, as soon as run.algorithm says sac.
//
// Two defaults are words: "task" (nothing given: the task's own value) and "hidden" (whatever
// policy.hidden is, filled in as soon as that is set). Both may be written out, and then take back
// what was given before.
#ifndef RL_BASE_CONFIG_H_
#define RL_BASE_CONFIG_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "rl/base/status.h"

enum { RL_MAX_HIDDEN = 8, RL_TEXT = 256 };

typedef struct {
  int n;                   // hidden layers, 0 for a linear network (written "none")
  int dim[RL_MAX_HIDDEN];  // their widths
} RlDims;

typedef struct {
  bool is_auto;
  double value;  // meaningful unless is_auto
} RlAuto;

typedef struct {
  double lo, hi;
} RlRange;

typedef struct {
  char text[RL_TEXT];
} RlText;

// KIND -> C type of the field
#define RL_TYPE_INT   int      // a whole number; 1e6 is accepted when exact
#define RL_TYPE_I64   int64_t  // the same, wider
#define RL_TYPE_REAL  double   // finite unless the bounds include inf
#define RL_TYPE_BOOL  bool     // true|false
#define RL_TYPE_ENUM  int      // index into the choices
#define RL_TYPE_TEXT  RlText   // 1 to 127 bytes, no control characters, no ";"
#define RL_TYPE_DIMS  RlDims   // "64,64" or "none"
#define RL_TYPE_AUTO  RlAuto   // "auto" or a number
#define RL_TYPE_RANGE RlRange  // "lo, hi", lo <= hi; inf allowed

enum { RL_ALGO_PPO, RL_ALGO_SAC };
enum { RL_ACTIVATION_TANH, RL_ACTIVATION_RELU };
enum { RL_INIT_ORTHOGONAL, RL_INIT_UNIFORM };
enum { RL_REWARD_OFF, RL_REWARD_BATCH, RL_REWARD_RUNNING };
enum { RL_SCHEDULE_CONSTANT, RL_SCHEDULE_LINEAR };
enum { RL_ADVANTAGE_OFF, RL_ADVANTAGE_MINIBATCH, RL_ADVANTAGE_BATCH };
enum { RL_RATIO_JOINT, RL_RATIO_PER_DIMENSION };
enum { RL_GRAD_NORM_PER_NETWORK, RL_GRAD_NORM_JOINT };
enum { RL_BOUND_CLAMP, RL_BOUND_TANH };
enum { RL_REDUCE_SUM, RL_REDUCE_MEAN, RL_REDUCE_OFF };

#define RL_RUN_OPTIONS(X)                                                                          \
  X(ENUM, algorithm, "ppo", "ppo|sac", "the algorithm")                                            \
  X(I64, total_steps, "1000000", "[1, 1e12]", "environment steps over all environments")           \
  X(I64, seed, "1", "[0, 9007199254740992]", "seed of every random stream")                        \
  X(INT, threads, "0", "[0, 1024]", "threads; 0: what affinity and cgroup allow")                  \
  X(I64, checkpoint_every, "100000", "[0, 1e12]", "steps between checkpoints; 0: only at the end") \
  X(I64, eval_every, "0", "[0, 1e12]", "steps between evaluations; 0: never")                      \
  X(INT, eval_episodes, "10", "[1, 100000]", "episodes of an evaluation")                          \
  X(I64, log_every, "500", "[1, 1e12]",                                                            \
    "steps between rows of metrics.csv (SAC; PPO: one an iteration)")                              \
  X(BOOL, tensorboard, "true", "", "event files for TensorBoard, if built with protobuf-c")

// Keys whose default is "task" take the task's own value; a task refuses those it does not know.
#define RL_ENV_OPTIONS(X)                                                                          \
  X(TEXT, id, "HalfCheetah-v5", "", "task, see rlenv list")                                        \
  X(INT, n_envs, "40", "[1, 65536]", "environments stepped side by side")                          \
  X(INT, max_episode_steps, "task", "[1, 1e9]", "time limit, where episodes are truncated")        \
  X(INT, frame_skip, "task", "[1, 1000]", "physics steps per environment step")                    \
  X(BOOL, clip_action, "true", "", "clip actions to [-1, 1] before scaling them to the actuators") \
  X(REAL, reset_noise_scale, "task", "[0, 1000]", "size of the noise on a reset state")            \
  X(REAL, forward_reward_weight, "task", "[-1e6, 1e6]", "weight of the forward velocity")          \
  X(REAL, ctrl_cost_weight, "task", "[-1e6, 1e6]", "weight of the squared controls")               \
  X(REAL, contact_cost_weight, "task", "[-1e6, 1e6]", "weight of the squared contact forces")      \
  X(RANGE, contact_cost_range, "task", "[-inf, inf]", "the contact cost is clipped to this")       \
  X(RANGE, contact_force_range, "task", "[-inf, inf]", "contact forces are clipped to this")       \
  X(REAL, healthy_reward, "task", "[-1e6, 1e6]", "reward for each healthy step")                   \
  X(BOOL, terminate_when_unhealthy, "task", "", "end the episode when unhealthy")                  \
  X(RANGE, healthy_z_range, "task", "[-inf, inf]", "healthy torso heights")                        \
  X(RANGE, healthy_angle_range, "task", "[-inf, inf]", "healthy torso angles")                     \
  X(RANGE, healthy_state_range, "task", "[-inf, inf]", "healthy values of all other state")        \
  X(REAL, uph_cost_weight, "task", "[-1e6, 1e6]", "weight of the height reached")                  \
  X(REAL, impact_cost_weight, "task", "[-1e6, 1e6]", "weight of the squared contact forces")       \
  X(RANGE, impact_cost_range, "task", "[-inf, inf]", "the impact cost is clipped to this")         \
  X(REAL, reward_near_weight, "task", "[-1e6, 1e6]", "weight of the fingertip's distance")         \
  X(REAL, reward_dist_weight, "task", "[-1e6, 1e6]", "weight of the goal's distance")              \
  X(REAL, reward_control_weight, "task", "[-1e6, 1e6]", "weight of the squared actions")           \
  X(BOOL, exclude_current_positions_from_observation, "task", "",                                  \
    "leave the position in the plane out")                                                         \
  X(BOOL, include_cinert_in_observation, "task", "", "observe body inertias")                      \
  X(BOOL, include_cvel_in_observation, "task", "", "observe body velocities")                      \
  X(BOOL, include_qfrc_actuator_in_observation, "task", "", "observe actuator forces")             \
  X(BOOL, include_cfrc_ext_in_observation, "task", "", "observe contact forces")

#define RL_POLICY_OPTIONS(X)                                                         \
  X(DIMS, hidden, "64,64", "[1, 4096]", "hidden layers of actor and critic")         \
  X(DIMS, hidden_actor, "hidden", "[1, 4096]", "hidden layers of the actor")         \
  X(DIMS, hidden_critic, "hidden", "[1, 4096]", "hidden layers of the critic")       \
  X(ENUM, activation, "tanh", "tanh|relu", "activation of the hidden layers")        \
  X(ENUM, init, "orthogonal", "orthogonal|uniform", "initialisation of the weights") \
  X(REAL, actor_gain, "0.01", "(0, 10]", "gain of the actor's last layer")           \
  X(REAL, log_std_init, "-0.5", "[-20, 2]", "initial log standard deviation (PPO)")  \
  X(REAL, log_std_min, "-20", "[-100, 100]", "lower clamp of log sigma")             \
  X(REAL, log_std_max, "2", "[-100, 100]", "upper clamp of log sigma")

#define RL_NORMALIZE_OPTIONS(X)                                                              \
  X(BOOL, obs, "true", "", "normalise observations by their running moments")                \
  X(ENUM, reward, "batch", "off|batch|running",                                              \
    "scale rewards by the deviation of returns, by batches or running")                      \
  X(REAL, clip_obs, "10", "(0, inf]", "clip observations after normalisation")               \
  X(REAL, clip_reward, "10", "(0, inf]", "clip rewards after scaling (PPO)")                 \
  X(INT, warmup_steps, "1000", "[0, 1e7]", "random steps that give the first moments (PPO)") \
  X(BOOL, freeze, "true", "",                                                                \
    "hold the moments from a rollout's first step to its update's end (PPO)")

#define RL_PPO_OPTIONS(X)                                                                       \
  X(INT, n_steps, "48", "[1, 1e7]", "steps per environment per iteration")                      \
  X(INT, batch_size, "64", "[1, 1e8]", "rows of a minibatch")                                   \
  X(INT, n_epochs, "10", "[1, 1000]", "passes over the rollout per iteration")                  \
  X(REAL, learning_rate, "3e-4", "(0, 1]", "step size of Adam")                                 \
  X(ENUM, learning_rate_schedule, "linear", "constant|linear",                                  \
    "linear: falls to learning_rate_end times itself")                                          \
  X(REAL, learning_rate_end, "0", "[0, 1]", "share of it that a linear schedule ends at")       \
  X(REAL, gamma, "0.99", "[0, 1]", "discount")                                                  \
  X(REAL, gae_lambda, "0.95", "[0, 1]", "lambda of generalised advantage estimation")           \
  X(REAL, clip_range, "0.2", "(0, 10]", "clip of the probability ratio")                        \
  X(ENUM, clip_range_schedule, "constant", "constant|linear", "linear: falls to 0 at the end")  \
  X(REAL, clip_range_vf, "0", "[0, 1e6]",                                                       \
    "clip of the change in value since it was last evaluated; 0: off")                          \
  X(REAL, vf_coef, "0.25", "[0, 1e6]", "weight of the value loss")                              \
  X(REAL, ent_coef, "0", "[-100, 100]", "weight of the entropy bonus")                          \
  X(REAL, kl_coef, "0", "[0, 1e6]", "weight of a penalty on KL(old, new)")                      \
  X(REAL, max_grad_norm, "0.5", "(0, inf]", "clip of the gradient's norm; inf: off")            \
  X(ENUM, grad_norm, "per_network", "per_network|joint", "networks clipped apart or together")  \
  X(REAL, target_kl, "0", "[0, 100]",                                                           \
    "an update ends where approx_kl passes 1.5 times this; 0: off")                             \
  X(ENUM, normalize_advantage, "minibatch", "off|minibatch|batch", "standardise advantages")    \
  X(BOOL, recompute_advantage, "false", "", "values and advantages anew before every epoch")    \
  X(BOOL, bootstrap_truncated, "true", "", "bootstrap from the last observation at truncation") \
  X(BOOL, final_observation, "true", "",                                                        \
    "bootstrap from an episode's last observation, not from the next one's first")              \
  X(BOOL, drop_diverged, "true", "", "leave steps of diverged physics out")                     \
  X(BOOL, shuffle, "true", "", "a new order of rows every epoch")                               \
  X(BOOL, weight_ragged, "true", "", "a smaller last minibatch counts by its rows")             \
  X(BOOL, store_clipped_action, "false", "",                                                    \
    "store the action after clipping (wrong: shows what the detail does)")                      \
  X(ENUM, ratio, "joint", "joint|per_dimension",                                                \
    "ratio of summed log-probabilities, or the mean over dimensions")                           \
  X(REAL, adam_epsilon, "1e-5", "(0, 1]", "epsilon of Adam, outside the root")

#define RL_SAC_OPTIONS(X)                                                                       \
  X(REAL, learning_rate, "1e-3", "(0, 1]", "step size of Adam, of all networks and alpha")      \
  X(I64, buffer_size, "1e6", "[1, 1e12]",                                                       \
    "transitions the replay buffer holds, cut to a multiple of env.n_envs")                     \
  X(I64, learning_starts, "10000", "[0, 1e12]",                                                 \
    "steps of uniform random actions before the first update")                                  \
  X(INT, batch_size, "256", "[1, 65536]", "transitions of an update")                           \
  X(REAL, tau, "0.005", "(0, 1]", "share of the critics that the target critics take on")       \
  X(INT, target_update_interval, "1", "[1, 1e6]", "updates between the target critics' steps")  \
  X(REAL, gamma, "0.99", "[0, 1]", "discount")                                                  \
  X(I64, train_freq, "1", "[1, 1e9]",                                                           \
    "environment steps, over all environments, between updates (SB3 counts vector steps)")      \
  X(INT, gradient_steps, "1", "[1, 1000]", "updates each time, whatever env.n_envs")            \
  X(INT, policy_delay, "1", "[1, 1000]", "updates of the critics for one of actor and alpha")   \
  X(AUTO, ent_coef, "auto", "[0, 1000]", "entropy coefficient alpha, or auto: learnt")          \
  X(REAL, ent_coef_init, "1", "(0, 1000]", "where a learnt alpha starts")                       \
  X(AUTO, target_entropy, "auto", "[-1e6, 1e6]",                                                \
    "entropy that alpha is learnt for; auto: minus the number of actions")                      \
  X(INT, n_step, "1", "[1, 1000]", "rewards summed before the bootstrap")                       \
  X(REAL, reward_scale, "1", "[0, 1e6]", "coefficient on the n-step rewards")                   \
  X(ENUM, log_std_bound, "clamp", "clamp|tanh",                                                 \
    "log sigma clamped to its bounds, or mapped into them by tanh")                             \
  X(ENUM, log_prob, "sum", "sum|mean",                                                          \
    "the density's reduction over dimensions (mean is wrong: shows what the detail does)")      \
  X(ENUM, tanh_correction, "sum", "sum|mean|off",                                               \
    "the correction's reduction (sum is right: the others show what the detail does)")          \
  X(BOOL, twin_critics, "true", "",                                                             \
    "targets and actor take the smaller of two critics; false: the first")                      \
  X(BOOL, entropy_bootstrap, "true", "", "the bootstrap holds the next action's entropy")       \
  X(BOOL, discount_steps_taken, "true", "",                                                     \
    "a cut-off window bootstraps with gamma to the steps it took, else to n_step")              \
  X(BOOL, bootstrap_truncated, "true", "", "bootstrap from the last observation at truncation") \
  X(BOOL, final_observation, "true", "",                                                        \
    "bootstrap from an episode's last observation, not from the next one's first")              \
  X(BOOL, drop_diverged, "true", "", "leave steps of diverged physics out")                     \
  X(REAL, max_grad_norm, "inf", "(0, inf]", "clip of each network's gradient norm; inf: off")   \
  X(REAL, adam_epsilon, "1e-8", "(0, 1]", "epsilon of Adam, outside the root")

// SAC's defaults in the shared sections, where they are not those above: X(key, value).
#define RL_SAC_DEFAULTS(X)       \
  X("env.n_envs", "1")           \
  X("policy.hidden", "256,256")  \
  X("policy.activation", "relu") \
  X("policy.init", "uniform")    \
  X("policy.actor_gain", "1")    \
  X("normalize.obs", "false")    \
  X("normalize.reward", "off")

// Keys of the shared sections that PPO alone reads; a SAC configuration that gives one is refused.
#define RL_PPO_ONLY(X)        \
  X("policy.log_std_init")    \
  X("normalize.clip_reward")  \
  X("normalize.warmup_steps") \
  X("normalize.freeze")

#define RL_FIELD(kind, name, def, bounds, help) RL_TYPE_##kind name;
typedef struct {
  RL_RUN_OPTIONS(RL_FIELD)
} RlRunOptions;
typedef struct {
  RL_ENV_OPTIONS(RL_FIELD)
} RlEnvOptions;
typedef struct {
  RL_POLICY_OPTIONS(RL_FIELD)
} RlPolicyOptions;
typedef struct {
  RL_NORMALIZE_OPTIONS(RL_FIELD)
} RlNormalizeOptions;
typedef struct {
  RL_PPO_OPTIONS(RL_FIELD)
} RlPpoOptions;
typedef struct {
  RL_SAC_OPTIONS(RL_FIELD)
} RlSacOptions;
#undef RL_FIELD

enum { RL_MAX_OPTIONS = 192, RL_ORIGIN_SIZE = 1024 };

// Where a key was given: the line of a file, or one of these.
enum { RL_PLACE_UNKNOWN = 0, RL_PLACE_SET = -1 };

typedef struct {
  RlRunOptions run;
  RlEnvOptions env;
  RlPolicyOptions policy;
  RlNormalizeOptions normalize;
  RlPpoOptions ppo;
  RlSacOptions sac;
  // by row of the table: 1 if a file, --set or a task's default set it
  uint8_t given[RL_MAX_OPTIONS];
  // by row: where that was, for errors that come after reading; every rl_config_set forgets it
  int place[RL_MAX_OPTIONS];
} RlConfig;

typedef enum {
  RL_KIND_INT,
  RL_KIND_I64,
  RL_KIND_REAL,
  RL_KIND_BOOL,
  RL_KIND_ENUM,
  RL_KIND_TEXT,
  RL_KIND_DIMS,
  RL_KIND_AUTO,
  RL_KIND_RANGE,
} RlKind;

// One row of the table, for dumps, --keys and docs.
typedef struct {
  const char *section, *name, *kind, *def, *bounds, *help;
  RlKind type;    // kind as a number
  size_t offset;  // of the field in RlConfig
} RlOption;

// The table in order of sections; count is overwritten.
const RlOption *rl_config_options(int *count);

// The row of "section.key", -1 if there is none.
int rl_config_find(const char *key);

// Fills in every default ("task" fields are zero and not given).
void rl_config_default(RlConfig *config);

// Reads an INI file over config. path is opened as it is. Errors (RL_USAGE) name file, line, key,
// what was found and what was expected; an unknown key names the nearest known one.
RL_MUST_USE RlStatus rl_config_load(RlConfig *config, const char *path);

// The same for text in memory; name stands for the file in errors.
RL_MUST_USE RlStatus rl_config_parse(RlConfig *config, const char *text, size_t size,
                                     const char *name);

// Sets one key: "section.key" to value, blanks around it dropped. origin stands for the file in
// errors ("--set", say).
RL_MUST_USE RlStatus rl_config_set(RlConfig *config, const char *key, const char *value,
                                   const char *origin);

// Sets one key if nothing has given it yet (a task's own defaults).
RL_MUST_USE RlStatus rl_config_default_key(RlConfig *config, const char *key, const char *value);

// Whether anything has given "section.key", which must be in the table.
bool rl_config_is_given(const RlConfig *config, const char *key);

// What stands for the file in an error about "section.key", which must be in the table: "--set" or
// "origin:LINE" where the key was given there, else origin itself. text holds it if need be.
const char *rl_config_locate(const RlConfig *config, const char *key, const char *origin,
                             char text[RL_ORIGIN_SIZE]);

// Whether the algorithm in use reads a row of the table.
bool rl_config_is_read(const RlConfig *config, int row);

// A row's default under an algorithm, as text.
const char *rl_config_default_text(int row, int algorithm);

// The algorithm as the files name it: "ppo" or "sac".
const char *rl_config_algorithm(const RlConfig *config);

// Checks what no single key can tell: minibatch no larger than the rollout, clamps in order, no
// key that the algorithm does not read, and so on. origin stands for the file in errors, which name
// the place of a key as well where it is known.
RL_MUST_USE RlStatus rl_config_validate(const RlConfig *config, const char *origin);

// What a configuration is written for: config.ini has every key, a resume file none that cannot
// change its bits (run.threads, run.log_every, run.tensorboard), and a policy none that cannot
// change the training's either (when to save and to evaluate, which the best so far goes by).
typedef enum { RL_DUMP_INI, RL_DUMP_RESUME, RL_DUMP_POLICY } RlDump;

// Writes the complete configuration as INI, defaults included, keys that the algorithm does not
// read or the task does not know left out. Values read back to the same bits. Returns the text's
// length (as snprintf does: the buffer was too small if it is >= size).
size_t rl_config_dump(const RlConfig *config, RlDump what, char *text, size_t size);

// Writes docs/configuration.md: every key with its values, default and meaning. Returns as
// rl_config_dump does.
size_t rl_config_dump_docs(char *text, size_t size);

#endif
