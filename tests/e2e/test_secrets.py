"""What is secret is nowhere: neither keys nor prompts nor answers are in what the gateway says of
itself, on any route, whatever went wrong, at any level of its log."""

import json
import os
import pathlib
import resource
import signal
import subprocess

import harness
import pytest
from harness import fake, wire
from test_keys import FORM_TYPE, ROUTES, TAILS, admin_routes, bearer

RIGHT, WRONG, NODE = "dk-planted-right", "dk-planted-wrong", "dk-planted-node"
PROMPT, ANSWER = "planted-prompt", "planted-answer"
SECRETS = [text.encode() for text in (RIGHT, WRONG, NODE, PROMPT, ANSWER)]
LIMIT_S = wire.LIMIT_S


def planted_in(value):
    """The same body with secret words."""
    if isinstance(value, dict):
        return {k: v if k == "model" else planted_in(v) for k, v in value.items()}
    if isinstance(value, list):
        return [planted_in(v) for v in value]
    return value.replace("hello", PROMPT) if isinstance(value, str) else value


def rude(exchange):
    """What a node does with a request says its prompt."""
    body = exchange.body.decode("utf-8", "replace")
    if "do:refuse" in body:
        exchange.reply({"error": f"no {ANSWER} to {PROMPT}"}, "500 Internal Server Error")
    elif "do:break" in body:
        exchange.begin()
        exchange.line(response=ANSWER, done=False)
        exchange.close()
    elif "do:nonsense" in body:
        exchange.send(f"HTTP/9 {ANSWER}\r\nX: {PROMPT}\r\n\r\n{ANSWER}".encode())
    elif "do:header" in body:
        exchange.send(f"HTTP/1.1 200 OK\r\n{ANSWER} {PROMPT}\r\n\r\n".encode())
    elif "do:chunk" in body:
        exchange.begin()
        exchange.send(f"{ANSWER}\r\n{PROMPT}\r\n".encode())
    elif exchange.method == "HEAD":
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    else:
        known = fake.ANSWERS.get(exchange.target, {"model": "tiny", "done": True})
        exchange.reply({**known, "response": ANSWER})


class Ear:
    """All that the gateway says of itself."""

    def __init__(self):
        self.said = []

    def hear(self, answer):
        """Headers of any answer; bodies of refusals."""
        self.said.append(repr(answer.headers).encode())
        if answer.status >= 400 and answer.header("x-drover-backend") is None:
            self.said.append(answer.body)


@pytest.fixture
def guarded(stage, tmp_path, request):
    level, form = request.param
    node = stage.fake(rude)
    keys = [
        {"name": "root", "key": "${PLANTED}", "admin": True, "requests_per_minute": 100000},
        {"name": "bound", "key": "dk-bound-0000", "requests_per_minute": 1},
    ]
    settings = {
        "keys": keys,
        "state": str(tmp_path),
        "log": {"level": level, "format": form, "slow": "1ms"},
        "manage": "all",
        "breaker": {"failures": 1000},
        "cache": {"mode": "all", "max_entry": "64KiB"},
        "aliases": {"other": "tiny"},
    }
    rows = [{"url": node.url, "api_key": NODE}]
    return node, stage.gateway(rows, settings, env={"PLANTED": RIGHT}), tmp_path


def headers_of_all_kinds():
    right, wrong = bearer(RIGHT), bearer(WRONG)
    return [
        right,
        [("X-Api-Key", RIGHT)],
        wrong,
        [("X-Api-Key", WRONG)],
        right + wrong,
        right + [("X-Api-Key", WRONG)],
        [("Authorization", f"Basic {RIGHT}")],
        [("Cookie", f"key={RIGHT}"), ("Authorization", RIGHT)],
        right + [("Origin", "http://evil.example")],
        right + [("Host", "evil.example")],
        right + [("X-Drover-Timeout", "1ms")],
        right + [("X-Drover-Priority", "none")],
    ]


def use_every_route(gateway, ear):
    for (method, path), (_, body) in ROUTES.items():
        target = path.replace("*", TAILS.get(path, "thing")) + f"?prompt={PROMPT}&key={WRONG}"
        data = body if isinstance(body, bytes) else planted_in(body)
        for headers in headers_of_all_kinds():
            more = FORM_TYPE if isinstance(body, bytes) else []
            ear.hear(wire.ask(gateway.url, method, target, data, headers + more))


