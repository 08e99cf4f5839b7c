"""The metrics: valid, bounded, and true: they are what clients and nodes have seen."""

import collections
import json
import os
import re
import subprocess

import harness
import pytest
from conftest import find_program
from harness import certificates, wire
from harness.prometheus import promtool, scrape
from harness.watch import Watcher

LIMIT_S = wire.LIMIT_S
ALICE, BOB = "alice-0123456789abcdef", "bob-0123456789abcdef"
KEYS = [{"name": "alice", "key": ALICE}, {"name": "bob", "key": BOB}]


def of(key):
    return [("Authorization", f"Bearer {key}")]


def test_promtool_finds_nothing_wrong(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([node])
    for stream in (True, False):
        assert gateway.post("/api/generate", harness.run(stream=stream)).status == 200
    gateway.post("/api/generate", harness.run(model="no-such"))
    status, words = promtool("check", "metrics", text=scrape(gateway).text)
    assert (status, words) == (0, "")


def test_every_metric_has_its_samples(stage):
    """After one request that was streamed and one that failed, there is no row without one."""
    node = stage.node("tiny")
    settings = {"state": str(stage.folder / "state"), "tls": certificates.local().settings()}
    gateway = stage.gateway([node], settings)
    node.fault("busy", count=1)
    assert gateway.post("/api/generate", harness.run("tokens:3", stream=True)).status == 200
    assert gateway.get("/api/nothing").status == 404
    metrics = scrape(gateway)
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name, _, _ in metrics.samples}
    names = {re.sub(r"_count$", "", name) for name in metrics.types}
    assert shown == names
    assert {kind for kind in metrics.types.values()} == {"counter", "gauge", "histogram"}


def test_what_no_node_has_is_counted_as_other(stage):
    gateway = stage.gateway([stage.node("tiny")])
    for i in range(50):
        assert gateway.post("/api/generate", harness.run(model=f"made-up-{i}")).status == 404
        assert gateway.get(f"/made/up/{i}").status == 404
    assert gateway.post("/api/generate", harness.run()).status == 200
    metrics = scrape(gateway)
    assert metrics.by("drover_requests_total", "model", route="/api/generate") == {
        "other": 50,
        "tiny:latest": 1,
    }
    assert metrics.total("drover_requests_total", route="other", code="404") == 50
    assert "made" not in metrics.text
    assert metrics.by("drover_rejected_total", "reason") == {"unknown_model": 50, "not_found": 50}


def test_gauges_show_what_is_now(stage):
    node = stage.node("tiny", parallel=1)
    node.gate("hold", "before_first_token")
    gateway = stage.gateway([{"name": "one", "url": node.url, "parallel": 1, "slots": 1}])
    clients = [wire.Wire(gateway.url) for _ in range(3)]
    for client in clients:
        client.request("POST", "/api/generate", harness.run("gate:hold"))
        harness.turn(gateway)
    node.wait("gated", 1)  # the model is loaded by then, and the first of them runs
    metrics = scrape(gateway)
    assert metrics.by("drover_queue_depth", "class") == {"normal": 2}
    assert metrics.total("drover_queue_size") == 512
    assert metrics.total("drover_backend_busy", backend="one") == 1
    assert metrics.total("drover_backend_slots", backend="one") == 1
    assert metrics.total("drover_backend_up", backend="one") == 1
    assert metrics.by("drover_backend_breaker", "state", backend="one") == {"closed": 1}
    assert metrics.total("drover_connections") == 3
    node.open("hold")
    for client in clients:
        assert client.read_answer().status == 200
    metrics = scrape(gateway)
    assert metrics.by("drover_queue_depth", "class") == {}
    assert metrics.total("drover_backend_busy") == 0
    assert metrics.total("drover_queue_wait_seconds_count") == 3
    mark = gateway.mark()
    node.kill()
    gateway.wait_line("is down", mark)
    assert scrape(gateway).total("drover_backend_up") == 0


def test_the_process_is_this_one(stage):
    gateway = stage.gateway([stage.node("tiny")])
    metrics = scrape(gateway)
    resident = metrics.total("process_resident_memory_bytes") / 1024
    assert 0.5 < resident / gateway.resident_kib() < 2
    fds = len(os.listdir(f"/proc/{gateway.pid}/fd"))
    assert abs(metrics.total("process_open_fds") - fds) <= 2
    began = float(os.stat(f"/proc/{gateway.pid}").st_mtime)
    assert abs(metrics.total("process_start_time_seconds") - began) < 5
    again = scrape(gateway)
    name = "process_start_time_seconds"
    assert again.total(name) == metrics.total(name)
    name = "process_cpu_seconds_total"
    assert again.total(name) >= metrics.total(name) > 0


