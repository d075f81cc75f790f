#!/bin/sh
# Reproduces docs/results.md: trains each configuration with each seed, evaluates the last checkpoint over 20
# deterministic episodes, and appends a line to OUT/results.csv. What is there already is not done again.
#
#   sh runs/reproduce.sh OUT "SEEDS" CONFIG...      sh runs/reproduce.sh runs/results "1 2 3 4 5" hopper ant
#
# STEPS: how many, instead of what the configuration says (the SAC table: 100000).
# JOBS runs go on at a time, one thread each (default: one a processor); the bits do not depend on it.
set -eu
out=$1 seeds=$2
shift 2
cd "$(dirname "$0")/.."
mkdir -p "$out"
one() {
  name=$1 seed=$2 dir=$out/$1-$2
  [ -e "$dir.json" ] && return 0
  rm -rf "$dir"
  build/bin/rltrain --config "$name.ini" --seed "$seed" --threads 1 --out "$dir" \
    ${STEPS:+--set run.total_steps="$STEPS"} >"$dir.log"
  build/bin/rleval "$dir" --episodes 20 --seed 1000 --threads 1 --json >"$dir.tmp"
  mv "$dir.tmp" "$dir.json"
  field() { sed -n "s/.*\"$1\": \([-0-9.e+]*\).*/\1/p" "$dir.json"; }
  echo "$name,$seed,$(field step),$(field mean),$(field std),$(field length_mean)" >>"$out/results.csv"
  awk -F, -v every="$((${STEPS:-1000000} / 100))" \
    'NR == 1 { print "step,episode_return_mean"; next } $1 - last >= every { print $1 "," $4; last = $1 }' \
    "$dir/metrics.csv" >"$dir.csv"
}
if [ "${RL_ONE:-}" ]; then
  one "$1" "$seeds"
else
  for name in "$@"; do for seed in $seeds; do echo "$seed $name"; done; done |
    RL_ONE=1 xargs -P "${JOBS:-$(nproc)}" -L 1 sh "$0" "$out"
fi
