# Writes the first inputs of fuzz_message and fuzz_http anew: python3 tests/fuzz/make_view_corpus.py
import os

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def write(target, name, data):
    with open(os.path.join(folder, target, name), "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


messages = {
    "orbit": '{"do":"orbit","panel":0,"x":0.25,"y":-1e-2}', "zoom": '{"do": "zoom", "panel": 2, "x": 4}',
    "select": ' {"x":0,"y":1,"panel":1,"do":"select"} ', "push": '{"do":"push_begin","panel":0,"turn":true}',
    "pause": '{"do":"pause","panel":0,"on":false}', "camera": '{"do":"camera","panel":0,"number":-1}',
    "speed": '{"do":"speed","panel":0,"value":0.5}', "resize": '{"do":"resize","panel":0,"x":640,"y":480}',
    "save": '{"do":"save","panel":1}', "nested": '{"do":{"a":[1,{}]},"panel":0}', "escape": '{"d\\u006f":"save"}',
    "twice": '{"do":"step","do":"step","panel":0}', "huge": '{"do":"zoom","panel":0,"x":1e999}', "open": '{"do":"st',
}
for name, text in messages.items():
    write("fuzz_message", name, text)


def frame(payload, opcode=1, final=True, mask=b"abcd"):
    if isinstance(payload, str):
        payload = payload.encode()
    length = len(payload)
    head = bytes([0x80 * final | opcode, 0x80 | length]) if length < 126 else bytes([0x80 * final | opcode, 0xFE]) + length.to_bytes(2, "big")
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def request(path, more="", method="GET", host="@H"):
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode()


upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
open_socket = request("/@T/ws", upgrade + "Origin: http://@H\r\n") + b"@@"
for name, data in {
    "page": request("/@T/"), "file": request("/@T/view.js"), "stream": request("/@T/stream/0"), "nothing": request("/"),
    "video": request("/@T/video/1.mp4"), "video_page": request("/@T/video/1.html"), "climb": request("/@T/../../etc/passwd"),
    "pipeline": request("/@T/") * 5, "pieces": b"@@".join(bytes([b]) for b in b"GET /@T/"), "post": request("/@T/", "Content-Length: 3\r\n", "POST") + b"abc",
    "chunked": request("/@T/", "Transfer-Encoding: chunked\r\n", "POST") + b"3\r\nabc\r\n0\r\n\r\n", "no_host": b"GET /@T/ HTTP/1.1\r\n\r\n",
    "old": b"GET /@T/ HTTP/1.0\r\nHost: @H\r\n\r\n", "h2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
    "h2c": request("/@T/", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
    "unknown_upgrade": request("/@T/view.js") + b"@@" + request("/@T/", "Upgrade: wing\r\n"), "no_origin": request("/@T/ws", upgrade), "socket": open_socket + frame('{"do":"step","panel":0}') + b"@@" + frame("{"),
    "fragments": open_socket + frame('{"do":"st', final=False) + frame("", 9) + frame('ep","panel":1}', 0),
    "binary": open_socket + frame(b"\0\1\2", 2), "long": open_socket + frame(" " * 1100), "ping": open_socket + frame("hello", 9) + frame("", 10),
    "close": open_socket + frame(b"\x03\xe8bye", 8) + frame("{}"), "endless": open_socket + b"\x81\xff" + b"\x7f" * 8 + b"abcd" + b" " * 200,
    "many": open_socket + frame('{"do":"orbit","panel":0,"x":0.1,"y":0}') * 100,
}.items():
    write("fuzz_http", name, data)
