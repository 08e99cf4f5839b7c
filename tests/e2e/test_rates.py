"""Limits of keys and of addresses: who is refused is told when to come back, and gets in then."""

import asyncio
import re

import anthropic
import harness
import ollama
import openai
import pytest
from harness import fake, npm, wire

HELLO = [{"role": "user", "content": "hello"}]


def limited(name="alice", **limits):
    return {"name": name, "key": f"dk-{name}-0000", **limits}


def bearer(name="alice"):
    return [("Authorization", f"Bearer dk-{name}-0000")]


def statuses(gateway, count, headers=(), path="/api/generate", body=None):
    return [
        gateway.post(path, body or harness.run(), headers).status for _ in range(count)
    ]


def test_a_burst_passes_and_then_the_rate(stage):
    keys = [limited(requests_per_minute=6, burst=2), limited("bob")]
    gateway = stage.gateway([stage.fake()], {"keys": keys})
    first = gateway.post("/api/generate", harness.run(), bearer())
    assert first.status == 200
    assert first.header("x-ratelimit-limit-requests") == "6"
    assert first.header("x-ratelimit-remaining-requests") == "1"
    assert re.fullmatch(r"(10|9\.\d+)s", first.header("x-ratelimit-reset-requests"))
    assert first.header("x-ratelimit-limit-tokens") is None
    assert statuses(gateway, 1, bearer()) == [200]
    refused = gateway.post("/api/generate", harness.run(), bearer())
    assert refused.status == 429
    assert re.search(r"6 requests per minute.*try again in \d", refused.json()["error"])
    assert 9000 < int(refused.header("retry-after-ms")) <= 10000
    assert refused.header("retry-after") == "10"
    assert refused.header("x-ratelimit-remaining-requests") == "0"
    assert statuses(gateway, 5, bearer("bob")) == [200] * 5
    assert gateway.post("/api/generate", harness.run(), bearer("bob")).header(
        "x-ratelimit-limit-requests"
    ) is None


def test_only_what_runs_a_model_counts(stage):
    gateway = stage.gateway([stage.fake()], {"keys": [limited(requests_per_minute=1)]})
    for path in ("/api/tags", "/api/ps", "/v1/models", "/drover/v1/me"):
        assert gateway.get(path, bearer()).status == 200
    assert gateway.post("/api/show", {"model": "tiny"}, bearer()).status == 200
    assert statuses(gateway, 2, bearer()) == [200, 429]


@pytest.mark.parametrize("path", sorted(harness.RUNS))
def test_each_route_that_runs_a_model_is_limited_in_its_dialect(stage, path):
    gateway = stage.gateway([stage.fake()], {"keys": [limited(requests_per_minute=1)]})
    body = harness.body_for(path, stream=False)
    assert gateway.post(path, body, bearer()).status == 200
    answer = gateway.post(path, body, bearer())
    assert answer.status == 429
    if path.startswith("/v1/messages"):
        assert answer.json()["error"]["type"] == "rate_limit_error"
    elif path.startswith("/v1"):
        assert answer.json()["error"]["code"] == "rate_limit_exceeded"
    else:
        assert "rate limit" in answer.json()["error"]


def with_openai(ask):
    def make(url):
        base = f"{url}/v1"
        client = openai.OpenAI(base_url=base, api_key="dk-alice-0000", max_retries=1)
        return lambda: ask(client)

    return make


def with_openai_in_a_loop(url):
    base = f"{url}/v1"
    client = openai.AsyncOpenAI(base_url=base, api_key="dk-alice-0000", max_retries=1)
    return lambda: asyncio.run(client.chat.completions.create(model="tiny", messages=HELLO)).choices


def with_anthropic(url):
    client = anthropic.Anthropic(base_url=url, api_key="dk-alice-0000", max_retries=1)
    return lambda: client.messages.create(model="tiny", max_tokens=5, messages=HELLO).content