def test_only_administrators_see_them_where_there_are_such(stage):
    admin = "admin-0123456789abcdef"
    keys = [*KEYS, {"name": "root", "key": admin, "admin": True}]
    gateway = stage.gateway([stage.node("tiny")], {"keys": keys}, ready=False)
    assert wire.get(gateway.admin, "/metrics").status == 401
    assert wire.get(gateway.admin, "/metrics", of(ALICE)).status == 401
    assert scrape(gateway, of(admin)).total("drover_build_info") == 1
    assert wire.get(gateway.url, "/metrics", of(admin)).status == 404


# A load with aborts and failures, and three that must agree on it: clients, log and nodes.


class Load:
    """What clients were told, in the order of asking."""

    def __init__(self, stage):
        self.nodes = [stage.node("tiny", "small") for _ in range(2)]
        rows = [
            {"name": name, "url": node.url, "parallel": 4}
            for name, node in zip(("one", "two"), self.nodes)
        ]
        settings = {"keys": KEYS, "log": {"format": "json"}, "breaker": {"failures": 100}}
        self.gateway = stage.gateway(rows, settings, ready=False)
        for name in ("one", "two"):
            self.gateway.wait_line(f"{name}.*is up")
        self.told = collections.Counter()
        self.names = []

    def name(self):
        self.names.append(f"load-{len(self.names)}")
        return ("X-Request-Id", self.names[-1])

    def post(self, path, body, key, want):
        headers = [self.name(), *(of(key) if key else [])]
        answer = self.gateway.post(path, body, headers)
        assert answer.status == want, answer
        self.told[path, str(answer.status), {ALICE: "alice", BOB: "bob"}.get(key)] += 1
        return answer

    def begin(self, path, body, key):
        client = wire.Wire(self.gateway.url)
        client.request("POST", path, body, [self.name(), *of(key)])
        return client

    def serve(self):
        for i in range(6):
            model = ("tiny", "small")[i % 2]
            body = harness.run(f"tokens:{i + 2}", model=model, stream=i % 3 > 0)
            self.post("/api/generate", body, ALICE, 200)
        for stream in (True, False):
            self.post("/v1/messages", harness.body_for("/v1/messages", stream=stream), BOB, 200)

    def abort(self, count):
        """In mid-stream, after two tokens have come."""
        for node in self.nodes:
            node.gate("hold", "before_token:3")
        for _ in range(count):
            body = harness.run("tokens:9 gate:hold", stream=True)
            client = self.begin("/api/generate", body, ALICE)
            pieces = client.read_pieces(client.read_head())
            seen = b""
            while seen.count(b"\n") < 2:
                seen += next(pieces)
            client.reset()
            self.gateway.wait_line(rf'"id":"{self.names[-1]}".*"status":499')
            client.close()
            self.told["/api/generate", "499", "alice"] += 1

    def fail(self):
        """At a node, and before one is asked."""
        for node in self.nodes:
            node.fault("status", count=1, status=500, message="out of memory")
        self.post("/api/generate", harness.run(), BOB, 500)
        self.post("/api/generate", harness.run(model="none"), BOB, 404)
        self.post("/api/generate", b"{no json", BOB, 400)
        self.post("/api/generate", harness.run(), "nobody-0123456789", 401)

    def log_rows(self):
        """Their lines of the access log."""
        for name in self.names:
            self.gateway.wait_line(rf'"id":"{name}".*"end":')
        lines = [line for line in self.gateway.log().splitlines() if '"id":"load-' in line]
        return [json.loads(line) for line in lines if '"total_ms":' in line]


@pytest.fixture(scope="module")
def load(module_stage):
    made = Load(module_stage)
    made.serve()
    made.abort(3)
    made.fail()
    made.serve()
    return made


def test_requests_are_what_clients_were_told(load):
    metrics = scrape(load.gateway)
    for path in ("/api/generate", "/v1/messages"):
        told = collections.Counter()
        for (route, code, _), count in load.told.items():
            if route == path:
                told[code] += count
        assert metrics.by("drover_requests_total", "code", route=path) == told
        assert metrics.total("drover_request_seconds_count", route=path) == sum(told.values())
    for key in ("alice", "bob"):
        told = collections.Counter()
        for (_, code, who), count in load.told.items():
            if who == key:
                told[code] += count
        assert metrics.by("drover_key_requests_total", "code", key=key) == told
    assert metrics.by("drover_rejected_total", "reason") == {
        "unknown_model": 1,
        "bad_request": 1,
        "unauthorized": 1,
    }


