"""What of a request a node sees, and what of an answer a client sees."""

import harness
import pytest
from harness import fake, wire


@pytest.fixture
def road(stage):
    node = stage.fake()
    return node, stage.gateway([{"url": node.url, "name": "n"}])


def fields_of(exchange):
    lines = exchange.head.decode("latin-1").split("\r\n")[1:-2]
    return [tuple(line.split(": ", 1)) for line in lines]


def test_a_node_sees_its_own_host_and_no_private_field(road):
    node, gateway = road
    private = [
        ("Authorization", "Bearer planted-key"),
        ("x-api-key", "planted-key"),
        ("Origin", "http://localhost:3000"),
        ("X-Request-Id", "mine"),
        ("X-Drover-Priority", "high"),
        ("X-Drover-Session", "planted-session"),
        ("Cache-Control", "no-store"),
        ("Connection", "keep-alive, X-Named"),
        ("X-Named", "planted"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "keep-alive"),
        ("TE", "trailers"),
        ("Trailer", "X-T"),
        ("Upgrade", "h2c"),
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Forwarded-Host", "evil.example"),
        ("Forwarded", "for=203.0.113.7"),
    ]
    public = [
        ("Content-Type", "application/json"),
        ("User-Agent", "a client/1.0"),
        ("Accept", "application/x-ndjson"),
        ("X-Anything", 'kept, "as" it is'),
    ]
    answer = gateway.post("/api/generate", harness.run(), private + public)
    assert answer.status == 200
    seen = fields_of(node.exchanges[0])
    for field in public:
        assert field in seen
    assert [v for n, v in seen if n.lower() == "host"] == [node.host]
    assert [v for n, v in seen if n.lower() == "x-forwarded-for"] == ["127.0.0.1"]
    names = [n.lower() for n, _ in seen]
    for name, _ in private:
        if name not in ("X-Forwarded-For", "Connection"):
            assert name.lower() not in names
    text = node.exchanges[0].head
    for planted in (b"planted", b"203.0.113.7", b"evil"):
        assert planted not in text


def test_keys_prompts_and_answers_are_in_no_log(stage):
    node = stage.fake(lambda e: e.reply({"response": "planted-answer", "done": True}))
    gateway = stage.gateway(
        [{"url": node.url, "api_key": "planted-node-key"}],
        {"log": {"level": "debug", "access": "stdout"}},
    )
    headers = [("Authorization", "Bearer planted-key"), ("X-Request-Id", "seen-in-log")]
    assert gateway.post("/api/generate", harness.run("planted-prompt"), headers).status == 200
    assert node.exchanges[0].field("authorization") == "Bearer planted-node-key"
    gateway.post("/api/generate", b'{"model": "tiny", "prompt": "planted-prompt"', headers)
    gateway.post("/v1/chat/completions", b"planted-prompt", headers)
    gateway.wait_line("id=seen-in-log .*status=200")
    gateway.stop()
    assert "planted" not in gateway.log()


def test_two_authorizations_are_refused(road):
    node, gateway = road
    headers = [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]
    assert gateway.post("/api/generate", harness.run(), headers).status == 400
    assert node.exchanges == []


def test_an_answers_fields_reach_the_client(stage):
    def play(exchange):
        exchange.send(
            b"HTTP/1.1 200 Fine By Me\r\nContent-Type: application/json; x=y\r\n"
            b"X-Of-The-Node: 1\r\nX-Of-The-Node: 2\r\nConnection: X-Hop\r\nX-Hop: planted\r\n"
            b"Keep-Alive: timeout=9\r\nContent-Length: 2\r\n\r\n{}"
        )

    node = stage.fake(play)
    gateway = stage.gateway([{"url": node.url, "name": "n"}])
    answer = gateway.post("/api/generate", harness.run(), [("X-Request-Id", "mine")])
    assert (answer.status, answer.reason) == (200, "Fine By Me")
    assert answer.header("content-type") == "application/json; x=y"
    assert answer.all("x-of-the-node") == ["1", "2"]
    assert answer.header("x-hop") is None and answer.header("keep-alive") != "timeout=9"
    assert answer.header("x-drover-backend") == "n"
    assert answer.header("x-request-id") == "mine"
    assert int(answer.header("x-drover-queue-ms")) >= 0
    assert len(answer.all("date")) <= 1 and len(answer.all("content-length")) == 1


def test_a_body_is_forwarded_as_it_came(road):
    node, gateway = road
    body = '{ "prompt":"\\u00e9 é \\ud83d\\ude00 😀", "x" : [1.0, 1e5 , -0] ,"model":"TINY" }\n\n'.encode()
    assert gateway.post("/api/generate", body).status == 200
    assert node.exchanges[0].body == body


def test_the_query_is_forwarded(road):
    node, gateway = road
    assert gateway.post("/api/generate?a=b&%20", harness.run()).status == 200
    assert node.exchanges[0].target == "/api/generate?a=b&%20"


def test_connections_are_kept_and_reused(road):
    node, gateway = road
    with wire.Wire(gateway.url) as client:
        for _ in range(5):
            client.request("POST", "/api/generate", harness.run())
            assert client.read_answer().status == 200
    assert len({id(e.socket) for e in node.exchanges}) == 1


