#!/usr/bin/env bash
# Builds with an instrumenting preset, in a folder beside the build it is called from, and runs the tests that are named.
#   instrumented.sh PRESET CTEST-SELECTION...      for example: instrumented.sh dev -L 'unit|grad'
set -euo pipefail
preset=$1
shift
cd "$RL_SOURCE_DIR"
folder=$RL_BUILD_DIR-$preset
jobs=$(nproc)
mkdir -p "$folder"
generator=()
if command -v ninja >/dev/null; then generator=(-G Ninja); fi
if [ -f "$folder/CMakeCache.txt" ]; then generator=(); fi
cmake --preset "$preset" -B "$folder" "${generator[@]}" -DMUJOCO_DIR="$MUJOCO_DIR" -DRL_TESTS=ON >"$folder/configure.log" ||
  { cat "$folder/configure.log"; exit 1; }

# only what the chosen tests need is built
mapfile -t targets < <(ctest --test-dir "$folder" -N "$@" | sed -n 's/^ *Test *#[0-9]*: //p')
if [ ${#targets[@]} = 0 ]; then
  echo "no test for: $*"
  exit 1
fi
cmake --build "$folder" --parallel "$jobs" --target "${targets[@]}"

# some kernels randomise addresses further than ThreadSanitizer can shadow
run=()
if setarch "$(uname -m)" -R true 2>/dev/null; then run=(setarch "$(uname -m)" -R); fi
supp=$RL_SOURCE_DIR/tests/analysis
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
export LSAN_OPTIONS=suppressions=$supp/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=suppressions=$supp/tsan.supp:halt_on_error=1:second_deadlock_stack=1
"${run[@]}" ctest --test-dir "$folder" --parallel "$jobs" --output-on-failure --no-tests=error --timeout 900 "$@"
