// The squashed Gaussian's gradients in the double build against centred differences of its own
// values, under every bound and reduction.
#include "rl/algo/squashed.h"
#include "rl/base/config.h"
#include "tests/grad/grad.h"

enum { ROWS = 4, A = 3, N = ROWS * A };

typedef struct {
  RlArena arena;
  RlSquashed squashed;
  RlSquashedWork work;
  double head[2 * N], noise[N], dact[N], dlogp;
} Case;

// raw log sigmas below, just inside, inside, just inside and above the bounds [-1, 0.5]; means up
// to where 1 - tanh(u)^2 is small
static Case make(int bound, int log_prob, int tanh_correction) {
  static const double raw[N] = {-1.3, -0.999, -0.2, 0.499, 0.7, -0.5, 0.1, -2.5, 3, 0.3, -0.7, 0};
  static const double mean[N] = {0.3, -0.8, 1.2, 0, -2, 0.6, -0.1, 2.5, -3, 0.9, -1.4, 0.2};
  static const double noise[N] = {1, -0.4, 0.5, -1.7, 0.25, 2.1, 0, -0.9, 0.8, -0.3, 1.3, -1.1};
  static const double dact[N] = {0.7, -1.1, 0.4, 2, -0.3, 0.9, 1.5, -0.6, 0.2, -1.8, 0, 1.2};
  Case c = {.squashed = {.A = A,
                         .bound = bound,
                         .log_sigma_min = -1,
                         .log_sigma_max = 0.5,
                         .log_prob = log_prob,
                         .tanh_correction = tanh_correction},
            .dlogp = 0.7};
  for (int i = 0; i < N; i++) {
    c.head[i / A * 2 * A + i % A] = mean[i];
    c.head[i / A * 2 * A + A + i % A] = raw[i];
  }
  memcpy(c.noise, noise, sizeof(noise));
  memcpy(c.dact, dact, sizeof(dact));
  rl_squashed_work_init(&c.work, &c.arena, ROWS, A);
  return c;
}

static double loss(void *arg) {
  Case *c = arg;
  double sum = 0;
  rl_squashed_forward(&c->squashed, &c->work, c->head, c->noise, ROWS);
  for (int r = 0; r < ROWS; r++) sum += c->dlogp * c->work.logp[r];
  for (int i = 0; i < N; i++) sum += c->dact[i] * c->work.act[i];
  return sum;
}

static void check(Case *c) {
  double dhead[2 * N];
  memset(dhead, 0x55, sizeof(dhead));
  (void)loss(c);
  rl_squashed_backward(&c->squashed, &c->work, dhead, c->dact, c->dlogp, c->noise, ROWS);
  for (int i = 0; i < N; i++) {
    const int at = i / A * 2 * A + i % A;
    const double raw = c->head[at + A];
    const bool held = c->squashed.bound == RL_BOUND_CLAMP && (raw < -1 || raw > 0.5);
    assert_true(dhead[at] != 0 || c->dact[i] == 0);
    if (held) assert_true(dhead[at + A] == 0);
    if (!held && c->dact[i] != 0 && c->noise[i] != 0) assert_true(dhead[at + A] != 0);
  }
  check_gradient(c->head, dhead, 2 * N, loss, c);
  rl_arena_free(&c->arena);
}

static void check_reductions(int bound) {
  for (int log_prob = RL_REDUCE_SUM; log_prob <= RL_REDUCE_OFF; log_prob++) {
    for (int correction = RL_REDUCE_SUM; correction <= RL_REDUCE_OFF; correction++) {
      Case c = make(bound, log_prob, correction);
      check(&c);
    }
  }
}

static void test_clamp(void **state) {
  (void)state;
  check_reductions(RL_BOUND_CLAMP);
}

static void test_tanh(void **state) {
  (void)state;
  check_reductions(RL_BOUND_TANH);
}

// each path alone: through the action, and through log pi
static void test_paths(void **state) {
  (void)state;
  Case action = make(RL_BOUND_CLAMP, RL_REDUCE_SUM, RL_REDUCE_SUM);
  action.dlogp = 0;
  check(&action);
  Case density = make(RL_BOUND_CLAMP, RL_REDUCE_SUM, RL_REDUCE_SUM);
  memset(density.dact, 0, sizeof(density.dact));
  check(&density);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_clamp),
      cmocka_unit_test(test_tanh),
      cmocka_unit_test(test_paths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
