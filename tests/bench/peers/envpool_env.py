"""Environment steps per second of EnvPool: 8 environments, random actions.

    pip install envpool
    python tests/bench/peers/envpool_env.py HalfCheetah-v5 [threads] [seconds]

All environments a step, and half of them a step while the others go on: the faster counts.
"""
import json
import sys
import time

import envpool
import numpy as np

TASK = sys.argv[1] if len(sys.argv) > 1 else "HalfCheetah-v5"
THREADS = int(sys.argv[2]) if len(sys.argv) > 2 else 2
SECONDS = float(sys.argv[3]) if len(sys.argv) > 3 else 1
N_ENVS = 8


def rate(batch):
    env = envpool.make(TASK, env_type="gymnasium", num_envs=N_ENVS, batch_size=batch, num_threads=THREADS, seed=1)
    space, rng = env.action_space, np.random.default_rng(1)
    actions = rng.uniform(space.low, space.high, (256, batch, *space.shape))  # drawn beforehand, in turn
    env.async_reset()
    ids = env.recv()[-1]["env_id"]
    steps, start, seconds = 0, time.perf_counter(), 0
    while seconds < SECONDS:
        env.send(actions[steps % 256], ids)
        ids = env.recv()[-1]["env_id"]
        steps += 1
        seconds = time.perf_counter() - start
    env.close()
    return steps * batch / seconds


def main():
    best = max(rate(batch) for batch in (N_ENVS, N_ENVS // 2))
    print(json.dumps({"peer": "envpool", "task": TASK, "threads": THREADS, "rate": best, "unit": "steps/s"}))


main()
