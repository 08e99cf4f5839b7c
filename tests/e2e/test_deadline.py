"""X-Drover-Timeout: a deadline for the whole request, wherever it is when it passes."""

import json
import threading

import harness
import pytest
from harness import wire

LIMIT_S = wire.LIMIT_S


def within(duration):
    return [("X-Drover-Timeout", duration)]


def test_it_passes_before_the_first_byte(stage):
    node = stage.fake(lambda exchange: exchange.wait_gone())
    gateway = stage.gateway([node])
    answer = gateway.post("/api/generate", harness.run(), within("100ms"))
    assert answer.status == 504
    assert "deadline" in answer.json()["error"]
    assert len(node.exchanges) == 1


def test_it_passes_in_the_queue_and_the_node_never_hears_of_it(stage):
    free = threading.Event()

    def play(exchange):
        assert free.wait(LIMIT_S)
        exchange.reply({"model": "tiny", "response": "late", "done": True})

    node = stage.fake(play)
    gateway = stage.gateway([{"name": "one", "url": node.url, "parallel": 1, "slots": 1}])
    with wire.Wire(gateway.url) as first:
        first.request("POST", "/api/generate", harness.run("first"))
        node.wait_exchanges(1)
        assert gateway.post("/api/generate", harness.run("second"), within("50ms")).status == 504
        free.set()
        assert first.read_answer().status == 200
    assert len(node.exchanges) == 1


def test_it_passes_in_mid_stream(stage):
    def play(exchange):
        exchange.begin()
        exchange.line(response="one", done=False)
        exchange.wait_gone()

    gateway = stage.gateway([stage.fake(play)])
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/chat", harness.body_for("/api/chat"), within("300ms"))
        answer = client.read_head()
        with pytest.raises(wire.Cut):
            list(client.read_pieces(answer))
    assert answer.status == 200
    assert "deadline" in json.loads(answer.body.splitlines()[-1])["error"]


def test_a_request_in_time_is_untouched(stage):
    gateway = stage.gateway([stage.fake()])
    assert gateway.post("/api/generate", harness.run(), within("1h")).status == 200


@pytest.mark.parametrize("value", ["soon", "30", "-1s", "0", "25h"])
def test_what_is_no_duration_is_refused(stage, value):
    gateway = stage.gateway([stage.fake()])
    answer = gateway.post("/api/generate", harness.run(), within(value))
    assert answer.status == 400
    assert "X-Drover-Timeout" in answer.json()["error"]