def with_npm(url):
    spec = {
        "call": "chat.completions.create",
        "with": {"model": "tiny", "messages": HELLO},
        "key": "dk-alice-0000",
        "retries": 1,
    }
    return lambda: npm.call("openai", url, spec).get("answer")


# What makes a client, and a call of it that gives what is no nothing.
CLIENTS = {
    "openai": with_openai(lambda c: c.chat.completions.create(model="tiny", messages=HELLO)),
    "openai stream": with_openai(
        lambda c: list(c.chat.completions.create(model="tiny", messages=HELLO, stream=True))
    ),
    "openai responses": with_openai(lambda c: c.responses.create(model="tiny", input="hello")),
    "openai embeddings": with_openai(
        lambda c: c.embeddings.create(model="vectors", input="hello")
    ),
    "openai async": with_openai_in_a_loop,
    "anthropic": with_anthropic,
    "npm openai": with_npm,
}


@pytest.fixture(scope="module")
def two_models(module_stage):
    return module_stage.node("tiny", "vectors,embed")


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_waits_as_long_as_it_is_told_and_succeeds(stage, two_models, client):
    """By itself, and with the one retry that it is allowed: so one wait was enough."""
    keys = {"keys": [limited(requests_per_minute=120, burst=1)], "cache": {"mode": "off"}}
    gateway = stage.gateway([two_models], keys)
    ask = CLIENTS[client](gateway.url)
    while "status=429" not in gateway.log():
        gateway.post("/api/generate", harness.run("tokens:1"), bearer())  # takes what there is
        assert ask()


def test_a_client_waits_until_the_tokens_are_there(stage):
    """The first answer costs all, and 100 more; what is held for the next one must come back."""
    said = {"prompt_tokens": 50, "completion_tokens": 60050, "total_tokens": 60100}
    answer = {**fake.ANSWERS["/v1/chat/completions"], "usage": said}
    node = stage.fake(lambda x: x.reply(answer))
    gateway = stage.gateway([node], {"keys": [limited(tokens_per_minute=60000)]})
    base = f"{gateway.url}/v1"
    client = openai.OpenAI(base_url=base, api_key="dk-alice-0000", max_retries=1)
    for _ in range(2):
        assert client.chat.completions.create(model="tiny", messages=HELLO, max_tokens=100).choices
    gateway.wait_line("status=429")
    assert len(node.exchanges) == 2


def test_ollamas_client_is_told_in_words(stage):
    """It does not try again by itself."""
    gateway = stage.gateway([stage.fake()], {"keys": [limited(requests_per_minute=1)]})
    client = ollama.Client(gateway.url, headers=dict(bearer()))
    assert client.generate("tiny", "hello").response
    with pytest.raises(ollama.ResponseError, match="please try again in") as refused:
        client.generate("tiny", "hello")
    assert refused.value.status_code == 429


def left(gateway):
    """Tokens, as the owner of the key sees them; ten a second come back meanwhile."""
    return gateway.get("/drover/v1/me", bearer()).json()["limits"]["tokens_per_minute"]["remaining"]


def counted(prompt, output, **more):
    return {"model": "tiny", "done": True, "prompt_eval_count": prompt, "eval_count": output, **more}


def test_tokens_are_charged_as_the_answer_counts_them(stage):
    node = stage.fake(lambda x: x.reply(counted(300, 250, response="seen")))
    gateway = stage.gateway([node], {"keys": [limited(tokens_per_minute=600)]})
    first = gateway.post("/api/generate", harness.run(), bearer())
    assert first.header("x-ratelimit-limit-tokens") == "600"
    # While it runs, what is usual is held.
    assert 300 < int(first.header("x-ratelimit-remaining-tokens")) < 400
    assert 50 <= left(gateway) < 150
    refused = gateway.post("/api/generate", harness.run(), bearer())
    assert refused.status == 429 and "600 tokens per minute" in refused.json()["error"]
    assert int(refused.header("retry-after-ms")) > 10000
    assert len(node.exchanges) == 1


