#!/usr/bin/env bash
# rlreport on runs that were really trained: the page and the picture are whole, agree with rleval, hold nothing from
# elsewhere and nothing that a name or a title smuggled in; what is wrong is one line.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "$*"
  exit 1
}

# train NAME CONFIG SEED OPTIONS...
train() {
  local out=$work/$1 config=$2 seed=$3
  shift 3
  "$RL_BIN/rltrain" --config "$config" --seed "$seed" --threads 1 --out "$out" --set run.total_steps=2048 \
    --set run.eval_every=512 --set run.eval_episodes=2 "$@" >/dev/null
}
ppo=(--set env.n_envs=4 --set ppo.n_steps=32)
hostile='<img src=x onerror=alert(1)>&"'
train one inverted_pendulum.ini 1 "${ppo[@]}"
train two inverted_pendulum.ini 2 "${ppo[@]}"
train "$hostile" inverted_pendulum.ini 1 "${ppo[@]}" --set ppo.gamma=0.9
train sac inverted_pendulum_sac.ini 1 --set sac.learning_starts=100 --set policy.hidden=16,16 --set run.log_every=256
runs=("$work/one" "$work/two" "$work/$hostile" "$work/sac")

# a row is being written
printf '2176,1.5' >>"$work/two/metrics.csv"
printf '\0\0\0\010ftypisom' >"$work/one/clip.mp4"

"$RL_BIN/rlreport" "${runs[@]}" -o "$work/r.html" --svg "$work/r.svg" --episodes 3 --title "$hostile" >"$work/out"
grep -q "^$work/r.html: 4 runs in 3 groups, [0-9]* kB$" "$work/out" || fail "$(cat "$work/out")"
for run in one two sac; do
  mean=$("$RL_BIN/rleval" "$work/$run" --episodes 3 --json | sed 's/.*"mean": \([^,]*\),.*/\1/')
  shown=$(LC_ALL=C awk -v m="$mean" 'BEGIN { printf (m >= 1000 ? "%.0f" : m >= 100 ? "%.1f" : "%.2f"), m }')
  grep -qF "<td class=\"num\">$shown</td>" "$work/r.html" || fail "$run: rleval's mean $shown is not on the page"
done

python3 - "$work/r.html" "$work/r.svg" <<'PYTHON'
import html.parser, os, re, sys, xml.etree.ElementTree as tree

class Page(html.parser.HTMLParser):
    VOID = {"meta", "br", "img", "link", "input", "hr"}
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.seen, self.ids, self.text, self.svg = [], [], [], "", 0
    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), (tag, attributes)
        for name, value in attributes:
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "xlink:href", "srcset", "action", "data"):
                assert value.startswith("data:video/mp4;base64,"), (tag, name, value[:80])
            if name == "id":
                self.ids.append(value)
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.open.pop()
    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open[-4:], self.getpos())
        self.open.pop()
    def handle_data(self, data):
        self.text += data

text = open(sys.argv[1], encoding="utf-8").read()
page = Page()
page.feed(text)
page.close()
assert not page.open, page.open
assert len(page.ids) == len(set(page.ids)), "an id twice"
for id in re.findall(r'aria-labelledby="([^"]*)"', text):
    assert set(id.split()) <= set(page.ids), id
assert "img" not in page.seen and "link" not in page.seen and "iframe" not in page.seen
assert page.seen.count("script") == 1 and page.seen.count("video") == 1
assert "://" not in text and "@import" not in text and "url(" not in re.sub(r"url\(#c\d+\)", "", text)
assert '<img src=x onerror=alert(1)>&"' in page.text
for word in ("PPO, gamma 0.9", "SAC", "Figure 1.", "Table 1.", "KL from the old policy", "Q value",
             "evaluation return", "Where the time went", "ppo.gamma", "policy.hidden"):
    assert word in page.text, word
assert "nan" not in re.sub(r"<[^>]*>", "", text.split("<script>")[0].split("</style>")[1]).lower().split()
for svg in re.findall(r"<svg.*?</svg>", text, re.S):
    root = tree.fromstring(svg)
    for shape in root.iter():
        for number in re.findall(r"-?[\d.]+(?:e[-+]?\d+)?", shape.get("points", "")):
            assert abs(float(number)) < 1e5, number
