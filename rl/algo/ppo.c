// PPO's update: see ppo.h.
#include "rl/algo/ppo.h"

#include <math.h>
#include <string.h>

#include "nets/ops.h"
#include "rl/data/gae.h"

enum { ACTOR, CRITIC, MIN_BLOCK = 64, VALUE_BLOCK = 128 };

// One minibatch under way, as the jobs see it.
typedef struct {
  RlPpo *ppo;
  const RlRollout *rollout;
  const int *row;  // the minibatch's rows in the rollout
  int rows, nslot;
  RlPpoLoss loss;
  RlGaussian g, old;
} Minibatch;

// ---------------------------------------------------------------- set-up

static void net_init(RlPpoNet *net, RlArena *arena, RlMlp *mlp, int nslot, int block,
                     double epsilon) {
  net->mlp = mlp;
  int A = mlp->nextra;
  // detail: adam-epsilon
  rl_adam_init(&net->adam, arena, mlp->nparam, epsilon);
  size_t nparam = (size_t)mlp->nparam;
  net->grad = RL_PUSH(arena, RlReal, nparam);
  net->slot_grad = RL_PUSH(arena, RlReal, (size_t)nslot * nparam);
  for (int s = 0; s < nslot; s++) {
    RlPpoSlot *slot = &net->slot[s];
    rl_mlp_work_init(&slot->work, arena, mlp, block, 1);
    slot->grad = net->slot_grad + (size_t)s * nparam;
    slot->act = RL_PUSH(arena, RlReal, block * A);
    slot->old_mean = RL_PUSH(arena, RlReal, block * A);
    slot->old_logp = RL_PUSH(arena, RlReal, block);
    slot->adv = RL_PUSH(arena, RlReal, block);
    slot->old_value = RL_PUSH(arena, RlReal, block);
    slot->ret = RL_PUSH(arena, RlReal, block);
  }
}

// rows of a job: whole minibatches of 64, larger ones in at most RL_PPO_MAX_SLOTS blocks
static int block_rows(int batch_size) {
  int even = (batch_size + RL_PPO_MAX_SLOTS - 1) / RL_PPO_MAX_SLOTS;
  return even <= MIN_BLOCK ? MIN_BLOCK : (even + MIN_BLOCK - 1) / MIN_BLOCK * MIN_BLOCK;
}

void rl_ppo_init(RlPpo *ppo, RlArena *arena, RlPool *pool, const RlConfig *config, RlActor *actor,
                 RlMlp *critic, int rows) {
  const RlPpoOptions *o = &config->ppo;
  ppo->o = o;
  ppo->pool = pool;
  ppo->O = critic->dim[0];
  ppo->A = actor->mlp.nextra;
  ppo->block = block_rows(o->batch_size);
  ppo->actor = actor;
  ppo->critic = critic;
  int nslot = (o->batch_size + ppo->block - 1) / ppo->block;
  net_init(&ppo->net[ACTOR], arena, &actor->mlp, nslot, ppo->block, o->adam_epsilon);
  net_init(&ppo->net[CRITIC], arena, critic, nslot, ppo->block, o->adam_epsilon);
  ppo->order = RL_PUSH(arena, int, rows);
  ppo->adv = RL_PUSH(arena, RlReal, o->batch_size);
  for (int j = 0; j < RL_PPO_VALUE_JOBS; j++) {
    rl_mlp_work_init(&ppo->value_work[j], arena, critic, VALUE_BLOCK, 0);
  }
  rl_rng_init(&ppo->shuffle_rng, (uint64_t)config->run.seed, RL_STREAM_SHUFFLE, 0);
}

void rl_ppo_schedule(RlPpo *ppo, double done) {
  const RlPpoOptions *o = ppo->o;
  ppo->learning_rate = o->learning_rate;
  ppo->clip_range = o->clip_range;
  // detail: learning-rate-annealing
  if (o->learning_rate_schedule == RL_SCHEDULE_LINEAR) {
    ppo->learning_rate *= 1 - (1 - o->learning_rate_end) * done;
  }
  // detail: clip-annealing
  if (o->clip_range_schedule == RL_SCHEDULE_LINEAR) ppo->clip_range *= 1 - done;
}

// ---------------------------------------------------------------- values

typedef struct {
  RlPpo *ppo;
  const RlReal *obs;
  RlReal *value;
  int rows;
} Evaluation;

