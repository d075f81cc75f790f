"""Updates per second of RLtools' SAC on its Pendulum: 64-64 ReLU, batches of 100, one update a step.

    pip install rltools                           (it compiles itself: g++ and the headers of Python and of a BLAS)
    python tests/bench/peers/rltools_sac.py [threads] [updates]
"""
import json
import os
import pathlib
import sys
import tempfile
import time
import zlib

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 2
UPDATES = int(sys.argv[2]) if len(sys.argv) > 2 else 8000
START = 1000  # the random start, and updates that warm caches up

ENVIRONMENT = """
#include <rl_tools/rl/environments/pendulum/operations_cpu.h>
template <typename T, typename TI>
using ENVIRONMENT_FACTORY = rl_tools::rl::environments::Pendulum<rl_tools::rl::environments::pendulum::
    Specification<T, TI, rl_tools::rl::environments::pendulum::DefaultParameters<T>>>;
"""


def rate(folder):
    from rltools import SAC

    module = SAC({"path": str(folder), "action_dim": 1, "observation_dim": 3}, interface_name="pendulum",
                 enable_evaluation=False, force_blas=True, STEP_LIMIT=10**6, REPLAY_BUFFER_CAP=10000)
    state = module.State(1)
    for _ in range(START):
        state.step()
    start = time.perf_counter()
    for _ in range(UPDATES):
        state.step()
    return UPDATES / (time.perf_counter() - start)


def main():
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # what the package asks for: more is slower at this size
    # compiled anew where the folder's name has changed
    folder = pathlib.Path(tempfile.gettempdir()) / "rltools" / f"pendulum_{zlib.crc32(ENVIRONMENT.encode()):x}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "environment.h").write_text(ENVIRONMENT)
    stdout = os.dup(1)
    os.dup2(2, 1)  # the package reports to stdout
    result = rate(folder)
    os.dup2(stdout, 1)
    print(json.dumps({"peer": "rltools", "task": "Pendulum-v1", "threads": THREADS, "rate": result,
                      "unit": "updates/s"}))


main()
