#!/bin/sh
# Brings what the build needs, then hands over to make: what make itself cannot do on a machine that has no make.
# POSIX sh and dpkg only. A call that finds everything in place touches no network and changes nothing.
#
#   sh cmake/bootstrap.sh run          bring the dependencies, build, train and evaluate the quick start
#   sh cmake/bootstrap.sh test         the same for the tests
#   sh cmake/bootstrap.sh TARGET       the same for any other target of the Makefile
#   sh cmake/bootstrap.sh deps [test]  only bring the dependencies (those of the tests too)
#
# MUJOCO_DIR names an installed MuJoCo >= 4.0; without it a pinned one is unpacked under .deps/.
set -eu

mujoco_version=4.0.0
mujoco_sha256=885bd9b9cc0a6b5ba1114923eb954027652a6a0c115fa46b3218b83bae72ac4f
tensorboard_version=2.21.0

# PACKAGE:COMMAND for programs (one from elsewhere will do), PACKAGE for libraries
build_packages='gcc:gcc g++:g++ make:make cmake:cmake ninja-build:ninja pkg-config:pkg-config libc6-dev
libopenblas-dev libhdf5-dev libinih-dev libpcg-cpp-dev libxxhash-dev libprotobuf-c-dev protobuf-c-compiler:protoc-c
libegl-dev libgl1-mesa-dri libturbojpeg0-dev libwebsockets-dev ffmpeg:ffmpeg'
test_packages='libcmocka-dev clang-tidy:clang-tidy clang-format:clang-format cppcheck:cppcheck valgrind:valgrind
chromium:chromium'

fail() {
  echo "bootstrap: $*" >&2
  exit 1
}

installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# prints the packages of the list that are not there
missing_of() {
  for entry in "$@"; do
    package=${entry%%:*}
    if [ "$entry" != "$package" ] && command -v "${entry#*:}" >/dev/null 2>&1; then continue; fi
    installed "$package" || printf '%s ' "$package"
  done
}

# installs the packages named, as root or through sudo; says what is missing where neither is to be had
install_packages() {
  command -v apt-get >/dev/null 2>&1 || fail "missing: $* (no apt-get here to install them with)"
  as_root=
  if [ "$(id -u)" != 0 ]; then
    as_root=sudo
    if ! command -v sudo >/dev/null 2>&1 || { [ ! -t 0 ] && ! sudo -n true 2>/dev/null; }; then
      fail "missing packages: $* (neither root nor sudo here; as root: apt-get install $*)"
    fi
  fi
  echo "bootstrap: installing $*"
  # a foreign repository that does not answer is no reason to stop: the install below tells
  $as_root apt-get update -q || echo "bootstrap: apt-get update did not succeed everywhere"
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" || fail "apt-get could not install: $*"
}

mujoco_wanted() {
  [ -z "${MUJOCO_DIR:-}" ] && [ ! -e "$mujoco/lib/libmujoco.so" ]
}

reader_wanted() {
  [ -n "$testing" ] && [ ! -e "$reader" ]
}

# What is fetched is unpacked in $work, beside its final place, and renamed: a half tree is never seen. The loser of
# two calls at the same time finds the place taken by the same tree.
begin_work() {
  mkdir -p .deps
  work=$(mktemp -d .deps/unpack.XXXXXX)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM
}

# end_work PLACE FILE: the tree in $work goes to its place, where FILE tells that it is there
end_work() {
  chmod -R u=rwX,go=rX "$work/tree"
  mv -T "$work/tree" "$1" 2>/dev/null || [ -e "$1/$2" ] || fail "cannot write $1"
  rm -rf "$work"
  trap - EXIT HUP INT TERM
}

fetch_mujoco() {
  [ "$(uname -m)" = x86_64 ] ||
    fail "MuJoCo $mujoco_version is pinned for x86_64 only, this is $(uname -m): set MUJOCO_DIR"
  begin_work
  echo "bootstrap: fetching MuJoCo $mujoco_version"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --python-version 3.11 --implementation cp --abi cp311 \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 \
    --dest "$work" "mujoco-core==$mujoco_version" || fail "pip could not fetch mujoco-core $mujoco_version"
  wheel=$(echo "$work"/mujoco_core-*.whl)
  found=$(sha256sum "$wheel" | cut -d ' ' -f 1)
  [ "$found" = "$mujoco_sha256" ] || fail "$wheel: sha256 $found, expected $mujoco_sha256"

  python3 -m zipfile -e "$wheel" "$work/wheel"
  tree=$work/tree
  mkdir -p "$tree/lib" "$tree/licenses"
  mv "$work/wheel/mujoco/include" "$tree/include"
  mv "$work/wheel/mujoco/libmujoco.so.$mujoco_version" "$tree/lib/"
  mv "$work/wheel/mujoco_core-$mujoco_version.dist-info/licenses"/* "$tree/licenses/"
  ln -s "libmujoco.so.$mujoco_version" "$tree/lib/libmujoco.so"
  end_work "$mujoco" lib/libmujoco.so
}

# TensorBoard's reader of event files: one test needs it, which says so where it is missing, so nothing else stops
fetch_reader() {
  begin_work
  echo "bootstrap: fetching TensorBoard $tensorboard_version, for a test"
  if python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
    --retries 2 --target "$work/tree" -r cmake/tensorboard.txt >"$work/log" 2>&1; then
    end_work "$reader" tensorboard
    return
  fi
  echo "bootstrap: pip could not fetch it ($(grep -m 1 ERROR "$work/log" || echo no reason given)): its test is skipped"
  rm -rf "$work"
  trap - EXIT HUP INT TERM
}

[ $# -ge 1 ] || {
  echo "usage: sh cmake/bootstrap.sh run|test|TARGET, or: sh cmake/bootstrap.sh deps [test]" >&2
  exit 2
}
cd "$(dirname "$0")/.."
mujoco=.deps/mujoco-$mujoco_version
reader=.deps/tensorboard-$tensorboard_version

packages=$build_packages testing=
case "$*" in
  test | test-long | format | "deps test") packages="$packages $test_packages" testing=yes ;;
esac
if { mujoco_wanted || reader_wanted; } && ! python3 -m pip --version >/dev/null 2>&1; then packages="$packages python3-pip"; fi
if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "bootstrap: no dpkg here, so the packages are taken to be there: $packages"
else
  # shellcheck disable=SC2086 # lists of words
  missing=$(missing_of $packages)
  # shellcheck disable=SC2086
  [ -z "$missing" ] || install_packages $missing
fi

if [ -n "${MUJOCO_DIR:-}" ]; then
  [ -e "$MUJOCO_DIR/include/mujoco/mjbatch.h" ] ||
    fail "MUJOCO_DIR=$MUJOCO_DIR: include/mujoco/mjbatch.h not found, expected MuJoCo >= 4.0"
elif mujoco_wanted; then
  fetch_mujoco
fi
if reader_wanted; then fetch_reader; fi

[ "$1" = deps ] || exec make "$@"
