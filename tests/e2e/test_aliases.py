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