static void evaluate_block(void *arg, int job) {
  const Evaluation *e = arg;
  RlMlpWork *work = &e->ppo->value_work[job];
  int start = job * VALUE_BLOCK, O = e->ppo->O, L = e->ppo->critic->L;
  int rows = e->rows - start < VALUE_BLOCK ? e->rows - start : VALUE_BLOCK;
  memcpy(work->y[0], e->obs + (size_t)start * (size_t)O, (size_t)(rows * O) * sizeof(RlReal));
  rl_mlp_forward(e->ppo->critic, work, rows);
  memcpy(e->value + start, work->y[L], (size_t)rows * sizeof(RlReal));
}

// value (rows) = V(obs (rows, O))
static void evaluate(RlPpo *ppo, RlReal *value, const RlReal *obs, int rows) {
  for (int start = 0; start < rows; start += RL_PPO_VALUE_JOBS * VALUE_BLOCK) {
    int left = rows - start;
    Evaluation e = {ppo, obs + (size_t)start * (size_t)ppo->O, value + start, left};
    int njob = (left + VALUE_BLOCK - 1) / VALUE_BLOCK;
    rl_pool_run(ppo->pool, njob < RL_PPO_VALUE_JOBS ? njob : RL_PPO_VALUE_JOBS, evaluate_block, &e);
  }
}

void rl_ppo_evaluate(RlPpo *ppo, RlRollout *rollout) {
  int T = rollout->T, N = rollout->N;
  evaluate(ppo, rollout->value, rollout->obs, T * N);
  size_t shifted = (size_t)(T - 1) * (size_t)N;
  memcpy(rollout->next_value, rollout->value + N, shifted * sizeof(RlReal));
  evaluate(ppo, rollout->next_value + shifted, rollout->last_obs, N);
  if (!ppo->o->final_observation) return;
  // detail: final-observation: a truncated step is followed by its episode's last observation, not
  // by the next episode's first; adv is free here and holds V(final) for a moment
  evaluate(ppo, rollout->adv, rollout->final_obs, rollout->nfinal);
  for (int f = 0; f < rollout->nfinal; f++) {
    rollout->next_value[rollout->final_row[f]] = rollout->adv[f];
  }
}

// ---------------------------------------------------------------- advantages

// Subtracts the mean and divides by the (n - 1) deviation + 1e-8, over the rows without skip; one
// row alone is left as it is.  nullable: skip
static void standardise(RlReal *x, const uint8_t *skip, int n) {
  double mean = 0, square = 0;
  int count = 0;
  for (int i = 0; i < n; i++) {
    if (skip && skip[i]) continue;
    mean += (double)x[i];
    count++;
  }
  if (count < 2) return;
  mean /= count;
  for (int i = 0; i < n; i++) {
    if (!(skip && skip[i])) square += ((double)x[i] - mean) * ((double)x[i] - mean);
  }
  double deviation = sqrt(square / (count - 1)) + 1e-8;
  for (int i = 0; i < n; i++) x[i] = (RlReal)(((double)x[i] - mean) / deviation);
}

static void compute_advantages(RlPpo *ppo, RlRollout *r) {
  const RlPpoOptions *o = ppo->o;
  rl_gae_compute(r->adv, r->ret, r->rew, r->value, r->next_value, r->terminated, r->truncated,
                 r->lost, r->T, r->N, o->gamma, o->gae_lambda);
  if (o->normalize_advantage == RL_ADVANTAGE_BATCH) standardise(r->adv, r->lost, r->T * r->N);
}

static double explained_variance(const RlRollout *r) {
  double n = 0, mean = 0, m2 = 0, error_mean = 0, error_m2 = 0;
  for (int i = 0; i < r->T * r->N; i++) {
    if (r->lost[i]) continue;
    n += 1;
    double ret = (double)r->ret[i], error = ret - (double)r->value[i];
    double delta = ret - mean, error_delta = error - error_mean;
    mean += delta / n;
    m2 += delta * (ret - mean);
    error_mean += error_delta / n;
    error_m2 += error_delta * (error - error_mean);
  }
  return m2 > 0 ? 1 - error_m2 / m2 : NAN;
}

// ---------------------------------------------------------------- one minibatch

static void gather(RlReal *dst, const RlReal *src, const int *row, int rows, int width) {
  for (int r = 0; r < rows; r++) {
    memcpy(dst + r * width, src + (size_t)row[r] * (size_t)width, (size_t)width * sizeof(RlReal));
  }
}

