"""Malformed and odd requests: each gets what its rule says, and no node is misled by any."""

import json

import malformed
import pytest
from harness import wire

NODE_MAY_SEE = {"host", "content-length", "content-type", "x-forwarded-for", "x", "connection"}


@pytest.fixture(scope="module")
def road(module_stage):
    """A gateway in front of a node that writes down what it is sent."""
    node = module_stage.fake()
    return module_stage.gateway([node]), node


def talk(gateway, data):
    """All the gateway says to it and to one right request behind it."""
    with wire.Wire(gateway.url) as client:
        try:
            client.send(data)
        except OSError:
            pass  # refused while it was still being sent: the answer is there to be read
        first = client.read_answer()
        try:
            client.request("GET", "/healthz", headers=[("Connection", "close")])
        except OSError:
            pass
        return first, client.read_all()


def check_form(head, body, node):
    """One reading only: a request line, fields by name once, one length that is the body's."""
    lines = head.split(b"\r\n")
    assert lines[0].startswith(b"POST /api/generate") and lines[0].endswith(b" HTTP/1.1")
    assert lines[-2:] == [b"", b""]
    fields = [line.split(b": ", 1) for line in lines[1:-2]]
    names = [name.decode("ascii").lower() for name, _ in fields]
    assert len(set(names)) == len(names)
    assert set(names) <= NODE_MAY_SEE
    values = dict(zip(names, (value for _, value in fields)))
    assert values["host"] == node.host.encode()
    assert int(values["content-length"]) == len(body)
    for value in values.values():
        assert value.isascii() and value.decode().isprintable()


@pytest.mark.parametrize("case", malformed.CASES, ids=lambda case: case.name)
def test_gets_what_its_rule_says(road, case):
    gateway, node = road
    before = len(node.requests)
    first, rest = talk(gateway, case.data)
    assert first.status in case.statuses, (case.rule, first)
    assert first.header("x-request-id")
    if first.status >= 400:
        assert b"\n" not in first.body and first.json()["error"]
    # Behind it comes the answer to the right request, or nothing: the connection was ended.
    assert rest == b"" or (rest.count(b"HTTP/1.1 ") == 1 and rest.endswith(b"ok\n")), rest
    if first.status in (414, 431, 501, 505):
        assert rest == b"", "an unreadable request was followed by another on its connection"
    # Whatever it might have let through went before this one.
    fence = wire.post(gateway.url, "/api/generate", malformed.body_of("fence"))
    assert fence.status == 200
    seen = node.requests[before:]
    assert [json.loads(body)["prompt"] for _, body in seen] == [*case.sees, "fence"]
    for head, body in seen:
        check_form(head, body, node)


def test_there_are_96_of_them():
    assert len({case.name for case in malformed.CASES}) == 96


class Beat:
    """A way to know that the gateway has read what was sent before: its loop has turned."""

    def __init__(self, gateway):
        self.wire = wire.Wire(gateway.url)

    def turn(self):
        for _ in range(2):
            self.wire.request("GET", "/healthz")
            assert self.wire.read_answer().status == 200


SPLIT = {
    "length": malformed.framed(b"X-Request-Id: same\r\n"),
    "chunks": malformed.chunked(
        malformed.chunk(malformed.BODY[:10])
        + malformed.chunk(malformed.BODY[10:])
        + b"0\r\nX-T: v\r\n\r\n",
        b"X-Request-Id: same\r\nTransfer-Encoding: chunked\r\n",
    ),
}


def answer_to(gateway, pieces, beat):
    with wire.Wire(gateway.url) as client:
        for piece in pieces:
            client.send(piece)
            beat.turn()
        answer = client.read_answer()
    headers = [h for h in answer.headers if h[0].lower() not in ("date", "x-drover-queue-ms")]
    return answer.status, headers, answer.body


@pytest.mark.parametrize("form", SPLIT)
def test_split_anywhere_is_the_same_as_whole(road, form):
    gateway, node = road
    data = SPLIT[form]
    beat = Beat(gateway)
    whole = answer_to(gateway, [data], beat)
    forwarded = node.requests[-1]
    assert whole[0] == 200
    for at in range(1, len(data)):
        before = len(node.requests)
        assert answer_to(gateway, [data[:at], data[at:]], beat) == whole, f"split at byte {at}"
        assert node.requests[before:] == [forwarded], f"split at byte {at}"


@pytest.mark.parametrize("form", SPLIT)
def test_byte_by_byte_is_the_same_as_whole(road, form):
    gateway, node = road
    data = SPLIT[form]
    beat = Beat(gateway)
    whole = answer_to(gateway, [data], beat)
    forwarded = node.requests[-1]
    assert answer_to(gateway, [data[at : at + 1] for at in range(len(data))], beat) == whole
    assert node.requests[-1] == forwarded


def test_pipelined_requests_are_answered_in_order(road):
    gateway, _ = road
    count = 5
    with wire.Wire(gateway.url) as client:
        one = malformed.request(
            b"Content-Length: %d\r\n" % len(malformed.BODY) + b"X-Request-Id: p-%d\r\n",
            malformed.BODY,
        )
        client.send(b"".join(one.replace(b"p-%d", b"p-%d" % i) for i in range(count)))
        ids = [client.read_answer().header("x-request-id") for _ in range(count)]
    assert ids == [f"p-{i}" for i in range(count)]
