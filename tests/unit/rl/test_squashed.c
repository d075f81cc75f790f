// The squashed Gaussian against formulas in double and, for its density, against the integral over
// the action cube.
#include "rl/algo/squashed.h"

#include "nets/ops.h"
#include "rl/base/config.h"
#include "tests/unit/rl/near.h"

enum { MAX_ROWS = 64, MAX_A = 17, GRID = 200 };

static const double log_2pi = 1.8378770664093453;

static const RlSquashed wide = {.bound = RL_BOUND_CLAMP, .log_sigma_min = -20, .log_sigma_max = 2};

typedef struct {
  RlArena arena;
  RlSquashed squashed;
  RlSquashedWork work;
  RlReal head[MAX_ROWS * 2 * MAX_A], noise[MAX_ROWS * MAX_A];
  RlReal dact[MAX_ROWS * MAX_A], dhead[MAX_ROWS * 2 * MAX_A];
} Case;

// Random rows, the raw log sigmas on both sides of the clamp [-2, 1].
static void make(Case *c, int A, int bound, uint64_t seed) {
  *c = (Case){.squashed = {.A = A, .bound = bound, .log_sigma_min = -2, .log_sigma_max = 1}};
  rl_squashed_work_init(&c->work, &c->arena, MAX_ROWS, A);
  RlRng rng;
  rl_rng_init(&rng, seed, RL_STREAM_ACT, 0);
  for (int r = 0; r < MAX_ROWS; r++) {
    draw_reals(c->head + (2 * r) * A, A, -2, 2, &rng);
    draw_reals(c->head + (2 * r + 1) * A, A, -3, 2, &rng);
  }
  for (int i = 0; i < MAX_ROWS * A; i++) c->noise[i] = (RlReal)rl_rng_normal(&rng);
  draw_reals(c->dact, MAX_ROWS * A, -1, 1, &rng);
}

// log sigma and its slope by the raw one.
static double bounded(const RlSquashed *s, double raw, double *slope) {
  if (s->bound == RL_BOUND_TANH) {
    double half = (s->log_sigma_max - s->log_sigma_min) / 2;
    *slope = half / (cosh(raw) * cosh(raw));
    return s->log_sigma_min + half * (tanh(raw) + 1);
  }
  *slope = raw >= s->log_sigma_min && raw <= s->log_sigma_max;
  return fmin(fmax(raw, s->log_sigma_min), s->log_sigma_max);
}

static double reduced(int kind, double sum, int A) {
  return kind == RL_REDUCE_SUM ? sum : kind == RL_REDUCE_MEAN ? sum / A : 0;
}

static void check_values(Case *c) {
  const RlSquashed *s = &c->squashed;
  const int A = s->A;
  rl_squashed_forward(s, &c->work, c->head, c->noise, MAX_ROWS);
  for (int r = 0; r < MAX_ROWS; r++) {
    double density = 0, correction = 0;
    for (int j = 0; j < A; j++) {
      const int i = r * A + j;
      double slope, z = (double)c->noise[i];
      double log_sigma = bounded(s, (double)c->head[(2 * r + 1) * A + j], &slope);
      double u = (double)c->head[2 * r * A + j] + exp(log_sigma) * z;
      assert_near(c->work.act[i], tanh(u), 1e-6);
      assert_near(c->work.sigma[i], exp(log_sigma), 1e-6);
      assert_near(c->work.slope[i], slope, 1e-6);
      density += -0.5 * z * z - 0.5 * log_2pi - log_sigma;
      correction += -2 * log(cosh(u));  // log(1 - tanh(u)^2)
    }
    double want = reduced(s->log_prob, density, A) - reduced(s->tanh_correction, correction, A);
    assert_near(c->work.logp[r], want, 1e-5);
  }
}

static void test_values(void **state) {
  (void)state;
  Case c;
  for (int k = 0; k < 3 * 3 * 2; k++) {
    for (int A = 1; A <= MAX_A; A += 8) {
      make(&c, A, k % 2 ? RL_BOUND_TANH : RL_BOUND_CLAMP, (uint64_t)k);
      c.squashed.log_prob = k / 2 % 3;
      c.squashed.tanh_correction = k / 6;
      check_values(&c);
      rl_arena_free(&c.arena);
    }
  }
}

