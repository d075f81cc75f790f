// Details of SAC between the environments and the minibatch: which actions are taken and kept, how
// a window of the replay buffer ends, what normalises it, and when updates are due.
#include "tests/unit/rl/detail_sac.h"
#include "tests/unit/rl/sac_row.h"

static RlRun run, twin;

// ---------------------------------------------------------------- actions

// share of the components of the ring's actions, vector steps [first, end), that lie beyond bound
static double beyond(double bound, int64_t first, int64_t end) {
  int64_t n = run.replay.N * run.replay.A, count = 0;
  for (int64_t i = first * n; i < end * n; i++) count += fabs((double)run.replay.act[i]) > bound;
  return (double)count / (double)((end - first) * n);
}

// the policy, which would push every action to one end, is not asked before learning_starts
static void test_uniform_warm_up(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START_SAC(&run, NO_UPDATES, on ? "sac.learning_starts=2000" : "sac.learning_starts=0");
    detail_sac_bias(&run, 5, -5);
    detail_sac_run(&run, 2200);
    assert_near(beyond(0.5, 0, 500), on ? 0.5 : 1, 0.04);
    assert_near(beyond(0.9, 0, 500), on ? 0.1 : 1, 0.025);
    assert_near(beyond(0.9, 500, 550), 1, 0);
    rl_run_free(&run);
  }
}

// a = tanh(mu + sigma z) with the stream's own z: never beyond 1, however far the Gaussian goes
static void test_squashed_action(void **state) {
  (void)state;
  START_SAC(&run, "env.n_envs=1", "sac.learning_starts=0", "policy.actor_gain=0.1", NO_UPDATES);
  detail_sac_bias(&run, 0.5, 0.5);
  int A = run.env.A, wide = 0;
  for (int t = 0; t < 40; t++) {
    RlReal x[10], head[4];
    RlRng rng = run.explorer.act_rng[0];
    for (int i = 0; i < 10; i++) x[i] = (RlReal)run.env.obs[i];
    detail_forward(&run.policy.actor.mlp, head, x, 1);
    rl_explorer_step(&run.explorer, false);
    for (int a = 0; a < A; a++) {
      double u = (double)head[a] + exp((double)head[A + a]) * rl_rng_normal(&rng);
      wide += fabs(u) > 1;
      assert_near(run.replay.act[t * A + a], tanh(u), 1e-5);
    }
  }
  assert_true(wide > 10);
  rl_run_free(&run);
  // PPO's is the Gaussian's own
  START(&run, "policy.log_std_init=1");
  detail_collect(&run, NULL);
  wide = 0;
  for (int i = 0; i < detail_rows(&run) * 2; i++) wide += fabs((double)run.rollout.act[i]) > 2;
  assert_true(wide > 20);
  rl_run_free(&run);
}

// What is kept is what the environment got: the same controls, and no clip has anything to do.
static void test_squashed_action_stored(void **state) {
  (void)state;
  double ctrl[7];
  START_SAC(&run, "env.id=Pusher-v5", "sac.learning_starts=0", NO_UPDATES);
  START_SAC(&twin, "env.id=Pusher-v5", "sac.learning_starts=0", NO_UPDATES,
            "env.clip_action=false");
  detail_sac_bias(&run, 0, 1);
  detail_sac_bias(&twin, 0, 1);
  for (int t = 0; t < 30; t++) {
    rl_explorer_step(&run.explorer, false);
    rl_explorer_step(&twin.explorer, false);
    detail_read_ctrl(&run.env, ctrl);
    const float *act = run.replay.act + t * 4 * 7;
    // Pusher's actuators go from -2 to 2
    for (int a = 0; a < 7; a++) assert_near(ctrl[a], 2 * (double)act[a], 1e-12);
  }
  assert_true(beyond(0.9, 0, 30) > 0.3);
  assert_memory_equal(run.replay.rew, twin.replay.rew, 30 * 4 * sizeof(float));
  rl_run_free(&run);
  rl_run_free(&twin);
}

