"""Environment steps per second of Sample Factory's PPO with its own MuJoCo recipe: rollouts of 64, 4 batches of 1024 a
round, 2 epochs, 64-64 tanh, observations and returns normalised.

    pip install torch==2.13.0 && pip install sample-factory "gymnasium[mujoco]<1.0"     (a venv of its own)
    python tests/bench/peers/sample_factory_ppo.py mujoco_humanoid [threads] [iterations]

A worker a thread, 8 environments each. Its Humanoid is of the fourth version: the physics is the same, the observation
is 376 numbers and not 348. The first two rounds are not measured.
"""
import json
import os
import sys
import tempfile
import time

from sample_factory.algo.runners.runner import AlgoObserver
from sample_factory.train import make_runner
from sf_examples.mujoco.mujoco_utils import mujoco_env_by_name
from sf_examples.mujoco.train_mujoco import parse_mujoco_cfg, register_mujoco_components

NAME = sys.argv[1] if len(sys.argv) > 1 else "mujoco_humanoid"
THREADS = int(sys.argv[2]) if len(sys.argv) > 2 else 2
ITERATIONS = int(sys.argv[3]) if len(sys.argv) > 3 else 8
SKIP = 2


class Clock(AlgoObserver):
    """Notes the time and the steps after each training step."""

    def __init__(self):
        self.marks = []

    def on_training_step(self, runner, training_iteration_since_resume):
        self.marks.append((time.perf_counter(), sum(runner.env_steps.values())))


def main():
    stdout = os.dup(1)
    os.dup2(2, 1)  # the package reports to stdout
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        register_mujoco_components()
        cfg = parse_mujoco_cfg([
            "--algo=APPO", f"--env={NAME}", "--experiment=bench", f"--train_dir={folder}", "--device=cpu",
            f"--num_workers={THREADS}", "--num_envs_per_worker=8", "--save_every_sec=100000",
            f"--train_for_env_steps={(SKIP + ITERATIONS) * 4096}"])
        cfg, runner = make_runner(cfg)
        runner.register_observer(clock)
        runner.init()
        runner.run()
    os.dup2(stdout, 1)
    (start, first), (end, last) = clock.marks[SKIP], clock.marks[-1]
    print(json.dumps({"peer": "sample_factory", "task": mujoco_env_by_name(NAME).env_id, "threads": THREADS,
                      "rate": (last - first) / (end - start), "unit": "steps/s"}))


if __name__ == "__main__":
    main()
