# A headless Chromium spoken to over its pipe, with nothing but the standard library: pages, scripts, mouse, keys,
# screenshots. Place: used by view_browser.py.
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


def find():
    """The program, or None."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    return None


class Chromium:
    """One browser with one page. Console errors and failed requests gather in .complaints."""

    def __init__(self, width=1280, height=800):
        self.folder = tempfile.mkdtemp(prefix="rl-chromium-")
        out_read, self.to = os.pipe()
        self.come, in_write = os.pipe()

        # the browser reads descriptor 3 and writes descriptor 4: bash puts the pipes there
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{out_read} 4>&{in_write}', "bash",
             find(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--no-first-run", "--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe",
             f"--user-data-dir={self.folder}", f"--window-size={width},{height}", "about:blank"],
            pass_fds=(out_read, in_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(out_read)
        os.close(in_write)
        self.bytes = b""
        self.number = 0
        self.session = None
        self.complaints = []
        target = [t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"][0]
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.resize(width, height)

    def read(self, patience):
        """The next message, None when there is none in time."""
        end = time.monotonic() + patience
        while b"\0" not in self.bytes:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.come], [], [], left)[0]:
                return None
            more = os.read(self.come, 1 << 20)
            if not more:
                raise RuntimeError("the browser has ended")
            self.bytes += more
        one, _, self.bytes = self.bytes.partition(b"\0")
        return json.loads(one)

    def notice(self, message):
        method, what = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = what["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning"):
            self.complaints.append(" ".join(str(a.get("value", a)) for a in what["args"]))
        elif method == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            self.complaints.append(what["entry"]["text"] + " " + what["entry"].get("url", ""))

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read(30)
            if answer is None:
                raise RuntimeError(f"{method}: no answer")
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.notice(answer)

    def resize(self, width, height, scale=1, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile)

    def prefer(self, **features):
        """Media features, for example prefers_color_scheme="dark"."""
        listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", features=listed)

    def open(self, url):
        self.call("Page.navigate", url=url)

    def run(self, script):
        """The value of an expression; promises are awaited."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", script))
        return answer["result"].get("value")

    def wait(self, script, patience=20):
        """Waits until an expression is true; its value."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            value = self.run(script)
            if value:
                return value
            time.sleep(0.02)
        raise RuntimeError(f"not true in {patience} s: {script}")

    def mouse(self, kind, x, y, button="none", count=0, modifiers=0):
        buttons = {"none": 0, "left": 1, "right": 2}[button]
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, buttons=buttons, clickCount=count,
                  modifiers=modifiers)

    def press(self, x, y, button="left", modifiers=0):
        self.mouse("mousePressed", x, y, button, 1, modifiers)

    def release(self, x, y, button="left", modifiers=0):
        self.mouse("mouseReleased", x, y, button, 1, modifiers)

    def drag(self, x, y, to_x, to_y, button="left", modifiers=0, steps=8):
        self.press(x, y, button, modifiers)
        for k in range(1, steps + 1):
            self.mouse("mouseMoved", x + (to_x - x) * k / steps, y + (to_y - y) * k / steps, button, 0, modifiers)
        self.release(to_x, to_y, button, modifiers)

    def double_click(self, x, y):
        for count in (1, 2):
            self.mouse("mousePressed", x, y, "left", count)
            self.mouse("mouseReleased", x, y, "left", count)

    def key(self, key, code=None, text=None, number=0, modifiers=0):
        event = dict(key=key, code=code or key, windowsVirtualKeyCode=number, modifiers=modifiers)
        if text:
            event["text"] = text
        self.call("Input.dispatchKeyEvent", type="keyDown", **event)
        event.pop("text", None)
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def screenshot(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
        except (RuntimeError, OSError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.come)
        shutil.rmtree(self.folder, ignore_errors=True)
