// SAC: see sac.h. B = batch_size, x = (observation, action).
#include "rl/algo/sac.h"

#include <math.h>
#include <string.h>

#include "nets/gemm.h"
#include "nets/ops.h"
#include "rl/base/clock.h"

// ---------------------------------------------------------------- laying out

static int parts(int n, int size) {
  return (n + size - 1) / size;
}

// At least two blocks, even where one would do: a second thread has its half of every job.
static int block_size(int B) {
  int nblock = parts(B, RL_SAC_BLOCK);
  return parts(B, nblock < 2 ? 2 : nblock > RL_SAC_MAX_BLOCKS ? RL_SAC_MAX_BLOCKS : nblock);
}

int rl_sac_block_rows(const RlSac *sac, int b) {
  int left = sac->o->batch_size - b * sac->block;
  return left < sac->block ? left : sac->block;
}

// Parameters of a job of the optimiser.
enum { SLICE = 8192 };

static int slices(const RlSacNet *net) {
  return parts(net->mlp->nparam, SLICE);
}

static void net_init(RlSacNet *net, RlArena *arena, RlMlp *mlp, int nblock, double epsilon) {
  net->mlp = mlp;
  // detail: sac-adam-epsilon
  rl_adam_init(&net->adam, arena, mlp->nparam, epsilon);
  net->slot_grad = RL_PUSH(arena, RlReal, (size_t)nblock * (size_t)mlp->nparam);
  net->grad = RL_PUSH(arena, RlReal, mlp->nparam);
  net->square = RL_PUSH(arena, double, slices(net));
}

static void batch_init(RlSacBatch *batch, RlArena *arena, int B, int O, int A) {
  batch->slot = RL_PUSH(arena, int64_t, B);
  batch->obs = RL_PUSH(arena, RlReal, B * O);
  batch->next_obs = RL_PUSH(arena, RlReal, B * O);
  batch->act = RL_PUSH(arena, RlReal, B * A);
  batch->ret = RL_PUSH(arena, RlReal, B);
  batch->discount = RL_PUSH(arena, RlReal, B);
  batch->noise = RL_PUSH(arena, RlReal, B * A);
  batch->next_noise = RL_PUSH(arena, RlReal, B * A);
}

static void block_init(RlSac *sac, RlSacBlock *block, RlArena *arena) {
  int rows = sac->block, O = sac->O, A = sac->A;
  rl_mlp_work_init(&block->next_actor, arena, &sac->actor->mlp, rows, 0);
  rl_mlp_work_init(&block->actor, arena, &sac->actor->mlp, rows, 1);
  rl_squashed_work_init(&block->next_pi, arena, rows, A);
  rl_squashed_work_init(&block->pi, arena, rows, A);
  for (int c = 0; c < RL_SAC_CRITICS; c++) {
    rl_mlp_work_init(&block->target[c], arena, &sac->target[c], rows, 0);
    rl_mlp_work_init(&block->critic[c], arena, sac->critic[c], rows, 1);
  }
  block->next_x = RL_PUSH(arena, RlReal, rows * (O + A));
  block->x = RL_PUSH(arena, RlReal, rows * (O + A));
  block->y = RL_PUSH(arena, RlReal, rows);
  block->dact = RL_PUSH(arena, RlReal, rows * A);
  block->dq = RL_PUSH(arena, RlReal, rows * A);
  for (int c = 0; c < RL_SAC_CRITICS; c++) block->row[c] = RL_PUSH(arena, int, rows);
}

