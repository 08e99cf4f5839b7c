"""SIGHUP and POST /admin/v1/reload: another configuration is in force, and no client notices."""

import json
import os
import re
import signal
import threading

import harness
import pytest
from harness import prometheus, reload, wire
from harness.upgrade import Load, upgrade

LIMIT_S = wire.LIMIT_S
# Each in its own share of the work; `make reload-storm` measures more and longer.
RELOADS = int(os.environ.get("DROVER_RELOADS", "300"))
BEARER = [("Authorization", "Bearer right")]


def key(name, secret=None, **more):
    return {"name": name, "key": secret or name, **more}


def row(node, **more):
    return {"url": node.url, **more}


def status(gateway, headers=()):
    return wire.get(gateway.admin, "/admin/v1/status", headers).json()


def in_force(gateway):
    """The lines of GET /admin/v1/config."""
    answer = wire.get(gateway.admin, "/admin/v1/config")
    assert answer.status == 200
    assert answer.header("content-type").startswith("application/yaml")
    return bytes(answer.body).decode().splitlines()


def reload_counts(gateway):
    rows = prometheus.scrape(gateway).rows("drover_config_reloads_total")
    return {labels["result"]: value for _, labels, value in rows}


class Held:
    """A node whose answers wait until they are let go."""

    def __init__(self, stage, **options):
        self.go_on = threading.Semaphore(0)
        self.node = stage.fake(self.play, **options)

    def play(self, exchange):
        exchange.begin()
        exchange.line(response="one", done=False)
        assert self.go_on.acquire(timeout=LIMIT_S)
        exchange.line(response=exchange.json()["prompt"], done=True)
        exchange.end()

    def ask(self, gateway, prompt, headers=()):
        """A client whose answer is begun."""
        seen = len(self.node.exchanges)
        client = wire.Wire(gateway.url)
        client.request("POST", "/api/generate", harness.run(prompt, stream=True), headers)
        self.node.wait_exchanges(seen + 1)
        return client

    def let_go(self, client, prompt):
        self.go_on.release()
        answer = client.read_answer()
        assert answer.status == 200 and answer.whole
        assert answer.lines()[-1]["response"] == prompt
        client.close()


# --- what is said ---


def test_sighup_puts_the_file_in_force_and_says_what_changed(stage):
    gateway = stage.gateway([stage.fake()])
    reload.write(gateway, queue={"size": 7}, keys=[key("bob", admin=False)])
    mark = gateway.mark()
    assert reload.hang_up(gateway)
    gateway.wait_line(r"info  reload: keys: \+bob$", after=mark)
    gateway.wait_line(r"info  reload: queue\.size: 512 -> 7$", after=mark)
    assert status(gateway)["queue"]["size"] == 7
    assert gateway.get("/api/tags").status == 401


def test_the_answer_of_a_reload_says_what_changed(stage):
    gateway = stage.gateway([stage.fake()])
    assert reload.apply(gateway, queue={"size": 7}) == ["queue.size: 512 -> 7"]
    assert reload.apply(gateway) == []
    assert reload_counts(gateway) == {"ok": 2, "failed": 0}


