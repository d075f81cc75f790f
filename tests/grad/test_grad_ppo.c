// The complete policy and value losses of PPO in the double build, through the networks to every
// parameter, against centred differences of the loss's value: surrogate with joint and
// per-dimension ratio, entropy bonus, KL penalty, log sigma on both sides of its clamp, value loss
// with and without clip. Rows lie on both sides of every kink, none of them near one.
#include "rl/algo/actor.h"
#include "rl/algo/ppo_loss.h"
#include "tests/grad/grad.h"

enum { O = 5, A = 4, ROWS = 60 };

typedef struct {
  RlArena arena;
  RlPpoOptions o;
  RlActor actor;
  RlMlp critic;
  RlMlpWork work, value_work;
  RlGaussian g, old;
  RlPpoLoss loss;
  double *obs, *act, *old_mean, *old_logp, *adv, *old_value, *ret;
  double *dpolicy, *dcritic;
} Case;

static void evaluate(Case *c) {
  rl_mlp_forward(&c->actor.mlp, &c->work, c->obs, ROWS);
  rl_actor_gaussian(&c->actor, &c->g);
}

static double *means(Case *c) {
  return c->work.y[c->actor.mlp.L];
}

// the rows' surrogates, less the entropy, plus the KL, by the functions' own values
static double policy_loss(void *arg) {
  Case *c = arg;
  RlPpoSums sums = {0};
  double ignored[A] = {0}, dmean[ROWS * A], kl = 0;
  evaluate(c);
  rl_ppo_loss_policy(&c->loss, dmean, ignored, &sums, c->act, means(c), c->old_mean, c->old_logp,
                     c->adv, ROWS);
  for (int r = 0; r < ROWS; r++) {
    kl += rl_gaussian_kl(&c->g, means(c) + r * A, &c->old, c->old_mean + r * A);
  }
  double entropy = rl_gaussian_entropy(&c->g);
  return c->loss.weight * (sums.policy_loss + c->o.kl_coef * kl - c->o.ent_coef * ROWS * entropy);
}

static void policy_backward(Case *c) {
  RlMlp *mlp = &c->actor.mlp;
  RlPpoSums sums = {0};
  evaluate(c);
  rl_ppo_loss_policy(&c->loss, c->work.dy[mlp->L], c->dpolicy + (mlp->extra - mlp->param), &sums,
                     c->act, means(c), c->old_mean, c->old_logp, c->adv, ROWS);
  rl_mlp_backward(mlp, &c->work, ROWS, c->dpolicy);
}

static double value_loss(void *arg) {
  Case *c = arg;
  RlPpoSums sums = {0};
  double dvalue[ROWS];
  rl_mlp_forward(&c->critic, &c->value_work, c->obs, ROWS);
  rl_ppo_loss_value(&c->loss, dvalue, &sums, c->value_work.y[c->critic.L], c->old_value, c->ret,
                    ROWS);
  return c->loss.weight * c->o.vf_coef * sums.value_loss;
}

static void value_backward(Case *c) {
  RlPpoSums sums = {0};
  value_loss(c);
  rl_ppo_loss_value(&c->loss, c->value_work.dy[c->critic.L], &sums, c->value_work.y[c->critic.L],
                    c->old_value, c->ret, ROWS);
  rl_mlp_backward(&c->critic, &c->value_work, ROWS, c->dcritic);
}

static void move(double *x, int n, double size, RlRng *rng) {
  for (int i = 0; i < n; i++) x[i] += size * rl_rng_normal(rng);
}

static double *draw(Case *c, int n, double size, RlRng *rng) {
  double *x = RL_PUSH(&c->arena, double, n);
  move(x, n, size, rng);
  return x;
}

