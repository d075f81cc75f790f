#!/usr/bin/env bash
# rlview --video and --image: codec, frame count and duration as ffprobe finds them, what is refused and how, and that
# a file is whole or not there. Passes with a word where this build or this machine has no part that it needs.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
view=$RL_BIN/rlview
run=$work/run
fails=0

without() {
  echo "not tested here: $*"
  exit 0
}

fail() {
  echo "FAILED: $*"
  sed 's/^/  err: /' "$work/err"
  fails=$((fails + 1))
}

# expect CODE TEXT OPTIONS...: one line on stderr that holds TEXT, nothing on stdout, and no file left
search=$PATH # for programs, by rlview
expect() {
  local want=$1 text=$2 code=0
  shift 2
  timeout 120 env PATH="$search" "$view" "$@" >"$work/out" 2>"$work/err" || code=$?
  if [ "$code" != "$want" ]; then fail "exit $code, expected $want: rlview $*"; fi
  if [ "$(wc -l <"$work/err")" != 1 ] || [ -s "$work/out" ]; then fail "not one line: rlview $*"; fi
  grep -qF -- "$text" "$work/err" || fail "no \"$text\": rlview $*"
  clean
}

# nothing half-made anywhere
clean() {
  local left
  left=$(find "$work" -name '.tmp-*')
  if [ -n "$left" ]; then fail "left behind: $left"; fi
}

make() {
  timeout 300 "$view" "$@" >"$work/out" 2>"$work/err" || fail "exit $?: rlview $*"
  if [ -s "$work/err" ]; then fail "a complaint: rlview $*"; fi
  clean
}

# probe FILE FIELD: of its one video stream
probe() {
  ffprobe -v error -count_frames -select_streams v:0 -show_entries "stream=$2" -of csv=p=0 "$1"
}

# check FILE FIELD VALUE
check() {
  local found
  found=$(probe "$1" "$2")
  if [ "$found" != "$3" ]; then fail "$1: $2: found $found, expected $3"; fi
}

# episodes of 40 steps of 0.05 s: two seconds each
"$RL_BIN/rltrain" --config half_cheetah.ini --seed 3 --set run.total_steps=1000 --set env.max_episode_steps=40 \
  --out "$run" >"$work/out" 2>"$work/err" || { cat "$work/err"; exit 1; }

"$view" "$run" --image "$work/first.jpg" >"$work/out" 2>"$work/err" || {
  grep -q "this build has no" "$work/err" && without "this build has no view"
  grep -q "EGL error" "$work/err" && without "no EGL"
  cat "$work/err"
  exit 1
}
[ "$(head -c 3 "$work/first.jpg" | od -An -tx1 | tr -d ' ')" = ffd8ff ] || fail "no JPEG"
command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null || without "no ffmpeg"

# ---- what is made: floor(duration x fps) + 1 frames
make "$run" --video "$work/a.mp4" --size 320x240 --episodes 2
grep -q "121 frames, 30 a second" "$work/out" || fail "said: $(cat "$work/out")"
check "$work/a.mp4" codec_name h264
check "$work/a.mp4" pix_fmt yuv420p
check "$work/a.mp4" width,height 320,240
check "$work/a.mp4" nb_read_frames 121
check "$work/a.mp4" r_frame_rate 30/1
check "$work/a.mp4" duration 4.033333
# the index comes before the pictures
at() { LC_ALL=C grep -obUa -m1 "$1" "$work/a.mp4" | head -n 1 | cut -d : -f 1; }
[ "$(at moov)" -lt "$(at mdat)" ] || fail "the index is at the end"

make "$run" --video "$work/b.mp4" --size 128x96 --plain --episodes 3 --seconds 2.5 --fps 24
check "$work/b.mp4" nb_read_frames 61
make "$run/checkpoints/"*1000.h5 --video "$work/c.gif" --size 128x96 --plain --camera view --seconds 1
check "$work/c.gif" codec_name gif
check "$work/c.gif" nb_read_frames 26
make "$run" --video "$work/d.webp" --size 128x96 --plain --seconds 1
[ "$(LC_ALL=C grep -oUa ANMF "$work/d.webp" | wc -l)" = 26 ] || fail "d.webp: not 26 frames"
make "$run" --image "$work/e.png" --size 128x96 --at 0.7
check "$work/e.png" codec_name png
# a name that means something to a shell, to ffmpeg or to neither
odd="$work/-a %03d 'b' \$(x):é.mp4"
make "$run" --video "$odd" --size 64x64 --plain --seconds 0.1
[ -s "$odd" ] || fail "no file of an odd name"

# the first pose alone
make "$run" --video "$work/f.mp4" --size 64x64 --plain --seconds 0
check "$work/f.mp4" nb_read_frames 1

