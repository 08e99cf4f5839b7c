"""GET /admin/v1/events: what watchers are told is so, and they cost nobody anything."""

import json

import harness
from harness import prometheus, wire
from harness.watch import PATH, Watcher

STATUS = "/admin/v1/status"
REQUESTS = "/admin/v1/requests"
MOST = 64  # watchers


def shown(gateway, path):
    return wire.get(gateway.admin, path).json()


def row_of(node, name="one", **more):
    return {"name": name, "url": node.url, "parallel": 1, "slots": 1, **more}


class Busy:
    """One request runs at the gate of a node, others wait for it."""

    def __init__(self, stage, waiting, settings=None):
        self.node = stage.node("tiny", parallel=1)
        self.gateway = stage.gateway([row_of(self.node)], settings)
        assert self.gateway.post("/api/generate", harness.run("warm")).status == 200
        self.node.gate("mid", "before_token:3")
        self.clients = [self.send("runs", stream=True, prompt="gate:mid")]
        self.node.wait("gated", 1)
        self.clients += [self.send(f"waits-{i}", key=i) for i in range(waiting)]
        harness.turn(self.gateway)

    def send(self, name, key=0, **more):
        client = wire.Wire(self.gateway.url)
        head = [("X-Request-Id", name)]
        client.request("POST", "/api/generate", harness.run(**{"prompt": "hi", **more}), head)
        return client

    def finish(self):
        self.node.open("mid")
        for client in self.clients:
            assert client.read_answer().status == 200


def test_the_first_events_tell_everything(stage):
    gateway = stage.gateway([row_of(stage.fake())])
    with Watcher(gateway) as watcher:
        assert watcher.answer.status == 200
        assert watcher.answer.header("content-type") == "text/event-stream"
        assert watcher.answer.header("cache-control") == "no-store"
        assert watcher.answer.header("x-content-type-options") == "nosniff"
        assert watcher.next().retry == "1000"
        first = [watcher.next() for _ in range(3)]
    assert [event.name for event in first] == ["state", "history", "recent"]
    assert first[0].id < first[1].id < first[2].id
    state, history, recent = (event.data for event in first)
    status = shown(gateway, STATUS)
    assert {name: state[name] for name in status if name in state} == {
        name: value for name, value in status.items() if name != "uptime_s"
    }
    assert state["keys"] == []
    assert (state["requests"]["waiting"], state["requests"]["running"]) == ([], [])
    assert history["step_ms"] == 10000 and history["first"] == 0
    assert recent == {"rows": []}


def test_it_says_what_status_and_requests_say(stage):
    busy = Busy(stage, 3)
    with Watcher(busy.gateway) as watcher:
        state = watcher.until("state", lambda s: len(s["requests"]["waiting"]) == 3)
        status, requests = shown(busy.gateway, STATUS), shown(busy.gateway, REQUESTS)
        passing = ("waited_ms", "age_ms", "eta_ms", "oldest_ms")

        def lasting(row):
            return {name: value for name, value in row.items() if name not in passing}

        shown_rows = state["requests"]["running"] + state["requests"]["waiting"]
        rows = {row["id"]: row for row in shown_rows}
        assert {name: lasting(row) for name, row in rows.items()} == {
            row["id"]: lasting(row) for row in requests
        }
        for name in ("draining", "backends", "cache"):
            assert state[name] == status[name]
        assert lasting(state["queue"]) == lasting(status["queue"])
        assert rows["runs"]["tokens"] > 0 and rows["runs"]["backend"] == "one"
        assert sorted(rows[f"waits-{i}"]["position"] for i in range(3)) == [0, 1, 2]
        assert all(row["tokens"] is None for row in state["requests"]["waiting"])
        busy.finish()
        state = watcher.until("state", lambda s: not s["requests"]["running"] and not s["requests"]["waiting"])
    assert state["backends"][0]["busy"] == 0


