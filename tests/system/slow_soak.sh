#!/usr/bin/env bash
# Long runs keep their memory and their file handles: eight tasks, PPO and SAC each, one after the other.
#
#   RL_BIN=build/bin bash tests/system/slow_soak.sh [SECONDS [TASK...]]     (5 seconds for each task and algorithm)
#
# Training runs with many saves and evaluations. Behind each save, when the next row of metrics.csv tells that it is
# over, the process is held for a moment and looked at. Warm is the second save, with SAC the second after its replay
# buffer is full: until then the ring's pages are touched for the first time, segments begin to retire, and the blocks
# that a save is composed in reach their sizes. (Saves come every 128 vector steps, of which a segment of the replay
# buffer has 1024, so what lies before and behind the whole segments has had each of its lengths by then. Every 125
# steps it would take a thousand saves.) From there to the end, however far that is, the memory that is the process's
# own (anonymous: heap, stacks, the run's arena) may not grow by more than 256 kB, and the number of open files not at
# all. The 256 kB are MuJoCo's: each thread's simulation has an arena for contacts, taken whole when it is made, whose
# pages are touched when a step first has so many of them. All memory (RSS) is printed beside it; it has file pages in
# it too, of programs and libraries, which the kernel takes and gives as it likes.
set -euo pipefail
shopt -s nullglob
seconds=${1:-5}
shift $(($# > 0))
tasks=("${@:-}")
[ -n "${tasks[0]}" ] || tasks=(half_cheetah hopper humanoid inverted_double_pendulum pusher reacher swimmer walker2d)
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT
run=$work/run
buffer=10000
common=(--threads 2 --seed 1 --set run.total_steps=1e12 --set run.checkpoint_every=1024 --set run.eval_every=4096
  --set run.eval_episodes=1 --set env.n_envs=8 --set env.max_episode_steps=200)
ppo=(--set ppo.n_steps=64 --set ppo.batch_size=128 --set ppo.n_epochs=2)
sac=(--set sac.buffer_size=$buffer --set sac.learning_starts=1000 --set sac.train_freq=64)

fail() {
  echo "$task $algorithm: $*"
  for log in out err; do tail -n 2 "$work/$log" | cut -c 1-200 | sed "s/^/  $log: /"; done
  exit 1
}

newest() {
  local files=("$run"/resume/[0-9]*.h5)
  if [ ${#files[@]} -gt 0 ]; then echo "${files[-1]}"; fi
}

rows() { wc -l <"$run/metrics.csv"; }

# waits for the next save and the row behind it
wait_for_save() {
  local before=$1 row
  until [ "$(newest)" != "$before" ]; do
    kill -0 "$pid" 2>/dev/null || fail "has ended by itself"
    sleep 0.02
  done
  row=$(rows)
  until [ "$(rows)" -gt "$row" ]; do
    kill -0 "$pid" 2>/dev/null || fail "has ended by itself"
    sleep 0.02
  done
}

# one look at the process: kB of memory, kB of it anonymous, open files
look() {
  kill -STOP "$pid"
  local files=(/proc/"$pid"/fd/*)
  fds+=(${#files[@]})
  rss+=("$(awk '/^Rss:/ {print $2}' /proc/"$pid"/smaps_rollup)")
  anonymous+=("$(awk '/^Anonymous:/ {a = $2} /^Swap:/ {s = $2} END {print a + s}' /proc/"$pid"/smaps_rollup)")
  kill -CONT "$pid"
}

# of three looks, as one may have met a save
least() { printf '%s\n' "$@" | sort -n | head -n 1; }

# soak TASK ALGORITHM CONFIG OPTIONS...
soak() {
  task=$1 algorithm=$2
  local config=$3 start=$SECONDS file= step=0 code=0 files
  local rss=() anonymous=() fds=()
  shift 3
  rm -rf "$run"
  "$RL_BIN/rltrain" --config "$config" "${common[@]}" "$@" --out "$run" >"$work/out" 2>"$work/err" &
  pid=$!
  until [ -e "$run/metrics.csv" ]; do kill -0 "$pid" 2>/dev/null || fail "did not begin"; done
  while [ $((SECONDS - start)) -lt "$seconds" ] || [ ${#fds[@]} -lt 6 ]; do
    wait_for_save "$file"
    file=$(newest)
    step=$((10#$(basename "$file" .h5)))
    if [ "$algorithm" = sac ] && [ "$step" -lt $((2 * buffer)) ]; then continue; fi
    look
    # what nobody goes back to needs no disk
    files=("$run"/checkpoints/0*.h5)
    rm -f "${files[@]:0:${#files[@]}-1}"
  done
  kill -TERM "$pid"
  wait "$pid" || code=$?
  pid=
  [ "$code" = 0 ] && [ ! -s "$work/err" ] || fail "exit code $code"
  local n=${#fds[@]}
  printf '| %s | %s | %d:%02d | %d | %d | %d | %d | %d | %d | %d | %d |\n' "$task" "$algorithm" \
    $(((SECONDS - start) / 60)) $(((SECONDS - start) % 60)) "$step" "$n" \
    "$(least "${anonymous[@]:1:3}")" "$(least "${anonymous[@]: -3}")" "$(least "${rss[@]:1:3}")" \
    "$(least "${rss[@]: -3}")" "$(least "${fds[@]:1:3}")" "$(least "${fds[@]: -3}")"
  [ $(($(least "${anonymous[@]: -3}") - $(least "${anonymous[@]:1:3}"))) -le 256 ] || fail "memory grows: ${anonymous[*]}"
  [ "$(least "${fds[@]: -3}")" = "$(least "${fds[@]:1:3}")" ] || fail "open files grow: ${fds[*]}"
}

echo "| task | algorithm | time | steps | saves | memory when warm, kB | at the end | RSS when warm | at the end | open files when warm | at the end |"
echo "|---|---|---|---|---|---|---|---|---|---|---|"
for task in "${tasks[@]}"; do
  soak "$task" ppo "$task.ini" "${ppo[@]}"
  soak "$task" sac "${task}_sac.ini" "${sac[@]}"
done
