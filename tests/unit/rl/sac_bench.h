// What the tests of SAC's update share: small networks of random parameters, and a batch filled by
// hand.
#ifndef TESTS_UNIT_RL_SAC_BENCH_H_
#define TESTS_UNIT_RL_SAC_BENCH_H_

#include "rl/algo/sac.h"
#include "tests/unit/rl/near.h"

enum { O = 5, A = 2 };

typedef struct {
  RlArena arena;
  RlPool *pool;
  RlConfig config;
  RlActor actor;
  RlMlp critic[RL_SAC_CRITICS];
  RlSac sac;
  RlSacStats stats;
} Bench;

static inline void draw_normals(RlReal *x, int n, RlRng *rng) {
  for (int i = 0; i < n; i++) x[i] = (RlReal)rl_rng_normal(rng);
}

// A batch like one that was drawn: every 7th row ended in termination, every 5th took two steps.
static inline void fill(Bench *b, uint64_t seed) {
  RlSacBatch *batch = &b->sac.batch;
  int B = b->config.sac.batch_size;
  RlRng rng;
  rl_rng_init(&rng, seed, RL_STREAM_REPLAY, 0);
  draw_normals(batch->obs, B * O, &rng);
  draw_normals(batch->next_obs, B * O, &rng);
  draw_reals(batch->act, B * A, -1, 1, &rng);
  draw_reals(batch->ret, B, -1, 1, &rng);
  draw_normals(batch->noise, B * A, &rng);
  draw_normals(batch->next_noise, B * A, &rng);
  for (int r = 0; r < B; r++) {
    batch->discount[r] = (RlReal)(r % 7 == 3 ? 0 : r % 5 == 2 ? 0.99 * 0.99 : 0.99);
  }
}

// Targets have parameters of their own, so that none is taken for its critic.
static inline void make(Bench *b, const char *ini, int threads) {
  static const char sac[] = "[run]\nalgorithm = sac\n[policy]\nhidden = 8,7\n";
  memset(b, 0, sizeof *b);
  rl_config_default(&b->config);
  assert_int_equal(rl_config_parse(&b->config, sac, strlen(sac), "test"), RL_OK);
  assert_int_equal(rl_config_parse(&b->config, ini, strlen(ini), "test"), RL_OK);
  b->pool = rl_pool_init(threads);
  assert_non_null(b->pool);
  const RlPolicyOptions *o = &b->config.policy;
  RlRng rng;
  rl_rng_init(&rng, 3, RL_STREAM_INIT, 0);
  rl_actor_init(&b->actor, &b->arena, &b->config, O, A, 1);
  rl_actor_draw(&b->actor, o, &rng);
  for (int c = 0; c < RL_SAC_CRITICS; c++) {
    rl_mlp_init(&b->critic[c], &b->arena, O + A, &o->hidden_critic, 1, o->activation, 0);
    rl_mlp_draw(&b->critic[c], o->init, 3, &rng);
  }
  rl_sac_init(&b->sac, &b->arena, b->pool, &b->config, &b->actor, b->critic);
  rl_sac_start(&b->sac);
  for (int c = 0; c < RL_SAC_CRITICS; c++) rl_mlp_draw(&b->sac.target[c], o->init, 3, &rng);
  fill(b, 1);
}

static inline void drop(Bench *b) {
  rl_pool_free(b->pool);
  rl_arena_free(&b->arena);
}

static inline void learn(Bench *b) {
  rl_sac_learn(&b->sac, &b->stats);
}

#endif
