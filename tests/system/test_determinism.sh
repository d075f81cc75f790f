#!/usr/bin/env bash
# What a run's bytes depend on, asked of the programs: not on the process, the number of threads, a stop and a resume,
# the terminal or how often something is logged; on the seed they do. docs/determinism.md is the list.
#
#   RL_BIN=build/bin RL_SOURCE_DIR=. bash tests/system/test_determinism.sh [SCALE [TASK...]]     (1, the inverted pendulum)
#
# SCALE multiplies the steps; a task is a configuration's name without .ini, and TASK_sac.ini is run too.
set -euo pipefail
shopt -s nullglob
scale=${1:-1}
tasks=("${@:2}")
if [ ${#tasks[@]} = 0 ]; then tasks=(inverted_pendulum); fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# three environments; several saves, evaluations and a ragged last minibatch; SAC's ring holds a segment and is full
ppo=(--seed 5 --set run.total_steps=$((4000 * scale)) --set run.checkpoint_every=$((1000 * scale))
  --set run.eval_every=$((2000 * scale)) --set run.eval_episodes=2 --set env.n_envs=3 --set ppo.n_steps=100
  --set ppo.batch_size=70 --set policy.hidden=16,16)
sac=(--seed 5 --set run.total_steps=$((18000 * scale)) --set run.checkpoint_every=$((3000 * scale))
  --set run.eval_every=$((9000 * scale)) --set run.eval_episodes=2 --set run.log_every=1000 --set env.n_envs=3
  --set sac.buffer_size=15000 --set sac.learning_starts=1000 --set sac.train_freq=200 --set sac.batch_size=150
  --set policy.hidden=16,16 --set normalize.obs=true)

fail() {
  echo "FAILED: $name: $*"
  for log in out err; do tail -n 5 "$work/$log" | sed "s/^/  $log: /"; done
  exit 1
}

# train FOLDER OPTIONS...: a process of rltrain with the options of the algorithm and these
train() {
  local out=$work/$1
  shift
  "$RL_BIN/rltrain" "${options[@]}" "$@" --out "$out" >"$work/out" 2>"$work/err" || fail "exit code $?"
}

# the bytes of two runs: every checkpoint, resume file and segment, and which is the latest and the best
same() {
  local folder link
  for folder in checkpoints resume; do
    diff -rq "$work/whole/$folder" "$work/$1/$folder" >"$work/out" || fail "$1: $folder differs"
  done
  for link in latest.h5 best.h5; do
    [ "$(readlink "$work/whole/$link")" = "$(readlink "$work/$1/$link")" ] || fail "$1: another $link"
  done
  compared=$((compared + 1))
  rm -rf "${work:?}/$1"
}

differs() {
  local file files=("$work/$1"/checkpoints/*.h5)
  [ ${#files[@]} -gt 0 ] || fail "$1: found no checkpoint"
  for file in "${files[@]}"; do
    if cmp -s "$file" "$work/whole/checkpoints/${file##*/}"; then fail "$1: ${file##*/} is the same"; fi
  done
  rm -rf "${work:?}/$1"
}

# stopped by SIGTERM as soon as it has begun, twice, each time with another number of threads
interrupted() {
  local pid code threads=3 begin=("${options[@]}" --out "$work/cut") stops=0
  for _ in 1 2; do
    # emptied here: a shell that is slow to start would leave the lines of the run before
    : >"$work/out"
    "$RL_BIN/rltrain" "${begin[@]}" --threads $threads >"$work/out" 2>"$work/err" &
    pid=$!
    while kill -0 $pid 2>/dev/null && ! grep -q '^step' "$work/out"; do sleep 0.01; done
    kill -TERM $pid 2>/dev/null || true
    code=0
    wait $pid || code=$?
    [ "$code" = 0 ] || fail "stopped with exit code $code"
    if grep -q '^stopped at step' "$work/out"; then stops=$((stops + 1)); fi
    begin=(--resume "$work/cut") threads=1
  done
  [ $stops -gt 0 ] || fail "never stopped before its end"
  "$RL_BIN/rltrain" --resume "$work/cut" --threads 2 >"$work/out" 2>"$work/err" || fail "cannot be resumed"
  # the two newest resume files stay, and the save of a stop may stand for one of them; so do the checkpoints of stops
  local file
  for file in "$work"/cut/checkpoints/*.h5 "$work"/cut/resume/*.h5; do
    if [ ! -e "$work/whole/${file#"$work/cut/"}" ]; then rm "$file"; fi
  done
}

# the panel on a terminal, drawn 80 columns wide, if there is a program that makes one
on_a_terminal() {
  local command
  if ! command -v script >/dev/null; then
    echo "$name: no program script, the panel is left out"
    return
  fi
  command=$(printf '%q ' env TERM=xterm COLUMNS=80 "$RL_BIN/rltrain" "${options[@]}" --threads 2 --out "$work/panel")
  script -qec "$command" /dev/null >"$work/out" 2>"$work/err" </dev/null || fail "exit code $? on a terminal"
  # the panel redraws itself: the cursor went up
  grep -q $'\e\\[[0-9]*[AF]' "$work/out" || fail "found no panel"
  same panel
}

check() {
  name=$1
  shift
  local options=("$@") compared=0 start=$SECONDS threads segments
  rm -rf "$work/whole"
  train whole --threads 1
  segments=("$work"/whole/resume/replay/*.h5)
  for threads in 1 2 3 7; do
    train "threads$threads" --threads "$threads"
    same "threads$threads"
  done
  train json --threads 2 --json
  [ -z "$(head -n 1 "$work/out" | grep -o '"[a-z0-9_]*":' | sort | uniq -d)" ] || fail "a key twice in a row of --json"
  same json
  train log --threads 2 --set run.log_every=77
  same log
  interrupted
  same cut
  on_a_terminal
  train seed --seed 6
  differs seed
  grep -q '^program: [0-9a-f]\{16\}$' "$work/whole/version.txt" || fail "version.txt names no program"
  echo "$name: $compared runs with the bytes of the first, ${#segments[@]} segments among them; one of another seed" \
    "without; $((SECONDS - start)) s"
}

# What is not promised: the C library chooses its mathematics by the processor. Told to do without some instructions it
# gives other numbers, which version.txt shows, and in nothing else.
other_mathematics() {
  local lines
  name=mathematics
  options=(--config reacher.ini --set run.total_steps=100 --threads 1 --set ppo.n_steps=10 --set env.n_envs=3
    --set ppo.batch_size=30 --set policy.hidden=4)
  train plain
  GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX2_Usable,-FMA_Usable,-FMA4_Usable train without
  lines=$(diff "$work/plain/version.txt" "$work/without/version.txt" | grep '^[<>]' | cut -d: -f1 | tr -d '<> \n') || true
  case $lines in
    mathematicsmathematics) echo "$name: other functions of the C library, another version.txt" ;;
    '') echo "$name: this processor leaves the C library no choice" ;;
    *) fail "version.txt differs in $lines" ;;
  esac
}

# every test, script and function that the page names is there
documented() {
  local word count=0
  name=docs/determinism.md
  while read -r word; do
    case $word in
      *.c | *.sh) [ -n "$(find "$RL_SOURCE_DIR/tests" -name "$word")" ] || fail "found no $word" ;;
      *) grep -rqw --include=*.[ch] --include=*.cpp -- "$word" "$RL_SOURCE_DIR"/{rl,nets,envs,tests} || fail "found no $word" ;;
    esac
    count=$((count + 1))
  done < <(grep -oE '\b(test_\w+(\.(c|sh))?|rl_\w+)\b' "$RL_SOURCE_DIR/$name" | sort -u)
  [ $count -gt 20 ] || fail "found $count names, expected more"
  echo "$name: $count names of tests and functions, all there"
}

for task in "${tasks[@]}"; do
  check "$task PPO" --config "$task.ini" "${ppo[@]}"
  check "$task SAC" --config "${task}_sac.ini" "${sac[@]}"
done
other_mathematics
documented
