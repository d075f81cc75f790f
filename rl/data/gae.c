// Generalised advantage estimation: see gae.h. One environment at a time, backwards in time.
#include "rl/data/gae.h"

#include <stdbool.h>

void rl_gae_compute(RlReal *adv, RlReal *ret, const RlReal *rew, const RlReal *value,
                    const RlReal *next_value, const uint8_t *terminated, const uint8_t *truncated,
                    const uint8_t *lost, int T, int N, double gamma, double lambda) {
  for (int n = 0; n < N; n++) {
    double chain = 0;
    for (int t = T - 1; t >= 0; t--) {
      int i = t * N + n;
      if (lost[i]) {
        adv[i] = ret[i] = 0;
        chain = 0;
        continue;
      }
      // detail: gae-two-masks
      bool cut = terminated[i] || truncated[i] || t == T - 1;
      double bootstrap = terminated[i] ? 0 : gamma * (double)next_value[i];
      double delta = (double)rew[i] + bootstrap - (double)value[i];
      chain = cut ? delta : delta + gamma * lambda * chain;
      adv[i] = (RlReal)chain;
      ret[i] = (RlReal)(chain + (double)value[i]);
    }
  }
}

void rl_gae_returns(double *ret, const float *rew, const RlReal *next_value,
                    const uint8_t *terminated, const uint8_t *truncated, const uint8_t *lost, int T,
                    int N, double gamma, double scale) {
  for (int n = 0; n < N; n++) {
    double chain = 0;
    for (int t = T - 1; t >= 0; t--) {
      int i = t * N + n;
      if (lost[i]) {
        ret[i] = chain = 0;
        continue;
      }
      if (terminated[i]) {
        chain = 0;
      } else if (truncated[i] || t == T - 1) {
        chain = scale * (double)next_value[i];
      }
      chain = (double)rew[i] + gamma * chain;
      ret[i] = chain;
    }
  }
}
