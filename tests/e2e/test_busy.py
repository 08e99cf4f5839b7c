"""What the real clients make of a full queue: they say so, or try again when they were told."""

import threading

import anthropic
import harness
import ollama
import openai
import pytest
from harness import npm, wire

MESSAGES = [{"role": "user", "content": "hello"}]


@pytest.fixture
def full(stage):
    """One request runs, one waits, and no more may."""
    go_on = threading.Event()

    def play(exchange):
        assert go_on.wait(wire.LIMIT_S)
        exchange.node.answer(exchange)

    node = stage.fake(play)
    gateway = stage.gateway([{"url": node.url, "parallel": 1}], {"queue": {"size": 1}})
    clients = []
    for _ in range(2):
        client = wire.Wire(gateway.url)
        client.request("POST", "/api/generate", harness.run())
        harness.turn(gateway)
        clients.append(client)
    yield gateway, go_on
    go_on.set()
    for client in clients:
        assert client.read_answer().status == 200


def test_ollama(full):
    with pytest.raises(ollama.ResponseError, match="server busy") as raised:
        ollama.Client(full[0].url).chat("tiny", MESSAGES)
    assert raised.value.status_code == 503


def test_openai_without_retries(full):
    client = openai.OpenAI(base_url=f"{full[0].url}/v1", api_key="none", max_retries=0)
    with pytest.raises(openai.InternalServerError, match="server busy") as raised:
        client.chat.completions.create(model="tiny", messages=MESSAGES)
    assert raised.value.status_code == 503


def test_anthropic_without_retries(full):
    client = anthropic.Anthropic(base_url=full[0].url, api_key="none", max_retries=0)
    with pytest.raises(anthropic.APIStatusError, match="server busy") as raised:
        client.messages.create(model="tiny", max_tokens=9, messages=MESSAGES)
    assert raised.value.status_code == 503
    assert raised.value.body["error"]["type"] == "overloaded_error"


def test_openai_tries_again_when_it_is_told_to(full):
    gateway, go_on = full
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=2)
    mark = gateway.mark()
    answer = harness.later(client.chat.completions.create, model="tiny", messages=MESSAGES)
    gateway.wait_line("route=/v1/chat/completions .*status=503", mark)
    go_on.set()
    assert answer.result(wire.LIMIT_S).choices[0].message


def test_npm_ollama(full):
    said = npm.call(
        "ollama", full[0].url, {"call": "chat", "with": {"model": "tiny", "messages": MESSAGES}}
    )
    assert said["error"]["status"] == 503 and "server busy" in said["error"]["message"]


def test_npm_openai(full):
    request = {"model": "tiny", "messages": MESSAGES}
    said = npm.call("openai", full[0].url, {"call": "chat.completions.create", "with": request})
    assert said["error"]["status"] == 503 and "server busy" in said["error"]["message"]