def test_the_log_says_the_same(load):
    metrics = scrape(load.gateway)
    rows = load.log_rows()
    assert len(rows) == len(load.names) == sum(load.told.values())
    for path in ("/api/generate", "/v1/messages"):
        logged = collections.Counter(str(r["status"]) for r in rows if r["route"] == path)
        assert metrics.by("drover_requests_total", "code", route=path) == logged
    for kind, field in (("prompt", "tokens_in"), ("output", "tokens_out")):
        logged = collections.Counter()
        for row in rows:
            if row[field]:
                logged[row["key"]] += row[field]
        assert metrics.by("drover_key_tokens_total", "key", kind=kind) == logged
        assert metrics.total("drover_tokens_total", kind=kind) == sum(logged.values())
    waited = sum(row["waited_ms"] for row in rows) / 1000
    assert metrics.total("drover_queue_wait_seconds_sum") == pytest.approx(waited)
    took = sum(row["total_ms"] for row in rows) / 1000
    # The clock is read once for each of the two.
    assert metrics.total("drover_request_seconds_sum") == pytest.approx(took, abs=len(rows) / 500)


def test_the_admin_api_says_the_same(load):
    metrics = scrape(load.gateway)
    answer = wire.get(load.gateway.admin, "/admin/v1/usage?by=key")
    rows = {row["key"]: row for row in answer.json()["rows"]}
    for key in ("alice", "bob"):
        requests = metrics.total("drover_key_requests_total", key=key)
        assert rows[key]["requests"] == requests > 0
        for kind in ("prompt", "output"):
            shown = metrics.total("drover_key_tokens_total", key=key, kind=kind)
            assert rows[key][f"{kind}_tokens"] == shown > 0
    waited = sum(row["waited_seconds"] for row in rows.values())
    assert metrics.total("drover_queue_wait_seconds_sum") == pytest.approx(waited)
    status = wire.get(load.gateway.admin, "/admin/v1/status").json()
    for name, result in (("hits", "hit"), ("misses", "miss"), ("joined", "joined")):
        shown = metrics.total("drover_cache_requests_total", result=result)
        assert status["cache"][name] == shown
    for backend in status["backends"]:
        for name in ("slots", "busy"):
            shown = metrics.total(f"drover_backend_{name}", backend=backend["name"])
            assert backend[name] == shown


def test_the_page_says_the_same(load):
    metrics = scrape(load.gateway)
    status = wire.get(load.gateway.admin, "/admin/v1/status").json()
    with Watcher(load.gateway) as watcher:
        state, recent = watcher.until("state"), watcher.until("recent")
    for name in ("queue", "running", "backends", "cache", "draining"):
        assert state[name] == status[name], name
    assert not any(state["requests"].values())
    assert {row["name"] for row in state["keys"]} == {key["name"] for key in KEYS}
    refused = collections.Counter(r["reason"] for r in recent["rows"] if r["kind"] == "refused")
    assert refused == metrics.by("drover_rejected_total", "reason")
    failed = {row["id"] for row in recent["rows"] if row["kind"] == "failed"}
    logged = {row["id"] for row in load.log_rows() if row["status"] >= 500}
    assert failed == logged


