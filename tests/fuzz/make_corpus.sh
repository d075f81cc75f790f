#!/usr/bin/env bash
# Writes the first inputs of fuzz_checkpoint, fuzz_replay, fuzz_trace and fuzz_resume anew: what short runs save, of
# networks without hidden layers, what h5py writes, an edit of each data set. What fuzzing found, or was spoiled by hand, lies beside them and stays.
#
#   bash tests/fuzz/make_corpus.sh BUILD/bin       (python3 with h5py and numpy)
set -euo pipefail
bin=$1
corpus=$(cd "$(dirname "$0")/corpus" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$corpus"/fuzz_{checkpoint,replay,trace,resume}

small=(--threads 1 --seed 1 --set policy.hidden=none --set run.log_every=100 --set run.eval_every=0)
"$bin/rltrain" --config inverted_pendulum.ini "${small[@]}" --set env.n_envs=1 --set ppo.n_steps=32 \
  --set ppo.batch_size=32 --set run.total_steps=64 --out "$work/ppo" >/dev/null
sac=(--config inverted_pendulum_sac.ini "${small[@]}" --set env.n_envs=2 --set env.max_episode_steps=20
  --set sac.buffer_size=80 --set sac.batch_size=16)
"$bin/rltrain" "${sac[@]}" --set run.total_steps=120 --out "$work/sac" >/dev/null
"$bin/rltrain" "${sac[@]}" --set run.total_steps=20 --out "$work/short" >/dev/null
for run in ppo sac; do
  cp "$(ls "$work/$run"/checkpoints/*.h5 | tail -n 1)" "$corpus/fuzz_checkpoint/$run.h5"
done
cp "$(ls "$work/sac"/resume/*.h5 | tail -n 1)" "$corpus/fuzz_replay/wrapped.h5"
cp "$(ls "$work/short"/resume/*.h5 | tail -n 1)" "$corpus/fuzz_replay/short.h5"

python3 - "$corpus/fuzz_trace" <<'PYTHON'
import sys
import h5py
import numpy as np

def write(name, actions, kind="f8", libver=None, **storage):
    with h5py.File(f"{sys.argv[1]}/{name}.h5", "w", libver=libver) as f:
        group = f.create_group("one")
        group["qpos0"] = np.zeros(2)
        group["qvel0"] = np.zeros(2)
        group.create_dataset("actions", data=np.asarray(actions, kind), **storage)

write("plain", np.ones((3, 1)))
write("none", np.ones((0, 1)))
write("whole_numbers", np.ones((3, 1)), ">i4")
write("latest", np.ones((3, 1)), libver="latest")
write("gzip", np.ones((5, 1)), chunks=(2, 1), compression="gzip", shuffle=True, fletcher32=True)
write("nan", np.full((3, 1), np.nan))
write("shape", np.ones((3, 2)))
PYTHON
du -sb "$corpus"

python3 - "$corpus/fuzz_resume" <<'PYTHON'
import struct
import sys

values = [1, 2**53, 0xff, 2**63, 0x7f, 2**64 - 1, 0x80, 0x7f7fffff]
for algorithm, name in enumerate(("ppo", "sac")):
    for i in range((36, 60)[algorithm]):  # data sets
        kind = i // 2 % 4 if i % 3 else 0
        edit = bytes([i, 0, 0, kind]) + struct.pack("<Q", values[i % 8])
        with open(f"{sys.argv[1]}/{name}_{i:02}", "wb") as f:
            f.write(bytes([algorithm]) + edit)
PYTHON
