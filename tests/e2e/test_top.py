"""drover top: what it shows is what the admin API says, in a terminal and as plain text, and the
terminal is as it was when it ends."""

import json
import os
import re
import signal
import subprocess

import harness
import pytest
from conftest import find_program
from harness import wire
from harness.fake import FakeNode, HeldStream
from harness.program import SANITIZER_OPTIONS
from harness.terminal import Terminal

LIMIT_S = wire.LIMIT_S
LEAVES_SCREEN = b"\x1b[?1049l"
STATUS = {
    "version": "9.9",
    "uptime_s": 61,
    "draining": False,
    "queue": {
        "size": 8,
        "waiting": 1,
        "by_class": {"high": 0, "normal": 1, "low": 0},
        "oldest_ms": 1500,
    },
    "running": 1,
    "backends": [],
    "cache": {
        "entries": 3,
        "bytes": 2048,
        "hits": 1,
        "misses": 2,
        "joined": 1,
        "stale": 0,
        "evicted": 0,
    },
}
NODE = {
    "name": "one",
    "url": "http://10.0.0.1:11434",
    "state": "up",
    "weight": 1,
    "slots": 2,
    "busy": 1,
    "breaker": "closed",
    "version": "0.24.0",
    "models": [{"name": "tiny:latest", "state": "loaded", "slots": 2, "busy": 1}],
}
ROW = {
    "id": "id-1",
    "key": "alice",
    "model": "tiny",
    "route": "/api/chat",
    "state": "running",
    "class": "high",
    "position": None,
    "eta_ms": None,
    "loading_on": None,
    "waited_ms": 250,
    "ttft_ms": 1000,
    "tokens": 11,
    "age_ms": 2000,
    "backend": "one",
}
METRICS = """# HELP drover_requests_total x
# TYPE drover_requests_total counter
drover_requests_total{route="/api/chat",model="a b} 7",code="200"} 40
drover_requests_total{route="/api/chat",model="c",code="503"} 2
"""


class Said(FakeNode):
    """An admin API that says what a test wants it to say."""

    def __init__(self):
        self.status = json.loads(json.dumps(STATUS))
        self.status["backends"].append(json.loads(json.dumps(NODE)))
        self.rows = [dict(ROW)]
        super().__init__(self.say)

    def obey(self, exchange):
        self.say(exchange)

    def say(self, exchange):
        if exchange.target == "/metrics":
            exchange.reply(METRICS.encode(), content_type="text/plain")
        elif exchange.target == "/admin/v1/status":
            exchange.reply(self.status)
        elif exchange.target == "/admin/v1/requests":
            exchange.reply(self.rows)
        else:
            exchange.reply({"error": "what?"}, status="404 Not Found")


@pytest.fixture
def said(stage):
    return stage.add(Said())


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DROVER_", "NO_COLOR"))}
    return {**kept, **SANITIZER_OPTIONS, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **more}


@pytest.fixture
def top(request, stage):
    """Starts it in a terminal."""
    binary = find_program(request.config, "drover")

    def start(admin, *arguments, rows=24, columns=80, **env):
        command = [binary, "top", "--admin", admin, "--interval", "100ms", *arguments]
        return stage.add(Terminal(command, environment(**env), rows, columns))

    return start


