#!/usr/bin/env bash
# What the programs say and leave behind when all is well.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "$*"
  exit 1
}

# trained NAME ALGORITHM CONFIG OPTIONS...: the folder and the figures of a short run
trained() {
  local name=$1 algorithm=$2 config=$3 dir=$work/$1
  shift 3
  "$RL_BIN/rltrain" --config "$config" --threads 3 --out "$dir" --set run.total_steps=1024 \
    --set run.checkpoint_every=256 "$@" >"$work/out"
  grep -q '^threads = 3$' "$dir/config.ini" || fail "$name: --threads 3 is not in config.ini"
  local count
  count=$(find "$dir/checkpoints" -name '*.h5' | wc -l)
  [ "$count" = 4 ] || fail "$name: $count checkpoints, expected 4 of 256 steps each"
  "$RL_BIN/rleval" "$dir" --episodes 2 --seed 1 >"$work/eval"
  grep -q "^InvertedPendulum-v5  *$algorithm after 1024 steps$" "$work/eval" || fail "$name: $(head -n 1 "$work/eval")"
  # collecting and learning both took time, and no more than there was
  awk -F, -v name="$name" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /^(collect|learn)_share$/) share[i] = $i; next }
    { for (i in share) if (!($i > 0.01 && $i < 0.99)) { print name ": " share[i] " " $i; bad = 1 } rows++ }
    END { exit !(rows > 0 && !bad) }' "$dir/metrics.csv" || fail "$name: metrics.csv"
}

trained ppo ppo inverted_pendulum.ini --set env.n_envs=4 --set ppo.n_steps=32
trained sac sac inverted_pendulum_sac.ini --set sac.learning_starts=100 --set policy.hidden=16,16 \
  --set run.log_every=512

# where it all goes is said at the start, and such a folder is something to start from
short="--config inverted_pendulum.ini --threads 1 --set run.total_steps=2000"
# shellcheck disable=SC2086 # words
"$RL_BIN/rltrain" $short --set env.n_envs=4 --set ppo.n_steps=32 --init-from "$work/ppo" --out "$work/from" >"$work/out"
[ "$(head -n 1 "$work/out")" = "run folder: $work/from" ] || fail "first line: $(head -n 1 "$work/out")"
cmp "$work/ppo/latest.h5" "$work/from/init.h5"

# descriptors that the caller closed are none for a run's files to get
# shellcheck disable=SC2086
"$RL_BIN/rltrain" $short --out "$work/closed" <&- >&- 2>&-
awk -F, 'NR > 1 && $1 !~ /^[0-9]+$/ { exit 1 } END { exit NR < 2 }' "$work/closed/metrics.csv" ||
  fail "closed descriptors: $(cat "$work/closed/metrics.csv")"

# hung_up SIGNALS OPTIONS...: a run whose terminal goes away once it has a row
hung_up() {
  local signals=$1 dir=$work/$1 pid
  shift
  env "$signals=HUP" "$RL_BIN/rltrain" --config inverted_pendulum.ini --threads 1 --out "$dir" "$@" >"$work/out" &
  pid=$!
  until [ "$(wc -l 2>/dev/null <"$dir/metrics.csv" || echo 0)" -gt 1 ]; do sleep 0.05; done
  kill -HUP "$pid"
  wait "$pid" || fail "$signals: exit $?"
  step=$(find "$dir/resume" -name '*.h5' -printf '%f\n' | sort | tail -n 1)
  step=$((10#${step%.h5}))
}
hung_up --default-signal --set run.total_steps=100000000
[ "$step" -gt 0 ] && [ "$step" -lt 100000000 ] || fail "hung up: saved at step $step"
hung_up --ignore-signal --set run.total_steps=40000
[ "$step" = 40000 ] || fail "hung up under nohup: saved at step $step"

# a finished run: one line, whatever may be given with --resume, and nothing changed
sha256sum "$work/from/config.ini" >"$work/sum"
"$RL_BIN/rltrain" --resume "$work/from" --threads 2 --set run.total_steps=2000 >"$work/out"
[ "$(cat "$work/out")" = "$work/from: finished at step 2000, nothing to do" ] || fail "finished: $(cat "$work/out")"
sha256sum --quiet -c "$work/sum" || fail "finished: config.ini changed"

# runs that are begun within a second and name no folder get one each
mkdir "$work/here"
for _ in 1 2 3; do
  # shellcheck disable=SC2086
  (cd "$work/here" && "$RL_BIN/rltrain" $short --set run.total_steps=40 --set env.n_envs=4 --set ppo.n_steps=32 \
    --set ppo.batch_size=40 --set normalize.warmup_steps=0 >/dev/null)
done
[ "$(find "$work/here/runs" -mindepth 1 -maxdepth 1 | wc -l)" = 3 ] || fail "runs without a name: $(ls "$work/here/runs")"

# rlenv trace wants a task, what to play and where to write
for arguments in "" "--task InvertedPendulum-v5" "--task InvertedPendulum-v5 --in $work/in.h5"; do
  code=0
  # shellcheck disable=SC2086 # words
  "$RL_BIN/rlenv" trace $arguments >"$work/out" 2>"$work/err" || code=$?
  [ "$code" = 2 ] && [ "$(wc -l <"$work/err")" = 1 ] || fail "rlenv trace $arguments: exit $code, $(cat "$work/err")"
done
echo "the programs say what they do"
