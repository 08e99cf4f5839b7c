"""A node that a test plays itself: it sees the exact bytes and answers with exact bytes.

The simulated node behaves; this one does what it is told, also what no Ollama would: break off,
fall silent, answer nonsense. It also writes down, byte for byte, what it was sent, since the
simulated node's own reading would hide the very thing that some tests are about.
"""

import json
import os
import socket
import socketserver
import struct
import threading

from .program import LIMIT_S, Waiter, now_ms

CALL = {"name": "look_up", "arguments": {"city": "Oslo"}}
CALL_AS_TEXT = {"name": "look_up", "arguments": '{"city":"Oslo"}'}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
ANSWERS = {
    "/api/generate": {"model": "tiny", "response": "seen", "done": True, "done_reason": "stop"},
    "/api/chat": {
        "model": "tiny",
        "message": {"role": "assistant", "content": "", "tool_calls": [{"function": CALL}]},
        "done": True,
        "done_reason": "stop",
    },
    "/v1/chat/completions": {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [{"id": "call_1", "type": "function", "function": CALL_AS_TEXT}],
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": USAGE,
    },
    "/v1/messages": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "tiny",
        "content": [
            {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"city": "Oslo"}}
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 2},
    },
}


NDJSON = "application/x-ndjson"


class Exchange:
    """One request that came, and the test's hand on its answer."""

    def __init__(self, node, connection, head, body):
        self.node = node
        self.socket = connection
        self.head = head
        self.body = body
        self.method, self.target = head.decode("latin-1").split(" ", 2)[:2]

    def json(self):
        return json.loads(self.body)

    def field(self, name):
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None

    def send(self, data):
        self.socket.sendall(data)

    def reply(self, body, status="200 OK", content_type="application/json; charset=utf-8", more=""):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send(
            f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(data)}\r\n{more}\r\n".encode() + data
        )

    def begin(self, content_type=NDJSON):
        self.send(
            f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )

    def chunk(self, data):
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def line(self, **values):
        self.chunk(json.dumps(values).encode() + b"\n")

    def end(self):
        self.send(b"0\r\n\r\n")

    def close(self):
        """Ends the connection by FIN."""
        self.socket.shutdown(socket.SHUT_RDWR)

    def reset(self):
        """Ends it by RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.node.drop(self.socket)

    def wait_gone(self):
        """When the gateway closed the connection, in ms."""
        self.socket.settimeout(LIMIT_S)
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
        return now_ms()


class HeldStream:
    """A play: three lines of a stream, and its end once it is let go."""

    LINES = 3

    def __init__(self, **last):
        self.last = last
        self.go = threading.Semaphore(0)

    def __call__(self, exchange):
        exchange.begin()
        for i in range(self.LINES):
            exchange.line(model="tiny", response=f"{i}", done=False)
        assert self.go.acquire(timeout=LIMIT_S)
        exchange.line(model="tiny", response="", done=True, **self.last)
        exchange.end()

    def read_lines(self, client):
        """The answer up to where it is held; the pieces of the rest."""
        pieces = client.read_pieces(client.read_head())
        text = b""
        while text.count(b"\n") < self.LINES:
            text += next(pieces)
        return pieces


class FakeNode:
    """`play(exchange)` answers what the gateway forwards; it runs in a thread of the connection.
    Without one, the node gives a fixed answer for the route. `loaded`: what it holds when it
    starts, by default all; the gateway's own loads and unloads succeed at once."""

    def __init__(
        self,
        play=None,
        models=("tiny:latest",),
        loaded=None,
        reuse=True,
        host="127.0.0.1",
        tls=None,
    ):
        self.play = play or self.answer
        self.models = list(models)
        self.loaded = list(models if loaded is None else loaded)
        self.orders = []  # the gateway's own requests, probes left out
        self.silent = False  # probes get no answer
        self.tls = tls  # a context of ssl: it speaks that
        self.reuse = reuse  # probes leave their connections for requests
        self.exchanges = []
        self.in_hand = 0
        self.most_in_hand = 0
        self.waiter = Waiter()
        self.open = set()
        self.looks = 0  # at /api/ps
        self.failures = []
        self.server = None
        self.address = host
        self.port = 0
        self.start()

    # what a test looks at

    @property
    def requests(self):
        """(head, body) of each request as it came, probes left out."""
        return [(e.head, e.body) for e in self.exchanges]

    def wait_exchanges(self, count):
        """The exchanges, once there are so many."""
        return self.waiter.until(
            lambda: self.exchanges[:] if len(self.exchanges) >= count else None,
            f"{count} requests at a node; it saw {len(self.exchanges)}",
        )

    def wait_looks(self, more):
        """Until the gateway has asked so many times more what is loaded."""
        count = self.looks + more
        self.waiter.until(lambda: self.looks >= count, f"{more} looks at a node")

    def wait_in_hand(self, count):
        self.waiter.until(lambda: self.in_hand == count, f"{count} requests under way at a node")

    # its life

    def start(self):
        """Listens; a second time on the same port."""
        node = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                node.serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128

            def shutdown_request(self, request):
                node.drop(request)

        self.server = Server((self.address, self.port), Handler)
        self.port = self.server.server_address[1]
        self.host = f"{self.address}:{self.port}"
        self.url = f"{'https' if self.tls else 'http'}://{self.host}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def halt(self):
        """As if the process had died: nothing listens, all connections break."""
        self.server.shutdown()
        self.server.server_close()
        with self.waiter.changed:
            connections = list(self.open)
        for connection in connections:
            try:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.halt()
        assert not self.failures, self.failures

    def drop(self, connection):
        with self.waiter.changed:
            self.open.discard(connection)
            descriptor = connection.detach()  # close() would wait for the reader's half
        if descriptor >= 0:
            os.close(descriptor)

    # serving

    def serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            try:
                connection = self.tls.wrap_socket(connection, server_side=True)
            except OSError:
                return  # the gateway refused it
        with self.waiter.changed:
            self.open.add(connection)
        reader = connection.makefile("rb")
        try:
            while self.serve_one(connection, reader):
                pass
        except OSError:
            pass  # the gateway left, or the test ended the connection
        except Exception as e:  # a mistake in a test's play must fail the test
            self.failures.append(repr(e))
            raise

    def serve_one(self, connection, reader):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = reader.readline()
            if not line:
                return False
            head += line
        exchange = Exchange(self, connection, head, self.read_body(head, reader))
        probe = self.probe_answer(exchange)
        if exchange.target == "/api/ps":
            with self.waiter.changed:
                self.looks += 1
                self.waiter.changed.notify_all()
        if probe is not None:
            if self.silent:
                exchange.wait_gone()
                return False
            exchange.reply(probe, more="" if self.reuse else "Connection: close\r\n")
            return self.reuse
        if exchange.field("user-agent") == "drover":
            self.obey(exchange)
            return True
        with self.waiter.changed:
            self.exchanges.append(exchange)
            self.in_hand += 1
            self.most_in_hand = max(self.most_in_hand, self.in_hand)
            self.waiter.changed.notify_all()
        try:
            self.play(exchange)
        finally:
            with self.waiter.changed:
                self.in_hand -= 1
                self.waiter.changed.notify_all()
        return connection.fileno() >= 0

    @staticmethod
    def read_body(head, reader):
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            elif name.lower() == b"transfer-encoding":
                body = b""
                while size := int(reader.readline().split(b";")[0], 16):
                    body += reader.read(size)
                    reader.readline()
                reader.readline()
                return body
        return reader.read(length)

    def obey(self, exchange):
        """An order: a load, or with keep_alive 0 an unload."""
        asked = exchange.json()
        with self.waiter.changed:
            self.orders.append(asked)
            if asked.get("keep_alive") == 0:
                self.loaded = [name for name in self.loaded if name != asked["model"]]
            elif asked["model"] not in self.loaded:
                self.loaded.append(asked["model"])
            self.waiter.changed.notify_all()
        exchange.reply({"model": asked["model"], "response": "", "done": True})

    def probe_answer(self, exchange):
        """What the gateway asks by itself; None for a client's request."""
        if exchange.method != "GET":
            return None
        names = {
            "/api/tags": self.models,
            "/api/ps": self.loaded,
        }
        if exchange.target in names:
            rows = [{"name": name, "model": name} for name in names[exchange.target]]
            return {"models": rows}
        return {"version": "0.24.0"} if exchange.target == "/api/version" else None

    @staticmethod
    def answer(exchange):
        exchange.reply(ANSWERS.get(exchange.target.split("?")[0], {}))
