"""The gateway under test, with its configuration."""

import json

from . import wire
from .program import LISTENING, Program


class Gateway(Program):
    """`backends` are nodes (whose URLs are taken) or rows of the configuration."""

    def __init__(self, binary, folder, backends, settings=None, env=None, ready=True):
        rows = [b if isinstance(b, dict) else {"url": b.url} for b in backends]
        # JSON is YAML, so that no writer of YAML is needed here.
        config = {"listen": ["127.0.0.1:0"], "backends": rows, **(settings or {})}
        self.file = folder / "drover.yaml"
        self.file.write_text(json.dumps(config, indent=1))
        super().__init__("drover", [binary, "-c", self.file], env=env, cwd=folder)
        self.urls = self.wait_line(LISTENING.pattern + "(.*)").group(0).split()[2:]
        self.url = self.urls[0]
        if ready:
            self.wait_ready()

    def wait_ready(self):
        """A model that nobody has is refused only once every node has been asked what it has."""
        answer = self.post("/api/show", {"model": "no-such-model"})
        assert answer.status == 404, answer
        assert self.get("/readyz").status == 200

    def get(self, path, headers=()):
        return wire.get(self.url, path, headers)

    def post(self, path, body=None, headers=()):
        return wire.post(self.url, path, body, headers)
