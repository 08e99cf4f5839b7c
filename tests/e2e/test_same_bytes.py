"""What a client gets through the gateway is the node's own answer, byte for byte.

Two nodes with the same seed answer the same request with the same bytes; one of them is asked
directly, the other through the gateway, in the same order.
"""

import json

import harness
import pytest
from harness import wire

MODELS = ["tiny", "embedder,embed"]
# The gateway's own, and what is made anew for each connection.
OWN_FIELDS = (
    "x-request-id",
    "x-drover-backend",
    "x-drover-queue-ms",
    "x-drover-cache",
    "date",
    "connection",
    "keep-alive",
)


@pytest.fixture(scope="module")
def ways(module_stage):
    direct = module_stage.node(*MODELS, seed=7)
    behind = module_stage.node(*MODELS, seed=7)
    return direct, module_stage.gateway([behind])


def cases():
    for path in harness.RUNS:
        if "embed" in path:
            yield path, harness.body_for(path, model="embedder")
            continue
        for stream in (False, True, None):
            body = harness.body_for(path, options={"num_predict": 40}, max_tokens=40)
            if stream is not None:
                body["stream"] = stream
            yield path, body
    yield "/api/chat", harness.body_for("/api/chat", messages=[])
    yield "/api/generate", {"model": "tiny", "prompt": "", "keep_alive": 0}
    yield "/api/embed", {"model": "tiny", "input": "hello"}
    yield "/api/chat", {"model": "embedder", "messages": [{"role": "user", "content": "hello"}]}
    yield "/api/generate", harness.body_for("/api/generate", keep_alive="300")
    yield "/v1/chat/completions", {
        "model": "tiny",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def transcription():
    mark = "xYx"
    parts = [('name="model"', "tiny"), ('name="file"; filename="a.wav"', "RIFFxxxxWAVE")]
    body = "".join(
        f"--{mark}\r\nContent-Disposition: form-data; {name}\r\n\r\n{value}\r\n"
        for name, value in parts
    )
    return (body + f"--{mark}--\r\n").encode(), f"multipart/form-data; boundary={mark}"


def fields(answer):
    return sorted((k.lower(), v) for k, v in answer.headers if k.lower() not in OWN_FIELDS)


def compare(ways, path, body, content_type="application/json"):
    headers = [("Content-Type", content_type)]
    direct, through = (wire.post(way.url, path, body, headers) for way in ways)
    assert through.body == direct.body
    assert (through.status, through.reason) == (direct.status, direct.reason)
    assert fields(through) == fields(direct)
    assert direct.whole and through.whole
    return direct


@pytest.mark.parametrize("path,body", list(cases()), ids=lambda v: str(v)[:40])
def test_is_the_nodes_own(ways, path, body):
    answer = compare(ways, path, body)
    assert answer.body


def shape(value):
    """The keys of an object, and theirs."""
    return {k: shape(v) for k, v in value.items()} if isinstance(value, dict) else None


@pytest.mark.parametrize("path", harness.RUNS)
def test_a_missing_model_is_said_as_the_node_would(ways, path):
    """Here the gateway answers by itself."""
    body = harness.body_for(path, model="no-such-model")
    direct, through = (wire.post(way.url, path, body) for way in ways)
    assert through.status == direct.status == 404
    for answer in (direct, through):
        assert answer.header("content-type").split(";")[0] == "application/json"
    assert shape(through.json()) == shape(direct.json())
    assert "no-such-model" in through.body.decode() and "not found" in through.body.decode()


def test_a_transcription_is_the_nodes_own(ways):
    body, content_type = transcription()
    compare(ways, "/v1/audio/transcriptions", body, content_type)


def test_a_stream_has_as_many_records_as_tokens(ways):
    body = harness.body_for("/api/chat", options={"num_predict": 40}, stream=True)
    answer = compare(ways, "/api/chat", body)
    assert len(answer.lines()) > 10 and json.loads(answer.body.splitlines()[-1])["done"]
