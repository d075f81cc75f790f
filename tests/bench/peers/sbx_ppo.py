"""Environment steps per second of SBX's PPO (Stable-Baselines3 on JAX): 8 environments x 256 steps, 10 epochs of 64,
64x64 tanh, observations and rewards normalised, no target_kl.

    pip install torch==2.13.0 sbx-rl "gymnasium[mujoco]"
    python tests/bench/peers/sbx_ppo.py HalfCheetah-v5 [threads] [iterations]

Environments in turn in one process and in a process each: the faster counts. The first iteration, which compiles, is
not measured.
"""
import json
import os
import sys
import time

TASK = sys.argv[1] if len(sys.argv) > 1 else "HalfCheetah-v5"
THREADS = int(sys.argv[2]) if len(sys.argv) > 2 else 2
ITERATIONS = int(sys.argv[3]) if len(sys.argv) > 3 else 3
N_ENVS, N_STEPS = 8, 256
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])  # JAX takes as many threads as it sees processors
os.environ["JAX_PLATFORMS"] = "cpu"

import gymnasium
from sbx import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecNormalize


class Clock(BaseCallback):
    """Notes when the second rollout begins."""

    def _on_rollout_start(self):
        if self.num_timesteps == N_ENVS * N_STEPS:
            self.started = time.perf_counter()

    def _on_step(self):
        return True


def rate(vec_env):
    env = VecNormalize(vec_env([lambda: gymnasium.make(TASK)] * N_ENVS))
    model = PPO("MlpPolicy", env, n_steps=N_STEPS, batch_size=64, n_epochs=10, target_kl=None, seed=1)
    clock = Clock()
    model.learn((1 + ITERATIONS) * N_ENVS * N_STEPS, callback=clock)
    seconds = time.perf_counter() - clock.started
    env.close()
    return ITERATIONS * N_ENVS * N_STEPS / seconds


def main():
    best = max(rate(vec_env) for vec_env in (DummyVecEnv, SubprocVecEnv))
    print(json.dumps({"peer": "sbx", "task": TASK, "threads": THREADS, "rate": best, "unit": "steps/s"}))


if __name__ == "__main__":
    main()
