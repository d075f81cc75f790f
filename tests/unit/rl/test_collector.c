// The collector against a plain loop that steps one vector environment by hand, and what becomes of
// steps whose physics diverged.
#include "tests/unit/rl/detail.h"

static RlRun run, twin;

static void test_episodes(void **state) {
  (void)state;
  START(&run, "ppo.n_steps=120", "env.max_episode_steps=10", "ppo.batch_size=32");
  RlEpisodes *e = &run.episodes;
  assert_true(isnan(rl_episodes_mean(e, e->ret)));
  detail_collect(&run, NULL);
  // 4 environments x 12 episodes
  assert_int_equal(e->count, 48);
  assert_near(rl_episodes_mean(e, e->length), 10, 0);
  double sum = 0;
  for (int i = 0; i < detail_rows(&run); i++) sum += (double)run.rollout.raw_rew[i];
  assert_near(rl_episodes_mean(e, e->ret), sum / 48, 1e-6);
  detail_collect(&run, NULL);
  detail_collect(&run, NULL);
  assert_int_equal(e->count, 144);
  assert_near(rl_episodes_mean(e, e->length), 10, 0);
  // the window holds the last hundred: the last 44 and those before
  sum = 0;
  for (int i = 0; i < RL_EPISODE_WINDOW; i++) sum += e->ret[i] / RL_EPISODE_WINDOW;
  assert_near(rl_episodes_mean(e, e->ret), sum, 1e-12);
  rl_run_free(&run);
}

// Steps the twin's environment by hand and compares row t of the rollout with it.
static void replay_step(const RlRollout *r, int t, int *nfinal) {
  RlVecEnv *env = &twin.env;
  int O = env->O, A = env->A;
  RlGaussian g;
  rl_actor_gaussian(&twin.policy.actor, &g);
  RlReal obs[4 * 10], mean[4 * 2], act[4 * 2], last[10];
  float given[4 * 2];
  rl_normalizer_forward(&twin.policy.norm, obs, env->obs, 4);
  assert_memory_equal(obs, r->obs + t * 4 * O, sizeof obs);
  for (int n = 0; n < 4; n++) {
    int row = t * 4 + n;
    memcpy(mean + n * A, rl_actor_mean(&twin.policy.actor, obs + n * O, 1), sizeof(RlReal) * 2);
    rl_gaussian_sample(&g, act + n * A, mean + n * A, &twin.collector.act_rng[n]);
    RlReal logp = rl_gaussian_log_prob(&g, NULL, act + n * A, mean + n * A);
    assert_true(logp == r->logp[row]);
  }
  assert_memory_equal(act, r->act + t * 4 * A, sizeof act);
  assert_memory_equal(mean, r->mean + t * 4 * A, sizeof mean);
  for (int i = 0; i < 8; i++) given[i] = (float)act[i];
  rl_vecenv_step(env, given);
  for (int n = 0; n < 4; n++) {
    int row = t * 4 + n;
    assert_true(r->raw_rew[row] == env->rew[n] && !r->lost[row]);
    assert_int_equal(r->terminated[row], env->terminated[n]);
    assert_int_equal(r->truncated[row], env->truncated[n] && !env->terminated[n]);
    if (!r->truncated[row]) continue;
    rl_normalizer_forward(&twin.policy.norm, last, env->next_obs + n * O, 1);
    assert_int_equal(r->final_row[*nfinal], row);
    assert_memory_equal(r->final_obs + *nfinal * O, last, sizeof last);
    ++*nfinal;
  }
}

static void test_replay(void **state) {
  (void)state;
  START(&run, "env.max_episode_steps=13");
  START(&twin, "env.max_episode_steps=13");
  for (int again = 0; again < 2; again++) {
    RlReal last[4 * 10];
    int nfinal = 0;
    detail_collect(&run, NULL);
    for (int t = 0; t < 32; t++) replay_step(&run.rollout, t, &nfinal);
    assert_int_equal(nfinal, run.rollout.nfinal);
    rl_normalizer_forward(&twin.policy.norm, last, twin.env.obs, 4);
    assert_memory_equal(last, run.rollout.last_obs, sizeof last);
  }
  rl_run_free(&run);
  rl_run_free(&twin);
}

