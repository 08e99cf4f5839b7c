"""What the end-to-end tests stand on: the real programs, a raw client, events to wait for."""

import json
import pathlib
import subprocess

from .program import LIMIT_S

JS = pathlib.Path(__file__).resolve().parents[1] / "js"


def node_call(library, url, spec):
    """A call of a client library from npm: {"answer"}, {"parts"} or {"error"}; see js/."""
    done = subprocess.run(
        ["node", f"{library}.mjs", url, json.dumps(spec)],
        cwd=JS,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
