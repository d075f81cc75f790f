#!/usr/bin/env bash
# Whatever is wrong with what a user gives: one line on stderr that names it, the right exit code, nothing on disk
# changed or left behind.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
bad=0

# refused CODE WORDS COMMAND...: must exit with CODE and say one line holding WORDS on stderr
refused() {
  local code=$1 words=$2 found=0
  shift 2
  "$@" >"$work/out" 2>"$work/err" || found=$?
  if [ "$found" != "$code" ] || [ "$(wc -l <"$work/err")" != 1 ] || ! grep -qF -- "$words" "$work/err"; then
    echo "FAILED: $*"
    echo "  exit $found, expected $code; stderr, expected one line with '$words':"
    sed 's/^/  | /' "$work/err"
    bad=1
  fi
}

train="$RL_BIN/rltrain"
eval="$RL_BIN/rleval"
ini() { printf '%b' "$1" >"$work/x.ini"; }
quick="--set run.total_steps=2000 --threads 1"
# shellcheck disable=SC2086 # a list of words
"$train" --config reacher.ini $quick --out "$work/run" >/dev/null
# shellcheck disable=SC2086
"$train" --config inverted_pendulum.ini $quick --out "$work/other" >/dev/null

# configuration
ini ''
refused 2 "nowhere.ini: cannot open" "$train" --config nowhere.ini --out "$work/new"
ini '[ppo]\nclip_rang = 0.1\n'
refused 2 "x.ini:2: ppo.clip_rang: unknown key" "$train" --config "$work/x.ini" --out "$work/new"
ini '[pppo]\ngamma = 0.1\n'
refused 2 "x.ini:1:" "$train" --config "$work/x.ini" --out "$work/new"
ini '[ppo]\ngamma = 1.5\n'
refused 2 'x.ini:2: ppo.gamma: found "1.5", expected a number in [0, 1]' "$train" --config "$work/x.ini" --out "$work/new"
ini '[ppo\n'
refused 2 "x.ini:1:" "$train" --config "$work/x.ini" --out "$work/new"
ini '[env]\nid = Humanoide-v5\n'
refused 2 "x.ini:2: env.id: found 'Humanoide-v5', expected a task; the nearest is Humanoid-v5" \
  "$train" --config "$work/x.ini" --out "$work/new"
refused 2 "--set: env.id: found 'Foo', expected a task; the nearest is Ant-v5" \
  "$train" --config "$work/x.ini" --set env.id=Foo --out "$work/new"
ini '[env]\nid = Hopper-v5\ncontact_cost_weight = 1\n'
refused 2 "x.ini:3: env.contact_cost_weight: found a value, expected none: Hopper-v5 has no such key; the nearest is env.ctrl_cost_weight" \
  "$train" --config "$work/x.ini" --out "$work/new"
ini '[policy]\nlog_std_min = 1\n'
refused 2 'x.ini:2: policy.log_std_min: found "1", expected less than policy.log_std_max = 0.5' \
  "$train" --config "$work/x.ini" --set policy.log_std_max=0.5 --out "$work/new"
refused 2 '--set: policy.log_std_min: found "3", expected less than policy.log_std_max = 2' \
  "$train" --config "$work/x.ini" --set policy.log_std_min=3 --out "$work/new"
ini '[env]\nid = Humanoid-v5\nn_envs = 60000\n[ppo]\nn_steps = 30000\n'
refused 2 "GB" "$train" --config "$work/x.ini" --out "$work/new"
refused 2 "ppo.gamma" "$train" --config reacher.ini --set ppo.gamma=nan --out "$work/new"

# configuration of SAC
sac='[run]\nalgorithm = sac\n'
ini "$sac[sac]\nlearning_rat = 1e-3\n"
refused 2 "x.ini:4: sac.learning_rat: unknown key, expected one of the known keys, nearest is sac.learning_rate" \
  "$train" --config "$work/x.ini" --out "$work/new"
ini "$sac[policy]\ntau = 0.1\n"
refused 2 "nearest is sac.tau" "$train" --config "$work/x.ini" --out "$work/new"
ini "$sac[ppo]\ngamma = 0.9\n"
refused 2 'x.ini:4: ppo.gamma: found "0.9", expected no key that PPO alone reads, as run.algorithm is sac' \
  "$train" --config "$work/x.ini" --out "$work/new"
ini "$sac[normalize]\nwarmup_steps = 5\n"
refused 2 'x.ini:4: normalize.warmup_steps: found "5", expected no key that PPO alone reads, as run.algorithm is sac' \
  "$train" --config "$work/x.ini" --out "$work/new"
ini "$sac[normalize]\nreward = batch\n"
refused 2 'x.ini:4: normalize.reward: found "batch", expected off' "$train" --config "$work/x.ini" --out "$work/new"
refused 2 '--set: sac.tau: found "0.1", expected no key that SAC alone reads, as run.algorithm is ppo' \
  "$train" --config reacher.ini --set sac.tau=0.1 --out "$work/new"
refused 2 'half_cheetah.ini:6: ppo.learning_rate_end: found "0.67", expected no key that PPO alone reads, as run.algorithm is sac' \
  "$train" --config half_cheetah.ini --set run.algorithm=sac --out "$work/new"
