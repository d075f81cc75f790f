// Details of the networks a run starts with: how weights are drawn and how sigma is held.
#include "tests/unit/rl/detail.h"

static RlRun run;

// largest entry of |Q - gain^2 I|, where Q holds the products of the vectors of the shorter side
static double off_orthogonal(const RlMlp *mlp, int l, double gain) {
  int in = mlp->dim[l], out = mlp->dim[l + 1], n = in < out ? in : out, d = in < out ? out : in;
  double worst = 0;
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      double dot = 0;
      for (int k = 0; k < d; k++) {
        const RlReal *W = mlp->W[l];
        dot += in < out ? (double)W[i * out + k] * (double)W[j * out + k]
                        : (double)W[k * out + i] * (double)W[k * out + j];
      }
      worst = fmax(worst, fabs(dot - (i == j ? gain * gain : 0)));
    }
  }
  return worst;
}

static double largest(const RlReal *x, int n) {
  double most = 0;
  for (int i = 0; i < n; i++) most = fmax(most, fabs((double)x[i]));
  return most;
}

// orthogonal with gain sqrt 2 in hidden layers, 1 in the critic's last, biases zero
static void test_orthogonal_init(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START(&run, on ? "policy.init=orthogonal" : "policy.init=uniform",
          "policy.hidden_critic=32,48,16");
    const RlMlp *net[] = {&run.policy.actor.mlp, &run.policy.critic[0]};
    for (int k = 0; k < 2; k++) {
      for (int l = 0; l < net[k]->L; l++) {
        bool last = l == net[k]->L - 1;
        double gain = !last ? sqrt(2) : k == 0 ? 0.01 : 1;
        double off = off_orthogonal(net[k], l, gain) / (gain * gain);
        double bias = largest(net[k]->b[l], net[k]->dim[l + 1]);
        assert_true(on ? off < 1e-5 && bias == 0 : off > 0.05 && bias > 0);
      }
    }
    rl_run_free(&run);
  }
}

// the first policy acts around zero whatever it sees
static void test_actor_last_layer(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START(&run, on ? "policy.actor_gain=0.01" : "policy.actor_gain=1");
    detail_collect(&run, NULL);
    double most = largest(run.rollout.mean, detail_rows(&run) * 2);
    assert_true(on ? most < 0.05 : most > 0.5);
    rl_run_free(&run);
  }
}

// largest gap between the stored densities and those of one deviation for all states and both
// independent components
static double density_gap(double log_sigma) {
  const RlRollout *r = &run.rollout;
  double worst = 0;
  for (int i = 0; i < r->T * r->N; i++) {
    double logp = 0;
    for (int a = 0; a < r->A; a++) {
      double z = ((double)r->act[i * r->A + a] - (double)r->mean[i * r->A + a]) / exp(log_sigma);
      logp += -0.5 * z * z - log_sigma - 0.91893853320467274;
    }
    worst = fmax(worst, fabs(logp - (double)r->logp[i]));
  }
  return worst;
}

static void test_state_independent_log_sigma(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START(&run, on ? "policy.log_std_init=-0.5" : "policy.log_std_init=0.25");
    detail_collect(&run, NULL);
    assert_true(on ? density_gap(-0.5) < 1e-4 : density_gap(-0.5) > 0.1);
    // one number a component, at the end of the actor's block, and it learns
    assert_int_equal(run.policy.actor.mlp.nextra, 2);
    RlReal before[2];
    RlPpoStats stats;
    memcpy(before, run.policy.actor.mlp.extra, sizeof before);
    rl_ppo_update(&run.ppo, &run.rollout, &stats);
    for (int a = 0; a < 2; a++) assert_true(run.policy.actor.mlp.extra[a] != before[a]);
    rl_run_free(&run);
  }
}

// An entropy bonus pushes log sigma up: it stops at the clamp, beyond which no gradient passes.
static void test_log_sigma_clamp(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START(&run, "policy.log_std_init=0.5", "ppo.ent_coef=1", "ppo.learning_rate=0.01",
          on ? "policy.log_std_max=0.5" : "policy.log_std_max=2");
    RlPpoStats stats;
    for (int k = 0; k < 3; k++) rl_train_ppo_iterate(&run, &stats);
    const RlMlp *mlp = &run.policy.actor.mlp;
    for (int a = 0; a < 2; a++) {
      double gradient = (double)run.ppo.net[0].grad[mlp->extra - mlp->param + a];
      assert_true((double)mlp->extra[a] > 0.505);
      assert_true(on ? gradient == 0 : gradient < -0.5);
    }
    if (on) assert_near(stats.std, exp(0.5), 1e-6);
    if (!on) assert_true(stats.std > exp(0.505));
    detail_collect(&run, NULL);
    assert_true(on ? density_gap(0.5) < 1e-4 : density_gap(0.5) > 1e-3);
    rl_run_free(&run);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_orthogonal_init),
      SCRATCH_TEST(test_actor_last_layer),
      SCRATCH_TEST(test_state_independent_log_sigma),
      SCRATCH_TEST(test_log_sigma_clamp),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
