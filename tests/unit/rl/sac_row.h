// Where a row of SAC's minibatch lies: in which block, and at which row of it.
#ifndef TESTS_UNIT_RL_SAC_ROW_H_
#define TESTS_UNIT_RL_SAC_ROW_H_

#include "rl/algo/sac.h"

typedef struct {
  const RlSacBlock *block;
  int r;
} SacRow;

static inline SacRow sac_row(const RlSac *sac, int r) {
  return (SacRow){&sac->blocks[r / sac->block], r % sac->block};
}

#endif  // TESTS_UNIT_RL_SAC_ROW_H_
