"""Comments to event streams that wait: a sign of life that commits the status 200.

They begin after 60 s, or after four heartbeats where that is less; so the tests ask for short
heartbeats, and wait for comments, never for time.
"""

import json
import re
import threading

import anthropic
import harness
import openai
import pytest
from harness import npm, wire

LIMIT_S = wire.LIMIT_S
SSE = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"]
SHORT = {"queue": {"heartbeat": "20ms"}}
HELD = [{"role": "user", "content": "tokens:5 gate:hold"}]


def event(text):
    return b"data: " + json.dumps({"text": text}).encode() + b"\n\n"


class Play:
    """A node that holds what it gets until it is told to go on."""

    def __init__(self, then=None):
        self.go = threading.Semaphore(0)
        self.then = then or self.stream

    def __call__(self, exchange):
        assert self.go.acquire(timeout=LIMIT_S)
        self.then(exchange)

    @staticmethod
    def stream(exchange):
        exchange.begin("text/event-stream; charset=utf-8")
        exchange.chunk(event("one"))
        exchange.chunk(event("two"))
        exchange.end()


def one_slot(stage, play, settings=SHORT, **options):
    node = stage.fake(play, loaded=["tiny:latest"], **options)
    row = {"name": "one", "url": node.url, "parallel": 1, "slots": 1}
    return node, stage.gateway([row], settings)


def ask(client, path, headers=()):
    client.request("POST", path, harness.body_for(path, stream=True), headers)


def comments(pieces, count, words):
    """So many of them, each in a piece of its own."""
    for _ in range(count):
        assert re.fullmatch(words, next(pieces).decode())


QUEUED = r": queued position=\d+ eta=\d+s\n\n"
RUNNING = r": running backend=one\n\n"


@pytest.mark.parametrize("path", SSE)
def test_who_waits_hears_of_it_and_gets_the_nodes_stream_after_it(stage, path):
    play = Play()
    node, gateway = one_slot(stage, play)
    with wire.Wire(gateway.url) as first, wire.Wire(gateway.url) as second:
        ask(first, path)
        node.wait_exchanges(1)
        ask(second, path, [("X-Request-Id", "second")])
        answer = second.read_head()
        assert answer.status == 200
        assert answer.header("content-type") == "text/event-stream"
        assert answer.header("x-request-id") == "second"
        pieces = second.read_pieces(answer)
        comments(pieces, 3, QUEUED)
        play.go.release()
        node.wait_exchanges(2)
        while re.fullmatch(QUEUED, said := next(pieces).decode()):
            pass
        assert re.fullmatch(RUNNING, said)
        play.go.release()
        said = b"".join(pieces)
        assert re.fullmatch(rb"(: [^\n]+\n\n)*" + re.escape(event("one") + event("two")), said)
        assert answer.whole
        second.request("GET", "/healthz")  # the connection is in order
        assert second.read_answer().body == b"ok\n"
        assert first.read_answer().body.endswith(event("one") + event("two"))


def talk_openai(url):
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        parts = list(client.chat.completions.create(model="tiny", messages=HELD, stream=True))
    return "".join(p.choices[0].delta.content or "" for p in parts if p.choices)


def talk_responses(url):
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        with client.responses.stream(model="tiny", input=HELD[0]["content"]) as stream:
            return stream.get_final_response().output_text


def talk_anthropic(url):
    with anthropic.Anthropic(base_url=url, api_key="none", max_retries=0) as client:
        with client.messages.stream(model="tiny", max_tokens=64, messages=HELD) as stream:
            return stream.get_final_text()


