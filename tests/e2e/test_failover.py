"""Nodes that fail: tried elsewhere where nothing can have run, answered honestly where it may
have, and left alone until they are well."""

import threading

import harness
import pytest
from harness import wire
from harness.fake import Exchange as FakeExchange

LIMIT_S = wire.LIMIT_S
QUICK = {"health": {"interval": "50ms", "timeout": "2s", "down_after": 3, "up_after": 2}}


def serve(exchange):
    exchange.reply({"response": exchange.node.host, "done": True})


def generate(gateway, **more):
    return gateway.post("/api/generate", harness.run(**more))


def pair(stage, first, settings=None, reuse=True):
    """Two nodes; the first is preferred as long as it is well."""
    bad, good = stage.fake(first, reuse=reuse), stage.fake(serve)
    rows = [{"name": "first", "url": bad.url, "weight": 100}, {"name": "second", "url": good.url}]
    return bad, good, stage.gateway(rows, settings)


def test_a_node_that_is_dead_is_replaced(stage):
    dead, good, gateway = pair(stage, serve)
    dead.halt()
    answer = generate(gateway)
    assert answer.status == 200 and answer.header("x-drover-backend") == "second"
    gateway.wait_line(r"first.* down")


def test_none_left_is_a_502_or_503(stage):
    node = stage.fake(serve)
    gateway = stage.gateway([node], QUICK)
    node.halt()
    answer = generate(gateway)
    assert answer.status in (502, 503) and answer.json()["error"]
    assert gateway.get("/readyz").status == 503
    assert gateway.get("/healthz").status == 200
    again = generate(gateway)
    assert again.status == 503 and again.header("retry-after")