def test_a_path_of_the_backends_url_is_put_before(stage):
    class Below(fake.FakeNode):
        def probe_answer(self, exchange):
            assert exchange.target.startswith("/below/")
            exchange.target = exchange.target.removeprefix("/below")
            return super().probe_answer(exchange)

    node = stage.add(Below())
    gateway = stage.gateway([{"url": f"{node.url}/below"}])
    assert gateway.post("/api/generate", harness.run()).status == 200
    assert node.exchanges[0].head.startswith(b"POST /below/api/generate HTTP/1.1\r\n")


# CORS


def test_a_preflight_is_answered_here(road):
    node, gateway = road
    headers = [
        ("Origin", "http://localhost:3000"),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type"),
    ]
    answer = wire.ask(gateway.url, "OPTIONS", "/api/chat", None, headers)
    assert answer.status == 204
    assert answer.header("access-control-allow-origin") == "http://localhost:3000"
    assert "POST" in answer.header("access-control-allow-methods")
    assert "content-type" in answer.header("access-control-allow-headers").lower()
    assert node.exchanges == []


def test_an_empty_origin_is_none(road):
    answer = road[1].get("/api/version", [("Origin", "")])
    assert answer.status == 200 and answer.header("access-control-allow-origin") is None


def test_an_allowed_origin_is_named_in_the_answer(road):
    node, gateway = road
    for origin in ("http://localhost", "http://127.0.0.1:5173", "app://x", gateway.url):
        answer = gateway.post("/api/generate", harness.run(), [("Origin", origin)])
        assert answer.status == 200
        assert answer.all("access-control-allow-origin") == [origin]
        assert "origin" in answer.header("vary").lower()


def test_another_origin_is_refused(road):
    node, gateway = road
    for method, path in (("OPTIONS", "/api/chat"), ("POST", "/api/generate"), ("GET", "/api/tags")):
        answer = wire.ask(
            gateway.url, method, path, harness.run(), [("Origin", "http://evil.example")]
        )
        assert answer.status == 403
        assert answer.header("access-control-allow-origin") is None
    assert node.exchanges == []


OLLAMAS_ORIGINS = [
    *(
        f"{scheme}://{host}{port}"
        for scheme in ("http", "https")
        for host in ("localhost", "127.0.0.1", "0.0.0.0")
        for port in ("", ":1", ":65535")
    ),
    *(f"{scheme}://x" for scheme in ("app", "file", "tauri", "vscode-webview", "vscode-file")),
]
OTHER_ORIGINS = [
    "null",
    "http://evil.example",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://evil.example:80/localhost",
    "http://[::2]",
    "ftp://localhost",
    "localhost",
    "xapp://x",
    "http://192.168.1.1",
    "http://localhost" + "x" * 300,
]


@pytest.mark.parametrize("env", [None, {"OLLAMA_ORIGINS": "http://more.example"}])
def test_the_origins_are_ollamas(stage, env):
    gateway = stage.gateway([stage.fake()], env=env)
    more = "http://more.example"
    allowed = OLLAMAS_ORIGINS + ([more] if env else [])
    for origin in allowed:
        answer = gateway.get("/api/tags", [("Origin", origin)])
        assert (origin, answer.status) == (origin, 200)
        assert answer.header("access-control-allow-origin") == origin
    for origin in OTHER_ORIGINS + ([] if env else [more]):
        answer = gateway.get("/api/tags", [("Origin", origin)])
        assert (origin, answer.status) == (origin, 403)
        assert answer.header("access-control-allow-origin") is None


@pytest.mark.parametrize("by", ["file", "OLLAMA_ORIGINS"])
def test_more_origins_can_be_allowed(stage, by):
    node = stage.fake()
    settings = {"cors": {"origins": ["https://*.example"]}} if by == "file" else None
    env = {"OLLAMA_ORIGINS": "https://*.example"} if by == "OLLAMA_ORIGINS" else None
    gateway = stage.gateway([node], settings, env=env)
    answer = gateway.get("/api/tags", [("Origin", "https://a.example")])
    assert answer.header("access-control-allow-origin") == "https://a.example"
    assert gateway.get("/api/tags", [("Origin", "https://a.evil")]).status == 403


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_a_trace_goes_on_at_the_node_and_is_logged(road):
    node, gateway = road
    field = ("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01")
    more = ("tracestate", "vendor=opaque")
    assert gateway.post("/api/generate", harness.run(), [field, more]).status == 200
    seen = fields_of(node.exchanges[0])
    assert field in seen and more in seen
    gateway.wait_line(rf" trace={TRACE} .*route=/api/generate ")


def test_a_trace_that_is_none_is_not_logged(road):
    _, gateway = road
    broken = ("traceparent", f"00-{TRACE.upper()}-00f067aa0ba902b7-01")
    assert gateway.post("/api/generate", harness.run(), [broken]).status == 200
    gateway.wait_line(r"trace=- .*route=/api/generate ")
    assert TRACE not in gateway.log().lower()
