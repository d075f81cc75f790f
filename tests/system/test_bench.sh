#!/usr/bin/env bash
# Every measurement of rlbench runs, prints its table, and prints JSON that says the same things.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# runs WHAT WORDS... -- OPTIONS...: the table holds every word, and the JSON is one whole object
runs() {
  local what=$1 words=() word
  shift
  while [ "$1" != -- ]; do words+=("$1") && shift; done
  shift
  "$RL_BIN/rlbench" "$what" "$@" >"$work/table"
  for word in "${words[@]}"; do
    grep -q -- "$word" "$work/table" || { cat "$work/table"; echo "rlbench $what: no \"$word\""; exit 1; }
  done
  if grep -qiE '\b(nan|inf)\b' "$work/table"; then cat "$work/table" && exit 1; fi
  "$RL_BIN/rlbench" "$what" "$@" --json >"$work/json"
  python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["bench"] == sys.argv[2]' "$work/json" "$what"
}

small=(--set policy.hidden=16,16)
runs physics "mj_step ceiling" "of the ceiling" "step by step" -- --rounds 1 --steps 500
runs env Ant-v5/ceiling Walker2d-v5 -- --rounds 1 --steps 200
runs infer median p99.9 -- --rounds 1 --steps 100
runs ppo "of the ceiling" "bounds the training" "twice the batch" -- --rounds 1 --steps 500 "${small[@]}"
runs sac "of their rate" "bounds the training" "twice the batch" -- --rounds 1 --steps 20 "${small[@]}"
runs gemm OpenBLAS -- --rounds 1
echo "all measurements run"
