"""The simulated Ollama, and what a test may ask of it beside Ollama's routes."""

from . import wire
from .program import LISTENING, Program


class Node(Program):
    """`models` are descriptions as --model takes them. Options: parallel=4, max_loaded=1, ..."""

    def __init__(self, binary, folder, models, **options):
        command = [binary, "--listen", "127.0.0.1:0"]
        for model in models:
            command += ["--model", model]
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        super().__init__("drover-node", command, cwd=folder)
        self.url = self.wait_line(LISTENING.pattern).group(1)

    def state(self):
        return wire.get(self.url, "/sim/state").json()
