"""The admin listener: what it shows is so, what it is told happens, and nobody else can do it."""

import json
import re
import threading
from urllib.parse import quote

import harness
import pytest
from conftest import find_program
from harness import wire
from harness.fake import HeldStream
from harness.program import Program

LIMIT_S = wire.LIMIT_S
STATUS = "/admin/v1/status"
REQUESTS = "/admin/v1/requests"
EVERY = [
    ("GET", STATUS),
    ("GET", REQUESTS),
    ("DELETE", REQUESTS + "/some"),
    ("POST", "/admin/v1/backends/one/drain"),
    ("POST", "/admin/v1/backends/one/resume"),
    ("GET", "/metrics"),
    ("GET", "/admin/v1/events"),
]


class Held:
    """A node with one slot, behind a gateway, that answers when it is told to."""

    def __init__(self, stage, settings=None):
        self.go = threading.Semaphore(0)
        self.node = stage.fake(self.play, loaded=["tiny:latest"])
        self.row = {"name": "one", "url": self.node.url, "parallel": 1, "slots": 1}
        self.gateway = stage.gateway([self.row], settings)

    def play(self, exchange):
        assert self.go.acquire(timeout=LIMIT_S)
        exchange.reply({"model": "tiny", "response": "", "done": True})

    def send(self, name, *headers):
        """A request of that id, once the gateway knows of it."""
        client = wire.Wire(self.gateway.url)
        client.request(
            "POST", "/api/generate", harness.run(), [("X-Request-Id", name), *headers]
        )
        harness.turn(self.gateway)
        return client


@pytest.fixture
def held(stage):
    return Held(stage)


def ask(gateway, method, path, body=None, headers=()):
    return wire.ask(gateway.admin, method, path, body, headers)


def shown(gateway, path):
    answer = ask(gateway, "GET", path)
    assert answer.status == 200
    assert answer.header("content-type") == "application/json; charset=utf-8"
    assert answer.header("cache-control") == "no-store"
    assert answer.header("x-content-type-options") == "nosniff"
    return answer.json()


def error_of(answer):
    assert answer.body.count(b"\n") == 1 and answer.body.endswith(b"\n")
    return answer.json()["error"]


# What it shows


def test_the_status_of_what_runs_and_waits(held):
    clients = [held.send("first"), held.send("second", ("X-Drover-Priority", "low"))]
    held.node.wait_exchanges(1)
    status = shown(held.gateway, STATUS)
    assert status["version"] and status["uptime_s"] >= 0 and status["draining"] is False
    queue = status["queue"]
    assert (queue["size"], queue["waiting"]) == (512, 1)
    assert queue["by_class"] == {"high": 0, "normal": 0, "low": 1}
    assert status["running"] == 1
    (one,) = status["backends"]
    models = one.pop("models")
    assert one == {
        "name": "one",
        "url": held.node.url,
        "state": "up",
        "draining": False,
        "weight": 1,
        "slots": 1,
        "busy": 1,
        "breaker": "closed",
        "version": "0.24.0",
        "trouble": None,
    }
    assert models == [{"name": "tiny:latest", "state": "loaded", "slots": 1, "busy": 1}]
    held.go.release(2)
    assert [client.read_answer().status for client in clients] == [200, 200]
    harness.turn(held.gateway)
    status = shown(held.gateway, STATUS)
    assert (status["running"], status["queue"]["waiting"]) == (0, 0)
    assert status["queue"]["oldest_ms"] == 0


