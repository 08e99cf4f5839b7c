"""A list of requests that is asked before anybody wants the answers."""

import contextlib
import json
import os
import pty
import re
import subprocess
import threading

import harness
import pytest
from conftest import find_program
from harness import wire

LIMIT_S = wire.LIMIT_S
SURE = {"options": {"temperature": 0, "num_predict": 8}}


@pytest.fixture
def warm(request, tmp_path):
    """Runs `drover warm --prompts` over lines to its end."""

    def call(gateway, *lines, arguments=("--prompts", "list"), env=None):
        text = "".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in lines)
        url = {} if gateway is None else {"DROVER_URL": gateway.url}
        (tmp_path / "list").write_text(text)
        return subprocess.run(
            [find_program(request.config, "drover"), "warm", *arguments],
            capture_output=True,
            text=True,
            input=text,
            cwd=tmp_path,
            env=harness.clean_environment({**url, **(env or {})}),
            timeout=LIMIT_S,
        )

    return call


def sums(done):
    """hits, misses, not kept, failed; the first number is theirs together."""
    words = re.fullmatch(
        r"(\d+) asked: (\d+) hits, (\d+) misses, (\d+) not kept, (\d+) failed, in \d+\.\d s\n",
        done.stdout,
    )
    total, *parts = map(int, words.groups())
    assert total == sum(parts)
    return tuple(parts)


@pytest.fixture
def pair(stage):
    node = stage.node("tiny", "embedder,embed", parallel=8)
    return node, stage.gateway([{"url": node.url, "parallel": 8}])


def prompt(text, **more):
    return {"model": "tiny", "prompt": text, **SURE, **more}


def test_who_asks_after_it_gets_what_is_kept(pair, warm):
    node, gateway = pair
    chat = {"model": "tiny", "messages": [{"role": "user", "content": "hello"}]}
    lines = [
        *(prompt(f"number {i}") for i in range(9)),
        {**chat, **SURE},
        {"model": "embedder", "input": "hello"},
        {"path": "/v1/chat/completions", "body": {**chat, "seed": 1, "max_tokens": 8}},
    ]
    done = warm(gateway, *lines)
    assert (done.returncode, done.stderr) == (0, "")
    assert sums(done) == (0, 12, 0, 0)
    for path, body in (
        ("/api/generate", prompt("number 8")),
        ("/api/generate", prompt("number 0", stream=False)),
        ("/api/chat", lines[9]),
        ("/api/embed", lines[10]),
        ("/v1/chat/completions", lines[11]["body"]),
    ):
        answer = gateway.post(path, body)
        assert (answer.status, answer.header("X-Drover-Cache")) == (200, "hit"), path
    assert len(node.requests()) == 12
    again = warm(gateway, *lines)
    assert (again.returncode, sums(again)) == (0, (12, 0, 0, 0))
    assert len(node.requests()) == 12


def test_they_are_of_the_lowest_class(stage, warm):
    gate = threading.Event()

    def play(exchange):
        assert gate.wait(LIMIT_S)
        exchange.node.answer(exchange)

    node = stage.fake(play)
    gateway = stage.gateway([{"url": node.url, "parallel": 1}])
    first = harness.later(gateway.post, "/api/generate", harness.run("first"))
    node.wait_exchanges(1)
    done = harness.later(warm, gateway, *(prompt(f"number {i}") for i in range(6)))
    classes = []
    while len(classes) < 5 or None in classes:
        assert not done.done(), done.result()
        rows = wire.get(gateway.admin, "/admin/v1/requests").json()
        classes = [row["class"] for row in rows]
    gate.set()
    assert first.result(LIMIT_S).status == 200
    assert sums(done.result(LIMIT_S)) == (0, 6, 0, 0)
    # The first, and no more than four of the list.
    assert sorted(classes) == ["low"] * 4 + ["normal"]


def test_standard_input_will_do(pair, warm):
    _, gateway = pair
    done = warm(gateway, prompt("a"), "", "{", arguments=("--prompts", "-", "--url", gateway.url))
    assert (done.returncode, sums(done)) == (1, (0, 1, 0, 1))
    assert done.stderr.startswith("standard input:3: ")


def test_a_bad_line_and_a_refused_request_do_not_keep_the_others(pair, warm):
    node, gateway = pair
    done = warm(
        gateway,
        prompt("a"),
        "what is this?",
        {"model": "none", "prompt": "b"},
        {"path": "/api/tags", "body": {}},
        prompt("c"),
    )
    assert (done.returncode, sums(done)) == (1, (0, 2, 0, 3))
    said = dict(line.split(": ", 1) for line in done.stderr.splitlines())
    assert set(said) == {"list:2", "list:3", "list:4"}
    assert "'none' not found" in said["list:3"]
    assert said["list:4"] == "no model is run by /api/tags"
    assert len(node.requests()) == 2


def test_what_is_not_deterministic_is_not_kept(pair, warm):
    _, gateway = pair
    done = warm(gateway, {"model": "tiny", "prompt": "a"})
    assert (done.returncode, sums(done)) == (0, (0, 0, 1, 0))


