"""An HTTP/1.1 client that hides nothing: exact bytes out, each piece as it came in.

It can do what libraries will not: send malformed requests, send byte by byte, leave by FIN or
by RST, and say whether an answer was whole or cut.
"""

import json
import socket
import struct
import urllib.parse

from . import program, tls

LIMIT_S = program.LIMIT_S


class Cut(Exception):
    """The connection ended in the middle of an answer."""


class Closed(Exception):
    """The connection ended without a byte of an answer."""


class Answer:
    """Status, headers and body of one response."""

    def __init__(self, status, reason, headers):
        self.status = status
        self.reason = reason
        self.headers = headers
        self.pieces = []
        self.whole = False

    @property
    def body(self):
        self.pieces = [b"".join(self.pieces)]
        return self.pieces[0]

    def header(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self):
        return json.loads(self.body)

    def lines(self):
        """The JSON values of an NDJSON body."""
        return [json.loads(line) for line in self.body.splitlines()]

    def events(self):
        """The data of a server-sent stream, as text."""
        found = []
        for block in self.body.decode().split("\n\n"):
            data = [line[5:].strip() for line in block.split("\n") if line.startswith("data:")]
            if data:
                found.append("\n".join(data))
        return found

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"


def place_of(url):
    """(family, address) of http://host:port, https://host:port or unix:/path."""
    if url.startswith("unix:"):
        return socket.AF_UNIX, url[5:]
    parts = urllib.parse.urlsplit(url)
    family = socket.AF_INET6 if ":" in parts.hostname else socket.AF_INET
    return family, (parts.hostname, parts.port)


def is_tls(url):
    return url.startswith("https:")


def knock(url):
    """A connection, and nothing else: where a server does not accept it, no handshake can be had."""
    family, address = place_of(url)
    plain = socket.socket(family, socket.SOCK_STREAM)
    plain.settimeout(LIMIT_S)
    plain.connect(address)
    return plain


def host_of(url):
    return "localhost" if url.startswith("unix:") else urllib.parse.urlsplit(url).netloc


def format_request(method, path, host, headers=(), body=None, version="1.1"):
    lines = [f"{method} {path} HTTP/{version}"]
    names = {name.lower() for name, _ in headers}
    if "host" not in names:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def encode(body):
    if body is None or isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


class Wire:
    """One connection."""

    def __init__(self, url, receive_buffer=None, source=None, context=None):
        family, address = place_of(url)
        self.host = host_of(url)
        if is_tls(url):  # before the server begins to wait for the handshake
            context = context or tls.trusting()
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(LIMIT_S)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(address)
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if is_tls(url):
            self.socket = tls.TlsSocket(self.socket, context, address[0])
        self.buffer = bytearray()
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # leaving

    def close(self):
        """By FIN (unless something unread makes the kernel say RST)."""
        self.socket.close()

    def reset(self):
        """By RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    # sending

    def send(self, data):
        self.socket.sendall(data)

    def request(self, method, path, body=None, headers=(), version="1.1"):
        self.send(format_request(method, path, self.host, headers, encode(body), version))

    # receiving

    def fill(self):
        """More bytes into the buffer; False at the end."""
        if self.ended:
            return False
        try:
            piece = self.socket.recv(65536)
        except ConnectionResetError:
            piece = b""
        if not piece:
            self.ended = True
            return False
        self.buffer += piece
        return True

    def take(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise Cut(f"{count - len(self.buffer)} bytes missing")
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def take_all(self):
        return self.take(len(self.buffer))

    def take_line(self):
        while b"\r\n" not in self.buffer:
            if not self.fill():
                raise Cut("in the middle of a line") if self.buffer else Closed()
        line = self.take(self.buffer.index(b"\r\n"))
        self.take(2)
        return line

    def read_head(self):
        """The final head; 1xx before it are skipped."""
        while True:
            version, status, *reason = self.take_line().decode("latin-1").split(" ", 2)
            assert version in ("HTTP/1.1", "HTTP/1.0"), version
            headers = []
            while line := self.take_line().decode("latin-1"):
                name, value = line.split(":", 1)
                headers.append((name, value.strip()))
            if not status.startswith("1"):
                return Answer(int(status), reason[0] if reason else "", headers)

    def read_pieces(self, answer, method="GET"):
        """Yields the body as it comes: a chunk a piece. Raises Cut when it is not whole."""
        if method == "HEAD" or answer.status in (204, 304):
            answer.whole = True
            return
        if (answer.header("transfer-encoding") or "").lower() == "chunked":
            yield from self.read_chunks(answer)
        elif answer.header("content-length") is not None:
            left = int(answer.header("content-length"))
            while left:
                if not self.buffer and not self.fill():
                    raise Cut(f"{left} bytes of the body missing")
                piece = self.take(min(left, len(self.buffer)))
                left -= len(piece)
                answer.pieces.append(piece)
                yield piece
        else:
            while self.buffer or self.fill():
                piece = self.take_all()
                answer.pieces.append(piece)
                yield piece
        answer.whole = True

    def read_chunks(self, answer):
        try:
            while size := int(self.take_line().split(b";")[0], 16):
                piece = self.take(size)
                assert self.take(2) == b"\r\n"
                answer.pieces.append(piece)
                yield piece
            while self.take_line():
                pass
        except Closed:
            raise Cut("between two chunks") from None

    def read_answer(self, method="GET"):
        """Head and whole body. A cut answer is returned with `whole` False."""
        answer = self.read_head()
        try:
            for _ in self.read_pieces(answer, method):
                pass
        except Cut:
            pass
        return answer

    def read_all_of_stream(self):
        """The rest of a chunked answer of which a part was read."""
        rest = bytearray()
        while not rest.endswith(b"0\r\n\r\n"):
            if not self.buffer and not self.fill():
                raise Cut("in the middle of a stream")
            rest += self.take_all()
        return bytes(rest)

    def read_all(self):
        """Every byte until the other side ends the connection."""
        while self.fill():
            pass
        return self.take_all()


def ask(url, method, path, body=None, headers=(), version="1.1"):
    """One request on a connection of its own; the answer, whole or cut."""
    with Wire(url) as wire:
        wire.request(method, path, body, headers, version)
        return wire.read_answer(method)


def get(url, path, headers=()):
    return ask(url, "GET", path, None, headers)


def post(url, path, body=None, headers=()):
    return ask(url, "POST", path, body, headers)
