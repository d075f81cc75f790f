#!/usr/bin/env bash
# cppcheck over every source of ours: any finding is a failure.
set -euo pipefail
cd "$RL_SOURCE_DIR"
mapfile -t files < <(find rl nets envs -name '*.c' | sort)
if [ ${#files[@]} = 0 ]; then
  echo "no sources found"
  exit 1
fi
cache=$RL_BUILD_DIR/cppcheck
mkdir -p "$cache"
# what it finds across files does not reach its exit code
found=$(cppcheck --quiet --enable=warning,performance,portability --std=c11 --inline-suppr --error-exitcode=1 \
  --cppcheck-build-dir="$cache" --suppressions-list=tests/analysis/cppcheck.supp -j "$(nproc)" \
  -I . -D_GNU_SOURCE -DRL_VERSION='"0"' -DRL_SOURCE_DIR='"."' "${files[@]}" 2>&1) || found=${found:-"cppcheck failed"}
if [ -n "$found" ]; then
  echo "$found"
  exit 1
fi
