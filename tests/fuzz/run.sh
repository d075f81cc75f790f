#!/usr/bin/env bash
# Fuzzes what reads files: every target of this folder, built by clang with AddressSanitizer and UBSan, one after the
# other. What is found goes on growing the corpus in the build folder; the committed one is what it starts from.
#
#   bash tests/fuzz/run.sh [SECONDS [TARGET...]]     (60 seconds each, all targets)
#
# One line a target; the exit code is 1 if any crashed, leaked, hung or asserted, and the line then names the input.
# Built in build-fuzz, or beside RL_BUILD_DIR.
set -euo pipefail
seconds=${1:-60}
shift $(($# > 0))
cd "$(dirname "$0")/../.."
folder=${RL_BUILD_DIR:-build}-fuzz
if [ $# = 0 ]; then
  for source in tests/fuzz/fuzz_*.c; do set -- "$@" "$(basename "$source" .c)"; done
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! command -v clang >/dev/null || ! command -v clang++ >/dev/null; then
  echo "run.sh: found no clang, expected it installed (Debian: clang, libclang-rt-14-dev)"
  exit 1
fi
echo 'int LLVMFuzzerTestOneInput(const char *data, long size) { return !data && size; }' >"$work/one.c"
if ! clang -fsanitize=fuzzer,address,undefined "$work/one.c" -o "$work/one" 2>/dev/null; then
  echo "run.sh: found a clang that cannot link libFuzzer, expected its runtime (Debian: libclang-rt-14-dev)"
  exit 1
fi

# configures and builds, quietly unless it fails
build() {
  local options=(-DRL_FUZZ=ON -DRL_TESTS=ON -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++)
  options+=("-DCMAKE_C_FLAGS_DEBUG=-O1 -g" "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g")
  if [ -n "${MUJOCO_DIR:-}" ]; then options+=("-DMUJOCO_DIR=$MUJOCO_DIR"); fi
  if [ ! -f "$folder/CMakeCache.txt" ] && command -v ninja >/dev/null; then options+=(-G Ninja); fi
  cmake -B "$folder" "${options[@]}"
  cmake --build "$folder" --parallel "${RL_JOBS:-$(nproc)}" --target "$@"
}
build "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

# what the trace files are written to belongs into memory
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi
export LSAN_OPTIONS=suppressions=$PWD/tests/analysis/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1

bad=0
for target in "$@"; do
  corpus=$folder/corpus/$target
  found=$folder/found/$target
  log=$folder/$target.log
  mkdir -p "$corpus" "$found"
  touch "$work/start"
  "$folder/bin/$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
    -artifact_prefix="$found/" "$corpus" "tests/fuzz/corpus/$target" >"$log" 2>&1 || true
  stat() { sed -n "s/^stat::$1: *//p" "$log"; }
  edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
  inputs=$(sed -n 's/.* corp: \([0-9]*\)\/.*/\1/p' "$log" | tail -n 1)
  executions=$(stat number_of_executed_units)
  mapfile -t crashes < <(find "$found" -type f -newer "$work/start")
  # one that ends without its figures has not run
  if [ -z "$executions" ] || [ ${#crashes[@]} -gt 0 ]; then bad=1; fi
  echo "$target: ${executions:-no} executions, $(stat average_exec_per_sec) a second, ${edges:-0} edges," \
    "corpus of ${inputs:-0}, ${#crashes[@]} crashes ${crashes[*]-}$([ -n "$executions" ] || echo "; see $log")"
done
exit $bad