def test_each_request_under_way(held):
    clients = [held.send("first"), held.send("second", ("X-Drover-Priority", "high"))]
    held.node.wait_exchanges(1)
    first, second = shown(held.gateway, REQUESTS)
    for row in (first, second):
        assert (row["key"], row["model"], row["route"]) == ("127.0.0.1", "tiny", "/api/generate")
    assert (first["id"], first["state"], first["backend"]) == ("first", "running", "one")
    assert (first["position"], first["eta_ms"]) == (None, None)
    assert (second["id"], second["state"], second["backend"]) == ("second", "queued", None)
    assert (second["class"], second["position"]) == ("high", 0)
    assert second["eta_ms"] >= 0 and 0 <= second["waited_ms"] <= second["age_ms"]
    held.go.release(2)
    assert [client.read_answer().status for client in clients] == [200, 200]
    harness.turn(held.gateway)
    assert shown(held.gateway, REQUESTS) == []


def test_the_tokens_of_an_answer_are_counted_as_they_stream(stage):
    held = HeldStream(eval_count=7, prompt_eval_count=2)
    gateway = stage.gateway([stage.fake(held)])
    path = "/drover/v1/requests/"
    body = harness.run(stream=True, options={"temperature": 0})
    with wire.Wire(gateway.url) as leads, wire.Wire(gateway.url) as follows:
        streams = []
        for client, name in ((leads, "leads"), (follows, "follows")):
            client.request("POST", "/api/generate", body, [("X-Request-Id", name)])
            streams.append(held.read_lines(client))
        for row in shown(gateway, REQUESTS):
            assert (row["state"], row["tokens"]) == ("running", 3), row
            assert 0 <= row["ttft_ms"] <= row["age_ms"]
            own = gateway.get(path + row["id"]).json()
            assert (own["tokens"], own["ttft_ms"]) == (3, row["ttft_ms"])
        held.go.release()
        for pieces in streams:
            assert list(pieces)


def test_of_an_answer_that_is_not_there_no_tokens_are_known(held):
    clients = [held.send("first"), held.send("second")]
    held.node.wait_exchanges(1)
    assert [(r["tokens"], r["ttft_ms"]) for r in shown(held.gateway, REQUESTS)] == [(None, None)] * 2
    held.go.release(2)
    assert [client.read_answer().status for client in clients] == [200, 200]


def test_a_node_that_is_down_is_shown(stage):
    node = stage.fake()
    gateway = stage.gateway([node, {"name": "gone", "url": "http://127.0.0.1:1"}], ready=False)
    gateway.wait_line("gone.*is down")
    states = {row["name"]: row["state"] for row in shown(gateway, STATUS)["backends"]}
    assert states["gone"] == "down"


