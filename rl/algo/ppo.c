// PPO's update: see ppo.h.
#include "rl/algo/ppo.h"

#include <math.h>
#include <string.h>

#include "nets/ops.h"
#include "rl/data/gae.h"
#include "rl/data/moments.h"

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
  int A = mlp->nextra;  // log sigmas: none in a critic, which gathers no actions
  // detail: adam-epsilon
  rl_adam_init(&net->adam, arena, mlp->nparam, epsilon);
  size_t nparam = (size_t)mlp->nparam;
  net->grad = RL_PUSH(arena, RlReal, nparam);
  net->slot_grad = RL_PUSH(arena, RlReal, (size_t)nslot * nparam);
  for (int s = 0; s < nslot; s++) {
    RlPpoSlot *slot = &net->slot[s];
    rl_mlp_work_init(&slot->work, arena, mlp, block, 1);
    slot->grad = net->slot_grad + (size_t)s * nparam;
    slot->obs = RL_PUSH(arena, RlReal, (size_t)block * (size_t)mlp->dim[0]);
    slot->act = RL_PUSH(arena, RlReal, (size_t)block * (size_t)A);
    slot->old_mean = RL_PUSH(arena, RlReal, (size_t)block * (size_t)A);
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
  ppo->A = actor->A;
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

double rl_ppo_bytes(const RlConfig *config, int O, int A, double rows) {
  const RlPolicyOptions *p = &config->policy;
  const RlDims *hidden[] = {&p->hidden_actor, &p->hidden_critic};
  const int output[] = {A, 1};
  const int block = block_rows(config->ppo.batch_size);
  const int nslot = (config->ppo.batch_size + block - 1) / block;
  double reals = config->ppo.batch_size, held = (double)nslot * block;
  for (int i = 0; i < 2; i++) {
    double width = output[i];
    for (int l = 0; l < hidden[i]->n; l++) width += hidden[i]->dim[l];
    // parameters and what is packed of them, two moments, gradients
    reals += rl_mlp_nparam(O, hidden[i], output[i]) * (6.0 + nslot);
    reals += held * (2 * width + O + 5 + (i == ACTOR ? 2.0 * A : 0));
    if (i == CRITIC) reals += (double)RL_PPO_VALUE_JOBS * VALUE_BLOCK * width;
  }
  return sizeof(RlReal) * reals + sizeof(int) * rows;
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
  rl_mlp_forward(e->ppo->critic, work, e->obs + (size_t)start * (size_t)O, rows);
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
  RlMoments ret = {0}, error = {0};
  for (int i = 0; i < r->T * r->N; i++) {
    if (r->lost[i]) continue;
    rl_moments_push(&ret, (double)r->ret[i]);
    rl_moments_push(&error, (double)r->ret[i] - (double)r->value[i]);
  }
  return ret.m2 > 0 ? 1 - error.m2 / ret.m2 : NAN;
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
  gather(slot->obs, rollout->obs, row, rows, rollout->O);
  gather(slot->act, rollout->act, row, rows, A);
  gather(slot->old_mean, rollout->mean, row, rows, A);
  gather(slot->old_logp, rollout->logp, row, rows, 1);
  // detail: ratio-starts-at-one: the same bits as when these rows were acted on
  rl_mlp_forward(mlp, &slot->work, slot->obs, rows);
  RlReal *dlog_sigma = slot->grad + (mlp->extra - mlp->param);
  memset(dlog_sigma, 0, (size_t)mlp->nextra * sizeof(RlReal));
  rl_ppo_loss_policy(&mb->loss, slot->work.dy[mlp->L], dlog_sigma, &slot->sums, slot->act,
                     slot->work.y[mlp->L], slot->old_mean, slot->old_logp, mb->ppo->adv + start,
                     rows);
  rl_mlp_backward(mlp, &slot->work, rows, slot->grad);
}

static void critic_block(const Minibatch *mb, RlPpoSlot *slot, int start, int rows) {
  const RlRollout *rollout = mb->rollout;
  const RlMlp *mlp = mb->ppo->critic;
  const int *row = mb->row + start;
  gather(slot->obs, rollout->obs, row, rows, rollout->O);
  gather(slot->old_value, rollout->value, row, rows, 1);
  gather(slot->ret, rollout->ret, row, rows, 1);
  rl_mlp_forward(mlp, &slot->work, slot->obs, rows);
  rl_ppo_loss_value(&mb->loss, slot->work.dy[mlp->L], &slot->sums, slot->work.y[mlp->L],
                    slot->old_value, slot->ret, rows);
  rl_mlp_backward(mlp, &slot->work, rows, slot->grad);
}

// Fills a network's slot from its part of the minibatch's rows.
static void fill_slot(const Minibatch *mb, int which, int s) {
  const RlPpo *ppo = mb->ppo;
  int start = s * ppo->block, left = mb->rows - start;
  RlPpoSlot *slot = &mb->ppo->net[which].slot[s];
  memset(&slot->sums, 0, sizeof slot->sums);
  (which == ACTOR ? actor_block : critic_block)(mb, slot, start,
                                                left < ppo->block ? left : ppo->block);
}

// Sums a network's slots in order and takes the norm.
static void sum_slots(const Minibatch *mb, int which) {
  RlPpoNet *net = &mb->ppo->net[which];
  size_t n = (size_t)net->mlp->nparam;
  rl_slots_sum(net->grad, net->slot_grad, n, mb->nslot, n);
  net->grad_norm = sqrt(rl_sum_squares(net->grad, n));
}

// Share of a gradient of this norm that is stepped on.
static double clip_scale(const RlPpo *ppo, double norm) {
  // detail: gradient-clip
  return fmin(1, ppo->o->max_grad_norm / (norm + 1e-6));
}

// Clips a network's gradient by norm, its own or that of both networks, and steps.
static void step(RlPpo *ppo, int which, double norm) {
  RlPpoNet *net = &ppo->net[which];
  rl_adam_step(&net->adam, net->mlp->param, net->grad, clip_scale(ppo, norm), ppo->learning_rate);
  rl_mlp_pack(net->mlp);
}

// What one network saw of a minibatch, from its slots.
static void look_at(const Minibatch *mb, int which, RlPpoLook *look) {
  const RlPpoNet *net = &mb->ppo->net[which];
  bool takes = rl_adam_takes(net->grad_norm * clip_scale(mb->ppo, net->grad_norm));
  *look = (RlPpoLook){.grad_norm = net->grad_norm};
  for (int s = 0; s < mb->nslot; s++) {
    const RlPpoSums *sums = &net->slot[s].sums;
    look->sums.policy_loss += sums->policy_loss;
    look->sums.kl += sums->kl;
    look->sums.clipped += sums->clipped;
    look->sums.value_loss += sums->value_loss;
  }
  if (which == ACTOR) {
    look->entropy = (double)rl_gaussian_entropy(&mb->g);
    if (!takes) look->bad = "actor gradient";
    if (!isfinite(look->sums.policy_loss)) look->bad = "policy loss";
  } else {
    if (!takes) look->bad = "critic gradient";
    if (!isfinite(look->sums.value_loss)) look->bad = "value loss";
  }
}

// Chooses the minibatch that starts at place start of n shuffled rows.
static void choose(Minibatch *mb, int start, int n) {
  const RlPpoOptions *o = mb->ppo->o;
  mb->row = mb->ppo->order + start;
  mb->rows = n - start < o->batch_size ? n - start : o->batch_size;
  mb->nslot = (mb->rows + mb->ppo->block - 1) / mb->ppo->block;
  // detail: ragged-minibatch
  mb->loss.weight = (RlReal)(1.0 / (o->weight_ragged ? o->batch_size : mb->rows));
}

// What only the actor needs of a minibatch: the policy as it stands, and advantages.
static void prepare(Minibatch *mb) {
  RlPpo *ppo = mb->ppo;
  rl_actor_gaussian(ppo->actor, &mb->g);
  gather(ppo->adv, mb->rollout->adv, mb->row, mb->rows, 1);
  // detail: advantage-normalisation
  if (ppo->o->normalize_advantage == RL_ADVANTAGE_MINIBATCH) standardise(ppo->adv, NULL, mb->rows);
}

// Adds a minibatch to the iteration's figures, or counts it as skipped.
static void record(RlPpo *ppo, RlPpoStats *stats, const RlPpoLook *actor, const RlPpoLook *critic,
                   int rows) {
  if (actor->bad || critic->bad) {
    stats->bad = actor->bad ? actor->bad : critic->bad;
    stats->skipped++;
    ppo->skipped_in_a_row++;
    return;
  }
  ppo->skipped_in_a_row = 0;
  stats->policy_gradient_loss += actor->sums.policy_loss / rows;
  stats->value_loss += critic->sums.value_loss / rows;
  stats->entropy_loss -= actor->entropy;
  stats->approx_kl += actor->sums.kl / rows;
  stats->clip_fraction += actor->sums.clipped / rows;
  stats->actor_grad_norm += actor->grad_norm;
  stats->critic_grad_norm += critic->grad_norm;
  stats->updates++;
}

// ---------------------------------------------------------------- networks side by side

// Whether nothing that one network does in an epoch depends on the other.
static bool are_apart(const RlPpo *ppo) {
  const RlPpoOptions *o = ppo->o;
  return o->target_kl == 0 && o->grad_norm == RL_GRAD_NORM_PER_NETWORK &&
         o->batch_size <= ppo->block;
}

// Minibatches that both networks pass without waiting for each other.
typedef struct {
  const Minibatch *mb;
  int start, n, count;  // place of the first among n rows; minibatches
} Span;

// Job: one network, all minibatches of the span. A minibatch with a non-finite number is skipped by
// the network that met it.
static void span_job(void *arg, int which) {
  const Span *span = arg;
  Minibatch mb = *span->mb;
  RlPpo *ppo = mb.ppo;
  mb.loss.g = &mb.g;
  for (int k = 0; k < span->count; k++) {
    RlPpoLook *seen = &ppo->look[which][k];
    choose(&mb, span->start + k * ppo->o->batch_size, span->n);
    if (which == ACTOR) prepare(&mb);
    fill_slot(&mb, which, 0);
    sum_slots(&mb, which);
    look_at(&mb, which, seen);
    if (!seen->bad) step(ppo, which, seen->grad_norm);
  }
}

// An epoch over n rows, a span at a time.
static void run_epoch_apart(const Minibatch *mb, RlPpoStats *stats, int n) {
  RlPpo *ppo = mb->ppo;
  int B = ppo->o->batch_size, all = (n + B - 1) / B;
  for (int first = 0; first < all; first += RL_PPO_SPAN) {
    int count = all - first < RL_PPO_SPAN ? all - first : RL_PPO_SPAN;
    Span span = {mb, first * B, n, count};
    rl_pool_run(ppo->pool, 2, span_job, &span);
    for (int k = 0; k < count; k++) {
      int left = n - (first + k) * B;
      record(ppo, stats, &ppo->look[ACTOR][k], &ppo->look[CRITIC][k], left < B ? left : B);
    }
    if (ppo->tick) ppo->tick(ppo->tick_arg);
  }
}

// ---------------------------------------------------------------- minibatch by minibatch

// Job: one network, one block. Actor and critic alternate so that two threads share both evenly.
static void block_job(void *arg, int job) {
  fill_slot(arg, job % 2, job / 2);
}

static void sum_job(void *arg, int which) {
  sum_slots(arg, which);
}

static void step_job(void *arg, int which) {
  const Minibatch *mb = arg;
  RlPpo *ppo = mb->ppo;
  double norm = ppo->net[which].grad_norm;
  if (ppo->o->grad_norm == RL_GRAD_NORM_JOINT) {
    norm = hypot(ppo->net[ACTOR].grad_norm, ppo->net[CRITIC].grad_norm);
  }
  step(ppo, which, norm);
}

// Runs one minibatch; false if it passed the KL limit and was not applied.
static bool run_minibatch(Minibatch *mb, RlPpoStats *stats) {
  RlPpo *ppo = mb->ppo;
  RlPpoLook *actor = &ppo->look[ACTOR][0], *critic = &ppo->look[CRITIC][0];
  prepare(mb);
  rl_pool_run(ppo->pool, 2 * mb->nslot, block_job, mb);
  rl_pool_run(ppo->pool, 2, sum_job, mb);
  look_at(mb, ACTOR, actor);
  look_at(mb, CRITIC, critic);
  bool bad = actor->bad || critic->bad;
  // detail: target-kl
  double target = ppo->o->target_kl;
  if (!bad && target > 0 && actor->sums.kl / mb->rows > 1.5 * target) return false;
  if (!bad) rl_pool_run(ppo->pool, 2, step_job, mb);
  record(ppo, stats, actor, critic, mb->rows);
  return true;
}

// An epoch over n rows; false if the KL limit ended the update.
static bool run_epoch(Minibatch *mb, RlPpoStats *stats, int n) {
  RlPpo *ppo = mb->ppo;
  bool go_on = true;
  for (int start = 0; start < n && go_on; start += ppo->o->batch_size) {
    choose(mb, start, n);
    go_on = run_minibatch(mb, stats);
    if (ppo->tick) ppo->tick(ppo->tick_arg);
  }
  return go_on;
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

// A rollout without a row that counts: the policy's actions are not finite, or the physics diverges
// whatever is done. It stands as one minibatch skipped, so that a run of such rollouts ends.
static void skip_rollout(RlPpo *ppo, RlPpoStats *stats) {
  stats->bad = "every step of the rollout";
  stats->skipped++;
  ppo->skipped_in_a_row++;
}

// Share of action components at or beyond the bounds, over the n rows that count.
static double saturation(const RlRollout *rollout, const int *row, int n) {
  int64_t count = 0;
  for (int i = 0; i < n; i++) {
    const RlReal *act = rollout->act + (size_t)row[i] * (size_t)rollout->A;
    for (int a = 0; a < rollout->A; a++) count += fabs((double)act[a]) >= 1;
  }
  return n ? (double)count / ((double)n * rollout->A) : (double)NAN;
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
  stats->saturation = saturation(rollout, ppo->order, n);
  if (n == 0) skip_rollout(ppo, stats);
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
    if (are_apart(ppo)) {
      run_epoch_apart(&mb, stats, n);
    } else {
      go_on = run_epoch(&mb, stats, n);
    }
  }
  finish(stats, ppo);
}
