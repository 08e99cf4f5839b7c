"""Answers of nodes, right, odd and hostile: each reaches the client in one form only, or not."""

import os
import signal
import threading

import harness
import http_answers
import pytest
from harness import fake, wire
from http_answers import BODY, CLOSES, FRAME, HEAD, LENGTH, RESETS, STAYS

BLOB = "/api/blobs/sha256:" + "0" * 64
# A node that is wrong in every second row shall stay in use.
STEADY = {
    "health": {"interval": "10m", "timeout": "20s"},
    "breaker": {"failures": 1000, "window": "10ms", "open": "1ms", "max_open": "1ms"},
}


class Player(fake.FakeNode):
    """Answers as the row says that it is given, else rightly."""

    def __init__(self):
        self.row = None
        self.left = threading.Semaphore(0)  # by the gateway, the connection of a row that was wrong
        super().__init__(self.act, reuse=False)

    def act(self, exchange):
        row = self.row
        if row is None:
            exchange.reply(BODY)
            return
        try:
            exchange.send(row.data)
            if row.then == CLOSES:
                exchange.close()
            elif row.then == RESETS:
                exchange.reset()
            elif is_wrong(row):
                exchange.wait_gone()
        finally:  # it may leave while it is still being sent to
            if is_wrong(row) and row.then == STAYS:
                self.left.release()


def is_wrong(row):
    return row.status == 502 or not row.whole


@pytest.fixture(scope="module")
def roads(module_stage):
    """One for what is wrong, and one for what is right: a node that was wrong is probed at once, and
    a probe takes a connection that the next row would have had."""

    def lay():
        node = module_stage.add(Player())
        return module_stage.gateway([{"url": node.url, "name": "n"}], STEADY), node

    return {wrong: lay() for wrong in (False, True)}


def ask(client, method):
    if method == HEAD:
        client.request(HEAD, BLOB)
    else:
        client.request("POST", "/api/generate", harness.run())
    return client.read_answer(method)


def check_fields(answer, case):
    ours = ("date", "x-request-id", "content-length", "transfer-encoding", "connection")
    seen = [
        (name, value)
        for name, value in answer.headers
        if name.lower() not in ours and not name.lower().startswith("x-drover-")
    ]
    if case.fields is None:
        assert seen == http_answers.TYPED
    elif case.status != 502:
        assert seen == case.fields
    for name in ("date", "x-request-id"):
        assert len(answer.all(name)) == 1
    framing = answer.all("content-length") + answer.all("transfer-encoding")
    if case.method == HEAD:  # RFC 9110 8.6: what GET would have said, or nothing
        assert framing == ([LENGTH.decode()] if FRAME in case.data else [])
    else:
        assert len(framing) == (0 if case.status == 204 else 1)
    assert "evil" not in str(answer.headers)


@pytest.mark.parametrize(
    "case",
    [case for _, case in http_answers.CASES],
    ids=[f"{group}: {case.name}" for group, case in http_answers.CASES],
)
def test_becomes_what_its_rule_says(roads, case):
    gateway, node = roads[is_wrong(case)]
    assert gateway.post("/api/generate", harness.run()).status == 200  # leaves a connection
    used = node.exchanges[-1].socket
    node.row = case
    with wire.Wire(gateway.url) as client:
        answer = ask(client, case.method)
        node.row = None
        assert (answer.status, answer.whole) == (case.status, case.whole), (case.rule, answer)
        check_fields(answer, case)
        if case.body is None:
            assert answer.json()["error"] and answer.header("x-drover-backend") is None
        else:
            assert answer.body == case.body
        if case.whole:
            # What the next reads begins with its own answer; here, too, nothing is left over.
            client.request("GET", "/healthz", headers=[("Connection", "close")])
            assert client.read_answer().body == b"ok\n"
        assert client.read_all() == b""
    played = node.exchanges[-1].socket
    assert gateway.post("/api/generate", harness.run()).body == BODY
    if not is_wrong(case):
        assert played is used
        assert (node.exchanges[-1].socket is played) == case.kept
    elif case.then == STAYS:
        assert node.left.acquire(timeout=wire.LIMIT_S)


