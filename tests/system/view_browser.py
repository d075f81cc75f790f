# The page of the live view in a real browser: see alone_view_browser.sh.
#
#   python3 view_browser.py RLVIEW RUN CHECKPOINT PICTURES
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

from chromium import Chromium, find

CTRL, SHIFT = 2, 8
PANELS = 2
fails = 0


def check(good, text):
    global fails
    if not good:
        fails += 1
    print(("ok      " if good else "FAILED  ") + text)


class View:
    """rlview with its panels, in a browser."""

    def __init__(self, program, paths, pictures):
        self.pictures = pictures
        self.run = paths[0]
        self.process = subprocess.Popen([program, *paths, "--port", "0"], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.browser = Chromium(1440, 900)
        self.browser.open(self.url)
        self.browser.wait(f"window.rltrain && rltrain.panels.length === {len(paths)} && "
                          "rltrain.panels.every((p) => p.state && p.stream.stats.drawn > 5)", 40)

    def panel(self, k, what):
        return self.browser.run(f"rltrain.panels[{k}].{what}")

    def state(self, k=0):
        return self.panel(k, "state")

    def until(self, k, condition, patience=15):
        """Waits until a panel's state, s, meets a condition."""
        return self.browser.wait(f"((s) => {condition})(rltrain.panels[{k}].state)", patience)

    def place(self, k, x, y):
        """Where in the window a share of a panel's picture lies."""
        frame = json.loads(self.browser.run(f"JSON.stringify(rltrain.panels[{k}].canvas.getBoundingClientRect())"))
        return frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]

    def picture(self, k):
        """Digest and spread of the pixels on the screen."""
        return json.loads(self.browser.run(
            f"""((canvas) => {{
              const {{ width, height }} = canvas;
              const g = new OffscreenCanvas(width, height).getContext('2d', {{ willReadFrequently: true }});
              g.drawImage(canvas, 0, 0);
              const data = g.getImageData(0, 0, width, height).data;
              let sum = 0, square = 0, hash = 7;
              for (let i = 0; i < data.length; i += 4) {{
                const v = data[i] + data[i + 1] + data[i + 2];
                sum += v; square += v * v; hash = (hash * 31 + v) >>> 0;
              }}
              const n = data.length / 4;
              return JSON.stringify({{ hash, spread: Math.sqrt(square / n - (sum / n) ** 2) }});
            }})(rltrain.panels[{k}].canvas)"""))

    def settle(self, k, past=-1):
        """Waits until more than `past` pictures have come and no more do, as while paused; how many came in all."""
        self.browser.wait(f"rltrain.panels[{k}].stream.stats.drawn > {past}")
        before = -1
        for _ in range(100):
            now = self.panel(k, "stream.stats.drawn")
            if now == before:
                return now
            before = now
            time.sleep(0.25)
        raise RuntimeError("pictures go on coming")

    def key(self, key, **more):
        self.browser.key(key, text=key if len(key) == 1 else None, **more)


def look_at_page(view):
    browser = view.browser
    for k in range(PANELS):
        check(view.picture(k)["spread"] > 10, f"panel {k}: the picture is not uniform")
    before = view.panel(0, "stream.stats.drawn"), time.monotonic()
    browser.wait(f"rltrain.panels[0].stream.stats.drawn > {before[0] + 30}", 60)
    rate = 31 / (time.monotonic() - before[1])
    check(rate > 1, f"pictures go on arriving, {rate:.0f} a second in each of {PANELS} panels")
    check(browser.run("document.querySelectorAll('.chart').length") == 5 * PANELS, "five charts a panel")
    unnamed = browser.run("""[...document.querySelectorAll('button, select, canvas, a[href]')].filter((e) =>
      !(e.getAttribute('aria-label') || e.textContent.trim())).length""")
    check(unnamed == 0, "everything that can be operated has a name for screen readers")


