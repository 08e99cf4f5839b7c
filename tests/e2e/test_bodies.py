"""Bodies are hostile: refused soon and in little memory, and read as Ollama would read them."""

import json

import harness
import pytest
from harness import wire
from harness.program import now_ms

MIB = 1 << 20


@pytest.fixture(scope="module")
def road(module_stage):
    node = module_stage.fake(models=["tiny:latest", "other:latest"])
    return node, module_stage.gateway([node], {"max_body": "64MiB"})


def padded(inside):
    return b'{"model":"tiny","prompt":"hello","x":' + inside + b"}"


HOSTILE = {
    "depth of 100,000": padded(b"[" * 100_000 + b"]" * 100_000),
    "depth of 100,000 objects": padded(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "25 million nodes": padded(b"[" + b"1," * 25_000_000 + b"1]"),
    "200,000 keys": b"{" + b"".join(b'"k%d":1,' % i for i in range(200_000)) + b'"model":"tiny"}',
    "a number of 5,000 digits": padded(b"1" * 5000),
    "invalid UTF-8": padded(b'"' + b"\xc3\x28" * 1000 + b'"'),
    "a raw control byte": padded(b'"\x01"'),
    "a leading zero": padded(b"01"),
    "a lone surrogate": padded(b'"\\ud800"'),
    "a comment": padded(b"1 /* no */"),
    "a trailing comma": padded(b"[1,]"),
    "NaN": padded(b"NaN"),
}
# RFC 8259 allows it; Go's decoder replaces it and goes on.
MAY_PASS = {"a lone surrogate", "a number of 5,000 digits", "200,000 keys"}


@pytest.mark.parametrize("name", HOSTILE)
def test_is_refused_soon_and_in_little_memory(road, name):
    node, gateway = road
    body = HOSTILE[name]
    before_kib = gateway.resident_kib()
    before = len(node.exchanges)
    answer = gateway.post("/api/generate", body)
    if name in MAY_PASS and answer.status == 200:
        assert node.exchanges[-1].body == body
        return
    assert answer.status in (400, 413) and answer.json()["error"]
    assert len(node.exchanges) == before
    grown = gateway.resident_kib() - before_kib
    assert grown <= (2 * len(body) // 1024 + 4096) * gateway.memory_factor


def test_a_hostile_body_does_not_hold_up_others(road):
    """While one client sends 25 million nodes, another is served in between."""
    _, gateway = road
    body = HOSTILE["25 million nodes"]
    with wire.Wire(gateway.url) as client, wire.Wire(gateway.url) as other:
        client.send(
            wire.format_request(
                "POST", "/api/generate", "localhost", [("Content-Length", str(len(body)))]
            )
        )
        slowest = 0.0
        for at in range(0, len(body), MIB):
            try:
                client.send(body[at : at + MIB])
            except OSError:
                break  # refused: enough nodes
            began = now_ms()
            other.request("GET", "/healthz")
            assert other.read_answer().status == 200
            slowest = max(slowest, now_ms() - began)
    # RELIABILITY: stalls under 50 ms; a busy machine and sanitizers get the rest.
    assert slowest < 50 * 4 * gateway.memory_factor


@pytest.mark.parametrize(
    "body,model",
    [
        ('{"prompt":"hello","m\\u006fdel":"other"}', "other"),
        ('\t{"x":{"model":"tiny"},"model":"OTHER:Latest","prompt":"hello"}\r\n', "other"),
        ('{"x":["model","tiny"],"model":"oth\\u0065r","prompt":"hello"}', "other"),
    ],
)
def test_the_model_is_found_as_ollama_finds_it(module_stage, body, model):
    nodes = [module_stage.fake(models=["tiny:latest"]), module_stage.fake(models=["other:latest"])]
    gateway = module_stage.gateway(nodes)
    assert gateway.post("/api/generate", body).status == 200
    assert (len(nodes[0].exchanges), len(nodes[1].exchanges)) == (0, 1)
    assert nodes[1].exchanges[0].body == body.encode()


def test_all_bodies_together_are_bounded(stage):
    """Requests that wait hold their bodies; beyond the budget, more are told to come back."""
    node = stage.fake(lambda exchange: exchange.wait_gone())
    gateway = stage.gateway([{"url": node.url, "parallel": 1}], {"max_body": "1MiB"})
    body = json.dumps(harness.run(pad="x" * (MIB - 1000)))
    clients = []
    refused = None
    for _ in range(64):
        client = wire.Wire(gateway.url)
        clients.append(client)
        client.request("POST", "/api/generate", body)
        harness.turn(gateway)
        answer = gateway.post("/api/generate", body) if len(clients) == 63 else None
        refused = answer or refused
    assert refused.status == 503 and refused.header("retry-after")
    assert gateway.peak_kib() < 64 * 1024 * gateway.memory_factor
    for client in clients:
        client.close()