def test_the_table_has_room_for_every_rule():
    """Together with that of requests, far more than 150 rows; none twice, each with its section."""
    names = {(group, case.name) for group, case in http_answers.CASES}
    assert len(names) == len(http_answers.CASES) >= 150
    for _, case in http_answers.CASES:
        assert case.rule[0].isdigit() or case.rule == "CONTRACT"


# What takes more than bytes


def test_what_came_behind_an_answer_is_no_answer_to_the_next(stage):
    """RFC 9112 6.3. The gateway stands still while the stray answer and the next request arrive."""
    node = stage.add(Player())
    gateway = stage.gateway([node], STEADY)
    assert gateway.post("/api/generate", harness.run()).body == BODY
    with wire.Wire(gateway.url) as client:
        harness.turn(gateway)
        gateway.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, gateway.pid, os.WSTOPPED | os.WNOWAIT)
        client.request("POST", "/api/generate", harness.run())
        node.exchanges[-1].send(http_answers.STRAY)
        gateway.signal(signal.SIGCONT)
        assert client.read_answer().body == BODY
    assert node.exchanges[0].socket is not node.exchanges[1].socket


@pytest.mark.parametrize(
    "said", [http_answers.STRAY, b"\r\n", b"HTTP/1.1 408 Request Timeout\r\n\r\n"]
)
def test_a_node_that_speaks_while_idle_is_left(stage, said):
    answered = threading.Semaphore(0)
    left = threading.Semaphore(0)

    def play(exchange):
        exchange.reply(BODY)
        if len(exchange.node.exchanges) == 1:
            assert answered.acquire(timeout=wire.LIMIT_S)
            exchange.send(said)
            exchange.wait_gone()
            left.release()

    gateway = stage.gateway([stage.fake(play, reuse=False)], STEADY)
    assert gateway.post("/api/generate", harness.run()).body == BODY
    answered.release()
    assert left.acquire(timeout=wire.LIMIT_S)
    assert gateway.post("/api/generate", harness.run()).body == BODY


def test_an_answer_that_is_too_large_to_be_gathered_is_none(stage):
    """Not a part of it with a length that fits."""
    node = stage.fake(lambda exchange: exchange.reply(b"x" * 70000))
    gateway = stage.gateway([node], STEADY)
    assert gateway.post(BLOB, b"y").status == 502


class Early(fake.FakeNode):
    """Answers an upload when half of it has come."""

    def __init__(self, data, ends):
        self.data = data
        self.ends = ends
        super().__init__(reuse=False)

    def serve_one(self, connection, reader):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = reader.readline()
            if not line:
                return False
            head += line
        exchange = fake.Exchange(self, connection, head, b"")
        probe = self.probe_answer(exchange)
        if probe is not None:
            exchange.reply(probe, more="Connection: close\r\n")
            return False
        with self.waiter.changed:
            self.exchanges.append(exchange)
            self.waiter.changed.notify_all()
        reader.read(10)
        if self.data:
            exchange.send(self.data)
        if self.ends:
            exchange.reset()
        else:
            exchange.wait_gone()
        return False


@pytest.mark.parametrize(
    "data, ends, status",
    [
        (http_answers.answer(line=b"HTTP/1.1 413 x\r\n"), False, 413),
        (http_answers.answer(), False, 200),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + http_answers.answer(), False, 200),
        (b"HTTP/1.1 413\r\nX : y\r\n\r\n", False, 502),
        (b"", True, 502),
    ],
    ids=["413", "200", "100, then 200", "no HTTP", "reset"],
)
def test_an_answer_before_the_upload_has_ended(stage, data, ends, status):
    """RFC 9112 9.3: the rest of the body is not the beginning of a request."""
    node = stage.add(Early(data, ends))
    gateway = stage.gateway([node], STEADY)
    with wire.Wire(gateway.url) as client:
        client.request("POST", BLOB, headers=[("Transfer-Encoding", "chunked")])
        client.send(b"20\r\n" + b"x" * 32 + b"\r\n")
        node.wait_exchanges(1)
        client.send(b"20\r\n" + b"x" * 32 + b"\r\n0\r\n\r\n")
        answer = client.read_answer()
        assert answer.status == status and answer.whole
    assert len(node.exchanges) == 1
