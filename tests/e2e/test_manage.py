"""Requests that change nodes: to all of them, or to the one that is named, if at all."""

import hashlib
import json
import os
import threading

import harness
import ollama
import pytest
from harness import fake, wire

# CI's share of "many gigabytes": enough to see whether memory grows with it.
BLOB_MIB = int(os.environ.get("DROVER_BLOB_MIB", "256"))


@pytest.fixture
def pair(stage):
    nodes = [stage.node("a:1", "both:1"), stage.node("b:1", "both:1")]
    rows = [{"name": name, "url": node.url} for name, node in zip(("one", "two"), nodes)]
    return nodes, stage.gateway(rows)


def models_of(node):
    return sorted(m["name"] for m in wire.get(node.url, "/api/tags").json()["models"])


def delete(gateway, model, headers=()):
    return wire.ask(gateway.url, "DELETE", "/api/delete", {"model": model}, headers)


def test_copy_goes_to_all(pair):
    nodes, gateway = pair
    ollama.Client(gateway.url).copy("both:1", "copied:1")
    for node in nodes:
        assert "copied:1" in models_of(node)


def test_delete_takes_it_from_all_that_have_it(pair):
    nodes, gateway = pair
    assert delete(gateway, "both:1").status == 200
    assert [models_of(node) for node in nodes] == [["a:1"], ["b:1"]]
    assert delete(gateway, "a:1").status == 200
    assert models_of(nodes[0]) == []
    assert delete(gateway, "none").status == 404


@pytest.mark.parametrize("reuse", [True, False])
def test_what_a_node_may_have_done_is_not_done_again(stage, reuse):
    """Whether on a connection that was kept, or on a new one."""
    node = stage.fake(lambda exchange: exchange.close(), reuse=reuse)
    gateway = stage.gateway([node])
    answer = gateway.post("/api/copy", {"source": "tiny", "destination": "copied"})
    assert answer.status == 502
    assert len(node.exchanges) == 1