# ---- what is refused
cp "$work/a.mp4" "$work/keep.mp4"
expect 2 "a.mp4: found a file" "$run" --video "$work/a.mp4"
cmp -s "$work/a.mp4" "$work/keep.mp4" || fail "a file that was there has changed"
make "$run" --video "$work/a.mp4" --force --size 64x64 --plain --seconds 0.1
check "$work/a.mp4" nb_read_frames 4
expect 1 "none/a.mp4: cannot write: No such file" "$run" --video "$work/none/a.mp4"
expect 2 '--camera: found "side", expected a camera of half_cheetah.xml' "$run" --video "$work/x.mp4" --camera side
expect 1 "nowhere: cannot read" "$work/nowhere" --video "$work/x.mp4"
expect 2 "expected a name in .mp4" "$run" --video "$work/x.avi"
expect 2 "expected a name in .png" "$run" --image "$work/x.mp4"
expect 2 "--size: found \"641x480\"" "$run" --video "$work/x.mp4" --size 641x480
expect 2 "--at: found with --video" "$run" --video "$work/x.mp4" --at 1
expect 2 "--fps" "$run" --video "$work/x.mp4" --fps 0
expect 2 "--fps: found 51" "$run" --video "$work/x.gif" --fps 51
expect 2 "--fps: found 60" "$run" --video "$work/x.webp" --fps 60
# a link is in the way even if it leads nowhere
ln -s "$work/nowhere.mp4" "$work/link.mp4"
expect 2 "link.mp4: found no plain file" "$run" --video "$work/link.mp4" --seconds 0
expect 2 "link.mp4: found no plain file" "$run" --video "$work/link.mp4" --seconds 0 --force
mkfifo "$work/pipe.jpg"
expect 2 "pipe.jpg: found no plain file" "$run" --image "$work/pipe.jpg" --force
expect 2 "found 0 paths" --video "$work/x.mp4"
expect 2 "found 2 paths" "$run" "$run" --video "$work/x.mp4"
# nobody to tell
for do in "--image $work/y.jpg --size 64x64 --plain" ""; do
  code=0
  # shellcheck disable=SC2086
  timeout 60 "$view" "$run" $do >/dev/full 2>"$work/err" || code=$?
  [ "$code" = 1 ] && grep -q '^stdout: cannot write' "$work/err" || fail "exit $code with no room on stdout: $do"
done
# ffmpeg absent, failing at once, and failing later
mkdir "$work/bin"
search=$work/bin
expect 1 "ffmpeg: found No such file" "$run" --video "$work/x.mp4"
search=$work/bin:$PATH
printf '#!/bin/sh\necho "cannot do it" >&2\nexit 3\n' >"$work/bin/ffmpeg"
chmod +x "$work/bin/ffmpeg"
expect 1 "ffmpeg: found 'cannot do it'" "$run" --video "$work/x.mp4"
printf '#!/bin/sh\nhead -c 50000 >/dev/null\nkill -9 $$\n' >"$work/bin/ffmpeg"
expect 1 "an end by signal 9" "$run" --video "$work/x.mp4"
# no room for the file
printf '#!/bin/bash\ntrap "" XFSZ\nulimit -f 4\nexec %s "$@"\n' "$(command -v ffmpeg)" >"$work/bin/ffmpeg"
chmod +x "$work/bin/ffmpeg"
for kind in mp4 gif webp; do
  expect 1 "File too large" "$run" --video "$work/x.$kind" --seconds 2 --size 128x96 --plain
  if [ -e "$work/x.$kind" ]; then fail "a file cut short: x.$kind"; fi
done
if [ -e "$work/x.mp4" ]; then fail "a file after a failure"; fi
# stopped by a signal: a failure, and nothing left
# stop_it OPTIONS...: SIGTERM after two seconds, and it ends
stop_it() {
  local code=0
  timeout -k 15 2 env PATH="$search" "$view" "$@" >"$work/out" 2>"$work/err" || code=$?
  if [ "$code" != 124 ]; then fail "exit $code when stopped: rlview $*"; fi
  grep -q "a signal to stop" "$work/err" || fail "not a word when stopped: rlview $*"
  if [ -e "$work/x.mp4" ] || [ -e "$work/x.jpg" ]; then fail "a file when stopped: rlview $*"; fi
  clean
}
search=$PATH
stop_it "$run" --video "$work/x.mp4" --episodes 100000
stop_it "$run" --image "$work/x.jpg" --at 1000000 --size 64x64 --plain
code=0
timeout -k 15 2 "$view" "$run" --measure --size 1920x1080 >"$work/out" 2>"$work/err" || code=$?
if [ "$code" = 137 ]; then fail "a measurement could not be stopped"; fi
# ffmpeg takes nothing, or takes everything and does not end
search=$work/bin:$PATH
printf '#!/bin/sh\nexec sleep 60\n' >"$work/bin/ffmpeg"
stop_it "$run" --video "$work/x.mp4"
printf '#!/bin/sh\ncat >/dev/null\nexec sleep 60\n' >"$work/bin/ffmpeg"
stop_it "$run" --video "$work/x.mp4" --seconds 0.2 --size 64x64 --plain

echo "videos: $fails failures"
[ "$fails" = 0 ]
