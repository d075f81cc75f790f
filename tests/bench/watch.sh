#!/usr/bin/env bash
# What `rltrain --view` costs: training speed without it, with it unwatched, and with somebody watching, in turns.
#
#   RL_BIN=build/bin bash tests/bench/watch.sh [ROUNDS [SECONDS]]      (7 rounds of runs of about 10 seconds)
#
# Prints the medians over the rounds of steps a second, of the ratio to the run alone of the same round, of the share
# of the machine's processor time that the view's threads took, and of the pictures a second that the watcher got. The
# share does not depend on what else the machine does; the ratio does.
set -euo pipefail
# shellcheck source=tests/system/view_client.sh
. "$(dirname "$0")/../system/view_client.sh"
rounds=${1:-7}
seconds=${2:-10}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

median() { sort -g | awk '{ x[NR] = $1 } END { print NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2 }'; }

# steps a second of the run in $work/run, its first second left out
speed() {
  awk -F, 'NR == 1 { next } $2 < 1 { step = $1; t = $2; next } { s = $1 - step; d = $2 - t } END { print s / d }' \
    "$work/run/metrics.csv"
}

# share PID: of the processors' time since $since that its threads of the lowest priority took
share() {
  local ticks
  ticks=$(cat /proc/"$1"/task/*/stat | sed 's/.*) //' | awk '$17 == 19 { t += $12 + $13 } END { print t + 0 }')
  awk -v t="$ticks" -v hz="$(getconf CLK_TCK)" -v n="$(nproc)" -v s="$since" -v now="$EPOCHREALTIME" \
    'BEGIN { print t / hz / n / (now - s) }'
}

# one NAME HOW: trains and adds a line "HOW SPEED SHARE PICTURES" to $work/NAME
one() {
  local name=$1 how=$2 pid url seen=0 view=() sac=() since=$EPOCHREALTIME taken
  if [ "$how" != alone ]; then view=(--view); fi
  # SAC learns from the start, and says more often how far it is
  if [[ $name == *_sac ]]; then sac=(--set sac.learning_starts=50 --set run.log_every=10); fi
  rm -rf "$work/run"
  : >"$work/out"
  "$RL_BIN/rltrain" --config "$name.ini" --seed 1 --set run.total_steps=100000000 --set run.checkpoint_every=0 \
    --out "$work/run" "${sac[@]}" "${view[@]}" >"$work/out" &
  pid=$!
  if [ "$how" = watched ]; then
    url=$(wait_for_url "$work/out")
    look_at "$url" "$seconds" "$work/stream"
    seen=$(pictures "$work/stream")
  else
    sleep "$seconds"
  fi
  taken=$(share "$pid")
  kill -INT "$pid"
  wait "$pid"
  echo "$how $(speed) $taken $seen" >>"$work/$name"
}

for name in humanoid half_cheetah half_cheetah_sac; do
  for ((r = 0; r < rounds; r++)); do
    for how in alone unwatched watched; do one "$name" "$how"; done
  done
  for how in alone unwatched watched; do
    grep "^$how " "$work/$name" | cut -d ' ' -f 2 >"$work/$how"
    paste "$work/$how" "$work/alone" | awk '{ print $1 / $2 }' >"$work/ratio"
    taken=$(grep "^$how " "$work/$name" | cut -d ' ' -f 3 | median)
    pictures=$(grep "^$how " "$work/$name" | awk -v s="$seconds" '{ print $4 / s }' | median)
    printf '%-18s %-10s %8.0f steps/s  %.3f of alone (%.3f to %.3f)  %.1f%% of the processors  %.1f pictures/s\n' \
      "$name" "$how" "$(median <"$work/$how")" "$(median <"$work/ratio")" "$(sort -g "$work/ratio" | head -n 1)" \
      "$(sort -g "$work/ratio" | tail -n 1)" "$(awk -v t="$taken" 'BEGIN { print 100 * t }')" "$pictures"
  done
done
