"""The simulated Ollama, and what a test may ask of it beside Ollama's routes."""

from . import wire
from .program import LIMIT_S, LISTENING, Program

PROBES = ("/api/version", "/api/tags", "/api/ps")


class Node(Program):
    """`models` are descriptions as --model takes them. Options: parallel=4, max_loaded=1, ..."""

    def __init__(self, binary, folder, models, **options):
        command = [binary, "--listen", "127.0.0.1:0"]
        for model in models:
            command += ["--model", model]
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        super().__init__("drover-node", command, cwd=folder)

    def wait_listening(self):
        self.url = self.wait_line(LISTENING.pattern).group(1)

    def control(self, path, **values):
        answer = wire.post(self.url, f"/sim/{path}", values)
        assert answer.status == 200, answer

    def gate(self, name, at):
        """Requests whose prompt says gate:NAME stop there until it is opened; or those for the
        model NAME, the gateway's own loads among them."""
        self.control("gate", name=name, at=at)

    def open(self, name, times=None):
        self.control("gate/open", name=name, **({} if times is None else {"times": times}))

    def fault(self, kind, **more):
        self.control("fault", kind=kind, **more)

    def counts(self):
        return wire.get(self.url, "/sim/state").json()["counts"]

    def wait(self, event, count=None, most=None):
        """Until a counter is at least `count`, or at most `most`."""
        bound = f"count={count}" if most is None else f"most={most}"
        answer = wire.get(self.url, f"/sim/wait?event={event}&{bound}&timeout={int(LIMIT_S)}s")
        assert answer.status == 200, f"{event} did not reach {bound}: {answer.body}"
        return answer.json()

    def requests(self):
        """What it saw, as its journal has it; the gateway's own questions left out."""
        return [row for row in self.log_rows() if not self.is_own(row)]

    def orders(self):
        """What the gateway told it by itself, probes left out: loads and unloads."""
        return [r for r in self.log_rows() if self.is_own(r) and r["target"] not in PROBES]

    def log_rows(self):
        return wire.get(self.url, "/sim/log").json()["requests"]

    @staticmethod
    def is_own(row):
        return row["target"] in PROBES or ["User-Agent", "drover"] in row["headers"]