@pytest.fixture
def once(request):
    """Runs it without a terminal, to its end."""
    binary = find_program(request.config, "drover")

    def call(admin, *arguments, **env):
        return subprocess.run(
            [binary, "top", "--admin", admin, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment(**env),
            timeout=LIMIT_S,
        )

    return call


def table(lines, title):
    """The rows below the title that begins so, as {column: text}; columns are told by where their
    titles stand."""
    at = next((i for i, line in enumerate(lines) if line.startswith(title)), None)
    if at is None:
        return [], []
    names = re.split(r"(?<=\S) +", lines[at])
    rows = []
    for line in lines[at + 1 :]:
        if not line.strip():
            break
        rows.append(line)
    return names, rows


# What it shows


def test_what_it_shows_is_what_the_admin_api_says(stage, once):
    held = HeldStream()
    node = stage.fake(held)
    row = {"name": "one", "url": node.url, "parallel": 1, "slots": 1}
    gone = {"name": "gone", "url": "http://127.0.0.1:1"}
    gateway = stage.gateway([row, gone], ready=False)
    gateway.wait_line("one.*is up")
    gateway.wait_line("gone.*is down")
    clients = []
    for name, priority in (("runs", "high"), ("waits", "low"), ("waits-too", "normal")):
        client = wire.Wire(gateway.url)
        body = harness.run(stream=True)
        client.request(
            "POST", "/api/generate", body, [("X-Request-Id", name), ("X-Drover-Priority", priority)]
        )
        clients.append(client)
        if name == "runs":
            pieces = held.read_lines(client)
        harness.turn(gateway)

    done = once(gateway.admin)
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    status = wire.get(gateway.admin, "/admin/v1/status").json()
    rows = {r["id"]: r for r in wire.get(gateway.admin, "/admin/v1/requests").json()}
    assert lines[0].startswith(f"drover {status['version']} at {gateway.admin}  up ")
    assert f"{status['queue']['waiting']}/{status['queue']['size']}]" in lines[1]
    assert "high 0  normal 1  low 1" in lines[1]
    assert "1/" in lines[2] and "nodes 1 of 2 up" in lines[2] and "running 1" in lines[2]
    _, nodes = table(lines, "NODE")
    assert re.match(r"one +up +\[\|+ *1/1\] 0\.24\.0 +" + re.escape(node.url), nodes[0])
    assert re.match(r"  tiny:latest +loaded +\[\|+ *1/1\]", nodes[1])
    assert re.match(r"gone +down +\[ *0/", nodes[2])
    names, shown = table(lines, "STATE")
    assert names == (
        "STATE CLASS POS ETA AGE WAITED TOKENS TOK/S KEY MODEL NODE ID".split()
    )
    assert [line.split()[-1] for line in shown] == ["runs", "waits-too", "waits"]
    first = shown[0].split()
    assert first[:2] == ["running", "high"] and "3" in first
    assert first[-4:-1] == ["127.0.0.1", "tiny", "one"]
    for line in shown[1:]:
        state, kind, position = line.split()[:3]
        told = rows[line.split()[-1]]
        assert (state, kind, int(position)) == (told["state"], told["class"], told["position"])
        assert line.split()[-3:-1] == [told["key"], told["model"]]
    held.go.release(3)
    for client in clients:
        client.close()


def test_numbers_are_shown_as_they_were_said(said, once):
    said.status["backends"][0]["breaker"] = "open"
    said.status["backends"].append(
        {
            **NODE,
            "name": "two",
            "state": "draining",
            "models": [
                {"name": "big:70b", "state": "loading", "slots": 1, "busy": 0, "num_ctx": 8192}
            ],
        }
    )
    said.rows.append(
        {
            **ROW,
            "id": "id-2",
            "state": "queued",
            "position": 4,
            "eta_ms": 185_000,
            "age_ms": 7_500_000,
            "loading_on": "two",
            "backend": None,
            "ttft_ms": None,
            "tokens": None,
        }
    )
    lines = once(said.url).stdout.splitlines()
    assert lines[0] == f"drover 9.9 at {said.url}  up 1m01s"
    assert "1/8]  high 0  normal 1  low 0  oldest 1.5s" in lines[1]
    assert lines[3] == "tokens/s 10.0  requests 42  cached 50% of 4, 3 answers 2.0KiB"
    _, nodes = table(lines, "NODE")
    assert nodes[0].split()[:2] == ["one", "broken"]
    assert nodes[2].split()[:2] == ["two", "draining"]
    assert nodes[3].split()[:3] == ["big:70b", "num_ctx=8192", "loading"]
    _, rows = table(lines, "STATE")
    assert rows[0].split() == "running high 2.0s 0.2s 11 10.0 alice tiny one id-1".split()
    assert rows[1].split() == "loading high 4 3m05s 2h05m 0.2s alice tiny two id-2".split()


def test_nothing_under_way_is_said(said, once):
    said.rows = []
    assert once(said.url).stdout.splitlines()[-1] == "no request is under way"


def test_it_goes_on_where_an_interval_is_asked_for(request, stage, said):
    binary = find_program(request.config, "drover")
    command = [binary, "top", "--admin", said.url, "--interval", "100ms"]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment(), text=True
    ) as program:
        seen = 0
        for line in program.stdout:
            seen += line.startswith("drover 9.9")
            if seen == 3:
                break
        program.send_signal(signal.SIGTERM)
        assert program.wait(LIMIT_S) == 0


# What others named


