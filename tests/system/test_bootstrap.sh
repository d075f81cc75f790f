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

call deps test
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

MUJOCO_DIR=$work/nowhere call deps
expect "wrong MUJOCO_DIR: fails" [ "$status" = 1 ]
expect "wrong MUJOCO_DIR: one line" [ "$(wc -l <"$work/err")" = 1 ]
call
expect "no argument: usage" [ "$status" = 2 ]
exit $((fails > 0))
