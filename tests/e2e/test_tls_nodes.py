"""TLS towards nodes: who is trusted, and what is said of those that are not."""

import json
import re
import ssl
import threading

import harness
import pytest
from harness import certificates, fake, wire

LIMIT_S = wire.LIMIT_S


def speaking(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    context.set_alpn_protocols(["http/1.1"])
    return context


def trusted(node, **more):
    ca = str(certificates.authority().cert)
    return {"name": "node", "url": node.url, "tls": {"ca": ca}, **more}


def status_of(gateway):
    return wire.get(gateway.admin, "/admin/v1/status").json()["backends"][0]


def tls_errors(gateway):
    text = wire.get(gateway.admin, "/metrics").body.decode()
    found = re.search(r'drover_backend_errors_total{backend="node",reason="tls"} (\d+)', text)
    return int(found.group(1)) if found else 0


def test_a_node_that_is_trusted_is_sent_its_key_and_answers(stage):
    context = speaking(certificates.local())
    node = stage.fake(tls=context)
    gateway = stage.gateway([trusted(node, api_key="secret-of-the-node")])
    for _ in range(5):
        assert gateway.post("/api/generate", harness.run()).status == 200
    assert node.exchanges[-1].field("Authorization") == "Bearer secret-of-the-node"
    assert len({e.socket for e in node.exchanges}) == 1
    assert status_of(gateway)["trouble"] is None


def test_sessions_are_resumed(stage):
    context = speaking(certificates.local())
    node = stage.fake(tls=context, reuse=False)
    gateway = stage.gateway([trusted(node)], {"health": {"interval": "20ms"}})
    node.wait_looks(3)
    assert gateway.post("/api/generate", harness.run()).status == 200
    stats = context.session_stats()
    assert stats["hits"] > 0


def expired():
    return certificates.authority().issue("127.0.0.1", days=-1)


def of_another_name():
    return certificates.authority().issue("elsewhere.example")


def of_another_authority():
    return certificates.authority("other").issue("127.0.0.1")


def by_itself():
    return certificates.authority("other")


UNTRUSTED = [
    (expired, "certificate is not trusted: it has expired"),
    (of_another_name, "certificate is not trusted: it is for another address"),
    (of_another_authority, "certificate is not trusted: its authority is not known here"),
    (by_itself, "certificate is not trusted: it signed itself"),
]


@pytest.mark.parametrize("made, why", UNTRUSTED, ids=[why for _, why in UNTRUSTED])
def test_a_node_that_is_not_trusted_is_down_and_is_sent_nothing(stage, made, why):
    node = stage.fake(tls=speaking(made()))
    gateway = stage.gateway([trusted(node, api_key="secret-of-the-node")], ready=False)
    said = f"no TLS connection could be made: {why}"
    gateway.wait_line(rf"warn  node: is down: {said}")
    assert gateway.post("/api/generate", harness.run()).status == 503
    assert status_of(gateway)["state"] == "down"
    assert status_of(gateway)["trouble"].startswith(said)
    assert tls_errors(gateway) > 0
    assert node.exchanges == [] and node.looks == 0


def test_a_name_is_checked_as_the_url_has_it(stage):
    node = stage.fake(tls=speaking(certificates.authority().issue("localhost")))
    url = node.url.replace("127.0.0.1", "localhost")
    gateway = stage.gateway([{**trusted(node), "url": url}])
    assert gateway.post("/api/generate", harness.run()).status == 200


def test_without_verify_whoever_answers_is_taken_and_that_is_said(stage):
    node = stage.fake(tls=speaking(by_itself()))
    gateway = stage.gateway([{"name": "node", "url": node.url, "tls": {"verify": False}}])
    gateway.wait_line(r"warn  configuration: backends\[0\]\.tls\.verify: whoever answers at https://")
    assert gateway.post("/api/generate", harness.run()).status == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_node_that_speaks_no_version_of_today_is_down(stage):
    context = speaking(certificates.local())
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    gateway = stage.gateway([trusted(stage.fake(tls=context))], ready=False)
    gateway.wait_line(r"node: is down: no TLS connection could be made: .*protocol")


def test_a_node_that_speaks_plain_http_is_told_to(stage):
    node = stage.node("tiny")
    row = trusted(node, url=node.url.replace("http:", "https:"))
    gateway = stage.gateway([row], ready=False)
    gateway.wait_line(r"node: is down: no TLS connection could be made: it does not speak TLS")


def test_another_node_takes_what_one_that_is_not_trusted_would_have(stage):
    bad = stage.fake(tls=speaking(of_another_name()))
    good = stage.fake(tls=speaking(certificates.local()))
    gateway = stage.gateway([trusted(bad), trusted(good, name="good")], ready=False)
    gateway.wait_line(r"good: is up")
    gateway.wait_line(r"node: is down")
    for _ in range(4):
        answer = gateway.post("/api/generate", harness.run())
        assert (answer.status, answer.header("X-Drover-Backend")) == (200, "good")
    assert bad.exchanges == []


def test_streams_and_large_bodies_pass(stage):
    seen = threading.Event()
    large = json.dumps({"response": "y" * (8 << 20), "done": True}).encode()

    def play(exchange):
        if not exchange.json().get("stream", True):
            exchange.reply(large)
            return
        exchange.begin(fake.NDJSON)
        exchange.chunk(b"one")
        assert seen.wait(LIMIT_S)
        exchange.chunk(b"two")
        exchange.end()

    node = stage.fake(play, tls=speaking(certificates.local()))
    gateway = stage.gateway([trusted(node)])
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", harness.run("a", stream=True))
        pieces = client.read_pieces(client.read_head())
        assert next(pieces) == b"one"
        seen.set()
        assert list(pieces) == [b"two"]
    assert gateway.post("/api/generate", harness.run("x" * (8 << 20))).body == large
    assert len(node.exchanges[-1].json()["prompt"]) == 8 << 20