def use_every_admin_route(gateway, ear):
    for method, path in admin_routes():
        target = path.replace("*", "thing") + f"?key={RIGHT}&prompt={PROMPT}"
        for headers in (bearer(WRONG), [("X-Api-Key", RIGHT)], bearer(RIGHT), []):
            for body in (None, {"model": "tiny", "key": RIGHT, "prompt": PROMPT}, f"no {PROMPT}"):
                with wire.Wire(gateway.admin) as client:
                    data = None if method == "GET" else body
                    client.request(method, target, data, headers)
                    answer = client.read_head()
                    ear.said.append(repr(answer.headers).encode())
                    # A name that was asked for is named when it is not found.
                    if answer.status < 400 and "event-stream" not in answer.header("content-type"):
                        ear.said += client.read_pieces(answer, method)


def go_wrong(gateway, ear):
    right = bearer(RIGHT)
    for what in ("refuse", "break", "nonsense", "header", "chunk"):
        for stream in (False, True):
            with wire.Wire(gateway.url) as client:
                body = harness.run(f"{PROMPT} do:{what} {stream}", stream=stream)
                client.request("POST", "/api/generate", body, right)
                ear.said.append(repr(client.read_head().headers).encode())
    for body in (
        f'{{"prompt": "{PROMPT}" oops',
        f'{{"prompt": "{PROMPT}", "model": "none-of-them"}}',
        f'{{"prompt": "{PROMPT}", "MODEL": "x"}}',
        f'{{"prompt": "{PROMPT}", "model": 5, "key": "{RIGHT}"}}',
        f'{{"model":"tiny","prompt":"{PROMPT}","stream":"{PROMPT}"}}',
        f'{{"model":"tiny","prompt":"{PROMPT}","options":{{"num_ctx":1,"num_ctx":"{PROMPT}"}}}}',
        "[" * 200 + f'"{PROMPT}"',
        f"{PROMPT}",
    ):
        for path in ("/api/generate", "/v1/chat/completions", "/v1/messages"):
            ear.hear(gateway.post(path, body, right))
    for _ in range(2):
        ear.hear(gateway.post("/api/generate", harness.run(PROMPT), bearer("dk-bound-0000")))
    for raw in (
        f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {RIGHT}\r\nAuthorization : {RIGHT}\r\n\r\n",
        f"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {RIGHT}\r\n"
        f"Transfer-Encoding: chunked\r\n\r\n{PROMPT}\r\n",
        f"{RIGHT} {PROMPT}\r\n\r\n",
        f"GET /{'x' * 9000} HTTP/1.1\r\nAuthorization: Bearer {RIGHT}\r\n\r\n",
        f"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {RIGHT}\r\n"
        f"X-Big: {'x' * 40000}\r\n\r\n",
    ):
        with wire.Wire(gateway.url) as client:
            client.send(raw.encode())
            ear.hear(client.read_answer())


@pytest.mark.parametrize("guarded", [("debug", "text"), ("debug", "json")], indirect=True, ids=str)
def test_what_is_secret_is_nowhere(guarded):
    node, gateway, state = guarded
    ear = Ear()
    go_wrong(gateway, ear)
    use_every_route(gateway, ear)
    use_every_admin_route(gateway, ear)
    # The secrets were there to be told.
    sent = b"".join(x.head + x.body for x in node.exchanges)
    assert PROMPT.encode() in sent and NODE.encode() in sent and RIGHT.encode() not in sent
    assert len(ear.said) > 1000
    ear.said.append(pathlib.Path(f"/proc/{gateway.pid}/cmdline").read_bytes())
    gateway.stop()
    ear.said.append(gateway.log().encode())
    files = sorted(state.rglob("*"))
    assert any(path.name.startswith("usage.db") for path in files)
    for path in files:
        # The answers that are kept are on disk, since they outlive a restart.
        data = path.read_bytes() if path.is_file() and path.suffix != ".yaml" else b""
        ear.said.append(data.replace(ANSWER.encode(), b"") if "cache" in path.name else data)
    for secret in SECRETS:
        told = [text for text in ear.said if secret in text]
        assert not told, (secret, told[:3])


def test_no_core_file_is_left_of_a_crash(stage, tmp_path):
    """Where the system would write one: of a program that does not mind it does."""

    def leaves_core(process):
        process.send_signal(signal.SIGABRT)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = -signal.SIGABRT
        return os.WCOREDUMP(status)

    def unlimited():
        most = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))

    other = subprocess.Popen(["cat"], stdin=subprocess.PIPE, cwd=tmp_path, preexec_fn=unlimited)
    would = leaves_core(other)
    other.stdin.close()
    gateway = stage.gateway([stage.fake()])
    most = resource.prlimit(gateway.pid, resource.RLIMIT_CORE)[1]
    resource.prlimit(gateway.pid, resource.RLIMIT_CORE, (most, most))
    if gateway.memory_factor == 1:
        assert not leaves_core(gateway.process), f"another program would: {would}"
        gateway.wait_exit()
