"""What an answer cost: read from its bytes as they pass, in every dialect."""

import json

import harness
import pytest

COSTS = [
    ("/api/generate", {"stream": True}),
    ("/api/generate", {"stream": False}),
    ("/api/chat", {"stream": True}),
    ("/v1/chat/completions", {"stream": False}),
    ("/v1/chat/completions", {"stream": True, "stream_options": {"include_usage": True}}),
    ("/v1/responses", {"stream": True}),
    ("/v1/responses", {"stream": False}),
    ("/v1/messages", {"stream": True}),
    ("/v1/messages", {"stream": False}),
]


@pytest.fixture(scope="module")
def pair(module_stage):
    node = module_stage.node("tiny")
    return node, module_stage.gateway([node], {"log": {"format": "json"}})


@pytest.mark.parametrize("path,more", COSTS)
def test_the_tokens_of_an_answer_are_logged(pair, path, more):
    node, gateway = pair
    name = f"{path}-{more['stream']}".replace("/", "-")
    body = harness.body_for(path, **more)
    answer = gateway.post(path, body, [("X-Request-Id", name)])
    assert answer.status == 200
    line = gateway.wait_line(rf'\{{.*"id":"{name}".*\}}').group(0)
    made = [row["tokens"] for row in node.requests()][-1]
    row = json.loads(line)
    assert row["tokens_out"] == made > 0 and row["tokens_in"] > 0


def test_a_stream_that_says_no_tokens_is_counted_by_its_records(pair):
    _, gateway = pair
    body = harness.body_for("/v1/chat/completions", stream=True)
    gateway.post("/v1/chat/completions", body, [("X-Request-Id", "uncounted")])
    row = json.loads(gateway.wait_line(r'\{.*"id":"uncounted".*\}').group(0))
    assert row["tokens_out"] > 0


def test_what_fails_costs_nothing(pair):
    _, gateway = pair
    gateway.post("/api/generate", harness.run(model="none"), [("X-Request-Id", "missing")])
    row = json.loads(gateway.wait_line(r'\{.*"id":"missing".*\}').group(0))
    assert row["tokens_in"] is None and row["tokens_out"] is None