def test_what_needs_no_body_needs_no_length(stage):
    node = stage.fake(lambda exchange: exchange.reply({"name": "me"}))
    gateway = stage.gateway([node])
    with wire.Wire(gateway.url) as client:
        client.send(b"POST /api/me HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.read_answer().json() == {"name": "me"}


def test_a_node_that_points_elsewhere_has_not_done_it(stage):
    moved = stage.fake(lambda x: x.reply(b"", "302 Found", more="Location: /elsewhere\r\n"))
    gateway = stage.gateway([moved, stage.fake(lambda x: x.reply(b""))])
    answer = gateway.post("/api/copy", {"source": "tiny", "destination": "copied"})
    assert answer.status == 302


def test_one_node_can_be_named(pair):
    nodes, gateway = pair
    assert delete(gateway, "both:1", [("X-Drover-Backend", "two")]).status == 200
    assert [models_of(node) for node in nodes] == [["a:1", "both:1"], ["b:1"]]
    assert delete(gateway, "both:1", [("X-Drover-Backend", "three")]).status == 400


def test_what_changed_is_known_at_once(pair):
    _, gateway = pair
    assert gateway.post("/api/generate", harness.run(model="both:1")).status == 200
    assert delete(gateway, "both:1").status == 200
    assert gateway.post("/api/generate", harness.run(model="both:1")).status == 404


def test_success_only_if_all_succeed(pair):
    nodes, gateway = pair
    answer = gateway.post("/api/copy", {"source": "a:1", "destination": "x:1"})
    assert answer.status == 404  # the second has no a:1
    assert answer.json()["error"]


def test_a_pull_streams_the_progress_of_all_and_succeeds_once(pair):
    nodes, gateway = pair
    parts = list(ollama.Client(gateway.url).pull("new:1", stream=True))
    assert [p.status for p in parts].count("success") == 1 and parts[-1].status == "success"
    for node in nodes:
        assert "new:1" in models_of(node)


def test_a_pull_that_fails_on_one_fails(stage):
    def play(exchange):
        exchange.begin()
        exchange.line(status="pulling manifest")
        exchange.line(error="no space left on device")
        exchange.end()

    good = stage.node("a:1")
    gateway = stage.gateway([good, stage.fake(play)])
    with pytest.raises(ollama.ResponseError, match="no space left"):
        list(ollama.Client(gateway.url).pull("new:1", stream=True))


@pytest.mark.parametrize("rule,status", [("none", 403), ("all", 200), ("admin", 200)])
def test_the_rule_of_manage(stage, rule, status):
    """Here every client is on loopback, which `admin` takes for the owner of the machine."""
    node = stage.node("a:1")
    gateway = stage.gateway([node], {"manage": rule})
    assert delete(gateway, "a:1").status == status
    assert (models_of(node) == []) == (status == 200)


def test_a_node_that_is_down_stops_a_change_before_it_begins(stage):
    good, bad = stage.node("a:1"), stage.fake(models=["a:1"])
    gateway = stage.gateway([good, bad], {"health": {"interval": "20ms", "down_after": 1}})
    bad.halt()
    gateway.wait_line(" down")
    answer = delete(gateway, "a:1")
    assert answer.status == 503 and "down" in answer.json()["error"]
    assert models_of(good) == ["a:1"]


# Unloading


def loaded_on(node):
    return [m["name"] for m in wire.get(node.url, "/api/ps").json()["models"]]


@pytest.mark.parametrize("route", ["generate", "chat"])
def test_unload_reaches_all_that_hold_it(pair, route):
    nodes, gateway = pair
    for node in nodes:
        assert (
            wire.post(node.url, "/api/generate", {"model": "both:1", "stream": False}).status == 200
        )
        assert loaded_on(node) == ["both:1"]
    # After a change the nodes are asked again; who asks for what nobody has waits for that.
    assert gateway.post("/api/copy", {"source": "both:1", "destination": "x:1"}).status == 200
    assert gateway.post("/api/generate", {"model": "no-such-model"}).status == 404
    answer = gateway.post(f"/api/{route}", {"model": "both:1", "keep_alive": 0, "stream": False})
    assert answer.json()["done_reason"] == "unload"
    assert [loaded_on(node) for node in nodes] == [[], []]


# Blobs


def digest_of(mib, piece):
    sum_ = hashlib.sha256()
    for _ in range(mib):
        sum_.update(piece)
    return sum_.hexdigest()


class BlobNode(fake.FakeNode):
    """Takes a blob as it streams in, and keeps its sum alone."""

    def __init__(self):
        super().__init__()
        self.sums = []

    def read_body(self, head, reader):
        if b"/api/blobs/" not in head.split(b"\r\n")[0]:
            return super().read_body(head, reader)
        sum_ = hashlib.sha256()
        for data in self.pieces(head, reader):
            sum_.update(data)
        self.sums.append(sum_.hexdigest())
        return b""

    @staticmethod
    def pieces(head, reader):
        if b"content-length:" in head.lower():
            left = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            while left:
                data = reader.read1(min(left, 1 << 20))
                if not data:
                    raise ConnectionError
                left -= len(data)
                yield data
            return
        while size := int(reader.readline(), 16):
            yield reader.read(size)
            reader.readline()
        reader.readline()

    @staticmethod
    def answer(exchange):
        exchange.send(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_blob_streams_to_all_nodes_in_little_memory(stage, framing):
    nodes = [stage.add(BlobNode()) for _ in range(2)]
    gateway = stage.gateway(nodes, {"max_body": "64KiB"})
    piece = os.urandom(1 << 20)
    digest = digest_of(BLOB_MIB, piece)
    before = gateway.resident_kib()
    length = [("Content-Length", str(BLOB_MIB << 20))]
    with wire.Wire(gateway.url) as client:
        chunks = framing == "chunks"
        fields = [("Transfer-Encoding", "chunked")] if chunks else length
        client.request("POST", f"/api/blobs/sha256:{digest}", None, fields)
        for _ in range(BLOB_MIB):
            client.send(b"100000\r\n" + piece + b"\r\n" if chunks else piece)
        if chunks:
            client.send(b"0\r\n\r\n")
        assert client.read_answer().status == 201
    assert [node.sums for node in nodes] == [[digest], [digest]]
    assert gateway.peak_kib() - before < 16 * 1024 * gateway.memory_factor


def test_blobs_of_the_simulated_node(pair):
    nodes, gateway = pair
    data = b"some weights"
    path = "/api/blobs/sha256:" + hashlib.sha256(data).hexdigest()
    assert wire.ask(gateway.url, "HEAD", path).status == 404
    assert gateway.post(path, data).status == 201
    assert gateway.post(path, data).status in (200, 201)
    assert wire.ask(gateway.url, "HEAD", path).status == 200
    assert [wire.ask(node.url, "HEAD", path).status for node in nodes] == [200, 200]
    wrong = "/api/blobs/sha256:" + hashlib.sha256(b"other").hexdigest()
    assert gateway.post(wrong, data).status == 400


def test_a_blob_comes_on_a_connection_of_its_own(stage):
    """One that was kept may be closed by the node at any time, and a stream cannot be repeated."""
    node = stage.fake(lambda exchange: exchange.reply({"done": True}))
    gateway = stage.gateway([node])
    for _ in range(2):
        assert gateway.post("/api/generate", harness.run()).status == 200
    assert gateway.post("/api/blobs/sha256:" + "0" * 64, b"weights").status == 200
    first, second, blob = (exchange.socket for exchange in node.exchanges)
    assert first is second and blob is not first


class FullNode(fake.FakeNode):
    """Takes the head of a blob, and nothing more."""

    def read_body(self, head, reader):
        if b"/api/blobs/" not in head.split(b"\r\n")[0]:
            return super().read_body(head, reader)
        assert self.go_on.wait(wire.LIMIT_S)
        raise ConnectionError

    go_on = threading.Event()


def test_a_node_that_takes_no_more_of_a_blob_is_a_504(stage):
    node = stage.add(FullNode())
    gateway = stage.gateway([node], {"timeouts": {"idle": "200ms"}})
    with wire.Wire(gateway.url) as client:
        size = 64 << 20  # more than the buffers of two sockets have room for
        fields = [("Content-Length", str(size))]
        client.request("POST", "/api/blobs/sha256:" + "0" * 64, None, fields)
        client.send(bytes(size))
        answer = client.read_answer()
    node.go_on.set()
    assert answer.status == 504
    assert answer.json()["error"].endswith("it stopped taking the request")


def test_a_blob_of_a_client_that_leaves_is_dropped(stage):
    nodes = [stage.add(BlobNode()) for _ in range(2)]
    gateway = stage.gateway(nodes)
    with wire.Wire(gateway.url) as client:
        fields = [("Content-Length", "1000000"), ("X-Request-Id", "leaver")]
        client.request("POST", "/api/blobs/sha256:" + "0" * 64, None, fields)
        client.send(b"x" * 1000)
        harness.turn(gateway)
    gateway.wait_line("id=leaver .*status=499")
    assert [node.sums for node in nodes] == [[], []]
