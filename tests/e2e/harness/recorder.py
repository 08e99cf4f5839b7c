"""A node that writes down, byte for byte, what it was sent.

Where a test is about the form in which a request is forwarded, the simulated node's own reading
of it would hide the very thing that is to be seen.
"""

import json
import socketserver
import threading

from .program import Waiter

MODELS = ["tiny:latest"]
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


class Recorder:
    def __init__(self):
        self.requests = []  # (head, body) as they came, probes left out
        self.waiter = Waiter()
        recorder = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                while recorder.serve(self.rfile, self.wfile):
                    pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.host = "127.0.0.1:%d" % self.server.server_address[1]
        self.url = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def serve(self, reader, writer):
        """One request; False when the connection is over."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            try:
                line = reader.readline()
            except ConnectionError:
                return False
            if not line:
                return False
            head += line
        body = self.read_body(head, reader)
        target = head.split(b" ", 2)[1].decode("latin-1")
        answer = self.answer_of(head.split(b" ", 1)[0], target)
        if answer is None:
            with self.waiter.changed:
                self.requests.append((head, body))
                self.waiter.changed.notify_all()
            answer = ANSWERS.get(target.split("?")[0], {})
        data = json.dumps(answer).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
            b"Content-Length: %d\r\n\r\n" % len(data) + data
        )
        writer.flush()
        return True

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

    @staticmethod
    def answer_of(method, target):
        """What the gateway asks by itself; None for a client's request."""
        if method != b"GET":
            return None
        return {
            "/api/version": {"version": "0.24.0"},
            "/api/tags": {"models": [{"name": name, "model": name} for name in MODELS]},
            "/api/ps": {"models": []},
        }.get(target)