// every environment's noise is its own
static void test_noise_apart(void **state) {
  (void)state;
  START(&run, "run.seed=7");
  detail_collect(&run, NULL);
  const RlRollout *r = &run.rollout;
  for (int t = 0; t < 32; t++) {
    RlReal noise[4];
    for (int n = 0; n < 4; n++) noise[n] = r->act[(t * 4 + n) * 2] - r->mean[(t * 4 + n) * 2];
    for (int n = 1; n < 4; n++) assert_true(fabs((double)noise[n] - (double)noise[0]) > 1e-5);
  }
  rl_run_free(&run);
}

static int ticks;

static void count_tick(void *arg, int t) {
  assert_ptr_equal(arg, &run);
  assert_int_equal(t, ticks++);
}

static void test_tick(void **state) {
  (void)state;
  START(&run, "run.seed=5");
  ticks = 0;
  detail_collect(&run, count_tick);
  assert_int_equal(ticks, 32);
  assert_true(run.collector.infer_seconds > 0);
  rl_run_free(&run);
}

// however long the segments in which environments go on by themselves: the same rollout
static void test_segments(void **state) {
  (void)state;
  const int capacity[] = {1, 5, 9};
  START(&run, "env.max_episode_steps=9");
  assert_int_equal(run.collector.segment.capacity, 9);
  detail_collect(&run, NULL);
  int rows = detail_rows(&run), O = run.rollout.O, A = run.rollout.A;
  for (int i = 0; i < 3; i++) {
    START(&twin, "env.max_episode_steps=9", "run.threads=3");
    twin.collector.segment.capacity = capacity[i];
    detail_collect(&twin, NULL);
#define SAME(field, n) assert_memory_equal(run.field, twin.field, (size_t)(n) * sizeof *run.field)
    SAME(rollout.obs, rows * O);
    SAME(rollout.act, rows * A);
    SAME(rollout.logp, rows);
    SAME(rollout.raw_rew, rows);
    SAME(rollout.truncated, rows);
    SAME(rollout.next_value, rows);
    SAME(rollout.final_obs, run.rollout.nfinal * O);
    SAME(policy.norm.batch_m2, O);
    SAME(episodes.ret, run.episodes.count);
#undef SAME
    assert_int_equal(run.rollout.nfinal, twin.rollout.nfinal);
    rl_run_free(&twin);
  }
  assert_int_equal(run.rollout.nfinal, 12);
  rl_run_free(&run);
}

// many environments get segments of one step, long episodes no longer ones than 4096 steps in all
static void test_segment_length(void **state) {
  (void)state;
  static const int want[][3] = {{5000, 100, 1}, {100, 1000, 40}, {100, 7, 7}};
  for (int k = 0; k < 3; k++) {
    RlArena arena = {0};
    RlVecEnv env = {.N = want[k][0], .O = 1, .A = 1, .options.max_episode_steps = want[k][1]};
    RlCollector collector = {0};
    RlPpoOptions options = {0};
    rl_collector_init(&collector, &arena, &env, NULL, NULL, NULL, &options, 1);
    assert_int_equal(collector.segment.capacity, want[k][2]);
    rl_arena_free(&arena);
  }
}

// the warm-up counts its rows, and leaves the streams of training and the return scale alone
static void test_warmup(void **state) {
  (void)state;
  START(&run, "normalize.warmup_steps=399");
  START(&twin, "normalize.warmup_steps=0");
  assert_near(run.policy.norm.count, 400, 0);
  assert_near(twin.policy.norm.count, 0, 0);
  assert_memory_equal(run.collector.act_rng, twin.collector.act_rng, 4 * sizeof(RlRng));
  assert_memory_equal(run.env.rng, twin.env.rng, 4 * sizeof(RlRng));
  assert_memory_equal(run.env.obs, twin.env.obs, 40 * sizeof(float));
  assert_int_equal(run.episodes.count, 0);
  rl_run_free(&run);
  rl_run_free(&twin);
}

// a control that is no number makes every step of the warm-up diverge: none counts
static void test_warmup_diverged(void **state) {
  (void)state;
  START(&run, "normalize.warmup_steps=0");
  run.env.ctrl_mid[0] = NAN;
  rl_collector_warmup(&run.collector, 5, 1);
  assert_int_equal(run.env.ndiverged, 20);
  assert_near(run.policy.norm.count, 0, 0);
  rl_run_free(&run);
}

