"""Malformed and odd requests: each gets what its rule says, and no node is misled by any."""

import email.utils
import json

import http_requests
import pytest
from harness import wire

NEXT = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def road(module_stage):
    """A gateway in front of a node that writes down what it is sent."""
    node = module_stage.fake()
    return module_stage.gateway([node], {"max_body": "1MiB"}), node


def talk(gateway, case):
    """Every byte that the gateway says until it ends the connection."""
    pieces = case.data if isinstance(case.data, tuple) else (case.data,)
    with wire.Wire(gateway.url) as client:
        for i, piece in enumerate(pieces):
            if i > 0:
                client.fill()
            last = i + 1 == len(pieces) and not case.leaves
            try:
                client.send(piece + NEXT if last else piece)
            except OSError:
                pass  # refused while it was still being sent: the answer is there to be read
        if case.leaves:
            client.half_close()
        return client.read_all()


def read_answers(said, method):
    """What a reader that forgives nothing makes of it."""
    found = []
    while said:
        head, end, said = said.partition(b"\r\n\r\n")
        assert end, head
        line, *rows = head.split(b"\r\n")
        version, status, reason = line.decode("ascii").split(" ", 2)
        assert version == "HTTP/1.1" and reason
        answer = wire.Answer(int(status), reason, [])
        for row in rows:
            name, colon, value = row.decode("ascii").partition(": ")
            assert colon and name.replace("-", "").isalnum() and value == value.strip()
            answer.headers.append((name, value))
        found.append(answer)
        if answer.status < 200:
            continue
        lengths = answer.all("content-length")
        assert len(lengths) == (0 if answer.status == 204 else 1), "neither chunked nor twice"
        if method != b"HEAD" and lengths:
            answer.pieces = [said[: int(lengths[0])]]
            assert len(answer.body) == int(lengths[0])
            said = said[int(lengths[0]) :]
        method = b"GET"
    return found


def check_head(answer):
    if answer.status < 200:
        assert answer.headers == []  # RFC 9110 15.2: nothing frames it
        return
    (date,) = answer.all("date")  # RFC 9110 6.6.1
    assert email.utils.parsedate_to_datetime(date) and date.endswith(" GMT")
    assert answer.header("transfer-encoding") is None
    if answer.status == 405 or answer.status == 204:
        assert answer.header("allow")  # RFC 9110 15.5.6


def check_refusal(answer, method):
    assert answer.header("x-request-id")
    if method != b"HEAD":
        assert b"\n" not in answer.body and answer.json()["error"]


def as_sent(sees, gateway, node):
    """With what is not known to the table: the node's address, and how the client came."""
    came = b"X-Forwarded-For: 127.0.0.1\r\n"
    if wire.is_tls(gateway.url):
        sees = sees.replace(came, came + b"X-Forwarded-Proto: https\r\n")
    return sees.replace(http_requests.NODE, node.host.encode())


@pytest.mark.parametrize(
    "case",
    [case for _, case in http_requests.CASES],
    ids=[f"{group}: {case.name}" for group, case in http_requests.CASES],
)
def test_gets_what_its_rule_says(road, case):
    gateway, node = road
    if case.only_plain and wire.is_tls(gateway.url):
        pytest.skip("over TLS it is right, and in test_tls.py")
    before = len(node.requests)
    first = case.data[0] if isinstance(case.data, tuple) else case.data
    method = first.split(b" ")[0]
    answers = read_answers(talk(gateway, case), method)
    assert tuple(a.status for a in answers) == case.answers, (case.rule, answers)
    for answer in answers:
        check_head(answer)
        if answer.status >= 400:
            check_refusal(answer, method)
    if case.answers:
        assert answers[-1].header("connection") == "close"  # RFC 9112 9.6
    if case.answers[-1:] == (200,) and len(case.answers) > 1:
        assert answers[-1].body == b"ok\n"
    # Whatever it might have let through went before this one.
    assert wire.post(gateway.url, "/api/generate", http_requests.body_of("fence")).status == 200
    seen = [head + body for head, body in node.requests[before:]]
    assert b'"fence"' in seen.pop()
    assert seen == [as_sent(sees, gateway, node) for sees in case.sees]


def test_the_table_has_room_for_every_rule():
    """At least 150 rows, none twice, each with its section."""
    names = {(group, case.name) for group, case in http_requests.CASES}
    assert len(names) == len(http_requests.CASES) >= 150
    for _, case in http_requests.CASES:
        assert case.rule[0].isdigit() or case.rule == "C.2.2"


class Beat:
    """A way to know that the gateway has read what was sent before: its loop has turned."""

    def __init__(self, gateway):
        self.wire = wire.Wire(gateway.url)

    def turn(self):
        for _ in range(2):
            self.wire.request("GET", "/healthz")
            assert self.wire.read_answer().status == 200


SPLIT = {
    "length": http_requests.framed(b"X-Request-Id: same\r\n"),
    "chunks": http_requests.request(
        b"X-Request-Id: same\r\nTransfer-Encoding: chunked\r\n",
        http_requests.chunk(http_requests.BODY[:10])
        + http_requests.chunk(http_requests.BODY[10:])
        + b"0\r\nX-T: v\r\n\r\n",
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
        one = http_requests.request(
            b"Content-Length: %d\r\n" % len(http_requests.BODY) + b"X-Request-Id: p-%d\r\n",
            http_requests.BODY,
        )
        client.send(b"".join(one.replace(b"p-%d", b"p-%d" % i) for i in range(count)))
        ids = [client.read_answer().header("x-request-id") for _ in range(count)]
    assert ids == [f"p-{i}" for i in range(count)]
