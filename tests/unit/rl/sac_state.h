// Everything that an update of SAC may change, in copies that can be compared.
#ifndef TESTS_UNIT_RL_SAC_STATE_H_
#define TESTS_UNIT_RL_SAC_STATE_H_

#include "tests/unit/rl/sac_bench.h"

enum { NET_ACTOR, NET_CRITIC0, NET_CRITIC1, NET_TARGET0, NET_TARGET1, NNET };

enum { MOST = 200 };
typedef struct {
  RlReal param[NNET][MOST], m[NNET][MOST], v[NNET][MOST];
  int64_t step[NNET];
  RlReal log_alpha, alpha_m, alpha_v;
  int64_t alpha_step;
} State;

static inline const RlMlp *net_of(const Bench *b, int n) {
  return n == NET_ACTOR    ? &b->actor.mlp
         : n < NET_TARGET0 ? &b->critic[n - 1]
                           : &b->sac.target[n - 3];
}

static inline State state_of(const Bench *b) {
  State s;
  memset(&s, 0, sizeof s);
  for (int n = 0; n < NNET; n++) {
    const RlMlp *mlp = net_of(b, n);
    size_t size = (size_t)mlp->nparam * sizeof(RlReal);
    assert_true(mlp->nparam <= MOST);
    memcpy(s.param[n], mlp->param, size);
    if (n >= NET_TARGET0) continue;
    const RlSacNet *net = n == NET_ACTOR ? &b->sac.actor_net : &b->sac.critic_net[n - 1];
    memcpy(s.m[n], net->adam.m, size);
    memcpy(s.v[n], net->adam.v, size);
    s.step[n] = net->adam.step;
  }
  s.log_alpha = b->sac.log_alpha;
  s.alpha_m = b->sac.alpha_adam.m[0];
  s.alpha_v = b->sac.alpha_adam.v[0];
  s.alpha_step = b->sac.alpha_adam.step;
  return s;
}

// Bit by bit, moments included.
static inline bool same_net(const State *a, const State *b, int n) {
  return !memcmp(a->param[n], b->param[n], sizeof a->param[n]) &&
         !memcmp(a->m[n], b->m[n], sizeof a->m[n]) && !memcmp(a->v[n], b->v[n], sizeof a->v[n]) &&
         a->step[n] == b->step[n];
}

static inline bool same_alpha(const State *a, const State *b) {
  return !memcmp(&a->log_alpha, &b->log_alpha, sizeof a->log_alpha) && a->alpha_m == b->alpha_m &&
         a->alpha_v == b->alpha_v && a->alpha_step == b->alpha_step;
}

static inline bool same_state(const State *a, const State *b) {
  for (int n = 0; n < NNET; n++) {
    if (!same_net(a, b, n)) return false;
  }
  return same_alpha(a, b);
}

#endif