// actions and their mirror images have the same density, to the last bit
static void test_mirrored(void **state) {
  (void)state;
  enum { A = 3 };
  Case c;
  make(&c, A, RL_BOUND_CLAMP, 5);
  RlReal logp[MAX_ROWS], act[MAX_ROWS * A];
  rl_squashed_forward(&c.squashed, &c.work, c.head, c.noise, MAX_ROWS);
  memcpy(logp, c.work.logp, sizeof logp);
  memcpy(act, c.work.act, sizeof act);
  for (int i = 0; i < MAX_ROWS * A; i++) {
    c.noise[i] = -c.noise[i];
    c.head[i / A * 2 * A + i % A] *= -1;
  }
  rl_squashed_forward(&c.squashed, &c.work, c.head, c.noise, MAX_ROWS);
  for (int i = 0; i < MAX_ROWS * A; i++) assert_true(c.work.act[i] == -act[i]);
  assert_memory_equal(c.work.logp, logp, sizeof logp);
  rl_arena_free(&c.arena);
}

// The integral of exp(log pi) over the cube, by midpoints: noise is what leads to each.
static double integrate(RlSquashed s) {
  static const double mean[2] = {0.3, -0.5}, log_sigma[2] = {-0.9, -0.5};
  RlArena arena = {0};
  RlSquashedWork work;
  RlReal head[GRID * 4], noise[GRID * 2];
  double sum = 0;
  rl_squashed_work_init(&work, &arena, GRID, s.A);
  for (int k = 0; k < (s.A == 2 ? GRID : 1); k++) {
    for (int r = 0; r < GRID; r++) {
      for (int j = 0; j < s.A; j++) {
        double act = 2 * ((j ? k : r) + 0.5) / GRID - 1;
        head[2 * r * s.A + j] = (RlReal)mean[j];
        head[(2 * r + 1) * s.A + j] = (RlReal)log_sigma[j];
        noise[r * s.A + j] = (RlReal)((atanh(act) - mean[j]) / exp(log_sigma[j]));
      }
    }
    rl_squashed_forward(&s, &work, head, noise, GRID);
    for (int r = 0; r < GRID; r++) sum += exp((double)work.logp[r]) * pow(2.0 / GRID, s.A);
  }
  rl_arena_free(&arena);
  return sum;
}

static void test_integral(void **state) {
  (void)state;
  for (int A = 1; A <= 2; A++) {
    for (int log_prob = RL_REDUCE_SUM; log_prob <= RL_REDUCE_MEAN; log_prob++) {
      for (int correction = RL_REDUCE_SUM; correction <= RL_REDUCE_OFF; correction++) {
        RlSquashed s = wide;
        s.A = A;
        s.log_prob = log_prob;
        s.tanh_correction = correction;
        // a mean over one dimension is the sum
        const bool right = correction != RL_REDUCE_OFF &&
                           (A == 1 || (log_prob == RL_REDUCE_SUM && correction == RL_REDUCE_SUM));
        double gap = fabs(integrate(s) - 1);
        if (!(right ? gap <= 1e-3 : gap >= 0.05)) {
          fail_msg("A %d, log_prob %d, correction %d: %g from 1", A, log_prob, correction, gap);
        }
      }
    }
  }
}

static void test_saturated(void **state) {
  (void)state;
  enum { ROWS = 81, A = 3 };
  RlArena arena = {0};
  RlSquashed s = wide;
  s.A = A;
  RlSquashedWork work;
  RlReal head[ROWS * 2 * A], noise[ROWS * A], dact[ROWS * A], dhead[ROWS * 2 * A];
  rl_squashed_work_init(&work, &arena, ROWS, A);
  for (int r = 0; r < ROWS; r++) {
    for (int j = 0; j < A; j++) {
      head[2 * r * A + j] = (RlReal)(r - 40);
      head[(2 * r + 1) * A + j] = -20;
      noise[r * A + j] = 1;
      dact[r * A + j] = 1;
    }
  }
  rl_squashed_forward(&s, &work, head, noise, ROWS);
  rl_squashed_backward(&s, &work, dhead, dact, (RlReal)0.5, noise, ROWS);
  for (int r = 0; r < ROWS; r++) {
    double want = A * (-0.5 - 0.5 * log_2pi + 20 + 2 * log(cosh(r - 40)));
    assert_near(work.logp[r], want, 1e-6);
    double slope = 1 / (cosh(r - 40) * cosh(r - 40)) + 0.5 * 2 * tanh(r - 40);
    for (int j = 0; j < A; j++) {
      assert_near(dhead[2 * r * A + j], slope, 1e-6);
      assert_near(dhead[(2 * r + 1) * A + j], slope * exp(-20) - 0.5, 1e-6);
    }
  }
  rl_arena_free(&arena);
}