// deviations of the first two rows of a minibatch
static void test_state_dependent_log_sigma(void **state) {
  (void)state;
  RlSacStats stats;
  COLLECT_SAC(&run, "sac.learning_rate=0.01");
  const RlMlp *mlp = &run.policy.actor.mlp;
  assert_int_equal(mlp->dim[mlp->L], 2 * run.policy.A);
  assert_int_equal(mlp->nextra, 0);
  for (int k = 0; k < 20; k++) detail_sac_update(&run, &stats);
  const RlReal *sigma = run.sac.blocks[0].pi.sigma;
  assert_true(detail_deviation(sigma, run.sac.block, 2) > 1e-3);
  assert_true(detail_deviation(sigma + 1, run.sac.block, 2) > 1e-3);
  rl_run_free(&run);
  // PPO's is one number a component, whatever the state
  START(&run, "run.algorithm=ppo");
  mlp = &run.policy.actor.mlp;
  assert_int_equal(mlp->dim[mlp->L], run.policy.A);
  assert_int_equal(mlp->nextra, run.policy.A);
  rl_run_free(&run);
}

// ---------------------------------------------------------------- windows

enum { STEPS = 150, N = 3, O = 9 };

// What every vector step began with, gave and led to, noted beside the buffer.
static struct {
  float obs[STEPS + 1][N][O], next_obs[STEPS][N][O], rew[STEPS][N];
  bool terminated[STEPS][N], truncated[STEPS][N];
} seen;

// How a drawn step becomes a transition.
typedef struct {
  int n_step;
  bool bootstrap, final, steps_taken;
} Rules;

static const Rules shipped = {1, true, true, true}, three = {3, true, true, true};

// Falling double pendulums with a short clock; the ring holds the last 80 of 150 vector steps.
static void play(const char *set, const char *more) {
  START_SAC(&run, "env.id=InvertedDoublePendulum-v5", "env.max_episode_steps=7", "env.n_envs=3",
            "sac.buffer_size=240", NO_UPDATES, set, more);
  assert_int_equal(run.env.O, O);
  int ended[2] = {0};
  for (int t = 0; t < STEPS; t++) {
    memcpy(seen.obs[t], run.env.obs, sizeof seen.obs[t]);
    rl_explorer_step(&run.explorer, true);
    memcpy(seen.next_obs[t], run.env.next_obs, sizeof seen.next_obs[t]);
    memcpy(seen.rew[t], run.env.rew, sizeof seen.rew[t]);
    for (int n = 0; n < N; n++) {
      seen.terminated[t][n] = run.env.terminated[n];
      seen.truncated[t][n] = run.env.truncated[n] && !run.env.terminated[n];
      ended[0] += t > STEPS - 80 && seen.terminated[t][n];
      ended[1] += t > STEPS - 80 && seen.truncated[t][n];
    }
  }
  memcpy(seen.obs[STEPS], run.env.obs, sizeof seen.obs[0]);
  assert_true(ended[0] > 3 && ended[1] > 3);
}

// the vector step that lies in a slot
static int step_of(int64_t slot) {
  int t = STEPS - 1;
  while (t % 80 != slot / N) t--;
  return t;
}

// Whether row r of the minibatch is the transition by these rules, from what was noted.
static bool row_follows(int r, const Rules *rules) {
  const RlSacBatch *batch = &run.sac.batch;
  int first = step_of(batch->slot[r]), n = (int)(batch->slot[r] % N), t = first;
  double ret = 0, weight = 1;
  while (true) {
    ret += weight * (double)seen.rew[t][n];
    weight *= 0.99;
    bool end = seen.terminated[t][n] || seen.truncated[t][n];
    if (end || t - first + 1 == rules->n_step || t == STEPS - 1) break;
    t++;
  }
  if (!rules->steps_taken) weight = pow(0.99, rules->n_step);
  bool ended = seen.terminated[t][n] || (seen.truncated[t][n] && !rules->bootstrap);
  const float *next =
      seen.truncated[t][n] && rules->final ? seen.next_obs[t][n] : seen.obs[t + 1][n];
  bool same = fabs((double)batch->ret[r] - ret) < 1e-5 * fmax(1, ret) &&
              fabs((double)batch->discount[r] - (ended ? 0 : weight)) < 1e-6;
  for (int i = 0; i < O; i++) {
    same &= (double)batch->obs[r * O + i] == (double)seen.obs[first][n][i];
    same &= ended || (double)batch->next_obs[r * O + i] == (double)next[i];
  }
  return same;
}

// Whether every row of ten minibatches is; the run goes with it.
static bool follows(const Rules *rules) {
  bool all = true;
  for (int k = 0; k < 10; k++) {
    rl_sac_draw(&run.sac, &run.replay, &run.policy.norm);
    for (int r = 0; r < 64; r++) all &= row_follows(r, rules);
  }
  return all;
}