def play(view):
    browser = view.browser
    view.key(" ")
    view.until(0, "s.paused") and view.until(1, "s.paused")
    drawn, state = view.settle(0), view.state()
    time.sleep(0.7)
    check(view.state()["steps"] == state["steps"] and view.panel(0, "stream.stats.drawn") == drawn,
          "space pauses: no step, no picture")
    view.key("ArrowRight")
    check(view.until(0, f"s.steps === {state['steps'] + 1}"), "right arrow: one step")
    view.key("Backspace")
    check(view.until(0, f"s.episode === {state['episode'] + 1} && s.length === 0"), "backspace: the next episode")
    for key, condition, name in (("+", "s.speed === 2", "+: twice the speed"), ("-", "s.speed === 1", "-: back"),
                                 ("f", f"s.follow === {str(not state['follow']).lower()}", "f: follow"),
                                 ("f", f"s.follow === {str(state['follow']).lower()}", "f: again"),
                                 ("q", "s.fine", "q: fine"), ("q", "!s.fine", "q: plain"),
                                 ("c", "s.flags.includes(14)", "c: contact points"),
                                 ("c", "!s.flags.includes(14)", "c: again"),
                                 ("w", "s.render_flags.includes(1)", "w: wireframe"),
                                 ("w", "!s.render_flags.includes(1)", "w: again"),
                                 ("]", "s.camera === 0", "]: the model's camera"), ("[", "s.camera === -1", "[: back"),
                                 ("p", f"s.checkpoint === {state['checkpoint'] - 1}", "p: the checkpoint before"),
                                 ("n", f"s.checkpoint === {state['checkpoint']}", "n: the next one")):
        view.key(key)
        check(view.until(0, condition), name)
    view.browser.key("F", text="F", modifiers=SHIFT)
    check(view.until(0, "s.flags.includes(16)"), "shift+F: contact forces")
    view.browser.key("F", text="F", modifiers=SHIFT)
    view.key("?")
    check(browser.wait("document.getElementById('manual').open"), "?: help")
    browser.key("Escape", number=27)
    browser.wait("!document.getElementById('manual').open")


def turn_camera(view):
    browser = view.browser
    drawn = view.settle(0)
    before, state = view.picture(0), view.state()
    x, y = view.place(0, 0.3, 0.3)
    browser.drag(x, y, x + 120, y + 10)
    drawn = view.settle(0, drawn)
    after = view.picture(0)
    check(after["hash"] != before["hash"] and view.state()["steps"] == state["steps"], "a drag turns the camera")
    browser.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-300)
    view.settle(0, drawn)
    check(view.picture(0)["hash"] != after["hash"], "the wheel brings it nearer")
    # a busy machine may need another try
    for _ in range(3):
        times = [latency(view, x, y, k) for k in range(12)]
        if statistics.median(times) < 150:
            break
    middle = statistics.median(times)
    check(middle < 150, f"from mouse to picture {middle:.0f} ms (median of {len(times)}, slowest {max(times):.0f})")


def latency(view, x, y, k):
    """Milliseconds from a movement of the mouse to the picture that shows it, as the page measures them."""
    browser = view.browser
    browser.run("rltrain.panels[0].latency = rltrain.panels[0].pending = null")
    browser.press(x, y)
    browser.mouse("mouseMoved", x + 10 - 20 * (k % 2), y, "left")
    browser.wait("rltrain.panels[0].latency !== null", 5)
    browser.release(x, y)
    view.settle(0)
    return view.panel(0, "latency")


def push(view):
    """Two panels play the same episode to the bit until one is pushed."""
    browser = view.browser
    browser.run("document.getElementById('save').focus()")
    for k in range(PANELS):
        view.until(k, "s.paused")
    view.key("Backspace")
    for k in range(PANELS):
        view.until(k, "s.length === 0")

    def step(count):
        start = view.state()["length"]
        for _ in range(count):
            view.key("ArrowRight")
        for k in range(PANELS):
            view.until(k, f"s.length === {start + count}")
        return [view.state(k)["return"] for k in range(PANELS)]

    returns = step(10)
    check(returns[0] == returns[1], f"the same episode in both panels: return {returns[0]}")
    browser.screenshot(os.path.join(view.pictures, "view_push.png"))
    # somewhere near the middle there is a body
    for place in sorted(((x / 20, y / 20) for x in range(5, 16) for y in range(5, 17)), key=lambda p: abs(p[0] - 0.5) + abs(p[1] - 0.5)):
        at = view.place(0, *place)
        browser.double_click(*at)
        try:
            view.until(0, "s.selected", 0.3)
            break
        except RuntimeError:
            continue
    chosen = view.state()["selected"]
    check(chosen and not view.state(1)["selected"], f"double-click selects a body: {chosen}")
    browser.press(*at, "right", CTRL)
    check(view.until(0, "s.pushing"), "ctrl and right drag pull it")
    drawn, before = view.settle(0), view.picture(0)
    browser.mouse("mouseMoved", at[0] + 30, at[1] - 120, "right", 0, CTRL)
    view.settle(0, drawn)
    check(view.picture(0)["hash"] != before["hash"], "the pull is seen")
    returns = step(10)
    browser.release(at[0] + 30, at[1] - 120, "right", CTRL)
    check(view.until(0, "!s.pushing"), "letting go ends it")
    check(returns[0] != returns[1], f"the push moved the body: return {returns[0]} against {returns[1]}")