HOSTILE = "e\x1b[2J\x1b]0;owned\x07\r\nv\u202eil\u0301\x9b31m\u200b"


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_names_cannot_drive_the_terminal(said, once, top, locale):
    wide = "模型" * 20
    said.status["backends"][0]["name"] = HOSTILE
    said.status["backends"][0]["models"][0]["name"] = wide
    said.rows[0].update(key=HOSTILE, model=wide, id=HOSTILE)
    shown = once(said.url, LC_ALL=locale).stdout
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u0301\u200b\u202e]", shown)
    assert shown.count("e?[2J?]0;owned???v?il??31m?") == 3
    assert ("模型" in shown) == (locale == "C.UTF-8")
    live = top(said.url, columns=140, LC_ALL=locale)
    live.wait_text("e?[2J", "STATE ")
    lines = live.wait(lambda lines: sum("owned" in line for line in lines) >= 2)
    assert all(len(line) <= 140 for line in lines)
    assert b"\x1b]0" not in live.written and b"owned\x07" not in live.written
    live.press("q")
    assert live.wait_exit() == 0


# In the terminal


def test_it_is_as_high_and_wide_as_the_terminal(said, top):
    said.rows = [{**ROW, "id": f"id-{i}", "key": f"key-{i:02}"} for i in range(40)]
    live = top(said.url)
    lines = live.wait_text("key-13")
    assert lines[23].startswith("q quit") and "key-14" not in live.text()
    assert all(len(line) <= 80 for line in lines)
    live.resize(40, 150)
    lines = live.wait_text("id-29", "WAITED")
    assert lines[39].startswith("q quit") and "cancel" in lines[39]
    live.resize(10, 40)
    live.wait(lambda lines: lines[9].startswith("q quit"))
    live.resize(3, 10)
    live.wait(lambda lines: lines[0].startswith("drover"))
    live.resize(24, 80)
    live.wait(lambda lines: lines[23].startswith("q quit") and "key-13" in "\n".join(lines))
    live.press("q")
    assert live.wait_exit() == 0


@pytest.mark.parametrize("down,up", [("jjj", "kkk"), ("\x1bOB" * 3, "\x1bOA" * 3)])
def test_rows_are_scrolled_by_keys(said, top, down, up):
    said.rows = [{**ROW, "id": f"id-{i}", "key": f"key-{i:02}"} for i in range(40)]
    live = top(said.url)
    live.wait_text("key-00")
    live.press("G")
    live.wait_text("key-39")
    live.press("g")
    live.wait_text("key-00")
    live.press("\x1b[6~\x1b[6~")  # two pages
    live.wait(lambda lines: "key-00" not in "\n".join(lines))
    live.press("\x1b[5~\x1b[5~")
    live.wait_text("key-00")
    live.press(down + "x")
    live.wait_text("cancel request id-3?")
    live.press("n" + up + "x")
    live.wait_text("cancel request id-0?")
    live.press("nq")
    assert live.wait_exit() == 0


def test_rows_are_sorted_by_a_key(said, top):
    def of(lines):
        rows = [row.split() for row in table(lines[:23], "STATE")[1]]
        return "".join(row[-3] for row in rows if len(row) > 3)  # some may be half drawn

    said.rows = [
        {**ROW, "key": "b", "model": "z", "age_ms": 3000, "tokens": 5},
        {**ROW, "key": "a", "model": "y", "age_ms": 2000, "tokens": 50},
        {**ROW, "key": "c", "model": "x", "age_ms": 4000, "tokens": 7},
    ]
    live = top(said.url)
    for order, keys in [
        ("turn", "bac"),
        ("age", "cba"),
        ("tokens", "acb"),
        ("tokens/s", "abc"),
        ("key", "abc"),
        ("model", "cab"),
        ("turn", "bac"),
    ]:
        live.wait(lambda lines, o=order, k=keys: lines[0].endswith(f"  by {o}") and of(lines) == k)
        live.press("s")
    live.press("q")
    assert live.wait_exit() == 0


def test_paused_nothing_moves(said, top):
    live = top(said.url)
    live.wait_text("alice")
    live.press("p")
    live.wait_text("paused")
    said.rows = [{**ROW, "key": "bob"}]
    live.press("j")
    assert "alice" in live.text()
    live.press("p")
    live.wait_text("bob")
    live.press("?")
    live.wait_text("the node that is picked")
    live.press("zq")
    assert live.wait_exit() == 0


