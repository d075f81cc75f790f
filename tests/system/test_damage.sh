#!/usr/bin/env bash
# Files of a run that were removed, torn, appended to, changed by a bit or replaced by something else, after the run
# stopped or under it. The newest sound state is found, what is not sound is named in one line, nothing good is
# overwritten, nothing hangs; and where the run goes on, it ends with the bytes of one that never was disturbed.
#
#   RL_BIN=build/bin bash tests/system/test_damage.sh [FLIPS [SEED]]     (6 bits of each kind of file, a fixed seed)
set -euo pipefail
shopt -s nullglob
# shellcheck source=tests/system/compare_runs.sh
. "$(dirname "$0")/compare_runs.sh"
flips=${1:-6}
RANDOM=${2:-7}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cut=$work/cut
cases=0

# five saves each; SAC's replay buffer has a segment from the third on
ppo=(--config inverted_pendulum.ini --threads 1 --seed 5 --set run.total_steps=15000 --set run.checkpoint_every=3000
  --set run.eval_every=7000 --set run.eval_episodes=1 --set policy.hidden=16,16 --set env.n_envs=2
  --set ppo.n_steps=64 --set ppo.n_epochs=2)
sac=(--config inverted_pendulum_sac.ini --threads 1 --seed 5 --set run.total_steps=15000 --set run.checkpoint_every=3000
  --set run.eval_every=7000 --set run.eval_episodes=1 --set policy.hidden=16,16 --set env.n_envs=8
  --set sac.buffer_size=16000 --set sac.train_freq=500 --set sac.learning_starts=1000)

fail() {
  echo "$name, $case: $*"
  for log in out err; do tail -n 5 "$work/$log" | sed "s/^/  $log: /"; done
  exit 1
}

# ---------------------------------------------------------------- what must follow

resume() {
  code=0
  timeout 120 "$RL_BIN/rltrain" --resume "$cut" >"$work/out" 2>"$work/err" || code=$?
  [ "$code" != 124 ] || fail "hangs"
}

says() { grep -qF -- "$1" "$work/out" || fail "does not say '$1'"; }

# continues [WORDS...]: goes on, says each of the words, starts again only if that is among them, ends as it should
continues() {
  resume
  [ "$code" = 0 ] && [ ! -s "$work/err" ] || fail "does not go on"
  for word in "$@"; do says "$word"; done
  [[ "$*" == *"starting again"* ]] || ! grep -q "starting again" "$work/out" || fail "starts again"
  compare_runs "$work/whole" "$cut" >"$work/err" || fail "ends otherwise"
}

# refuses CODE WORDS: one line, and the folder as it was
refuses() {
  ls -lR --time-style=full-iso "$cut" | grep -v '\.lock$' >"$work/before"
  resume
  [ "$code" = "$1" ] || fail "exit code $code"
  [ "$(wc -l <"$work/err")" = 1 ] && grep -qF -- "$2" "$work/err" || fail "not one line with '$2'"
  diff "$work/before" <(ls -lR --time-style=full-iso "$cut" | grep -v '\.lock$') >"$work/out" || fail "changed the folder"
}

# ---------------------------------------------------------------- damage

# begin CASE: a fresh copy of the stopped run
begin() {
  case=$1
  cases=$((cases + 1))
  rm -rf "$cut"
  cp -a "$work/half" "$cut"
}

flip() {
  local at=$2 byte
  byte=$(od -An -tu1 -j "$at" -N 1 "$1")
  # shellcheck disable=SC2059 # the format is the byte
  printf "\\x$(printf %02x $((byte ^ 1 << RANDOM % 8)))" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

# damage HOW FILE
damage() {
  local how=$1 file=$2 size
  size=$(stat -c %s "$file")
  case $how in
    removed) rm "$file" ;;
    empty) : >"$file" ;;
    cut-*) truncate -s "${how#cut-}" "$file" ;;
    torn) truncate -s -1 "$file" ;;
    halved) truncate -s $((size / 2)) "$file" ;;
    appended) printf x >>"$file" ;;
    padded) truncate -s +4096 "$file" ;;
    flip) flip "$file" $(((RANDOM * 32768 + RANDOM) % size)) ;;
    flip-*) flip "$file" "${how#flip-}" ;;
    folder) rm "$file" && mkdir "$file" ;;
    zero) ln -sf /dev/zero "$file" ;;
    pipe) rm "$file" && mkfifo "$file" ;;
    dangling) ln -sf nowhere "$file" ;;
  esac
}

# the magic line, the length, the digest, the zeros behind it, the superblock, then anywhere
kinds() {
  echo removed empty cut-100 cut-512 halved torn appended padded zero pipe dangling flip-0 flip-30 flip-50 flip-300 flip-520
  for ((n = 0; n < flips; n++)); do echo flip; done
}

