"""Updates per second of Stable-Baselines3's SAC: 256x256, batches of 256, one update a step.

    pip install torch==2.13.0 stable-baselines3 "gymnasium[mujoco]"
    python tests/bench/peers/sb3_sac.py HalfCheetah-v5 [threads] [updates]

The figure to hold `rlbench sac` against, on the same machine and with as many threads, one after the other.
"""
import sys
import time

import gymnasium
import torch
from stable_baselines3 import SAC
from stable_baselines3.common.callbacks import BaseCallback

START = 1000


class Clock(BaseCallback):
    """Notes when the random start is over."""

    def _on_step(self):
        if self.num_timesteps == START + 100:  # the first updates also warm caches up
            self.started = time.perf_counter()
        return True


def main():
    task = sys.argv[1] if len(sys.argv) > 1 else "HalfCheetah-v5"
    torch.set_num_threads(int(sys.argv[2]) if len(sys.argv) > 2 else 2)
    updates = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    model = SAC("MlpPolicy", gymnasium.make(task), learning_starts=START, device="cpu", seed=1)
    clock = Clock()
    model.learn(START + 100 + updates, callback=clock)
    seconds = time.perf_counter() - clock.started
    print(f"{task} sb3 sac: {updates / seconds:.1f} updates/s, {torch.get_num_threads()} threads")


main()
