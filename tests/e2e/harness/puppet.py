"""In the place of a gateway, for the dashboard alone: its real files, and events that a test plays
as fast as the page takes them. Every request lives for a few snapshots only."""

import http.server
import json
import threading

from .program import LIMIT_S, Waiter

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
LIVES = 5  # snapshots
POINTS = 360


def request(number, now, waits):
    age = 1000 * (now - number // 8)
    return {
        "id": f"request-{number}-of-many",
        "key": f"somebody-{number % 7}",
        "model": "registry.example/a-long-name/of-a-model:72b-instruct-q4_K_M",
        "route": "/api/chat",
        "state": "queued" if waits else "running",
        "class": "normal",
        "position": number % 8 if waits else None,
        "eta_ms": 12345 if waits else None,
        "loading_on": "a-workstation-with-a-long-name" if waits and number % 3 == 0 else None,
        "waited_ms": 500,
        "ttft_ms": None if waits else 321,
        "tokens": None if waits else 10 * age // 1000,
        "age_ms": age,
        "backend": None if waits else "a-workstation-with-a-long-name",
    }


def model(name, **more):
    return {"name": name, "state": "loaded", "slots": 4, "busy": 2, **more}


class Puppet:
    WAITING = 8

    def __init__(self, web, paused=False):
        self.web = web
        self.waiter = Waiter()
        self.turn = 0
        self.played = 0 if paused else 1
        self.stopped = False
        puppet = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                puppet.answer(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def version(self):
        return f"turn-{self.played}"

    def stop(self):
        with self.waiter.changed:
            self.stopped = True
            self.waiter.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()

    def play(self, turns):
        with self.waiter.changed:
            self.played += turns
            self.waiter.changed.notify_all()

    def answer(self, handler):
        if handler.path == "/admin/v1/events":
            self.stream(handler)
            return
        name = "index.html" if handler.path == "/" else handler.path.removeprefix("/web/")
        file = self.web / name
        data = file.read_bytes()
        handler.send_response(200)
        handler.send_header("Content-Type", TYPES[file.suffix])
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def stream(self, handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Connection", "close")
        handler.end_headers()
        try:
            self.tell(handler, "history", self.history(0, POINTS))
            turn = 0
            while not self.stopped:
                while turn < self.played:
                    turn += 1
                    self.tell_turn(handler, turn)
                with self.waiter.changed:
                    self.waiter.changed.wait(LIMIT_S)
        except OSError:
            pass  # the page has left

    def tell(self, handler, name, data):
        handler.wfile.write(f"event: {name}\nid: 1\ndata: {json.dumps(data)}\n\n".encode())

    def tell_turn(self, handler, turn):
        self.tell(handler, "state", self.state(turn))
        self.tell(handler, "history", self.history(POINTS + turn - 1, 1))
        self.tell(handler, "recent", {"rows": [self.recent(turn)]})

    def history(self, first, count):
        names = (
            "tokens first_p50_ms first_p95_ms waiting running cache_asked cache_hits ended failed"
        )
        points = {name: [(first + i) % 50 + 1 for i in range(count)] for name in names.split()}
        return {"step_ms": 10000, "first": first, **points}

    def recent(self, turn):
        row = request(turn, turn, False)
        more = {"status": 502, "end": "backend error", "reason": None, "took_ms": 12}
        return {**row, **more, "number": turn, "at_ms": 1e12 + turn, "kind": "failed"}

    def state(self, turn):
        first = 8 * turn
        waiting = [request(first + i, turn, True) for i in range(self.WAITING)]
        running = [request(8 * (turn - turn % LIVES) - 8 + i, turn, False) for i in range(6)]
        limit = {"limit": 120, "remaining": turn % 20, "reset_ms": 1}
        limits = {"requests_per_minute": limit, "tokens_per_minute": None, "concurrent": None}
        node = {
            "url": "http://a-workstation-with-a-long-name.example:11434",
            "state": "up",
            "weight": 1,
            "slots": 4,
            "busy": turn % 5,
            "breaker": "open",
            "version": "0.24.0",
            "models": [
                model("registry.example/a-long-name/of-a-model:72b-instruct-q4_K_M"),
                model(f"model-{turn}", state="loading", loading_ms=400, load_expected_ms=900),
            ],
        }
        return {
            "version": f"turn-{turn}",
            "began_at_ms": 1e12,
            "draining": False,
            "queue": {"size": 512, "waiting": len(waiting), "by_class": {}, "oldest_ms": 1},
            "running": len(running),
            "backends": [{**node, "name": f"a-workstation-with-a-long-name-{i}"} for i in range(3)],
            "cache": {},
            "requests": {
                "waiting": waiting,
                "waiting_left_out": 3,
                "running": running,
                "running_left_out": 0,
            },
            "keys": [
                {"name": f"key-{i}", "is_key": True, "admin": i == 0, "requests": 1, "burst": 20}
                | {"limits": limits}
                for i in range(5)
            ],
            "keys_left_out": 0,
        }
