#!/usr/bin/env bash
# Every symbol that librl gives to the linker starts with rl_, so that it collides with nobody's.
# Weak C++ symbols (templates of headers) are merged by the linker and belong to no one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nm --extern-only --defined-only --format=posix "$RL_BUILD_DIR/lib/librl.a" | grep -v ':$' >"$work/all"
awk 'NF && !($2 ~ /^[VWu]$/ && $1 ~ /^_Z/) { print $1 }' "$work/all" | sort -u >"$work/ours"
count=$(grep -c '^rl_' "$work/ours")
grep -v '^rl_' "$work/ours" >"$work/wrong" || true
sed 's/^/not rl_: /' "$work/wrong"
echo "$count symbols start with rl_, $(wc -l <"$work/wrong") do not"
[ "$count" -gt 0 ] && [ ! -s "$work/wrong" ]
