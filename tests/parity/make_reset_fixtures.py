"""Writes fixtures/reset.txt: how Gymnasium's tasks distribute their first states, for test_resets.c.

One line a coordinate: TASK PART INDEX followed by quantiles 0, .05, ..., 1 over many resets. PART is
qpos, qvel, or norm: the distance from the origin of the two coordinates INDEX and INDEX + 1 of qpos
(targets are drawn from a disc or outside one).

Usage: make_reset_fixtures.py [FOLDER]   (needs gymnasium[mujoco] 1.4.0, mujoco 4.0.0)
"""
import os
import sys

import gymnasium
import numpy as np

TASKS = [
    "Ant", "HalfCheetah", "Hopper", "Humanoid", "HumanoidStandup", "InvertedDoublePendulum",
    "InvertedPendulum", "Pusher", "Reacher", "Swimmer", "Walker2d",
]
RESETS = 20000
NORMS = {"Pusher": 7, "Reacher": 2}


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "fixtures")
    with open(os.path.join(folder, "reset.txt"), "w") as file:
        for task in TASKS:
            env = gymnasium.make(task + "-v5").unwrapped
            env.set_state = lambda qpos, qvel: states.append((qpos.copy(), qvel.copy()))
            states = []
            env.reset(seed=11)
            for _ in range(RESETS - 1):
                env.reset()
            qpos = np.array([s[0] for s in states])
            qvel = np.array([s[1] for s in states])
            columns = [("qpos", i, qpos[:, i]) for i in range(qpos.shape[1])]
            columns += [("qvel", i, qvel[:, i]) for i in range(qvel.shape[1])]
            if task in NORMS:
                i = NORMS[task]
                columns.append(("norm", i, np.hypot(qpos[:, i], qpos[:, i + 1])))
            for part, i, x in columns:
                q = np.quantile(x, np.linspace(0, 1, 21))
                file.write(f"{task}-v5 {part} {i} " + " ".join(f"{v:.6g}" for v in q) + "\n")


if __name__ == "__main__":
    main()
