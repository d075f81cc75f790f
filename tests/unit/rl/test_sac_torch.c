// Two whole updates of SAC against PyTorch, from files that tests/golden/make_sac_fixtures.py
// wrote: every figure, gradient and parameter, alpha and the targets.
#include <stdio.h>

#include "tests/unit/rl/sac_bench.h"

enum { B = 6, NACTOR = 143, NCRITIC = 135, MOST = 256 };

// of the largest residual, 2e-7, ten times
#define TOLERANCE 2e-6

static FILE *file;
static double worst;  // residual of the file so far

// Reads the next block, which must have this name and size.
static void read_block(RlReal *values, const char *name, int count) {
  char found[32];
  int found_count;
  assert_int_equal(fscanf(file, "%31s %d", found, &found_count), 2);
  assert_string_equal(found, name);
  assert_int_equal(found_count, count);
  for (int i = 0; i < count; i++) assert_int_equal(fscanf(file, "%f", &values[i]), 1);
}

static void check_error(const char *name, double error, double size) {
  if (!(error <= TOLERANCE * size)) fail_msg("%s: off by %g of %g", name, error, size);
  if (size > 0) worst = fmax(worst, error / size);
}

// Holds an array to the next block, by the largest number in it.
static void check_block(const char *name, const RlReal *got, int count) {
  RlReal want[MOST];
  double most = 0, size = 0;
  read_block(want, name, count);
  for (int i = 0; i < count; i++) {
    double error = fabs((double)got[i] - (double)want[i]);
    if (!(error <= most)) most = isnan(error) ? INFINITY : error;
    size = fmax(size, fabs((double)want[i]));
  }
  check_error(name, most, size);
}

// Figures are means over rows whose terms cancel: by 1, where they are smaller.
static void check_figure(const char *name, double got) {
  RlReal want;
  read_block(&want, name, 1);
  check_error(name, fabs(got - (double)want), fmax(1, fabs((double)want)));
}

static void read_batch(RlSacBatch *batch) {
  read_block(batch->obs, "obs", B * O);
  read_block(batch->act, "act", B * A);
  read_block(batch->ret, "ret", B);
  read_block(batch->discount, "discount", B);
  read_block(batch->next_obs, "next_obs", B * O);
  read_block(batch->noise, "noise", B * A);
  read_block(batch->next_noise, "next_noise", B * A);
}

static void read_state(Bench *b) {
  RlSac *sac = &b->sac;
  read_block(b->actor.mlp.param, "actor", NACTOR);
  read_block(b->critic[0].param, "critic0", NCRITIC);
  read_block(b->critic[1].param, "critic1", NCRITIC);
  read_block(sac->target[0].param, "target0", NCRITIC);
  read_block(sac->target[1].param, "target1", NCRITIC);
  read_block(&sac->log_alpha, "log_alpha", 1);
  rl_mlp_pack(&b->actor.mlp);
  for (int c = 0; c < RL_SAC_CRITICS; c++) rl_mlp_pack(&b->critic[c]);
}

static void check_update(Bench *b) {
  const RlSacStats *s = &b->stats;
  const RlSac *sac = &b->sac;
  check_figure("ent_coef", s->ent_coef);
  check_figure("critic_loss", s->critic_loss);
  check_figure("q1", s->q1);
  check_figure("q2", s->q2);
  check_figure("q_gap", s->q_gap);
  check_figure("q_std", s->q_std);
  check_figure("critic_grad_norm", s->critic_grad_norm);
  check_block("dcritic0", sac->critic_net[0].grad, NCRITIC);
  check_block("dcritic1", sac->critic_net[1].grad, NCRITIC);
  check_figure("actor_loss", s->actor_loss);
  check_figure("entropy", s->entropy);
  check_figure("std", s->std);
  check_figure("saturation", s->saturation);
  check_figure("actor_grad_norm", s->actor_grad_norm);
  check_block("dactor", sac->actor_net.grad, NACTOR);
  check_figure("ent_coef_loss", s->ent_coef_loss);
  check_block("dlog_alpha", &sac->dlog_alpha, 1);
  check_block("actor", b->actor.mlp.param, NACTOR);
  check_block("critic0", b->critic[0].param, NCRITIC);
  check_block("critic1", b->critic[1].param, NCRITIC);
  check_block("target0", sac->target[0].param, NCRITIC);
  check_block("target1", sac->target[1].param, NCRITIC);
  check_block("log_alpha", &sac->log_alpha, 1);
}

static void check_file(const char *path, const char *ini) {
  Bench b;
  make(&b, ini, 1);
  worst = 0;
  assert_int_equal(b.actor.mlp.nparam, NACTOR);
  assert_int_equal(b.critic[0].nparam, NCRITIC);
  file = fopen(path, "r");
  assert_non_null(file);
  read_state(&b);
  for (int k = 0; k < 2; k++) {
    read_batch(&b.sac.batch);
    learn(&b);
    assert_true(b.stats.critics_applied && b.stats.actor_applied);
    assert_null(b.stats.bad);
    check_update(&b);
  }
  assert_int_equal(fscanf(file, "%*s"), EOF);
  print_message("largest residual %g\n", worst);
  fclose(file);
  drop(&b);
}

#define FIXTURE(name) RL_SOURCE_DIR "/tests/golden/fixtures/sac_" name ".txt"
#define COMMON        "[sac]\nbatch_size = 6\nlearning_rate = 3e-3\n"

static void test_auto(void **state) {
  (void)state;
  check_file(FIXTURE("auto"), COMMON);
}

static void test_fixed(void **state) {
  (void)state;
  check_file(FIXTURE("fixed"), "[policy]\nlog_std_min = -5\nlog_std_max = 1\n" COMMON
                               "ent_coef = 0.3\nreward_scale = 5\nlog_std_bound = tanh\n");
}

static void test_clamped(void **state) {
  (void)state;
  check_file(FIXTURE("clamped"), "[policy]\nlog_std_min = -0.5\nlog_std_max = 0.25\n" COMMON
                                 "target_entropy = -1.25\ntau = 0.25\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_auto),
      cmocka_unit_test(test_fixed),
      cmocka_unit_test(test_clamped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
