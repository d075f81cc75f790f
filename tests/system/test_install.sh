#!/usr/bin/env bash
# The installed tree works after it was moved: programs run without the build's libraries or sources, and a C program
# compiles, links and runs against it by pkg-config and by find_package.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$RL_BUILD_DIR" --prefix "$work/first" >"$work/log" || { cat "$work/log"; exit 1; }
mkdir "$work/some where"
mv "$work/first" "$work/some where/else"
tree="$work/some where/else"

say() { echo "test_install: $*"; }
need() { [ -e "$tree/$1" ] || { say "not installed: $1"; exit 1; }; }
for path in lib/librl.a lib/libmujoco.so include/rltrain/rl/base/status.h include/rltrain/mujoco/mujoco.h \
  lib/pkgconfig/rltrain.pc lib/cmake/rltrain/rltrain-config.cmake share/rltrain/configs share/rltrain/models \
  share/doc/rltrain/LICENSE; do need "$path"; done
if grep -rlF "$RL_SOURCE_DIR" "$tree/lib/pkgconfig" "$tree/lib/cmake"; then
  say "a package file names the source tree"
  exit 1
fi

# programs: version, their library from the moved tree, and their data from there too
cd "$work"
programs=0
for source in "$RL_SOURCE_DIR"/rl/cli/*.c; do
  program=$(basename "$source" .c)
  "$tree/bin/$program" --version >"$work/out" || { say "$program --version failed"; exit 1; }
  if ldd "$tree/bin/$program" | grep libmujoco | grep -vqF "$tree"; then
    say "$program does not take the installed libmujoco"
    exit 1
  fi
  programs=$((programs + 1))
done
"$tree/bin/rlenv" list | grep '^Humanoid-v5' >"$work/out"
"$tree/bin/rlenv" check Hopper-v5 >"$work/out" || { cat "$work/out"; exit 1; }
mv "$tree/share/rltrain/models/hopper.xml" "$work/hopper.xml"
echo "<mujoco><broken/></mujoco>" >"$tree/share/rltrain/models/hopper.xml"
if "$tree/bin/rlenv" check Hopper-v5 >"$work/out" 2>&1; then
  say "rlenv does not read the installed models"
  exit 1
fi
mv "$work/hopper.xml" "$tree/share/rltrain/models/hopper.xml"

# a program of someone else's: an error line of ours, and MuJoCo's version through the installed header and library
cat >"$work/user.c" <<'C'
#include <mujoco/mujoco.h>
#include <stdio.h>

#include "envs/vecenv.h"
#include "rl/base/path.h"
#include "rl/base/status.h"

int main(void) {
  char path[16];
  if (rl_path_find(path, sizeof path, "models", "absent.xml") == RL_OK) return 1;
  printf("%d, %s\n", mj_version(), rl_error_text());
  return mj_version() != mjVERSION_HEADER;
}
C
export PKG_CONFIG_PATH="$tree/lib/pkgconfig"
# pkg-config escapes the blank of the folder's name for a shell
eval "$RL_CC -o by_pkgconfig user.c $(pkg-config --cflags --libs rltrain)"
LD_LIBRARY_PATH="$tree/lib" ./by_pkgconfig
[ "$(pkg-config --modversion rltrain)" = "$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$RL_BUILD_DIR/CMakeCache.txt")" ]

mkdir user
mv user.c user/
cat >user/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C)
find_package(rltrain 0.1 REQUIRED)
add_executable(user user.c)
target_link_libraries(user PRIVATE rltrain::rl)
CMAKE
cmake -S user -B user/build -DCMAKE_PREFIX_PATH="$tree" -DCMAKE_C_COMPILER="$RL_CC" >"$work/log" &&
  cmake --build user/build >>"$work/log" || { cat "$work/log"; exit 1; }
user/build/user
say "$programs programs, pkg-config and find_package"
