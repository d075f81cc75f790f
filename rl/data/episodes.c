// Finished episodes: see episodes.h.
#include "rl/data/episodes.h"

#include <math.h>

void rl_episodes_push(RlEpisodes *episodes, double ret, int length) {
  int slot = (int)(episodes->count++ % RL_EPISODE_WINDOW);
  episodes->ret[slot] = ret;
  episodes->length[slot] = length;
}

double rl_episodes_mean(const RlEpisodes *episodes, const double *ring) {
  int n = episodes->count < RL_EPISODE_WINDOW ? (int)episodes->count : RL_EPISODE_WINDOW;
  double sum = 0;
  for (int i = 0; i < n; i++) sum += ring[i];
  return n ? sum / n : NAN;
}
