"""The gateway under test, with its configuration."""

import json
import re

from . import wire
from .program import Program


class Gateway(Program):
    """`backends` are nodes (whose URLs are taken) or rows of the configuration; None: it shall
    find its own. `settings` come before the `usual` ones of all tests. `launcher`: words before the command, which end by becoming it."""

    # On a crowded machine a node may be slow; that alone shall not take it down.
    usual = {"health": {"timeout": "20s"}}

    def __init__(self, binary, folder, backends, settings=None, env=None, arguments=(), launcher=()):
        free = {"listen": ["127.0.0.1:0"], "admin": "127.0.0.1:0"}
        config = {**free, **self.usual, **(settings or {})}
        if backends is not None:
            config["backends"] = [b if isinstance(b, dict) else {"url": b.url} for b in backends]
        self.has_admin = config["admin"] != "off"
        rows = config.get("backends", [])
        self.names = [row.get("name", row["url"].split("//")[1].split("/")[0]) for row in rows]
        self.file = folder / "drover.yaml"
        # JSON is YAML, so that no writer of YAML is needed here.
        self.config = config
        self.file.write_text(json.dumps(config, indent=1))
        command = [*launcher, binary, "-c", self.file, *arguments]
        super().__init__("drover", command, env=env, cwd=folder)
        # Sanitizers pad what is held, and keep for a while what was freed.
        self.memory_factor = 4 if b"__asan_init" in binary.read_bytes() else 1

    def wait_listening(self):
        self.urls = self.wait_line(r"listening on ([^\"]+)").group(1).split()
        self.url = self.urls[0]
        self.admin = None
        if self.has_admin:
            self.admin = self.wait_line(r"admin API on ([^\s\"]+)").group(1)

    def wait_ready(self):
        """Until every node that it was told of is up, and so can be chosen."""
        for name in self.names:
            self.wait_line(rf"{re.escape(name)}.*is up")
        if not self.names:  # its own choice: asked for what nobody has, it asks them first
            assert self.post("/api/generate", {"model": "no-such-model"}).status == 404

    def get(self, path, headers=()):
        return wire.get(self.url, path, headers)

    def post(self, path, body=None, headers=()):
        return wire.post(self.url, path, body, headers)