def test_what_is_picked_is_cancelled_drained_and_brought_back(stage, top):
    node = stage.fake(lambda exchange: exchange.wait_gone())
    gateway = stage.gateway([{"name": "one", "url": node.url}])
    client = wire.Wire(gateway.url)
    client.request("POST", "/api/generate", harness.run(), [("X-Request-Id", "a!b|c")])
    node.wait_exchanges(1)
    (row,) = wire.get(gateway.admin, "/admin/v1/requests").json()
    live = top(gateway.admin)
    live.wait_text("running", "tiny")
    live.press("xn")
    live.press("x")
    live.wait_text(f"cancel request {row['id']}? y: yes")
    live.press("y")
    live.wait_text(f"cancelled request {row['id']}")
    assert client.read_answer().status == 403
    for key, asks, said, state in (
        ("d", "drain node one?", "drains: node one", "draining"),
        ("r", "have back node one?", "is back: node one", "up"),
    ):
        if key == "d":
            live.press("\t")
        live.press(key)
        live.wait_text(asks)
        live.press("y")
        live.wait_text(said)
        live.wait(lambda lines, s=state: any(re.match(rf"one +{s} ", line) for line in lines))
        assert wire.get(gateway.admin, "/admin/v1/status").json()["backends"][0]["state"] == state
    live.press("q")
    assert live.wait_exit() == 0


def test_what_the_gateway_refuses_is_said(said, top):
    live = top(said.url)
    live.wait_text("alice")
    live.press("xy")
    live.wait_text("what?")
    live.press("q")
    assert live.wait_exit() == 0


def test_it_is_said_when_the_gateway_is_gone_and_when_it_is_back(said, top):
    live = top(said.url)
    live.wait_text("alice")
    said.halt()
    live.wait_text("old, trying again: no admin API at")
    assert "alice" in live.text()
    said.start()
    live.wait_text("it answers again")
    live.press("q")
    assert live.wait_exit() == 0


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"])
def test_a_signal_ends_it_and_leaves_the_terminal_as_it_was(said, top, name):
    live = top(said.url)
    live.wait_text("alice")
    assert LEAVES_SCREEN not in live.written
    live.process.send_signal(getattr(signal, name))
    assert live.wait_exit() == 0
    live.wait_written(LEAVES_SCREEN)
    live.wait_written(b"\x1b[?25h")  # the cursor


def test_a_failed_assertion_leaves_the_terminal_as_it_was_too(said, top):
    live = top(said.url)
    live.wait_text("alice")
    live.process.send_signal(signal.SIGABRT)
    assert live.wait_exit() == -signal.SIGABRT
    live.wait_written(LEAVES_SCREEN)


def test_it_is_drawn_anew_when_it_goes_on_after_a_stop(said, top):
    live = top(said.url)
    live.wait_text("alice")
    live.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, live.process.pid, os.WSTOPPED | os.WNOWAIT)
    with live.waiter.changed:
        live.screen.reset()
    live.process.send_signal(signal.SIGCONT)
    live.wait_text("alice", "q quit", "drover 9.9")
    live.press("\x03")
    assert live.wait_exit() == 0


@pytest.mark.parametrize("env,colored", [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colors_are_left_out_where_nobody_wants_them(said, top, env, colored):
    live = top(said.url, **env)
    live.wait_text("alice")
    live.press("q")
    assert live.wait_exit() == 0
    assert bool(re.search(rb"\x1b\[(\d+;)*3[1-6]m", live.written)) == colored


def test_an_unknown_terminal_gets_plain_text(said, top):
    live = top(said.url, TERM="nonsense", rows=40, columns=150)
    live.wait_text('the terminal "nonsense" is not known', "alice")
    live.process.send_signal(signal.SIGTERM)
    assert live.process.wait(LIMIT_S) == 0


# What can be wrong from the beginning


def test_where_nothing_listens_it_says_what_to_do(once):
    done = once("127.0.0.1:1")
    assert done.returncode == 1 and done.stdout == ""
    for word in ("no admin API at http://127.0.0.1:1", "Is drover running", "--admin"):
        assert word in done.stderr


def test_another_server_is_told_apart(stage, said, once):
    gateway = stage.gateway([stage.fake()])
    done = once(gateway.url)
    assert done.returncode == 1 and "admin API, and not where clients come in" in done.stderr
    said.status = [1]
    done = once(said.url)
    assert done.returncode == 1 and "makes no sense" in done.stderr


def test_a_key_is_needed_where_one_is_configured(stage, once):
    key = "an-administrators-key-of-32-letters"
    settings = {"keys": [{"name": "root", "key": key, "admin": True}]}
    gateway = stage.gateway([stage.fake()], settings)
    done = once(gateway.admin)
    assert done.returncode == 1 and "DROVER_ADMIN_KEY" in done.stderr
    done = once(gateway.admin, DROVER_ADMIN_KEY=key)
    assert done.returncode == 0 and key not in done.stdout
