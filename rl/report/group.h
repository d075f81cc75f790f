// Runs that differ in nothing but their seed form a group; groups of one task share a panel. Place:
// between the runs and everything shown of them.
//
// Keys that change no bit of the training (threads, logs, checkpoints, evaluations) may differ
// within a group. A bare curve file belongs to the others of its NAME.
#ifndef RL_REPORT_GROUP_H_
#define RL_REPORT_GROUP_H_

#include "rl/report/curve.h"
#include "rl/report/source.h"

enum { RL_GROUP_NAME = 160 };

typedef struct {
  char name[RL_GROUP_NAME];       // in its panel: "PPO", "SAC, n_step 3"; of a bare file ""
  char title[2 * RL_GROUP_NAME];  // elsewhere: "Hopper-v5, SAC, n_step 3"
  int panel, color;               // color: which one in its panel
  int nmember;
  const RlSource **member;  // (nmember)
  RlConfig defaults;        // of its algorithm and task, unless bare
} RlGroup;

// Forms the groups, panel by panel, in the order of their first runs; group has room for nsource.
// Returns RL_USAGE if a group has a seed twice.
RL_MUST_USE RlStatus rl_group_form(RlGroup *group, int *ngroup, RlArena *arena,
                                   const RlSource *source, int nsource);

// Whether a group's value of a key is not its default.
bool rl_group_deviates(const RlGroup *group, int row);

// Whether a key is one that runs of a group may differ in.
bool rl_group_is_free(const RlOption *option);

// The members' curves (nmember) of a column over x = "step" or "seconds" times scale, and their
// mean and spread. eval_return_mean has points where the run was evaluated only.
void rl_group_curves(const RlGroup *group, RlArena *arena, const char *column, const char *x,
                     double scale, RlCurve *curve, RlBand *band);

#endif
