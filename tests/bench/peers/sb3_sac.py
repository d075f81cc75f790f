"""Updates per second of Stable-Baselines3's SAC: 256x256, batches of 256, one update a step.

    pip install torch==2.13.0 stable-baselines3 "gymnasium[mujoco]"
    python tests/bench/peers/sb3_sac.py HalfCheetah-v5 [threads] [updates]
"""
import json
import sys
import time

import gymnasium
import torch
from stable_baselines3 import SAC
from stable_baselines3.common.callbacks import BaseCallback

TASK = sys.argv[1] if len(sys.argv) > 1 else "HalfCheetah-v5"
THREADS = int(sys.argv[2]) if len(sys.argv) > 2 else 2
UPDATES = int(sys.argv[3]) if len(sys.argv) > 3 else 500
START = 1000


class Clock(BaseCallback):
    """Notes when the random start is over."""

    def _on_step(self):
        if self.num_timesteps == START + 100:  # the first updates also warm caches up
            self.started = time.perf_counter()
        return True


def main():
    torch.set_num_threads(THREADS)
    model = SAC("MlpPolicy", gymnasium.make(TASK), learning_starts=START, device="cpu", seed=1)
    clock = Clock()
    model.learn(START + 100 + UPDATES, callback=clock)
    rate = UPDATES / (time.perf_counter() - clock.started)
    print(json.dumps({"peer": "sb3", "task": TASK, "threads": THREADS, "rate": rate, "unit": "updates/s"}))


main()
