#!/usr/bin/env bash
# The table of `make bench`: what is reached beside this machine's ceilings and beside other trainers.
#
#   RL_BIN=build/bin bash tests/bench/table.sh [ROUNDS]      (3)
#
# PEERS is a Python with stable_baselines3, sbx, envpool and rltools, PEERS2 one with sample_factory; peers/README.md
# says how to get them, and without them only the ceilings are beside ours. All sides of a row are measured in turn,
# round by round, with as many threads (THREADS, 2), and each side's best counts. LOG (bench.jsonl beside the folder
# RL_BIN) keeps all that was measured, one object of JSON a line. QUICK=1: tiny rounds, which show that it all works and
# no more. PARTS: some of "ppo sac sac_small env infer growth memory".
set -euo pipefail
rounds=${1:-3}
threads=${THREADS:-2}
peers=$(cd "$(dirname "$0")" && pwd)/peers
log=${LOG:-$RL_BIN/../bench.jsonl}
all="ppo sac sac_small env infer growth memory"
parts=${PARTS:-$all}
for part in $parts; do
  [[ " $all " == *" $part "* ]] && continue
  echo "table: PARTS: found \"$part\", expected some of $all" >&2
  exit 2
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
: >"$log"

# steps of a round, by what is measured, and what a peer is given instead of its own default
declare -A steps=([ppo]=20000 [ppo_slow]=4096 [sac]=200 [sac_small]=5000 [env]=4000 [infer]=20000 [scale]=10000)
declare -A given=()
if [ -n "${QUICK:-}" ]; then
  steps=([ppo]=2048 [ppo_slow]=2048 [sac]=20 [sac_small]=100 [env]=100 [infer]=1000 [scale]=2048)
  given=([sb3_ppo]=1 [sbx_ppo]=1 [sample_factory_ppo]=1 [rltools_ppo]=1 [envpool_env]=0.1 [sb3_sac]=20 [sbx_sac]=20
    [rltools_sac]=200)
fi

# ---------------------------------------------------------------- measuring

declare -A best
line=

# figure NAME VALUE: nothing passes for a number but a number
figure() {
  [[ $2 =~ ^[0-9.]+(e[-+][0-9]+)?$ ]] && return
  echo "table: no figure for $1 in: $line" >&2
  exit 1
}

# keep KEY VALUE: the largest of a row's rounds
keep() {
  figure "$1" "$2"
  best[$1]=$(awk -v a="${best[$1]:-0}" -v b="$2" 'BEGIN { print (b + 0 > a + 0 ? b : a) }')
}

# field NAME STATISTIC: of the last line of rlbench
field() { sed -n "s|.*\"$1\": {[^}]*\"$2\": \([-0-9.e+]*\).*|\1|p" <<<"$line"; }

ours() {
  line=$("$RL_BIN/rlbench" "$@" --threads "$threads" --json)
  echo "$line" >>"$log"
}

# peer SCRIPT [TASK]: one measurement of it; one that fails is said to and left out
peer() {
  local python=${PEERS:-}
  case $1 in sample_factory*) python=${PEERS2:-} ;; esac
  [ -n "$python" ] || return 0
  if ! line=$("$python" "$peers/$1.py" ${2:+"$2"} "$threads" ${given[$1]:+"${given[$1]}"} 2>"$scratch/err"); then
    echo "$1 failed: $(tail -n 1 "$scratch/err")" >&2
    return 0
  fi
  echo "$line" >>"$log"
  keep "$1" "$(sed -n 's|.*"rate": \([0-9.e+]*\).*|\1|p' <<<"$line")"
}

# train BENCH CONFIG STEPS [PEER]...: rounds of ours and of the peers, each a script and a task
train() {
  local what=$1 config=$2 count=$3 r other
  shift 3
  best=()
  for ((r = 0; r < rounds; r++)); do
    ours "$what" --config "bench/$config.ini" --steps "$count" --rounds 1
    keep ours "$(field "$what" max)"
    case $what in
      ppo) keep ceiling "$(field 'mj_step ceiling' max)" ;;
      sac)
        keep updates "$(field 'in updates' max)"
        keep products "$(field 'large products' max)"
        ;;
    esac
    # shellcheck disable=SC2086 # two words
    for other in "$@"; do peer ${other/:/ }; done
  done
}