# the newest and the older resume file, the checkpoint of the newest
look() {
  files=("$cut"/resume/*.h5)
  older=${files[0]} newest=${files[1]}
  checkpoint=$cut/checkpoints/${newest##*/}
}

# ---------------------------------------------------------------- the cases

resume_files() {
  for how in $(kinds); do
    begin "newest resume file $how"
    damage "$how" "$newest"
    if [ "$how" = removed ]; then continues; else continues "skipped $newest: "; fi
  done
  begin "a folder in place of the newest resume file"
  damage folder "$newest"
  resume
  [ "$code" = 1 ] && grep -q "^$newest: cannot write: Is a directory$" "$work/err" || fail "another end"
  rmdir "$newest"
  continues
  begin "older resume file damaged"
  damage flip "$older"
  continues
  begin "older resume file a folder"
  damage folder "$older"
  resume
  [ "$code" = 0 ] || fail "does not go on"
  begin "resume files exchanged"
  mv "$newest" "$cut/x" && mv "$older" "$newest" && mv "$cut/x" "$older"
  continues "skipped $newest: step: found" "skipped $older: step: found" "starting again"
  begin "both resume files damaged"
  damage flip "$newest"
  damage torn "$older"
  continues "skipped $newest: " "skipped $older: " "no sound resume file among 2, starting again"
  begin "all of resume/ removed"
  rm -r "$cut/resume"
  continues "starting again"
}

checkpoints() {
  for how in $(kinds); do
    begin "newest checkpoint $how"
    damage "$how" "$checkpoint"
    continues "$checkpoint: " "$checkpoint: written again"
  done
  begin "a folder in place of the newest checkpoint"
  damage folder "$checkpoint"
  resume
  [ "$code" = 0 ] || fail "does not go on"
  says "$checkpoint: found a folder"
  for link in latest best; do
    begin "$link.h5 removed"
    rm "$cut/$link.h5"
    continues "$link.h5: found no file behind it"
    begin "$link.h5 dangling"
    ln -sfn checkpoints/000000099999.h5 "$cut/$link.h5"
    continues "$link.h5: found no file behind it"
  done
  begin "the best checkpoint torn"
  file=$(realpath "$cut/best.h5")
  damage torn "$file"
  if [ "$file" -ef "$checkpoint" ]; then continues "$file: "; else resume && says "$file: "; fi
}

others() {
  begin "metrics.csv torn"
  tail -n 1 "$work/whole/metrics.csv" | head -c 30 >>"$cut/metrics.csv"
  continues
  begin "metrics.csv with rows past the step and rows that are none"
  tail -n 1 "$cut/metrics.csv" | sed 's/^[0-9]*/14990/' >>"$cut/metrics.csv"
  printf '5,6\nrubbish\n\0\0\0\n99999999999999999999,1\n' >>"$cut/metrics.csv"
  tail -n 1 "$work/whole/metrics.csv" | head -c 30 >>"$cut/metrics.csv"
  continues
  begin "metrics.csv missing"
  rm "$cut/metrics.csv"
  resume
  [ "$code" = 0 ] || fail "does not go on"
  [ "$(head -n 1 "$cut/metrics.csv")" = "$(head -n 1 "$work/whole/metrics.csv")" ] || fail "another header"
  cp "$work/whole/metrics.csv" "$cut"
  compare_runs "$work/whole" "$cut" >"$work/err" || fail "ends otherwise"
  begin "metrics.csv with another header"
  sed -i '1s/seconds/second/' "$cut/metrics.csv"
  resume
  [ "$code" = 1 ] && grep -qF 'metrics.csv: column 2: found "second"' "$work/err" || fail "another end"
  for how in folder zero pipe; do
    begin "metrics.csv a $how"
    damage $how "$cut/metrics.csv"
    refuses 1 "$cut/metrics.csv: found a"
  done
  for how in folder zero pipe; do
    begin "config.ini a $how"
    damage $how "$cut/config.ini"
    refuses 1 "$cut/config.ini: found a"
  done
  begin "config.ini removed"
  rm "$cut/config.ini"
  refuses 1 "$cut/config.ini: cannot read: No such file"
  begin "config.ini edited"
  sed -i 's/^gamma = .*/gamma = 0.9/' "$cut/config.ini"
  refuses 2 "$cut/config.ini: found \"gamma = 0.9\", expected \"gamma = 0.99\" as in $newest"
  # behind [run], of whose keys some are the user's to change, every letter counts or changes nothing
  local from size
  from=$(grep -b '^\[env\]' "$cut/config.ini" | cut -d: -f1) size=$(stat -c %s "$cut/config.ini")
  for ((n = 0; n < flips; n++)); do
    begin "config.ini with a bit changed"
    flip "$cut/config.ini" $((from + RANDOM % (size - from)))
    cp "$cut/config.ini" "$work/config.ini"
    resume
    if [ "$code" != 0 ]; then
      [ "$(wc -l <"$work/err")" = 1 ] && grep -qF "$cut/config.ini" "$work/err" || fail "not one line"
      diff -r "$work/half/resume" "$cut/resume" >"$work/out" || fail "changed the resume files"
    else
      cp "$work/whole/config.ini" "$cut"
      compare_runs "$work/whole" "$cut" >"$work/err" || fail "ends otherwise"
    fi
  done
  begin "version.txt removed, a dead run's files left"
  rm "$cut/version.txt"
  touch "$cut/.tmp-config.ini-1" "$cut/resume/.tmp-000000000001.h5-1" "$cut/checkpoints/.tmp-000000000001.h5-1"
  continues
  begin ".lock a folder"
  rm -f "$cut/.lock" && mkdir "$cut/.lock"
  refuses 1 "$cut/.lock: cannot lock the run folder: Is a directory"
  begin "checkpoints/ a file"
  rm -r "$cut/checkpoints" && touch "$cut/checkpoints"
  refuses 1 "$cut/checkpoints: cannot read: Not a directory"
}

