"""Slots and the queue: never more at once than a node has slots, what waits is bounded and
served in order."""

import re
import threading

import harness
import pytest
from harness import wire

LIMIT_S = wire.LIMIT_S


class Gate:
    """A barrier in the play of nodes: lets through as many as it is told."""

    def __init__(self):
        self.free = threading.Semaphore(0)

    def play(self, exchange):
        assert self.free.acquire(timeout=LIMIT_S)
        exchange.reply({"model": "tiny", "response": exchange.json()["prompt"], "done": True})

    def let(self, count=1):
        self.free.release(count)


@pytest.fixture
def gate():
    return Gate()


class Held:
    """Requests on connections of their own, whose answers are read later, in order of arrival."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.beat = wire.Wire(gateway.url)
        self.clients = []

    def send(self, prompt, headers=()):
        client = wire.Wire(self.gateway.url)
        client.request("POST", "/api/generate", harness.run(prompt), headers)
        self.clients.append(client)
        for _ in range(2):  # its loop has turned: it has been read, before any later one
            self.beat.request("GET", "/healthz")
            assert self.beat.read_answer().status == 200
        return client

    def answers(self):
        return [client.read_answer() for client in self.clients]


def two_nodes(stage, gate, settings=None):
    nodes = [stage.fake(gate.play) for _ in range(2)]
    rows = [
        {"name": name, "url": node.url, "weight": weight, "parallel": 4, "slots": 4}
        for name, node, weight in zip(("big", "small"), nodes, (3, 2))
    ]
    return nodes, stage.gateway(rows, settings)


def test_requests_are_shared_by_weight(stage, gate):
    nodes, gateway = two_nodes(stage, gate)
    held = Held(gateway)
    for i in range(5):
        held.send(str(i))
    nodes[0].wait_in_hand(3)
    nodes[1].wait_in_hand(2)
    gate.let(5)
    answers = held.answers()
    assert sorted(a.header("x-drover-backend") for a in answers) == ["big"] * 3 + ["small"] * 2


def test_forty_at_once_never_overfill_a_node(stage, gate):
    nodes, gateway = two_nodes(stage, gate)
    asked = [harness.later(gateway.post, "/api/generate", harness.run(str(i))) for i in range(40)]
    for node in nodes:
        node.wait_in_hand(4)
    gate.let(40)
    answers = [a.result(LIMIT_S) for a in asked]
    assert [a.status for a in answers] == [200] * 40
    assert [a.json()["response"] for a in answers] == [str(i) for i in range(40)]
    assert [node.most_in_hand for node in nodes] == [4, 4]
    assert sum(len(node.exchanges) for node in nodes) == 40


@pytest.mark.parametrize("by", ["file", "environment", "OLLAMA_MAX_QUEUE"])
def test_the_25th_is_told_that_it_is_busy(stage, gate, by):
    settings = {"queue": {"size": 16}} if by == "file" else None
    names = {"environment": "DROVER_QUEUE_SIZE", "OLLAMA_MAX_QUEUE": "OLLAMA_MAX_QUEUE"}
    nodes = [stage.fake(gate.play) for _ in range(2)]
    rows = [{"url": node.url, "parallel": 4, "slots": 4} for node in nodes]
    env = {names[by]: "16"} if by in names else None
    gateway = stage.gateway(rows, settings, env=env)
    held = Held(gateway)
    for i in range(24):
        held.send(str(i))
    for i in range(24, 40):
        refused = gateway.post("/api/generate", harness.run(str(i)))
        assert refused.status == 503
        assert refused.json() == {
            "error": "server busy, please try again.  maximum pending requests exceeded"
        }
        assert re.fullmatch(r"[1-9]\d*", refused.header("retry-after"))
    for path, error in (
        ("/v1/chat/completions", "api_error"),
        ("/v1/messages", "overloaded_error"),
    ):
        refused = gateway.post(path, harness.body_for(path))
        assert refused.status == 503 and refused.json()["error"]["type"] == error
        assert "busy" in refused.json()["error"]["message"] and refused.header("retry-after")
    gate.let(24)
    assert [a.status for a in held.answers()] == [200] * 24
    assert sum(len(node.exchanges) for node in nodes) == 24


def test_what_runs_does_not_count_against_the_queue(stage, gate):
    node = stage.fake(gate.play)
    gateway = stage.gateway([{"url": node.url, "parallel": 2}], {"queue": {"size": 1}})
    held = Held(gateway)
    for i in range(3):
        held.send(str(i))
    assert gateway.post("/api/generate", harness.run()).status == 503
    gate.let(3)
    assert [a.status for a in held.answers()] == [200] * 3


def one_slot(stage, gate, settings=None):
    node = stage.fake(gate.play)
    return node, stage.gateway([{"url": node.url, "parallel": 1}], settings)


def prompts(node):
    return [exchange.json()["prompt"] for exchange in node.exchanges]


def test_higher_classes_go_first_and_each_class_in_order(stage, gate):
    node, gateway = one_slot(stage, gate)
    held = Held(gateway)
    held.send("running")
    for prompt in ("low 1", "normal 1", "high 1", "low 2", "normal 2", "high 2"):
        held.send(prompt, [("X-Drover-Priority", prompt.split()[0])])
    gate.let(7)
    held.answers()
    assert prompts(node) == [
        "running",
        "high 1",
        "high 2",
        "normal 1",
        "normal 2",
        "low 1",
        "low 2",
    ]


def test_a_class_that_is_none_is_refused(stage, gate):
    _, gateway = one_slot(stage, gate)
    headers = [("X-Drover-Priority", "urgent")]
    assert gateway.post("/api/generate", harness.run(), headers).status == 400


def test_who_waited_long_goes_before_a_higher_class(stage, gate):
    node, gateway = one_slot(
        stage, gate, {"queue": {"aging": "300ms"}, "health": {"interval": "50ms"}}
    )
    held = Held(gateway)
    held.send("running")
    for name in ("low", "high"):
        held.send(name, [("X-Drover-Priority", name), ("X-Request-Id", name)])

    def position():
        return gateway.get("/drover/v1/requests/low").json()["position"]

    assert position() == 1
    while position() != 0:
        pass
    gate.let(3)
    held.answers()
    assert prompts(node) == ["running", "low", "high"]


def test_who_waits_may_ask_where_it_stands(stage, gate):
    node, gateway = one_slot(stage, gate)
    held = Held(gateway)
    for name in ("first", "second", "third"):
        held.send(name, [("X-Request-Id", name)])
    where = [gateway.get(f"/drover/v1/requests/{name}").json() for name in ("first", "third")]
    assert [w["state"] for w in where] == ["running", "queued"]
    assert where[1]["position"] == 1 and where[1]["eta_ms"] >= 0
    assert gateway.get("/drover/v1/requests/none").status == 404
    gate.let(3)
    held.answers()


def test_who_waits_too_long_is_told(stage, gate):
    node, gateway = one_slot(stage, gate, {"queue": {"max_wait": "300ms"}})
    held = Held(gateway)
    held.send("running")
    late = gateway.post("/api/generate", harness.run("late"))
    assert late.status == 504 and late.json()["error"]
    gate.let(1)
    assert [a.status for a in held.answers()] == [200]
    assert prompts(node) == ["running"]


def test_a_model_goes_to_the_nodes_that_have_it(stage):
    nodes = [
        stage.fake(models=["a:latest", "both:latest"]),
        stage.fake(models=["b:1", "both:latest"]),
    ]
    gateway = stage.gateway(nodes)
    for model, node in (("a", nodes[0]), ("A:latest", nodes[0]), ("b:1", nodes[1])):
        before = len(node.exchanges)
        for _ in range(3):
            assert gateway.post("/api/generate", harness.run(model=model)).status == 200
        assert len(node.exchanges) == before + 3


def test_a_node_that_has_it_loaded_is_preferred(stage):
    cold, warm = stage.fake(loaded=[]), stage.fake()
    gateway = stage.gateway([{"url": cold.url, "weight": 10}, {"url": warm.url}])
    for _ in range(3):
        assert gateway.post("/api/generate", harness.run()).status == 200
    assert (len(cold.exchanges), len(warm.exchanges)) == (0, 3)


def test_a_session_stays_where_it_was(stage, gate):
    def play(exchange):
        if exchange.json()["prompt"] == "hold":
            gate.play(exchange)
        else:
            exchange.reply({"model": "tiny", "response": "", "done": True})

    nodes = [stage.fake(play, loaded=["tiny:latest"]) for _ in range(2)]
    rows = [
        {"name": name, "url": node.url, "weight": weight, "parallel": 4, "slots": 4}
        for name, node, weight in zip(("big", "small"), nodes, (3, 1))
    ]
    gateway = stage.gateway(rows)

    def served_by(*headers):
        answer = gateway.post("/api/generate", harness.run(), headers)
        assert answer.status == 200
        return answer.header("x-drover-backend")

    ours = ("X-Drover-Session", "chat-1")
    held = Held(gateway)
    for _ in range(3):
        held.send("hold")
    nodes[0].wait_in_hand(3)
    assert served_by(ours) == "small"
    gate.let(3)
    held.answers()
    assert served_by() == "big"
    assert served_by(("X-Drover-Session", "chat-2")) == "big"
    assert served_by(ours) == "small"
    assert "x-drover" not in nodes[1].exchanges[-1].head.decode().lower()


def test_one_client_gets_its_share_of_the_queue_and_no_more(stage, gate, tmp_path):
    node = stage.fake(gate.play)
    settings = {
        "listen": ["127.0.0.1:0", f"unix:{tmp_path}/s"],
        "queue": {"size": 4, "per_key": 2},
    }
    gateway = stage.gateway([{"url": node.url, "parallel": 1, "slots": 1}], settings)
    held = Held(gateway)
    for i in range(3):
        held.send(str(i))  # one runs, two wait: half of the queue, and the share of one client
    refused = gateway.post("/api/generate", harness.run("one more"))
    assert refused.status == 503 and "busy" in refused.json()["error"]
    assert refused.header("retry-after")
    with wire.Wire(gateway.urls[1]) as other:
        other.request("POST", "/api/generate", harness.run("other"))
        gate.let(4)
        assert other.read_answer().status == 200
    assert [a.status for a in held.answers()] == [200] * 3
    assert "one more" not in prompts(node)


def test_models_of_the_configuration_bound_what_a_node_gets(stage):
    one, other = stage.fake(), stage.fake()
    rows = [{"url": one.url, "models": ["big:*"]}, {"url": other.url, "models": ["ti*"]}]
    gateway = stage.gateway(rows)
    for _ in range(3):
        assert gateway.post("/api/generate", harness.run()).status == 200
    assert (len(one.exchanges), len(other.exchanges)) == (0, 3)
