// SAC's update on numbers that are not finite: what is skipped, what stays as it was, what is
// named; and what must not be read where an episode ended.
#include "tests/unit/rl/sac_row.h"
#include "tests/unit/rl/sac_state.h"

// Nothing moves while *where is not finite, and the next sound batch is learnt from.
static void check_skipped(const char *what, RlReal *where, double value, Bench *b) {
  State before = state_of(b);
  RlReal good = *where;
  *where = (RlReal)value;
  for (int k = 1; k <= 3; k++) {
    learn(b);
    assert_false(b->stats.critics_applied || b->stats.actor_applied);
    assert_int_equal(b->sac.skipped_in_a_row, k);
    assert_non_null(b->stats.bad);
    assert_string_equal(b->stats.bad, what);
    State after = state_of(b);
    assert_true(same_state(&before, &after));
  }
  *where = good;
  learn(b);
  State after = state_of(b);
  assert_int_equal(b->sac.skipped_in_a_row, 0);
  assert_null(b->stats.bad);
  assert_true(b->stats.critics_applied && b->stats.actor_applied);
  for (int n = 0; n < NNET; n++) assert_false(same_net(&before, &after, n));
  assert_false(same_alpha(&before, &after));
}

static void test_not_finite(void **state) {
  (void)state;
  Bench b;
  make(&b, "[sac]\nbatch_size = 300\n", 1);
  RlSacBatch *batch = &b.sac.batch;
  check_skipped("critic loss", &batch->ret[290], NAN, &b);
  check_skipped("critic loss", &batch->ret[7], INFINITY, &b);
  check_skipped("critic loss", &batch->obs[130 * O + 2], NAN, &b);
  check_skipped("critic loss", &batch->act[299 * A + 1], NAN, &b);
  check_skipped("critic loss", &batch->next_obs[1 * O], NAN, &b);
  check_skipped("critic loss", &batch->next_noise[1 * A], NAN, &b);
  check_skipped("critic loss", &batch->discount[0], NAN, &b);
  // the loss is within a double's range, its gradient beyond a float's
  check_skipped("critic gradient", &batch->act[5 * A], 1e30, &b);
  check_skipped("critic gradient", &batch->act[5 * A], -1e30, &b);
  drop(&b);
}

// an actor alone not finite, or too steep to be squared: critics have learnt, it and alpha stay
static void test_actor_not_finite(void **state) {
  (void)state;
  Bench b;
  make(&b, "[sac]\nbatch_size = 300\nent_coef_init = 1000\n", 1);
  for (int k = 1; k <= 2; k++) {
    State before = state_of(&b);
    b.sac.batch.noise[200 * A] = k == 1 ? (RlReal)NAN : (RlReal)1e19;
    learn(&b);
    State after = state_of(&b);
    assert_true(b.stats.critics_applied && !b.stats.actor_applied);
    assert_non_null(b.stats.bad);
    assert_string_equal(b.stats.bad, k == 1 ? "actor loss" : "actor gradient");
    assert_int_equal(b.sac.skipped_in_a_row, k);
    assert_true(same_net(&before, &after, NET_ACTOR) && same_alpha(&before, &after));
    for (int n = NET_CRITIC0; n < NNET; n++) assert_false(same_net(&before, &after, n));
  }
  b.sac.batch.noise[200 * A] = 0;
  learn(&b);
  assert_true(b.stats.actor_applied);
  assert_int_equal(b.sac.skipped_in_a_row, 0);
  drop(&b);
}

// A critic that is NaN where the actor goes, and finite where it has been: the smaller of two
// values is NaN if either is, and the actor stays.
static void test_critic_not_finite_for_actor(void **state) {
  (void)state;
  for (int c = 0; c < RL_SAC_CRITICS; c++) {
    Bench b;
    make(&b, "[sac]\nbatch_size = 300\n", 1);
    RlMlp *critic = &b.critic[c];
    for (int r = 0; r < 300 * A; r++) b.sac.batch.act[r] = 0;
    for (int h = 0; h < 2; h++) {
      for (int i = O; i < O + A; i++) critic->W[0][i * critic->dim[1] + h] = (RlReal)3e38;
      for (int k = 0; k < critic->dim[2]; k++) critic->W[1][h * critic->dim[2] + k] = h ? 9 : -9;
    }
    rl_mlp_pack(critic);
    State before = state_of(&b);
    learn(&b);
    State after = state_of(&b);
    assert_true(b.stats.critics_applied && !b.stats.actor_applied);
    assert_non_null(b.stats.bad);
    assert_string_equal(b.stats.bad, "actor loss");
    assert_true(same_net(&before, &after, NET_ACTOR) && same_alpha(&before, &after));
    drop(&b);
  }
}

// after termination nothing of what followed reaches y: the mask selects
static void test_terminated(void **state) {
  (void)state;
  Bench a, b;
  make(&a, "[sac]\nbatch_size = 300\n", 1);
  make(&b, "[sac]\nbatch_size = 300\n", 1);
  int ended = 0;
  for (int r = 0; r < 300; r++) {
    if (b.sac.batch.discount[r] != 0) continue;
    RlReal *next = b.sac.batch.next_obs + r * O;
    for (int i = 0; i < O; i++) next[i] = (RlReal)(r % 2 ? NAN : 1e30);
    b.sac.batch.next_noise[r * A] = NAN;
    ended++;
  }
  assert_true(ended > 30);
  learn(&a);
  learn(&b);
  assert_null(b.stats.bad);
  State without = state_of(&a), with = state_of(&b);
  assert_true(same_state(&without, &with));
  for (int r = 0; r < 128; r++) {
    const SacRow at = sac_row(&a.sac, r);
    const RlReal y = at.block->y[at.r], ret = a.sac.batch.ret[r];
    if (a.sac.batch.discount[r] == 0) assert_true(y == ret);
    if (a.sac.batch.discount[r] != 0) assert_true(y != ret);
  }
  drop(&a);
  drop(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_not_finite),
      cmocka_unit_test(test_actor_not_finite),
      cmocka_unit_test(test_critic_not_finite_for_actor),
      cmocka_unit_test(test_terminated),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
