// SAC's minibatch: rows as the replay buffer gives them, observations normalised on sampling, noise
// of its own for every action, the same bits at any number of threads; and the memory it all takes.
#include "tests/unit/rl/sac_bench.h"

enum { N = 2, STEPS = 300, B = 300 };

typedef struct {
  Bench bench;
  RlReplay replay;
  RlNormalizer norm;
  float now[N * O];
} Store;

// A few hundred steps; every 20th ends in termination.
static void store(Store *s, int threads) {
  RlRng rng;
  float obs[N * O], act[N * A], rew[N];
  uint8_t end[N] = {0};
  memset(s, 0, sizeof *s);
  make(&s->bench, "[normalize]\nobs = true\nclip_obs = 1.5\n[sac]\nbatch_size = 300\nn_step = 3\n",
       threads);
  RlArena *arena = &s->bench.arena;
  rl_replay_init(&s->replay, arena, (int64_t)N * STEPS, N, O, A, 1000, s->now);
  rl_normalizer_init(&s->norm, arena, O, &s->bench.config.normalize);
  rl_rng_init(&rng, 9, RL_STREAM_ACT, 0);
  draw_floats(s->now, N * O, -1, 5, &rng);
  for (int t = 0; t < STEPS; t++) {
    memcpy(obs, s->now, sizeof obs);
    draw_floats(act, N * A, -1, 1, &rng);
    draw_floats(rew, N, -1, 1, &rng);
    draw_floats(s->now, N * O, -1, 5, &rng);
    for (int n = 0; n < N; n++) end[n] = t % 20 == 7 + n ? RL_REPLAY_TERMINATED : 0;
    rl_replay_push(&s->replay, obs, act, rew, end, s->now);
    rl_normalizer_push(&s->norm, obs, NULL, N);
  }
  rl_normalizer_merge(&s->norm);
}

static void test_rows(void **state) {
  (void)state;
  Store s;
  store(&s, 2);
  const RlSacBatch *batch = &s.bench.sac.batch;
  RlReplayWindow window = {3, 0.99, true, true, true};
  int ended = 0, clipped = 0, distinct = 0;
  rl_sac_draw(&s.bench.sac, &s.replay, &s.norm);
  assert_true(s.bench.sac.split.sample > 0);
  for (int r = 0; r < B; r++) {
    RlTransition t;
    RlReal obs[O], next_obs[O];
    rl_replay_read(&s.replay, &t, batch->slot[r], &window);
    rl_normalizer_forward(&s.norm, obs, t.obs, 1);
    rl_normalizer_forward(&s.norm, next_obs, t.next_obs, 1);
    assert_memory_equal(batch->obs + r * O, obs, sizeof obs);
    assert_memory_equal(batch->next_obs + r * O, next_obs, sizeof next_obs);
    assert_memory_equal(batch->act + r * A, t.act, A * sizeof *t.act);
    assert_near(batch->ret[r], t.ret, 1e-6);
    assert_near(batch->discount[r], t.discount, 1e-6);
    ended += batch->discount[r] == 0;
    distinct += r > 0 && batch->slot[r] != batch->slot[r - 1];
    for (int i = 0; i < O; i++) clipped += fabs((double)obs[i]) == 1.5;
  }
  assert_true(ended > 10 && ended < B / 2 && clipped > 10 && distinct > B - 10);
  drop(&s.bench);
}

// every number of both noises is a draw of its own, in every block and at every update
static void test_noise(void **state) {
  (void)state;
  enum { EACH = B * A, ALL = 4 * EACH };
  Store s;
  RlReal all[ALL];
  double sum = 0, square = 0;
  store(&s, 1);
  for (int k = 0; k < 2; k++) {
    rl_sac_draw(&s.bench.sac, &s.replay, &s.norm);
    memcpy(all + 2 * k * EACH, s.bench.sac.batch.noise, EACH * sizeof(RlReal));
    memcpy(all + (2 * k + 1) * EACH, s.bench.sac.batch.next_noise, EACH * sizeof(RlReal));
  }
  int equal = 0;
  for (int i = 0; i < ALL; i++) {
    sum += (double)all[i];
    square += (double)all[i] * (double)all[i];
    for (int j = 0; j < i; j++) equal += all[i] == all[j];
  }
  // floats repeat by chance: about ALL^2 / 2 pairs of numbers some 1e-7 apart
  assert_true(equal < 10);
  assert_true(fabs(sum / ALL) < 5 / sqrt(ALL));
  assert_true(fabs(square / ALL - 1) < 5 * sqrt(2.0 / ALL));
  drop(&s.bench);
}

// a block's noise is its own stream's
static void test_streams(void **state) {
  (void)state;
  Store s;
  store(&s, 3);
  rl_sac_draw(&s.bench.sac, &s.replay, &s.norm);
  for (int b = 0; b < s.bench.sac.nblock; b++) {
    RlRng rng;
    int r = b * s.bench.sac.block;
    rl_rng_init(&rng, 1, RL_STREAM_LEARN, (uint64_t)b);
    assert_true(s.bench.sac.batch.noise[r * A] == (RlReal)rl_rng_normal(&rng));
    assert_true(s.bench.sac.batch.next_noise[r * A] == (RlReal)rl_rng_normal(&rng));
  }
  drop(&s.bench);
}

static void test_threads(void **state) {
  (void)state;
  Store one, many;
  store(&one, 1);
  store(&many, 3);
  for (int k = 0; k < 3; k++) {
    rl_sac_draw(&one.bench.sac, &one.replay, &one.norm);
    rl_sac_draw(&many.bench.sac, &many.replay, &many.norm);
    const RlSacBatch *a = &one.bench.sac.batch, *b = &many.bench.sac.batch;
    assert_memory_equal(a->slot, b->slot, B * sizeof *a->slot);
    assert_memory_equal(a->obs, b->obs, B * O * sizeof(RlReal));
    assert_memory_equal(a->noise, b->noise, B * A * sizeof(RlReal));
    assert_memory_equal(a->next_noise, b->next_noise, B * A * sizeof(RlReal));
  }
  drop(&one.bench);
  drop(&many.bench);
}

// the estimate is near what is taken, at sizes at which padding is nothing
static void test_bytes(void **state) {
  (void)state;
  static const char *const ini[] = {"[policy]\nhidden = 256,256\n",
                                    "[policy]\nhidden = 256,256\n[sac]\nbatch_size = 5000\n",
                                    "[policy]\nhidden = 400\nhidden_actor = 30,20\n"};
  for (int k = 0; k < 3; k++) {
    Bench b;
    make(&b, ini[k], 1);
    double bytes = rl_sac_bytes(&b.config, O, A), used = (double)b.arena.used;
    print_message("%g of %g\n", bytes, used);
    assert_true(bytes > 0.95 * used && bytes < 1.15 * used);
    drop(&b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows),    cmocka_unit_test(test_noise), cmocka_unit_test(test_streams),
      cmocka_unit_test(test_threads), cmocka_unit_test(test_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
