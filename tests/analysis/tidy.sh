#!/usr/bin/env bash
# clang-tidy over every source of ours (not the tests): any finding is a failure, .clang-tidy says what is looked for.
set -euo pipefail
cd "$RL_SOURCE_DIR"
mapfile -t files < <(find rl nets envs -name '*.c' -o -name '*.cpp' | sort)
if [ ${#files[@]} = 0 ]; then
  echo "no sources found"
  exit 1
fi
# One file a process: the analyzer carries state from one to the next (false va_list findings). The flags are gcc's:
# those that clang does not know are no finding.
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" \
  clang-tidy --quiet -p "$RL_BUILD_DIR" --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-optimization-argument