void rl_sac_init(RlSac *sac, RlArena *arena, RlPool *pool, const RlConfig *config, RlActor *actor,
                 RlMlp critic[RL_SAC_CRITICS]) {
  const RlSacOptions *o = sac->o = &config->sac;
  const RlPolicyOptions *p = &config->policy;
  uint64_t seed = (uint64_t)config->run.seed;
  int O = sac->O = actor->mlp.dim[0], A = sac->A = actor->A;
  sac->pool = pool;
  sac->actor = actor;
  sac->block = block_size(o->batch_size);
  sac->nblock = parts(o->batch_size, sac->block);
  net_init(&sac->actor_net, arena, &actor->mlp, sac->nblock, o->adam_epsilon);
  for (int c = 0; c < RL_SAC_CRITICS; c++) {
    sac->critic[c] = &critic[c];
    rl_mlp_init(&sac->target[c], arena, O + A, &p->hidden_critic, 1, p->activation, 0);
    net_init(&sac->critic_net[c], arena, sac->critic[c], sac->nblock, o->adam_epsilon);
    sac->critic_net[c].target = &sac->target[c];
    sac->critic_net[c].act_wt = RL_PUSH(arena, RlReal, A * critic[c].dim[1]);
  }
  rl_adam_init(&sac->alpha_adam, arena, 1, o->adam_epsilon);
  sac->log_alpha = (RlReal)log(o->ent_coef_init);
  // detail: target-entropy
  sac->target_entropy = o->target_entropy.is_auto ? -A : o->target_entropy.value;
  rl_rng_init(&sac->draw_rng, seed, RL_STREAM_REPLAY, 0);
  for (int b = 0; b < RL_SAC_MAX_BLOCKS; b++) {
    rl_rng_init(&sac->noise_rng[b], seed, RL_STREAM_LEARN, (uint64_t)b);
  }
  batch_init(&sac->batch, arena, o->batch_size, O, A);
  for (int b = 0; b < sac->nblock; b++) block_init(sac, &sac->blocks[b], arena);
}

double rl_sac_bytes(const RlConfig *config, int O, int A) {
  const RlPolicyOptions *p = &config->policy;
  int B = config->sac.batch_size;
  double width = 0;
  double nactor = rl_mlp_nparam(O, &p->hidden_actor, 2 * A);
  double ncritic = rl_mlp_nparam(O + A, &p->hidden_critic, 1);
  for (int l = 0; l < p->hidden_actor.n; l++) width += 3.0 * p->hidden_actor.dim[l];
  for (int l = 0; l < p->hidden_critic.n; l++) width += 6.0 * p->hidden_critic.dim[l];
  int blocks = parts(B, block_size(B));
  // a critic's target is three more: parameters and what is packed of them
  return sizeof(RlReal) *
         (nactor * (6 + blocks) + 2 * ncritic * (9 + blocks) + B * (width + 9.0 * (O + A)));
}

void rl_sac_start(RlSac *sac) {
  // detail: targets-start-as-critics
  for (int c = 0; c < RL_SAC_CRITICS; c++) {
    memcpy(sac->target[c].param, sac->critic[c]->param,
           (size_t)sac->critic[c]->nparam * sizeof(RlReal));
  }
  rl_sac_refresh(sac);
}

void rl_sac_refresh(RlSac *sac) {
  for (int c = 0; c < RL_SAC_CRITICS; c++) rl_mlp_pack_forward(&sac->target[c]);
}

double rl_sac_alpha(const RlSac *sac) {
  return sac->o->ent_coef.is_auto ? exp((double)sac->log_alpha) : sac->o->ent_coef.value;
}

// ---------------------------------------------------------------- jobs of an update

typedef struct {
  RlSac *sac;
  double alpha;   // as it was before the update
  RlReal weight;  // of a row: 1 / B
  int ncritic;
  bool move_targets;
  RlSacNet *net;  // nnet of one shape, whose step is under way
  int nnet;
} Update;

static void join(RlReal *x, const RlReal *obs, const RlReal *act, int rows, int O, int A) {
  for (int r = 0; r < rows; r++) {
    memcpy(x + r * (O + A), obs + r * O, (size_t)O * sizeof(RlReal));
    memcpy(x + r * (O + A) + O, act + r * A, (size_t)A * sizeof(RlReal));
  }
}

// pi for rows of observations: actions and their log-densities.
static void act(const RlActor *actor, RlMlpWork *work, RlSquashedWork *pi, const RlReal *obs,
                const RlReal *noise, int rows) {
  const RlMlp *mlp = &actor->mlp;
  rl_mlp_forward(mlp, work, obs, rows);
  rl_squashed_forward(&actor->squash, pi, work->y[mlp->L], noise, rows);
}