def turn_checkpoints(view):
    """A run that is still in training adds to its checkpoints: the page offers them."""
    folder = os.path.join(view.run, "checkpoints")
    last = sorted(os.listdir(folder))[-1]
    count = view.state()["checkpoints"]
    check(view.browser.run("document.getElementById('next').disabled"), "no checkpoint after the last")
    shutil.copy(os.path.join(folder, last), os.path.join(folder, "000000900000.h5"))
    check(view.until(0, f"s.checkpoints === {count + 1}"), "a checkpoint that comes later is counted")
    view.browser.wait("!document.getElementById('next').disabled")
    view.browser.run("document.getElementById('next').click()")
    check(view.until(0, f"s.checkpoint === {count + 1}"), "and can be gone to")
    view.key("n")
    check(view.until(0, "s.note !== ''"), "beyond it a note says that there is none")


def save(view):
    browser = view.browser
    view.key(" ")
    view.until(0, "!s.paused")
    time.sleep(1)
    # a state that is on its way when it is asked for has the note of before
    browser.run("(({ state, video }) => { document.getElementById('save').click(); "
                "rltrain.panels[0].receive({ state, video }); })(rltrain.panels[0])")
    browser.wait("document.getElementById('saved').open", 120)
    found = json.loads(browser.run("""(async () => {
      const get = async (id) => { const r = await fetch(document.getElementById(id).href);
        return [r.status, new Uint8Array(await r.arrayBuffer())]; };
      const [video, page] = [await get('saved-mp4'), await get('saved-html')];
      const text = new TextDecoder().decode(page[1]);
      const inside = atob(/base64,([^"]*)"/.exec(text)[1]);
      let same = inside.length === video[1].length;
      for (let i = 0; same && i < inside.length; i++) same = inside.charCodeAt(i) === video[1][i];
      return JSON.stringify({ status: [video[0], page[0]], size: video[1].length, same,
        kind: String.fromCharCode(...video[1].slice(4, 8)) });
    })()"""))
    check(found["status"] == [200, 200] and found["kind"] == "ftyp" and found["size"] > 1000 and found["same"],
          f"a video is made and is inside its page: {found['size']} bytes")
    browser.key("Escape", number=27)
    browser.wait("!document.getElementById('saved').open")


def look_around(view):
    browser = view.browser
    for name, scheme, width, height, scale in (("light", "light", 1440, 900, 1), ("dark", "dark", 1440, 900, 1),
                                               ("narrow", "dark", 420, 900, 2)):
        browser.prefer(prefers_color_scheme=scheme)
        browser.resize(width, height, scale)
        time.sleep(1.5)
        wide = browser.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        check(wide <= 0, f"{name}: nothing beyond the edge")
        # the picture has the shape of its place
        shape = view.panel(0, "canvas.clientWidth / rltrain.panels[0].canvas.clientHeight")
        try:
            view.until(0, f"Math.abs(s.width / s.height / {shape} - 1) < 0.02", 10)
            check(True, f"{name}: the picture has the shape of its place")
        except RuntimeError:
            check(False, f"{name}: the picture has the shape of its place")
        browser.screenshot(os.path.join(view.pictures, f"view_{name}.png"))
    browser.resize(1440, 900)


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def leave(view):
    browser = view.browser
    check(view.panel(0, "stream.stats.starts") == 1, "one stream from beginning to end")
    check(browser.complaints == [], f"no complaint in the console {browser.complaints or ''}")
    browser.open("about:blank")
    time.sleep(1)
    before = processor_seconds(view.process.pid)
    time.sleep(2)
    spent = processor_seconds(view.process.pid) - before
    check(spent < 0.2, f"nobody looks: {spent:.2f} s of the processor in 2 s")
    browser.open(view.url)
    browser.wait("window.rltrain && rltrain.panels.length && rltrain.panels[0].stream.stats.drawn > 2")
    view.process.terminate()
    check(view.process.wait(10) == 0, "SIGTERM ends it well")
    check(browser.wait("!document.getElementById('banner').hidden"), "the page says that the connection is lost")


def main():
    program, run, checkpoint, pictures = sys.argv[1:]
    if not find():
        print("not tested here: found no Chromium (on Debian: chromium)")
        return 0
    view = View(program, [run, checkpoint], pictures)
    try:
        look_at_page(view)
        play(view)
        turn_camera(view)
        push(view)
        turn_checkpoints(view)
        save(view)
        look_around(view)
        leave(view)
    finally:
        view.browser.close()
        view.process.kill()
        view.process.wait()
    print(f"{fails} failed; pictures in {pictures}")
    return fails > 0


sys.exit(main())