# every resume file lists the segment, so nothing is left to go on from, and that is said
segments() {
  local segment=$cut/resume/replay/000000000000.h5
  for how in $(kinds) folder; do
    begin "segment $how"
    damage "$how" "$segment"
    if [ "$how" = folder ]; then
      resume
      [ "$code" = 1 ] && grep -q "^$segment: cannot write: Is a directory$" "$work/err" || fail "another end"
      says "skipped $newest, which needs $segment: found a folder"
    else
      continues "skipped $newest, which needs $segment: " "skipped $older, which needs $segment: " "starting again"
    fi
  done
  begin "a segment no file lists"
  cp "$segment" "$cut/resume/replay/000000000777.h5"
  printf x >"$cut/resume/replay/000000009000.h5"
  rm "$newest"
  resume
  [ "$code" = 0 ] || fail "does not go on"
}

# under_way WAIT HOW FILE OPTIONS...: a file damaged under the running run, as soon as WAIT is there
under_way() {
  local wait=$1 how=$2 file=$3
  shift 3
  case="$file $how under the running run"
  cases=$((cases + 1))
  rm -rf "$cut"
  "$RL_BIN/rltrain" "$@" --out "$cut" >"$work/out" 2>"$work/err" &
  local pid=$! code=0
  until [ -e "$cut/$wait" ]; do kill -0 "$pid" 2>/dev/null || fail "ended before"; done
  kill -STOP "$pid"
  [ ! -e "$cut/$file" ] || damage "$how" "$cut/$file"
  kill -CONT "$pid"
  wait "$pid" || code=$?
  [ "$code" = 0 ] && [ ! -s "$work/err" ] || fail "exit code $code"
  compare_runs "$work/whole" "$cut" >"$work/err" || fail "ends otherwise"
}

# a run killed when two resume files were there (and, if there is one, the segment that both list)
stop_half_way() {
  local pid
  while true; do
    rm -rf "$work/half"
    "$RL_BIN/rltrain" "$@" --out "$work/half" >"$work/out" 2>"$work/err" &
    pid=$!
    until [ -e "$work/half/resume/$half" ]; do kill -0 "$pid" 2>/dev/null || break; done
    # a run that ended meanwhile has it too, and is begun again
    [ -e "$work/half/resume/$half" ] || fail "ended before"
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    if [ ! -e "$work/half/resume/$last" ]; then break; fi
  done
  # killed between a save and its pruning
  files=("$work"/half/resume/[0-9]*.h5)
  while [ ${#files[@]} -gt 2 ]; do rm "${files[0]}" && files=("${files[@]:1}"); done
}

# survives NAME OPTIONS...: of rltrain
survives() {
  name=$1 case="a whole run"
  shift
  rm -rf "$work/whole"
  "$RL_BIN/rltrain" "$@" --out "$work/whole" >"$work/out" 2>"$work/err" || fail "not even once"
  files=("$work"/whole/checkpoints/*.h5)
  local at=("${files[@]##*/}")
  last=${at[-1]}
  files=("$work"/whole/resume/[0-9]*.h5)
  half=${files[0]##*/}
  stop_half_way "$@"
  begin "as it is"
  look
  continues
  resume_files
  checkpoints
  others
  if [ "$name" = SAC ]; then segments; fi
  # the save of the second has begun, so that of the first is over
  local second=checkpoints/${at[1]} first=resume/${at[0]}
  under_way "$second" removed "$first" "$@"
  under_way "$second" flip "$first" "$@"
  under_way "$second" removed latest.h5 "$@"
  if [ "$name" = SAC ]; then
    local segment=resume/replay/000000000000.h5
    for how in removed empty halved appended zero pipe; do under_way "$segment" $how $segment "$@"; done
  fi
  echo "$name: $cases cases of damage, each named, none lost more than it had to"
  cases=0
}

survives PPO "${ppo[@]}"
survives SAC "${sac[@]}"
