// The actor: what it draws, and that a row's mean does not depend on the rows beside it.
#include "rl/algo/actor.h"
#include "tests/unit/rl/near.h"

enum { O = 5, A = 3, ROWS = 20 };

static void draw(RlActor *actor, RlArena *arena, const RlConfig *config) {
  RlRng rng;
  memset(actor, 0, sizeof *actor);
  rl_actor_init(actor, arena, config, O, A, ROWS);
  rl_rng_init(&rng, 2, RL_STREAM_INIT, 0);
  rl_actor_draw(actor, &config->policy, &rng);
}

static RlConfig options(void) {
  RlConfig config;
  rl_config_default(&config);
  return config;
}

static void test_draw(void **state) {
  (void)state;
  RlArena arena = {0};
  RlConfig o = options();
  o.policy.log_std_init = -1.25;
  RlActor small, large;
  draw(&small, &arena, &o);
  o.policy.actor_gain = 1;
  draw(&large, &arena, &o);
  int last = small.mlp.L - 1, count = small.mlp.dim[last] * A;
  double square = 0;
  for (int i = 0; i < count; i++) {
    assert_near(large.mlp.W[last][i], 100 * (double)small.mlp.W[last][i], 1e-6);
    square += (double)small.mlp.W[last][i] * (double)small.mlp.W[last][i];
  }
  // A orthonormal columns times the gain
  assert_near(sqrt(square), 0.01 * sqrt(A), 1e-6);
  for (int i = 0; i < A; i++) {
    assert_near(small.mlp.b[last][i], 0, 0);
    assert_near(small.mlp.extra[i], -1.25, 0);
  }
  // log sigma is the last of the one block
  assert_ptr_equal(small.mlp.extra, small.mlp.param + small.mlp.nparam - A);
  rl_arena_free(&arena);
}

static void test_gaussian(void **state) {
  (void)state;
  RlArena arena = {0};
  RlConfig o = options();
  o.policy.log_std_min = -1;
  o.policy.log_std_max = 0.5;
  RlActor actor;
  draw(&actor, &arena, &o);
  actor.mlp.extra[0] = -4;
  actor.mlp.extra[1] = (RlReal)0.25;
  actor.mlp.extra[2] = 9;
  RlGaussian g;
  rl_actor_gaussian(&actor, &g);
  assert_int_equal(g.A, A);
  assert_near(g.log_sigma[0], -1, 0);
  assert_near(g.log_sigma[1], 0.25, 0);
  assert_near(g.log_sigma[2], 0.5, 0);
  rl_arena_free(&arena);
}

static void test_mean(void **state) {
  (void)state;
  RlArena arena = {0};
  RlConfig o = options();
  o.policy.actor_gain = 1;
  RlActor actor;
  draw(&actor, &arena, &o);
  RlReal obs[ROWS * O], all[ROWS * A];
  RlRng rng;
  rl_rng_init(&rng, 6, RL_STREAM_ENV, 0);
  draw_reals(obs, ROWS * O, -3, 3, &rng);
  memcpy(all, rl_actor_mean(&actor, obs, ROWS), sizeof all);
  for (int r = 0; r < ROWS; r++) {
    const RlReal *one = rl_actor_mean(&actor, obs + r * O, 1);
    assert_memory_equal(one, all + r * A, A * sizeof(RlReal));
  }
  // two hidden layers of tanh in double
  const RlMlp *m = &actor.mlp;
  double y[RL_MAX_LAYERS + 1][64];
  for (int i = 0; i < O; i++) y[0][i] = (double)obs[i];
  for (int l = 0; l < m->L; l++) {
    for (int j = 0; j < m->dim[l + 1]; j++) {
      double sum = (double)m->b[l][j];
      for (int i = 0; i < m->dim[l]; i++) sum += y[l][i] * (double)m->W[l][i * m->dim[l + 1] + j];
      y[l + 1][j] = l < m->L - 1 ? tanh(sum) : sum;
    }
  }
  for (int i = 0; i < A; i++) assert_near(all[i], y[m->L][i], 1e-5);
  rl_arena_free(&arena);
}

// a squashed actor's rows, each with a stream of its own, are those of the rows alone
static void test_sampled_rows(void **state) {
  (void)state;
  RlArena arena = {0};
  RlConfig o = options();
  o.run.algorithm = RL_ALGO_SAC;
  RlActor actor;
  draw(&actor, &arena, &o);
  RlReal obs[ROWS * O];
  float all[ROWS * A], one[A];
  RlRng rng, each[ROWS];
  rl_rng_init(&rng, 6, RL_STREAM_ENV, 0);
  draw_reals(obs, ROWS * O, -3, 3, &rng);
  for (int r = 0; r < ROWS; r++) rl_rng_init(&each[r], 7, RL_STREAM_ACT, (uint64_t)r);
  rl_actor_act(&actor, all, obs, ROWS, each);
  for (int r = 0; r < ROWS; r++) {
    rl_rng_init(&rng, 7, RL_STREAM_ACT, (uint64_t)r);
    rl_actor_act(&actor, one, obs + r * O, 1, &rng);
    assert_memory_equal(one, all + r * A, sizeof one);
  }
  rl_arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_draw),
      cmocka_unit_test(test_gaussian),
      cmocka_unit_test(test_mean),
      cmocka_unit_test(test_sampled_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