# peak COMMAND...: the most memory it had, in KiB
peak() {
  local pid most=0 now
  "$@" >"$scratch/out" 2>&1 &
  pid=$!
  while now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do
    most=$now
    sleep 0.02
  done
  if ! wait "$pid"; then
    echo "table: $* failed: $(tail -n 1 "$scratch/out")" >&2
    return 1
  fi
  echo "$most"
}

# ---------------------------------------------------------------- rows

cells() { printf '%-40s %12s  %-26s %7s  %-9s %s\n' "$@"; }

number() { awk -v v="$1" 'BEGIN { printf (v < 1000 ? "%.3g" : "%.0f"), v }'; }

# at_least WORK OURS OTHER NAME ASKED: our rate over another's
at_least() {
  local ratio
  if [ -z "${3#0}" ]; then
    cells "$1" "$(number "$2")" "$4: not measured" - ">= $5" -
    return
  fi
  ratio=$(awk -v a="$2" -v b="$3" 'BEGIN { print a / b }')
  cells "$1" "$(number "$2")" "$4 $(number "$3")" "$(printf %.2f "$ratio")" ">= $5" \
    "$(awk -v r="$ratio" -v asked="$5" 'BEGIN { print (r >= asked ? "met" : "not met") }')"
}

# at_most WORK OURS ASKED UNIT: a figure that is to be small
at_most() {
  figure "$1" "$2"
  cells "$1" "$(number "$2") $4" - - "<= $3 $4" \
    "$(awk -v a="$2" -v asked="$3" 'BEGIN { print (a <= asked ? "met" : "not met") }')"
}

# beside WORK SCRIPT NAME ASKED: at_least, where that peer was to be measured
beside() {
  case $2 in sample_factory*) [ -n "${PEERS2:-}" ] || return 0 ;; *) [ -n "${PEERS:-}" ] || return 0 ;; esac
  at_least "$1" "${best[ours]}" "${best[$2]:-}" "$3" "$4"
}

ppo_rows() {
  local work
  work='PPO HalfCheetah-v5, steps/s'
  train ppo ppo_half_cheetah "${steps[ppo]}" sb3_ppo:HalfCheetah-v5 sbx_ppo:HalfCheetah-v5
  at_least "$work" "${best[ours]}" "${best[ceiling]}" mj_step 0.80
  beside "$work" sb3_ppo SB3 25
  beside "$work" sbx_ppo SBX 11
  work='PPO Humanoid-v5, steps/s'
  train ppo ppo_humanoid "${steps[ppo_slow]}" sb3_ppo:Humanoid-v5 sbx_ppo:Humanoid-v5
  at_least "$work" "${best[ours]}" "${best[ceiling]}" mj_step 0.93
  beside "$work" sb3_ppo SB3 5
  beside "$work" sbx_ppo SBX 4
  if [ -n "${PEERS2:-}" ]; then
    train ppo ppo_humanoid_sf "${steps[ppo_slow]}" sample_factory_ppo:mujoco_humanoid
    beside 'PPO Humanoid, its recipe, steps/s' sample_factory_ppo 'Sample Factory' 2.7
  fi
  if [ -n "${PEERS:-}" ]; then
    train ppo ppo_ant_rltools "${steps[ppo_slow]}" rltools_ppo
    beside 'PPO Ant, its recipe, steps/s' rltools_ppo RLtools 1.8
  fi
}

sac_rows() {
  sac_row HalfCheetah-v5 sac_half_cheetah 6
  sac_row Humanoid-v5 sac_humanoid 5
}

sac_small_rows() {
  [ -n "${PEERS:-}" ] || return 0
  train sac sac_pendulum "${steps[sac_small]}" rltools_sac
  beside 'SAC Pendulum-sized, updates/s' rltools_sac RLtools 1.5
}

# sac_row TASK CONFIG ASKED: of SB3; the rest is asked of both tasks
sac_row() {
  train sac "$2" "${steps[sac]}" "sb3_sac:$1" "sbx_sac:$1"
  at_least "SAC $1, GFLOP/s in updates" "${best[updates]}" "${best[products]}" 'large products' 0.75
  beside "SAC $1, updates/s" sb3_sac SB3 "$3"
  beside "SAC $1, updates/s" sbx_sac SBX 3
}

