// The PPO training loop: collect, evaluate values, scale rewards, update, merge statistics. Each
// step of an iteration is one call; what each does is in the file it is named after.
#include "rl/run/train_ppo.h"

#include <math.h>

#include "rl/base/clock.h"
#include "rl/data/gae.h"

// of metrics.csv, behind the common ones
static const char *const columns[] = {"approx_kl",
                                      "clip_fraction",
                                      "clip_range",
                                      "entropy_loss",
                                      "explained_variance",
                                      "learning_rate",
                                      "policy_gradient_loss",
                                      "saturation",
                                      "std",
                                      "value_loss",
                                      "actor_grad_norm",
                                      "critic_grad_norm",
                                      "n_updates",
                                      "skipped_updates",
                                      "diverged",
                                      "return_scale",
                                      "eval_return_mean",
                                      "collect_share",
                                      "infer_share",
                                      "learn_share",
                                      "evaluate_share"};

enum { NCOLUMN = sizeof columns / sizeof *columns };

void rl_train_ppo_warmup(RlRun *run) {
  const RlNormalizeOptions *o = &run->config.normalize;
  uint64_t seed = (uint64_t)run->config.run.seed;
  int N = run->env.N;
  // detail: warm-up-moments
  if (o->obs && o->warmup_steps > 0 && run->policy.norm.count == 0) {
    rl_collector_warmup(&run->collector, (o->warmup_steps + N - 1) / N, seed);
  }
  rl_vecenv_reset(&run->env, seed, RL_STREAM_ENV);
}

// Vector steps of the next rollout: the last one is shortened to end at total_steps.
static int rollout_steps(const RlRun *run) {
  // detail: last-rollout
  int64_t left = run->config.run.total_steps - run->counters.step;
  int64_t steps = (left + run->env.N - 1) / run->env.N;
  return steps < run->config.ppo.n_steps ? (int)steps : run->config.ppo.n_steps;
}

static void collect_tick(void *arg, int t) {
  RlRun *run = arg;
  rl_progress_tick(&run->progress, run->counters.step + (int64_t)(t + 1) * run->env.N);
}

static void learn_tick(void *arg) {
  RlRun *run = arg;
  rl_progress_tick(&run->progress, run->counters.step + (int64_t)run->rollout.T * run->rollout.N);
}

// Rewards in units of the deviation of earlier returns.
static void scale_rewards(RlRun *run) {
  RlRollout *r = &run->rollout;
  const RlReturnScale *scale = &run->policy.scale;
  if (scale->mode != RL_REWARD_BATCH) return;
  rl_gae_returns(r->raw_ret, r->raw_rew, r->next_value, r->terminated, r->truncated, r->lost, r->T,
                 r->N, run->config.ppo.gamma, rl_return_scale_deviation(scale));
  rl_return_scale_forward(scale, r->rew, r->raw_rew, r->raw_ret, r->lost, r->T * r->N);
}

// The iteration's figures, in the order of columns.
static RlStatus report(RlRun *run, const RlPpoStats *stats) {
  const RlTimeSplit *split = &run->split;
  double all = split->collect + split->learn + split->evaluate;
  const double value[] = {stats->approx_kl,
                          stats->clip_fraction,
                          stats->clip_range,
                          stats->entropy_loss,
                          stats->explained_variance,
                          stats->learning_rate,
                          stats->policy_gradient_loss,
                          stats->saturation,
                          stats->std,
                          stats->value_loss,
                          stats->actor_grad_norm,
                          stats->critic_grad_norm,
                          (double)run->counters.updates,
                          (double)run->counters.skipped,
                          (double)run->counters.diverged,
                          rl_return_scale_deviation(&run->policy.scale),
                          run->eval_mean,
                          split->collect / all,
                          split->infer / all,
                          split->learn / all,
                          split->evaluate / all};
  _Static_assert(sizeof value / sizeof *value == NCOLUMN, "a value for every column");
  return rl_run_report(run, columns, value, NCOLUMN);
}

void rl_train_ppo_iterate(RlRun *run, RlPpoStats *stats) {
  RlPpo *ppo = &run->ppo;
  RlRollout *rollout = &run->rollout;
  double start = rl_clock_seconds();
  rl_ppo_schedule(ppo, (double)run->counters.step / (double)run->config.run.total_steps);
  rl_rollout_reset(rollout, rollout_steps(run));
  rl_collector_run(&run->collector, &run->policy.actor, rollout, collect_tick, run);
  double collected = rl_clock_seconds();

  rl_ppo_evaluate(ppo, rollout);
  scale_rewards(run);
  rl_ppo_update(ppo, rollout, stats);
  // detail: frozen-moments: what this batch adds to either statistic counts from the next batch on
  rl_normalizer_merge(&run->policy.norm);
  rl_return_scale_merge(&run->policy.scale, rollout->raw_ret, rollout->lost,
                        rollout->T * rollout->N);
  run->split.collect += collected - start;
  run->split.infer += run->collector.infer_seconds / run->threads;
  run->split.learn += rl_clock_seconds() - collected;

  run->counters.step += (int64_t)rollout->T * rollout->N;
  run->counters.updates += stats->updates;
  run->counters.skipped += stats->skipped;
  run->counters.diverged = run->env.ndiverged;
}

// Ends a run that no longer learns: with a row that counts what was skipped, and without a save.
static RlStatus give_up(RlRun *run, const RlPpoStats *stats) {
  RL_TRY(report(run, stats));
  return rl_error(RL_FAIL,
                  "%s: %s: found no usable value in %d minibatches in a row, expected finite "
                  "ones; the last good checkpoint is kept",
                  run->folder.dir, stats->bad, run->ppo.skipped_in_a_row);
}

RlStatus rl_train_ppo(RlRun *run) {
  const RlRunOptions *o = &run->config.run;
  RL_TRY(rl_run_open_metrics(run, columns, NCOLUMN));
  run->ppo.tick = learn_tick;
  run->ppo.tick_arg = run;
  if (run->counters.step == 0) rl_train_ppo_warmup(run);
  while (run->counters.step < o->total_steps && !rl_run_is_stopped(run)) {
    int64_t before = run->counters.step;
    RlPpoStats stats;
    rl_run_offer(run);
    rl_train_ppo_iterate(run, &stats);
    if (run->ppo.skipped_in_a_row >= RL_PATIENCE) return give_up(run, &stats);
    if (rl_run_is_due(o->eval_every, before, run->counters.step)) RL_TRY(rl_run_evaluate(run));
    RL_TRY(report(run, &stats));
    if (rl_run_is_due(o->checkpoint_every, before, run->counters.step))
      RL_TRY(rl_run_save(run, true));
  }
  if (run->saved_step == run->counters.step) return RL_OK;
  return rl_run_save(run, run->counters.step >= o->total_steps);
}
