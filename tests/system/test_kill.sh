#!/usr/bin/env bash
# A run killed at any moment and resumed, as often as it takes, ends with the bytes of one that never was.
#
#   RL_BIN=build/bin bash tests/system/test_kill.sh [KILLS [SEED]]     (6 of each algorithm, a fixed seed)
#
# A run is killed up to six times, each time with another number of threads, and then left to finish. Half of the
# moments are aimed at a file being written; the others are anywhere, the first milliseconds included.
set -euo pipefail
shopt -s nullglob
# shellcheck source=tests/system/compare_runs.sh
. "$(dirname "$0")/compare_runs.sh"
kills=${1:-6}
RANDOM=${2:-7}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cut=$work/cut

# several saves of either, evaluations, a best one; SAC's ring of two segments is filled twice
ppo=(--config inverted_pendulum.ini --seed 5 --set run.total_steps=60000 --set run.checkpoint_every=2000
  --set run.eval_every=10000 --set run.eval_episodes=2)
sac=(--config inverted_pendulum_sac.ini --seed 5 --set run.total_steps=36000 --set run.checkpoint_every=1000
  --set run.eval_every=9000 --set run.eval_episodes=2 --set run.log_every=1000 --set env.n_envs=8
  --set sac.buffer_size=17000 --set sac.train_freq=500 --set normalize.obs=true)

fail() {
  echo "kill $killed of $name: $*"
  for log in out err; do tail -n 5 "$work/$log" | sed "s/^/  $log: /"; done
  exit 1
}

temporary() { files=("$cut"/.tmp-* "$cut"/checkpoints/.tmp-* "$cut"/resume/.tmp-* "$cut"/resume/replay/.tmp-*); }

# waits until a file is being written in one of the folders, or the process has ended
aim() {
  local where files
  case $((RANDOM % 4)) in
    0) where=$cut/checkpoints ;;
    1) where=$cut/resume/replay ;;
    *) where=$cut/resume ;;
  esac
  while kill -0 "$1" 2>/dev/null; do
    files=("$where"/.tmp-*)
    if [ ${#files[@]} -gt 0 ]; then return; fi
  done
}

# one process of rltrain, killed at some moment: 0 if it was, 1 if it had finished by then
kill_one() {
  local wait=$((RANDOM % (RANDOM % 4 ? took : 60))) code=0
  "$RL_BIN/rltrain" "$@" --threads $((RANDOM % 3 + 1)) >"$work/out" 2>"$work/err" &
  local pid=$!
  sleep "$((wait / 1000)).$(printf %03d $((wait % 1000)))"
  if ((RANDOM % 2)); then aim "$pid"; fi
  kill -9 "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || code=$?
  if [ -s "$work/err" ] || grep -q '^skipped ' "$work/out"; then fail "a complaint"; fi
  if [ "$code" = 0 ]; then return 1; fi
  [ "$code" = 137 ] || fail "exit code $code"
  killed=$((killed + 1))
  temporary
  if [ ${#files[@]} -gt 0 ]; then writing=$((writing + 1)); fi
  case "${files[*]}" in
    */replay/.tmp*) segment=$((segment + 1)) ;;
    */resume/.tmp*) resume=$((resume + 1)) ;;
  esac
  files=("$cut"/resume/*.h5)
  if [ ${#files[@]} = 0 ]; then early=$((early + 1)); fi
}

# survives NAME OPTIONS...: of rltrain
survives() {
  name=$1
  shift
  local runs=0 unborn=0 took start code n
  killed=0 writing=0 resume=0 segment=0 early=0
  rm -rf "$work/whole"
  start=$(date +%s%3N)
  "$RL_BIN/rltrain" "$@" --threads 1 --out "$work/whole" >"$work/out" 2>"$work/err" || fail "not even once"
  took=$(($(date +%s%3N) - start))
  while ((killed < kills)); do
    rm -rf "$cut"
    kill_one "$@" --out "$cut" || true
    # before config.ini there is nothing to resume, and nothing lost
    if [ ! -e "$cut/config.ini" ]; then
      killed=$((killed - 1)) unborn=$((unborn + 1))
      continue
    fi
    for ((n = 1; n < 6 && killed < kills; n++)); do kill_one --resume "$cut" || break; done
    code=0
    "$RL_BIN/rltrain" --resume "$cut" --threads 2 >"$work/out" 2>"$work/err" || code=$?
    if [ "$code" != 0 ] || [ -s "$work/err" ] || grep -q '^skipped ' "$work/out"; then fail "cannot be finished"; fi
    compare_runs "$work/whole" "$cut" >"$work/out" || fail "ends otherwise"
    runs=$((runs + 1))
  done
  echo "$name: $killed kills in $runs runs, all ended with the same bytes; $writing kills while a file was written" \
    "(resume file $resume, segment $segment), $early before the first resume file; not counted: $unborn before config.ini"
}

survives PPO "${ppo[@]}"
survives SAC "${sac[@]}"
