"""What is charged to a limit of tokens: what answers say, or else what passed of them."""

import json
import time

import harness
import pytest
from harness import wire

LIMIT = 3000
PROMPT, OUTPUT = 211, 307
KEYS = [
    {"name": name, "key": f"dk-{name}-0000", "tokens_per_minute": LIMIT} for name in ("alice", "bob")
]


def bearer(name="alice"):
    return [("Authorization", f"Bearer dk-{name}-0000")]


class Purse:
    """What a key paid. Tokens come back by time, so that what is left has two bounds; they are
    reckoned from the times of the calls themselves."""

    def __init__(self, gateway, name="alice"):
        self.gateway, self.headers = gateway, bearer(name)
        self.began_s = time.monotonic()
        assert self.left() == LIMIT

    def left(self):
        limits = self.gateway.get("/drover/v1/me", self.headers).json()["limits"]
        return limits["tokens_per_minute"]["remaining"]

    def paid(self, least, most=None):
        """Since the beginning, from `least` to `most` tokens."""
        most = least if most is None else most
        spent = LIMIT - self.left()
        came_back = (time.monotonic() - self.began_s) * LIMIT / 60
        assert least - came_back - 1 <= spent <= most, (spent, came_back)


NATIVE = {"model": "tiny", "done": True, "prompt_eval_count": PROMPT, "eval_count": OUTPUT}
V1 = {"prompt_tokens": PROMPT, "completion_tokens": OUTPUT, "total_tokens": PROMPT + OUTPUT}
NEWER = {"input_tokens": PROMPT, "output_tokens": OUTPUT}
SSE, NDJSON = "text/event-stream", "application/x-ndjson"


def events(*rows):
    return "".join(f"data: {json.dumps(row)}\n\n" for row in rows)


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def named(*rows):
    return "".join(f"event: {row['type']}\ndata: {json.dumps(row)}\n\n" for row in rows)


CHUNK = {"model": "tiny", "choices": [{"index": 0, "delta": {"content": "a"}, "text": "a"}]}
DELTA = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}}
PART = {"type": "response.output_text.delta", "delta": "a"}

# One record of a stream, its end that says the counts, a whole answer.
SPOKEN = {
    "/api/generate": (NDJSON, lines({"response": "a", "done": False}), lines(NATIVE), NATIVE),
    "/api/chat": (
        NDJSON,
        lines({"message": {"content": "a"}, "done": False}),
        lines(NATIVE),
        {**NATIVE, "message": {"content": "aa"}},
    ),
    "/v1/chat/completions": (
        SSE,
        events(CHUNK),
        events({"choices": [], "usage": V1}) + "data: [DONE]\n\n",
        {**CHUNK, "usage": V1},
    ),
    "/v1/completions": (
        SSE,
        events(CHUNK),
        events({"choices": [], "usage": V1}) + "data: [DONE]\n\n",
        {**CHUNK, "usage": V1},
    ),
    "/v1/responses": (
        SSE,
        named(PART),
        named({"type": "response.completed", "response": {"usage": NEWER, "store": False}}),
        {"status": "completed", "usage": NEWER, "metadata": {}},
    ),
    "/v1/messages": (
        SSE,
        named(DELTA),
        named({"type": "message_delta", "usage": NEWER}, {"type": "message_stop"}),
        {"type": "message", "content": [], "usage": NEWER},
    ),
}
RECORDS = 40


def node_of(stage, play):
    node = stage.fake(play)
    return node, stage.gateway([node], {"keys": KEYS})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", sorted(SPOKEN))
def test_what_an_answer_says_is_charged(stage, path, stream):
    kind, record, end, whole = SPOKEN[path]

    def play(exchange):
        if not stream:
            exchange.reply(whole)
            return
        exchange.begin(kind)
        for _ in range(RECORDS):
            exchange.chunk(record.encode())
        exchange.chunk(end.encode())
        exchange.end()

    _, gateway = node_of(stage, play)
    purse = Purse(gateway)
    answer = gateway.post(path, harness.body_for(path, stream=stream), bearer())
    assert answer.status == 200
    purse.paid(PROMPT + OUTPUT)


@pytest.mark.parametrize(
    "path,body",
    [
        ("/api/embed", {"embeddings": [[1.0]], "prompt_eval_count": PROMPT}),
        ("/v1/embeddings", {"data": [], "usage": {"prompt_tokens": PROMPT, "total_tokens": PROMPT}}),
    ],
)
def test_embeddings_cost_their_prompt(stage, path, body):
    _, gateway = node_of(stage, lambda x: x.reply(body))
    purse = Purse(gateway)
    assert gateway.post(path, harness.body_for(path), bearer()).status == 200
    purse.paid(PROMPT)


def test_where_an_answer_says_nothing_the_prompt_is_reckoned(stage):
    """A token for four bytes of what was sent."""
    _, gateway = node_of(stage, lambda x: x.reply({"embedding": [1.0]}))
    purse = Purse(gateway)
    body = harness.body_for("/api/embeddings", prompt="word " * 400)
    assert gateway.post("/api/embeddings", body, bearer()).status == 200
    purse.paid(500, 520)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
def test_a_stream_that_says_no_counts_is_charged_by_its_records(stage, path):
    kind, record, _, _ = SPOKEN[path]

    def play(exchange):
        exchange.begin(kind)
        for _ in range(RECORDS):
            exchange.chunk(record.encode())
        exchange.chunk(b"data: [DONE]\n\n")
        exchange.end()

    _, gateway = node_of(stage, play)
    purse = Purse(gateway)
    assert gateway.post(path, harness.body_for(path, stream=True), bearer()).status == 200
    purse.paid(RECORDS, RECORDS + 50)


