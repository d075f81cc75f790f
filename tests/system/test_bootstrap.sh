#!/usr/bin/env bash
# bootstrap.sh with stand-ins for the programs that change the system: when everything is there it calls none of them;
# without root it says on one line what is missing, and builds nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$RL_SOURCE_DIR"
mkdir "$work/stub"
for program in apt-get sudo python3 pip make; do
  printf '#!/bin/sh\necho "%s $*" >>"%s/called"\nexit 1\n' "$program" "$work" >"$work/stub/$program"
done
chmod +x "$work/stub"/*
fails=0
expect() { # NAME CONDITION...
  local name=$1
  shift
  if "$@"; then echo "ok: $name"; else
    echo "failed: $name"
    fails=$((fails + 1))
  fi
}
call() { # runs bootstrap.sh with the stand-ins in front; status, out, err and called are left behind
  : >"$work/called"
  status=0
  PATH=$work/stub:$PATH sh cmake/bootstrap.sh "$@" </dev/null >"$work/out" 2>"$work/err" || status=$?
}

# where pip could not bring the reader of event files, nothing can be said of a call that finds it
wanted=(deps test)
compgen -G '.deps/tensorboard-*' >/dev/null || wanted=(deps)
call "${wanted[@]}"
expect "everything there: succeeds" [ "$status" = 0 ]
expect "everything there: calls nothing" [ ! -s "$work/called" ]
expect "everything there: says nothing" [ ! -s "$work/out" -a ! -s "$work/err" ]

call run
expect "hands over to make" grep -qx 'make run' "$work/called"

# one library is missing and this is not root
printf '#!/bin/sh\ncase "$*" in *libhdf5-dev*) exit 1;; esac\nprintf installed\n' >"$work/stub/dpkg-query"
printf '#!/bin/sh\necho 1000\n' >"$work/stub/id"
chmod +x "$work/stub"/*
call run
expect "no root: fails" [ "$status" != 0 ]
expect "no root: one line" [ "$(wc -l <"$work/err")" = 1 ]
expect "no root: names the package and no other" grep -q 'missing packages: libhdf5-dev (' "$work/err"
expect "no root: nothing is built" bash -c "! grep -qE '^(make|apt-get|python3)' '$work/called'"

# the same as root: the package is asked for, and apt's failure is not passed over
printf '#!/bin/sh\necho 0\n' >"$work/stub/id"
call run
expect "root: apt-get is asked for the package" grep -q '^apt-get install .* libhdf5-dev$' "$work/called"
expect "root: its failure is ours" [ "$status" = 1 ]
expect "root: nothing is built" bash -c "! grep -q '^make' '$work/called'"
rm "$work/stub/dpkg-query" "$work/stub/id"

# a tree without the reader of event files, and a pip that cannot bring it: said, and no reason to stop
mkdir -p "$work/tree/cmake"
cp cmake/bootstrap.sh cmake/tensorboard.txt "$work/tree/cmake/"
printf '#!/bin/sh\necho "python3 $*" >>"%s/called"\n[ "$*" = "-m pip --version" ]\n' "$work" >"$work/stub/python3"
cd "$work/tree"
MUJOCO_DIR=$MUJOCO_DIR call deps test
expect "no reader: pip is asked for it" grep -q '^python3 -m pip install .* -r cmake/tensorboard.txt$' "$work/called"
expect "no reader: it goes on" [ "$status" = 0 -a ! -s "$work/err" ]
expect "no reader: says so" grep -q '^bootstrap: pip could not fetch it .*: its test is skipped$' "$work/out"
expect "no reader: leaves nothing behind" [ -z "$(ls -A .deps)" ]
: >"$work/called"
MUJOCO_DIR=$MUJOCO_DIR call deps
expect "no reader, no test: not asked for" [ "$status" = 0 -a ! -s "$work/called" ]
cd "$RL_SOURCE_DIR"

MUJOCO_DIR=$work/nowhere call deps
expect "wrong MUJOCO_DIR: fails" [ "$status" = 1 ]
expect "wrong MUJOCO_DIR: one line" [ "$(wc -l <"$work/err")" = 1 ]
call
expect "no argument: usage" [ "$status" = 2 ]
exit $((fails > 0))
