// What the tests of PPO's update share: a small actor and critic, and a rollout filled by hand.
#ifndef TESTS_UNIT_RL_PPO_BENCH_H_
#define TESTS_UNIT_RL_PPO_BENCH_H_

#include "rl/algo/ppo.h"
#include "tests/unit/rl/near.h"

enum { O = 4, A = 2 };

typedef struct {
  RlArena arena;
  RlPool *pool;
  RlConfig config;
  RlActor actor;
  RlMlp critic;
  RlPpo ppo;
  RlRollout rollout;
  RlPpoStats stats;
} Bench;

// Observations, actions as the actor would take them, and rewards; every 7th row ends its episode,
// every 11th reaches the time limit, every 13th is lost.
static inline void fill(Bench *b, bool marks) {
  RlRollout *r = &b->rollout;
  int rows = r->T * r->N;
  RlRng rng;
  RlGaussian g;
  rl_rng_init(&rng, 21, RL_STREAM_ACT, 0);
  rl_actor_gaussian(&b->actor, &g);
  draw_reals(r->obs, rows * O, -2, 2, &rng);
  draw_reals(r->last_obs, r->N * O, -2, 2, &rng);
  draw_reals(r->rew, rows, -1, 1, &rng);
  for (int i = 0; i < rows; i++) {
    memcpy(r->mean + i * A, rl_actor_mean(&b->actor, r->obs + i * O, 1), A * sizeof(RlReal));
    rl_gaussian_sample(&g, r->act + i * A, r->mean + i * A, &rng);
    r->logp[i] = rl_gaussian_log_prob(&g, NULL, r->act + i * A, r->mean + i * A);
    r->terminated[i] = marks && i % 7 == 3;
    r->lost[i] = marks && i % 13 == 5;
    r->truncated[i] = marks && i % 11 == 2 && !r->lost[i] && !r->terminated[i];
    if (!r->truncated[i]) continue;
    r->final_row[r->nfinal] = i;
    draw_reals(r->final_obs + r->nfinal++ * O, O, -2, 2, &rng);
  }
}

static inline void make(Bench *b, const char *ini, int T, int N, int threads, bool marks) {
  memset(b, 0, sizeof *b);
  rl_config_default(&b->config);
  assert_int_equal(rl_config_parse(&b->config, ini, strlen(ini), "test"), RL_OK);
  b->pool = rl_pool_init(threads);
  assert_non_null(b->pool);
  const RlPolicyOptions *o = &b->config.policy;
  RlRng rng;
  rl_rng_init(&rng, 1, RL_STREAM_INIT, 0);
  rl_actor_init(&b->actor, &b->arena, &b->config, O, A, T * N);
  rl_actor_draw(&b->actor, o, &rng);
  rl_mlp_init(&b->critic, &b->arena, O, &o->hidden_critic, 1, o->activation, 0);
  rl_mlp_draw(&b->critic, o->init, 1, &rng);
  rl_ppo_init(&b->ppo, &b->arena, b->pool, &b->config, &b->actor, &b->critic, T * N);
  rl_rollout_init(&b->rollout, &b->arena, T, N, O, A, 5);
  rl_rollout_reset(&b->rollout, T);
  fill(b, marks);
  rl_ppo_schedule(&b->ppo, 0);
  rl_ppo_evaluate(&b->ppo, &b->rollout);
}

static inline void drop(Bench *b) {
  rl_pool_free(b->pool);
  rl_arena_free(&b->arena);
}

static inline void update(Bench *b) {
  rl_ppo_update(&b->ppo, &b->rollout, &b->stats);
}

// parameters do not move at this learning rate, so the last minibatch's gradient is that of the
// start
#define STILL "learning_rate = 1e-40\nlearning_rate_schedule = constant\n"

#endif