// rewards are summed for n_step steps, or as many as there are before an end or the newest step
static void test_n_step_window(void **state) {
  (void)state;
  play("sac.n_step=3", "run.seed=3");
  assert_true(follows(&three));
  assert_false(follows(&shipped));
  rl_run_free(&run);
  play("sac.n_step=1", "run.seed=3");
  assert_true(follows(&shipped));
  assert_false(follows(&three));
  rl_run_free(&run);
}

static void check_switch(const char *key, const char *more, const Rules *on, const Rules *off) {
  char set[64];
  snprintf(set, sizeof set, "%s=true", key);
  play(set, more);
  assert_true(follows(on));
  assert_false(follows(off));
  rl_run_free(&run);
  snprintf(set, sizeof set, "%s=false", key);
  play(set, more);
  assert_true(follows(off));
  assert_false(follows(on));
  rl_run_free(&run);
}

// gamma to the steps the window took, not to n_step
static void test_discount_steps_taken(void **state) {
  (void)state;
  const Rules off = {3, true, true, false};
  check_switch("sac.discount_steps_taken", "sac.n_step=3", &three, &off);
}

// behind a time limit stands the episode's own last observation
static void test_replay_final_observation(void **state) {
  (void)state;
  const Rules off = {1, true, false, true}, off_three = {3, true, false, true};
  check_switch("sac.final_observation", "sac.n_step=1", &shipped, &off);
  check_switch("sac.final_observation", "sac.n_step=3", &three, &off_three);
}

static void test_replay_bootstrap_truncated(void **state) {
  (void)state;
  const Rules off = {1, false, true, true};
  check_switch("sac.bootstrap_truncated", "sac.n_step=1", &shipped, &off);
}

// what follows the newest step is the environments' present, not the oldest row of the ring
static void test_write_head(void **state) {
  (void)state;
  play("sac.n_step=3", "run.seed=3");
  int newest = 0;
  for (int k = 0; k < 20; k++) {
    rl_sac_draw(&run.sac, &run.replay, &run.policy.norm);
    for (int r = 0; r < 64; r++) {
      if (step_of(run.sac.batch.slot[r]) < STEPS - 2) continue;
      assert_true(row_follows(r, &three));
      newest++;
    }
  }
  assert_true(newest > 20);
  rl_run_free(&run);
}

// Mean target of the critics of a pendulum that never falls, reward 1, cut every third step,
// learnt. The clip hides the state, so that the critics cannot err on observations they never
// learnt.
static double learnt_target(const char *set) {
  RlSacStats stats;
  START_SAC(&run, "env.id=InvertedPendulum-v5", "env.max_episode_steps=3", "env.frame_skip=1",
            "sac.gamma=0.8", "sac.ent_coef=0", "normalize.obs=true", "normalize.clip_obs=1e-6",
            "sac.learning_rate=0.003", "sac.tau=0.1", "sac.learning_starts=400", set);
  detail_sac_run(&run, 400);
  for (int i = 0; i < 1600; i++) assert_true(i >= 400 || run.replay.rew[i] == 1);
  for (int k = 0; k < 500; k++) detail_sac_update(&run, &stats);
  double sum = 0;
  for (int r = 0; r < 64; r++) {
    const SacRow at = sac_row(&run.sac, r);
    sum += (double)at.block->y[at.r] / 64;
  }
  rl_run_free(&run);
  return sum;
}

// the value of an endless stream of ones is 1 / (1 - gamma) however often the clock cuts it
static void test_endless_ones(void **state) {
  (void)state;
  assert_near(learnt_target("sac.bootstrap_truncated=true"), 5, 0.05);
  assert_true(learnt_target("sac.bootstrap_truncated=false") < 3);
}

// ---------------------------------------------------------------- diverged physics