@pytest.mark.parametrize("path", sorted(SPOKEN))
def test_who_leaves_in_mid_stream_pays_what_was_generated(stage, path):
    kind, record, _, _ = SPOKEN[path]

    def play(exchange):
        exchange.begin(kind)
        for _ in range(RECORDS):
            exchange.chunk(record.encode())
        exchange.wait_gone()

    _, gateway = node_of(stage, play)
    purse = Purse(gateway)
    with wire.Wire(gateway.url) as client:
        client.request("POST", path, harness.body_for(path, stream=True), bearer())
        answer, seen = client.read_head(), b""
        for piece in client.read_pieces(answer, "POST"):
            seen += piece
            if seen.count(record.encode()) == RECORDS:
                break
    gateway.wait_line("status=499")
    purse.paid(RECORDS, RECORDS + 50)


def test_who_leaves_while_an_answer_is_made_pays_what_was_held(stage):
    """Nobody knows how far the node came: so much as is usual."""
    node, gateway = node_of(stage, lambda x: x.wait_gone())
    purse = Purse(gateway)
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", harness.run(), bearer())
        node.wait_exchanges(1)
        purse.paid(256, 256 + 50)
    gateway.wait_line("status=499")
    purse.paid(256, 256 + 50)


@pytest.mark.parametrize(
    "options,held", [({}, 256), ({"num_predict": 10}, 10), ({"num_predict": 9999}, 256)]
)
def test_so_much_is_held_as_is_usual_and_no_more_than_is_asked_for(stage, options, held):
    """And given back, when it was too much."""

    def play(exchange):
        exchange.node.waiter.until(lambda: exchange.node.go, "go")
        exchange.reply({**NATIVE, "prompt_eval_count": 3, "eval_count": 2})

    node, gateway = node_of(stage, play)
    node.go = False
    purse = Purse(gateway)
    body = harness.run(options=options)
    asked = harness.later(gateway.post, "/api/generate", body, bearer())
    node.wait_exchanges(1)
    purse.paid(held, held + 50)
    with node.waiter.changed:
        node.go = True
        node.waiter.changed.notify_all()
    assert asked.result(wire.LIMIT_S).status == 200
    purse.paid(5)


def broken_off(exchange):
    exchange.begin()
    for _ in range(RECORDS):
        exchange.line(response="a", done=False)
    exchange.close()


@pytest.mark.parametrize(
    "status,play,body,least,most",
    [
        (500, lambda x: x.reply({"error": "no"}, "500 Internal Server Error"), {}, 0, 0),
        (400, lambda x: x.reply({"error": "no"}, "400 Bad Request"), {}, 0, 0),
        (404, None, {"model": "none"}, 0, 0),
        (400, None, {"model": 5}, 0, 0),
        (502, lambda x: x.close(), {}, 0, 0),
        (200, None, {"prompt": ""}, 0, 0),
        (200, None, {"prompt": "", "keep_alive": 0}, 0, 0),
        (200, broken_off, {"stream": True}, RECORDS, RECORDS + 50),
    ],
)
def test_what_failed_or_ran_nothing_costs_nothing(stage, status, play, body, least, most):
    """But for what was generated before."""
    _, gateway = node_of(stage, play)
    purse = Purse(gateway)
    with wire.Wire(gateway.url) as client:
        headers = [*bearer(), ("X-Request-Id", "failed")]
        client.request("POST", "/api/generate", {**harness.run(), **body}, headers)
        assert client.read_head().status == status
        gateway.wait_line("id=failed ")
    purse.paid(least, most)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("charge", [False, True])
def test_an_answer_of_the_cache_costs_what_is_wanted(stage, charge, stream):
    node = stage.node("tiny")
    gateway = stage.gateway(
        [node], {"keys": KEYS, "cache": {"mode": "all", "charge": charge, "join": False}}
    )
    purses = {name: Purse(gateway, name) for name in ("alice", "bob")}
    body = harness.run("tokens:40", stream=stream)
    first = gateway.post("/api/generate", body, bearer())
    said = first.lines()[-1]
    cost = said["prompt_eval_count"] + said["eval_count"]
    assert cost > 40
    hit = gateway.post("/api/generate", body, bearer("bob"))
    assert hit.header("x-drover-cache") == "hit" and hit.body == first.body
    purses["alice"].paid(cost)
    purses["bob"].paid(cost if charge else 0)


@pytest.mark.parametrize("leaves", [False, True])
def test_who_joins_pays_nothing(stage, leaves):
    """One computation is paid once, by who came first, though it leaves."""
    node = stage.node("tiny")
    gateway = stage.gateway([node], {"keys": KEYS, "cache": {"mode": "all"}})
    purses = {name: Purse(gateway, name) for name in ("alice", "bob")}
    node.gate("g", "before_first_token")
    body = harness.run("gate:g tokens:40", stream=True)
    with wire.Wire(gateway.url) as first:
        first.request("POST", "/api/generate", body, bearer())
        node.wait("gated", 1)
        second = harness.later(gateway.post, "/api/generate", body, bearer("bob"))
        while gateway.get("/drover/v1/me", bearer("bob")).json()["requests_under_way"] == 0:
            pass
        node.open("g")
        first.read_head()
        if not leaves:
            answer = second.result(wire.LIMIT_S)
    answer = second.result(wire.LIMIT_S)
    assert answer.header("x-drover-cache") == "joined"
    said = answer.lines()[-1]
    cost = said["prompt_eval_count"] + said["eval_count"]
    gateway.wait_line("key=alice .*route=/api/generate")
    purses["bob"].paid(0)
    purses["alice"].paid(1 if leaves else cost, cost)
