#!/usr/bin/env bash
# Gross losses of speed cannot land: instructions of fixed small work, which are the same on a busy machine and an idle
# one. tests/bench/instructions.txt holds what they were; RL_UPDATE=1 writes it anew.
#
# Counted by valgrind, whose processor has AVX2 and no more: the AVX-512 kernels are the same source in wider tiles.
set -euo pipefail
golden=$RL_SOURCE_DIR/tests/bench/instructions.txt
if ! command -v valgrind >/dev/null; then
  echo "skipped: no valgrind"
  exit 0
fi
if ! grep -qw avx2 /proc/cpuinfo; then
  echo "skipped: the counts are those of the AVX2 kernels"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# count NAME FUNCTION OPTIONS...: millions of instructions in that function and what it calls
count() {
  local name=$1 function=$2 counted
  shift 2
  valgrind --tool=callgrind --toggle-collect="$function" --callgrind-out-file="$work/out" \
    "$RL_BIN/rltrain" "$@" --threads 1 --seed 1 --out "$work/$name" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  counted=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$work/log")
  [ "${counted:-0}" -gt 0 ] || { cat "$work/log"; echo "$name: nothing counted"; exit 1; }
  echo "$name $((counted / 1000000))" >>"$work/counts"
}

# a task of little physics, and networks of the sizes that are measured
ppo=(--config bench/ppo_half_cheetah.ini --set env.id=InvertedPendulum-v5 --set ppo.n_steps=64 --set run.total_steps=512
  --set normalize.warmup_steps=8)
sac=(--config bench/sac_pendulum.ini --set policy.hidden=256,256 --set sac.batch_size=256 --set sac.buffer_size=1000
  --set sac.learning_starts=256 --set run.total_steps=260)
count ppo_update rl_ppo_update "${ppo[@]}"
count ppo_collect rl_collector_run "${ppo[@]}"
count sac_update rl_sac_learn "${sac[@]}"

if [ -n "${RL_UPDATE:-}" ]; then
  cp "$work/counts" "$golden"
fi
echo "millions of instructions: name, now, before"
join "$work/counts" "$golden"
# a tenth more is a loss; a tenth less is worth writing down
join "$work/counts" "$golden" | awk '
  { seen++ }
  $2 > 1.1 * $3 { print $1 ": a tenth more than before"; bad = 1 }
  $2 < 0.9 * $3 { print $1 ": a tenth less than before: RL_UPDATE=1 bash tests/system/test_instructions.sh"; bad = 1 }
  END { exit !(seen == 3 && !bad) }'
