#!/usr/bin/env python3
"""Steps envs/models/*.xml and Gymnasium's models side by side and prints how far they come apart.

Free running: both start from the same state and get the same actions (some outside the motors'
range), nothing is synchronised after that. Compared after every control step: qpos, qvel, contact
and constraint counts, contact forces on bodies. Where the compiled models are equal to the bit, so
are the trajectories, and any difference at all is an error.

Needs gymnasium[mujoco]. usage: compare_model_trajectories.py [control steps] [starts]
"""

import os
import sys

import mujoco
import numpy as np

from make_model_fixtures import ASSETS, HERE, MODELS

OURS = os.path.join(HERE, "..", "..", "envs", "models")
SKIP = {"hopper.xml": 4, "walker2d.xml": 4, "swimmer.xml": 4, "inverted_pendulum.xml": 2,
        "reacher.xml": 2}  # fmt: skip


def observe(model, data):
    mujoco.mj_rnePostConstraint(model, data)
    counts = [data.ncon, data.nefc]
    return np.concatenate([data.qpos, data.qvel, data.cfrc_ext.ravel(), counts])


def worst_difference(pair, skip, steps, rng):
    """Largest absolute difference over one free run, and the contacts seen in it."""
    datas = [mujoco.MjData(m) for m in pair]
    qpos = pair[0].qpos0 + rng.uniform(-0.1, 0.1, pair[0].nq)
    qvel = 0.5 * rng.standard_normal(pair[0].nv)
    for model, data in zip(pair, datas):
        data.qpos[:], data.qvel[:] = qpos, qvel
        mujoco.mj_forward(model, data)
    worst, contacts = 0.0, 0
    for _ in range(steps):
        low, high = pair[0].actuator_ctrlrange.T
        action = 1.2 * rng.uniform(low, high)
        for model, data in zip(pair, datas):
            data.ctrl[:] = action
            mujoco.mj_step(model, data, nstep=skip)
        seen = [observe(m, d) for m, d in zip(pair, datas)]
        difference = np.max(np.abs(seen[0] - seen[1]))
        if not difference <= worst:  # a NaN stays
            worst = difference
        contacts += datas[0].ncon
    return worst, contacts


def main():
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    starts = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    failed = False
    for ours, theirs in MODELS.items():
        paths = os.path.join(OURS, ours), os.path.join(ASSETS, theirs)
        pair = [mujoco.MjModel.from_xml_path(p) for p in paths]
        rng = np.random.default_rng(7)
        runs = [worst_difference(pair, SKIP.get(ours, 5), steps, rng) for _ in range(starts)]
        worst = np.max([w for w, _ in runs])
        print(f"{ours:30} {worst:g}  ({sum(c for _, c in runs)} contacts)")
        failed |= not worst == 0
    sys.exit(failed)


if __name__ == "__main__":
    main()