// A step of diverged physics is never drawn, cuts the window before it and leaves the moments
// alone; counted as a termination it does neither.
static void test_replay_diverged_dropped(void **state) {
  (void)state;
  for (int on = 1; on >= 0; on--) {
    START_SAC(&run, "sac.n_step=3", "normalize.obs=true", NO_UPDATES,
              on ? "sac.drop_diverged=true" : "sac.drop_diverged=false");
    const int lost = 20 * 4 + 1;
    for (int t = 0; t < 40; t++) {
      double *physics = mjb_state(run.env.batch) + mjb_nstate(run.env.batch);
      if (t == 20) physics[1 + run.env.m->nq] = 1e12;
      rl_explorer_step(&run.explorer, true);
    }
    assert_int_equal(run.env.ndiverged, 1);
    assert_int_equal(run.replay.end[lost], on ? RL_REPLAY_LOST : RL_REPLAY_TERMINATED);
    assert_int_equal(rl_replay_count(&run.replay), 160 - on);
    assert_near(run.policy.norm.count, 160 - on, 0);
    int drawn = 0, before = 0;
    for (int k = 0; k < 40; k++) {
      rl_sac_draw(&run.sac, &run.replay, &run.policy.norm);
      for (int r = 0; r < 64; r++) {
        drawn += run.sac.batch.slot[r] == lost;
        if (run.sac.batch.slot[r] != lost - 4) continue;
        // one step and its own last observation, or two and a termination
        assert_near(run.sac.batch.discount[r], on ? 0.99 : 0, 1e-6);
        before++;
      }
    }
    assert_true(before > 0 && (drawn > 0) == !on);
    rl_run_free(&run);
  }
}

// ---------------------------------------------------------------- moments and schedule

// largest gap between a minibatch's observations and what the ring holds by these moments
static double moments_gap(const RlNormalizer *norm, const double *mean, const double *m2,
                          double count) {
  const RlSacBatch *batch = &run.sac.batch;
  double worst = 0;
  rl_sac_draw(&run.sac, &run.replay, norm);
  for (int r = 0; r < 64; r++) {
    const float *obs = run.replay.obs + batch->slot[r] * 10;
    for (int i = 0; i < 10; i++) {
      double x =
          count > 0 ? ((double)obs[i] - mean[i]) / sqrt(m2[i] / count + 1e-8) : (double)obs[i];
      // Reacher's last component is all but constant
      if (count > 0) x = fmax(-10, fmin(10, x));
      worst = fmax(worst, fabs((double)batch->obs[r * 10 + i] - x));
    }
  }
  return worst;
}

// the ring holds raw observations; a minibatch sees them by the moments of all steps up to now
static void test_normalised_on_sampling(void **state) {
  (void)state;
  double mean[10], m2[10];
  for (int on = 1; on >= 0; on--) {
    START_SAC(&run, NO_UPDATES, on ? "normalize.obs=true" : "normalize.obs=false");
    const RlNormalizer *norm = &run.policy.norm;
    detail_sac_run(&run, 100);
    memcpy(mean, norm->mean, sizeof mean);
    memcpy(m2, norm->m2, sizeof m2);
    assert_near(norm->count, on ? 100 : 0, 0);
    if (on) assert_true(moments_gap(norm, mean, m2, 100) < 1e-3);
    if (!on) assert_true(moments_gap(norm, mean, m2, 0) == 0);
    detail_sac_run(&run, 600);
    assert_near(norm->count, on ? 600 : 0, 0);
    if (on) assert_true(moments_gap(norm, norm->mean, norm->m2, 600) < 1e-3);
    if (on) assert_true(moments_gap(norm, mean, m2, 100) > 0.05);
    if (!on) assert_true(moments_gap(norm, mean, m2, 0) == 0);
    rl_run_free(&run);
  }
}

// environment steps count, whichever number of environments takes them
static void test_updates_per_step(void **state) {
  (void)state;
  static const char *const envs[] = {"env.n_envs=1", "env.n_envs=4", "env.n_envs=8"};
  for (int k = 0; k < 3; k++) {
    START_SAC(&run, envs[k], "sac.train_freq=1");
    detail_sac_run(&run, 280);
    assert_int_equal(run.counters.updates, 80);
    rl_run_free(&run);
    START_SAC(&run, envs[k], "sac.train_freq=16", "sac.gradient_steps=3");
    detail_sac_run(&run, 280);
    // multiples of 16 in (200, 280]: 208, 224, 240, 256, 272
    assert_int_equal(run.counters.updates, 15);
    rl_run_free(&run);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_uniform_warm_up),
      SCRATCH_TEST(test_squashed_action),
      SCRATCH_TEST(test_squashed_action_stored),
      SCRATCH_TEST(test_state_dependent_log_sigma),
      SCRATCH_TEST(test_n_step_window),
      SCRATCH_TEST(test_discount_steps_taken),
      SCRATCH_TEST(test_replay_final_observation),
      SCRATCH_TEST(test_replay_bootstrap_truncated),
      SCRATCH_TEST(test_write_head),
      SCRATCH_TEST(test_endless_ones),
      SCRATCH_TEST(test_replay_diverged_dropped),
      SCRATCH_TEST(test_normalised_on_sampling),
      SCRATCH_TEST(test_updates_per_step),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
