"""Environment steps per second of Stable-Baselines3's PPO: 8 environments x 256 steps, 10 epochs of 64, 64x64 tanh,
observations and rewards normalised, no target_kl.

    pip install torch==2.13.0 stable-baselines3 "gymnasium[mujoco]"
    python tests/bench/peers/sb3_ppo.py HalfCheetah-v5 [threads] [iterations]

Environments in turn in one process and in a process each: the faster counts. The first iteration is not measured.
"""
import json
import sys
import time

import gymnasium
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecNormalize

TASK = sys.argv[1] if len(sys.argv) > 1 else "HalfCheetah-v5"
THREADS = int(sys.argv[2]) if len(sys.argv) > 2 else 2
ITERATIONS = int(sys.argv[3]) if len(sys.argv) > 3 else 2
N_ENVS, N_STEPS = 8, 256


class Clock(BaseCallback):
    """Notes when the second rollout begins."""

    def _on_rollout_start(self):
        if self.num_timesteps == N_ENVS * N_STEPS:
            self.started = time.perf_counter()

    def _on_step(self):
        return True


def rate(vec_env):
    env = VecNormalize(vec_env([lambda: gymnasium.make(TASK)] * N_ENVS))
    model = PPO("MlpPolicy", env, n_steps=N_STEPS, batch_size=64, n_epochs=10, target_kl=None, device="cpu", seed=1)
    clock = Clock()
    model.learn((1 + ITERATIONS) * N_ENVS * N_STEPS, callback=clock)
    seconds = time.perf_counter() - clock.started
    env.close()
    return ITERATIONS * N_ENVS * N_STEPS / seconds


def main():
    torch.set_num_threads(THREADS)
    best = max(rate(vec_env) for vec_env in (DummyVecEnv, SubprocVecEnv))
    print(json.dumps({"peer": "sb3", "task": TASK, "threads": THREADS, "rate": best, "unit": "steps/s"}))


if __name__ == "__main__":
    main()