// What the policy that acted did, and how likely it was.
static void act_as_old(Case *c, RlRng *rng) {
  evaluate(c);
  c->old = c->g;
  memcpy(c->old_mean, means(c), ROWS * A * sizeof(double));
  for (int r = 0; r < ROWS; r++) {
    rl_gaussian_sample(&c->old, c->act + r * A, c->old_mean + r * A, rng);
    c->old_logp[r] = rl_gaussian_log_prob(&c->old, NULL, c->act + r * A, c->old_mean + r * A);
  }
}

static void value_as_old(Case *c, RlRng *rng) {
  c->old_value = RL_PUSH(&c->arena, double, ROWS);
  c->ret = draw(c, ROWS, 1, rng);
  c->loss = (RlPpoLoss){.o = &c->o};
  value_loss(c);
  memcpy(c->old_value, c->value_work.y[c->critic.L], ROWS * sizeof(double));
}

// The networks that acted, then the same networks some updates later.
static void make(Case *c, int ratio) {
  RlConfig config;
  RlRng rng;
  memset(c, 0, sizeof *c);
  rl_rng_init(&rng, 17, RL_STREAM_INIT, 0);
  rl_config_default(&config);
  RlPolicyOptions *o = &config.policy;
  o->hidden_actor = o->hidden_critic = (RlDims){2, {9, 7}};
  o->actor_gain = 1;
  o->log_std_min = -0.8;
  o->log_std_max = 0;
  c->o = (RlPpoOptions){.ratio = ratio, .vf_coef = 0.7};
  rl_actor_init(&c->actor, &c->arena, &config, O, A, ROWS);
  rl_actor_draw(&c->actor, o, &rng);
  rl_mlp_init(&c->critic, &c->arena, O, &o->hidden_critic, 1, o->activation, 0);
  rl_mlp_draw(&c->critic, RL_INIT_ORTHOGONAL, 1, &rng);
  rl_mlp_work_init(&c->work, &c->arena, &c->actor.mlp, ROWS, 1);
  rl_mlp_work_init(&c->value_work, &c->arena, &c->critic, ROWS, 1);
  c->dpolicy = RL_PUSH(&c->arena, double, c->actor.mlp.nparam);
  c->dcritic = RL_PUSH(&c->arena, double, c->critic.nparam);
  c->obs = draw(c, ROWS * O, 1, &rng);
  c->act = RL_PUSH(&c->arena, double, ROWS *A);
  c->old_mean = RL_PUSH(&c->arena, double, ROWS *A);
  c->old_logp = RL_PUSH(&c->arena, double, ROWS);
  c->adv = draw(c, ROWS, 1, &rng);
  act_as_old(c, &rng);
  value_as_old(c, &rng);
  // every log sigma on a side of its own: below the clamp, just inside, just inside, above
  static const double moved[A] = {-0.9, -0.799, -0.001, 0.1};
  move(c->actor.mlp.param, c->actor.mlp.nparam, 0.03, &rng);
  memcpy(c->actor.mlp.extra, moved, sizeof moved);
  move(c->critic.param, c->critic.nparam, 0.05, &rng);
  rl_mlp_pack(&c->actor.mlp);
  rl_mlp_pack(&c->critic);
  c->loss = (RlPpoLoss){&c->o, 0.2, 1.0 / 64, &c->g, &c->old};
}

// rows on each side of each kink, and none so near that a difference would straddle it
typedef struct {
  int held, freed, inside;
  double margin;
} Sides;

static void count(Sides *s, double ratio, double adv) {
  bool outside = fabs(ratio - 1) > 0.2;
  s->margin = fmin(s->margin, fabs(fabs(ratio - 1) - 0.2));
  if (!outside) {
    s->inside++;
  } else if ((ratio > 1) == (adv > 0)) {
    s->held++;
  } else {
    s->freed++;
  }
}

