#!/usr/bin/env bash
# A broken algorithm cannot land: a short run of the shipped configuration must learn to balance the double pendulum.
# A policy that knows nothing stays under 100; the task's ceiling is about 9350.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$RL_BIN/rltrain" --config inverted_double_pendulum.ini --seed 1 --out "$work/run" \
  --set run.total_steps=100000 --set run.eval_every=0 --set run.checkpoint_every=0 >"$work/log" ||
  { cat "$work/log"; exit 1; }
"$RL_BIN/rleval" "$work/run" --episodes 10 --seed 7 --json >"$work/result"
mean=$(sed -n 's/.*"mean": *\([-0-9.e+]*\).*/\1/p' "$work/result")
echo "mean return $mean, expected 5000 or more"
awk -v mean="$mean" 'BEGIN { exit !(mean >= 5000) }'
