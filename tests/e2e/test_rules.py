"""Rules for models: what they change in a request, and nothing else, and how it is said."""

import json

import harness
import pytest
from harness import wire

LIMIT_S = wire.LIMIT_S
BOUNDED = {"match": "tiny", "num_predict": {"default": 64, "max": 128}}


def rules(*rows):
    return {"models": list(rows)}


@pytest.fixture
def played(stage):
    """A node that shows what it is sent, behind a gateway with rules."""

    def start(*rows):
        node = stage.fake(models=("tiny:latest", "other:1b"))
        return node, stage.gateway([node], rules(*rows))

    return start


def said(answer):
    assert answer.status == 200
    return answer.header("x-drover-rewrite")


# How long an answer may be


def tiny(rest):
    return '{"model":"tiny","prompt":"x"' + rest + "}"


AT_MOST = tiny(',"options":{"num_predict":128}')


@pytest.mark.parametrize(
    "sent,arrives,header",
    [
        (tiny(""), '{"options":{"num_predict":64},' + tiny("")[1:], "num_predict=64"),
        (
            '{ "model" : "tiny", "options": { "seed": 1 } , "prompt":"x"}\n',
            '{ "model" : "tiny", "options": {"num_predict":64, "seed": 1 } , "prompt":"x"}\n',
            "num_predict=64",
        ),
        (tiny(',"options":{"num_predict":-1}'), AT_MOST, "num_predict=128"),
        (tiny(',"options":{"num_predict":129}'), AT_MOST, "num_predict=128"),
        (tiny(',"options":{"num_predict":100}'), None, None),
        (tiny(',"options":{"num_predict":"many"}'), None, None),
        ('{"model":"other:1b","prompt":"x"}', None, None),
        ('{"model":"tiny","prompt":""}', None, None),
    ],
)
def test_native_answers_are_bounded(played, sent, arrives, header):
    node, gateway = played(BOUNDED)
    assert said(gateway.post("/api/generate", sent)) == header
    assert node.exchanges[0].body.decode() == (sent if arrives is None else arrives)


@pytest.mark.parametrize(
    "path,sent,arrives",
    [
        ("/v1/chat/completions", {}, {"max_tokens": 64}),
        ("/v1/chat/completions", {"max_completion_tokens": 500}, {"max_completion_tokens": 128}),
        (
            "/v1/chat/completions",
            {"max_tokens": 500, "max_completion_tokens": 100},
            {"max_tokens": 128},
        ),
        ("/v1/completions", {"max_tokens": None}, {"max_tokens": 64}),
        ("/v1/responses", {}, {"max_output_tokens": 64}),
        ("/v1/messages", {"max_tokens": 4096}, {"max_tokens": 128}),
        ("/v1/embeddings", {}, {}),
    ],
)
def test_answers_under_v1_are_bounded(played, path, sent, arrives):
    node, gateway = played(BOUNDED)
    body = harness.body_for(path, **sent)
    answer = gateway.post(path, body)
    assert said(answer) == (", ".join(f"{k}={v}" for k, v in arrives.items()) or None)
    assert node.exchanges[0].json() == {**body, **arrives}


def test_a_compressed_body_is_changed_too(played):
    node, gateway = played(BOUNDED)
    body = json.dumps(harness.body_for("/v1/responses")).encode()
    # One raw block: magic, a frame header without checksum and with the size, the block.
    packed = b"\x28\xb5\x2f\xfd\x20" + bytes([len(body)])
    packed += (len(body) << 3 | 1).to_bytes(3, "little") + body
    answer = gateway.post("/v1/responses", packed, [("Content-Encoding", "zstd")])
    assert said(answer) == "max_output_tokens=64"
    (exchange,) = node.exchanges
    assert exchange.field("content-encoding") is None
    assert exchange.body == b'{"max_output_tokens":64,' + body[1:]


def test_without_a_rule_a_body_passes_as_it_came(played):
    node, gateway = played()
    body = '{"keep_alive":"5m", "model":"tiny","prompt":"x" , "options":{"num_predict":1e9}}  '
    assert said(gateway.post("/api/generate", body)) is None
    assert node.exchanges[0].body.decode() == body


# How long a model is kept


def kept_ms(node):
    (row,) = wire.get(node.url, "/sim/state").json()["loaded"]
    return row["keep_ms"]