def talk_npm(url):
    request = {"model": "tiny", "messages": HELD, "stream": True}
    said = npm.call("openai", url, {"call": "chat.completions.create", "with": request})
    assert "parts" in said, said
    deltas = [part["choices"][0]["delta"] for part in said["parts"] if part["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


@pytest.mark.parametrize("talk", [talk_openai, talk_responses, talk_anthropic, talk_npm])
def test_official_clients_read_through_them(stage, talk):
    node = stage.node("tiny", parallel=1)
    gateway = stage.gateway([{"name": "one", "url": node.url, "parallel": 1, "slots": 1}], SHORT)
    node.gate("hold", "before_first_token")
    said = harness.later(talk, gateway.url)
    node.wait("gated", 1)
    with wire.Wire(gateway.url) as later:
        ask(later, "/v1/chat/completions")
        answer = later.read_head()
        # Who came before it has been told before it.
        comments(later.read_pieces(answer), 2, QUEUED)
        assert not said.done()
        node.open("hold")
        assert len(said.result(LIMIT_S)) > 5


def test_who_waits_for_a_load_hears_of_that(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([{"name": "one", "url": node.url}], SHORT)
    node.gate("tiny:latest", "before_load")
    with wire.Wire(gateway.url) as client:
        ask(client, "/v1/chat/completions")
        answer = client.read_head()
        pieces = client.read_pieces(answer)
        comments(pieces, 3, r": queued position=0 eta=\d+s loading_on=one\n\n")
        node.open("tiny:latest")
        assert b"data: [DONE]\n\n" in b"".join(pieces)
    assert answer.whole and node.counts()["loads"] == 1


def test_who_waits_for_the_answer_of_another_hears_of_it(stage):
    play = Play()
    node, gateway = one_slot(stage, play)
    path = "/v1/chat/completions"
    body = harness.body_for(path, stream=True, temperature=0)
    answers = []
    with wire.Wire(gateway.url) as leads, wire.Wire(gateway.url) as follows:
        for client, cache, words in (
            (leads, "miss", RUNNING),
            (follows, "joined", r": waiting with an equal request\n\n"),
        ):
            client.request("POST", path, body)
            answer = client.read_head()
            assert answer.header("x-drover-cache") == cache
            pieces = client.read_pieces(answer)
            comments(pieces, 2, words)
            answers.append((answer, pieces))
        play.go.release()
        for answer, pieces in answers:
            assert b"".join(pieces).endswith(event("one") + event("two"))
            assert answer.whole
    assert len(node.exchanges) == 1


# Failures after the status


def error_of(path, data):
    """What the last event says: kind and message. It must be in the route's form."""
    assert data.endswith(b"\n\n")
    lines = data.decode().strip("\n").split("\n\n")[-1].strip("\n").split("\n")
    last = json.loads(lines[-1].removeprefix("data: "))
    if path == "/v1/messages":
        assert lines[0] == "event: error" and last["type"] == "error"
    return last["error"]["type"], last["error"]["message"]


def fail(stage, path, play, settings=None, headers=(), **options):
    """Begins a stream that hears comments, then lets the node play; the error it ends with."""
    node, gateway = one_slot(stage, play, {**SHORT, **(settings or {})}, **options)
    with wire.Wire(gateway.url) as client:
        ask(client, path, headers)
        answer = client.read_head()
        pieces = client.read_pieces(answer)
        comments(pieces, 2, RUNNING)
        play.go.release()
        with pytest.raises(wire.Cut):
            for _ in pieces:
                pass
    assert answer.status == 200 and len(node.exchanges) == 1
    gateway.wait_line(r"status=200 .*end=")
    return error_of(path, answer.body)


@pytest.mark.parametrize("path", SSE)
def test_what_the_node_refuses_then_is_an_event_in_its_words(stage, path):
    def refuse(exchange):
        body = {"error": {"message": "no such option", "type": "invalid_request_error"}}
        exchange.reply(body, "400 Bad Request")

    said = fail(stage, path, Play(refuse))
    assert said == ("invalid_request_error", "no such option")


@pytest.mark.parametrize("body", [b"<html>", b"x" * 100000, b""])
def test_a_refusal_without_words_is_named(stage, body):
    play = Play(lambda exchange: exchange.reply(body, "500 Internal Server Error", "text/html"))
    said = fail(stage, "/v1/chat/completions", play)
    assert said == ("api_error", "backend 'one' answered 500 and no stream")


def test_an_answer_that_is_no_stream_is_no_success(stage):
    play = Play(lambda exchange: exchange.reply({"choices": []}))
    assert "no stream" in fail(stage, "/v1/chat/completions", play)[1]


def test_a_stream_that_comes_compressed_cannot_go_on_in_a_plain_one(stage):
    def compress(exchange):
        exchange.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n"
            b"Content-Length: 4\r\n\r\n\x1f\x8b\x08\x00"
        )

    assert "no stream" in fail(stage, "/v1/chat/completions", Play(compress))[1]


@pytest.mark.parametrize("path", SSE)
def test_a_node_that_dies_then_is_told_of(stage, path):
    kind, message = fail(stage, path, Play(lambda exchange: exchange.reset()), reuse=False)
    assert kind == "api_error" and "backend 'one' failed" in message


@pytest.mark.parametrize("path", SSE)
def test_a_deadline_that_passes_then_is_told_of(stage, path):
    play = Play(lambda exchange: exchange.wait_gone())
    kind, message = fail(stage, path, play, headers=[("X-Drover-Timeout", "400ms")])
    assert "deadline" in message
    assert kind == ("timeout_error" if path == "/v1/messages" else "api_error")


def test_who_waits_too_long_is_told_in_its_stream(stage):
    play = Play()
    node, gateway = one_slot(stage, play, {"queue": {"heartbeat": "20ms", "max_wait": "400ms"}})
    with wire.Wire(gateway.url) as first:
        first.request("POST", "/api/generate", harness.run())
        node.wait_exchanges(1)
        path = "/v1/messages"
        late = gateway.post(path, harness.body_for(path, stream=True))
        assert not late.whole and b": queued" in late.body
        assert error_of(path, late.body)[0] == "timeout_error"
        play.go.release()
        assert first.read_answer().whole


def test_a_busy_node_is_left_for_another_one_also_then(stage):
    busy = Play(lambda exchange: exchange.reply({"error": "busy"}, "503 Service Unavailable"))
    nodes = [stage.fake(busy, loaded=["tiny:latest"]), stage.fake(Play.stream)]
    gateway = stage.gateway([{"name": "one", "url": nodes[0].url}, {"url": nodes[1].url}], SHORT)
    with wire.Wire(gateway.url) as client:
        ask(client, "/v1/chat/completions")
        answer = client.read_head()
        pieces = client.read_pieces(answer)
        comments(pieces, 2, RUNNING)
        busy.go.release()
        assert b"".join(pieces).endswith(event("one") + event("two"))
    assert answer.whole and [len(node.exchanges) for node in nodes] == [1, 1]


def test_who_leaves_then_leaves_the_queue(stage):
    play = Play()
    node, gateway = one_slot(stage, play)
    with wire.Wire(gateway.url) as first:
        ask(first, "/v1/completions")
        node.wait_exchanges(1)
        second = wire.Wire(gateway.url)
        ask(second, "/v1/completions")
        comments(second.read_pieces(second.read_head()), 1, QUEUED)
        second.close()
        gateway.wait_line("status=499")
        play.go.release()
        assert first.read_answer().whole
    assert len(node.exchanges) == 1


# Who gets none


def silent_while_others_hear(stage, send):
    """By the time that a stream which came after it has heard comments, it has heard nothing."""
    play = Play()
    node, gateway = one_slot(stage, play)
    with wire.Wire(gateway.url) as first, wire.Wire(gateway.url) as other:
        send(first)
        node.wait_exchanges(1)
        ask(other, "/v1/completions")
        comments(other.read_pieces(other.read_head()), 4, QUEUED)
        first.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            first.socket.recv(1)
        first.socket.settimeout(LIMIT_S)
        play.go.release()
        answer = first.read_answer()
        assert answer.body == event("one") + event("two")
        play.go.release()


@pytest.mark.parametrize("path", ["/api/generate", "/api/chat"])
def test_native_streams_never_get_any(stage, path):
    silent_while_others_hear(stage, lambda client: ask(client, path))


def test_answers_that_are_no_streams_never_get_any(stage):
    path = "/v1/chat/completions"
    silent_while_others_hear(
        stage, lambda client: client.request("POST", path, harness.body_for(path))
    )


def test_embeddings_never_get_any(stage):
    silent_while_others_hear(stage, lambda client: ask(client, "/v1/embeddings"))


def test_clients_of_1_0_never_get_any(stage):
    path = "/v1/chat/completions"
    silent_while_others_hear(
        stage,
        lambda client: client.request(
            "POST", path, harness.body_for(path, stream=True), version="1.0"
        ),
    )


def test_they_can_be_turned_off(stage):
    play = Play()
    node, gateway = one_slot(stage, play, {"queue": {"heartbeat": "0s"}})
    with wire.Wire(gateway.url) as client:
        ask(client, "/v1/chat/completions")
        node.wait_exchanges(1)
        play.go.release()
        assert client.read_answer().body == event("one") + event("two")
