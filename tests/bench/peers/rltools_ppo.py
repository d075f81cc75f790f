"""Environment steps per second of RLtools' PPO on Ant, its own recipe: 64 environments x 64 steps, 4 epochs of 2048,
256-256 ReLU, observations normalised, step size by the divergence.

    pip install rltools mujoco                    (it compiles itself: g++ and the headers of Python and of a BLAS)
    python tests/bench/peers/rltools_ppo.py [threads] [iterations]

Its Ant is of the fourth version: the physics is the same, the observation is 27 numbers and not 105. The package
collects with one thread unless told otherwise; here it is told.
"""
import ctypes
import json
import os
import pathlib
import sys
import tempfile
import time
import zlib

import mujoco

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 2
ITERATIONS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
ROLLOUT = 64 * 64

# The package's Ant loads its model from MuJoCo's virtual files by names that MuJoCo 4 no longer has: these stand in.
ENVIRONMENT = """
#include <mujoco/mujoco.h>
struct OneFile { void *filedata[1]; char text[1 << 16]; };
inline void one_file_default(OneFile *file) { file->filedata[0] = file->text; }
inline int one_file_make(OneFile *file, const char *, int size) { return file->text[size] = 0; }
inline int one_file_find(OneFile *, const char *) { return 0; }
inline void one_file_delete(OneFile *, const char *) {}
inline mjModel *one_file_load(const char *, OneFile *file, char *error, int size) {
  mjSpec *spec = mj_parseXMLString(file->text, nullptr, error, size);
  mjModel *model = spec ? mj_compile(spec, nullptr) : nullptr;
  mj_deleteSpec(spec);
  return model;
}
#define mjVFS OneFile
#define mj_defaultVFS one_file_default
#define mj_makeEmptyFileVFS one_file_make
#define mj_findFileVFS one_file_find
#define mj_deleteFileVFS one_file_delete
#define mj_loadXML one_file_load
#include <rl_tools/rl/environments/mujoco/ant/operations_cpu.h>
#include <rl_tools/rl/components/on_policy_runner/on_policy_runner.h>

// the device the package trains with, and how many threads collect on it
namespace rl_tools::devices::cpu {
template <>
struct Specification<math::CPU, random::CPU, logging::CPU> {
  using index_t = size_t;
  using EXECUTION_HINTS = rl_tools::rl::components::on_policy_runner::ExecutionHints<index_t, THREADS>;
  using MATH = math::CPU;
  using RANDOM = random::CPU;
  using LOGGING = logging::CPU;
};
}

// steps of the environments, by that many threads also where products are BLAS's
#define RL_TOOLS_RL_COMPONENTS_ON_POLICY_RUNNER_OPERATIONS_CPU_DELAY_OPERATIONS_GENERIC_INCLUDE
#include <rl_tools/rl/components/on_policy_runner/operations_cpu.h>
namespace rl_tools::rl::components::on_policy_runner {
template <typename S, typename D, typename M, typename A, typename L, typename RNG>
void epilogue(devices::CPU_OPENBLAS<S> &device, Dataset<D> &dataset, OnPolicyRunner<typename D::SPEC> &runner,
              Matrix<M> &mean, Matrix<A> &act, Matrix<L> &log_std, RNG &rng, typename devices::CPU<S>::index_t step) {
  epilogue(static_cast<devices::CPU<S> &>(device), dataset, runner, mean, act, log_std, rng, step);
}
}

template <typename T, typename TI>
using ENVIRONMENT_FACTORY = rl_tools::rl::environments::mujoco::Ant<rl_tools::rl::environments::mujoco::ant::
    Specification<double, TI, rl_tools::rl::environments::mujoco::ant::DefaultParameters<double, TI>>>;
"""


def rate(folder):
    from rltools import PPO

    module = PPO(
        {"path": str(folder), "action_dim": 8, "observation_dim": 27}, interface_name=f"ant_{THREADS}",
        enable_evaluation=False, force_blas=True, STEP_LIMIT=10**6, N_ENVIRONMENTS=64,
        ON_POLICY_RUNNER_STEPS_PER_ENV=64, BATCH_SIZE=2048, N_EPOCHS=4, ACTOR_HIDDEN_DIM=256, CRITIC_HIDDEN_DIM=256,
        ACTION_ENTROPY_COEFFICIENT=0.0, NORMALIZE_ADVANTAGE=False, NORMALIZE_OBSERVATIONS=True,
        ADAPTIVE_LEARNING_RATE=True, OPTIMIZER_ALPHA=3e-4)
    state = module.State(1)
    state.step()
    start = time.perf_counter()
    for _ in range(ITERATIONS):
        state.step()
    return ITERATIONS * ROLLOUT / (time.perf_counter() - start)


def main():
    os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)
    os.environ["CPATH"] = str(pathlib.Path(mujoco.__file__).parent / "include")
    # what the package compiles finds the library already there
    library = next(pathlib.Path(mujoco.__file__).parent.glob("libmujoco.so*"))
    ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    header = ENVIRONMENT.replace("THREADS", str(THREADS))
    # compiled anew where the folder's name has changed
    folder = pathlib.Path(tempfile.gettempdir()) / "rltools" / f"ant_{zlib.crc32(header.encode()):x}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "environment.h").write_text(header)
    stdout = os.dup(1)
    os.dup2(2, 1)  # the package reports to stdout
    result = rate(folder)
    os.dup2(stdout, 1)
    print(json.dumps({"peer": "rltools", "task": "Ant-v4", "threads": THREADS, "rate": result, "unit": "steps/s"}))


main()