assert os.path.getsize(sys.argv[1]) < 400_000, os.path.getsize(sys.argv[1])

root = tree.parse(sys.argv[2]).getroot()
name = "{http://www.w3.org/2000/svg}"
assert root.tag == name + "svg" and root.find(name + "title").text == '<img src=x onerror=alert(1)>&"'
assert len(root.findall(f".//{name}polyline")) >= 3
assert open(sys.argv[2]).read().count("http") == 1
PYTHON

# text: as wide as it is told, without escapes where no terminal is
LC_ALL=C COLUMNS=70 TERM=xterm "$RL_BIN/rlreport" "${runs[@]}" --terminal --episodes 0 >"$work/out"
grep -q $'\033' "$work/out" && fail "escapes in a file"
[ "$(awk '{ if (length > most) most = length } END { print most }' "$work/out")" -le 70 ] ||
  fail "wider than the terminal"
grep -q 'InvertedPendulum-v5: return' "$work/out" || fail "no curve: $(cat "$work/out")"
# a curve alone, and over time
printf 'step,episode_return_mean\n1,2\n2,3\n' >"$work/bare-1.csv"
"$RL_BIN/rlreport" "$work/bare-1.csv" --svg "$work/bare.svg" >"$work/out"
grep -q '>bare (n = 1)<' "$work/bare.svg" || fail "no title in bare.svg"
"$RL_BIN/rlreport" "$work/sac" --x time --svg "$work/time.svg" >"$work/out"
grep -q '>seconds of wall time<' "$work/time.svg" || fail "not over time"

# refused CODE TEXT OPTIONS...: one line on stderr that holds the text, nothing on stdout, nothing written
refused() {
  local code=$1 text=$2 found=0
  shift 2
  "$RL_BIN/rlreport" "$@" >"$work/out" 2>"$work/err" || found=$?
  if [ "$found" != "$code" ] || [ "$(wc -l <"$work/err")" != 1 ] || [ -s "$work/out" ] ||
    ! grep -qF -- "$text" "$work/err"; then
    fail "rlreport $*: exit $found, expected $code and \"$text\": $(cat "$work/out" "$work/err")"
  fi
  [ ! -e "$work/new.html" ] || fail "rlreport $*: wrote a page"
}
new=$work/new.html
before=$(cksum <"$work/r.html")
refused 2 "found no path" -o "$new"
refused 2 "found nowhere to write to" "$work/one"
refused 2 "r.html: found a file of that name, expected none" "$work/one" -o "$work/r.html"
refused 2 "r.svg: found a file of that name, expected none" "$work/one" -o "$new" --svg "$work/r.svg"
[ "$(cksum <"$work/r.html")" = "$before" ] || fail "r.html was written over"
# a device or a link is not replaced by a file
ln -s "$work/nowhere" "$work/link.html"
refused 2 "link.html: found no plain file" "$work/one" -o "$work/link.html"
refused 2 "link.html: found no plain file" "$work/one" -o "$work/link.html" --force
refused 2 "--svg: found" "$work/one" -o "$new" --svg "$new"
refused 2 "found seed 1 again" "$work/one" "$work/one/" -o "$new"
refused 2 "expected steps or time" "$work/one" -o "$new" --x miles
refused 2 "expected a whole number from 0" "$work/one" -o "$new" --episodes -1
refused 2 "expected one for --x time" "$work/bare-1.csv" -o "$new" --x time
refused 1 "absent: cannot read" "$work/absent" -o "$new"
refused 2 "config.ini" "$work" -o "$new"
refused 1 "absent: cannot read" "$work/absent" --terminal
refused 1 "r.svg: found no MP4 file" "$work/one" -o "$new" --clip "$work/r.svg"
cp -r "$work/one" "$work/damaged"
sed -i '3s/,[^,]*/,word/2' "$work/damaged/metrics.csv"
refused 1 "damaged/metrics.csv:3: steps_per_second: found \"word\", expected a number or nothing" "$work/damaged" -o "$new"
"$RL_BIN/rlreport" "$work/one" -o "$work/r.html" --force --episodes 0 >"$work/out"
[ "$(cksum <"$work/r.html")" != "$before" ] || fail "--force did not replace r.html"
[ -z "$(find "$work" -name '.tmp-*')" ] || fail "temporary files are left"
echo "the report is whole, and what it cannot be made from is refused in one line"
