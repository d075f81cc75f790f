#!/usr/bin/env bash
# Every header that is installed compiles alone, as C11 and at strict warnings: none leans on an include before it. So
# do the files that stand in for an optional part, which this build may have no use for.
set -euo pipefail
includes=()
IFS=: read -ra folders <<<"$RL_INCLUDES"
for folder in "${folders[@]}"; do includes+=(-isystem "$folder"); done
cd "$RL_SOURCE_DIR"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0
fails=0
for header in $(find rl nets envs -name '*.h' -not -path 'rl/cli/*' | sort); do
  # twice: the guard holds too; the enum keeps the file from being empty
  printf '#include "%s"\n#include "%s"\nenum { rl_header_compiles };\n' "$header" "$header" >"$work/one.c"
  "$RL_CC" -fsyntax-only -std=gnu11 -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wconversion -Wundef \
    -Wstrict-prototypes -Wmissing-prototypes -Werror -I . "${includes[@]}" "$work/one.c" ||
    { echo "does not compile alone: $header"; fails=$((fails + 1)); }
  count=$((count + 1))
done
for source in rl/*/absent/*.c; do
  "$RL_CC" -fsyntax-only -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -I . "${includes[@]}" "$source" ||
    { echo "does not compile: $source"; fails=$((fails + 1)); }
done
echo "$count headers, $fails do not compile alone"
[ "$count" -gt 0 ] && [ "$fails" = 0 ]