static Sides policy_sides(Case *c) {
  Sides s = {.margin = 1};
  evaluate(c);
  for (int r = 0; r < ROWS; r++) {
    double now[A], then[A];
    double *a = c->act + r * A;
    double joint = rl_gaussian_log_prob(&c->g, now, a, means(c) + r * A) - c->old_logp[r];
    rl_gaussian_log_prob(&c->old, then, a, c->old_mean + r * A);
    if (c->o.ratio == RL_RATIO_JOINT) count(&s, exp(joint), c->adv[r]);
    for (int i = 0; i < A && c->o.ratio != RL_RATIO_JOINT; i++) {
      count(&s, exp(now[i] - then[i]), c->adv[r]);
    }
  }
  return s;
}

static void check_policy(int ratio, double ent_coef, double kl_coef) {
  Case c;
  make(&c, ratio);
  c.o.ent_coef = ent_coef;
  c.o.kl_coef = kl_coef;
  Sides s = policy_sides(&c);
  assert_true(s.held > 5 && s.freed > 5 && s.inside > 5);
  assert_true(s.margin > 1e-4);
  policy_backward(&c);
  const RlMlp *mlp = &c.actor.mlp;
  const double *dlog_sigma = c.dpolicy + (mlp->extra - mlp->param);
  assert_true(dlog_sigma[0] == 0 && dlog_sigma[3] == 0);
  assert_true(dlog_sigma[1] != 0 && dlog_sigma[2] != 0);
  check_gradient(mlp->param, c.dpolicy, mlp->nparam, policy_loss, &c);
  rl_arena_free(&c.arena);
}

static void test_policy_joint(void **state) {
  (void)state;
  check_policy(RL_RATIO_JOINT, 0, 0);
  check_policy(RL_RATIO_JOINT, 0.3, 0);
  check_policy(RL_RATIO_JOINT, 0, 0.4);
  check_policy(RL_RATIO_JOINT, 0.3, 0.4);
}

static void test_policy_per_dimension(void **state) {
  (void)state;
  check_policy(RL_RATIO_PER_DIMENSION, 0, 0);
  check_policy(RL_RATIO_PER_DIMENSION, 0.3, 0.4);
}

// with every row beyond the clip on the side that holds, nothing but the entropy is left
static void test_policy_all_held(void **state) {
  (void)state;
  Case c;
  make(&c, RL_RATIO_JOINT);
  c.o.ent_coef = 0.3;
  evaluate(&c);
  for (int r = 0; r < ROWS; r++) {
    double logp = rl_gaussian_log_prob(&c.g, NULL, c.act + r * A, means(&c) + r * A);
    c.old_logp[r] = logp - (r % 2 ? 0.5 : -0.5);
    c.adv[r] = r % 2 ? 1 + r : -1 - r;
  }
  policy_backward(&c);
  const RlMlp *mlp = &c.actor.mlp;
  for (int i = 0; i < mlp->nparam - A; i++) assert_true(c.dpolicy[i] == 0);
  check_gradient(mlp->param, c.dpolicy, mlp->nparam, policy_loss, &c);
  rl_arena_free(&c.arena);
}

static void check_value(double clip) {
  Case c;
  make(&c, RL_RATIO_JOINT);
  c.o.clip_range_vf = clip;
  value_backward(&c);
  int held = 0, passed = 0;
  for (int r = 0; r < ROWS; r++) {
    double value = c.value_work.y[c.critic.L][r], change = value - c.old_value[r];
    assert_true(fabs(fabs(change) - clip) > 1e-4);
    double slope = c.value_work.dy[c.critic.L][r];
    held += slope == 0;
    passed += slope != 0 && fabs(change) > clip;
  }
  assert_true(clip > 0 ? held > 5 && passed > 5 : held == 0);
  check_gradient(c.critic.param, c.dcritic, c.critic.nparam, value_loss, &c);
  rl_arena_free(&c.arena);
}

static void test_value(void **state) {
  (void)state;
  check_value(0);
  check_value(0.15);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_policy_joint),
      cmocka_unit_test(test_policy_per_dimension),
      cmocka_unit_test(test_policy_all_held),
      cmocka_unit_test(test_value),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
