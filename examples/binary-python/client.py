"""A client of the binary dialect, written after docs/protocol.md: a room, acknowledged messages, and the proof that
none is missing. Says what it reads, prints what it hears.

    python3 client.py localhost 12345 ada
"""
import json
import socket
import struct
import sys
import threading

HELLO, WELCOME, CLOSE, PING, PONG = 0x01, 0x02, 0x03, 0x08, 0x09
PUBLISH, MESSAGE, NOTICE, ACK, NACK, REQUEST, RESPONSE = 0x10, 0x11, 0x12, 0x13, 0x14, 0x20, 0x21
TEXT = 1  # the codec of what is said
MAX_FRAME_BYTES = 65536
KINDS = {1: "joined", 2: "left", 3: "renamed", 4: "gone"}


def frame(kind, rest, codec=0):
    """Section "Frame header": length, type, codec, and two bytes that depend on the type."""
    return struct.pack("<IBBBB", 8 + len(rest), kind, codec, 0, 0) + rest


def u48(data, offset):
    return int.from_bytes(data[offset : offset + 6], "little")


class Chat:
    def __init__(self, host, port, name):
        self.socket = socket.create_connection((host, port))
        self.stream = self.socket.makefile("rb")
        self.writing = threading.Lock()
        self.publishes = 0
        hello = {"name": name, "maxFrameBytes": MAX_FRAME_BYTES, "agent": "binary-python"}
        self.send(b"\xfeCHAT\r\n\x01" + frame(HELLO, json.dumps(hello).encode()))
        self.welcome = self.until(WELCOME)
        join = {"op": "join", "room": "lobby", "history": 10}
        self.send(frame(REQUEST, struct.pack("<I", 1) + json.dumps(join).encode()))
        self.room = self.until(RESPONSE)
        self.last = self.room["start"]

    def send(self, data):
        with self.writing:
            self.socket.sendall(data)

    def read(self):
        """The next frame, as its type and bytes. Pings are answered, and a close ends the program."""
        while True:
            head = self.stream.read(8)
            if len(head) < 8:
                sys.exit("the connection is lost")
            length, kind = struct.unpack_from("<IB", head)
            if not 8 <= length <= MAX_FRAME_BYTES:
                sys.exit(f"a frame of {length} bytes")
            data = head + self.stream.read(length - 8)
            if kind == PING:
                self.send(frame(PONG, data[8:12]))
            elif kind == CLOSE:
                sys.exit(f"closed: {data[16:].decode()} ({struct.unpack_from('<H', data, 8)[0]})")
            else:
                return kind, data

    def until(self, wanted):
        """The JSON of the next frame of this type: of a response it stands behind the id."""
        while True:
            kind, data = self.read()
            if kind == wanted:
                return json.loads(data[12 if kind == RESPONSE else 8 :])

    def publish(self, text):
        self.publishes += 1
        head = struct.pack("<II", self.room["handle"], self.publishes)
        self.send(frame(PUBLISH, head + text.encode(), TEXT))

    def listen(self):
        while True:
            kind, data = self.read()
            if kind in (MESSAGE, NOTICE):
                self.entry(kind, data)
            elif kind == ACK:
                print(f"[{struct.unpack_from('<I', data, 8)[0]} is in the log at {u48(data, 12)}]", flush=True)
            elif kind == NACK:
                print(f"[refused: {json.loads(data[12:])['message']}]", flush=True)

    def entry(self, kind, data):
        if struct.unpack_from("<I", data, 8)[0] != self.room["handle"]:
            return
        seq, prev, body = u48(data, 16), u48(data, 22), 36 + data[7]
        if prev != self.last:
            print(f"[missing: what is between {self.last} and {seq}]", flush=True)
        self.last = seq
        name = data[36:body].decode()
        said = f": {data[body:].decode()}" if kind == MESSAGE else f" {KINDS[data[6]]}"
        print(name + said, flush=True)


if __name__ == "__main__":
    chat = Chat(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    threading.Thread(target=chat.listen, daemon=True).start()
    for line in sys.stdin:
        chat.publish(line.rstrip("\n"))
    chat.send(frame(CLOSE, struct.pack("<HHI", 1000, 0, 0)))