// The smaller one, or NaN if either is: fmin would take the other and say nothing.
static double least(double a, double b) {
  return b < a || isnan(b) ? b : a;
}

// y = coefficient R + gamma^k (min Q'(s', a') - alpha log pi(a'|s')), a' ~ pi(s').
static void target_block(const Update *u, int b) {
  RlSac *sac = u->sac;
  const RlSacOptions *o = sac->o;
  RlSacBlock *block = &sac->blocks[b];
  int O = sac->O, A = sac->A, rows = rl_sac_block_rows(sac, b), first = b * sac->block;
  const RlReal *obs = sac->batch.next_obs + first * O;
  act(sac->actor, &block->next_actor, &block->next_pi, obs, sac->batch.next_noise + first * A,
      rows);
  join(block->next_x, obs, block->next_pi.act, rows, O, A);
  for (int c = 0; c < u->ncritic; c++) {
    rl_mlp_forward(&sac->target[c], &block->target[c], block->next_x, rows);
  }
  for (int r = 0; r < rows; r++) {
    double q = (double)block->target[0].y[sac->target[0].L][r];
    // detail: clipped-double-q
    if (u->ncritic == 2) q = least(q, (double)block->target[1].y[sac->target[1].L][r]);
    // detail: entropy-at-the-bootstrap
    if (o->entropy_bootstrap) q -= u->alpha * (double)block->next_pi.logp[r];
    double discount = (double)sac->batch.discount[first + r];
    // detail: n-step-coefficient
    double reward = o->reward_scale * (double)sac->batch.ret[first + r];
    // detail: no-bootstrap-after-termination: selected, not multiplied
    block->y[r] = (RlReal)(discount != 0 ? reward + discount * q : reward);
  }
}

// pi(s) for alpha and the actor's step, and the critics' input.
static void policy_block(const Update *u, int b) {
  RlSac *sac = u->sac;
  RlSacBlock *block = &sac->blocks[b];
  int O = sac->O, A = sac->A, rows = rl_sac_block_rows(sac, b), first = b * sac->block;
  memset(&block->sums, 0, sizeof block->sums);
  const RlReal *obs = sac->batch.obs + first * O;
  act(sac->actor, &block->actor, &block->pi, obs, sac->batch.noise + first * A, rows);
  join(block->x, obs, sac->batch.act + first * A, rows, O, A);
  for (int r = 0; r < rows; r++) block->sums.logp += (double)block->pi.logp[r];
  for (int i = 0; i < rows * A; i++) {
    block->sums.sigma += (double)block->pi.sigma[i];
    block->sums.saturated += fabs((double)block->pi.act[i]) > 0.99;
  }
}

// Job: what the critics are to learn, or what the actor does now, of one block.
static void forward_job(void *arg, int job) {
  (job % 2 == 0 ? target_block : policy_block)(arg, job / 2);
}

// Job: one critic, one block: gradient of (Q - y)^2 / 2B.
static void critic_job(void *arg, int job) {
  const Update *u = arg;
  RlSac *sac = u->sac;
  int c = job % u->ncritic, b = job / u->ncritic, rows = rl_sac_block_rows(sac, b);
  RlSacBlock *block = &sac->blocks[b];
  RlSacNet *net = &sac->critic_net[c];
  RlMlpWork *work = &block->critic[c];
  RlReal *grad = net->slot_grad + (size_t)b * (size_t)net->mlp->nparam;
  rl_mlp_forward(net->mlp, work, block->x, rows);
  const RlReal *q = work->y[net->mlp->L];
  for (int r = 0; r < rows; r++) {
    double error = (double)q[r] - (double)block->y[r];
    work->dy[net->mlp->L][r] = (RlReal)error * u->weight;
    block->sums.critic_loss[c] += 0.5 * error * error;
    block->sums.q[c] += (double)q[r];
  }
  rl_mlp_backward(net->mlp, work, rows, grad);
}

