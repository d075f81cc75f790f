// The same as detail.h for SAC: a real run made from configuration text, and the pieces of its
// loop.
#ifndef TESTS_UNIT_RL_DETAIL_SAC_H_
#define TESTS_UNIT_RL_DETAIL_SAC_H_

#include "rl/run/train_sac.h"
#include "tests/unit/rl/detail.h"

static const char detail_sac_ini[] =
    "[run]\n"
    "algorithm = sac\n"
    "total_steps = 1000000\n"
    "seed = 3\n"
    "threads = 2\n"
    "[env]\n"
    "id = Reacher-v5\n"
    "n_envs = 4\n"
    "[policy]\n"
    "hidden = 32,32\n"
    "[normalize]\n"
    "obs = false\n"
    "[sac]\n"
    "learning_rate = 3e-4\n"
    "gamma = 0.99\n"
    "tau = 0.005\n"
    "train_freq = 1\n"
    "gradient_steps = 1\n"
    "buffer_size = 4000\n"
    "learning_starts = 200\n"
    "batch_size = 64\n";

// no update: what the policy does then is what it did first
#define NO_UPDATES "sac.train_freq=1000000"

// A run where rl_train_sac's first step begins.
static inline void detail_sac_start(RlRun *run, const char *const *set) {
  detail_create(run, detail_sac_ini, set);
  rl_train_sac_begin(run);
}

#define CREATE_SAC(run, ...) \
  detail_create((run), detail_sac_ini, (const char *const[]){__VA_ARGS__, NULL})
#define START_SAC(run, ...) detail_sac_start((run), (const char *const[]){__VA_ARGS__, NULL})

// Goes on until so many environment steps are done.
static inline void detail_sac_run(RlRun *run, int64_t steps) {
  RlSacMeans means = {0};
  while (run->counters.step < steps) rl_train_sac_iterate(run, &means);
}

// A run of 400 random steps whose first update is still to come.
static inline void detail_sac_collect(RlRun *run, const char *const *set) {
  detail_sac_start(run, set);
  for (int i = 0; i < 100; i++) rl_explorer_step(&run->explorer, true);
}

#define COLLECT_SAC(run, ...) detail_sac_collect((run), (const char *const[]){__VA_ARGS__, NULL})

// One update, as the loop does it.
static inline void detail_sac_update(RlRun *run, RlSacStats *stats) {
  rl_sac_draw(&run->sac, &run->replay, &run->policy.norm);
  rl_sac_learn(&run->sac, stats);
}

// Outputs (rows, dim[L]) of a network for rows of its input x.
static inline void detail_forward(const RlMlp *mlp, RlReal *out, const RlReal *x, int rows) {
  RlArena arena = {0};
  RlMlpWork work;
  rl_mlp_work_init(&work, &arena, mlp, rows, 0);
  rl_mlp_forward(mlp, &work, x, rows);
  memcpy(out, work.y[mlp->L], (size_t)(rows * mlp->dim[mlp->L]) * sizeof(RlReal));
  rl_arena_free(&arena);
}

// Sets the biases of the actor's output: every mean's and every raw log sigma's.
static inline void detail_sac_bias(RlRun *run, double mean, double log_sigma) {
  RlMlp *mlp = &run->policy.actor.mlp;
  int A = run->policy.A;
  for (int i = 0; i < 2 * A; i++) mlp->b[mlp->L - 1][i] = (RlReal)(i < A ? mean : log_sigma);
  rl_mlp_pack(mlp);
}

#endif