def test_a_load_shows_how_far_it_is(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([row_of(node)])
    node.gate("tiny:latest", "before_load")
    answer = harness.later(gateway.post, "/api/generate", harness.run())
    node.wait("gated", 1)
    with Watcher(gateway) as watcher:
        (held,) = watcher.until("state", lambda s: s["backends"][0]["models"])["backends"][0]["models"]
        assert held["state"] == "loading" and held["load_expected_ms"] > 0
        before = held["loading_ms"]
        state = watcher.until("state")
        assert state["backends"][0]["models"][0]["loading_ms"] > before
        node.open("tiny:latest")
        assert answer.result(harness.program.LIMIT_S).status == 200
        held = watcher.until("state", lambda s: s["backends"][0]["models"][0]["state"] == "loaded")
        assert "loading_ms" not in held["backends"][0]["models"][0]


def test_keys_are_shown_with_what_they_used(stage):
    keys = [
        {"name": "alice", "key": "alices-key-0123456789", "requests_per_minute": 60, "burst": 5},
        {"name": "boss", "key": "the-boss-key-0123456789", "admin": True},
    ]
    gateway = stage.gateway([row_of(stage.fake())], {"keys": keys})
    alice = [("Authorization", "Bearer alices-key-0123456789")]
    boss = [("Authorization", "Bearer the-boss-key-0123456789")]
    assert gateway.post("/api/generate", harness.run(), alice).status == 200
    refused = wire.get(gateway.admin, PATH)
    assert refused.status == 401 and refused.header("www-authenticate")
    assert wire.get(gateway.admin, PATH, alice).status == 401
    with Watcher(gateway, boss) as watcher:
        rows = watcher.until("state")["keys"]
        assert [(row["name"], row["admin"], row["is_key"]) for row in rows] == [
            ("alice", False, True),
            ("boss", True, True),
        ]
        assert rows[0]["limits"]["requests_per_minute"]["limit"] == 60
        assert rows[0]["limits"]["requests_per_minute"]["remaining"] < 60
        assert rows[1]["limits"]["requests_per_minute"] is None
        assert not any(key["key"] in watcher.text.decode() for key in keys)


def test_a_reload_asks_watchers_for_their_keys_again(stage):
    boss = {"name": "boss", "key": "the-boss-key-0123456789", "admin": True}
    other = {**boss, "name": "other", "key": "another-key-0123456789"}
    gateway = stage.gateway([row_of(stage.fake())], {"keys": [boss, other]})
    head = [("Authorization", f"Bearer {boss['key']}")]
    config = json.loads(gateway.file.read_text())
    with Watcher(gateway, head) as watcher:
        watcher.until("recent")
        gateway.file.write_text(json.dumps({**config, "keys": [other]}))
        assert wire.post(gateway.admin, "/admin/v1/reload", None, head).status == 200
        for _ in watcher.pieces:
            pass
        assert watcher.answer.whole
    assert wire.get(gateway.admin, PATH, head).status == 401


def test_what_went_wrong_is_told_once_and_without_a_prompt(stage):
    node = stage.fake(lambda exchange: exchange.reset())
    settings = {"log": {"slow": "1ms"}, "retry": {"attempts": 1}}
    gateway = stage.gateway([row_of(node)], settings)
    with Watcher(gateway) as watcher:
        assert watcher.until("recent")["rows"] == []
        answer = gateway.post("/api/generate", harness.run("a-secret"), [("X-Request-Id", "broke")])
        assert answer.status == 502
        assert gateway.post("/api/generate", {"model": "none", "prompt": "a-secret"}).status == 404
        rows = watcher.until("recent")["rows"]
        while len(rows) < 2:
            rows += watcher.until("recent")["rows"]
    failed, refused = rows
    assert (failed["kind"], failed["id"], failed["status"]) == ("failed", "broke", 502)
    assert (failed["end"], failed["model"], failed["backend"]) == ("backend error", "tiny", "one")
    assert (refused["kind"], refused["status"]) == ("refused", 404)
    assert (refused["reason"], refused["number"]) == ("unknown_model", 1)
    assert "a-secret" not in json.dumps(rows)
    with Watcher(gateway) as watcher:
        assert watcher.until("recent")["rows"] == rows, "and to the next who come"
    for _ in range(60):  # more refusals than are kept do not wash out what failed
        assert gateway.post("/api/generate", {"model": "none", "prompt": "x"}).status == 404
    with Watcher(gateway) as watcher:
        kept = watcher.until("recent")["rows"]
    assert kept[0] == failed and {row["kind"] for row in kept[1:]} == {"refused"}
    assert [row["number"] for row in kept[1:]] == list(range(22, 62))


def test_slow_ones_are_told_too(stage):
    gateway = stage.gateway([row_of(stage.node("tiny,tps=50"))], {"log": {"slow": "1ms"}})
    with Watcher(gateway) as watcher:
        assert gateway.post("/api/generate", harness.run()).status == 200
        (row,) = watcher.until("recent", lambda data: data["rows"])["rows"]
    assert (row["kind"], row["status"], row["end"]) == ("slow", 200, "done")
    assert row["tokens"] > 0 and row["took_ms"] >= row["waited_ms"] >= 0


def test_so_many_may_watch_and_no_more(stage):
    gateway = stage.gateway([row_of(stage.fake())])
    watchers = [Watcher(gateway) for _ in range(MOST)]
    refused = wire.get(gateway.admin, PATH)
    assert refused.status == 503 and str(MOST) in refused.json()["error"]
    assert wire.get(gateway.admin, STATUS).status == 200
    for watcher in watchers:
        watcher.until("recent")
    watchers.pop().wire.close()
    for watcher in watchers:
        watcher.wire.reset()
    harness.turn(gateway)
    with Watcher(gateway) as watcher:
        assert watcher.answer.status == 200
        watcher.until("state")


def test_those_who_come_and_go_leave_nothing(stage):
    gateway = stage.gateway([row_of(stage.fake())], {"log": {"access": "off"}})

    def come_and_go():
        watchers = [Watcher(gateway) for _ in range(MOST)]
        for watcher in watchers:
            watcher.until("recent")
            watcher.wire.reset()
        harness.turn(gateway)

    for _ in range(3):
        come_and_go()
    before = gateway.resident_kib()
    for _ in range(6):
        come_and_go()
    # Sanitizers keep 8 MiB of what was freed, and look for leaks by themselves.
    most_kib = 512 if gateway.memory_factor == 1 else 16384
    assert gateway.resident_kib() - before < most_kib


def test_head_has_no_end_to_wait_for(stage):
    gateway = stage.gateway([row_of(stage.fake())])
    answer = wire.ask(gateway.admin, "HEAD", PATH)
    assert answer.status == 200 and answer.header("content-type") == "text/event-stream"


def test_one_that_does_not_read_is_skipped_and_told_everything_later(stage, tmp_path):
    model = "m" * 400
    node = stage.fake(lambda exchange: exchange.wait_gone(), models=[f"{model}:latest"])
    # What the kernel keeps for a reader does not grow there.
    settings = {"log": {"access": "off"}, "admin": f"unix:{tmp_path}/admin"}
    gateway = stage.gateway([row_of(node)], settings)
    clients = []
    for i in range(200):
        client = wire.Wire(gateway.url)
        head = [("X-Request-Id", f"{i:0128d}")]
        client.request("POST", "/api/generate", {"model": model, "prompt": str(i)}, head)
        clients.append(client)
    with Watcher(gateway) as slow, Watcher(gateway) as quick:
        whole = quick.until("state", lambda s: len(s["requests"]["waiting"]) == 199)
        before = gateway.resident_kib()
        for _ in range(6):  # more than is kept for it
            quick.until("state")
        assert gateway.resident_kib() - before < 4096 * gateway.memory_factor
        ids, fresh = [], 0
        while fresh < 2:  # that of its beginning, and that after it was skipped
            event = slow.next()
            fresh += event.retry is not None
            if event.id is not None:
                ids.append(event.id)
        state = slow.next()
        assert state.id > ids[-1] + 1, "none was skipped"
        assert state.data["requests"]["waiting"][0]["id"] == whole["requests"]["waiting"][0]["id"]
    for client in clients:
        client.reset()


def test_a_point_of_the_last_hour_is_told_when_it_is_over_and_comments_keep_it_open(stage):
    gateway = stage.gateway([row_of(stage.node("tiny"))])
    with Watcher(gateway) as watcher:
        answer = gateway.post("/api/generate", harness.run(stream=True))
        tokens = answer.lines()[-1]["eval_count"]
        assert watcher.until("history")["tokens"] == []
        told, comment = {}, ""
        while not told or not comment:
            event = watcher.next()
            comment = comment or event.comment
            if event.name == "history" and event.data["tokens"] and not told:
                told = event.data
    assert (told["first"], told["tokens"], told["ended"]) == (0, [tokens], [1])
    assert told["first_p50_ms"][0] >= 0 and told["running"][0] <= 1


def test_the_numbers_of_events_metrics_and_log_agree(stage):
    """After a load with aborts, failures, refusals and kept answers."""
    node = stage.node("tiny")
    broken = stage.fake(lambda exchange: exchange.reset(), models=["bad:latest"])
    rows = [row_of(node), row_of(broken, "broken")]
    gateway = stage.gateway(rows, {"log": {"format": "json"}, "retry": {"attempts": 1}})
    for i in range(4):
        assert gateway.post("/api/generate", harness.run(str(i), stream=i % 2 == 0)).status == 200
        same = harness.run("same", options={"temperature": 0})
        assert gateway.post("/api/generate", same).status == 200
        assert gateway.post("/api/generate", {"model": "none", "prompt": "x"}).status == 404
    assert gateway.post("/api/generate", {"model": "bad", "prompt": "x"}).status == 502
    node.gate("mid", "before_token:4")
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", harness.run("gate:mid", stream=True))
        node.wait("gated", 1)
        next(client.read_pieces(client.read_head()))
        client.reset()
    gateway.wait_line('"end":"client gone"')
    metrics = prometheus.scrape(gateway)
    ended = metrics.total("drover_requests_total")
    points, recent = {}, []
    with Watcher(gateway) as watcher:
        while sum(points.get("ended", [])) < ended:
            event = watcher.next()
            if event.name == "recent":
                recent = event.data["rows"]
            elif event.name == "history":
                for name, values in event.data.items():
                    points.setdefault(name, []).extend(values if isinstance(values, list) else [])
    lines = [json.loads(line) for line in gateway.lines if line.startswith('{"time"')]
    lines = [line for line in lines if "tokens_out" in line]
    assert sum(points["ended"]) == ended == len(lines)
    assert sum(points["failed"]) == 1
    tokens = metrics.total("drover_tokens_total", kind="output")
    assert sum(points["tokens"]) == tokens == sum(line["tokens_out"] or 0 for line in lines)
    results = metrics.by("drover_cache_requests_total", "result")
    assert sum(points["cache_hits"]) == results["hit"] == 3
    assert sum(points["cache_asked"]) == results["hit"] + results["miss"]
    assert [row["status"] for row in recent] == [
        line["status"] for line in lines if line["status"] >= 400 and line["status"] != 499
    ]