// Gradient of -Q by the action through critic c, for the rows in which it is the smaller one. Only
// those rows are taken back: their activations are moved together first, in order.
static void value_backward(const Update *u, RlSacBlock *block, int c, const int *row, int n) {
  RlSac *sac = u->sac;
  RlMlp *critic = sac->critic[c];
  RlMlpWork *work = &block->critic[c];
  const int L = critic->L, A = sac->A;
  for (int l = 1; l < L; l++) {
    size_t width = (size_t)critic->dim[l];
    for (int i = 0; i < n; i++) {
      memmove(work->y[l] + (size_t)i * width, work->y[l] + (size_t)row[i] * width,
              width * sizeof(RlReal));
    }
  }
  for (int i = 0; i < n; i++) work->dy[L][i] = -u->weight;
  rl_mlp_backward(critic, work, n, NULL);
  rl_gemm_backward_input(block->dq, work->dy[1], sac->critic_net[c].act_wt, n, critic->dim[1], A);
  for (int i = 0; i < n; i++) {
    memcpy(block->dact + row[i] * A, block->dq + i * A, (size_t)A * sizeof(RlReal));
  }
}

// Gradient of -min Q by the action, over the block.
static void least_value_backward(const Update *u, RlSacBlock *block, int rows) {
  const int L = u->sac->critic[0]->L;
  const RlReal *q0 = block->critic[0].y[L], *q1 = block->critic[u->ncritic - 1].y[L];
  int n[RL_SAC_CRITICS] = {0};
  for (int r = 0; r < rows; r++) {
    int smaller = (double)q1[r] < (double)q0[r];
    block->sums.actor_loss -= least((double)q0[r], (double)q1[r]);
    block->row[smaller][n[smaller]++] = r;
  }
  for (int c = 0; c < u->ncritic; c++) value_backward(u, block, c, block->row[c], n[c]);
}

// Job: one block of the actor: gradient of (alpha log pi(a|s) - min Q(s, a)) / B, a ~ pi(s).
static void actor_job(void *arg, int b) {
  const Update *u = arg;
  RlSac *sac = u->sac;
  RlSacBlock *block = &sac->blocks[b];
  RlSacNet *net = &sac->actor_net;
  int O = sac->O, A = sac->A, rows = rl_sac_block_rows(sac, b), first = b * sac->block;
  RlReal *grad = net->slot_grad + (size_t)b * (size_t)net->mlp->nparam;
  for (int r = 0; r < rows; r++) {
    memcpy(block->x + r * (O + A) + O, block->pi.act + r * A, (size_t)A * sizeof(RlReal));
  }
  // detail: actor-sees-updated-critics
  for (int c = 0; c < u->ncritic; c++) {
    rl_mlp_forward(sac->critic[c], &block->critic[c], block->x, rows);
  }
  least_value_backward(u, block, rows);
  block->sums.actor_loss += u->alpha * block->sums.logp;
  rl_squashed_backward(&sac->actor->squash, &block->pi, block->actor.dy[net->mlp->L], block->dact,
                       (RlReal)u->alpha * u->weight, sac->batch.noise + first * A, rows);
  rl_mlp_backward(net->mlp, &block->actor, rows, grad);
}

// ---------------------------------------------------------------- jobs of the optimiser

typedef struct {
  RlSacNet *net;
  size_t first, n;
  int index;
} Slice;

static Slice slice_of(const Update *u, int job) {
  RlSacNet *net = &u->net[job % u->nnet];
  const int index = job / u->nnet, first = index * SLICE, left = net->mlp->nparam - first;
  return (Slice){net, (size_t)first, (size_t)(left < SLICE ? left : SLICE), index};
}

// Job: a slice of the gradient, summed over blocks.
static void sum_job(void *arg, int job) {
  const Update *u = arg;
  const Slice s = slice_of(u, job);
  RlReal *grad = s.net->grad + s.first;
  rl_slots_sum(grad, s.net->slot_grad + s.first, (size_t)s.net->mlp->nparam, u->sac->nblock, s.n);
  s.net->square[s.index] = rl_sum_squares(grad, s.n);
}

