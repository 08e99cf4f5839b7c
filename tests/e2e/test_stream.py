"""Streams: each token as it comes, and an honest end when a node breaks off."""

import json
import threading

import harness
import ollama
import openai
import pytest
from harness import fake, npm, wire

NDJSON = ["/api/generate", "/api/chat"]
SSE = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"]
STREAMS = NDJSON + SSE
LIMIT_S = wire.LIMIT_S


def record(path, text):
    """A record of a stream as this route has them."""
    if path in NDJSON:
        return json.dumps({"model": "tiny", "response": text, "done": False}).encode() + b"\n"
    return b"data: " + json.dumps({"text": text}).encode() + b"\n\n"


def begin(exchange):
    exchange.begin(fake.NDJSON if exchange.target in NDJSON else "text/event-stream")


@pytest.mark.parametrize("path", STREAMS)
def test_the_first_token_is_at_the_client_before_the_second_is_made(stage, path):
    first_was_seen = threading.Event()
    first, second = record(path, "one"), record(path, "two")

    def play(exchange):
        begin(exchange)
        exchange.chunk(first)
        assert first_was_seen.wait(LIMIT_S)
        exchange.chunk(second)
        exchange.end()

    gateway = stage.gateway([stage.fake(play)])
    with wire.Wire(gateway.url) as client:
        client.request("POST", path, harness.body_for(path, stream=True))
        answer = client.read_head()
        pieces = client.read_pieces(answer)
        assert next(pieces) == first
        first_was_seen.set()
        assert next(pieces) == second
        assert list(pieces) == []
    assert answer.whole


def test_no_byte_is_sent_before_the_node_sends_one(stage):
    go_on = threading.Event()

    def play(exchange):
        assert go_on.wait(LIMIT_S)
        begin(exchange)
        exchange.end()

    node = stage.fake(play)
    gateway = stage.gateway([node])
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/chat", harness.body_for("/api/chat"))
        node.wait_exchanges(1)
        assert gateway.get("/healthz").status == 200  # its loop has turned
        client.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.socket.recv(1)
        client.socket.settimeout(LIMIT_S)
        go_on.set()
        assert client.read_answer().whole


def test_a_stream_without_a_last_record_ends_cleanly(stage):
    """Ollama ends so after a run of equal tokens."""

    def play(exchange):
        begin(exchange)
        exchange.chunk(record(exchange.target, "a"))
        exchange.end()

    gateway = stage.gateway([stage.fake(play)])
    answer = gateway.post("/api/chat", harness.body_for("/api/chat"))
    assert answer.whole and answer.body == record("/api/chat", "a")


def test_a_client_of_1_0_gets_a_stream_until_close(stage):
    def play(exchange):
        begin(exchange)
        exchange.chunk(record(exchange.target, "a"))
        exchange.chunk(record(exchange.target, "b"))
        exchange.end()

    gateway = stage.gateway([stage.fake(play)])
    body = harness.body_for("/api/chat")
    answer = wire.ask(gateway.url, "POST", "/api/chat", body, version="1.0")
    assert answer.header("transfer-encoding") is None
    assert answer.body == record("/api/chat", "a") + record("/api/chat", "b")


# A node that breaks off


def error_of(path, data):
    """What the record that says so says; fails where it is not in the route's form."""
    if path in NDJSON:
        assert data.endswith(b"\n")
        last = json.loads(data.splitlines()[-1])
        assert set(last) == {"error"}
        return last["error"]
    lines = data.decode().strip("\n").split("\n\n")[-1].strip("\n").split("\n")
    assert data.endswith(b"\n\n")
    last = json.loads(lines[-1].removeprefix("data: "))
    if path == "/v1/messages":
        assert lines[0] == "event: error" and last["type"] == "error"
    assert last["error"]["type"] == "api_error"
    return last["error"]["message"]


def break_by_reset(exchange):
    exchange.reset()


def break_by_close(exchange):
    exchange.close()


def break_in_a_record(exchange):
    exchange.chunk(b'data: {"te' if exchange.target in SSE else b'{"te')
    exchange.close()


def break_the_coding(exchange):
    exchange.send(b"no chunk size\r\n")
    exchange.wait_gone()


BREAKS = [break_by_reset, break_by_close, break_in_a_record, break_the_coding]


