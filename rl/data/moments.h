// Count, mean and sum of squared distances of numbers that come one at a time (Welford 1962), in
// the order they come.
#ifndef RL_DATA_MOMENTS_H_
#define RL_DATA_MOMENTS_H_

typedef struct {
  double count, mean;
  double m2;  // sum of (x - mean)^2
} RlMoments;

static inline void rl_moments_push(RlMoments *moments, double x) {
  moments->count += 1;
  double delta = x - moments->mean;
  moments->mean += delta / moments->count;
  moments->m2 += delta * (x - moments->mean);
}

#endif
