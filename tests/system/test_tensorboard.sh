#!/usr/bin/env bash
# Event files as TensorBoard's own reader has them: every number of metrics.csv, histograms, the configuration; of a run
# that was killed, its newest record torn, and resumed, the same as of one that never was.
#
#   RL_BIN=build/bin RL_SOURCE_DIR=. bash tests/system/test_tensorboard.sh
#
# The reader is a Python package that cmake/bootstrap.sh brings for the tests; nothing else needs it.
set -euo pipefail
shopt -s nullglob
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(dirname "$0")

fail() {
  echo "$name: $*"
  for log in out err; do tail -n 5 "$work/$log" | sed "s/^/  $log: /"; done
  exit 1
}

# train OPTIONS...: a process of rltrain that ends well
train() { "$RL_BIN/rltrain" "$@" >"$work/out" 2>"$work/err" || fail "exit code $?"; }

# rows and saves fall on the same steps: what a row is the mean of does not hang on where a run was interrupted
ppo=(--config inverted_pendulum.ini --seed 5 --threads 1 --set run.total_steps=16384 --set run.checkpoint_every=2048
  --set run.eval_every=4096 --set run.eval_episodes=2 --set policy.hidden=16,16 --set env.n_envs=2
  --set ppo.n_steps=64 --set normalize.clip_obs=inf)
sac=(--config inverted_pendulum_sac.ini --seed 5 --threads 1 --set run.total_steps=4000 --set run.checkpoint_every=500
  --set run.eval_every=1000 --set run.eval_episodes=2 --set run.log_every=100 --set policy.hidden=16,16
  --set env.n_envs=2 --set sac.learning_starts=200 --set sac.buffer_size=1500 --set normalize.clip_obs=inf)

# switched off, or without protobuf-c, there is no such file and not a word
name=off
train "${ppo[@]}" --set run.total_steps=256 --set run.tensorboard=false --out "$work/off"
files=("$work"/off/*tfevents*)
[ ${#files[@]} = 0 ] || fail "found ${files[*]}"
if grep -qx 'protobuf-c: none' "$work/off/version.txt"; then
  train "${ppo[@]}" --set run.total_steps=256 --out "$work/on"
  files=("$work"/on/*tfevents*)
  if [ ${#files[@]} -gt 0 ] || [ -s "$work/err" ]; then fail "this build cannot write them, found ${files[*]}"; fi
  echo "skipped: this build writes no event files"
  exit 0
fi

version=$(sed -n 's/^tensorboard_version=//p' "$RL_SOURCE_DIR/cmake/bootstrap.sh")
reader=$RL_SOURCE_DIR/.deps/tensorboard-$version
if [ ! -d "$reader" ]; then
  echo "skipped: no TensorBoard in ${reader##*/}, which sh cmake/bootstrap.sh deps test brings"
  [ -z "${CI:-}" ]
  exit
fi
read_events() {
  PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$reader python3 "$here/read_events.py" "$@" 2>"$work/err" || fail "not as it should be"
}

# killed OPTIONS...: by kill -9, behind its third save
killed() {
  local pid saves
  "$RL_BIN/rltrain" "$@" >"$work/out" 2>"$work/err" &
  pid=$!
  while kill -0 $pid 2>/dev/null; do
    saves=("$work"/cut/checkpoints/*.h5)
    if [ ${#saves[@]} -ge 3 ]; then break; fi
    sleep 0.01
  done
  kill -9 $pid 2>/dev/null || fail "too fast to be killed"
  wait $pid 2>/dev/null || true
}

check() {
  name=$1
  shift
  local resume whole
  rm -rf "$work/whole" "$work/cut"
  train "$@" --out "$work/whole"
  read_events check "$work/whole"
  killed "$@" --out "$work/cut"
  # back beyond the newest save, so that there are events past the step in any case; the last one is torn
  resume=("$work"/cut/resume/*.h5)
  [ ${#resume[@]} -ge 2 ] || fail "found ${#resume[@]} resume files"
  rm "${resume[-1]}"
  truncate -s -3 "$work/cut/events.out.tfevents.0000000001.rltrain"
  read_events watch "$work/cut" "$RL_BIN/rltrain" --resume "$work/cut" --threads 2
  read_events check "$work/cut"
  read_events same "$work/whole" "$work/cut"
  # what is not the clock's is written alike: the same lengths of the same records
  whole=$(stat -c %s "$work/whole"/*tfevents*)
  train "$@" --out "$work/again"
  [ "$(stat -c %s "$work/again"/*tfevents*)" = "$whole" ] || fail "files of two runs differ in length"
  rm -rf "$work/again"
}

check PPO "${ppo[@]}"
check SAC "${sac[@]}"