class Pipe:
    """The gateway's file as a pipe: who reads it waits until the test has written."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.text = gateway.file.read_text()
        gateway.file.unlink()
        os.mkfifo(gateway.file)

    def open(self):
        """Returns once somebody reads."""
        return open(self.gateway.file, "w")

    def ask(self):
        client = wire.Wire(self.gateway.admin)
        client.request("POST", "/admin/v1/reload")
        return client


def changes_of(client):
    with client:
        return client.read_answer().json()["changes"]


def test_requests_go_on_while_the_file_is_read(stage):
    gateway = stage.gateway([stage.fake()])
    pipe = Pipe(gateway)
    client = pipe.ask()
    with pipe.open() as file:
        for _ in range(3):
            assert gateway.post("/api/generate", harness.run()).status == 200
        assert reload_counts(gateway) == {"ok": 0, "failed": 0}
        file.write(pipe.text)
    assert changes_of(client) == []
    assert reload_counts(gateway) == {"ok": 1, "failed": 0}


def test_who_asks_while_the_file_is_read_has_it_read_once_more(stage):
    """What was read may be older than what was asked for."""
    gateway = stage.gateway([stage.fake()], {"queue": {"size": 7}})
    pipe = Pipe(gateway)
    first = pipe.ask()
    with pipe.open() as file:
        others = [pipe.ask() for _ in range(3)]
        harness.turn(gateway)
        file.write(pipe.text)
    assert changes_of(first) == []
    with pipe.open() as file:
        file.write(pipe.text.replace('"size": 7', '"size": 8'))
    for client in others:
        assert changes_of(client) == ["queue.size: 7 -> 8"]
    assert reload_counts(gateway) == {"ok": 2, "failed": 0}


def test_who_does_not_wait_for_a_reload_gets_it(stage):
    gateway = stage.gateway([stage.fake()], {"queue": {"size": 7}})
    pipe = Pipe(gateway)
    client = pipe.ask()
    with pipe.open() as file:
        client.close()
        harness.turn(gateway)
        file.write(pipe.text.replace('"size": 7', '"size": 8'))
    gateway.wait_line(r"reload: queue\.size: 7 -> 8$")
    assert status(gateway)["queue"]["size"] == 8


def test_what_was_read_while_it_shuts_down_is_not_put_in_force(stage):
    held = Held(stage)
    gateway = stage.gateway([held.node])
    runs = held.ask(gateway, "runs")
    pipe = Pipe(gateway)
    with pipe.ask() as client:
        with pipe.open() as file:
            gateway.signal(signal.SIGTERM)
            gateway.wait_line("drain: no new requests")
            file.write(pipe.text)
        answer = client.read_answer()
        assert (answer.status, answer.json()["errors"]) == (422, ["it is shutting down"])
    held.let_go(runs, "runs")


def test_it_can_stop_while_a_file_is_read(stage):
    gateway = stage.gateway([stage.fake()])
    pipe = Pipe(gateway)
    client = pipe.ask()
    with pipe.open() as file:
        gateway.signal(signal.SIGTERM)
        gateway.wait_line("drain: no new requests")
        file.write(pipe.text)
    assert gateway.wait_exit_code() == 0
    client.close()


def test_a_file_with_a_mistake_changes_nothing_and_is_said_with_its_place(stage):
    gateway = stage.gateway([stage.fake()])
    before = in_force(gateway)
    mark = gateway.mark()
    reload.write(gateway, text='queue: {size: 7}\nkeys:\n  - name: bob\n    key: ""\nlgo: {}\n')
    said = reload.post(gateway)
    assert said["result"] == "failed" and len(said["errors"]) == 2, said
    assert re.search(r"drover\.yaml:4:10: keys\[0\]\.key: ", said["errors"][0])
    assert re.search(r"drover\.yaml:5:1: lgo: .*log\?", said["errors"][1])
    for error in said["errors"]:
        gateway.wait_line("error reload: " + re.escape(error), after=mark)
    assert not reload.hang_up(gateway)
    gateway.file.unlink()
    assert re.search("drover.yaml: No such file", reload.post(gateway)["errors"][0])
    assert in_force(gateway) == before
    assert reload_counts(gateway) == {"ok": 0, "failed": 3}


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"listen": ["127.0.0.1:1"]}, r"listen: \+127.0.0.1:1, -127.0.0.1:0: cannot change"),
        ({"admin": "off"}, r"admin: 127.0.0.1:0 -> off: cannot change"),
        ({"state": "/nowhere"}, r"state: none -> /nowhere: cannot change"),
    ],
    ids=["listen", "admin", "state"],
)
def test_what_only_a_restart_changes_refuses_the_whole_file(stage, changes, said):
    gateway = stage.gateway([stage.fake()])
    reload.write(gateway, changes, queue={"size": 7})
    answer = reload.post(gateway)
    assert len(answer["errors"]) == 1 and re.search(said, answer["errors"][0]), answer
    assert "SIGUSR2 or a restart" in answer["errors"][0]
    assert status(gateway)["queue"]["size"] == 512


def test_what_a_reload_refuses_is_done_by_sigusr2(stage, tmp_path):
    gateway = stage.gateway([stage.fake()])
    more = f"unix:{tmp_path}/drover.sock"
    reload.write(gateway, listen=["127.0.0.1:0", more])
    assert reload.post(gateway)["result"] == "failed"
    upgrade(stage, gateway)
    assert wire.get(more, "/healthz").status == 200


def test_what_is_in_force_is_shown_without_secrets(stage):
    gateway = stage.gateway([row(stage.fake(), api_key="planted-1")])
    reload.apply(gateway, keys=[key("bob", "planted-2")])
    lines = in_force(gateway)
    assert '- name: "bob"' in lines and "planted" not in "\n".join(lines)
    assert "planted" not in gateway.log()


def test_a_browser_of_another_site_cannot_reload(stage):
    gateway = stage.gateway([stage.fake()])
    foreign = [("Origin", "http://evil.example")]
    assert wire.post(gateway.admin, "/admin/v1/reload", None, foreign).status == 403
    assert wire.get(gateway.admin, "/admin/v1/reload").status == 405


def test_the_demo_keeps_its_nodes(stage):
    gateway = stage.gateway(None, ready=False, arguments=["--demo"])
    gateway.wait_line("demo-2: is up")
    assert reload.apply(gateway, queue={"size": 7}) == ["queue.size: 512 -> 7"]
    assert [b["name"] for b in status(gateway)["backends"]] == ["demo-1", "demo-2"]


# --- keys and limits ---


def test_keys_come_and_go_and_what_runs_with_them_ends(stage):
    held = Held(stage)
    gateway = stage.gateway([row(held.node, parallel=2)], {"keys": [key("right"), key("old")]})
    client = held.ask(gateway, "late", [("Authorization", "Bearer old")])
    kept = wire.Wire(gateway.url)
    for secret, allowed in (("old", 200), ("new", 401)):
        kept.request("GET", "/api/tags", None, [("Authorization", f"Bearer {secret}")])
        assert kept.read_answer().status == allowed
    reload.apply(gateway, keys=[key("right"), key("fresh", "new")])
    for secret, allowed in (("old", 401), ("new", 200)):
        kept.request("GET", "/api/tags", None, [("Authorization", f"Bearer {secret}")])
        assert kept.read_answer().status == allowed
    kept.close()
    held.let_go(client, "late")
    assert re.search("key=old .*status=200", gateway.wait_line(".*key=old .*end=done").group(0))


def test_the_counters_of_a_key_vanish_with_it(stage):
    rows = [key("right", admin=True), key("old")]
    gateway = stage.gateway([stage.fake()], {"keys": rows})
    for bearer in (BEARER, [("Authorization", "Bearer old")]):
        assert gateway.post("/api/generate", harness.run(), bearer).status == 200

    def counted():
        samples = prometheus.scrape(gateway, BEARER)
        return samples.by("drover_key_requests_total", "key")

    gateway.wait_line("key=old .*end=done")
    assert counted() == {"right": 1, "old": 1}
    reload.apply(gateway, keys=rows[:1], headers=BEARER)
    assert counted() == {"right": 1}


def test_other_limits_hold_at_once_and_what_was_counted_stays(stage):
    gateway = stage.gateway(
        [stage.fake()], {"keys": [key("right", requests_per_minute=1, burst=3)]}
    )
    for left in ("2", "1"):
        answer = gateway.post("/api/generate", harness.run(), BEARER)
        assert answer.status == 200 and answer.header("x-ratelimit-remaining-requests") == left
    reload.apply(gateway, keys=[key("right", requests_per_minute=1, burst=10)])
    answer = gateway.post("/api/generate", harness.run(), BEARER)
    assert answer.header("x-ratelimit-remaining-requests") == "7"
    reload.apply(gateway, keys=[key("right", requests_per_minute=1, burst=2)])
    assert gateway.post("/api/generate", harness.run(), BEARER).status == 429
    # The same key under another secret is still the same.
    reload.apply(gateway, keys=[key("right", "other", requests_per_minute=1, burst=2)])
    other = [("Authorization", "Bearer other")]
    assert gateway.post("/api/generate", harness.run(), BEARER).status == 401
    assert gateway.post("/api/generate", harness.run(), other).status == 429


def test_who_is_inside_counts_against_a_new_bound(stage):
    held = Held(stage)
    gateway = stage.gateway([row(held.node, parallel=4)], {"keys": [key("right")]})
    client = held.ask(gateway, "inside", BEARER)
    reload.apply(gateway, keys=[key("right", concurrent=1)])
    assert gateway.post("/api/generate", harness.run(), BEARER).status == 429
    held.let_go(client, "inside")
    gateway.wait_line("key=right .*end=done")
    client = held.ask(gateway, "again", BEARER)
    held.let_go(client, "again")


# --- nodes ---


def test_what_runs_on_a_node_that_goes_ends_there_and_what_waits_goes_elsewhere(stage):
    old, new = Held(stage), Held(stage)
    gateway = stage.gateway([row(old.node, name="old")])
    runs = old.ask(gateway, "runs")
    waits = wire.Wire(gateway.url)
    waits.request("POST", "/api/generate", harness.run("waits", stream=True))
    harness.turn(gateway)
    assert status(gateway)["queue"]["waiting"] == 1
    reload.apply(gateway, backends=[row(new.node, name="new")])
    new.node.wait_exchanges(1)
    rows = {b["name"]: (b["state"], b["busy"]) for b in status(gateway)["backends"]}
    assert rows["old"] == ("draining", 1) and rows["new"][1] == 1
    assert prometheus.scrape(gateway).by("drover_backend_busy", "backend") == {"new": 1}
    new.let_go(waits, "waits")
    old.let_go(runs, "runs")
    gateway.wait_line("backend=old .*end=done")
    assert [b["name"] for b in status(gateway)["backends"]] == ["new"]
    assert len(old.node.exchanges) == 1


def test_a_node_that_went_is_left_alone(stage):
    old, new = stage.fake(), stage.fake()
    gateway = stage.gateway([row(old, name="old")], {"health": {"interval": "10ms"}})
    assert gateway.post("/api/generate", harness.run()).status == 200
    reload.apply(gateway, backends=[row(new, name="new")])
    # Its connections are closed, and nothing comes any more.
    old.waiter.until(lambda: not old.open, "the connections of a node that went to be closed")
    looks = old.looks
    new.wait_looks(5)
    assert old.looks == looks and not old.open
    text = bytes(wire.get(gateway.admin, "/metrics").body).decode()
    assert 'backend="new"' in text and 'backend="old"' not in text


def test_the_counters_of_a_node_vanish_with_it(stage):
    old, new = stage.fake(loaded=[]), stage.fake(loaded=[])
    gateway = stage.gateway([row(old, name="old")])
    assert gateway.post("/api/generate", harness.run()).status == 200
    assert prometheus.scrape(gateway).total("drover_model_loads_total", backend="old") == 1
    reload.apply(gateway, backends=[row(new, name="new")])
    assert gateway.post("/api/generate", harness.run()).status == 200
    loads = prometheus.scrape(gateway).by("drover_model_loads_total", "backend")
    assert loads == {"new": 1}


def test_slots_in_flight_stay_counted_when_a_node_comes_back(stage):
    held, other = Held(stage), stage.fake(models=())
    gateway = stage.gateway([row(held.node, name="it")])
    first = held.ask(gateway, "first")
    reload.apply(gateway, backends=[row(other, name="other")])
    reload.apply(gateway, backends=[row(held.node, name="it")])
    second = wire.Wire(gateway.url)
    second.request("POST", "/api/generate", harness.run("second", stream=True))
    harness.turn(gateway)
    now = status(gateway)
    assert (now["running"], now["queue"]["waiting"]) == (1, 1)
    assert [(b["name"], b["busy"]) for b in now["backends"]] == [("it", 1)]
    held.let_go(first, "first")
    held.node.wait_exchanges(2)
    held.let_go(second, "second")


def test_one_name_may_go_over_to_another_node(stage):
    old, new = Held(stage), stage.fake()
    gateway = stage.gateway([row(old.node, name="it")])
    runs = old.ask(gateway, "runs")
    reload.apply(gateway, backends=[row(new, name="it")])
    answer = gateway.post("/api/generate", harness.run())
    assert answer.status == 200 and answer.header("X-Drover-Backend") == "it"
    assert len(new.exchanges) == 1
    old.let_go(runs, "runs")


def test_more_slots_start_what_waits_and_fewer_are_kept_to(stage):
    held = Held(stage)
    gateway = stage.gateway([row(held.node, name="it", parallel=1)])
    clients = [held.ask(gateway, "0")]
    for number in (1, 2):
        client = wire.Wire(gateway.url)
        client.request("POST", "/api/generate", harness.run(str(number), stream=True))
        harness.turn(gateway)
        clients.append(client)
    reload.apply(gateway, backends=[row(held.node, name="it", parallel=3)])
    held.node.wait_exchanges(3)
    reload.apply(gateway, backends=[row(held.node, name="it", parallel=1)])
    late = wire.Wire(gateway.url)
    late.request("POST", "/api/generate", harness.run("late", stream=True))
    harness.turn(gateway)
    assert status(gateway)["queue"]["waiting"] == 1
    for _ in clients:
        held.go_on.release()
    for number, client in enumerate(clients):
        assert client.read_answer().lines()[-1]["response"] == str(number)
        client.close()
    held.node.wait_exchanges(4)
    held.let_go(late, "late")
    assert held.node.most_in_hand == 3


def test_who_waits_for_a_node_that_goes_is_told(stage):
    held, other = Held(stage), stage.fake()
    gateway = stage.gateway([row(held.node, name="it"), row(other, name="other")])
    runs = held.ask(gateway, "runs", [("X-Drover-Backend", "it")])
    waits = harness.later(
        gateway.post, "/api/generate", harness.run("waits"), [("X-Drover-Backend", "it")]
    )
    gateway_waits(gateway, 1)
    reload.apply(gateway, backends=[row(other, name="other")])
    answer = waits.result(LIMIT_S)
    assert answer.status == 503 and not other.exchanges
    held.let_go(runs, "runs")


def gateway_waits(gateway, count):
    while status(gateway)["queue"]["waiting"] != count:
        harness.turn(gateway)


def test_a_load_on_a_node_that_goes_is_given_up(stage):
    slow, quick = stage.node("tiny,load=1h"), stage.node("tiny")
    gateway = stage.gateway([row(slow, name="slow")])
    answer = harness.later(gateway.post, "/api/generate", harness.run())
    gateway.wait_line("slow: loading tiny:latest$")
    reload.apply(gateway, backends=[row(quick, name="quick")])
    answer = answer.result(LIMIT_S)
    assert answer.status == 200 and answer.header("X-Drover-Backend") == "quick"
    gateway.wait_line("slow: loading tiny:latest: given up")


def test_who_warms_a_node_that_goes_is_told(stage):
    slow, other = stage.node("tiny,load=1h", "more"), stage.fake()
    gateway = stage.gateway([row(slow, name="it")])
    with wire.Wire(gateway.url) as waits, wire.Wire(gateway.admin) as warms:
        waits.request("POST", "/api/generate", harness.run())
        gateway.wait_line("it: loading tiny:latest$")
        warms.request("POST", "/admin/v1/warm", {"model": "more", "backend": "it"})
        answer = warms.read_head()
        lines = warms.read_pieces(answer)
        assert json.loads(next(lines))["state"] == "waiting"
        reload.apply(gateway, backends=[row(other, name="other")])
        assert [json.loads(line)["state"] for line in lines] == ["failed"]
        assert waits.read_answer().header("X-Drover-Backend") == "other"


def test_management_under_way_on_a_node_that_goes_ends(stage):
    go_on = threading.Event()

    def play(exchange):
        exchange.begin()
        exchange.line(status="pulling manifest")
        assert go_on.wait(LIMIT_S)
        exchange.line(status="success")
        exchange.end()

    old, new = stage.fake(play), stage.fake()
    gateway = stage.gateway([row(old, name="old")])
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/pull", {"model": "tiny"})
        old.wait_exchanges(1)
        for name in ("new", "newer"):
            reload.apply(gateway, backends=[row(new, name=name)])
        # Nothing of the node is counted any more, and yet it must stay until the pull has ended.
        assert [b["name"] for b in status(gateway)["backends"]] == ["newer"]
        go_on.set()
        assert client.read_answer().lines()[-1] == {"status": "success"}
    assert gateway.post("/api/generate", harness.run()).status == 200


def test_the_key_and_the_models_of_a_node_change(stage):
    node = stage.fake()
    gateway = stage.gateway([row(node, name="it", api_key="one")])
    assert gateway.post("/api/generate", harness.run()).status == 200
    reload.apply(gateway, backends=[row(node, name="it", api_key="two")])
    assert gateway.post("/api/generate", harness.run()).status == 200
    keys = [e.field("authorization") for e in node.exchanges]
    assert keys == ["Bearer one", "Bearer two"]
    reload.apply(gateway, backends=[row(node, name="it", models=["other:*"])])
    assert gateway.post("/api/generate", harness.run()).status == 404
    reload.apply(gateway, backends=[row(node, name="it")])
    assert gateway.post("/api/generate", harness.run()).status == 200


def test_a_node_that_cannot_be_changes_nothing(stage, tmp_path):
    node = stage.fake()
    gateway = stage.gateway([row(node, name="it")])
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    new = {"name": "new", "url": "https://127.0.0.1:1", "tls": {"ca": str(wrong)}}
    reload.write(gateway, backends=[row(node, name="more"), new], queue={"size": 7})
    said = reload.post(gateway)
    assert said["result"] == "failed" and "backends[1]" in said["errors"][0], said
    assert status(gateway)["queue"]["size"] == 512
    assert gateway.post("/api/generate", harness.run()).status == 200


# --- the rest ---


def test_what_requests_are_judged_by_changes(stage):
    gateway = stage.gateway([stage.fake()])
    page = [("Origin", "http://page.example")]
    assert gateway.get("/api/tags", page).status == 403
    reload.apply(gateway, cors={"origins": ["http://page.example"]})
    assert gateway.get("/api/tags", page).status == 200
    reload.apply(gateway, hosts=["only.example"])
    assert gateway.get("/api/tags").status == 403
    reload.apply(gateway, hosts=None, max_body="1KiB")
    assert gateway.post("/api/generate", harness.run("x" * 2000)).status == 413
    reload.apply(gateway, max_body=None, manage="none")
    assert gateway.post("/api/pull", {"model": "tiny"}).status == 403
    reload.apply(gateway, manage=None, anonymous={"requests_per_minute": 1, "burst": 1})
    assert gateway.post("/api/generate", harness.run()).status == 200
    assert gateway.post("/api/generate", harness.run()).status == 429
    reload.apply(gateway, anonymous=None, aliases={"gpt": "tiny"})
    assert gateway.post("/api/generate", {**harness.run(), "model": "gpt"}).status == 200
    reload.apply(gateway, models=[{"match": "tiny", "num_predict": {"max": 5}}])
    answer = gateway.post("/api/generate", harness.run(options={"num_predict": 9}))
    assert "num_predict" in answer.header("X-Drover-Rewrite")


def test_logs_change(stage, tmp_path):
    gateway = stage.gateway([stage.fake()])
    path = tmp_path / "access.log"
    mark = gateway.mark()
    reload.apply(gateway, log={"access": str(path), "format": "json", "level": "debug"})
    gateway.wait_line(r'"level":"info","subject":"reload"', after=mark)
    assert gateway.post("/api/generate", harness.run()).status == 200
    # What was logged is written before another log takes its place.
    reload.apply(gateway, log={"access": "off"})
    assert [json.loads(line)["status"] for line in path.read_text().splitlines()] == [200]
    reload.write(gateway, log={"access": str(tmp_path / "no" / "such")})
    said = reload.post(gateway)
    assert "log.access: " in said["errors"][0], said


def test_the_cache_shrinks_and_is_switched_off_and_on(stage, tmp_path):
    gateway = stage.gateway(
        [stage.fake()], {"cache": {"mode": "all"}, "state": str(tmp_path / "state")}
    )

    def ask(prompt):
        return gateway.post("/api/generate", harness.run(prompt)).header("X-Drover-Cache")

    for number in range(8):
        assert ask(str(number)) == "miss"
    assert status(gateway)["cache"]["entries"] == 8
    reload.apply(gateway, cache={"mode": "all", "entries": 3})
    assert status(gateway)["cache"]["entries"] == 3
    reload.apply(gateway, cache={"mode": "off"})
    assert status(gateway)["cache"]["entries"] == 0
    assert ask("again") in (None, "bypass")
    reload.apply(gateway, cache={"mode": "all"})
    assert [ask("again"), ask("again")] == ["miss", "hit"]


def test_fewer_connections_are_kept_to_and_more_let_in(stage):
    gateway = stage.gateway([stage.fake()], {"max_connections": 2})
    inside = [wire.Wire(gateway.url) for _ in range(2)]
    for client in inside:
        client.request("GET", "/healthz")
        assert client.read_answer().status == 200
    waits = harness.later(gateway.get, "/healthz")
    reload.apply(gateway, max_connections=1)
    for client in inside:
        client.request("GET", "/healthz")
        assert client.read_answer().status == 200
    reload.apply(gateway, max_connections=3)
    assert waits.result(LIMIT_S).status == 200
    for client in inside:
        client.close()


def test_a_new_rule_warms_at_once(stage):
    node = stage.fake(loaded=[])
    gateway = stage.gateway([row(node, name="it")])
    reload.apply(gateway, models=[{"match": "tiny", "warm": {"at_start": True}}])
    node.waiter.until(lambda: node.loaded == ["tiny:latest"], "the model to be loaded")


def test_times_between_probes_change(stage):
    node = stage.fake()
    gateway = stage.gateway([row(node)], {"health": {"interval": "1h"}})
    reload.apply(gateway, health={"interval": "10ms", "timeout": "20s"})
    node.wait_looks(3)


# --- all of it at once ---


def storm_of(first, second):
    """Configurations that follow each other, each with whether it is good."""
    a = row(first, name="a", parallel=8)
    b = row(second, name="b", parallel=8)
    load = key("load", "right")
    return [
        ({"backends": [a, b], "keys": [load], "queue": {"size": 512}}, True),
        ({"backends": [{**a, "weight": 3}], "keys": [load, key("more")]}, True),
        ({"backends": [], "keys": "x"}, False),
        ({"backends": [b], "keys": [key("more"), {**load, "weight": 2}]}, True),
        ({"backends": [{**b, "name": "c"}, {**a, "parallel": 4}], "keys": [load]}, True),
        ({"listen": ["127.0.0.1:1"]}, False),
        ({"backends": [{**b, "slots": 2}], "timeouts": {"client_idle": "70s"}}, True),
        ({"backends": [a], "log": {"level": "warn"}, "queue": {"size": 300}}, True),
    ]


def test_no_request_fails_while_configurations_follow_each_other(stage):
    nodes = [stage.node("tiny,tps=400", parallel=8) for _ in range(2)]
    gateway = stage.gateway(
        [row(nodes[0], name="a", parallel=8)], {"keys": [key("load", "right")]}
    )
    configs = storm_of(*nodes)
    base = dict(gateway.config)
    load = Load(gateway, headers=BEARER)
    for number in range(RELOADS):
        changes, good = configs[number % len(configs)]
        gateway.config = dict(base)
        reload.write(gateway, changes)
        assert (reload.post(gateway)["result"] == "ok") == good, changes
        # So that each finds requests of every configuration before it.
        load.wait_more(1 if number % 5 == 0 else 0)
    load.wait_more(5)
    counts = load.end()
    print(f"\n{RELOADS} reloads, 0 failed of {sum(counts.values())} requests: {counts}")
    gateway.config = dict(base)
    reload.apply(gateway)
    # Nothing is left of the nodes that went.
    assert [(b["name"], b["busy"]) for b in status(gateway)["backends"]] == [("a", 0)]