// Job: Adam on a slice, and the target's way to it.
static void move_job(void *arg, int job) {
  const Update *u = arg;
  const Slice s = slice_of(u, job);
  RlAdam *adam = &s.net->adam;
  RlReal *param = s.net->mlp->param + s.first;
  rl_adam_move(param, adam->m + s.first, adam->v + s.first, s.net->grad + s.first, &s.net->step,
               s.n);
  // detail: polyak-targets
  if (s.net->target && u->move_targets) {
    rl_polyak(s.net->target->param + s.first, param, u->sac->o->tau, s.n);
  }
}

// Job: what a network's products read beside its parameters, those forward or those backward.
static void pack_job(void *arg, int job) {
  const Update *u = arg;
  RlSacNet *net = &u->net[job % u->nnet];
  RlMlp *mlp = net->mlp;
  if (job < u->nnet) {
    rl_mlp_pack_backward(mlp);
    if (!net->act_wt) return;
    const int O = u->sac->O, A = u->sac->A, H = mlp->dim[1];
    rl_gemm_pack_transposed(net->act_wt, mlp->W[0] + (size_t)O * (size_t)H, A, H);
  } else {
    rl_mlp_pack_forward(mlp);
    if (net->target && u->move_targets) rl_mlp_pack_forward(net->target);
  }
}

static void sum_nets(Update *u, RlSacNet *net, int nnet) {
  u->net = net;
  u->nnet = nnet;
  rl_pool_run(u->sac->pool, nnet * slices(net), sum_job, u);
  for (int i = 0; i < nnet; i++) {
    double square = 0;
    for (int k = 0; k < slices(&net[i]); k++) square += net[i].square[k];
    net[i].grad_norm = sqrt(square);
  }
}

// Share of a network's gradient that is stepped on.
static double clip_scale(const RlSac *sac, const RlSacNet *net) {
  // detail: sac-gradient-clip: each network by its own norm
  return fmin(1, sac->o->max_grad_norm / (net->grad_norm + 1e-6));
}

static bool takes(const RlSac *sac, const RlSacNet *net) {
  return rl_adam_takes(net->grad_norm * clip_scale(sac, net));
}

// Steps the networks whose gradients sum_nets has summed.
static void step_nets(Update *u) {
  const RlSac *sac = u->sac;
  for (int i = 0; i < u->nnet; i++) {
    RlSacNet *net = &u->net[i];
    net->step = rl_adam_next(&net->adam, clip_scale(sac, net), sac->o->learning_rate);
  }
  rl_pool_run(sac->pool, u->nnet * slices(u->net), move_job, u);
  rl_pool_run(sac->pool, 2 * u->nnet, pack_job, u);
}

// ---------------------------------------------------------------- the update

static RlSacSums total(const Update *u) {
  RlSacSums sums = {0};
  const RlSac *sac = u->sac;
  for (int b = 0; b < sac->nblock; b++) {
    const RlSacBlock *block = &sac->blocks[b];
    for (int c = 0; c < u->ncritic; c++) {
      sums.critic_loss[c] += block->sums.critic_loss[c];
      sums.q[c] += block->sums.q[c];
    }
    sums.actor_loss += block->sums.actor_loss;
    sums.logp += block->sums.logp;
    sums.sigma += block->sums.sigma;
    sums.saturated += block->sums.saturated;
  }
  return sums;
}

// Mean |Q1 - Q2| and the deviation of Q1, while the critics' outputs of the minibatch still stand.
static void measure_spread(const Update *u, RlSacStats *stats) {
  const RlSac *sac = u->sac;
  const int L = sac->critic[0]->L;
  double gap = 0, square = 0;
  for (int b = 0; b < sac->nblock; b++) {
    const RlReal *q0 = sac->blocks[b].critic[0].y[L];
    const RlReal *q1 = sac->blocks[b].critic[u->ncritic - 1].y[L];
    for (int r = 0; r < rl_sac_block_rows(sac, b); r++) {
      double away = (double)q0[r] - stats->q1;
      gap += fabs((double)q0[r] - (double)q1[r]);
      square += away * away;
    }
  }
  stats->q_gap = gap / sac->o->batch_size;
  stats->q_std = sqrt(square / sac->o->batch_size);
}

