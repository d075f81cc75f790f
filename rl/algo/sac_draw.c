// A minibatch of SAC: transitions from the replay buffer, normalised, and the noise of the actions
// that the update draws. See sac.h.
#include "nets/normal.h"
#include "rl/algo/sac.h"
#include "rl/base/clock.h"

typedef struct {
  RlSac *sac;
  const RlReplay *replay;
  const RlNormalizer *norm;
  RlReplayWindow window;
} Draw;

// Numbers [first, end) of both noises, drawn in turn.
static void draw_noise(RlSacBatch *batch, size_t first, size_t end, RlRng *rng) {
  enum { PAIRS = 64 };
  RlReal drawn[PAIRS][2];
  for (size_t i = first; i < end; i += PAIRS) {
    const size_t n = end - i < PAIRS ? end - i : PAIRS;
    rl_normal_fill(drawn[0], 2 * n, rng);
    for (size_t k = 0; k < n; k++) {
      batch->noise[i + k] = drawn[k][0];
      batch->next_noise[i + k] = drawn[k][1];
    }
  }
}

static void draw_job(void *arg, int b) {
  const Draw *draw = arg;
  RlSac *sac = draw->sac;
  RlSacBatch *batch = &sac->batch;
  size_t O = (size_t)sac->O, A = (size_t)sac->A;
  size_t first = (size_t)b * (size_t)sac->block, end = first + (size_t)rl_sac_block_rows(sac, b);
  for (size_t r = first; r < end; r++) {
    RlTransition t;
    rl_replay_read(draw->replay, &t, batch->slot[r], &draw->window);
    // detail: normalised-on-sampling
    rl_normalizer_forward(draw->norm, batch->obs + r * O, t.obs, 1);
    rl_normalizer_forward(draw->norm, batch->next_obs + r * O, t.next_obs, 1);
    for (size_t i = 0; i < A; i++) batch->act[r * A + i] = (RlReal)t.act[i];
    batch->ret[r] = (RlReal)t.ret;
    batch->discount[r] = (RlReal)t.discount;
  }
  draw_noise(batch, first * A, end * A, &sac->noise_rng[b]);
}

void rl_sac_draw(RlSac *sac, const RlReplay *replay, const RlNormalizer *norm) {
  const RlSacOptions *o = sac->o;
  double start = rl_clock_seconds();
  Draw draw = {sac,
               replay,
               norm,
               {.n_step = o->n_step,
                .gamma = o->gamma,
                .bootstrap_truncated = o->bootstrap_truncated,
                .final_observation = o->final_observation,
                .discount_steps_taken = o->discount_steps_taken}};
  rl_replay_draw(replay, sac->batch.slot, o->batch_size, &sac->draw_rng);
  rl_pool_run(sac->pool, sac->nblock, draw_job, &draw);
  sac->split.sample += rl_clock_seconds() - start;
}
