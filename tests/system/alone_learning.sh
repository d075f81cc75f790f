#!/usr/bin/env bash
# A broken algorithm cannot land: a short run of each must learn to balance a pendulum. A policy that knows nothing
# stays under 100 in both tasks; the ceilings are about 9350 (double pendulum) and 1000.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# learns CONFIG FLOOR OPTIONS...: the mean return after a run must reach the floor
learns() {
  local config=$1 floor=$2 mean
  shift 2
  "$RL_BIN/rltrain" --config "$config" --seed 1 --out "$work/$config" --set run.eval_every=0 \
    --set run.checkpoint_every=0 "$@" >"$work/log" || { cat "$work/log"; exit 1; }
  "$RL_BIN/rleval" "$work/$config" --episodes 10 --seed 7 --json >"$work/result"
  mean=$(sed -n 's/.*"mean": *\([-0-9.e+]*\).*/\1/p' "$work/result")
  echo "$config: mean return $mean, expected $floor or more"
  awk -v mean="$mean" -v floor="$floor" 'BEGIN { exit !(mean >= floor) }'
}

learns inverted_double_pendulum.ini 5000 --set run.total_steps=100000
# six seeds of six reach 1000 with these small networks and large steps
learns inverted_pendulum_sac.ini 500 --set run.total_steps=5000 --set sac.learning_starts=1000 \
  --set policy.hidden=64,64 --set sac.batch_size=128 --set sac.learning_rate=3e-3 --set sac.tau=0.02
