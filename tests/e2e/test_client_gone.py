"""A client that leaves, however it leaves: out of the queue at once, off the node within 100 ms."""

import threading

import harness
import pytest
from harness import wire
from harness.program import now_ms

LIMIT_S = wire.LIMIT_S
CLOSED_WITHIN_MS = 100
# The machine may be busy with other things just then: one good try of these proves the path.
TRIES = 5


def half_close(client):
    client.half_close()


def fin(client):
    client.close()


def rst(client):
    client.reset()


LEAVE = pytest.mark.parametrize("leave", [fin, rst, half_close], ids=lambda f: f.__name__)


class Silent:
    """A node that takes a request, begins a stream if it should, and waits to be left."""

    def __init__(self, begins):
        self.begins = begins
        self.gone_ms = []
        self.left = threading.Event()

    def play(self, exchange):
        if exchange.json()["prompt"] == "after":
            exchange.reply({"response": "after", "done": True})
            return
        if self.begins:
            exchange.begin()
            exchange.line(response="one", done=False)
        self.gone_ms.append(exchange.wait_gone())
        self.left.set()


@LEAVE
@pytest.mark.parametrize("begins", [False, True], ids=["loading", "streaming"])
def test_the_node_is_left_at_once(stage, leave, begins):
    silent = Silent(begins)
    node = stage.fake(silent.play)
    gateway = stage.gateway([{"url": node.url, "parallel": 1}])
    took_ms = []
    for attempt in range(TRIES):
        client = wire.Wire(gateway.url)
        headers = [("X-Request-Id", f"leaver-{attempt}")]
        client.request("POST", "/api/generate", harness.run(stream=True), headers)
        if begins:
            answer = client.read_head()
            assert next(client.read_pieces(answer))
        else:
            node.wait_exchanges(2 * attempt + 1)
        began = now_ms()
        leave(client)
        assert silent.left.wait(LIMIT_S)
        silent.left.clear()
        took_ms.append(silent.gone_ms[-1] - began)
        # Its slot, the only one, is free again.
        assert gateway.post("/api/generate", harness.run("after")).json()["response"] == "after"
        gateway.wait_line(rf"id=leaver-{attempt} .*status=499 .*end=\"?client")
        client.close()
        if took_ms[-1] <= CLOSED_WITHIN_MS:
            return
    raise AssertionError(f"the node was left after {took_ms} ms")


@LEAVE
def test_who_waits_is_out_of_the_queue_at_once(stage, leave):
    go_on = threading.Semaphore(0)

    def play(exchange):
        assert go_on.acquire(timeout=LIMIT_S)
        exchange.reply({"response": exchange.json()["prompt"], "done": True})

    node = stage.fake(play)
    gateway = stage.gateway([{"url": node.url, "parallel": 1}], {"queue": {"size": 2}})
    clients = {}
    for name in ("running", "leaver", "waiting"):
        clients[name] = wire.Wire(gateway.url)
        clients[name].request("POST", "/api/generate", harness.run(name), [("X-Request-Id", name)])
        harness.turn(gateway)
    assert gateway.get("/drover/v1/requests/waiting").json()["position"] == 1
    assert gateway.post("/api/generate", harness.run("too many")).status == 503
    leave(clients["leaver"])
    harness.turn(gateway)
    assert gateway.get("/drover/v1/requests/leaver").status == 404
    assert gateway.get("/drover/v1/requests/waiting").json()["position"] == 0
    clients["late"] = wire.Wire(gateway.url)
    clients["late"].request("POST", "/api/generate", harness.run("late"))
    go_on.release(3)
    for name in ("running", "waiting", "late"):
        assert clients[name].read_answer().json()["response"] == name
    assert [e.json()["prompt"] for e in node.exchanges] == ["running", "waiting", "late"]
    gateway.wait_line(r"id=leaver .*status=499 .*attempts=0 .*end=\"?client")
    for client in clients.values():
        client.close()


def test_a_client_that_leaves_in_mid_upload_costs_nothing(stage):
    node = stage.fake()
    gateway = stage.gateway([node])
    with wire.Wire(gateway.url) as client:
        client.send(
            b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: half\r\n"
            b'Content-Length: 100\r\n\r\n{"model":"tiny","prompt":"hel'
        )
        harness.turn(gateway)
    gateway.wait_line(r"id=half .*status=499")
    assert node.exchanges == []
    assert gateway.post("/api/generate", harness.run()).status == 200


def test_many_that_leave_at_once_leave_nothing_behind(stage):
    silent = Silent(begins=False)
    node = stage.fake(silent.play)
    gateway = stage.gateway([{"url": node.url, "parallel": 8}])
    clients = []
    for i in range(40):
        client = wire.Wire(gateway.url)
        client.request("POST", "/api/generate", harness.run(str(i)))
        clients.append(client)
    node.wait_in_hand(8)
    for i, client in enumerate(clients):
        (client.reset if i % 2 else client.close)()
    node.wait_in_hand(0)
    assert gateway.get("/drover/v1/me").json()["requests_under_way"] == 0
    assert gateway.post("/api/generate", harness.run("after")).json()["response"] == "after"