def test_a_stream_that_breaks_off_has_failed(stage, warm):
    def play(exchange):
        exchange.begin()
        exchange.line(model="tiny", response="half", done=False)
        exchange.close()

    node = stage.fake(play)
    gateway = stage.gateway([node])
    done = warm(gateway, prompt("a", stream=True))
    assert (done.returncode, sums(done)) == (1, (0, 0, 0, 1))
    assert done.stderr.startswith("list:1: ")


def test_a_full_queue_is_waited_for(stage, warm):
    """One request runs, one waits, and no more may."""
    gate = threading.Event()

    def play(exchange):
        assert gate.wait(LIMIT_S)
        exchange.node.answer(exchange)

    node = stage.fake(play)
    gateway = stage.gateway([{"url": node.url, "parallel": 1}], {"queue": {"size": 1}})
    clients = []
    for text in ("one", "two"):
        client = wire.Wire(gateway.url)
        client.request("POST", "/api/generate", harness.run(text))
        harness.turn(gateway)
        clients.append(client)
    mark = gateway.mark()
    done = harness.later(warm, gateway, prompt("a"))
    gateway.wait_line("route=/api/generate .*status=503", mark)
    gate.set()
    for client in clients:
        assert client.read_answer().status == 200
    done = done.result(LIMIT_S)
    assert (done.returncode, done.stderr, sums(done)) == (0, "", (0, 1, 0, 0))


def test_it_does_not_wait_forever(stage, warm):
    """Played without a gateway, so that the waits are short."""

    def play(exchange):
        exchange.reply({"error": "busy"}, "503 Service Unavailable", more="Retry-After-Ms: 1\r\n")

    node = stage.fake(play)
    done = warm(node, prompt("a"), prompt("b"))
    assert (done.returncode, sums(done)) == (1, (0, 0, 0, 2))
    assert sorted(done.stderr.splitlines()) == ["list:1: busy", "list:2: busy"]
    bodies = [body for _, body in node.requests]
    assert len(bodies) == 20 and len(set(bodies)) == 2


def test_who_says_nothing_of_coming_again_is_not_asked_again(stage, warm):
    def play(exchange):
        exchange.reply({"error": "no"}, "503 Service Unavailable")

    node = stage.fake(play)
    done = warm(node, prompt("a"))
    assert (done.returncode, done.stderr) == (1, "list:1: no\n")
    assert len(node.requests) == 1


def test_a_terminal_shows_how_far_it_is(request, pair, tmp_path):
    _, gateway = pair
    (tmp_path / "list").write_text("".join(json.dumps(prompt(x)) + "\n" for x in "abc") + "{\n")
    ours, theirs = pty.openpty()
    command = [find_program(request.config, "drover"), "warm", "--prompts", tmp_path / "list"]
    done = subprocess.run(
        [*command, "--url", gateway.url],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        timeout=LIMIT_S,
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # at its end
        while piece := os.read(ours, 65536):
            shown += piece
    shown = shown.decode()
    os.close(ours)
    assert sums(done) == (0, 3, 0, 1)
    assert f"3 asked, at {tmp_path}/list:4" in shown
    assert f"\r\033[K{tmp_path}/list:4: " in shown  # what is wrong has a line of its own
    assert shown.endswith("\r\033[K")


def test_the_key_is_shown(stage, warm):
    key = "a-clients-key-of-some-32-letters"
    gateway = stage.gateway(
        [stage.node("tiny")], {"keys": [{"name": "batch", "key": key}]}, ready=False
    )
    gateway.wait_line("is up")
    refused = warm(gateway, prompt("a"))
    assert refused.returncode == 1 and "DROVER_KEY" in refused.stderr
    done = warm(gateway, prompt("a"), env={"DROVER_KEY": key})
    assert (done.returncode, sums(done)) == (0, (0, 1, 0, 0))
    assert key not in gateway.log() + done.stdout + done.stderr


def test_without_a_drover_it_says_so_once(stage, warm):
    gateway = stage.gateway([stage.node("tiny")])
    url = ("--prompts", "list", "--url", "http://127.0.0.1:1")
    done = warm(gateway, *(prompt(f"number {i}") for i in range(20)), arguments=url)
    assert done.returncode == 1 and sums(done) == (0, 0, 0, 4)
    (line,) = done.stderr.splitlines()
    assert "http://127.0.0.1:1" in line and "--url" in line


@pytest.mark.parametrize(
    "arguments",
    [
        ["--prompts"],
        ["--prompts", "none"],
        ["--prompts", "list", "model"],
        ["--prompts", "list", "--admin", ":1"],
        ["--prompts", "list", "--url", "unix:/x"],
        ["model", "--url", "http://127.0.0.1:1"],
    ],
)
def test_wrong_usage_is_status_2(warm, arguments):
    done = warm(None, arguments=arguments)
    assert done.returncode == 2 and done.stderr and done.stdout == ""
