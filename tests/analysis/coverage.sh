#!/usr/bin/env bash
# Which lines the unit, gradient and parity tests execute: a line a source file, and a floor for the whole.
#   coverage.sh [FLOOR]      per cent
set -euo pipefail
floor=${1:-0}
folder=$RL_BUILD_DIR-coverage
mkdir -p "$folder"
find "$folder" -name '*.gcda' -delete
bash "$RL_SOURCE_DIR/tests/analysis/instrumented.sh" coverage -L 'unit|grad|parity' >"$folder/tests.log" 2>&1 ||
  { tail -40 "$folder/tests.log"; exit 1; }

cd "$RL_SOURCE_DIR"
find "$folder/CMakeFiles" -name '*.gcno' -path '*/CMakeFiles/*.dir/*' -print0 |
  xargs -0 gcov --no-output --relative-only --source-prefix "$RL_SOURCE_DIR" 2>/dev/null |
  awk -F "['% :]+" -v floor="$floor" '
    /^File/ { file = $2 }
    /^Lines executed/ && file ~ /^(rl|nets|envs)\/.*\.c(pp)?$/ {
      printf "%6.1f%% of %4d  %s\n", $3, $5, file
      lines += $5
      hit += $3 * $5 / 100
      file = ""
    }
    END {
      if (!(lines > 0)) { print "no line was counted"; exit 1 }
      printf "%6.1f%% of %d lines, expected %s or more\n", 100 * hit / lines, lines, floor
      exit !(100 * hit / lines >= floor)
    }'
