// The SAC training loop: act, keep the transitions, update. Each step is one call; what each does
// is in the file it is named after.
#include "rl/run/train_sac.h"

#include <math.h>
#include <string.h>

#include "rl/base/clock.h"

// of metrics.csv, behind the common ones
static const char *const columns[] = {"actor_loss",
                                      "critic_loss",
                                      "ent_coef",
                                      "ent_coef_loss",
                                      "entropy",
                                      "learning_rate",
                                      "q1_mean",
                                      "q2_mean",
                                      "q_gap",
                                      "q_std",
                                      "saturation",
                                      "std",
                                      "actor_grad_norm",
                                      "critic_grad_norm",
                                      "n_updates",
                                      "skipped_updates",
                                      "diverged",
                                      "replay_size",
                                      "eval_return_mean",
                                      "collect_share",
                                      "infer_share",
                                      "learn_share",
                                      "evaluate_share"};

enum { NCOLUMN = sizeof columns / sizeof *columns };

// Adds one update's figures to the means.
static void means_push(RlSacMeans *means, const RlSacStats *stats) {
  RlSacStats *sum = &means->sum;
  if (stats->critics_applied) {
    means->critics++;
    sum->critic_loss += stats->critic_loss;
    sum->ent_coef += stats->ent_coef;
    sum->entropy += stats->entropy;
    sum->q1 += stats->q1;
    sum->q2 += stats->q2;
    sum->q_gap += stats->q_gap;
    sum->q_std += stats->q_std;
    sum->saturation += stats->saturation;
    sum->std += stats->std;
    sum->critic_grad_norm += stats->critic_grad_norm;
  }
  if (stats->actor_applied) {
    means->actors++;
    sum->actor_loss += stats->actor_loss;
    sum->ent_coef_loss += stats->ent_coef_loss;
    sum->actor_grad_norm += stats->actor_grad_norm;
  }
  if (stats->bad) sum->bad = stats->bad;
}

// A row of metrics.csv, in the order of columns; the means begin anew.
static RlStatus report(RlRun *run, RlSacMeans *means) {
  const RlTimeSplit *split = &run->split;
  const RlSacStats *s = &means->sum;
  double all = split->collect + split->learn + split->evaluate;
  double C = means->critics ? means->critics : (double)NAN;
  double A = means->actors ? means->actors : (double)NAN;
  const double value[] = {s->actor_loss / A,
                          s->critic_loss / C,
                          s->ent_coef / C,
                          s->ent_coef_loss / A,
                          s->entropy / C,
                          run->config.sac.learning_rate,
                          s->q1 / C,
                          s->q2 / C,
                          s->q_gap / C,
                          s->q_std / C,
                          s->saturation / C,
                          s->std / C,
                          s->actor_grad_norm / A,
                          s->critic_grad_norm / C,
                          (double)run->counters.updates,
                          (double)run->counters.skipped,
                          (double)run->counters.diverged,
                          (double)rl_replay_count(&run->replay),
                          run->eval_mean,
                          split->collect / all,
                          split->infer / all,
                          split->learn / all,
                          split->evaluate / all};
  _Static_assert(sizeof value / sizeof *value == NCOLUMN, "a value for every column");
  memset(means, 0, sizeof *means);
  return rl_run_report(run, columns, value, NCOLUMN);
}

// Updates due behind the steps (before, after]: gradient_steps at every multiple of train_freq
// beyond the random start.
static int64_t updates_due(const RlSacOptions *o, int64_t before, int64_t after) {
  if (before < o->learning_starts) before = o->learning_starts;
  if (after <= before) return 0;
  // detail: updates-per-step: environment steps count, however many environments take them
  return (after / o->train_freq - before / o->train_freq) * o->gradient_steps;
}

// Counts updates that have nothing to learn from as skipped: every step was lost, and a run of
// which that stays true ends.
static void skip_updates(RlRun *run, RlSacMeans *means, int64_t due) {
  means->sum.bad = "every step so far";
  run->counters.skipped += due;
  int64_t in_a_row = run->sac.skipped_in_a_row + due;
  run->sac.skipped_in_a_row = in_a_row < INT32_MAX ? (int32_t)in_a_row : INT32_MAX;
}

void rl_train_sac_begin(RlRun *run) {
  rl_sac_start(&run->sac);
  rl_vecenv_reset(&run->env, (uint64_t)run->config.run.seed, RL_STREAM_ENV);
}

void rl_train_sac_iterate(RlRun *run, RlSacMeans *means) {
  const RlSacOptions *o = &run->config.sac;
  RlSac *sac = &run->sac;
  int64_t before = run->counters.step, after = before + run->env.N;
  double start = rl_clock_seconds();
  rl_explorer_step(&run->explorer, before < o->learning_starts);
  run->counters.step = after;
  run->counters.diverged = run->env.ndiverged;
  double collected = rl_clock_seconds();
  run->split.collect += collected - start;
  run->split.infer += run->explorer.infer_seconds / run->threads;

  int64_t due = updates_due(o, before, after);
  if (due > 0 && rl_replay_count(&run->replay) == 0) {
    skip_updates(run, means, due);
    due = 0;
  }
  for (int64_t i = 0; i < due && sac->skipped_in_a_row < RL_PATIENCE; i++) {
    RlSacStats stats;
    rl_sac_draw(sac, &run->replay, &run->policy.norm);
    rl_sac_learn(sac, &stats);
    means_push(means, &stats);
    run->counters.updates += stats.critics_applied;
    run->counters.skipped += stats.bad != NULL;
    rl_progress_tick(&run->progress, after);
  }
  run->split.learn += rl_clock_seconds() - collected;
}

// Ends a run that no longer learns: with a row that counts what was skipped, and without a save.
static RlStatus give_up(RlRun *run, RlSacMeans *means) {
  const char *bad = means->sum.bad;
  RL_TRY(report(run, means));
  return rl_error(RL_FAIL,
                  "%s: %s: found no usable value in %d updates in a row, expected finite ones; "
                  "the last good checkpoint is kept",
                  run->folder.dir, bad, run->sac.skipped_in_a_row);
}

RlStatus rl_train_sac(RlRun *run) {
  const RlRunOptions *o = &run->config.run;
  RlSacMeans means = {0};
  RL_TRY(rl_run_open_metrics(run, columns, NCOLUMN));
  if (run->counters.step == 0) rl_train_sac_begin(run);
  while (run->counters.step < o->total_steps && !rl_run_is_stopped(run)) {
    int64_t before = run->counters.step;
    rl_run_offer(run);
    rl_train_sac_iterate(run, &means);
    int64_t after = run->counters.step;
    bool last = after >= o->total_steps;
    if (run->sac.skipped_in_a_row >= RL_PATIENCE) return give_up(run, &means);
    rl_progress_tick(&run->progress, after);
    if (rl_run_is_due(o->eval_every, before, after)) RL_TRY(rl_run_evaluate(run));
    if (last || rl_run_is_due(o->log_every, before, after)) RL_TRY(report(run, &means));
    if (rl_run_is_due(o->checkpoint_every, before, after)) RL_TRY(rl_run_save(run, true));
  }
  if (run->saved_step == run->counters.step) return RL_OK;
  return rl_run_save(run, run->counters.step >= o->total_steps);
}