static void record_critics(const Update *u, RlSacStats *stats) {
  const RlSac *sac = u->sac;
  RlSacSums sums = total(u);
  double B = sac->o->batch_size;
  stats->critic_loss = (sums.critic_loss[0] + sums.critic_loss[1]) / B;
  stats->q1 = sums.q[0] / B;
  stats->q2 = sums.q[u->ncritic - 1] / B;
  stats->critic_grad_norm = sac->critic_net[0].grad_norm;
  stats->ent_coef = u->alpha;
  stats->entropy = -sums.logp / B;
  stats->std = sums.sigma / (B * sac->A);
  stats->saturation = sums.saturated / (B * sac->A);
  measure_spread(u, stats);
}

static bool critics_step(Update *u, RlSacStats *stats) {
  RlSac *sac = u->sac;
  double start = rl_clock_seconds();
  rl_pool_run(sac->pool, 2 * sac->nblock, forward_job, u);
  rl_pool_run(sac->pool, u->ncritic * sac->nblock, critic_job, u);
  double learnt = rl_clock_seconds();
  sum_nets(u, sac->critic_net, u->ncritic);
  record_critics(u, stats);
  for (int c = 0; c < u->ncritic; c++) {
    if (!takes(sac, &sac->critic_net[c])) stats->bad = "critic gradient";
  }
  if (!isfinite(stats->critic_loss)) stats->bad = "critic loss";
  if (!isfinite(u->alpha)) stats->bad = "entropy coefficient";
  if (!stats->bad) step_nets(u);
  sac->split.critic += learnt - start;
  sac->split.optimiser += rl_clock_seconds() - learnt;
  return !stats->bad;
}

// loss(log alpha) = -log alpha (mean log pi + target entropy), from the actor before its step.
static void alpha_step(RlSac *sac, RlSacStats *stats) {
  if (!sac->o->ent_coef.is_auto) return;
  // detail: alpha-from-old-actor: log pi of before the actor's step
  double gap = -stats->entropy + sac->target_entropy;
  stats->ent_coef_loss = -(double)sac->log_alpha * gap;
  // detail: alpha-on-its-logarithm
  sac->dlog_alpha = (RlReal)-gap;
  rl_adam_step(&sac->alpha_adam, &sac->log_alpha, &sac->dlog_alpha, 1, sac->o->learning_rate);
}

static void actor_step(Update *u, RlSacStats *stats) {
  RlSac *sac = u->sac;
  double start = rl_clock_seconds();
  rl_pool_run(sac->pool, sac->nblock, actor_job, u);
  double learnt = rl_clock_seconds();
  sum_nets(u, &sac->actor_net, 1);
  stats->actor_loss = total(u).actor_loss / sac->o->batch_size;
  stats->actor_grad_norm = sac->actor_net.grad_norm;
  if (!takes(sac, &sac->actor_net)) stats->bad = "actor gradient";
  if (!isfinite(stats->actor_loss)) stats->bad = "actor loss";
  if (!stats->bad) {
    step_nets(u);
    alpha_step(sac, stats);
    stats->actor_applied = true;
  }
  sac->split.actor += learnt - start;
  sac->split.optimiser += rl_clock_seconds() - learnt;
}

void rl_sac_learn(RlSac *sac, RlSacStats *stats) {
  const RlSacOptions *o = sac->o;
  memset(stats, 0, sizeof *stats);
  // detail: policy-delay
  bool actor_due = sac->updates % o->policy_delay == 0;
  sac->updates++;
  Update u = {.sac = sac,
              .alpha = rl_sac_alpha(sac),
              .weight = (RlReal)(1.0 / o->batch_size),
              .ncritic = o->twin_critics ? RL_SAC_CRITICS : 1,
              .move_targets = sac->updates % o->target_update_interval == 0};
  stats->critics_applied = critics_step(&u, stats);
  if (stats->critics_applied && actor_due) actor_step(&u, stats);
  sac->skipped_in_a_row = stats->bad ? sac->skipped_in_a_row + 1 : 0;
}
