// The last episodes' raw returns and lengths. Place: filled by whoever steps the training
// environments, shown in metrics.csv and on the panel.
#ifndef RL_DATA_EPISODES_H_
#define RL_DATA_EPISODES_H_

#include <stdint.h>

enum { RL_EPISODE_WINDOW = 100 };

typedef struct {
  int64_t count;                  // episodes ended since the start
  double ret[RL_EPISODE_WINDOW];  // a ring: episode e is at e % RL_EPISODE_WINDOW
  double length[RL_EPISODE_WINDOW];
} RlEpisodes;

void rl_episodes_push(RlEpisodes *episodes, double ret, int length);

// Means over the window; NaN before the first episode ended.
double rl_episodes_mean(const RlEpisodes *episodes, const double *ring);

#endif
