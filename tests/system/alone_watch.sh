#!/usr/bin/env bash
# rltrain --view changes not a bit of a run, watched or not, and a view that cannot be had changes nothing either.
# Passes with a word where this build or this machine has no view.
set -euo pipefail
# shellcheck source=tests/system/compare_runs.sh
. "$(dirname "$0")/compare_runs.sh"
# shellcheck source=tests/system/view_client.sh
. "$(dirname "$0")/view_client.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fails=0
ppo=(--config half_cheetah.ini --seed 5 --set run.checkpoint_every=20000)
sac=(--config half_cheetah_sac.ini --seed 5 --set run.checkpoint_every=1000 --set sac.learning_starts=500
  --set sac.buffer_size=2000 --set policy.hidden=64,64)

fail() {
  echo "FAILED: $name: $*"
  tail -n 3 "$work/out" "$work/err"
  fails=$((fails + 1))
}

train() { "$RL_BIN/rltrain" "$@" --threads 2 >"$work/out" 2>"$work/err"; }

# what a run with and without a view have in common: all but the times
same() {
  compare_runs "$work/$name.alone" "$1" >"$work/differ" || fail "$(cat "$work/differ")"
  if [ -s "$work/err" ]; then fail "a complaint"; fi
}

# watched NAME STEPS OPTIONS...: of rltrain
watched() {
  name=$1
  local steps=$2 url pid code=0
  shift 2
  set -- "$@" --set "run.total_steps=$steps"
  train "$@" --out "$work/$name.alone" || fail "exit $?"
  train "$@" --out "$work/$name.unwatched" --view || fail "exit $?"
  grep -q '^view: http://127.0.0.1:' "$work/out" || fail "no address"
  same "$work/$name.unwatched"
  # the address of the run before must not be taken for this one's
  : >"$work/out"
  train "$@" --out "$work/$name.watched" --view &
  pid=$!
  url=$(wait_for_url "$work/out")
  look_at "$url" 600 "$work/$name.stream" || fail "no connection to $url"
  wait "$pid" || code=$?
  if [ "$code" != 0 ]; then fail "exit $code"; fi
  same "$work/$name.watched"
  seen=$(pictures "$work/$name.stream")
  if [ "$seen" -lt 1 ]; then fail "no picture"; fi
  echo "$name: $seen pictures, the same bytes"
}

# a view that cannot be had: one word on stdout, and the run
name=ppo
short=(--config half_cheetah.ini --seed 5 --set run.total_steps=2000)
train "${short[@]}" --out "$work/ppo.alone" || fail "exit $?"
__EGL_VENDOR_LIBRARY_FILENAMES=/dev/null train "${short[@]}" --out "$work/blind" --view || fail "exit $?"
[ "$(grep -c '^no view, training goes on: ' "$work/out")" = 1 ] || fail "not one word about the view"
same "$work/blind"
if grep -q 'this build has no' "$work/out"; then
  echo "not watched here: this build has no view"
  exit "$fails"
fi
train --config half_cheetah.ini --set run.total_steps=100 --out "$work/probe" --view || fail "exit $?"
if grep -q '^no view' "$work/out"; then
  echo "not watched here: $(grep '^no view' "$work/out")"
  exit "$fails"
fi
rm -rf "$work/ppo.alone"
code=0
train "${short[@]}" --out "$work/port" --port 1 || code=$?
[ "$code" = 2 ] && grep -q -e '--port' "$work/err" || fail "exit $code, expected 2"

watched ppo 60000 "${ppo[@]}"
watched sac 5000 "${sac[@]}"
echo "watching: $fails failures"
[ "$fails" = 0 ]
