#!/usr/bin/env bash
# A disk that fills up at any moment, has no room for another file, or is mounted read-only: one line that names the
# file and the reason, exit 1, no temporary file, and nothing lost. With space again the run goes on and ends with the
# bytes of one that never was disturbed.
#
#   RL_BIN=build/bin bash tests/system/test_full_disk.sh [ROUNDS [SEED]]   (0 further disks of random sizes, a fixed seed)
#
# The disk is a small tmpfs in a mount namespace of this script's own, so nothing is left mounted whatever happens.
# PPO meets a disk of every third page up to one that is large enough, SAC one of every twentieth; both one of each of
# the first eight pages, and of each number of files.
set -euo pipefail
shopt -s nullglob
here=$(dirname "$0")
if [ -z "${RL_NAMESPACE:-}" ]; then
  for how in -m -rm; do
    if unshare $how mount -t tmpfs none /mnt 2>/dev/null; then
      exec env RL_NAMESPACE=1 unshare $how bash "$0" "$@"
    fi
  done
  echo "skipped: nothing can be mounted here, so no disk can be filled"
  exit 0
fi
# shellcheck source=tests/system/compare_runs.sh
. "$here/compare_runs.sh"
rounds=${1:-0}
RANDOM=${2:-7}
work=$(mktemp -d)
trap 'umount "$work/disk" 2>/dev/null || true; rm -rf "$work"' EXIT
disk=$work/disk
run=$disk/run
mkdir "$disk"

ppo=(--config inverted_pendulum.ini --threads 1 --seed 5 --set run.total_steps=8000 --set run.checkpoint_every=2000
  --set run.eval_every=3000 --set run.eval_episodes=1 --set policy.hidden=16,16 --set env.n_envs=2
  --set ppo.n_steps=64 --set ppo.n_epochs=2)
# two saves that begin and keep a segment, one that retires it
sac=(--config inverted_pendulum_sac.ini --threads 1 --seed 5 --set run.total_steps=15000 --set run.checkpoint_every=3000
  --set run.log_every=100 --set policy.hidden=16,16 --set env.n_envs=8 --set sac.buffer_size=12000
  --set sac.train_freq=500 --set sac.learning_starts=1000)

fail() {
  echo "$name, $limit: $*"
  for log in out err; do tail -n 5 "$work/$log" | sed "s/^/  $log: /"; done
  exit 1
}

mount_disk() {
  umount "$disk" 2>/dev/null || true
  limit=$1
  mount -t tmpfs -o "$limit" none "$disk"
}

# the last command, which ended with CODE, gave one line that names a file of the run and says WORDS
expect_refusal() {
  local code=$1 words=$2
  [ "$code" = 1 ] || fail "exit code $code"
  [ "$(wc -l <"$work/err")" = 1 ] || fail "not one line"
  grep -q "^$run.*: $words$" "$work/err" || fail "a line without its file or '$words'"
  ! find "$disk" -name '.tmp-*' | grep -q . || fail "temporary files left"
}

# what of the run the line is about
moment() {
  case $(sed "s|^$run/*||" "$work/err") in
    resume/replay*) echo segment ;;
    resume*) echo resume ;;
    checkpoints*) echo checkpoint ;;
    *.h5:*) echo link ;;
    *.csv:*) echo metrics ;;
    events*) echo events ;;
    *) echo begin ;;
  esac
}