// what falls over at its time limit is terminated: nothing is bootstrapped there
static void test_both_ends(void **state) {
  (void)state;
  START(&run, "env.id=Hopper-v5", "env.healthy_z_range=10, inf", "env.max_episode_steps=1");
  detail_collect(&run, NULL);
  for (int i = 0; i < detail_rows(&run); i++) {
    assert_true(run.rollout.terminated[i] && !run.rollout.truncated[i]);
  }
  assert_int_equal(run.rollout.nfinal, 0);
  assert_int_equal(run.episodes.count, detail_rows(&run));
  rl_run_free(&run);
}

// environment 1 is sent flying at these steps
static bool broken[40];

static void break_physics(void *arg, int t) {
  RlRun *r = arg;
  if (!broken[t + 1]) return;
  double *state = mjb_state(r->env.batch) + mjb_nstate(r->env.batch);
  state[1 + r->env.m->nq] = 1e12;
}

static void collect_broken(int first, int second) {
  memset(broken, 0, sizeof broken);
  broken[first] = broken[second] = true;
  START(&run, "env.max_episode_steps=9");
  if (broken[0]) break_physics(&run, -1);
  detail_collect(&run, break_physics);
}

static void check_lost(int t, bool lost, bool truncated, bool terminated) {
  int row = t * 4 + 1;
  assert_int_equal(run.rollout.lost[row], lost);
  assert_int_equal(run.rollout.truncated[row], truncated);
  if (!lost) assert_int_equal(run.rollout.terminated[row], terminated);
}

// two in a row, the first step of a batch, its last, and the step after a time limit
static void test_lost(void **state) {
  (void)state;
  collect_broken(4, 5);
  check_lost(3, false, true, false);
  check_lost(4, true, false, false);
  check_lost(5, true, false, false);
  check_lost(6, false, false, false);
  rl_run_free(&run);
  collect_broken(0, 31);
  check_lost(0, true, false, false);
  check_lost(30, false, true, false);
  check_lost(31, true, false, false);
  RlPpoStats stats;
  rl_ppo_update(&run.ppo, &run.rollout, &stats);
  assert_true(isfinite(stats.value_loss) && stats.skipped == 0);
  rl_run_free(&run);
  collect_broken(9, 9);
  check_lost(8, false, true, false);
  // its bootstrap stays that of its own last observation, not that of the lost step's
  assert_true(run.rollout.final_row[0] == 8 * 4 && run.rollout.final_row[1] == 8 * 4 + 1);
  RlReal value;
  RlArena arena = {0};
  RlMlpWork work;
  rl_mlp_work_init(&work, &arena, &run.policy.critic[0], 1, 0);
  rl_mlp_forward(&run.policy.critic[0], &work, run.rollout.final_obs + 10, 1);
  value = work.y[run.policy.critic[0].L][0];
  assert_true(run.rollout.next_value[8 * 4 + 1] == value);
  rl_arena_free(&arena);
  rl_run_free(&run);
}

// a policy that gives NaN loses every step and learns nothing, and the run goes on
static void test_all_lost(void **state) {
  (void)state;
  START(&run, "run.seed=4");
  RlMlp *mlp = &run.policy.actor.mlp;
  double count = run.policy.norm.count;
  mlp->b[mlp->L - 1][0] = (RlReal)NAN;
  RlPpoStats stats;
  rl_train_ppo_iterate(&run, &stats);
  for (int i = 0; i < detail_rows(&run); i++) assert_true(run.rollout.lost[i]);
  assert_int_equal(run.counters.diverged, detail_rows(&run));
  assert_int_equal(stats.updates, 0);
  assert_near(run.policy.norm.count, count, 0);
  assert_true(isfinite(run.policy.norm.mean[0]) && run.policy.scale.moments.count == 0);
  rl_run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SCRATCH_TEST(test_episodes),
      SCRATCH_TEST(test_replay),
      SCRATCH_TEST(test_tick),
      SCRATCH_TEST(test_segments),
      SCRATCH_TEST(test_noise_apart),
      SCRATCH_TEST(test_warmup),
      SCRATCH_TEST(test_both_ends),
      SCRATCH_TEST(test_warmup_diverged),
      SCRATCH_TEST(test_lost),
      SCRATCH_TEST(test_all_lost),
      cmocka_unit_test(test_segment_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