# each task at EnvPool's level or at 97 % of the ceiling, whichever is lower
env_rows() {
  local tasks task r rate name
  tasks=$("$RL_BIN/rlenv" list | sed -n 's/^\([A-Za-z0-9]*-v5\).*/\1/p')
  best=()
  for ((r = 0; r < rounds; r++)); do
    ours env --steps "${steps[env]}" --rounds 1
    for task in $tasks; do
      rate=$(field "$task" max)
      keep "$task" "$rate"
      keep "$task ceiling" "$(awk -v a="$rate" -v b="$(field "$task/ceiling" max)" 'BEGIN { print 0.97 * a / b }')"
    done
    for task in $tasks; do
      best[envpool_env]=0
      peer envpool_env "$task"
      if [ -n "${PEERS:-}" ]; then keep "$task envpool" "${best[envpool_env]}"; fi
    done
  done
  for task in $tasks; do
    rate=${best[$task ceiling]} name='0.97 mj_step'
    if awk -v a="${best[$task envpool]:-0}" -v b="$rate" 'BEGIN { exit !(a > 0 && a < b) }'; then
      rate=${best[$task envpool]} name=EnvPool
    fi
    at_least "env $task, steps/s" "${best[$task]}" "$rate" "$name" 1
  done
}

infer_rows() {
  ours infer --steps "${steps[infer]}" --rounds "$rounds"
  at_most 'one policy step, Humanoid-v5, median' "$(field median min)" 25 us
  at_most 'one policy step, Humanoid-v5, p99.9' "$(field p99.9 min)" 100 us
}

# how far the best rates of each range lie apart
growth_rows() {
  local range spread
  ours scale --steps "${steps[scale]}" --rounds "$rounds"
  for range in environments threads width batch; do
    spread=$(grep -o "\"$range [0-9]*\": {[^}]*}" <<<"$line" | sed 's/.*"max": \([-0-9.e+]*\).*/\1/' |
      awk 'NR == 1 || $1 < least { least = $1 } $1 > most { most = $1 } END { print most / least }')
    at_most "growth of $range, rates within" "$spread" 2 x
  done
}

# linear NAME: how far the pairs of a size and a peak on stdin are off the straight line through them, in percent of
# the largest peak
linear() {
  local pairs off
  pairs=$(cat)
  off=$(awk '{ x[NR] = $1; y[NR] = $2; sx += $1; sy += $2; sxx += $1 * $1; sxy += $1 * $2; if ($2 > top) top = $2 }
    END {
      slope = (NR * sxy - sx * sy) / (NR * sxx - sx * sx); base = (sy - slope * sx) / NR
      for (i = 1; i <= NR; i++) { d = base + slope * x[i] - y[i]; d = d < 0 ? -d : d; if (d > most) most = d }
      print 100 * most / top
    }' <<<"$pairs")
  at_most "memory by $1, off a line by" "$off" 5 %
  awk -v what="$1" '{ s = s sprintf("  %d: %.1f", $1, $2 / 1024) } END { print "  MiB by " what s }' <<<"$pairs"
}

memory_rows() {
  local n kib
  for n in 1 4 16 64 256 1024; do
    kib=$(peak "$RL_BIN/rltrain" --config bench/ppo_half_cheetah.ini --threads "$threads" --out "$scratch/$n" \
      --set env.n_envs="$n" --set ppo.n_steps=64 --set ppo.n_epochs=1 --set run.total_steps=$((64 * n)))
    echo "$n $kib"
  done | linear environments
  # filled to the end, without an update, by whole segments of the replay file: the rest of one takes memory to save
  for n in 8192 16384 32768; do
    kib=$(peak "$RL_BIN/rltrain" --config bench/sac_humanoid.ini --threads "$threads" --out "$scratch/$n" \
      --set env.n_envs=4 --set sac.buffer_size="$n" --set sac.learning_starts="$n" --set run.total_steps="$n")
    echo "$n $kib"
  done | linear 'buffer size'
}

cells work ours beside ratio asked ''
for part in $parts; do "${part}_rows"; done
if [ -z "${PEERS:-}" ] || [ -z "${PEERS2:-}" ]; then
  echo "Rows of other trainers need PEERS=PYTHON and PEERS2=PYTHON: tests/bench/peers/README.md says how to get them."
fi