@pytest.mark.parametrize("how", BREAKS, ids=lambda how: how.__name__)
@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_that_breaks_says_so_and_is_cut(stage, path, how):
    seen = threading.Event()

    def play(exchange):
        begin(exchange)
        exchange.chunk(record(path, "one"))
        assert seen.wait(LIMIT_S)
        how(exchange)

    node = stage.fake(play)
    gateway = stage.gateway([node])
    with wire.Wire(gateway.url) as client:
        client.request("POST", path, harness.body_for(path, stream=True))
        answer = client.read_head()
        pieces = client.read_pieces(answer)
        assert next(pieces) == record(path, "one")
        seen.set()
        with pytest.raises(wire.Cut):
            for _ in pieces:
                pass
    assert answer.status == 200
    assert error_of(path, answer.body)
    assert len(node.exchanges) == 1, "what may have run is not run again"


def test_a_whole_answer_that_breaks_is_cut(stage):
    def play(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        exchange.send(b'Content-Length: 100\r\n\r\n{"response":')
        exchange.close()

    gateway = stage.gateway([stage.fake(play)])
    answer = gateway.post("/api/generate", harness.run())
    assert answer.status == 200 and not answer.whole


def test_a_compressed_stream_that_breaks_is_cut_without_a_word(stage):
    """Nobody asked for it to be compressed; a record in the clear would be garbage in it."""
    body = b"\x1f\x8b\x08\x00\n"

    def play(exchange):
        exchange.begin("application/x-ndjson\r\nContent-Encoding: gzip")
        exchange.chunk(body)
        exchange.close()

    gateway = stage.gateway([stage.fake(play)])
    answer = gateway.post("/api/generate", harness.run())
    assert answer.header("content-encoding") == "gzip"
    assert answer.body == body and not answer.whole


def test_a_stream_of_known_length_that_breaks_is_cut_without_a_word(stage):
    """There is no room for a record: the length was promised."""

    def play(exchange):
        if exchange.field("x-nth") != "second":
            exchange.send(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
                b"Content-Length: 20\r\n\r\n{}\n"
            )
            exchange.close()
        else:
            exchange.reply({"done": True})

    gateway = stage.gateway([stage.fake(play)])
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", harness.run())
        answer = client.read_head()
        with pytest.raises(wire.Cut):
            for piece in client.read_pieces(answer):
                assert piece == b"{}\n"
    again = gateway.post("/api/generate", harness.run(), [("X-Nth", "second")])
    assert again.status == 200


def test_a_stream_that_falls_silent_ends_as_a_broken_one(stage):
    def play(exchange):
        begin(exchange)
        exchange.chunk(record(exchange.target, "one"))
        exchange.wait_gone()

    gateway = stage.gateway([stage.fake(play)], {"timeouts": {"idle": "300ms"}})
    answer = gateway.post("/api/chat", harness.body_for("/api/chat"))
    assert not answer.whole and error_of("/api/chat", answer.body)


def break_after_one(exchange):
    begin(exchange)
    if exchange.target in NDJSON:
        message = {"role": "assistant", "content": "one"}
        exchange.line(model="tiny", message=message, done=False)
    else:
        delta = {"choices": [{"index": 0, "delta": {"content": "one"}}]}
        exchange.chunk(b"data: " + json.dumps(delta).encode() + b"\n\n")
    exchange.reset()


def test_no_client_takes_a_broken_stream_for_a_whole_one(stage):
    gateway = stage.gateway([stage.fake(break_after_one)])
    messages = [{"role": "user", "content": "hello"}]
    with pytest.raises(ollama.ResponseError):
        list(ollama.Client(gateway.url).chat("tiny", messages, stream=True))
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0)
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="tiny", messages=messages, stream=True))
    request = {"model": "tiny", "messages": messages, "stream": True}
    said = npm.call("ollama", gateway.url, {"call": "chat", "with": request})
    assert "error" in said
    spec = {"call": "chat.completions.create", "with": request}
    assert "error" in npm.call("openai", gateway.url, spec)


# Backpressure


def test_a_client_that_does_not_read_stops_the_node(stage):
    """The gateway must not swallow what nobody takes."""
    piece = b"x" * 65535 + b"\n"
    count = 1024  # 64 MiB

    def play(exchange):
        begin(exchange)
        for _ in range(count):
            exchange.chunk(piece)
        exchange.end()

    node = stage.fake(play)
    gateway = stage.gateway([node])
    before = gateway.resident_kib()
    with wire.Wire(gateway.url, receive_buffer=65536) as client:
        client.request("POST", "/api/chat", harness.body_for("/api/chat"))
        with wire.Wire(gateway.url) as other:
            for _ in range(2 * count):  # turns of its loop in which it could have read on
                other.request("GET", "/healthz")
                assert other.read_answer().status == 200
        assert node.in_hand == 1, "the node could send everything"
        answer = client.read_answer()
    assert answer.whole and len(answer.body) == count * len(piece)
    assert gateway.peak_kib() - before < 16 * 1024 * gateway.memory_factor
