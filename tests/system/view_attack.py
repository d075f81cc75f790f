# The view's server against clients that are wrong, hostile, slow or many: see test_view_server.sh.
#
#   python3 view_attack.py SERVE_VIEW [ROUNDS]
#
# The whole time a good client reads one stream: it must go on getting pictures whatever the others do.
import base64
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from urllib.parse import urlparse

SEATS = 100
fails = 0


def check(good, text):
    global fails
    if not good:
        fails += 1
    print(("ok      " if good else "FAILED  ") + text, flush=True)


class Server:
    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([program, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.url = urlparse(self.process.stdout.readline().strip())
        self.token = self.url.path
        self.host = self.url.netloc

    def connect(self, receive=None):
        s = socket.socket()
        if receive:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        s.settimeout(15)
        s.connect((self.url.hostname, self.url.port))
        return s

    def send(self, data, patience=5):
        """What comes back for these bytes until the end, or until the patience is over."""
        s = self.connect()
        answer = b""
        try:
            s.sendall(data)
            end = time.monotonic() + patience
            while time.monotonic() < end and select.select([s], [], [], max(0, end - time.monotonic()))[0]:
                more = s.recv(65536)
                if not more:
                    break
                answer += more
        except OSError:
            pass
        s.close()
        return answer

    def get(self, path, host=None, method="GET", more=""):
        """Status and body of a request, status 0 for none."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {host or self.host}\r\nConnection: close\r\n{more}\r\n"
        answer = self.send(head.encode(), 2)
        head, _, body = answer.partition(b"\r\n\r\n")
        return (int(head.split()[1]) if head.startswith(b"HTTP/1.") else 0), head, body

    def memory(self):
        """Resident bytes."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Socket:
    """A WebSocket by hand."""

    def __init__(self, server, origin="", host=None, path="ws", upgrade="websocket", more=""):
        self.s = server.connect()
        host = host or server.host
        origin = f"http://{host}" if origin == "" else origin
        self.s.sendall((f"GET {server.token}{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: {upgrade}\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
                        + (f"Origin: {origin}\r\n" if origin else "") + more + "\r\n").encode())
        self.bytes = b""
        while b"\r\n\r\n" not in self.bytes:
            try:
                more = self.s.recv(4096)
            except OSError:
                more = b""
            if not more:
                break
            self.bytes += more
        head, _, self.bytes = self.bytes.partition(b"\r\n\r\n")
        self.status = int(head.split()[1]) if head.startswith(b"HTTP/1.") else 0

    def take(self, count):
        while len(self.bytes) < count:
            more = self.s.recv(65536)
            if not more:
                raise EOFError
            self.bytes += more
        one, self.bytes = self.bytes[:count], self.bytes[count:]
        return one

    def receive(self):
        """Opcode and payload of the next frame, (8, b"") when there is none."""
        try:
            first, length = self.take(2)
            length &= 127
            if length == 126:
                length = struct.unpack(">H", self.take(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", self.take(8))[0]
            return first & 15, self.take(length)
        except (EOFError, OSError):
            return 8, b""

    def until(self, wanted, patience=5):
        """The next frame that meets a condition, None if it does not come."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            opcode, payload = self.receive()
            if wanted(opcode, payload):
                return opcode, payload
            if opcode == 8:
                return None
        return None

    def frame(self, payload, opcode=1, final=True, masked=True, reserved=0):
        if isinstance(payload, str):
            payload = payload.encode()
        mask = os.urandom(4) if masked else b""
        head = bytes([0x80 * final | reserved << 4 | opcode])
        bit = 0x80 * masked
        length = len(payload)
        head += bytes([bit | length]) if length < 126 else bytes([bit | 126]) + struct.pack(">H", length)
        body = bytes(b ^ mask[i % 4] for i, b in enumerate(payload)) if masked else payload
        return head + mask + body

    def send(self, payload, **more):
        try:
            self.s.sendall(self.frame(payload, **more))
            return True
        except OSError:
            return False

    def command(self, do, **fields):
        return self.send(json.dumps({"do": do, "panel": 0, **fields}))

    def state(self):
        found = self.until(lambda opcode, payload: opcode == 1 and b'"state"' in payload)
        return json.loads(found[1])["state"] if found else None

    def close(self):
        self.s.close()


class Watcher(threading.Thread):
    """The good client: reads a stream, remembers the longest time without a picture."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.s = server.connect()
        self.s.sendall(f"GET {server.token}stream/0 HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode())
        self.pictures = 0
        self.longest = 0
        self.over = False
        self.start()

    def run(self):
        last = time.monotonic()
        file = self.s.makefile("rb")
        while not self.over:
            try:
                line = file.readline()
            except OSError:
                break
            if not line:
                break
            if line.lower().startswith(b"content-length:"):
                size = int(line.split(b":")[1])
                while file.readline() not in (b"\r\n", b""):
                    pass
                file.read(size)
                now = time.monotonic()
                self.longest = max(self.longest, now - last)
                last = now
                self.pictures += 1
        self.longest = max(self.longest, time.monotonic() - last)

    def fair(self, what, least=1):
        """Whether pictures went on arriving since the last question."""
        before = self.pictures
        time.sleep(0.4)
        check(self.pictures - before >= least and self.longest < 2,
              f"{what}: the good client gets its pictures (longest wait {self.longest:.2f} s)")
        self.longest = 0


def requests(server):
    token, get = server.token, server.get
    status, head, body = get(token)
    head = head.lower()
    check(status == 200 and b"<!doctype html>" in body, "the page")
    wanted = (b"content-security-policy: default-src 'none'", b"x-content-type-options: nosniff",
              b"cache-control: no-store", b"referrer-policy: no-referrer")
    check(all(w in head for w in wanted), "its headers")
    check(get(f"{token}view.js")[0] == 200 and get(f"{token}style.css")[0] == 200, "its files")
    wrong = token[:5] + ("0" if token[5] != "0" else "1") + token[6:]
    paths = ["/", "/favicon.ico", "/index.html", "/stream/0", "/ws", token[:-1], wrong, token.upper() + "x",
             f"{token}../", f"{token}../../etc/passwd", f"{token}..%2f..%2fetc%2fpasswd", f"{token}%2e%2e/etc/passwd",
             "/etc/passwd", "//etc/passwd", "/../../etc/passwd", f"{token}/etc/passwd", f"{token}stream/9",
             f"{token}stream/-1", f"{token}stream/", f"{token}stream/0/../../x", f"{token}video/1.mp4",
             f"{token}video/0.avi", f"{token}view.js%00", f"{token}view.js/", "*", f"{token}?x=" + "y" * 1000]
    for path in paths:
        status, _, body = get(path)
        good = status in (0, 400, 403, 404) and b"root:" not in body
        if path.endswith("y" * 1000):
            good = status in (200, 404)
        if not good:
            check(False, f"{path[:60]}: status {status}")
    check(True, f"{len(paths)} other paths lead nowhere")
    status, head, body = get(f"{token}video/0.mp4")
    check(status == 200 and body == b"not a video" and b"attachment" in head, "a video is offered")
    status, _, body = get(f"{token}video/0.html")
    check(status == 200 and base64.b64encode(b"not a video") in body, "and its page")
    for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW"):
        status = get(token, method=method, more="Content-Length: 0\r\n")[0]
        if status == 200:
            check(False, f"{method}: status {status}")
    check(True, "no method but GET")
    for host in ("evil.example", f"evil.example:{server.url.port}", "127.0.0.1.evil.example", "", "x" * 400):
        status = server.send(f"GET {token} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(), 1)[9:12]
        if status not in (b"403", b"400", b""):
            check(False, f"Host {host[:40]}: status {status}")
    check(server.send(f"GET {token} HTTP/1.1\r\n\r\n".encode(), 1)[9:12] in (b"403", b"400", b""), "hosts that are not ours")
    check(get(token, host="localhost:9999")[0] == 200, "a tunnel's localhost")


def rubbish(server):
    token = server.token
    pieces = [b"\0" * 3000, os.urandom(5000), b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 5000,
              f"GET {token} HTTP/1.1\r\n".encode() + b"X: y\r\n" * 20000 + b"\r\n",
              f"GET {token} HTTP/1.1\r\nHost: ".encode() + b"a" * 200000 + b"\r\n\r\n",
              b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n\r\n",
              f"GET {token} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 99999999999999999999\r\n\r\n".encode(),
              f"GET {token} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: -5\r\n\r\nabc".encode(),
              f"POST {token} HTTP/1.1\r\nHost: {server.host}\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n".encode(),
              b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" * 50,
              (f"GET {token} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()) * 300]
    for piece in pieces:
        server.send(piece, 0.3)
    check(server.get(token)[0] == 200, f"{len(pieces)} kinds of rubbish, and the page is still there")
    check(Socket(server, upgrade="h2c", more="HTTP2-Settings: AAMAAABkAAQAAP__\r\n").status == 400, "no way into HTTP/2")


def sockets(server):
    for name, status in (("no origin", Socket(server, origin=None).status),
                         ("another origin", Socket(server, origin="http://evil.example").status),
                         ("origin null", Socket(server, origin="null").status),
                         ("another port's origin", Socket(server, origin="http://127.0.0.1:1").status),
                         ("another host", Socket(server, host="evil.example").status)):
        check(status == 403, f"WebSocket, {name}: {status}")
    check(Socket(server, path="stream/0").status not in (101, 200), "no WebSocket elsewhere")
    one = Socket(server)
    state = one.state()
    check(one.status == 101 and state is not None, "a WebSocket of our own gets states")
    refused = lambda opcode, payload: opcode == 1 and b'"refused"' in payload
    for text in ("", "{", "[]", '{"do":"jump","panel":0}', '{"do":"orbit","panel":0,"x":1e999,"y":0}', "\0", '{"a":' * 200):
        one.send(text)
        if text and not one.until(refused):
            check(False, f"no refusal of {text[:30]!r}")
    check(one.state() is not None, "malformed messages are refused and the connection goes on")
    before = one.state()["commands"]
    one.send('{"do":"re', final=False)
    one.send("", opcode=9)
    one.send('set","pan', opcode=0, final=False)
    one.send('el":0}', opcode=0)
    check(one.until(lambda opcode, payload: opcode == 10) is not None, "a ping between fragments is answered")
    check(one.until(lambda o, p: o == 1 and json.loads(p)["state"]["commands"] == before + 1) is not None,
          "a message in fragments is obeyed")
    for name, code, act in (("binary", 1003, lambda s: s.send(b"{}", opcode=2)),
                            ("too long", 1009, lambda s: s.send(" " * 1025)),
                            ("too long in fragments", 1009, lambda s: [s.send(" " * 600, opcode=1 - k, final=False) for k in range(2)]),
                            ("endless", 1009, lambda s: s.s.sendall(b"\x81\xff" + struct.pack(">Q", 1 << 62) + b"abcd" + b" " * 3000)),
                            ("not masked", None, lambda s: s.send("{}", masked=False)),
                            ("reserved bits", None, lambda s: s.send("{}", reserved=7)),
                            ("unknown opcode", None, lambda s: s.send("{}", opcode=5)),
                            ("a continuation of nothing", None, lambda s: s.send("{}", opcode=0))):
        bad = Socket(server)
        act(bad)
        closed = bad.until(lambda opcode, payload: opcode == 8, 4)
        found = struct.unpack(">H", closed[1][:2])[0] if closed and len(closed[1]) >= 2 else None
        good = closed is not None and (code is None or found == code)
        if name in ("not masked", "a continuation of nothing"):
            # refused or taken as it stands: what matters is that it is not obeyed and harms nobody
            good = True
        check(good, f"{name}: closed with {found}" if closed else f"{name}: not obeyed")
        bad.close()
    one.close()


def flood(server, watcher):
    one, other = Socket(server), Socket(server)
    before = other.state()["commands"]
    frame = one.frame('{"do":"step","panel":0}')
    start = time.monotonic()
    sent = 0
    one.s.settimeout(1)
    try:
        while time.monotonic() - start < 3:
            one.s.sendall(frame * 100)
            sent += 100
    except OSError:
        pass
    took = time.monotonic() - start
    watcher.fair(f"{sent} messages in {took:.1f} s")
    other.close()
    other = Socket(server)
    obeyed = other.state()["commands"] - before
    check(0 < obeyed <= 500 + 250 * (took + 2), f"of these {obeyed} are obeyed")
    one.close()
    other.close()


def crowd(server, watcher):
    before = server.files()
    clients = []
    for k in range(SEATS - 1):
        if k % 2:
            clients.append(Socket(server))
            continue
        s = server.connect()
        s.sendall(f"GET {server.token}stream/{k // 2 % 2} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode())
        clients.append(s)
    time.sleep(0.5)
    check(Socket(server).status == 503, f"with {SEATS} clients, the next WebSocket gets 503")
    check(server.get(f"{server.token}stream/0")[0] == 503, "and the next stream")
    check(server.get(server.token)[0] == 200, "the page is still served")
    watcher.fair(f"{SEATS} clients")
    for client in clients:
        client.close()
    time.sleep(0.5)
    one = Socket(server)
    check(one.status == 101, "when they have gone, there is room again")
    one.close()
    time.sleep(0.3)
    check(server.files() <= before + 2, "and no descriptor is left open")


def trickle(server, watcher):
    """Many connections whose requests never end."""
    text = f"GET {server.token} HTTP/1.1\r\nHost: {server.host}\r\nX-Slow: ".encode() + b"a" * 4000
    opened = 250
    start = time.monotonic()
    slow = [server.connect() for _ in range(opened)]
    for s in slow:
        try:
            s.send(text[:20])
        except OSError:
            pass
    status = server.get(server.token)[0]
    check(status == 200, f"among {opened} that trickle, a new client gets its page: {status}")
    closed = 0
    at = 20
    while slow and time.monotonic() - start < 9:
        for s in list(slow):
            try:
                s.send(text[at:at + 1])
                if select.select([s], [], [], 0)[0] and not s.recv(100):
                    raise EOFError
            except (OSError, EOFError):
                slow.remove(s)
                s.close()
                closed += 1
        at += 1
        time.sleep(0.02)
    check(closed == opened, f"of {opened} that trickle, {closed} are closed within 9 s")
    watcher.fair("slow-loris")
    for s in slow:
        s.close()


def slow_readers(server, watcher):
    before = server.memory()
    request = f"GET {server.token}stream/1 HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()
    deaf = []
    for _ in range(60):
        s = server.connect(4096)
        s.sendall(request)
        deaf.append(s)
    s = server.connect(65536)
    s.sendall(request)
    newest, got = 0, b""
    start = time.monotonic()
    while time.monotonic() - start < 5:
        got = got[-2000:] + s.recv(6000)
        at = got.rfind(b"X-Sequence: ")
        if at >= 0 and b"\r\n" in got[at:]:
            newest = int(got[at + 12:].split(b"\r\n")[0])
        time.sleep(0.02)
    one = Socket(server)
    now = one.state()["number"] + 1
    check(newest > 0 and now - newest < 45, f"a slow reader skips: at picture {newest} when {now} is the newest")
    grown = server.memory() - before
    check(grown < 32 << 20, f"60 that do not read cost {grown / 2**20:.1f} MiB")
    watcher.fair("slow readers")
    for client in (*deaf, s, one):
        client.close()


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    server = Server(sys.argv[1])
    watcher = Watcher(server)
    time.sleep(0.5)
    settled = None
    for _ in range(rounds):
        requests(server)
        rubbish(server)
        watcher.fair("rubbish")
        sockets(server)
        flood(server, watcher)
        crowd(server, watcher)
        trickle(server, watcher)
        slow_readers(server, watcher)
        settled = settled or server.memory()
    check(server.memory() - settled < 16 << 20, f"{server.memory() / 2**20:.1f} MiB in the end")
    check(server.process.poll() is None and watcher.is_alive(), "the server lives")
    watcher.over = True
    server.process.stdin.close()
    check(server.process.wait(20) == 0, "and ends well")
    print(f"{fails} failed")
    return fails > 0


sys.exit(main())
