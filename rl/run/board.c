// What a run shows in TensorBoard: names, and the numbers behind a histogram. See board.h.
#include "rl/run/board.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------- names

enum { TAG = 64 };

// Of the columns that every run has, in the order of rl_metrics_write, the step aside: SB3's names.
static const char *const fixed_tag[RL_METRICS_FIXED - 1] = {
    "time/time_elapsed", "time/fps", "rollout/ep_rew_mean", "rollout/ep_len_mean"};

// Of all others: SB3's names, and ours in its groups where it has none.
static const struct {
  const char *column, *tag;
} names[] = {{"actor_grad_norm", "train/actor_grad_norm"},
             {"actor_loss", "train/actor_loss"},
             {"approx_kl", "train/approx_kl"},
             {"clip_fraction", "train/clip_fraction"},
             {"clip_range", "train/clip_range"},
             {"collect_share", "time/collect_share"},
             {"critic_grad_norm", "train/critic_grad_norm"},
             {"critic_loss", "train/critic_loss"},
             {"diverged", "train/diverged"},
             {"ent_coef", "train/ent_coef"},
             {"ent_coef_loss", "train/ent_coef_loss"},
             {"entropy", "train/entropy"},
             {"entropy_loss", "train/entropy_loss"},
             // at the step of the evaluation, not in each row until the next: rl_board_evaluation
             {"eval_return_mean", NULL},
             {"evaluate_share", "time/evaluate_share"},
             {"explained_variance", "train/explained_variance"},
             {"infer_share", "time/infer_share"},
             {"learn_share", "time/learn_share"},
             {"learning_rate", "train/learning_rate"},
             {"n_updates", "train/n_updates"},
             {"policy_gradient_loss", "train/policy_gradient_loss"},
             {"q1_mean", "train/q1_mean"},
             {"q2_mean", "train/q2_mean"},
             {"q_gap", "train/q_gap"},
             {"q_std", "train/q_std"},
             {"replay_size", "train/replay_size"},
             {"return_scale", "train/return_scale"},
             {"saturation", "train/saturation"},
             {"skipped_updates", "train/skipped_updates"},
             {"std", "train/std"},
             {"value_loss", "train/value_loss"}};

enum { NNAME = sizeof names / sizeof *names };

static const char *find_tag(const char *column) {
  int i = 0;
  while (i < NNAME && strcmp(names[i].column, column) != 0) i++;
  RL_ASSERT(i < NNAME);
  return names[i].tag;
}

RlStatus rl_board_open(RlBoard *board, const char *dir, int64_t step, const RlConfig *config,
                       const char *const *column, int ncolumn) {
  RL_ASSERT(ncolumn <= RL_METRICS_COLUMNS - RL_METRICS_FIXED);
  board->ncolumn = ncolumn;
  for (int i = 0; i < ncolumn; i++) board->tag[i] = find_tag(column[i]);
  RL_TRY(rl_events_open(&board->events, dir, step, config->run.tensorboard));
  RlStatus status = rl_events_write_config(&board->events, step < 0 ? 0 : step, config);
  if (status != RL_OK) rl_board_close(board);
  return status;
}

RlStatus rl_board_sync(RlBoard *board) {
  return rl_events_sync(&board->events);
}

void rl_board_close(RlBoard *board) {
  rl_events_close(&board->events);
}

// ---------------------------------------------------------------- scalars

RlStatus rl_board_row(RlBoard *board, const RlMetricsRow *row, const double *value) {
  const double fixed[RL_METRICS_FIXED - 1] = {row->seconds, row->steps_per_second,
                                              row->episode_return_mean, row->episode_length_mean};
  RlEventScalar scalar[RL_METRICS_COLUMNS];
  int n = 0;
  for (int i = 0; i < RL_METRICS_FIXED - 1; i++) {
    scalar[n++] = (RlEventScalar){fixed_tag[i], fixed[i]};
  }
  for (int i = 0; i < board->ncolumn; i++) {
    if (board->tag[i]) scalar[n++] = (RlEventScalar){board->tag[i], value[i]};
  }
  return rl_events_write_scalars(&board->events, row->step, scalar, n);
}

RlStatus rl_board_evaluation(RlBoard *board, int64_t step, const RlEvalSummary *summary) {
  const RlEventScalar scalar[] = {{"eval/mean_reward", summary->mean},
                                  {"eval/mean_ep_length", summary->length_mean}};
  return rl_events_write_scalars(&board->events, step, scalar, 2);
}

// ---------------------------------------------------------------- histograms

// Numbers in two pieces, as the newest part of a ring may lie: x[0], x[stride], ... n of them each.
typedef struct {
  struct {
    const float *x;
    const uint8_t *end;  // nullable: numbers whose end has a bit of skip are left out (n)
    int64_t n;
  } piece[2];
  int64_t stride;
  int skip;
} Numbers;

