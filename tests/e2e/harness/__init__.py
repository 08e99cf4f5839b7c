"""What the end-to-end tests stand on: the real programs, a raw client, events to wait for."""

import concurrent.futures
import os
import pathlib
import threading

from . import wire

# A right body, without its model, for each route that runs one.
RUNS = {
    "/api/generate": {"prompt": "hello"},
    "/api/chat": {"messages": [{"role": "user", "content": "hello"}]},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hello"}]},
    "/v1/completions": {"prompt": "hello"},
    "/v1/responses": {"input": "hello"},
    "/v1/messages": {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 16},
    "/api/embed": {"input": "hello"},
    "/api/embeddings": {"prompt": "hello"},
    "/v1/embeddings": {"input": "hello"},
}


def activate_path():
    """The launcher that gives sockets."""
    return pathlib.Path(__file__).with_name("activate.py")


def clean_environment(more=None):
    """For a program that shall see nothing of the tests' but whom to trust."""
    kept = {name: os.environ[name] for name in ("SSL_CERT_FILE",) if name in os.environ}
    return {"PATH": "/usr/bin:/bin", **kept, **(more or {})}


def later(work, *arguments, **named):
    """The work in a thread of its own; what it gave is had by result()."""
    future = concurrent.futures.Future()

    def run():
        try:
            future.set_result(work(*arguments, **named))
        except BaseException as e:
            future.set_exception(e)

    threading.Thread(target=run, daemon=True).start()
    return future


def body_for(path, model="tiny", **more):
    """A right body for a route that runs a model."""
    return {"model": model, **RUNS[path], **more}


def run(prompt="hello", **more):
    """A body for /api/generate."""
    return {"model": "tiny", "prompt": prompt, "stream": False, **more}


def turn(gateway):
    """Returns once the gateway's loop has turned: what was sent before has been read."""
    with wire.Wire(gateway.url) as client:
        for _ in range(2):
            client.request("GET", "/healthz")
            assert client.read_answer().status == 200