def test_why_a_node_is_down_is_logged(stage):
    refuses, garbles = stage.fake(serve), stage.fake(serve)
    refuses.halt()
    garbles.probe_answer = lambda exchange: exchange.send(b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n")
    rows = [{"name": "refuses", "url": refuses.url}, {"name": "garbles", "url": garbles.url}]
    gateway = stage.gateway(rows, QUICK, ready=False)
    gateway.wait_line(r"refuses: is down: no connection could be made: Connection refused")
    gateway.wait_line(r"garbles: is down: it answered no valid HTTP: invalid header name")


def test_a_node_that_comes_back_is_used_again(stage):
    node = stage.fake(serve)
    gateway = stage.gateway([node], QUICK)
    mark = gateway.mark()
    node.halt()
    gateway.wait_line(r" down", mark)
    mark = gateway.mark()
    node.start()
    gateway.wait_line(r" up", mark)
    assert gateway.get("/readyz").status == 200
    assert generate(gateway).status == 200


def test_a_node_that_comes_late_is_used(stage):
    node = stage.fake(serve)
    node.halt()
    gateway = stage.gateway([node], QUICK, ready=False)
    mark = gateway.mark()
    gateway.wait_line(r" down")
    node.start()
    gateway.wait_line(r" up", mark)
    assert generate(gateway).status == 200


def test_a_node_that_comes_late_is_found_soon(stage):
    """Not a whole interval later."""
    node = stage.fake(serve)
    node.halt()
    gateway = stage.gateway([node], {"health": {"interval": "10m"}}, ready=False)
    mark = gateway.mark()
    gateway.wait_line(" down")
    node.start()
    gateway.wait_line(" up", mark)
    assert generate(gateway).status == 200


def test_who_waits_for_a_node_that_is_started_anew_is_served(stage):
    """A workstation whose Ollama is updated does not refuse its queue."""
    go = threading.Semaphore(0)

    def play(exchange):
        assert go.acquire(timeout=LIMIT_S)
        serve(exchange)

    node = stage.fake(play, reuse=False)
    gateway = stage.gateway([{"url": node.url, "parallel": 1}])
    mark = gateway.mark()
    waiting = [harness.later(generate, gateway) for _ in range(4)]
    node.wait_exchanges(1)
    node.halt()
    gateway.wait_line(" down", mark)
    late = harness.later(generate, gateway)
    node.start()
    go.release(10)
    statuses = sorted(a.result(LIMIT_S).status for a in waiting)
    assert statuses == [200, 200, 200, 502]  # what ran may not be run again
    assert late.result(LIMIT_S).status == 200


def test_a_503_is_tried_elsewhere(stage):
    def busy(exchange):
        exchange.reply({"error": "server busy"}, "503 Service Unavailable")

    bad, good, gateway = pair(stage, busy)
    for _ in range(3):
        answer = generate(gateway)
        assert answer.status == 200 and answer.header("x-drover-backend") == "second"
    assert len(bad.exchanges) >= 1


def test_a_503_from_all_reaches_the_client_as_503(stage):
    def busy(exchange):
        exchange.reply({"error": "server busy, please try again."}, "503 Service Unavailable")

    node = stage.fake(busy)
    gateway = stage.gateway([node])
    answer = generate(gateway)
    assert answer.status == 503 and "busy" in answer.json()["error"]
    assert 1 <= len(node.exchanges) <= 3


def fails_second(how):
    def play(exchange):
        if exchange.field("x-nth") == "second":
            how(exchange)
        else:
            serve(exchange)

    return play


@pytest.mark.parametrize(
    "reuse,how",
    [
        (False, FakeExchange.close),
        (False, FakeExchange.reset),
        (True, FakeExchange.close),
        (True, FakeExchange.reset),
    ],
)
def test_what_may_have_run_is_not_run_again(stage, reuse, how):
    """Also on a connection that was used before: the node's system had confirmed the request."""
    bad, good, gateway = pair(stage, fails_second(how), reuse=reuse)
    if reuse:
        assert generate(gateway).status == 200
    answer = gateway.post("/api/generate", harness.run(), [("X-Nth", "second")])
    assert answer.status == 502
    assert (len(bad.exchanges), len(good.exchanges)) == (1 + reuse, 0)


def garbage(exchange):
    exchange.send(b"This is not HTTP\r\n\r\n")
    exchange.close()


def two_lengths(exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!")


def length_and_chunks(exchange):
    exchange.send(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )


def endless_head(exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\n" + b"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 5000)


def upgrade(exchange):
    exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")


@pytest.mark.parametrize(
    "answer",
    [garbage, two_lengths, length_and_chunks, endless_head, upgrade],
    ids=lambda f: f.__name__,
)
def test_an_answer_that_is_no_http_is_a_502(stage, answer):
    node = stage.fake(answer)
    gateway = stage.gateway([node])
    got = generate(gateway)
    assert got.status == 502 and got.json()["error"]
    assert len(node.exchanges) == 1


@pytest.mark.parametrize(
    "status", ["400 Bad Request", "404 Not Found", "500 Internal Server Error"]
)
def test_other_errors_of_a_node_are_passed_on_as_they_are(stage, status):
    body = b'{"error":"its own words"}'
    node = stage.fake(lambda exchange: exchange.reply(body, status))
    gateway = stage.gateway([node])
    answer = generate(gateway)
    assert answer.status == int(status.split()[0]) and answer.body == body
    assert answer.reason == status.split(" ", 1)[1]
    assert len(node.exchanges) == 1


def test_interim_answers_are_skipped(stage):
    def play(exchange):
        exchange.send(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
        serve(exchange)

    assert generate(stage.gateway([stage.fake(play)])).status == 200


def test_a_node_that_hangs_is_found_though_its_listings_are_well(stage):
    def hang(exchange):
        exchange.wait_gone()

    settings = {
        "timeouts": {"first_byte": "300ms", "load": "1ms"},
        "breaker": {"failures": 5, "window": "30s", "open": "10m", "max_open": "10m"},
    }
    bad, good, gateway = pair(stage, hang, settings)
    answer = generate(gateway)
    assert answer.status == 504 and answer.json()["error"]
    for _ in range(3):
        assert generate(gateway).header("x-drover-backend") == "second"
    assert (len(bad.exchanges), len(good.exchanges)) == (1, 3)


def test_a_breaker_lets_one_try_and_closes(stage):
    well = threading.Event()

    def play(exchange):
        if well.is_set():
            serve(exchange)
        else:
            exchange.wait_gone()

    node = stage.fake(play)
    settings = {
        "timeouts": {"first_byte": "200ms", "load": "1ms"},
        "breaker": {"failures": 1, "window": "30s", "open": "300ms", "max_open": "1s"},
    }
    gateway = stage.gateway([node], settings)
    assert generate(gateway).status == 504
    well.set()
    # It waits in the queue until the breaker lets it through.
    assert generate(gateway).status == 200
    gateway.wait_line("breaker is closed")


def test_a_busy_node_does_not_look_idle(stage):
    """An instant 503 must not draw all requests to the node that sends it."""

    def busy(exchange):
        exchange.reply({"error": "server busy"}, "503 Service Unavailable")

    bad, good = stage.fake(busy), stage.fake(serve)
    gateway = stage.gateway(
        [{"url": bad.url, "parallel": 8}, {"url": good.url, "parallel": 8}],
        {"breaker": {"failures": 3, "window": "30s", "open": "10m", "max_open": "10m"}},
    )
    answers = [generate(gateway) for _ in range(30)]
    assert [a.status for a in answers] == [200] * 30
    assert len(bad.exchanges) <= 5


def test_a_silent_node_is_marked_down(stage):
    bad, good, gateway = pair(
        stage, serve, {**QUICK, "health": {**QUICK["health"], "timeout": "500ms"}}
    )
    up = gateway.mark()
    bad.silent = True
    gateway.wait_line(r"first.* down", up)
    for _ in range(3):
        assert generate(gateway).header("x-drover-backend") == "second"


def test_many_attempts_are_bounded(stage):
    def busy(exchange):
        exchange.reply({"error": "server busy"}, "503 Service Unavailable")

    nodes = [stage.fake(busy) for _ in range(5)]
    gateway = stage.gateway(nodes, {"retry": {"attempts": 2, "budget": 1.0}})
    assert generate(gateway).status == 503
    assert sum(len(node.exchanges) for node in nodes) == 2


def test_a_name_with_several_addresses_is_tried_through(stage):
    """localhost may be ::1 first, where nobody listens."""
    node = stage.fake(serve)
    gateway = stage.gateway([{"url": f"http://localhost:{node.port}"}])
    assert generate(gateway).status == 200
