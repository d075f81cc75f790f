// Order of doubles, for qsort.
#ifndef RL_BASE_ORDER_H_
#define RL_BASE_ORDER_H_

static inline int rl_ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

#endif
