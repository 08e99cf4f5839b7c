"""The load generator, and what it found."""

import json

from .program import Program


class Bench(Program):
    """`target`: a node or a gateway; None: the arguments say it. It ends by itself."""

    def __init__(self, binary, folder, target, arguments):
        self.file = folder / "result.json"
        command = [binary, "--save", self.file, *arguments]
        if target is not None:
            command += ["--url", target.url]
        super().__init__("drover-bench", command, cwd=folder)

    def result(self, code=0):
        """What it saved, once it has ended as it should."""
        assert self.wait_exit() == code, self.log()
        return json.loads(self.file.read_text())
