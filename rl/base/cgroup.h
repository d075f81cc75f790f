// Limits that control groups set. Place: below what asks how many threads and how much memory the
// process may use.
#ifndef RL_BASE_CGROUP_H_
#define RL_BASE_CGROUP_H_

// The least that look finds in a folder of the process's groups under a controller ("cpu",
// "memory"), from its own group up to the root, in either version of the hierarchy. look answers
// 0 where a folder sets no limit; so does this if none does.
double rl_cgroup_least(const char *controller, double (*look)(const char *folder));

#endif