def test_the_rule_says_how_long_a_model_is_kept(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([node], rules({"match": "t*", "keep_alive": "24h"}))
    answer = gateway.post("/v1/completions", harness.body_for("/v1/completions"))
    assert said(answer) is None
    assert kept_ms(node) == 24 * 3600 * 1000
    for keep_alive in ("5m", 0, -1):
        answer = gateway.post("/api/generate", harness.run("tokens:1", keep_alive=keep_alive))
        assert said(answer) == "keep_alive=24h"
        assert kept_ms(node) == 24 * 3600 * 1000
    assert node.counts()["loads"] == 1


@pytest.mark.parametrize("by", ["file", "OLLAMA_KEEP_ALIVE"])
def test_a_model_that_the_gateway_loads_is_kept_as_it_is_told(stage, by):
    """As Ollama's own variable does: what a request says counts more."""
    node = stage.node("tiny")
    settings = {"keep_alive": "-1"} if by == "file" else None
    env = None if by == "file" else {by: "-1"}
    gateway = stage.gateway([node], settings, env=env)
    assert said(gateway.post("/api/generate", harness.run("tokens:1"))) is None
    assert kept_ms(node) == -1
    assert said(gateway.post("/api/generate", harness.run("tokens:1", keep_alive="7m"))) is None
    assert kept_ms(node) == 7 * 60 * 1000


# Contexts


def test_contexts_have_a_default_and_a_bound(stage):
    node = stage.node("tiny")
    rule = {"match": "tiny", "num_ctx": {"default": 6000, "max": 10000}}
    gateway = stage.gateway([node], rules(rule))
    told = []
    for options in ({}, {"num_ctx": 9000}, {"num_ctx": 50000}, {"num_ctx": None}):
        answer = gateway.post("/api/generate", harness.run("tokens:1", options=options))
        told.append(said(answer))
    assert told == ["num_ctx=8192", "num_ctx=10000", "num_ctx=10000", "num_ctx=10000"]
    assert node.counts()["loads"] == 2


# Loads


def test_a_load_has_the_time_limit_of_its_rule(stage):
    node = stage.node("tiny", "other:1b")
    rule = {"match": "tiny*", "timeouts": {"load": "100ms"}}
    gateway = stage.gateway([node], rules(rule))
    for name in ("tiny:latest", "other:1b"):
        node.gate(name, "before_load")
    other = harness.later(gateway.post, "/api/generate", harness.run(model="other:1b"))
    node.wait("gated", 1)
    node.open("other:1b")
    assert other.result(LIMIT_S).status == 200
    answer = gateway.post("/api/generate", harness.run())
    assert answer.status == 504 and "did not load the model in time" in answer.json()["error"]


# Other models


@pytest.mark.parametrize("path", ["/api/generate", "/v1/chat/completions", "/v1/messages"])
def test_a_model_that_nobody_has_gives_way_to_its_fallback(stage, path):
    node = stage.node("b:1")
    rule = {"match": "tiny", "fallback": ["none", "b:1"]}
    gateway = stage.gateway([node], rules(rule))
    answer = gateway.post(path, harness.body_for(path, stream=False))
    assert said(answer) == "model=b:1"
    assert answer.json()["model"] == "b:1"


def test_a_model_whose_nodes_are_down_gives_way_to_its_fallback(stage):
    down, up = stage.fake(models=("tiny:latest",)), stage.fake(models=("b:1",))
    quick = {"health": {"interval": "50ms", "timeout": "20s", "down_after": 1}}
    settings = {**rules({"match": "tiny", "fallback": ["b:1"]}), **quick}
    gateway = stage.gateway([{"name": "first", "url": down.url}, {"url": up.url}], settings)
    assert said(gateway.post("/api/generate", harness.run())) is None
    down.halt()
    gateway.wait_line(r"first.*is down")
    answer = gateway.post("/api/generate", harness.run())
    assert said(answer) == "model=b:1"
    assert up.exchanges[0].json() == harness.run(model="b:1")
    down.start()


def test_the_rules_of_the_fallback_hold_for_it(stage):
    node = stage.node("b:1")
    gateway = stage.gateway(
        [node],
        rules(
            {"match": "tiny", "fallback": ["b:1"], "num_predict": {"max": 1}},
            {"match": "b:*", "num_predict": {"max": 3}},
        ),
    )
    answer = gateway.post("/api/generate", harness.run("tokens:9"))
    assert said(answer) == "model=b:1, num_predict=3"
    assert answer.json()["eval_count"] == 3


def test_where_no_fallback_helps_the_model_itself_is_named(stage):
    node = stage.node("b:1")
    gateway = stage.gateway([node], rules({"match": "tiny", "fallback": ["none", "nobody"]}))
    answer = gateway.post("/api/generate", harness.run())
    assert answer.status == 404 and answer.json() == {"error": "model 'tiny' not found"}
    assert gateway.post("/api/show", {"model": "tiny"}).status == 404


def test_a_fallback_must_be_allowed_to_the_key(stage):
    node = stage.node("b:1", "c:1")
    settings = {
        **rules({"match": "tiny", "fallback": ["b:1", "c:1"]}),
        "keys": [
            {"name": "free", "key": "f" * 32},
            {"name": "bound", "key": "b" * 32, "models": ["tiny", "c:*"]},
            {"name": "alone", "key": "a" * 32, "models": ["tiny"]},
        ],
    }
    gateway = stage.gateway([node], settings)

    def ask(key):
        headers = [("Authorization", f"Bearer {key * 32}")]
        return gateway.post("/api/generate", harness.run("tokens:1"), headers)

    assert said(ask("f")) == "model=b:1"
    assert said(ask("b")) == "model=c:1"
    assert ask("a").status == 404
