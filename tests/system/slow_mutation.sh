#!/usr/bin/env bash
# A sample of the mutation pass (tests/mutation/README.md): what the tests noticed once they notice still.
#
#   RL_SOURCE_DIR=. bash tests/system/slow_mutation.sh [COUNT [SEED]]     (20, seed 1)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 "$RL_SOURCE_DIR/tests/mutation/mutate.py" --sample "${1:-20}" --seed "${2:-1}" --out "$work/result.tsv"
