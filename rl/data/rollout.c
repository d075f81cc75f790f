// The rollout buffer: see rollout.h.
#include "rl/data/rollout.h"

#include "rl/base/status.h"

// an environment can reach its time limit this often in any T steps
static int64_t most_final(int T, int N, int max_episode_steps) {
  return N * (((int64_t)T + max_episode_steps - 1) / max_episode_steps);
}

void rl_rollout_init(RlRollout *rollout, RlArena *arena, int T, int N, int O, int A,
                     int max_episode_steps) {
  size_t rows = (size_t)T * (size_t)N;
  rollout->capacity = T;
  rollout->N = N;
  rollout->O = O;
  rollout->A = A;
  rollout->obs = RL_PUSH(arena, RlReal, rows * (size_t)O);
  rollout->act = RL_PUSH(arena, RlReal, rows * (size_t)A);
  rollout->mean = RL_PUSH(arena, RlReal, rows * (size_t)A);
  rollout->logp = RL_PUSH(arena, RlReal, rows);
  rollout->raw_rew = RL_PUSH(arena, float, rows);
  rollout->rew = RL_PUSH(arena, RlReal, rows);
  rollout->terminated = RL_PUSH(arena, uint8_t, rows);
  rollout->truncated = RL_PUSH(arena, uint8_t, rows);
  rollout->lost = RL_PUSH(arena, uint8_t, rows);
  rollout->value = RL_PUSH(arena, RlReal, rows);
  rollout->next_value = RL_PUSH(arena, RlReal, rows);
  rollout->adv = RL_PUSH(arena, RlReal, rows);
  rollout->ret = RL_PUSH(arena, RlReal, rows);
  rollout->raw_ret = RL_PUSH(arena, double, rows);
  rollout->last_obs = RL_PUSH(arena, RlReal, (size_t)N * (size_t)O);
  rollout->max_final = (int)most_final(T, N, max_episode_steps);
  rollout->final_row = RL_PUSH(arena, int, rollout->max_final);
  rollout->final_obs = RL_PUSH(arena, RlReal, (size_t)rollout->max_final * (size_t)O);
}

double rl_rollout_bytes(int T, int N, int O, int A, int max_episode_steps) {
  double rows = (double)T * N;
  double real = sizeof(RlReal);
  double row = real * (O + 2.0 * A + 6) + sizeof(float) + sizeof(double) + 3;
  double final = (double)most_final(T, N, max_episode_steps);
  return rows * row + final * (real * O + sizeof(int)) + real * N * O;
}

void rl_rollout_reset(RlRollout *rollout, int T) {
  RL_ASSERT(T >= 1 && T <= rollout->capacity);
  rollout->T = T;
  rollout->nfinal = 0;
}