refused 2 '--set: sac.n_step: found "0", expected a whole number in [1, 1000]' \
  "$train" --config reacher_sac.ini --set sac.n_step=0 --out "$work/new"
refused 2 '--set: sac.gradient_steps: found "-1", expected a whole number in [1, 1000]' \
  "$train" --config reacher_sac.ini --set sac.gradient_steps=-1 --out "$work/new"
refused 2 'reacher_sac.ini: sac.batch_size: found "256", expected at most sac.buffer_size = 100' \
  "$train" --config reacher_sac.ini --set sac.buffer_size=100 --out "$work/new"
refused 2 'sac.buffer_size: found 10000000000 transitions taking' \
  "$train" --config humanoid_sac.ini --set sac.buffer_size=1e10 --out "$work/new"

(
  ulimit -v 1000000
  refused 2 'sac.buffer_size: found 1000000 transitions taking' \
    "$train" --config humanoid_sac.ini --threads 1 --out "$work/new"
  exit $bad
) || bad=1

# command line
refused 2 "--config" "$train"
refused 2 "--bogus" "$train" --bogus
refused 2 "expected only run.total_steps" "$train" --resume "$work/run" --set ppo.gamma=0.5
refused 2 "--resume: found --seed, expected none of" "$train" --resume "$work/run" --seed 2

# folders
before=$(find "$work/run" -type f ! -name .lock -exec sha256sum {} + | sort)
refused 2 "expected a new or empty folder" "$train" --config reacher.ini --out "$work/run"
touch "$work/file"
refused 1 "$work/file" "$train" --config reacher.ini --out "$work/file/run"
refused 1 "$work/nowhere" "$train" --resume "$work/nowhere"

mkdir "$work/notes"
echo mine >"$work/notes/.tmp-mine"
refused 1 "$work/notes/config.ini: cannot read" "$train" --resume "$work/notes"
[ "$(ls -A "$work/notes")" = .tmp-mine ] || { echo "FAILED: --resume changed a folder that is no run" && bad=1; }

# checkpoints
last=$work/run/latest.h5
refused 1 "$work/nowhere.h5" "$eval" "$work/nowhere.h5"
refused 1 "$work/x.ini" "$eval" "$work/x.ini"
head -c 3000 "$last" >"$work/torn.h5"
refused 1 "torn.h5" "$eval" "$work/torn.h5"
{ cat "$last"; echo more; } >"$work/more.h5"
refused 1 "appended" "$eval" "$work/more.h5"
cp "$last" "$work/flipped.h5"
printf 'flip' | dd of="$work/flipped.h5" bs=1 seek=4000 conv=notrunc status=none
refused 1 "flipped.h5" "$eval" "$work/flipped.h5"
refused 1 'found "InvertedPendulum-v5", expected "Reacher-v5"' \
  "$train" --config reacher.ini --init-from "$work/other/latest.h5" --out "$work/new"
refused 1 "actor" \
  "$train" --config reacher.ini --set policy.hidden=32 --init-from "$last" --out "$work/new"
refused 1 "policy.activation: found tanh, expected relu" \
  "$train" --config reacher.ini --set policy.activation=relu --init-from "$last" --out "$work/new"
refused 1 "normalize.obs: found true, expected false" \
  "$train" --config reacher.ini --set normalize.obs=false --init-from "$last" --out "$work/new"
refused 2 "with minibatches of 1048576" "$train" --config reacher.ini --set env.n_envs=64 --set ppo.n_steps=16384 \
  --set ppo.batch_size=1048576 --set policy.hidden=4096,4096 --out "$work/new"
refused 2 "ppo.n_steps x env.n_envs" "$train" --config reacher.ini --set env.n_envs=65536 --set ppo.n_steps=32767 \
  --set env.max_episode_steps=1 --out "$work/new"
refused 1 "latest.h5: algorithm" "$train" --config reacher_sac.ini --init-from "$last" --out "$work/new"
refused 2 "--episodes" "$eval" "$work/run" --episodes 0
refused 2 '--out: found "", expected a value' "$train" --config reacher.ini --out ''
# what was trained cannot be untrained
refused 2 "run.total_steps: found 1000, expected at least the 2" \
  "$train" --resume "$work/run" --set run.total_steps=1000
# what was printed and did not arrive
refused 1 "stdout: cannot write: no space left on device" sh -c '"$0" "$1" --episodes 1 >/dev/full' "$eval" "$work/run"
refused 1 "stdout: cannot write: Bad file descriptor" sh -c '"$0" "$1" --episodes 1 >&-' "$eval" "$work/run"
refused 1 "stdout: cannot write: no space left on device" sh -c '"$0" --keys >/dev/full' "$train"

# a full disk: a limit on file size stands for it where nothing can be mounted
(
  ulimit -f 8
  refused 1 "$work/full" "$train" --config reacher.ini --set run.total_steps=4000 --threads 1 --out "$work/full"
  exit $bad
) || bad=1
if find "$work/full" -name '.tmp-*' | grep -q .; then
  echo "FAILED: a full disk left temporary files behind"
  bad=1
fi

[ ! -e "$work/new" ] || { echo "FAILED: a refused run left its folder behind" && bad=1; }
[ "$before" = "$(find "$work/run" -type f ! -name .lock -exec sha256sum {} + | sort)" ] || { echo "FAILED: files of a run changed" && bad=1; }
exit $bad
