"""Updates per second of SBX's SAC (Stable-Baselines3 on JAX): 256x256, batches of 256, one update a step.

    pip install torch==2.13.0 sbx-rl "gymnasium[mujoco]"
    python tests/bench/peers/sbx_sac.py HalfCheetah-v5 [threads] [updates]

Measured from the hundredth update on: by then everything is compiled.
"""
import json
import os
import sys
import time

TASK = sys.argv[1] if len(sys.argv) > 1 else "HalfCheetah-v5"
THREADS = int(sys.argv[2]) if len(sys.argv) > 2 else 2
UPDATES = int(sys.argv[3]) if len(sys.argv) > 3 else 500
START = 1000
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])  # JAX takes as many threads as it sees processors
os.environ["JAX_PLATFORMS"] = "cpu"

import gymnasium
from sbx import SAC
from stable_baselines3.common.callbacks import BaseCallback


class Clock(BaseCallback):
    """Notes when the random start and the compilation are over."""

    def _on_step(self):
        if self.num_timesteps == START + 100:
            self.started = time.perf_counter()
        return True


def main():
    model = SAC("MlpPolicy", gymnasium.make(TASK), learning_starts=START, seed=1)
    clock = Clock()
    model.learn(START + 100 + UPDATES, callback=clock)
    rate = UPDATES / (time.perf_counter() - clock.started)
    print(json.dumps({"peer": "sbx", "task": TASK, "threads": THREADS, "rate": rate, "unit": "updates/s"}))


main()