// Walks over the numbers that count; with h->min and max in place, or to find them.
static void walk(const Numbers *numbers, RlEventHistogram *h, bool count) {
  double scale = RL_EVENT_BUCKETS / (h->max - h->min);
  for (int p = 0; p < 2; p++) {
    for (int64_t i = 0; i < numbers->piece[p].n; i++) {
      const uint8_t *end = numbers->piece[p].end;
      double x = (double)numbers->piece[p].x[i * numbers->stride];
      if ((end && (end[i] & numbers->skip)) || !isfinite(x)) continue;
      if (!count) {
        h->min = fmin(h->min, x);
        h->max = fmax(h->max, x);
        continue;
      }
      int bucket = (int)((x - h->min) * scale);
      h->bucket[bucket < RL_EVENT_BUCKETS ? bucket : RL_EVENT_BUCKETS - 1]++;
      h->num++;
      h->sum += x;
      h->sum_squares += x * x;
    }
  }
}

// Writes the histogram of the numbers; none if there are none.
static RlStatus put(RlBoard *board, int64_t step, const char *tag, const Numbers *numbers) {
  RlEventHistogram h = {.min = INFINITY, .max = -INFINITY};
  walk(numbers, &h, false);
  if (!(h.min <= h.max)) return RL_OK;
  // a constant stands in the middle of buckets that can be told apart
  if (h.min == h.max) {
    double half = 0.5 * fmax(1, fabs(h.min));
    h.min -= half;
    h.max += half;
  }
  walk(numbers, &h, true);
  return rl_events_write_histogram(&board->events, step, tag, &h);
}

static RlStatus put_array(RlBoard *board, int64_t step, const char *tag, const float *x, int n) {
  const Numbers numbers = {.piece = {{.x = x, .n = n}}, .stride = 1};
  return put(board, step, tag, &numbers);
}

static RlStatus put_network(RlBoard *board, int64_t step, const char *name, const RlMlp *mlp) {
  char tag[TAG];
  for (int l = 0; l < mlp->L; l++) {
    snprintf(tag, sizeof tag, "%s/%d/weight", name, l);
    RL_TRY(put_array(board, step, tag, mlp->W[l], mlp->dim[l] * mlp->dim[l + 1]));
    snprintf(tag, sizeof tag, "%s/%d/bias", name, l);
    RL_TRY(put_array(board, step, tag, mlp->b[l], mlp->dim[l + 1]));
  }
  snprintf(tag, sizeof tag, "%s/log_std", name);
  return mlp->nextra ? put_array(board, step, tag, mlp->extra, mlp->nextra) : RL_OK;
}

RlStatus rl_board_policy(RlBoard *board, int64_t step, const RlPolicy *policy) {
  static const char *const critic[][2] = {{"critic"}, {"critic_1", "critic_2"}};
  if (board->events.fd < 0) return RL_OK;
  RL_TRY(put_network(board, step, "actor", &policy->actor.mlp));
  for (int c = 0; c < policy->ncritic; c++) {
    RL_TRY(put_network(board, step, critic[policy->ncritic - 1][c], &policy->critic[c]));
  }
  return RL_OK;
}

// numbers: of the first of A components; each of the others lies one further on
static RlStatus put_actions(RlBoard *board, int64_t step, Numbers *numbers, int A) {
  char tag[TAG];
  if (board->events.fd < 0) return RL_OK;
  numbers->stride = A;
  for (int i = 0; i < A; i++) {
    snprintf(tag, sizeof tag, "actions/%d", i);
    RL_TRY(put(board, step, tag, numbers));
    for (int p = 0; p < 2; p++) {
      if (numbers->piece[p].n) numbers->piece[p].x++;
    }
  }
  return RL_OK;
}

RlStatus rl_board_rollout(RlBoard *board, int64_t step, const RlRollout *rollout) {
  int64_t rows = (int64_t)rollout->T * rollout->N;
  Numbers numbers = {.piece = {{rollout->act, rollout->lost, rows}}, .skip = 1};
  return put_actions(board, step, &numbers, rollout->A);
}

RlStatus rl_board_replay(RlBoard *board, int64_t step, const RlReplay *replay) {
  int64_t N = replay->N, A = replay->A;
  int64_t wanted = (RL_BOARD_TRANSITIONS + N - 1) / N, held = replay->written - replay->oldest;
  int64_t steps = held < wanted ? held : wanted;
  // up to the ring's end and on from its front
  int64_t row = (replay->written - steps) % replay->capacity;
  int64_t first = steps < replay->capacity - row ? steps : replay->capacity - row;
  Numbers numbers = {.piece = {{replay->act + row * N * A, replay->end + row * N, first * N},
                               {replay->act, replay->end, (steps - first) * N}},
                     .skip = RL_REPLAY_LOST};
  return put_actions(board, step, &numbers, (int)A);
}
