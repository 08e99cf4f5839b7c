"""Every route that is not forwarded as it is: listings, versions, health, and what is no route."""

import json

import harness
import pytest
from harness import fake, wire


def names(answer, key="models"):
    return [m["name"] for m in answer.json()[key]]


@pytest.fixture
def pair(stage):
    nodes = [
        stage.fake(models=["a:1", "both:1"], loaded=["a:1"]),
        stage.fake(models=["b:1", "both:1"], loaded=["b:1"]),
    ]
    rows = [{"name": name, "url": node.url} for name, node in zip(("one", "two"), nodes)]
    return nodes, stage.gateway(rows)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_root_is_ollamas(pair, method):
    answer = wire.ask(pair[1].url, method, "/")
    assert answer.status == 200 and answer.header("content-length") == "17"
    assert answer.header("content-type").startswith("text/plain")
    assert answer.body == (b"Ollama is running" if method == "GET" else b"")


def test_tags_are_the_union(pair):
    answer = pair[1].get("/api/tags")
    assert sorted(names(answer)) == ["a:1", "b:1", "both:1"]
    assert answer.header("content-type") == "application/json; charset=utf-8"


def test_ps_says_which_node(pair):
    rows = pair[1].get("/api/ps").json()["models"]
    assert sorted((m["name"], m["backend"]) for m in rows) == [("a:1", "one"), ("b:1", "two")]


def test_a_node_that_is_down_does_not_make_listings_fail(pair):
    nodes, gateway = pair
    nodes[1].halt()
    for _ in range(2):  # before it is known to be down, and after
        assert names(gateway.get("/api/tags")) == ["a:1", "both:1"]
        assert names(gateway.get("/api/ps")) == ["a:1"]


def test_all_nodes_down_is_an_error_and_no_empty_list(pair):
    nodes, gateway = pair
    for node in nodes:
        node.halt()
    for _ in range(2):
        answer = gateway.get("/api/tags")
        assert answer.status in (502, 503) and answer.json()["error"]


def test_version_is_the_lowest(stage):
    class Older(fake.FakeNode):
        def probe_answer(self, exchange):
            if exchange.target == "/api/version":
                return {"version": "0.9.12"}
            return super().probe_answer(exchange)

    gateway = stage.gateway([stage.fake(), stage.add(Older())])
    assert gateway.get("/api/version").json() == {"version": "0.9.12"}
    assert wire.ask(gateway.url, "HEAD", "/api/version").status == 200


def test_v1_models_is_the_union(stage):
    node = stage.node("a:1", "b:1")
    other = stage.node("b:1", "c:1")
    gateway = stage.gateway([node, other])
    answer = gateway.get("/v1/models")
    assert answer.json()["object"] == "list"
    assert sorted(m["id"] for m in answer.json()["data"]) == ["a:1", "b:1", "c:1"]
    assert gateway.get("/v1/models/c:1").json() == wire.get(other.url, "/v1/models/c:1").json()
    assert gateway.get("/v1/models/c%3A1").json() == gateway.get("/v1/models/c:1").json()
    missing = gateway.get("/v1/models/none")
    assert missing.status == 404 and missing.json()["error"]["type"] == "not_found_error"


def test_show_goes_to_a_node_that_has_it(stage):
    nodes = [stage.node("a:1"), stage.node("b:1")]
    gateway = stage.gateway(nodes)
    for model, node in (("a:1", nodes[0]), ("b:1", nodes[1])):
        for body in ({"model": model}, {"name": model}):
            answer = gateway.post("/api/show", body)
            assert answer.status == 200 and answer.json()["details"]
    assert gateway.post("/api/show", {"model": "none"}).json() == {
        "error": "model 'none' not found"
    }


def test_health_needs_no_node_and_readiness_does(stage):
    node = stage.fake()
    gateway = stage.gateway([node])
    assert gateway.get("/healthz").status == 200
    assert gateway.get("/readyz").status == 200
    assert wire.ask(gateway.url, "HEAD", "/healthz").status in (200, 405)


@pytest.mark.parametrize(
    "path",
    [
        "/none",
        "/api",
        "/api/generate/",
        "/API/generate",
        "/debug/pprof",
        "/metrics",
        "/admin/v1/status",
        "/v1",
        "/sim/state",
        "//api/tags",
    ],
)
def test_an_unknown_path_is_404_here_and_never_forwarded(stage, path):
    node = stage.fake()
    gateway = stage.gateway([node])
    for method in ("GET", "POST"):
        assert wire.ask(gateway.url, method, path).status == 404
    assert node.exchanges == []


