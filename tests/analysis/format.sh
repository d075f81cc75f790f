#!/usr/bin/env bash
# Every C and C++ file is as clang-format lays it out; --fix lays it out.
set -euo pipefail
cd "${RL_SOURCE_DIR:-$(dirname "$0")/../..}"
mapfile -t files < <(find rl nets envs tests -name '*.[ch]' -o -name '*.cpp' | sort)
if [ ${#files[@]} = 0 ]; then
  echo "no sources found"
  exit 1
fi
if [ "${1:-}" = --fix ]; then
  exec clang-format -i "${files[@]}"
fi
wrong=0
for file in "${files[@]}"; do
  if ! clang-format --dry-run -Werror --ferror-limit=1 "$file" 2>/dev/null; then
    echo "not as clang-format lays it out (make format): $file"
    wrong=$((wrong + 1))
  fi
done
echo "${#files[@]} files, $wrong to be laid out"
[ "$wrong" = 0 ]
