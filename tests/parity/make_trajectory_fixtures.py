"""Writes fixtures/traj_TASK.h5: trajectories of Gymnasium's tasks, for tests/unit/rl/test_trajectories.c.

Each file is a trace file (see rlenv trace) whose groups also hold what Gymnasium computed, as
expected_obs, expected_reward, expected_terminated, expected_qpos and expected_qvel.

Usage: make_trajectory_fixtures.py [FOLDER]   (needs gymnasium[mujoco] 1.4.0, mujoco 4.0.0, h5py)
"""
import os
import sys

import gymnasium
import h5py
import mujoco
import numpy as np

TASKS = [
    "Ant", "HalfCheetah", "Hopper", "Humanoid", "HumanoidStandup", "InvertedDoublePendulum",
    "InvertedPendulum", "Pusher", "Reacher", "Swimmer", "Walker2d",
]
STEPS = 60
SCALES = [0.1, 1.0, 3.0]  # of the actuator range; beyond 1 MuJoCo clamps and costs do not
LARGE = {"Ant", "Humanoid", "HumanoidStandup"}  # one start per scale, to keep the files small


def simulate(env, qpos0, qvel0, actions):
    """Steps past termination, as a trace does; returns what Gymnasium computed."""
    mujoco.mj_resetData(env.model, env.data)
    env.set_state(qpos0, qvel0)
    obs, qpos, qvel = [env._get_obs()], [env.data.qpos.copy()], [env.data.qvel.copy()]
    reward, terminated = [], []
    for action in actions:
        o, r, end, _, _ = env.step(action)
        obs.append(o)
        reward.append(r)
        terminated.append(end)
        qpos.append(env.data.qpos.copy())
        qvel.append(env.data.qvel.copy())
    return {
        "expected_obs": np.array(obs, np.float64),
        "expected_reward": np.array(reward, np.float64),
        "expected_terminated": np.array(terminated, np.uint8),
        "expected_qpos": np.array(qpos, np.float64),
        "expected_qvel": np.array(qvel, np.float64),
    }


def make_group(file, name, env, scale, start, rng):
    env.reset(seed=1000 * start + int(10 * scale))
    qpos0, qvel0 = env.data.qpos.copy(), env.data.qvel.copy()
    if start > 0:  # fast enough to reach the clips of observed velocities
        qvel0 += 4 * rng.standard_normal(env.model.nv)
    # steps of 2^-8 compress well and are exact in any float
    half = env.model.actuator_ctrlrange[:, 1]
    grid = rng.integers(-256, 257, (STEPS, env.model.nu)) / 256
    actions = scale * half * grid
    group = file.create_group(name)
    arrays = {"qpos0": qpos0, "qvel0": qvel0, "actions": actions}
    arrays.update(simulate(env, qpos0, qvel0, actions))
    for key, value in arrays.items():
        assert np.isfinite(value).all()
        options = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
        # a chunk index costs 2 kB: worth it for what is large, and for actions, to have one read
        packed = value.nbytes > 8192 or (key == "actions" and start == 0)
        group.create_dataset(key, data=value, **(options if packed else {}))
    return int(arrays["expected_terminated"].sum())


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "fixtures")
    for task in TASKS:
        env = gymnasium.make(task + "-v5").unwrapped
        rng = np.random.default_rng(7)
        path = os.path.join(folder, f"traj_{task}.h5")
        with h5py.File(path, "w", libver=("v108", "v108")) as file:
            for scale in SCALES:
                for start in range(1 if task in LARGE else 2):
                    name = f"scale{scale:g}_start{start}"
                    ended = make_group(file, name, env, scale, start, rng)
                    print(f"{task} {name}: terminated in {ended} of {STEPS} steps")
        print(f"{path}: {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