def test_drover_top_says_the_same(load, request):
    metrics = scrape(load.gateway)
    binary = find_program(request.config, "drover")
    done = subprocess.run(
        [binary, "top", "--once", "--admin", load.gateway.admin],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stderr
    answered = int(metrics.total("drover_requests_total"))
    asked = {
        result: metrics.total("drover_cache_requests_total", result=result)
        for result in ("hit", "miss", "joined", "stale")
    }
    assert f"requests {answered}  " in done.stdout
    assert f" of {int(sum(asked.values()))}, " in done.stdout
    slots = int(metrics.total("drover_backend_slots"))
    assert re.search(rf"slots +\[ *0/{slots}\]  nodes 2 of 2 up  running 0", done.stdout)


def test_tokens_and_loads_are_what_the_nodes_made(load):
    metrics = scrape(load.gateway)
    rows = [row for node in load.nodes for row in node.requests()]
    for model in ("tiny", "small"):
        made = sum(r["tokens"] for r in rows if r.get("model") in (model, f"{model}:latest"))
        shown = metrics.total("drover_tokens_total", kind="output", model=f"{model}:latest")
        assert shown == made > 0
    for name, node in zip(("one", "two"), load.nodes):
        said = rf'"subject":"{name}","message":"(loading|unloading) (\S+): done'
        orders = re.findall(said, load.gateway.log())
        loads = collections.Counter(model for what, model in orders if what == "loading")
        assert metrics.by("drover_model_loads_total", "model", backend=name) == loads
        assert metrics.by("drover_model_load_seconds_count", "model", backend=name) == loads
        assert len(node.orders()) == len(orders)
    # Four of six and one of two are streams, twice; and those that were left.
    assert metrics.total("drover_time_to_first_token_seconds_count") == 2 * (4 + 1) + 3


def test_retries_and_faults_are_counted_where_they_happened(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([{"name": "one", "url": node.url}])
    assert gateway.post("/api/generate", harness.run()).status == 200
    node.fault("busy", count=1)
    assert gateway.post("/api/generate", harness.run()).status == 200
    node.fault("garbage", count=1)
    assert gateway.post("/api/generate", harness.run()).status == 502
    node.fault("truncated_chunk", count=1)
    assert gateway.post("/api/generate", harness.run(stream=True)).status == 200
    metrics = scrape(gateway)
    assert metrics.by("drover_retries_total", "reason") == {"busy": 1}
    assert metrics.by("drover_backend_errors_total", "reason", backend="one") == {
        "busy": 1,
        "broken": 2,
    }
    seen = [row["status"] for row in node.requests()]
    assert seen.count(503) == metrics.total("drover_retries_total")


def test_a_queue_that_is_full_is_a_reason(stage):
    node = stage.node("tiny", parallel=1)
    node.gate("hold", "before_first_token")
    rows = [{"url": node.url, "parallel": 1, "slots": 1}]
    gateway = stage.gateway(rows, {"queue": {"size": 1}})
    clients = [wire.Wire(gateway.url) for _ in range(2)]
    for client in clients:
        client.request("POST", "/api/generate", harness.run("gate:hold"))
        node.wait("gated", 1)  # the first runs, its model is loaded: the second alone waits
        harness.turn(gateway)
    assert gateway.post("/api/generate", harness.run()).status == 503
    assert scrape(gateway).by("drover_rejected_total", "reason") == {"queue_full": 1}
    node.open("hold")
    for client in clients:
        assert client.read_answer().status == 200
        client.close()


def test_gaps_between_tokens_are_measured(stage):
    """A gate before each token: each comes by itself, and so the gaps are one less."""
    node = stage.node("tiny")
    node.gate("step", "before_each_token")
    gateway = stage.gateway([node])
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", harness.run("tokens:4 gate:step", stream=True))
        seen = b""
        node.open("step", 1)
        pieces = client.read_pieces(client.read_head())
        for count in range(1, 5):
            while seen.count(b"\n") < count:
                seen += next(pieces)
            if count < 4:
                node.open("step", 1)
        for piece in pieces:
            seen += piece
    metrics = scrape(gateway)
    assert metrics.total("drover_time_to_first_token_seconds_count", model="tiny:latest") == 1
    # The last record, that it is done, comes with the last token or behind it.
    assert metrics.total("drover_inter_token_seconds_count", model="tiny:latest") in (3, 4)


def test_what_the_cache_did(stage):
    gateway = stage.gateway([stage.node("tiny")])
    body = harness.run(options={"seed": 1})
    for _ in range(3):
        assert gateway.post("/api/generate", body).status == 200
    assert gateway.post("/api/generate", body, [("Cache-Control", "no-store")]).status == 200
    metrics = scrape(gateway)
    assert metrics.by("drover_cache_requests_total", "result") == {
        "miss": 1,
        "hit": 2,
        "bypass": 1,
    }
    assert metrics.total("drover_cache_entries") == 1
    assert metrics.total("drover_cache_bytes") > 0
    assert metrics.total("drover_requests_total", route="/api/generate") == 4
    only = [("Cache-Control", "only-if-cached")]
    assert gateway.post("/api/generate", harness.run(options={"seed": 2}), only).status == 504
    assert scrape(gateway).by("drover_rejected_total", "reason") == {"not_cached": 1}
    # Those that no node answered took no tokens, and did not wait for a slot.
    assert metrics.total("drover_queue_wait_seconds_count") == 2