static void test_rows_are_independent(void **state) {
  (void)state;
  Case all, one;
  for (int A = 1; A <= MAX_A; A += 2) {
    const int bound = A % 4 == 1 ? RL_BOUND_CLAMP : RL_BOUND_TANH;
    const size_t size = (size_t)A * sizeof(RlReal);
    make(&all, A, bound, 3);
    make(&one, A, bound, 3);
    memset(all.dhead, 0x55, sizeof(all.dhead));
    rl_squashed_forward(&all.squashed, &all.work, all.head, all.noise, MAX_ROWS);
    rl_squashed_backward(&all.squashed, &all.work, all.dhead, all.dact, (RlReal)0.3, all.noise,
                         MAX_ROWS);
    for (int r = 0; r < MAX_ROWS; r++) {
      const RlReal *noise = all.noise + r * A;
      rl_squashed_forward(&one.squashed, &one.work, all.head + 2 * r * A, noise, 1);
      rl_squashed_backward(&one.squashed, &one.work, one.dhead, all.dact + r * A, (RlReal)0.3,
                           noise, 1);
      assert_memory_equal(one.work.act, all.work.act + r * A, size);
      assert_memory_equal(one.work.sigma, all.work.sigma + r * A, size);
      assert_memory_equal(one.work.slope, all.work.slope + r * A, size);
      assert_memory_equal(one.work.logp, all.work.logp + r, sizeof(RlReal));
      assert_memory_equal(one.dhead, all.dhead + 2 * r * A, 2 * size);
    }
    rl_arena_free(&all.arena);
    rl_arena_free(&one.arena);
  }
}

static void test_bounds(void **state) {
  (void)state;
  enum { A = 5 };
  static const double sides[A] = {-3, -2, 0, 1, 1.5}, want[A] = {-2, -2, 0, 1, 1};
  static const double inside[A] = {0, 1, 1, 1, 0};
  static const double far[A] = {-50, -1, 0, 1, 50};
  Case c;
  make(&c, A, RL_BOUND_CLAMP, 5);
  for (int j = 0; j < A; j++) c.head[A + j] = (RlReal)sides[j];
  rl_squashed_forward(&c.squashed, &c.work, c.head, c.noise, 1);
  rl_squashed_backward(&c.squashed, &c.work, c.dhead, c.dact, 1, c.noise, 1);
  for (int j = 0; j < A; j++) {
    assert_near(c.work.sigma[j], exp(want[j]), 1e-6);
    // where the clamp holds no gradient passes, but the mean's does
    assert_near(c.work.slope[j], inside[j], 0);
    assert_true((c.dhead[A + j] != 0) == (inside[j] > 0));
    assert_true(c.dhead[j] != 0);
  }

  c.squashed.bound = RL_BOUND_TANH;
  for (int j = 0; j < A; j++) c.head[A + j] = (RlReal)far[j];
  rl_squashed_forward(&c.squashed, &c.work, c.head, c.noise, 1);
  for (int j = 0; j < A; j++) {
    assert_near(c.work.sigma[j], exp(-2 + 1.5 * (tanh(far[j]) + 1)), 1e-6);
    assert_near(c.work.slope[j], 1.5 * (1 - tanh(far[j]) * tanh(far[j])), 1e-6);
  }
  rl_arena_free(&c.arena);
}

static void test_mean(void **state) {
  (void)state;
  Case c;
  make(&c, 6, RL_BOUND_CLAMP, 8);
  RlReal act[MAX_ROWS * 6], want[6];
  rl_squashed_mean(&c.squashed, act, c.head, MAX_ROWS);
  for (int r = 0; r < MAX_ROWS; r++) {
    rl_tanh_forward(want, c.head + 12 * r, 6);
    assert_memory_equal(act + 6 * r, want, sizeof(want));
  }
  // what no noise gives
  memset(c.noise, 0, sizeof(c.noise));
  rl_squashed_forward(&c.squashed, &c.work, c.head, c.noise, MAX_ROWS);
  assert_memory_equal(act, c.work.act, sizeof(act));
  rl_arena_free(&c.arena);
}

// A row gone bad shows, in that row alone.
static void test_nan(void **state) {
  (void)state;
  for (int bad = 0; bad < 2; bad++) {
    for (int bound = RL_BOUND_CLAMP; bound <= RL_BOUND_TANH; bound++) {
      Case c;
      make(&c, 3, bound, 9);
      c.head[(2 * 4 + bad) * 3 + 1] = NAN;
      rl_squashed_forward(&c.squashed, &c.work, c.head, c.noise, MAX_ROWS);
      for (int r = 0; r < MAX_ROWS; r++) assert_true(!isnan(c.work.logp[r]) == (r != 4));
      assert_true(isnan(c.work.act[4 * 3 + 1]));
      rl_arena_free(&c.arena);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values),    cmocka_unit_test(test_integral),
      cmocka_unit_test(test_saturated), cmocka_unit_test(test_rows_are_independent),
      cmocka_unit_test(test_bounds),    cmocka_unit_test(test_mean),
      cmocka_unit_test(test_nan),       cmocka_unit_test(test_mirrored),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