@pytest.mark.parametrize(
    "method,path,allow",
    [
        ("GET", "/api/generate", "POST"),
        ("DELETE", "/api/chat", "POST"),
        ("POST", "/api/tags", "GET"),
        ("POST", "/healthz", "GET"),
        ("GET", "/v1/messages", "POST"),
        ("GET", "/api/delete", "DELETE"),
    ],
)
def test_a_wrong_method_is_405_and_says_which_are_right(stage, method, path, allow):
    node = stage.fake()
    gateway = stage.gateway([node])
    answer = wire.ask(gateway.url, method, path)
    assert answer.status == 405 and allow in answer.header("allow")
    assert node.exchanges == []


# Refusals in the caller's dialect

DIALECTS = {
    "/api/generate": lambda body: body["error"],
    "/v1/chat/completions": lambda body: body["error"]["message"],
    "/v1/messages": lambda body: body["error"]["message"],
}
TYPES = {400: "invalid_request_error", 404: "not_found_error", 413: None, 503: None}


def check_dialect(path, answer):
    body = answer.json()
    assert b"\n" not in answer.body.rstrip(b"\n")
    assert DIALECTS[path](body)
    if path == "/v1/messages":
        assert body["type"] == "error" and body["request_id"] == answer.header("x-request-id")
    if path.startswith("/v1"):
        assert body["error"]["type"] == TYPES.get(answer.status) or TYPES[answer.status] is None
    if path == "/v1/chat/completions":
        assert body["error"]["param"] is None and "code" in body["error"]


@pytest.mark.parametrize("path", DIALECTS)
@pytest.mark.parametrize(
    "body,status",
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"no json", 400),
        (b'{"messages": []}', 400),
        (b'{"model": 5}', 400),
        (b'{"model": ""}', 400),
        (b'{"model": "tiny", "model": "other"}', 400),
        (b'{"model": "tiny", "Model": "other"}', 400),
        (b'{"model": "tiny", "mo\\u0000del": 1}', 400),
        (b'{"model": "tiny", "x": "\xff"}', 400),
        (b'{"model": "tiny"} x', 400),
        (b'{"model": "tiny", "x": ' + b"[" * 200 + b"]" * 200 + b"}", 400),
        (b'{"model": "no-such-model", "prompt": "x"}', 404),
    ],
    ids=lambda v: repr(v)[:30],
)
def test_a_refusal_speaks_the_callers_dialect(module_gateway, path, body, status):
    gateway, node = module_gateway
    answer = gateway.post(path, body)
    assert answer.status == status
    check_dialect(path, answer)
    if status == 404:
        assert "model 'no-such-model' not found" in answer.body.decode()
    assert node.exchanges == []


@pytest.fixture(scope="module")
def module_gateway(module_stage):
    node = module_stage.fake()
    return module_stage.gateway([node], {"max_body": "64KiB"}), node


@pytest.mark.parametrize("path", DIALECTS)
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_over_the_limit_is_a_413_that_can_be_read_while_sending(
    module_gateway, path, framing
):
    gateway, node = module_gateway
    size = 8 * 1024 * 1024
    body = json.dumps(harness.body_for(path, pad="x" * size)).encode()
    with wire.Wire(gateway.url) as client:
        if framing == "length":
            client.request("POST", path, body)
        else:
            client.request("POST", path, None, [("Transfer-Encoding", "chunked")])
            client.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        answer = client.read_answer()
    assert answer.status == 413
    check_dialect(path, answer)
    assert node.exchanges == []


def test_a_request_id_is_kept_or_made(module_gateway):
    gateway, _ = module_gateway
    assert gateway.get("/", [("X-Request-Id", "mine-1")]).header("x-request-id") == "mine-1"
    for unfit in ("with space", "x" * 129, 'quo"te'):
        made = gateway.get("/", [("X-Request-Id", unfit)]).header("x-request-id")
        assert made and made != unfit
    assert gateway.get("/").header("x-request-id") != gateway.get("/").header("x-request-id")


def test_a_continue_is_sent_when_the_body_is_wanted(module_gateway):
    gateway, _ = module_gateway
    body = json.dumps(harness.run()).encode()
    with wire.Wire(gateway.url) as client:
        head = [("Expect", "100-continue"), ("Content-Length", str(len(body)))]
        client.request("POST", "/api/generate", None, head)
        assert client.take_line() == b"HTTP/1.1 100 Continue"
        assert client.take_line() == b""
        client.send(body)
        assert client.read_answer().status == 200
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/none", None, head)
        assert client.read_answer().status == 404
    expects = [("Expect", "something")]
    assert wire.post(gateway.url, "/api/generate", body, expects).status == 417


def test_other_hosts_are_refused_on_loopback(module_gateway):
    gateway, node = module_gateway
    for host in ("evil.example", "8.8.8.8", "127.0.0.1.evil.example"):
        assert gateway.get("/api/tags", [("Host", host)]).status == 403
    for host in ("localhost", "127.0.0.1:8080", "[::1]:1", "x.localhost", "a.internal"):
        assert gateway.get("/api/tags", [("Host", host)]).status == 200
