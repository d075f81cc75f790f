#!/usr/bin/env bash
# A run killed at any moment and resumed ends with the bytes of one that never was, whatever it was doing.
#
#   RL_BIN=build/bin bash tests/system/test_kill.sh [KILLS] [SEED]     (6, a fixed seed)
set -euo pipefail
kills=${1:-6}
RANDOM=${2:-7}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
options="--config inverted_pendulum.ini --seed 5 --set run.total_steps=60000 --set run.checkpoint_every=2000
  --set run.eval_every=10000 --set run.eval_episodes=2"
# shellcheck disable=SC2086 # a list of words
"$RL_BIN/rltrain" $options --threads 1 --out "$work/whole" >/dev/null

# from the first moments of the process to well inside the training
delay() { printf '0.%03d' $((RANDOM % (RANDOM % 2 ? 60 : 500))); }
# runs a command for a moment, then kills it
cut_short() {
  "$@" >/dev/null 2>&1 &
  sleep "$(delay)"
  kill -9 $! 2>/dev/null || true
  wait $! 2>/dev/null || true
}
for ((k = 0; k < kills; k++)); do
  rm -rf "$work/cut"
  # shellcheck disable=SC2086
  cut_short "$RL_BIN/rltrain" $options --threads 2 --out "$work/cut"
  [ -e "$work/cut/config.ini" ] || continue
  for ((again = 0; again < 2; again++)); do
    cut_short "$RL_BIN/rltrain" --resume "$work/cut" --threads 1
  done
  "$RL_BIN/rltrain" --resume "$work/cut" --threads 2 >"$work/log" || { cat "$work/log"; exit 1; }
  for folder in checkpoints resume; do
    diff -rq "$work/whole/$folder" "$work/cut/$folder" || { echo "kill $k: $folder differs"; exit 1; }
  done
  [ "$(cut -d, -f1 "$work/whole/metrics.csv")" = "$(cut -d, -f1 "$work/cut/metrics.csv")" ] ||
    { echo "kill $k: other rows in metrics.csv"; exit 1; }
  [ "$(readlink "$work/whole/best.h5")" = "$(readlink "$work/cut/best.h5")" ] || { echo "kill $k: another best"; exit 1; }
  if find "$work/cut" -name '.tmp-*' | grep -q .; then
    echo "kill $k: temporary files left"
    exit 1
  fi
done
echo "$kills kills, each resumed to the same bytes"