static void actor_block(const Minibatch *mb, RlPpoSlot *slot, int start, int rows) {
  const RlRollout *rollout = mb->rollout;
  const RlMlp *mlp = &mb->ppo->actor->mlp;
  const int *row = mb->row + start;
  int A = rollout->A;
  gather(slot->work.y[0], rollout->obs, row, rows, rollout->O);
  gather(slot->act, rollout->act, row, rows, A);
  gather(slot->old_mean, rollout->mean, row, rows, A);
  gather(slot->old_logp, rollout->logp, row, rows, 1);
  // detail: ratio-starts-at-one: the same bits as when these rows were acted on
  rl_mlp_forward(mlp, &slot->work, rows);
  RlReal *dlog_sigma = slot->grad + (mlp->extra - mlp->param);
  rl_ppo_loss_policy(&mb->loss, slot->work.dy[mlp->L], dlog_sigma, &slot->sums, slot->act,
                     slot->work.y[mlp->L], slot->old_mean, slot->old_logp, mb->ppo->adv + start,
                     rows);
  rl_mlp_backward(mlp, &slot->work, rows, slot->grad, NULL);
}

static void critic_block(const Minibatch *mb, RlPpoSlot *slot, int start, int rows) {
  const RlRollout *rollout = mb->rollout;
  const RlMlp *mlp = mb->ppo->critic;
  const int *row = mb->row + start;
  gather(slot->work.y[0], rollout->obs, row, rows, rollout->O);
  gather(slot->old_value, rollout->value, row, rows, 1);
  gather(slot->ret, rollout->ret, row, rows, 1);
  rl_mlp_forward(mlp, &slot->work, rows);
  rl_ppo_loss_value(&mb->loss, slot->work.dy[mlp->L], &slot->sums, slot->work.y[mlp->L],
                    slot->old_value, slot->ret, rows);
  rl_mlp_backward(mlp, &slot->work, rows, slot->grad, NULL);
}

// Job: sums one network's slots in order and takes the norm.
static void sum_job(void *arg, int which) {
  const Minibatch *mb = arg;
  RlPpoNet *net = &mb->ppo->net[which];
  size_t n = (size_t)net->mlp->nparam;
  rl_slots_sum(net->grad, net->slot_grad, n, mb->nslot, n);
  net->grad_norm = sqrt(rl_sum_squares(net->grad, n));
}

// Job: one network, one block. Actor and critic alternate so that two threads share both evenly.
static void block_job(void *arg, int job) {
  const Minibatch *mb = arg;
  int which = job % 2, s = job / 2, start = s * mb->ppo->block;
  int rows = mb->rows - start < mb->ppo->block ? mb->rows - start : mb->ppo->block;
  RlPpoNet *net = &mb->ppo->net[which];
  RlPpoSlot *slot = &net->slot[s];
  memset(slot->grad, 0, (size_t)net->mlp->nparam * sizeof(RlReal));
  memset(&slot->sums, 0, sizeof slot->sums);
  (which == ACTOR ? actor_block : critic_block)(mb, slot, start, rows);
  // a minibatch of one block needs no second dispatch
  if (mb->nslot == 1) sum_job(arg, which);
}

// Job: clips one network's gradient by its norm and steps.
static void step_job(void *arg, int which) {
  const Minibatch *mb = arg;
  RlPpo *ppo = mb->ppo;
  RlPpoNet *net = &ppo->net[which];
  double norm = net->grad_norm;
  if (ppo->o->grad_norm == RL_GRAD_NORM_JOINT) {
    norm = hypot(ppo->net[ACTOR].grad_norm, ppo->net[CRITIC].grad_norm);
  }
  // detail: gradient-clip
  double scale = fmin(1, ppo->o->max_grad_norm / (norm + 1e-6));
  rl_adam_step(&net->adam, net->mlp->param, net->grad, scale, ppo->learning_rate);
  rl_mlp_pack(net->mlp);
}

// Adds the slots' sums up in order.
static RlPpoSums total(const Minibatch *mb) {
  RlPpoSums sums = {0};
  for (int s = 0; s < mb->nslot; s++) {
    const RlPpoSums *actor = &mb->ppo->net[ACTOR].slot[s].sums;
    sums.policy_loss += actor->policy_loss;
    sums.kl += actor->kl;
    sums.clipped += actor->clipped;
    sums.value_loss += mb->ppo->net[CRITIC].slot[s].sums.value_loss;
  }
  return sums;
}

// The name of what is not finite, else NULL.
static const char *find_bad(const RlPpo *ppo, const RlPpoSums *sums) {
  if (!isfinite(sums->policy_loss)) return "policy loss";
  if (!isfinite(sums->value_loss)) return "value loss";
  if (!isfinite(ppo->net[ACTOR].grad_norm)) return "actor gradient";
  if (!isfinite(ppo->net[CRITIC].grad_norm)) return "critic gradient";
  return NULL;
}

