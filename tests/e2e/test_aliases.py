"""Other names for models: the node sees the model, the client its own name for it."""

import json

import harness
import openai
import pytest
from harness import wire

NAMES = {"gpt-4o-mini": "tiny", "big": "hf.co/some/tiny:q4"}


@pytest.fixture(scope="module")
def road(module_stage):
    node = module_stage.node("tiny", "hf.co/some/tiny:q4", "embedder,embed")
    return node, module_stage.gateway([node], {"aliases": {**NAMES, "vectors": "embedder"}})


def records(answer):
    if "event-stream" in answer.header("content-type"):
        return [json.loads(event) for event in answer.events() if event != "[DONE]"]
    return answer.lines()


def name_in(record):
    for inner in (record, record.get("message"), record.get("response")):
        if isinstance(inner, dict) and "model" in inner:
            return inner["model"]
    return None


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", sorted(harness.RUNS))
def test_each_route_runs_the_model_and_names_the_alias(road, path, stream):
    _, gateway = road
    embeds = "embed" in path
    alias = "vectors" if embeds else "gpt-4o-mini"
    body = harness.body_for(path, alias, **({} if embeds else {"stream": stream}))
    answer = gateway.post(path, body)
    assert answer.status == 200, answer
    assert "model=" in answer.header("x-drover-rewrite")
    named = {name_in(record) for record in records(answer)} - {None}
    assert named == ({alias} if path != "/api/embeddings" else set())


def test_the_rest_of_the_body_stays_as_it_came(stage):
    said = b'{"model":"tiny","response":"\\"model\\":\\"tiny\\"","x":{"model":"tiny"}}'
    node = stage.fake(lambda x: x.reply(said))
    gateway = stage.gateway([node], {"aliases": NAMES})
    odd = b'{ "stream":false,\t"model" : "GPT-4o-mini" ,"prompt":"gpt-4o-mini \\u0041", "n":1.0}'
    answer = gateway.post("/api/generate", odd)
    assert node.exchanges[-1].body == odd.replace(b'"GPT-4o-mini"', b'"tiny"')
    assert answer.body == said.replace(b'"tiny"', b'"GPT-4o-mini"', 1)
    assert answer.header("x-drover-rewrite") == "model=tiny"


ODD = {
    "/api/generate": (
        "application/json",
        b'{ "done" : true,\n "response":"\\"model\\":\\"tiny\\"", "mod\\u0065l"\t: "tiny:latest" }',
    ),
    "/api/chat": (
        "application/x-ndjson",
        b'{"message":{"model":"tiny"},"model" : "tiny"}\r\n{"done":true, "model":"tiny"}\n',
    ),
    "/v1/chat/completions": (
        "text/event-stream",
        b': hello\r\n\r\ndata: { "choices":[], "model": "tiny"}\r\n\r\ndata:{"model":"tiny"}\n\n'
        b"data: [DONE]\n\n",
    ),
    "/v1/messages": (
        "text/event-stream",
        b'event: message_start\ndata: {"type":"message_start",\ndata: "message":{"content":[],\n'
        b'data: "model": "tiny"}}\n\nevent: x\ndata: {"delta":{"text":"\\"model\\":\\"tiny\\""}}\n\n',
    ),
}


def in_json(body):
    """The name where it is a member, however it is written."""
    for before in (b'"model"', b'"mod\\u0065l"'):
        for between in (b":", b" : ", b": ", b"\t: "):
            for name in (b'"tiny"', b'"tiny:latest"'):
                body = body.replace(before + between + name, before + between + b'"gpt-4o-mini"')
    return body.replace(b'"message":{"model":"gpt-4o-mini"}', b'"message":{"model":"tiny"}')


@pytest.mark.parametrize("cut", [1, 7, 100000])
@pytest.mark.parametrize("path", sorted(ODD))
def test_the_name_is_found_in_any_layout(stage, path, cut):
    kind, said = ODD[path]

    def play(exchange):
        exchange.begin(kind)
        for at in range(0, len(said), cut):
            exchange.chunk(said[at : at + cut])
        exchange.end()

    gateway = stage.gateway([stage.fake(play)], {"aliases": NAMES})
    answer = gateway.post(path, harness.body_for(path, "gpt-4o-mini", stream=True))
    assert answer.status == 200 and answer.body == in_json(said) != said


def test_an_unload_is_answered_in_the_name_that_was_asked_for(road):
    _, gateway = road
    assert gateway.post("/api/generate", harness.run(model="gpt-4o-mini")).status == 200
    answer = gateway.post("/api/generate", {"model": "gpt-4o-mini", "keep_alive": 0})
    assert answer.json()["model"] == "gpt-4o-mini" and answer.json()["done_reason"] == "unload"


def names(gateway, headers=()):
    tags = gateway.get("/api/tags", headers).json()["models"]
    assert all(entry["name"] == entry["model"] for entry in tags)
    v1 = [entry["id"] for entry in gateway.get("/v1/models", headers).json()["data"]]
    assert sorted(v1) == sorted(entry["name"] for entry in tags)
    return sorted(v1)


def test_aliases_are_listed_beside_their_models(road):
    models = ["tiny:latest", "hf.co/some/tiny:q4", "embedder:latest"]
    assert names(road[1]) == sorted([*models, *NAMES, "vectors"])
    tags = {entry["name"]: entry for entry in road[1].get("/api/tags").json()["models"]}
    assert tags["gpt-4o-mini"]["digest"] == tags["tiny:latest"]["digest"]


