#!/usr/bin/env bash
# Models come with the installation alone: no key names one. One that is broken there is one line on stderr that names
# the file, exit code 1 and nothing left behind, whatever is wrong with it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
cases=0

# programs take the models beside themselves first
mkdir -p "$work/bin" "$work/share/rltrain" "$work/here"
cp "$RL_BIN/rltrain" "$RL_BIN/rlenv" "$work/bin"
cp -r "$RL_SOURCE_DIR/envs/models" "$work/share/rltrain"
good=$RL_SOURCE_DIR/envs/models/inverted_pendulum.xml
model=$work/share/rltrain/models/inverted_pendulum.xml
cd "$work/here"

# both programs must refuse the model that is there now, with WORDS
refused() {
  local words=$1 found
  for command in "rlenv check InvertedPendulum-v5" \
    "rltrain --config inverted_pendulum.ini --threads 1 --set run.total_steps=2048 --out $work/run"; do
    found=0
    # shellcheck disable=SC2086 # a list of words
    timeout 60 "$work/bin/"$command >"$work/out" 2>"$work/err" || found=$?
    if [ "$found" != 1 ] || [ "$(wc -l <"$work/err")" != 1 ] || ! grep -qF "$model: " "$work/err" ||
      ! grep -qF -- "$words" "$work/err" || ! grep -q ", expected " "$work/err"; then
      echo "FAILED: $command, exit $found, expected 1; stderr, expected one line with '$words':"
      sed 's/^/  | /' "$work/err"
      bad=1
    fi
    if [ -e "$work/run" ] || [ -n "$(ls -A "$work/here")" ]; then
      echo "FAILED: $command left something behind for: $words"
      rm -rf "$work/run" "$work/here/"*
      bad=1
    fi
    cases=$((cases + 1))
  done
}

# the good model with the first TEXT replaced
spoil() {
  TEXT=$1 BY=$2 perl -0pe 's/\Q$ENV{TEXT}\E/$ENV{BY}/ or die "no $ENV{TEXT} in the model\n"' "$good" >"$model"
}

cmp -s "$good" "$model"
"$work/bin/rlenv" check InvertedPendulum-v5 >"$work/out"

: >"$model"
refused "empty file"
echo "not a model" >"$model"
refused "XML"
head -c 3000 /dev/urandom >"$model"
refused "XML"
head -c $(($(wc -c <"$good") / 2)) "$good" >"$model"
refused "XML parse error"
echo "<html></html>" >"$model"
refused "html"
spoil '<worldbody>' '<worldbody><spring/>'
refused "spring"
spoil '</body>' ''
refused "XML parse error"
spoil '<joint name="hinge"' '<joint name="more" type="hinge"/><joint name="hinge"'
refused "nq: found 3, expected 2"
spoil '<motor name="push"' '<motor name="more" joint="slide"/><motor name="push"'
refused "nu: found 2, expected 1"
perl -0pe 's/<actuator>.*<\/actuator>//s' "$good" >"$model"
refused "nu: found 0, expected 1"
spoil '<geom name="pole"' '<geom name="pole" mass="0"'
refused "mass and inertia"

# numbers that are none
spoil 'size=".049"' 'size="nan"'
refused "nan"
spoil 'axis="1 0 0"' 'axis="nan 0 0"'
refused "found nan"
spoil 'range="-1 1"' 'range="nan nan"'
refused "found nan"
spoil 'integrator="RK4"' 'integrator="RK4" gravity="nan 0 0"'
refused "gravity: found nan"
for timestep in nan 0 -1 1e300; do
  spoil 'timestep="0.02"' "timestep=\"$timestep\""
  refused "timestep: found"
done
spoil 'timestep="0.02"' 'timestep="1e999"'
refused "too large"

# sizes
spoil '<worldbody>' '<size memory="900P"/><worldbody>'
refused "memory"
spoil '<worldbody>' '<size memory="1"/><worldbody>'
refused "memory"
spoil '<worldbody>' '<asset><texture name="x" type="2d" builtin="flat" width="2000000000" height="2000000000"/></asset><worldbody>'
refused "too large"
spoil '<worldbody>' "<worldbody>$(printf '<body>%.0s' {1..3000})"
refused "too deep"

# files elsewhere
for file in /etc/passwd ../../../../../../etc/passwd nowhere.xml inverted_pendulum.xml; do
  spoil '<worldbody>' "<include file=\"$file\"/><worldbody>"
  refused "nclude"
done
spoil '<worldbody>' '<asset><mesh name="x" file="/etc/passwd"/></asset><worldbody>'
refused "mesh"
spoil '<worldbody>' '<extension><plugin plugin="some.one"/></extension><worldbody>'
refused "plugin"
cp "$good" "$model"
rm "$work/share/rltrain/models/scene.xml"
refused "scene.xml"

echo "$cases refusals"
exit $bad
