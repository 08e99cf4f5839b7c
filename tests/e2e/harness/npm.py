"""Client libraries from npm, each in a process of its own that is started once."""

import json
import pathlib
import subprocess

JS = pathlib.Path(__file__).resolve().parents[1] / "js"

started = {}


def process_of(library):
    if library not in started:
        started[library] = subprocess.Popen(
            ["node", f"{library}.mjs"],
            cwd=JS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    return started[library]


def call(library, url, spec):
    """{"answer"}, {"parts"} or {"error"}; see js/serve.mjs."""
    process = process_of(library)
    process.stdin.write(json.dumps({"url": url, **spec}) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    assert line, f"{library}.mjs ended with {process.wait()}"
    return json.loads(line)


def finish():
    while started:
        _, process = started.popitem()
        process.stdin.close()
        process.wait()
