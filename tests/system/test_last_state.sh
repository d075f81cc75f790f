#!/usr/bin/env bash
# A run whose numbers go bad by its configuration alone ends with exit code 1 and one line that says what was bad; what
# it skipped and lost stands in metrics.csv; and what it saved before is sound: it is served, and the run goes on from it
# to the same end. docs/reliability.md has the table.
#
#   RL_BIN=build/bin bash tests/system/test_last_state.sh
set -euo pipefail
shopt -s nullglob
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "FAILED: $name: $*"
  for log in out err; do tail -n 5 "$work/$log" | sed "s/^/  $log: /"; done
  exit 1
}

# the last cell of a column of the run's metrics.csv
last() {
  awk -F, -v column="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) at = i } END { print $at }' \
    "$work/run/metrics.csv"
}

# ends_badly WHAT COMMAND...: exit code 1 and one line on stderr that names it
ends_badly() {
  local code=0 what=$1
  shift
  "$@" >"$work/out" 2>"$work/err" || code=$?
  [ "$code" = 1 ] || fail "exit code $code, expected 1"
  if [ "$(wc -l <"$work/err")" != 1 ] || ! grep -q ": $what: found no usable value in " "$work/err"; then
    fail "expected one line that names $what"
  fi
}

# check NAME WHAT LOST OPTIONS...: of rltrain; LOST: whether the physics diverges
check() {
  name=$1
  local what=$2 lost=$3 steps checkpoint resume=()
  shift 3
  rm -rf "$work/run"
  ends_badly "$what" "$RL_BIN/rltrain" "$@" --threads 2 --seed 5 --out "$work/run"
  [ "$(last skipped_updates)" -ge 50 ] || fail "$(last skipped_updates) updates skipped, expected 50 or more"
  [ "$(($(last diverged) > 0))" = "$lost" ] || fail "$(last diverged) steps diverged"
  steps=$(last step)

  resume=("$work"/run/resume/*.h5)
  [ ${#resume[@]} = 2 ] || fail "found ${#resume[@]} resume files, expected 2"
  for checkpoint in "$work"/run/checkpoints/*.h5; do
    "$RL_BIN/rleval" "$checkpoint" --episodes 1 >"$work/out" 2>"$work/err" || fail "${checkpoint##*/} is not served"
  done
  "$RL_BIN/rleval" "$work/run" --episodes 1 >"$work/out" 2>"$work/err" || fail "the run is not served"

  # on from the last save, without a complaint about it, to where it ended before
  cp "${resume[1]}" "$work/newest.h5"
  ends_badly "$what" "$RL_BIN/rltrain" --resume "$work/run" --threads 1
  if grep -q skipped\  "$work/out"; then fail "the newest resume file was not taken"; fi
  [ "$(last step)" = "$steps" ] || fail "ended at step $(last step), the first time at $steps"
  cmp "$work/newest.h5" "${resume[1]}" >"$work/out" || fail "another resume file than before"
  echo "$name: ended at step $steps ($what), from its newest resume file at step" \
    "$((10#$(basename "${resume[1]}" .h5))) again"
}

small=(--set policy.hidden=16,16 --set env.n_envs=4)

# an entropy target nothing can reach, at the largest step size: alpha grows until the critics overflow
check "SAC, growing without end" "critic gradient" 0 --config inverted_pendulum_sac.ini "${small[@]}" \
  --set sac.target_entropy=1000000 --set sac.learning_rate=1 --set sac.learning_starts=200 --set sac.batch_size=32 \
  --set run.total_steps=4000 --set run.checkpoint_every=100
# no state after a reset that the physics could go on from
diverging=(--set env.reset_noise_scale=1000 --set env.frame_skip=200 --set run.total_steps=9000)
check "SAC, diverging physics" "every step so far" 1 --config hopper_sac.ini "${small[@]}" "${diverging[@]}" \
  --set sac.learning_starts=100 --set run.checkpoint_every=40
check "PPO, diverging physics" "every step of the rollout" 1 --config hopper.ini "${small[@]}" "${diverging[@]}" \
  --set ppo.n_steps=1 --set ppo.batch_size=4 --set normalize.warmup_steps=8 --set run.checkpoint_every=20
