"""Rows of the tables of HTTP, spoilt at random: whatever comes of one, nobody reads it in two ways.

The seed of a case is its number, so that one that fails can be run again. By hand, more of them:
DROVER_MUTATIONS=20000.
"""

import json
import os
import random

import harness
import http_answers
import http_requests
import pytest
from harness import fake, wire
from test_http_answers import STEADY
from test_http_requests import read_answers

COUNT = int(os.environ.get("DROVER_MUTATIONS", "200"))
# So soon are clients given up who sent less than they said.
HASTY = {"timeouts": {"client_head": "20ms", "client_body": "20ms", "client_idle": "20ms"}}
WORDS = [
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b" ", b"\t", b"\x0b", b":", b",", b";", b"-", b"+",
    b"0", b"5", b"99", b"0x", b"\x85", b"\xff", b"chunked", b"identity", b"0\r\n\r\n", b"1.0", b"/",
    b"Content-Length: 0\r\n", b"Content-Length: 62\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n", b"POST /api/generate HTTP/1.1\r\n", http_requests.SMUGGLED,
]  # fmt: skip


def spoil(data, dice):
    """Some bytes put in, taken away, doubled or changed."""
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(data) + 1)
        end = min(len(data), at + dice.choice([1, 1, 2, 8, 40]))
        with_what = dice.choice([dice.choice(WORDS), b"", data[at:end] * 2])
        data = data[: at if dice.random() < 0.5 else end] + with_what + data[end:]
    return data


REQUESTS = [
    case.data
    for _, case in http_requests.CASES
    if case.sees and isinstance(case.data, bytes) and len(case.data) < 1000
]
ANSWERS = [
    case.data
    for _, case in http_answers.CASES
    if case.status != 502 and case.method == http_answers.POST and len(case.data) < 1000
]


def check_form(head, body, node):
    """One reading only: a request line, no field that frames twice, one length that is the body's."""
    line, *fields = head[:-4].split(b"\r\n")
    method, target, version = line.split(b" ")
    assert method == b"POST" and version == b"HTTP/1.1" and target.startswith(b"/api/")
    names = []
    for field in fields:
        name, value = field.split(b": ", 1)
        assert not set(name) & set(b"\0\r\n \t") and not set(value) & set(b"\0\r\n")
        assert value == value.strip(b" \t")
        names.append(name.lower().replace(b"_", b"-"))
        if names[-1] in (b"host", b"content-length"):
            assert value == (node.host.encode() if names[-1] == b"host" else b"%d" % len(body))
    assert names.count(b"host") == names.count(b"content-length") == 1
    assert not set(names) & {b"transfer-encoding", b"connection", b"upgrade", b"te", b"trailer"}
    assert json.loads(body)["model"] == "tiny"


@pytest.fixture(scope="module")
def road(request, module_stage):
    if request.config.getoption("--tls"):
        pytest.skip("its limits are shorter than a handshake may take")
    node = module_stage.fake()
    return module_stage.gateway([node], HASTY), node


def say(gateway, data):
    with wire.Wire(gateway.url) as client:
        try:
            client.send(data)
        except OSError:
            pass  # refused while it was still being sent
        return client.read_all()


def check_request(gateway, node, data):
    before = len(node.requests)
    answers = read_answers(say(gateway, data), data.lstrip(b"\r\n").split(b" ")[0])
    seen = node.requests[before:]
    # Each request of a node is one answer, in the order in which they came.
    passed = [a for a in answers if a.header("x-drover-backend") is not None]
    assert len(seen) == len(passed), answers
    for head, body in seen:
        check_form(head, body, node)


def for_each_seed(sources, behind, check):
    for seed in range(COUNT):
        dice = random.Random(seed)
        data = spoil(dice.choice(sources), dice) + dice.choice(behind)
        try:
            check(data)
        except Exception as e:
            raise AssertionError(f"seed {seed}: {data!r}") from e


def test_spoilt_requests_never_mislead(road):
    behind = [b"", http_requests.SMUGGLED]
    for_each_seed(REQUESTS, behind, lambda data: check_request(*road, data))


class Spoilt(fake.FakeNode):
    def __init__(self):
        self.data = None
        super().__init__(self.act, reuse=False)

    def act(self, exchange):
        if self.data is None:
            exchange.reply(http_answers.BODY)
            return
        exchange.send(self.data)
        exchange.close()


def check_answer(gateway, node, data):
    node.data = data
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", harness.run())
        answer = client.read_answer()
        node.data = None
        for name in ("date", "x-request-id"):
            assert len(answer.all(name)) == 1
        framing = answer.all("content-length") + answer.all("transfer-encoding")
        assert len(framing) == (0 if answer.status == 204 else 1) or answer.status == 304
        if not answer.whole:
            assert client.read_all() == b""
            return
        client.request("POST", "/api/generate", harness.run())
        answer = client.read_answer()
        if answer.status == 502:
            # It may have reached a connection that the node was closing behind a good answer, and
            # as it was confirmed, it may have run.
            client.request("POST", "/api/generate", harness.run())
            answer = client.read_answer()
        assert answer.body == http_answers.BODY


def test_spoilt_answers_never_mislead(stage):
    node = stage.add(Spoilt())
    gateway = stage.gateway([node], STEADY)
    for_each_seed(ANSWERS, [b""], lambda data: check_answer(gateway, node, data))
