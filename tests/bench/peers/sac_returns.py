"""Training returns of SBX's or SB3's SAC at our defaults (step size 1e-3, 10,000 random steps, 256x256, batches of 256).

    pip install torch==2.13.0 sbx-rl "gymnasium[mujoco]"
    python tests/bench/peers/sac_returns.py sbx Hopper-v5 1 50000 >sbx-1.csv
    build/bin/rlreport sbx-1.csv runs/reference/hopper_sac-1.csv --terminal

One row every 1000 steps, the mean over the last 100 episodes as in our metrics.csv; at the end, on stderr, the return of
20 deterministic episodes.
"""
import collections
import os
import sys

LIBRARY, TASK, SEED, STEPS = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
EVERY, EPISODES = 1000, 20
os.environ["JAX_PLATFORMS"] = "cpu"

import gymnasium
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

if LIBRARY == "sbx":
    from sbx import SAC
else:
    from stable_baselines3 import SAC


class Curve(BaseCallback):
    """Prints a row of the curve when one is due and an episode has ended."""

    def __init__(self):
        super().__init__()
        self.returns = collections.deque(maxlen=100)

    def _on_step(self):
        self.returns.extend(info["episode"]["r"] for info in self.locals["infos"] if "episode" in info)
        if self.num_timesteps % EVERY == 0 and self.returns:
            print(f"{self.num_timesteps},{sum(self.returns) / len(self.returns)}", flush=True)
        return True


def main():
    model = SAC("MlpPolicy", Monitor(gymnasium.make(TASK)), learning_rate=1e-3, learning_starts=10000, batch_size=256,
                seed=SEED)
    print("step,episode_return_mean")
    model.learn(STEPS, callback=Curve())
    tested = Monitor(gymnasium.make(TASK))
    tested.reset(seed=1000)
    mean, deviation = evaluate_policy(model, tested, n_eval_episodes=EPISODES)
    print(f"{mean:.1f} +- {deviation:.1f} over {EPISODES} deterministic episodes", file=sys.stderr)


main()