# starve MORE OPTIONS...: a run on the disk as it is mounted, and on with it after a remount with MORE; 1 if it fits
starve() {
  local more=$1 code=0
  shift
  "$RL_BIN/rltrain" "$@" --out "$run" >"$work/out" 2>"$work/err" || code=$?
  [ "$code" != 0 ] || return 1
  expect_refusal "$code" "no space left on device"
  seen[$(moment)]=$((${seen[$(moment)]:-0} + 1))
  # an empty file or a last byte that is a newline
  if [ -e "$run/metrics.csv" ] && [ -n "$(tail -c 1 "$run/metrics.csv")" ]; then fail "a torn row in metrics.csv"; fi
  local again=(--resume "$run")
  if [ ! -e "$run/config.ini" ]; then
    [ ! -e "$run" ] || fail "a run that could not be begun left its folder behind"
    again=("$@" --out "$run")
  else
    # to go on without more space gets no further, or ends well, but does no harm
    code=0
    "$RL_BIN/rltrain" --resume "$run" >"$work/out" 2>"$work/err" || code=$?
    [ "$code" = 0 ] || expect_refusal "$code" "no space left on device"
  fi
  if [ -e "$run/latest.h5" ]; then
    "$RL_BIN/rleval" "$run" --episodes 1 >"$work/out" 2>"$work/err" || fail "its newest checkpoint is not sound"
  fi
  mount -o "remount,$more" "$disk"
  code=0
  "$RL_BIN/rltrain" "${again[@]}" >"$work/out" 2>"$work/err" || code=$?
  if [ "$code" != 0 ] || [ -s "$work/err" ] || grep -q '^skipped ' "$work/out"; then fail "does not go on"; fi
  compare_runs "$work/whole" "$run" >"$work/out" || fail "ends otherwise"
}

# fill NAME PAGES MOMENTS OPTIONS...: disks larger by so many pages each, then of random sizes, then of few files
fill() {
  name=$1
  local step=$2 moments=$3 pages disks=0 files most n
  shift 3
  declare -A seen=()
  limit=whole
  rm -rf "$work/whole"
  "$RL_BIN/rltrain" "$@" --out "$work/whole" >"$work/out" 2>"$work/err" || fail "not even once"
  for ((pages = 1;; pages += pages < 8 ? 1 : step, disks++)); do
    mount_disk "size=$((4 * pages))k"
    starve size=64m "$@" || break
  done
  most=$pages
  for ((n = 0; n < rounds; n++, disks++)); do
    mount_disk "size=$((4 * (RANDOM % most + 1)))k"
    starve size=64m "$@" || true
  done
  for ((files = 2;; files++, disks++)); do
    mount_disk "size=64m,nr_inodes=$files"
    starve nr_inodes=1000 "$@" || break
  done
  for moment in $moments; do
    [ -n "${seen[$moment]:-}" ] || fail "no disk was full at the moment: $moment"
  done
  echo -n "$name: $disks full disks, all runs ended with the same bytes; full at"
  for moment in $moments; do echo -n " $moment ${seen[$moment]}"; done
  echo
}

# a whole run on a disk that nobody may write to: read, but neither continued nor begun there, and not changed
read_only() {
  name="read-only disk" limit=ro
  mount_disk size=64m
  cp -r "$work/whole" "$run"
  mount -o remount,ro "$disk"
  local code=0
  "$RL_BIN/rltrain" --resume "$run" >"$work/out" 2>"$work/err" || code=$?
  expect_refusal "$code" "Read-only file system"
  code=0
  "$RL_BIN/rltrain" "${ppo[@]}" --out "$run-2" >"$work/out" 2>"$work/err" || code=$?
  expect_refusal "$code" "Read-only file system"
  "$RL_BIN/rleval" "$run" --episodes 1 >"$work/out" 2>"$work/err" || fail "cannot be evaluated"
  diff -r "$work/whole" "$run" >"$work/out" || fail "the run has changed"
  echo "$name: refused with one line, read and unchanged"
}

fill PPO 3 "begin metrics events checkpoint link resume" "${ppo[@]}"
# one that begins with a file of another run
cp "$work/whole/latest.h5" "$work/init.h5"
fill "PPO from a checkpoint" 3 "begin checkpoint resume" "${ppo[@]}" --set run.total_steps=512 --init-from "$work/init.h5"
fill SAC 20 "begin metrics events checkpoint link resume segment" "${sac[@]}"
read_only