def test_a_model_that_loads_is_shown_as_such(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([node])
    node.gate("tiny:latest", "before_load")
    answer = harness.later(gateway.post, "/api/generate", harness.run())
    node.wait("gated", 1)
    (row,) = shown(gateway, STATUS)["backends"][0]["models"]
    assert (row["name"], row["state"]) == ("tiny:latest", "loading")
    (request,) = shown(gateway, REQUESTS)
    assert (request["state"], request["loading_on"]) == ("queued", gateway.names[0])
    node.open("tiny:latest")
    assert answer.result(LIMIT_S).status == 200
    (row,) = shown(gateway, STATUS)["backends"][0]["models"]
    assert (row["state"], row["busy"]) == ("loaded", 0)


# What it does


def test_who_waits_can_be_cancelled(held):
    first = held.send("first")
    held.node.wait_exchanges(1)
    second = held.send("second")
    done = ask(held.gateway, "DELETE", REQUESTS + "/second")
    assert done.json() == {"id": "second", "cancelled": 1}
    answer = second.read_answer()
    assert answer.status == 403 and "administrator" in answer.json()["error"]
    held.go.release()
    assert first.read_answer().status == 200
    assert len(held.node.exchanges) == 1
    held.gateway.wait_line("second: cancelled by 127.0.0.1:")
    assert "administrator" not in error_of(ask(held.gateway, "DELETE", REQUESTS + "/second"))


def test_every_id_that_is_kept_can_be_named_in_a_path(held):
    """A token has characters that a path has only escaped (RFC 9110 5.6.2, RFC 3986 3.3)."""
    first = held.send("first")
    held.node.wait_exchanges(1)
    ids = ["50%", "%2f", "a%20b", "!#$%&'*+-.^_`|~", "...", "%" * 128]
    waiting = {name: held.send(name) for name in ids}
    for name, client in waiting.items():
        path = quote(name, safe="")
        own = held.gateway.get("/drover/v1/requests/" + path)
        assert (own.status, own.json()["id"]) == (200, name)
        done = ask(held.gateway, "DELETE", f"{REQUESTS}/{path}")
        assert done.json() == {"id": name, "cancelled": 1}
        answer = client.read_answer()
        assert (answer.status, answer.header("x-request-id")) == (403, name)
    held.go.release()
    assert first.read_answer().status == 200


@pytest.mark.parametrize("name", [".", "..", "a b", "a/b", "x" * 129])
def test_an_id_that_no_path_could_name_is_not_kept(stage, name):
    gateway = stage.gateway([stage.fake()])
    answer = gateway.get("/healthz", [("X-Request-Id", name)])
    assert re.fullmatch("[0-9a-f]{16}", answer.header("x-request-id"))


def test_what_runs_can_be_cancelled_and_frees_its_slot(stage):
    gone = threading.Event()

    def play(exchange):
        if exchange.json()["prompt"] == "next":
            exchange.reply({"done": True})
            return
        exchange.begin()
        exchange.line(response="one", done=False)
        exchange.wait_gone()
        gone.set()

    node = stage.fake(play)
    gateway = stage.gateway([{"name": "one", "url": node.url, "parallel": 1, "slots": 1}])
    with wire.Wire(gateway.url) as client:
        body = harness.run("long", stream=True)
        client.request("POST", "/api/generate", body, [("X-Request-Id", "a/b%")])
        answer = client.read_head()
        assert answer.header("x-request-id") != "a/b%", "no token, so not kept"
        assert ask(gateway, "DELETE", f"{REQUESTS}/{answer.header('x-request-id')}").status == 200
        with pytest.raises(wire.Cut):
            list(client.read_pieces(answer))
    assert "administrator" in json.loads(answer.body.splitlines()[-1])["error"]
    assert gone.wait(LIMIT_S)
    assert gateway.post("/api/generate", harness.run("next")).status == 200


def test_who_shares_an_answer_keeps_it_when_another_is_cancelled(stage):
    go = threading.Semaphore(0)

    def play(exchange):
        exchange.begin()
        exchange.line(model="tiny", response="one", done=False)
        assert go.acquire(timeout=LIMIT_S)
        exchange.line(model="tiny", response="", done=True, done_reason="stop")
        exchange.end()

    node = stage.fake(play)
    gateway = stage.gateway([node])
    body = harness.run(stream=True, options={"temperature": 0})
    with wire.Wire(gateway.url) as leads, wire.Wire(gateway.url) as follows:
        heads = []
        for client, name in ((leads, "leads"), (follows, "follows")):
            client.request("POST", "/api/generate", body, [("X-Request-Id", name)])
            heads.append(client.read_head())
        assert heads[1].header("x-drover-cache") == "joined"
        assert ask(gateway, "DELETE", REQUESTS + "/leads").status == 200
        with pytest.raises(wire.Cut):
            list(leads.read_pieces(heads[0]))
        assert "administrator" in json.loads(heads[0].body.splitlines()[-1])["error"]
        go.release()
        list(follows.read_pieces(heads[1]))
        assert heads[1].whole and heads[1].lines()[-1]["done"]
    assert len(node.exchanges) == 1


def test_an_upload_can_be_cancelled(stage):
    gateway = stage.gateway([stage.fake(lambda exchange: exchange.wait_gone())])
    with wire.Wire(gateway.url) as client:
        digest = "sha256:" + "0" * 64
        head = [("X-Request-Id", "up"), ("Content-Length", "100")]
        client.request("POST", f"/api/blobs/{digest}", b"x", head)
        harness.turn(gateway)
        assert ask(gateway, "DELETE", f"{REQUESTS}/up").status == 200
        answer = client.read_answer()
    assert answer.status == 403 and "administrator" in answer.json()["error"]


def test_a_node_is_drained_and_comes_back(stage):
    nodes = [stage.fake(), stage.fake()]
    rows = [{"name": name, "url": node.url} for name, node in zip(("one", "two"), nodes)]
    gateway = stage.gateway(rows)

    def served_by():
        answer = gateway.post("/api/generate", harness.run())
        assert answer.status == 200
        return answer.header("x-drover-backend")

    done = ask(gateway, "POST", "/admin/v1/backends/one/drain")
    assert done.json() == {"name": "one", "state": "draining", "draining": True, "busy": 0}
    assert {served_by() for _ in range(4)} == {"two"}
    assert shown(gateway, STATUS)["backends"][0]["state"] == "draining"
    assert ask(gateway, "POST", "/admin/v1/backends/one/resume").json()["state"] == "up"
    ask(gateway, "POST", "/admin/v1/backends/two/drain")
    assert {served_by() for _ in range(4)} == {"one"}


def test_who_waits_for_a_drained_node_is_served_when_it_is_back(held):
    ask(held.gateway, "POST", "/admin/v1/backends/one/drain")
    client = held.send("waits")
    assert shown(held.gateway, REQUESTS)[0]["state"] == "queued"
    held.go.release()
    ask(held.gateway, "POST", "/admin/v1/backends/one/resume")
    assert client.read_answer().status == 200


def test_a_backend_is_named_as_a_url_has_it(stage):
    node = stage.fake()
    gateway = stage.gateway([node])
    for name in (node.host, node.host.replace(":", "%3A")):
        done = ask(gateway, "POST", f"/admin/v1/backends/{name}/drain")
        assert done.json()["name"] == node.host
    wrong = ask(gateway, "POST", "/admin/v1/backends/none/drain")
    assert wrong.status == 404 and node.host in error_of(wrong)


# Who may


def test_what_is_not_there_is_told_with_what_is(held):
    nothing = ask(held.gateway, "GET", "/admin/v2")
    assert nothing.status == 404 and STATUS in error_of(nothing)
    for path in ("/api/tags", "/v1/models", "/admin/v1/status/", "/admin/v1/backends/one"):
        assert ask(held.gateway, "GET", path).status == 404
    wrong = ask(held.gateway, "POST", STATUS)
    assert wrong.status == 405 and wrong.header("allow") == "GET, HEAD"
    assert "POST" in error_of(wrong)
    assert ask(held.gateway, "GET", "/healthz").body == b"ok\n"
    malformed = wire.Wire(held.gateway.admin)
    malformed.send(b"nonsense\r\n\r\n")
    answer = malformed.read_answer()
    assert answer.status == 400 and error_of(answer)
    large = ask(held.gateway, "POST", "/admin/v1/backends/one/drain", b"x" * 100_000)
    assert large.status == 413


@pytest.mark.parametrize("method,path", EVERY)
def test_nothing_of_it_is_on_the_front_listener(held, method, path):
    assert wire.ask(held.gateway.url, method, path).status == 404
    assert shown(held.gateway, STATUS)["backends"][0]["state"] == "up"


@pytest.mark.parametrize(
    "header",
    [
        ("Host", "evil.example"),
        ("Host", "127.0.0.1.evil.example:8081"),
        ("Host", "box.local"),
        ("Host", "10.0.0.1"),
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Origin", "http://localhost:3000"),
    ],
)
@pytest.mark.parametrize("method,path", EVERY)
def test_no_web_page_can_drive_it(held, method, path, header):
    refused = ask(held.gateway, method, path, headers=[header])
    assert refused.status == 403 and error_of(refused)
    assert refused.header("access-control-allow-origin") is None
    assert shown(held.gateway, STATUS)["backends"][0]["state"] == "up"


@pytest.mark.parametrize("site,status", [("cross-site", 403), ("same-site", 403), ("none", 200)])
def test_a_form_of_another_page_cannot_either(held, site, status):
    headers = [("Sec-Fetch-Site", site)]
    assert ask(held.gateway, "POST", EVERY[4][1], headers=headers).status == status


def test_its_own_pages_can(held):
    own = [("Origin", held.gateway.admin), ("Sec-Fetch-Site", "same-origin")]
    assert ask(held.gateway, "POST", EVERY[4][1], headers=own).status == 200


# Where it is


def test_it_can_be_turned_off(stage):
    gateway = stage.gateway([stage.fake()], {"admin": "off"})
    assert gateway.admin is None and "admin API" not in gateway.log()


def test_a_unix_socket_serves_it(stage, tmp_path):
    gateway = stage.gateway([stage.fake()], {"admin": f"unix:{tmp_path}/admin"})
    assert gateway.admin == f"unix:{tmp_path}/admin"
    assert ask(gateway, "GET", STATUS, headers=[("Host", "drover")]).status == 200


def start(request, stage, tmp_path, *arguments, env=None):
    binary = find_program(request.config, "drover")
    command = [binary, "--listen", "127.0.0.1:0", "--backend", "http://127.0.0.1:1", *arguments]
    return stage.add(Program("drover", command, env=env, cwd=tmp_path))


def test_a_second_one_is_told_what_to_do(request, stage, tmp_path, held):
    address = held.gateway.admin.removeprefix("http://")
    second = start(request, stage, tmp_path, "--admin", address)
    assert second.wait_exit() == 1
    for word in (address, "another drover", "--admin", "DROVER_ADMIN", "off"):
        assert word in second.log()


@pytest.mark.parametrize("how", ["--admin", "DROVER_ADMIN"])
def test_where_all_can_reach_it_it_does_not_start(request, stage, tmp_path, how):
    address = "0.0.0.0:0"
    arguments, env = (["--admin", address], None) if how == "--admin" else ([], {how: address})
    program = start(request, stage, tmp_path, *arguments, env=env)
    assert program.wait_exit() == 1
    assert f"{how}: admin:" in program.log() and "127.0.0.1:port" in program.log()


KEY = "an-administrators-key-of-32-letters"
ADMIN_KEYS = {"keys": [{"name": "root", "key": KEY, "admin": True}]}


def test_with_an_administrators_key_it_may_be_reached_from_elsewhere(stage):
    gateway = stage.gateway([stage.fake()], {"admin": "0.0.0.0:0", **ADMIN_KEYS})
    gateway.admin = gateway.admin.replace("0.0.0.0", "127.0.0.1")
    host, key = ("Host", "gpu.example.org"), ("Authorization", f"Bearer {KEY}")
    assert ask(gateway, "GET", STATUS, headers=[host, key]).status == 200
    assert ask(gateway, "GET", STATUS, headers=[host]).status == 401
    page = ("Origin", "http://evil.example")
    assert ask(gateway, "GET", STATUS, headers=[host, key, page]).status == 403


def test_on_loopback_a_key_opens_no_other_host(stage):
    gateway = stage.gateway([stage.fake()], ADMIN_KEYS)
    headers = [("Authorization", f"Bearer {KEY}"), ("Host", "gpu.example.org")]
    assert ask(gateway, "GET", STATUS, headers=headers).status == 403


def test_it_answers_while_the_gateway_drains(held):
    client = held.send("last")
    held.node.wait_exchanges(1)
    held.gateway.signal(15)
    held.gateway.wait_line("drain: no new requests")
    status = shown(held.gateway, STATUS)
    assert status["draining"] is True and status["running"] == 1
    held.go.release()
    assert client.read_answer().status == 200
    assert held.gateway.wait_exit() == 0
