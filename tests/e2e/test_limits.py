"""Clients that are slow, silent or too many: each limit is kept, and nobody else notices."""

import contextlib
import resource
import signal

import harness
import pytest
from harness import wire

QUICK = {"client_head": "300ms", "client_body": "300ms", "client_idle": "300ms"}


@pytest.fixture
def road(stage):
    node = stage.fake()
    return node, stage.gateway([node], {"timeouts": QUICK})


def test_half_a_head_is_answered_408_and_closed(road):
    _, gateway = road
    with wire.Wire(gateway.url) as client:
        client.send(b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nX-A:")
        answer = client.read_answer()
        assert answer.status == 408 and answer.json()["error"]
        assert client.read_all() == b""


def test_a_head_that_drips_is_bounded_in_all(road):
    """A byte now and then must not keep a head alive."""
    _, gateway = road
    with wire.Wire(gateway.url) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ")
        with contextlib.suppress(OSError):
            while True:
                client.send(b"a")
                harness.turn(gateway)
                client.socket.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    client.fill()
                client.socket.settimeout(wire.LIMIT_S)
                if client.buffer or client.ended:
                    break
        assert client.read_answer().status in (408, 431)


def test_half_a_body_is_answered_408_and_closed(road):
    node, gateway = road
    with wire.Wire(gateway.url) as client:
        client.request(
            "POST", "/api/generate", None, [("Content-Length", "100"), ("X-Request-Id", "half")]
        )
        client.send(b'{"model":"tiny",')
        answer = client.read_answer()
        assert answer.status == 408 and answer.json()["error"]
        assert client.read_all() == b""
    assert node.exchanges == []


def test_an_idle_connection_is_closed_without_a_word(road):
    _, gateway = road
    with wire.Wire(gateway.url) as client:
        client.request("GET", "/")
        assert client.read_answer().status == 200
        assert client.read_all() == b""


def test_a_client_that_stops_reading_is_cut(stage):
    def play(exchange):
        exchange.begin()
        with contextlib.suppress(OSError):
            while True:
                exchange.chunk(b"x" * 65536)

    node = stage.fake(play)
    gateway = stage.gateway([node], {"timeouts": {"client_write": "300ms"}})
    with wire.Wire(gateway.url, receive_buffer=4096) as client:
        headers = [("X-Request-Id", "stalled")]
        client.request("POST", "/api/chat", harness.body_for("/api/chat"), headers)
        gateway.wait_line("id=stalled ")
        node.wait_in_hand(0)


def test_a_silent_client_that_waits_for_its_answer_is_left_alone(stage):
    """The limits on clients are for what they owe, not for what they wait for."""
    node = stage.fake(
        lambda exchange: (
            exchange.node.waiter.until(lambda: exchange.node.go, "go"),
            exchange.node.answer(exchange),
        )
    )
    node.go = False
    gateway = stage.gateway([node], {"timeouts": QUICK})
    with wire.Wire(gateway.url) as client, wire.Wire(gateway.url) as idle:
        client.request("POST", "/api/generate", harness.run())
        idle.request("GET", "/")
        assert idle.read_answer().status == 200
        assert idle.read_all() == b""  # so long has it waited now
        with node.waiter.changed:
            node.go = True
            node.waiter.changed.notify_all()
        assert client.read_answer().status == 200


def test_beyond_the_most_connections_others_wait_and_get_in(stage):
    node = stage.fake()
    gateway = stage.gateway([node], {"max_connections": 4})
    held = [wire.Wire(gateway.url) for _ in range(4)]
    for client in held:
        client.request("GET", "/")
        assert client.read_answer().status == 200
    late = harness.later(gateway.get, "/")
    gateway.wait_line("connections are open")
    held.pop().close()
    assert late.result(wire.LIMIT_S).status == 200
    for client in held:
        client.close()


def test_without_descriptors_it_pauses_and_recovers(stage):
    node = stage.fake(lambda exchange: exchange.node.answer(exchange))
    gateway = stage.gateway([node])
    with wire.Wire(gateway.url) as client:
        client.request("GET", "/")
        assert client.read_answer().status == 200
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (20, 20))
        crowd = [wire.knock(gateway.url) for _ in range(30)]
        gateway.wait_line("cannot accept")
        client.request("GET", "/")  # who is in is served on
        assert client.read_answer().status == 200
        for other in crowd:
            other.close()
    assert gateway.get("/").status == 200
    assert gateway.post("/api/generate", harness.run()).status == 200


def test_clients_leave_descriptors_for_the_nodes(stage):
    """Those who come later wait, instead of being let in to be told that no node can be reached."""
    node = stage.node("tiny,tps=400", parallel=8)
    launcher = ["prlimit", "--nofile=120:120"]
    gateway = stage.gateway([{"url": node.url, "parallel": 8}], launcher=launcher)
    gateway.wait_line("120 files can be open at once, and so 40 connections")
    asking = [wire.Wire(gateway.url) for _ in range(8)]
    crowd = asking + [wire.knock(gateway.url) for _ in range(142)]
    gateway.wait_line("40 connections are open, the most allowed")
    for client in asking:
        client.request("POST", "/api/generate", harness.run("tokens:20", stream=True))
    for client in asking:
        assert client.read_answer().status == 200
    for client in crowd:
        client.close()


def test_a_thousand_idle_connections_cost_little(stage):
    node = stage.fake()
    gateway = stage.gateway([node])
    gateway.post("/api/generate", harness.run())
    before = gateway.resident_kib()
    count = 1000
    clients = [wire.Wire(gateway.url) for _ in range(count)]
    for client in clients:
        client.request("GET", "/")
    for client in clients:
        assert client.read_answer().status == 200
    assert gateway.resident_kib() - before < 20 * count * gateway.memory_factor
    for client in clients:
        client.close()


def test_a_stopped_node_is_left_and_taken_back(stage):
    """SIGSTOP: its kernel still accepts, and nobody answers."""
    nodes = [stage.node("tiny"), stage.node("tiny")]
    rows = [{"name": name, "url": node.url} for name, node in zip(("one", "two"), nodes)]
    health = {"interval": "50ms", "timeout": "500ms", "down_after": 2, "up_after": 1}
    gateway = stage.gateway(rows, {"health": health})
    mark = gateway.mark()
    nodes[0].signal(signal.SIGSTOP)
    gateway.wait_line("one.* down", mark)
    for _ in range(3):
        answer = gateway.post("/api/generate", harness.run("tokens:2"))
        assert answer.status == 200 and answer.header("x-drover-backend") == "two"
    mark = gateway.mark()
    nodes[0].signal(signal.SIGCONT)
    gateway.wait_line("one.* up", mark)