static void record(RlPpoStats *stats, const Minibatch *mb, const RlPpoSums *sums) {
  stats->policy_gradient_loss += sums->policy_loss / mb->rows;
  stats->value_loss += sums->value_loss / mb->rows;
  stats->entropy_loss -= (double)rl_gaussian_entropy(&mb->g);
  stats->approx_kl += sums->kl / mb->rows;
  stats->clip_fraction += sums->clipped / mb->rows;
  stats->actor_grad_norm += mb->ppo->net[ACTOR].grad_norm;
  stats->critic_grad_norm += mb->ppo->net[CRITIC].grad_norm;
  stats->updates++;
}

// Runs one minibatch; false if it passed the KL limit and was not applied.
static bool run_minibatch(Minibatch *mb, RlPpoStats *stats) {
  RlPpo *ppo = mb->ppo;
  rl_actor_gaussian(ppo->actor, &mb->g);
  gather(ppo->adv, mb->rollout->adv, mb->row, mb->rows, 1);
  // detail: advantage-normalisation
  if (ppo->o->normalize_advantage == RL_ADVANTAGE_MINIBATCH) standardise(ppo->adv, NULL, mb->rows);
  mb->nslot = (mb->rows + ppo->block - 1) / ppo->block;
  rl_pool_run(ppo->pool, 2 * mb->nslot, block_job, mb);
  if (mb->nslot > 1) rl_pool_run(ppo->pool, 2, sum_job, mb);
  RlPpoSums sums = total(mb);
  const char *bad = find_bad(ppo, &sums);
  if (bad) {
    stats->bad = bad;
    stats->skipped++;
    ppo->skipped_in_a_row++;
    return true;
  }
  // detail: target-kl
  double target = ppo->o->target_kl;
  if (target > 0 && sums.kl / mb->rows > 1.5 * target) return false;
  ppo->skipped_in_a_row = 0;
  rl_pool_run(ppo->pool, 2, step_job, mb);
  record(stats, mb, &sums);
  return true;
}

// ---------------------------------------------------------------- the update

// Fisher-Yates over n rows.
static void shuffle(int *order, int n, RlRng *rng) {
  for (int i = n - 1; i > 0; i--) {
    int j = (int)rl_rng_bounded(rng, (uint32_t)i + 1), row = order[i];
    order[i] = order[j];
    order[j] = row;
  }
}

static int list_rows(int *order, const RlRollout *rollout) {
  int n = 0;
  for (int i = 0; i < rollout->T * rollout->N; i++) {
    if (!rollout->lost[i]) order[n++] = i;
  }
  return n;
}

static void finish(RlPpoStats *stats, const RlPpo *ppo) {
  double n = stats->updates ? (double)stats->updates : (double)NAN;
  stats->policy_gradient_loss /= n;
  stats->value_loss /= n;
  stats->entropy_loss /= n;
  stats->approx_kl /= n;
  stats->clip_fraction /= n;
  stats->actor_grad_norm /= n;
  stats->critic_grad_norm /= n;
  stats->learning_rate = ppo->learning_rate;
  stats->clip_range = ppo->clip_range;
  RlGaussian g;
  rl_actor_gaussian(ppo->actor, &g);
  for (int i = 0; i < ppo->A; i++) stats->std += (double)g.sigma[i] / ppo->A;
}

void rl_ppo_update(RlPpo *ppo, RlRollout *rollout, RlPpoStats *stats) {
  const RlPpoOptions *o = ppo->o;
  Minibatch mb = {.ppo = ppo, .rollout = rollout};
  mb.loss = (RlPpoLoss){.o = o, .clip_range = ppo->clip_range, .g = &mb.g, .old = &mb.old};
  rl_actor_gaussian(ppo->actor, &mb.old);
  memset(stats, 0, sizeof *stats);
  int n = list_rows(ppo->order, rollout);
  bool go_on = true;
  for (int epoch = 0; epoch < o->n_epochs && go_on; epoch++) {
    // detail: recompute-advantage
    if (epoch > 0 && o->recompute_advantage) rl_ppo_evaluate(ppo, rollout);
    if (epoch == 0 || o->recompute_advantage) compute_advantages(ppo, rollout);
    // detail: explained-variance
    if (epoch == 0) stats->explained_variance = explained_variance(rollout);
    // detail: shuffle
    if (o->shuffle) shuffle(ppo->order, n, &ppo->shuffle_rng);
    stats->epochs++;
    // detail: minibatches: every row once an epoch
    for (int start = 0; start < n && go_on; start += o->batch_size) {
      mb.row = ppo->order + start;
      mb.rows = n - start < o->batch_size ? n - start : o->batch_size;
      // detail: ragged-minibatch
      mb.loss.weight = (RlReal)(1.0 / (o->weight_ragged ? o->batch_size : mb.rows));
      go_on = run_minibatch(&mb, stats);
      if (ppo->tick) ppo->tick(ppo->tick_arg);
    }
  }
  finish(stats, ppo);
}