def test_an_alias_that_leads_nowhere_is_not_listed(stage):
    aliases = {"gone": "no-such-model", "tiny": "other:1b", "Mine:v2": "other:1b"}
    gateway = stage.gateway([stage.node("tiny", "other:1b")], {"aliases": aliases})
    # Under the name of a model another one is meant: that is the one listed.
    assert names(gateway) == ["Mine:v2", "other:1b", "tiny"]


def test_a_key_sees_the_models_that_it_may_use(stage):
    keys = [
        {"name": "some", "key": "dk-some-0000", "models": ["tiny", "no-such:*"]},
        {"name": "all", "key": "dk-all-0000"},
    ]
    nodes = [stage.node("tiny", "large:1"), stage.node("large:1", "kept:1")]
    aliases = {"gpt-4o-mini": "tiny", "gpt-4o": "large:1"}
    rows = [{"url": nodes[0].url}, {"url": nodes[1].url, "models": ["large:*"]}]
    gateway = stage.gateway(rows, {"aliases": aliases, "keys": keys})
    some, every = ([("Authorization", f"Bearer dk-{name}-0000")] for name in ("some", "all"))
    assert names(gateway, some) == ["gpt-4o-mini", "tiny:latest"]
    # What a node has, and may not run here, is not offered.
    assert names(gateway, every) == ["gpt-4o", "gpt-4o-mini", "large:1", "tiny:latest"]
    for model in ("tiny", "large:1"):
        assert gateway.post("/api/generate", harness.run(model=model), every).status == 200

    def running(headers):
        return {entry["name"] for entry in gateway.get("/api/ps", headers).json()["models"]}

    assert running(some) == {"tiny:latest"} and running(every) == {"tiny:latest", "large:1"}


def test_what_is_no_alias_is_left_alone(stage):
    node = stage.fake()
    gateway = stage.gateway([node], {"aliases": NAMES})
    body = b'{"model":"tiny","prompt":"x","stream":false}'
    answer = gateway.post("/api/generate", body)
    assert node.exchanges[-1].body == body
    assert answer.header("x-drover-rewrite") is None
    assert answer.header("content-length") is not None


def test_an_answer_that_was_kept_has_the_name_that_was_asked_for(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([node], {"aliases": NAMES, "cache": {"mode": "all"}})
    for model in ("gpt-4o-mini", "tiny", "gpt-4o-mini", "tiny"):
        answer = gateway.post("/api/generate", harness.run(model=model))
        assert answer.json()["model"] == model
    assert answer.header("x-drover-cache") == "hit"


@pytest.mark.parametrize("stream", [False, True])
def test_who_joins_by_another_name_gets_that_name(stage, stream):
    node = stage.node("tiny")
    gateway = stage.gateway([node], {"aliases": NAMES, "cache": {"mode": "all"}})
    node.gate("g", "before_first_token")

    def ask(model):
        body = harness.run("gate:g tokens:5", model=model, stream=stream)
        return harness.later(gateway.post, "/api/generate", body)

    first = ask("gpt-4o-mini")
    node.wait("gated", 1)
    second = ask("tiny")
    while gateway.get("/drover/v1/me").json()["requests_under_way"] < 2:
        pass
    node.open("g")
    for model, answer in (("gpt-4o-mini", first.result()), ("tiny", second.result())):
        assert {record["model"] for record in records(answer)} == {model}
    assert second.result().header("x-drover-cache") == "joined"


def test_reads_know_it_too(road):
    _, gateway = road
    assert gateway.post("/api/show", {"model": "gpt-4o-mini"}).json()["details"]
    for alias in NAMES:
        assert gateway.get(f"/v1/models/{alias}").json()["id"] == alias


def test_management_is_of_the_models_themselves(road):
    _, gateway = road
    answer = wire.ask(gateway.url, "DELETE", "/api/delete", {"model": "gpt-4o-mini"})
    assert answer.status == 404


def test_a_model_that_is_missing_is_missed_under_its_alias(stage):
    gateway = stage.gateway([stage.fake()], {"aliases": {"gone": "no-such-model"}})
    answer = gateway.post("/api/generate", harness.run(model="gone"))
    assert answer.status == 404
    assert answer.json()["error"] == "model 'gone' not found"


def test_an_alias_can_be_unloaded(road):
    node, gateway = road
    assert gateway.post("/api/generate", harness.run(model="gpt-4o-mini")).status == 200
    unload = {"model": "gpt-4o-mini", "keep_alive": 0}
    assert gateway.post("/api/generate", unload).json()["done_reason"] == "unload"
    loaded = [m["name"] for m in wire.get(node.url, "/api/ps").json()["models"]]
    assert "tiny:latest" not in loaded


def test_a_key_is_allowed_models_and_not_names(stage):
    keys = [{"name": "k", "key": "dk-0000-0000", "models": ["gpt-*", "other"]}]
    gateway = stage.gateway([stage.fake()], {"aliases": NAMES, "keys": keys})
    headers = [("Authorization", "Bearer dk-0000-0000")]
    body = harness.run(model="gpt-4o-mini")
    assert gateway.post("/api/generate", body, headers).status == 403


def test_openais_client_gets_the_name_that_it_gave(road):
    client = openai.OpenAI(base_url=f"{road[1].url}/v1", api_key="none")
    messages = [{"role": "user", "content": "hello"}]
    said = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
    assert said.model == "gpt-4o-mini" and said.choices[0].message.content
    parts = client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True)
    assert {part.model for part in parts} == {"gpt-4o-mini"}