def test_so_many_at_once(stage):
    node = stage.node("tiny", parallel=1)
    gateway = stage.gateway([node], {"keys": [limited(concurrent=2)]})
    node.gate("g", "before_first_token")
    ids = [[*bearer(), ("X-Request-Id", name)] for name in ("running", "waiting")]
    two = [
        harness.later(gateway.post, "/api/generate", harness.run("gate:g"), headers)
        for headers in ids
    ]
    for headers in ids:
        while gateway.get(f"/drover/v1/requests/{headers[1][1]}", bearer()).status == 404:
            pass
    me = gateway.get("/drover/v1/me", bearer()).json()
    assert me["limits"]["concurrent"] == {"limit": 2, "used": 2}
    refused = gateway.post("/api/generate", harness.run(), bearer())
    assert refused.status == 429 and "2 requests at once" in refused.json()["error"]
    assert int(refused.header("retry-after")) >= 1
    node.open("g")
    assert [answer.result().status for answer in two] == [200, 200]
    assert statuses(gateway, 2, bearer()) == [200, 200]
    assert gateway.get("/drover/v1/me", bearer()).json()["limits"]["concurrent"]["used"] == 0


def test_who_leaves_makes_room(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([node], {"keys": [limited(concurrent=1)]})
    node.gate("g", "before_first_token")
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", harness.run("gate:g"), bearer())
        node.wait("gated", 1)
        assert statuses(gateway, 1, bearer()) == [429]
    gateway.wait_line("status=499")
    assert statuses(gateway, 1, bearer()) == [200]


def test_addresses_have_limits_where_there_are_no_keys(stage):
    anonymous = {"requests_per_minute": 1}
    gateway = stage.gateway([stage.fake()], {"anonymous": anonymous})
    assert statuses(gateway, 2) == [200, 429]
    assert statuses(gateway, 1, [("X-Forwarded-For", "203.0.113.1")]) == [429]


def test_a_trusted_proxy_tells_the_client(stage):
    node = stage.fake()
    settings = {
        "anonymous": {"requests_per_minute": 1},
        "trusted_proxies": ["127.0.0.0/8", "10.0.0.0/8"],
    }
    gateway = stage.gateway([node], settings)

    def status(*forwarded):
        headers = [("X-Forwarded-For", text) for text in forwarded]
        return gateway.post("/api/generate", harness.run(), headers).status

    assert status("203.0.113.1") == 200
    assert node.exchanges[-1].field("X-Forwarded-For") == "203.0.113.1"
    gateway.wait_line("client=203.0.113.1 ")
    assert status("203.0.113.1") == 429
    # What the client wrote itself does not count, nor a proxy on the way.
    assert status("198.51.100.1, 203.0.113.1") == 429
    assert status("203.0.113.1, 10.0.0.7") == 429
    assert status("198.51.100.1", "203.0.113.1, 10.0.0.7") == 429
    assert status("203.0.113.2") == 200
    # One client has all addresses of a network of version 6.
    assert [status("2001:db8::1"), status("2001:db8::2"), status("2001:db8:0:1::1")] == [
        200,
        429,
        200,
    ]
    assert status("garbage") == 200  # the proxy itself
    assert status() == 429


@pytest.mark.parametrize(
    "proxies,headers,status",
    [
        ([], [], 200),
        ([], [("X-Forwarded-For", "127.0.0.1")], 403),
        ([], [("Forwarded", "for=127.0.0.1")], 403),
        (["127.0.0.1"], [], 200),
        (["127.0.0.1"], [("X-Forwarded-For", "203.0.113.1")], 403),
        (["127.0.0.1"], [("X-Forwarded-For", "127.0.0.1")], 200),
    ],
)
def test_who_comes_by_a_proxy_is_not_of_this_machine(stage, proxies, headers, status):
    gateway = stage.gateway([stage.node("a:1")], {"trusted_proxies": proxies})
    answer = wire.ask(gateway.url, "DELETE", "/api/delete", {"model": "a:1"}, headers)
    assert answer.status == status
